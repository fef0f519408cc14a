//! Deadlines must not breed deadlines for ever (DOMAIN.md, Episodes).
//!
//! What a deadline emits goes through the rules: one that opens an episode then makes the deadline of
//! one kind lead to that of another. A rule need not name the event for that: one that asks only for a
//! channel holds for what deadlines emit there too.

use std::collections::BTreeSet;

use crate::{
    engine::rules::{
        Kind,
        spec::{At, Condition, DueSpec, OpenSpec, Problem, RuleSpec, Test, ValenceSpec},
    },
    model::{Actor, Severity, Valence},
};

/// The deadline of one kind, as what it emits is judged by a rule, leads to that of another.
struct Edge<'r> {
    from: &'r str,
    to: &'r str,
    at: At,
}

/// Returns a problem for each rule by which a deadline leads to itself.
pub(super) fn cycles(rules: &[RuleSpec], kinds: &[Kind]) -> Vec<Problem> {
    let edges: Vec<Edge<'_>> = kinds
        .iter()
        .filter(|kind| has_deadlines(rules, kind))
        .flat_map(|kind| rules.iter().flat_map(|rule| leads(rules, kind, rule)))
        .collect();
    let mut told = BTreeSet::new();
    edges
        .iter()
        // A circle through a pain has a rule that opens, and that one is to be mended.
        .filter(|edge| edge.to != PAIN && reaches(&edges, edge.to, edge.from))
        .filter(|edge| told.insert(edge.at))
        .map(|Edge { from, to, at }| Problem {
            at: *at,
            message: format!(
                "what a deadline of \"{from}\" emits would open \"{to}\" in a circle: deadlines \
                 without end"
            ),
            help: Some(
                "name in \"when\" the events that are meant, or whose they are (\"actor\"): what \
                 deadlines emit is the system's"
                    .to_owned(),
            ),
        })
        .collect()
}

fn leads<'r>(rules: &[RuleSpec], kind: &'r Kind, rule: &'r RuleSpec) -> Vec<Edge<'r>> {
    if holds(&rule.when, kind) == Some(false) {
        return Vec::new();
    }
    let opens = rule.opens.as_ref().filter(|opens| {
        // A rule that opens "pain" only names the pain that it labels.
        opens.episode.value != PAIN && may_be_keyed(rules, kind, opens)
    });
    let hurts = rule.label.valence == Some(ValenceSpec::Is(Valence::Pain))
        && rule.label.severity != Some(Severity::Friction)
        // What derives from a pain is that pain.
        && *kind.name != *PAIN;
    let to_opened = opens.map(|opens| (opens.episode.value.as_str(), opens.at));
    let to_pain = hurts.then_some((PAIN, rule.at));
    to_opened.into_iter().chain(to_pain).map(|(to, at)| Edge { from: &kind.name, to, at }).collect()
}

const PAIN: &str = "pain";

/// What a deadline emits has no property but its episode's key, under the paths that key this kind.
fn may_be_keyed(rules: &[RuleSpec], kind: &Kind, opens: &OpenSpec) -> bool {
    let Some(path) = &opens.key else { return true };
    rules.iter().filter_map(|rule| rule.opens.as_ref()).any(|one| {
        one.episode.value == *kind.name
            && one.key.as_ref().is_some_and(|key| key.value == path.value)
    })
}

/// A customer is absent and falls a band, and a pain waits to be made good, whatever rules say.
fn has_deadlines(rules: &[RuleSpec], kind: &Kind) -> bool {
    matches!(&*kind.name, PAIN | "absence" | "band")
        || kind.due.is_some()
        || rules.iter().filter_map(|rule| rule.opens.as_ref()).any(|opens| {
            opens.episode.value == *kind.name
                && matches!(opens.due, Some(DueSpec::After(_) | DueSpec::Field { .. }))
        })
}

fn reaches(edges: &[Edge<'_>], from: &str, to: &str) -> bool {
    let mut reached = BTreeSet::from([from]);
    loop {
        let more: Vec<&str> = edges
            .iter()
            .filter(|edge| reached.contains(edge.from) && !reached.contains(edge.to))
            .map(|edge| edge.to)
            .collect();
        if more.is_empty() {
            return reached.contains(to);
        }
        reached.extend(more);
    }
}

/// Returns whether a condition holds for what a kind's deadlines emit; `None` where that depends.
fn holds(when: &Condition, kind: &Kind) -> Option<bool> {
    let regex = |pattern: &str| regex::Regex::new(pattern).ok();
    match when {
        Condition::Event(names) => Some(names.iter().any(|name| name.value == kind.derived)),
        Condition::EventLike(like) => Some(regex(&like.value)?.is_match(kind.derived)),
        Condition::Episode(kinds) => Some(kinds.iter().any(|one| one.value == *kind.name)),
        Condition::Actor(actors) => Some(actors.contains(&Actor::System)),
        Condition::ActorLike(like) => Some(regex(&like.value)?.is_match(Actor::System.as_str())),
        Condition::Property { test, .. } | Condition::Text(test) => Some(holds_for_nothing(test)),
        Condition::Compare { .. } => Some(false),
        Condition::Rated { valences, .. } => Some(valences.contains(&Valence::Unknown)),
        // It has the channel of what opened the episode, and anybody's history.
        Condition::Channel(_) | Condition::ChannelLike(_) | Condition::Customer(_) => None,
        Condition::Not(part) => holds(part, kind).map(|held| !held),
        Condition::All(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| holds(part, kind)).collect();
            if parts.contains(&Some(false)) {
                return Some(false);
            }
            (!parts.contains(&None)).then_some(true)
        }
        Condition::Any(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| holds(part, kind)).collect();
            if parts.contains(&Some(true)) {
                return Some(true);
            }
            (!parts.contains(&None)).then_some(false)
        }
    }
}

/// Returns whether a test holds where there is no value.
fn holds_for_nothing(test: &Test) -> bool {
    match test {
        Test::Exists(wanted) => !wanted,
        Test::Not(test) => !holds_for_nothing(test),
        Test::In(_)
        | Test::Range { .. }
        | Test::Contains(_)
        | Test::Matches(_)
        | Test::Feels { .. }
        | Test::Seeks(_) => false,
    }
}
