//! Conditions, compiled: what the touchpoint decides alone, and what its history says.

use std::{collections::BTreeSet, sync::Arc};

use regex::{Regex, RegexBuilder};

use super::{Compiler, boxed};
use crate::{
    engine::rules::{
        Alone, Expression, HistoryTest, Seen, SeenMemory,
        expression::ValueTest,
        kind,
        spec::{Condition, CustomerTest, Located, Scalar, SeenSpec, Test},
    },
    model::{Actor, Channel, Channels, stable_hash},
};

impl Compiler {
    pub(super) fn condition(&mut self, condition: &Condition, leaves: &mut u8) -> Expression {
        match condition {
            Condition::All(parts) => {
                Expression::All(parts.iter().map(|part| self.condition(part, leaves)).collect())
            }
            Condition::Any(parts) => {
                Expression::Any(parts.iter().map(|part| self.condition(part, leaves)).collect())
            }
            Condition::Not(part) => Expression::Not(Box::new(self.condition(part, leaves))),
            Condition::Customer(test) => Expression::History(self.history(test)),
            Condition::Event(_)
            | Condition::EventLike(_)
            | Condition::Channel(_)
            | Condition::ChannelLike(_)
            | Condition::Actor(_)
            | Condition::ActorLike(_)
            | Condition::Episode(_)
            | Condition::Property { .. }
            | Condition::Text(_)
            | Condition::Compare { .. }
            | Condition::Rated { .. } => {
                let bit = *leaves;
                *leaves = leaves.saturating_add(1);
                Expression::Alone(bit, self.alone(condition))
            }
        }
    }

    fn alone(&mut self, condition: &Condition) -> Alone {
        match condition {
            Condition::Event(names) => Alone::Event(boxed(names)),
            Condition::EventLike(pattern) => {
                self.regex(pattern).map_or(Alone::Event(Box::new([])), Alone::EventLike)
            }
            Condition::ChannelLike(pattern) => {
                self.regex(pattern).map_or(Alone::Event(Box::new([])), Alone::ChannelLike)
            }
            Condition::ActorLike(pattern) => self.actors_like(pattern),
            Condition::Channel(names) => Alone::Channel(
                names.iter().map(|name| Channel::named(&name.value)).collect(),
                names.iter().any(|name| name.value == Channels::OTHER),
            ),
            Condition::Actor(actors) => Alone::Actor(actors.as_slice().into()),
            Condition::Episode(kinds) => {
                Alone::Episode(kinds.iter().map(|kind| self.kind(kind)).collect())
            }
            Condition::Property { path, test } => {
                let position = self.path(&path.value);
                Alone::Property(position, self.test(test))
            }
            Condition::Text(test) => Alone::Text(self.test(test)),
            Condition::Compare { left, is, right } => {
                Alone::Compare(self.path(&left.value), *is, self.path(&right.value))
            }
            Condition::Rated { property, kind, worst, best, valences } => {
                Alone::Rated(self.scale(property, *kind, (worst, best)), valences.as_slice().into())
            }
            Condition::All(_) | Condition::Any(_) | Condition::Not(_) | Condition::Customer(_) => {
                Alone::Event(Box::new([]))
            }
        }
    }

    fn test(&mut self, test: &Test) -> ValueTest {
        match test {
            Test::In(scalars) => {
                let (mut texts, mut numbers, mut flags) = (Vec::new(), Vec::new(), Vec::new());
                for scalar in scalars {
                    match scalar {
                        Scalar::Text(word) => texts.push(word.to_lowercase().into_boxed_str()),
                        Scalar::Number(number) => numbers.push(*number),
                        Scalar::Flag(flag) => flags.push(*flag),
                    }
                }
                ValueTest::In { texts: texts.into(), numbers: numbers.into(), flags: flags.into() }
            }
            Test::Range { min, above, max, below } => ValueTest::Range {
                min: min.unwrap_or(f64::NEG_INFINITY),
                above: above.unwrap_or(f64::NEG_INFINITY),
                max: max.unwrap_or(f64::INFINITY),
                below: below.unwrap_or(f64::INFINITY),
            },
            Test::Exists(wanted) => ValueTest::Exists(*wanted),
            Test::Contains(words) => ValueTest::Contains(
                words.iter().map(|word| word.to_lowercase().into_boxed_str()).collect(),
            ),
            Test::Not(test) => ValueTest::Not(Box::new(self.test(test))),
            Test::Feels { valences, about } => {
                for reason in about {
                    self.known_reason(reason);
                }
                ValueTest::Feels(
                    Arc::clone(&self.lexicon),
                    valences.as_slice().into(),
                    boxed(about),
                )
            }
            Test::Seeks(intents) => {
                ValueTest::Seeks(Arc::clone(&self.lexicon), intents.as_slice().into())
            }
            Test::Matches(pattern) => {
                self.regex(pattern).map_or(ValueTest::Exists(true), ValueTest::Matches)
            }
        }
    }

