//! Rules that can never have an effect: wherever they hold, rules that are asked before them hold
//! too, and have said it all.
//!
//! Only what is certain is told. One condition implies another where that shows in how they are
//! written; patterns, negations and history count as implied only by themselves.

use super::spec::{
    At, Condition, CustomerTest, LabelSpec, Located, PackSpec, RuleSpec, SeenSpec, Test,
    ValenceSpec,
};
use crate::model::Valence;

/// A rule that is hidden, and who hides it.
#[derive(Debug)]
pub struct Hidden<'p> {
    /// The rule that never has an effect.
    pub rule: &'p RuleSpec,
    /// The rules before it that leave nothing to it.
    pub by: Vec<&'p RuleSpec>,
}

/// Returns the rules to which those before them leave nothing; `beside` says of two rules (by their
/// places) whether one may be told to hide the other.
pub(super) fn hidden(pack: &PackSpec, beside: impl Fn(At, At) -> bool) -> Vec<Hidden<'_>> {
    let mut found = Vec::new();
    for (position, rule) in pack.rules.iter().enumerate() {
        let before = pack.rules.iter().take(position);
        let above: Vec<_> = before
            .filter(|earlier| beside(rule.at, earlier.at) && implies(&rule.when, &earlier.when))
            .collect();
        let ignores = above.iter().find(|earlier| earlier.ignore);
        let by = match ignores {
            Some(earlier) => Some(vec![*earlier]),
            None => who_says_it_all(rule, &above),
        };
        found.extend(by.map(|by| Hidden { rule, by }));
    }
    found
}

/// Returns the rules that have said before whatever a rule says; `None` where something is left.
fn who_says_it_all<'p>(rule: &RuleSpec, above: &[&'p RuleSpec]) -> Option<Vec<&'p RuleSpec>> {
    if above.is_empty() || does_more_than_say(rule) {
        return None;
    }
    let said = said(&rule.label);
    if !said.contains(&true) {
        return None;
    }
    let mut by: Vec<&RuleSpec> = Vec::new();
    for (label, _) in said.iter().enumerate().filter(|(_, said)| **said) {
        let settles = |earlier: &&&RuleSpec| settled(&earlier.label).get(label) == Some(&true);
        let earlier = above.iter().find(settles)?;
        if by.iter().all(|known| known.at != earlier.at) {
            by.push(earlier);
        }
    }
    Some(by)
}

/// What is read from words shows in more than one label, so nothing is certain of it.
fn does_more_than_say(rule: &RuleSpec) -> bool {
    let RuleSpec { at: _, name: _, was: _, when: _, label, points, opens, closes, .. } = rule;
    let RuleSpec { reversible, reverses, recover_within, acquires, ignore, alert, .. } = rule;
    let reads = label.reason_from_text || label.valence == Some(ValenceSpec::FromText);
    let acts = !points.is_empty() || opens.is_some() || closes.is_some();
    let keeps = reversible.is_some() || reverses.is_some() || acquires.is_some();
    reads || acts || keeps || recover_within.is_some() || *ignore || *alert
}

/// Which labels does a rule say?
fn said(label: &LabelSpec) -> [bool; 7] {
    [
        label.micro_moment.is_some(),
        label.moment_of_truth.is_some(),
        label.stage.is_some(),
        label.valence.is_some(),
        label.reason.is_some(),
        label.severity.is_some(),
        label.evidence.is_some(),
    ]
}

/// Which labels does a rule decide whenever it holds? A rating may be missing, and where nothing
/// hurt nothing is made good: then a later rule decides the valence.
fn settled(label: &LabelSpec) -> [bool; 7] {
    let mut settled = said(label);
    settled[3] =
        matches!(label.valence, Some(ValenceSpec::Is(valence)) if valence != Valence::Recovered);
    settled
}

/// Returns whether `one` can only hold where `other` does.
fn implies(one: &Condition, other: &Condition) -> bool {
    match (one, other) {
        (Condition::Any(ways), _) if !ways.is_empty() => ways.iter().all(|way| implies(way, other)),
        (_, Condition::All(parts)) => parts.iter().all(|part| implies(one, part)),
        (_, Condition::Any(ways)) => ways.iter().any(|way| implies(one, way)),
        (Condition::All(parts), _) => parts.iter().any(|part| implies(part, other)),
        _ => implies_alone(one, other),
    }
}

