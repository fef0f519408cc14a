//! Which rules are asked of an event, by its name alone.
//!
//! Names that rules mention are known when they are loaded, and so is which patterns find them: an
//! event of such a name asks the rules that may hold for it and no other, however many there are. An
//! event that no rule mentions asks those that do not care for names, and those with patterns.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use crate::engine::rules::{Alone, Expression, Kind, KindIx, Rule, RuleIx};

type ByEvent = HashMap<Box<str>, Box<[RuleIx]>, foldhash::fast::FixedState>;

/// Returns the rules that may match each event name, and those that may match any other.
pub(super) fn dispatch(rules: &[Rule], kinds: &[Kind]) -> (ByEvent, Box<[RuleIx]>) {
    let mut names = BTreeSet::new();
    for rule in rules {
        rule.when.each_alone(&mut |_, test| match test {
            Alone::Event(events) => names.extend(events.iter().cloned()),
            Alone::Episode(asked) => names.extend(emitted(asked, kinds).map(Box::from)),
            Alone::EventLike(_)
            | Alone::Channel(..)
            | Alone::ChannelLike(_)
            | Alone::Actor(_)
            | Alone::Property(..)
            | Alone::Text(_)
            | Alone::Compare(..)
            | Alone::Rated(..) => {}
        });
    }
    let admitted = |name: Option<&str>| -> Box<[RuleIx]> {
        let positions = rules.iter().zip(0..).filter(|(rule, _)| admits(&rule.when, name, kinds));
        positions.map(|(_, position)| position).collect()
    };
    let by_event = names.iter().map(|name| (name.clone(), admitted(Some(name)))).collect();
    (by_event, admitted(None))
}

/// Returns whether a condition may hold for an event of that name; `None`: one that is not known.
fn admits(when: &Expression, name: Option<&str>, kinds: &[Kind]) -> bool {
    match when {
        Expression::All(parts) => parts.iter().all(|part| admits(part, name, kinds)),
        Expression::Any(parts) => parts.iter().any(|part| admits(part, name, kinds)),
        Expression::Alone(_, Alone::Event(events)) => {
            name.is_some_and(|name| events.iter().any(|one| **one == *name))
        }
        Expression::Alone(_, Alone::EventLike(pattern)) => {
            name.is_none_or(|name| pattern.is_match(name))
        }
        Expression::Alone(_, Alone::Episode(asked)) => {
            name.is_some_and(|name| emitted(asked, kinds).any(|emitted| emitted == name))
        }
        Expression::Alone(
            _,
            Alone::Channel(..)
            | Alone::ChannelLike(_)
            | Alone::Actor(_)
            | Alone::Property(..)
            | Alone::Text(_)
            | Alone::Compare(..)
            | Alone::Rated(..),
        )
        | Expression::Not(_)
        | Expression::History(_) => true,
    }
}

/// Returns what the deadlines of these kinds emit.
fn emitted<'k>(asked: &[KindIx], kinds: &'k [Kind]) -> impl Iterator<Item = &'k str> {
    asked.iter().filter_map(|kind| kinds.get(usize::from(*kind))).map(|kind| kind.derived)
}
