//! Nodes become values: text, numbers, flags, spans, words of a closed vocabulary, lists of them.
//!
//! Every reader has one shape, `(node, problems) → Option<value>`, so that they combine; `None`
//! means that the problem has been told.

use jiff::tz::TimeZone;

use super::{
    fields::{found, suggestion},
    near::nearest,
    problem::Problems,
    span,
    yaml::{Node, Scalar, Value},
};
use crate::{
    engine::rules::spec::{self, At, Located},
    model::{
        Actor, Band, EventTime, Evidence, MicroMoment, MomentOfTruth, Severity, Span, Stage, Track,
        TransitionKind, Valence,
    },
};

/// Returns the scalar that a node is; what is neither list, mapping nor nothing.
fn scalar<'n>(node: &'n Node, expected: &str, problems: &mut Problems) -> Option<&'n Scalar> {
    match &node.value {
        Value::Scalar(scalar) => Some(scalar),
        Value::Nothing | Value::Sequence(_) | Value::Mapping(_) => {
            problems.add(node.at, format!("expected {expected}, found {}", found(node)));
            None
        }
    }
}

fn unexpected(node: &Node, expected: &str, help: &str, problems: &mut Problems) {
    let message = format!("expected {expected}, found {}", found(node));
    problems.add_with_help(node.at, message, help);
}

/// Reads text; never empty.
pub(super) fn text(node: &Node, problems: &mut Problems) -> Option<String> {
    let text = &scalar(node, "text", problems)?.text;
    if text.trim().is_empty() {
        problems.add(node.at, "empty text");
        return None;
    }
    Some(text.clone())
}

/// Reads text with its place.
pub(super) fn located(node: &Node, problems: &mut Problems) -> Option<Located<String>> {
    Some(Located { value: text(node, problems)?, at: node.at })
}

/// Reads `true` or `false`.
pub(super) fn flag(node: &Node, problems: &mut Problems) -> Option<bool> {
    match flag_of(scalar(node, "true or false", problems)?) {
        None => {
            problems.add(node.at, format!("expected true or false, found {}", found(node)));
            None
        }
        flag => flag,
    }
}

fn flag_of(scalar: &Scalar) -> Option<bool> {
    match scalar.text.as_str() {
        "true" if scalar.plain => Some(true),
        "false" if scalar.plain => Some(false),
        _ => None,
    }
}

/// Reads a finite number.
pub(super) fn number(node: &Node, problems: &mut Problems) -> Option<f64> {
    match number_of(scalar(node, "a number", problems)?) {
        None => {
            problems.add(node.at, format!("expected a number, found {}", found(node)));
            None
        }
        number => number,
    }
}

fn number_of(scalar: &Scalar) -> Option<f64> {
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let number = scalar.text.parse::<f64>().ok()?;
    (scalar.plain && scalar.text.chars().all(digits) && number.is_finite()).then_some(number)
}

/// Reads a whole number in a range.
pub(super) fn whole(
    range: std::ops::RangeInclusive<u64>,
) -> impl Fn(&Node, &mut Problems) -> Option<u64> {
    move |node, problems| {
        let (least, most) = (range.start(), range.end());
        let expected = format!("a whole number from {least} to {most}");
        let written = &scalar(node, &expected, problems)?.text;
        match written.parse().ok().filter(|number| range.contains(number)) {
            None => {
                problems.add(node.at, format!("expected {expected}, found {}", found(node)));
                None
            }
            number => number,
        }
    }
}

/// Reads a length of time.
pub(super) fn span(node: &Node, problems: &mut Problems) -> Option<Span> {
    let written = scalar(node, "a length of time", problems)?;
    let span = span::parse(&written.text);
    if span.is_none() {
        unexpected(node, "a length of time", span::HINT, problems);
    }
    span
}

/// A length of time, or that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So long.
    Of(Span),
    /// `off`: for ever, or never.
    Off,
}

impl Length {
    /// Returns the length; `None` is off.
    pub(super) fn span(self) -> Option<Span> {
        match self {
            Self::Of(span) => Some(span),
            Self::Off => None,
        }
    }
}

/// Reads a length of time, or `off`.
pub(super) fn span_or_off(node: &Node, problems: &mut Problems) -> Option<Length> {
    let written = scalar(node, "a length of time or off", problems)?;
    if written.text == "off" {
        return Some(Length::Off);
    }
    let span = span::parse(&written.text);
    if span.is_none() {
        unexpected(node, "a length of time or off", span::HINT, problems);
    }
    span.map(Length::Of)
}

/// Reads a list: every item by `read`.
pub(super) fn list<T>(
    read: impl Fn(&Node, &mut Problems) -> Option<T>,
) -> impl Fn(&Node, &mut Problems) -> Option<Vec<T>> {
    move |node, problems| match &node.value {
        Value::Sequence(items) => each(items, &read, problems),
        Value::Nothing | Value::Scalar(_) | Value::Mapping(_) => {
            unexpected(node, "a list", "write [one, two], or one \"- item\" a line", problems);
            None
        }
    }
}

/// Reads one value or a list of them; never empty.
pub(super) fn one_or_more<T>(
    read: impl Fn(&Node, &mut Problems) -> Option<T>,
) -> impl Fn(&Node, &mut Problems) -> Option<Vec<T>> {
    move |node, problems| match &node.value {
        Value::Sequence(items) if items.is_empty() => {
            problems.add(node.at, "an empty list matches nothing");
            None
        }
        Value::Sequence(items) => each(items, &read, problems),
        Value::Nothing | Value::Scalar(_) | Value::Mapping(_) => {
            read(node, problems).map(|value| vec![value])
        }
    }
}

