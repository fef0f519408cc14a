//! What rules may mean but perhaps should not: told by `rega check`, and no reason to refuse them.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    compile::half_life_of,
    spec::{
        Condition, CustomerTest, HalfLifeSpec, Located, OncePer, PackSpec, PointsSpec, Problem,
        RuleSpec,
    },
};
use crate::{
    engine::decode::normal_event,
    model::{Span, span_as_f64},
};

const HOUR: Span = 3_600_000;

/// A cap that holds longer than so many half-lives pins whoever was once busy (DOMAIN.md, The
/// score).
const HALF_LIVES_MAX: f64 = 2.0;

/// Returns what a pack's author should look at.
pub(super) fn warnings(pack: &PackSpec) -> Vec<Problem> {
    let points = pack.rules.iter().flat_map(|rule| rule.points.iter().map(move |one| (rule, one)));
    let caps = points.filter_map(|(rule, points)| cap_that_pins(pack, rule, points));
    caps.chain(names_that_nothing_has(pack)).collect()
}

/// Which rules name an event as touchpoints are called no more when rules are asked? Their other
/// name was replaced by the canonical one, so such a rule never holds.
fn names_that_nothing_has(pack: &PackSpec) -> Vec<Problem> {
    let canonical: BTreeMap<String, &str> = pack
        .events
        .iter()
        .flat_map(|(canonical, others)| others.iter().map(move |other| (other, canonical)))
        .map(|(other, canonical)| (normal(&other.value), canonical.as_str()))
        .collect();
    let mut named = Vec::new();
    for rule in &pack.rules {
        events_of(&rule.when, &mut named);
    }
    let replaced = named.into_iter().filter_map(|event| {
        let canonical = canonical.get(&normal(&event.value))?;
        (event.value != **canonical).then(|| Problem {
            at: event.at,
            message: format!("no touchpoint is called \"{}\" when rules are asked", event.value),
            help: Some(format!("\"events\" makes it \"{canonical}\": write that")),
        })
    });
    replaced.collect()
}

fn normal(event: &str) -> String {
    normal_event(Cow::Borrowed(event)).into_owned()
}

/// Collects the names of events that a condition asks for.
fn events_of<'a>(condition: &'a Condition, named: &mut Vec<&'a Located<String>>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            for part in parts {
                events_of(part, named);
            }
        }
        Condition::Not(part) => events_of(part, named),
        Condition::Event(events) => named.extend(events),
        Condition::Customer(CustomerTest::Seen(seen)) => named.extend(&seen.events),
        Condition::EventLike(_)
        | Condition::Episode(_)
        | Condition::Channel(_)
        | Condition::ChannelLike(_)
        | Condition::Actor(_)
        | Condition::ActorLike(_)
        | Condition::Property { .. }
        | Condition::Text(_)
        | Condition::Compare { .. }
        | Condition::Rated { .. }
        | Condition::Customer(_) => {}
    }
}

/// How long does the cap hold after the last touchpoint of somebody who came as often as counts?
/// Points that are given every `p` add up to `add / (1 - 2^(-p / half_life))`, and what is above
/// the cap has to fade before anything shows.
fn cap_that_pins(pack: &PackSpec, rule: &RuleSpec, points: &PointsSpec) -> Option<Problem> {
    let HalfLifeSpec::After(half_life) =
        points.half_life.unwrap_or(half_life_of(pack, points.track))
    else {
        // It was asked for: these points never fade.
        return None;
    };
    let cap = points.cap?;
    let help =
        "raise the cap or the half-life, lower the points, or count less often (\"once_per\")";
    let warn =
        |message: String| Some(Problem { at: points.at, message, help: Some(help.to_owned()) });
    let period = match points.once_per {
        OncePer::Hour => HOUR,
        OncePer::Day => 24 * HOUR,
        OncePer::Week => 7 * 24 * HOUR,
        OncePer::Month => 30 * 24 * HOUR,
        // What is kept under a key costs the customer something each time: an order, a review.
        OncePer::Touchpoint if points.add < 0.0 || rule.reversible.is_some() => return None,
        OncePer::Touchpoint => {
            return warn(format!(
                "a cap of {cap} may hold for ever: these points count with every touchpoint"
            ));
        }
    };
    let left = (-(span_as_f64(period) / span_as_f64(half_life.max(1)))).exp2();
    let most = points.add.abs() / (1.0 - left);
    let half_lives = (most / cap).log2();
    if half_lives <= HALF_LIVES_MAX {
        return None;
    }
    warn(format!(
        "a cap of {cap} may hold for {half_lives:.1} half-lives: who comes as often as counts gathers \
         {most:.0} points"
    ))
}