    /// Compiles a pattern; one that is none is a problem.
    fn regex(&mut self, pattern: &Located<String>) -> Option<Box<Regex>> {
        match RegexBuilder::new(&pattern.value).size_limit(1 << 20).build() {
            Ok(regex) => Some(Box::new(regex)),
            Err(error) => {
                let last = error.to_string().lines().last().unwrap_or_default().to_owned();
                self.problem(pattern.at, format!("not a regular expression: {last}"), None);
                None
            }
        }
    }

    /// There are three actors: a pattern stands for those that it finds.
    fn actors_like(&mut self, pattern: &Located<String>) -> Alone {
        let Some(regex) = self.regex(pattern) else { return Alone::Actor(Box::new([])) };
        let found: Vec<Actor> =
            Actor::ALL.iter().copied().filter(|actor| regex.is_match(actor.as_str())).collect();
        if found.is_empty() {
            let message = format!("no actor matches \"{}\"", pattern.value);
            let known: Vec<&str> = Actor::ALL.iter().map(|actor| actor.as_str()).collect();
            self.problem(pattern.at, message, Some(format!("there are {}", known.join(", "))));
        }
        Alone::Actor(found.into())
    }

    fn history(&mut self, test: &CustomerTest) -> HistoryTest {
        match test {
            CustomerTest::Stage(stages) => HistoryTest::Stage(stages.as_slice().into()),
            CustomerTest::FirstVisit(wanted) => HistoryTest::FirstVisit(*wanted),
            CustomerTest::Score { track, min, max } => HistoryTest::Score {
                track: *track,
                min: min.unwrap_or(f64::NEG_INFINITY),
                max: max.unwrap_or(f64::INFINITY),
            },
            CustomerTest::Band(bands) => HistoryTest::Band(bands.as_slice().into()),
            CustomerTest::Episode { kind: named, key, overdue, fixed } => {
                let kind = self.kind(named);
                if *fixed && kind != kind::PAIN {
                    let message = "only a pain is fixed and may still be made good".to_owned();
                    let help = Some("write \"open: pain\"".to_owned());
                    self.problem(named.at, message, help);
                }
                let key = self.kept_option(key.as_ref());
                HistoryTest::Episode { kind, key, overdue: *overdue, fixed: *fixed }
            }
            CustomerTest::Owns(path) => HistoryTest::Owns(self.kept_path(path)),
            CustomerTest::Seen(seen) => HistoryTest::Seen(self.seen(seen)),
        }
    }

    fn seen(&mut self, spec: &SeenSpec) -> Seen {
        if !(1..=64).contains(&spec.at_least) {
            let message = format!("\"at_least: {}\" cannot be remembered", spec.at_least);
            self.problem(spec.at, message, Some("from 1 to 64".to_owned()));
        }
        let same = self.kept_option(spec.same.as_ref());
        let distinct = self.kept_option(spec.distinct.as_ref());
        let events: BTreeSet<&str> = spec.events.iter().map(|one| one.value.as_str()).collect();
        let written = |path: Option<&Located<String>>| path.map(|path| path.value.clone());
        let asked = format!(
            "{events:?} {} {} {:?} {:?}",
            spec.within,
            spec.at_least,
            written(spec.same.as_ref()),
            written(spec.distinct.as_ref())
        );
        let memory = stable_hash(asked.as_bytes());
        let remembered =
            SeenMemory { memory, same, distinct, at_least: spec.at_least, within: spec.within };
        for event in events {
            let memories = self.seen.entry(event.into()).or_default();
            if !memories.contains(&remembered) {
                memories.push(remembered.clone());
            }
        }
        Seen { memory, within: spec.within, at_least: spec.at_least, same }
    }
}
