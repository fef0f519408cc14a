//! A spike that the simulation is told to make: `delivery@3d2h×5`.

use jiff::Timestamp;

use super::{
    misfortune::PAIN_KEYS,
    rhythm::{DAY, HOUR, MINUTE, SECOND},
};
use crate::model::{EventTime, Span};

/// How long a spike lasts when it does not say so.
const DEFAULT_LENGTH: Span = 2 * HOUR;

/// However high the factor, some things still go right: a detector must not be handed a
/// certainty.
const PROBABILITY_MAX: f64 = 0.95;

/// The pain of one key, multiplied for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Spike {
    channel: String,
    event: Option<String>,
    from: EventTime,
    until: EventTime,
    factor: f64,
}

/// Why the text is not a spike.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpikeProblem {
    /// Not of the form.
    #[error("expected KEY@AT×FACTOR, such as \"delivery@3d2h×5\"")]
    Form,
    /// Nothing of that name goes wrong.
    #[error("nothing goes wrong at \"{0}\": expected a channel or channel/event of {keys}", keys = PAIN_KEYS.join(", "))]
    Key(String),
    /// Neither a span nor an instant.
    #[error(
        "\"{0}\" is no time: expected a span since the start such as \"3d2h\", or RFC 3339 with a zone"
    )]
    At(String),
    /// Not a number above 0.
    #[error("\"{0}\" is no factor: expected a number above 0 and up to 1000")]
    Factor(String),
    /// Not a length of time.
    #[error("\"{0}\" is no length: expected a span such as \"90m\"")]
    Length(String),
}

impl Spike {
    /// Reads `KEY@AT×FACTOR`, or `KEY@AT×FACTOR~LENGTH`. `AT` is an instant or a span since `start`.
    ///
    /// # Errors
    ///
    /// Says what was expected, for whoever typed it.
    pub fn parse(text: &str, start: EventTime) -> Result<Self, SpikeProblem> {
        let (key, rest) = text.split_once('@').ok_or(SpikeProblem::Form)?;
        let (rest, length) = match rest.split_once('~') {
            Some((rest, length)) => {
                (rest, parse_span(length).ok_or_else(|| SpikeProblem::Length(length.to_owned()))?)
            }
            None => (rest, DEFAULT_LENGTH),
        };
        let (at, factor) = rest.rsplit_once(['×', 'x']).ok_or(SpikeProblem::Form)?;
        let (channel, event) = parse_key(key)?;
        let from = parse_at(at, start).ok_or_else(|| SpikeProblem::At(at.to_owned()))?;
        let factor = factor
            .parse()
            .ok()
            .filter(|factor| 0.0 < *factor && *factor <= 1000.0)
            .ok_or_else(|| SpikeProblem::Factor(factor.to_owned()))?;
        Ok(Self { channel, event, from, until: from.plus(length), factor })
    }

    /// Returns the probability with which something happens that otherwise has `probability`.
    fn raise(&self, probability: f64, at: EventTime, channel: &str, event: &str) -> f64 {
        let meant =
            self.channel == channel && self.event.as_deref().is_none_or(|name| name == event);
        if meant && (self.from..self.until).contains(&at) {
            (probability * self.factor).min(PROBABILITY_MAX)
        } else {
            probability
        }
    }
}

/// Returns the probability after all spikes.
pub(super) fn raised(
    spikes: &[Spike],
    probability: f64,
    at: EventTime,
    channel: &str,
    event: &str,
) -> f64 {
    spikes.iter().fold(probability, |raised, spike| spike.raise(raised, at, channel, event))
}

fn parse_key(key: &str) -> Result<(String, Option<String>), SpikeProblem> {
    let known = PAIN_KEYS.iter().any(|pain| {
        *pain == key || pain.split_once('/').is_some_and(|(channel, _)| channel == key)
    });
    if !known {
        return Err(SpikeProblem::Key(key.to_owned()));
    }
    Ok(match key.split_once('/') {
        Some((channel, event)) => (channel.to_owned(), Some(event.to_owned())),
        None => (key.to_owned(), None),
    })
}