/// The same of two conditions that are not made of others.
fn implies_alone(one: &Condition, other: &Condition) -> bool {
    use Condition as C;
    match (one, other) {
        (C::Not(one), C::Not(other)) => implies(one, other) && implies(other, one),
        (C::Event(one), C::Event(other))
        | (C::Channel(one), C::Channel(other))
        | (C::Episode(one), C::Episode(other)) => within(one, other),
        (C::Actor(one), C::Actor(other)) => one.iter().all(|actor| other.contains(actor)),
        (C::EventLike(one), C::EventLike(other))
        | (C::ChannelLike(one), C::ChannelLike(other))
        | (C::ActorLike(one), C::ActorLike(other)) => one.value == other.value,
        (C::Property { path, test }, C::Property { path: of, test: other }) => {
            path.value == of.value && passes(test, other)
        }
        (C::Text(one), C::Text(other)) => passes(one, other),
        (
            C::Compare { left, is, right },
            C::Compare { left: other_left, is: other_is, right: other_right },
        ) => (&left.value, is, &right.value) == (&other_left.value, other_is, &other_right.value),
        (C::Customer(one), C::Customer(other)) => customer_passes(one, other),
        // Each only by itself, and a rating by nothing: its scale may stand in the event.
        _ => false,
    }
}

/// Returns whether every value that passes one test passes the other.
fn passes(one: &Test, other: &Test) -> bool {
    match (one, other) {
        (
            Test::In(_) | Test::Range { .. } | Test::Contains(_) | Test::Matches(_),
            Test::Exists(true),
        ) => true,
        (Test::Exists(one), Test::Exists(other)) => one == other,
        (Test::In(one), Test::In(other)) => one.iter().all(|value| other.contains(value)),
        (Test::Range { .. }, Test::Range { .. }) => one == other,
        (Test::Contains(one), Test::Contains(other)) => one.iter().all(|part| other.contains(part)),
        (Test::Matches(one), Test::Matches(other)) => one.value == other.value,
        (Test::Seeks(one), Test::Seeks(other)) => one.iter().all(|what| other.contains(what)),
        (
            Test::Feels { valences, about },
            Test::Feels { valences: other_valences, about: other_about },
        ) => {
            let about_it = !about.is_empty() && within(about, other_about);
            valences.iter().all(|valence| other_valences.contains(valence))
                && (other_about.is_empty() || about_it)
        }
        (Test::Not(one), Test::Not(other)) => passes(one, other) && passes(other, one),
        _ => false,
    }
}

/// Returns whether every history that passes one test passes the other.
fn customer_passes(one: &CustomerTest, other: &CustomerTest) -> bool {
    use CustomerTest as T;
    match (one, other) {
        (T::Stage(one), T::Stage(other)) => one.iter().all(|stage| other.contains(stage)),
        (T::Band(one), T::Band(other)) => one.iter().all(|band| other.contains(band)),
        (T::FirstVisit(_), T::FirstVisit(_)) | (T::Score { .. }, T::Score { .. }) => one == other,
        (T::Owns(one), T::Owns(other)) => one.value == other.value,
        (T::Seen(one), T::Seen(other)) => asks_the_same(one, other),
        (
            T::Episode { kind, key, overdue, fixed },
            T::Episode { kind: of, key: by, overdue: due, fixed: mended },
        ) => {
            (&kind.value, text(key.as_ref()), overdue, fixed)
                == (&of.value, text(by.as_ref()), due, mended)
        }
        _ => false,
    }
}

/// What is remembered is bounded, so that more is not sure to mean enough.
fn asks_the_same(one: &SeenSpec, other: &SeenSpec) -> bool {
    (one.within, one.at_least, text(one.same.as_ref()), text(one.distinct.as_ref()))
        == (other.within, other.at_least, text(other.same.as_ref()), text(other.distinct.as_ref()))
        && within(&one.events, &other.events)
        && within(&other.events, &one.events)
}

fn text(one: Option<&Located<String>>) -> Option<&str> {
    one.map(|one| one.value.as_str())
}

fn within(one: &[Located<String>], other: &[Located<String>]) -> bool {
    one.iter().all(|each| other.iter().any(|known| known.value == each.value))
}