/// Reads every item, and gives up only after the last.
fn each<T>(
    items: &[Node],
    read: impl Fn(&Node, &mut Problems) -> Option<T>,
    problems: &mut Problems,
) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = items.iter().map(|item| read(item, problems)).collect();
    read.into_iter().collect()
}

/// A scalar as a rule compares with it: quoted text is text, whatever it looks like.
pub(super) fn any_scalar(node: &Node, problems: &mut Problems) -> Option<spec::Scalar> {
    let written = scalar(node, "text, a number, true or false", problems)?;
    Some(match (flag_of(written), number_of(written)) {
        (Some(flag), _) => spec::Scalar::Flag(flag),
        (None, Some(number)) => spec::Scalar::Number(number),
        (None, None) => spec::Scalar::Text(written.text.clone()),
    })
}

/// Reads a word of a closed vocabulary.
pub(super) fn word<V: Vocabulary>(node: &Node, problems: &mut Problems) -> Option<V> {
    let written = scalar(node, V::WHAT, problems)?;
    word_of(&written.text, node.at, problems)
}

/// Finds a word of a closed vocabulary.
pub(super) fn word_of<V: Vocabulary>(written: &str, at: At, problems: &mut Problems) -> Option<V> {
    let meant = V::WORDS.iter().find(|(name, _)| *name == written).map(|(_, value)| *value);
    if meant.is_none() {
        let help = suggestion(written, V::WORDS.iter().map(|(name, _)| *name));
        problems.add_with_help(at, format!("\"{written}\" is not {}", V::WHAT), help);
    }
    meant
}

/// Reads the name of a time zone.
pub(super) fn zone(node: &Node, problems: &mut Problems) -> Option<TimeZone> {
    let written = text(node, problems)?;
    let zone = TimeZone::get(&written).ok();
    if zone.is_none() {
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let help = match nearest(&written, names.iter().map(String::as_str)) {
            Some(name) => format!("did you mean \"{name}\"?"),
            None => "write a name of the IANA database: UTC, Europe/Berlin, Asia/Tehran".to_owned(),
        };
        problems.add_with_help(node.at, format!("\"{written}\" is not a time zone"), help);
    }
    zone
}

/// Reads an instant.
pub(super) fn instant(node: &Node, problems: &mut Problems) -> Option<EventTime> {
    let written = text(node, problems)?;
    let parsed = written.parse::<jiff::Timestamp>().ok();
    let instant = parsed.and_then(|parsed| EventTime::from_millis(parsed.as_millisecond()));
    if instant.is_none() {
        unexpected(node, "a time", "write it with its zone: 2026-01-31T08:00:00Z", problems);
    }
    instant
}

/// Reads a list of names: a YAML list, or text with commas (as an environment variable has it).
pub(super) fn names(node: &Node, problems: &mut Problems) -> Option<Vec<Located<String>>> {
    let Value::Scalar(written) = &node.value else {
        return list(located)(node, problems);
    };
    let names = written.text.split(',').map(str::trim).filter(|name| !name.is_empty());
    Some(names.map(|name| Located { value: name.to_owned(), at: node.at }).collect())
}

/// Reads a length of time within bounds.
pub(super) fn span_within(
    least: Span,
    most: Span,
) -> impl Fn(&Node, &mut Problems) -> Option<Span> {
    move |node, problems| {
        let length = span(node, problems)?;
        if !(least..=most).contains(&length) {
            let (least, most) = (span::display(least), span::display(most));
            let message = format!("expected {least} to {most}, found {}", span::display(length));
            problems.add(node.at, message);
            return None;
        }
        Some(length)
    }
}

/// A closed set of words.
pub(super) trait Vocabulary: Copy + 'static {
    /// What a word of it is called, with its article.
    const WHAT: &'static str;
    /// Every word and what it means.
    const WORDS: &'static [(&'static str, Self)];
}

/// Makes the model's vocabularies readable.
macro_rules! readable {
    ($($name:ident: $what:literal [$($variant:ident)+],)+) => {$(
        impl Vocabulary for $name {
            const WHAT: &'static str = $what;
            const WORDS: &'static [(&'static str, Self)] =
                &[$(($name::$variant.as_str(), $name::$variant),)+];
        }
    )+};
}

readable! {
    MicroMoment: "a micro-moment" [None Ideas Know Go Compare Plan Buy Do],
    MomentOfTruth: "a moment of truth" [None Stimulus Zero First Actual Second Ultimate],
    Stage: "a stage" [None Awareness Consideration Purchase Loyalty Advocacy],
    Valence: "a valence" [Pain Neutral Glory Recovered Unknown],
    Actor: "an actor" [Customer Brand System],
    Severity: "a severity" [Friction Failure Breach],
    Evidence: "a kind of evidence" [Expressed Behaviour Operational Text Guess],
    Track: "a track" [Access Engage Customize Connect Collaborate],
    Band: "a band" [Dormant Casual Active Champion AtRisk],
    TransitionKind: "a transition" [Enter Advance Skip Regress ReEnter Lapse],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_added_to_the_model_can_be_read() {
        #[track_caller]
        fn check<V: Vocabulary>(all: &[V]) {
            assert_eq!(V::WORDS.len(), all.len(), "{}", V::WHAT);
        }
        check(MicroMoment::ALL);
        check(MomentOfTruth::ALL);
        check(Stage::ALL);
        check(Valence::ALL);
        check(Actor::ALL);
        check(Severity::ALL);
        check(Evidence::ALL);
        check(Track::ALL);
        check(Band::ALL);
        check(TransitionKind::ALL);
    }
}