fn parse_at(at: &str, start: EventTime) -> Option<EventTime> {
    if let Some(span) = parse_span(at) {
        return Some(start.plus(span));
    }
    EventTime::from_millis(at.parse::<Timestamp>().ok()?.as_millisecond())
}

/// Reads `1d12h`, `90m`, `30s`: whole numbers with units, at least one.
fn parse_span(text: &str) -> Option<Span> {
    let mut rest = text;
    let mut span: Span = 0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let mut letters = tail.chars();
        let unit = match letters.next()? {
            'd' => DAY,
            'h' => HOUR,
            'm' => MINUTE,
            's' => SECOND,
            _ => return None,
        };
        span = span.checked_add(number.parse::<Span>().ok()?.checked_mul(unit)?)?;
        rest = letters.as_str();
    }
    (!text.is_empty()).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::{super::misfortune::Misfortune, *};

    fn start() -> EventTime {
        EventTime::from_millis(1_767_571_200_000).unwrap()
    }

    #[track_caller]
    fn refuses(text: &str, problem: SpikeProblem) {
        assert_eq!(Spike::parse(text, start()), Err(problem));
    }

    #[test]
    fn a_spike_raises_its_key_while_it_lasts() {
        let spikes = [Spike::parse("delivery@3d2h×5", start()).unwrap()];
        let at = |span| raised(&spikes, 0.1, start().plus(span), "delivery", "order_delivered");
        assert!((at(3 * DAY + 2 * HOUR) - 0.5).abs() < 1e-9);
        assert!((at(3 * DAY + 2 * HOUR - 1) - 0.1).abs() < 1e-9);
        assert!((at(3 * DAY + 4 * HOUR) - 0.1).abs() < 1e-9);
        let elsewhere =
            raised(&spikes, 0.1, start().plus(3 * DAY + 3 * HOUR), "app", "app_crashed");
        assert!((elsewhere - 0.1).abs() < 1e-9);
    }

    #[test]
    fn instants_lengths_and_a_plain_x_are_read() {
        let spike =
            Spike::parse("app/app_crashed@2026-01-07T12:00:00+02:00x2.5~1h30m", start()).unwrap();
        assert_eq!(spike.from, start().plus(2 * DAY + 10 * HOUR));
        assert_eq!(spike.until, spike.from.plus(90 * MINUTE));
        assert_eq!(spike.event.as_deref(), Some("app_crashed"));
        let never = raised(&[spike], 0.9, start().plus(2 * DAY + 11 * HOUR), "app", "app_crashed");
        assert!((never - PROBABILITY_MAX).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_spike_is_refused_with_what_was_expected() {
        refuses("delivery", SpikeProblem::Form);
        refuses("delivery@3d", SpikeProblem::Form);
        refuses("pigeon@3dx5", SpikeProblem::Key("pigeon".to_owned()));
        refuses("app/order_placed@3dx5", SpikeProblem::Key("app/order_placed".to_owned()));
        refuses("app@yesterdayx5", SpikeProblem::At("yesterday".to_owned()));
        refuses("app@x5", SpikeProblem::At(String::new()));
        refuses("app@3dx0", SpikeProblem::Factor("0".to_owned()));
        refuses("app@3dxNaN", SpikeProblem::Factor("NaN".to_owned()));
        refuses("app@3dx5~soon", SpikeProblem::Length("soon".to_owned()));
    }

    #[test]
    fn every_misfortune_has_a_key() {
        for misfortune in [
            Misfortune::PaymentFailed,
            Misfortune::AppCrashed,
            Misfortune::RageClicked,
            Misfortune::CancelledByBrand,
            Misfortune::LateDelivery,
            Misfortune::BadDelivery,
            Misfortune::RudeAgent,
            Misfortune::NotAsDescribed,
        ] {
            let event = misfortune.event();
            assert!(PAIN_KEYS.iter().any(|key| key.ends_with(event)), "{event}");
        }
    }
}
