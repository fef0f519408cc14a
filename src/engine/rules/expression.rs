//! Conditions, compiled: what a touchpoint shows by itself, and what only its history can say.
//!
//! The two are kept apart because a touchpoint may be evaluated again, in another order, when its
//! record is long gone. What it shows by itself is remembered as one bit per leaf; what its
//! history says is asked again.

use std::sync::Arc;

use regex::Regex;

use crate::{
    engine::{
        rules::{KindIx, PathIx, Scale},
        text::{Lexicon, Reading},
    },
    model::{Actor, Band, Channel, MicroMoment, Property, Span, StableHash, Stage, Track, Valence},
};

/// Three-valued truth (Kleene): a "first" is unknown while the stream is young.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    False,
    Unknown,
    True,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

impl Truth {
    const fn negated(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

/// A compiled condition.
#[derive(Debug)]
pub(crate) enum Expression {
    All(Box<[Expression]>),
    Any(Box<[Expression]>),
    Not(Box<Expression>),
    /// Decided by the touchpoint alone; the number is its bit.
    Alone(u8, Alone),
    /// Decided by the customer's history.
    History(HistoryTest),
}

/// Answers the leaves of an expression.
pub(crate) trait Leaves {
    /// Whether the leaf with that bit holds.
    fn alone(&self, bit: u8, test: &Alone) -> Truth;
    /// What the history says.
    fn history(&self, test: &HistoryTest) -> Truth;
}

impl Expression {
    /// Returns whether the condition holds, asking no more leaves than it must.
    pub(crate) fn truth(&self, leaves: &impl Leaves) -> Truth {
        match self {
            Self::All(parts) => {
                let mut truth = Truth::True;
                for part in parts {
                    match part.truth(leaves) {
                        Truth::False => return Truth::False,
                        Truth::Unknown => truth = Truth::Unknown,
                        Truth::True => {}
                    }
                }
                truth
            }
            Self::Any(parts) => {
                let mut truth = Truth::False;
                for part in parts {
                    match part.truth(leaves) {
                        Truth::True => return Truth::True,
                        Truth::Unknown => truth = Truth::Unknown,
                        Truth::False => {}
                    }
                }
                truth
            }
            Self::Not(part) => part.truth(leaves).negated(),
            Self::Alone(bit, test) => leaves.alone(*bit, test),
            Self::History(test) => leaves.history(test),
        }
    }

    /// Calls `visit` with every leaf that the touchpoint decides alone.
    pub(crate) fn each_alone(&self, visit: &mut dyn FnMut(u8, &Alone)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.each_alone(visit);
                }
            }
            Self::Not(part) => part.each_alone(visit),
            Self::Alone(bit, test) => visit(*bit, test),
            Self::History(_) => {}
        }
    }

    /// Calls `visit` with every leaf that asks the history.
    pub(crate) fn each_history(&self, visit: &mut dyn FnMut(&HistoryTest)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.each_history(visit);
                }
            }
            Self::Not(part) => part.each_history(visit),
            Self::Alone(..) => {}
            Self::History(test) => visit(test),
        }
    }
}

/// A test that the touchpoint decides alone.
#[derive(Debug)]
pub(crate) enum Alone {
    Event(Box<[Box<str>]>),
    EventLike(Box<Regex>),
    /// The named channels; the flag: or any that config does not know.
    Channel(Box<[Channel]>, bool),
    ChannelLike(Box<Regex>),
    Actor(Box<[Actor]>),
    /// Derived from one of these kinds of episode.
    Episode(Box<[KindIx]>),
    Property(PathIx, ValueTest),
    Text(ValueTest),
    Compare(PathIx, super::spec::Comparison, PathIx),
    /// A rating, read on its scale, is one of these.
    Rated(Scale, Box<[Valence]>),
}

/// A test of the customer's history.
#[derive(Debug)]
pub(crate) enum HistoryTest {
    Stage(Box<[Stage]>),
    FirstVisit(bool),
    Score {
        track: Option<Track>,
        min: f64,
        max: f64,
    },
    Band(Box<[Band]>),
    Episode {
        kind: KindIx,
        key: Option<PathIx>,
        overdue: Option<bool>,
        /// Also a pain that a fix has ended and that may still be made good.
        fixed: bool,
    },
    Owns(PathIx),
    Seen(Seen),
}

/// "So many of these events within that time."
#[derive(Debug)]
pub(crate) struct Seen {
    /// Stable hash of what is remembered: two predicates that ask alike share their memory.
    pub(crate) memory: StableHash,
    pub(crate) within: Span,
    pub(crate) at_least: u8,
    pub(crate) same: Option<PathIx>,
}

/// A test of one value, compiled.
#[derive(Debug)]
pub(crate) enum ValueTest {
    In {
        texts: Box<[Box<str>]>,
        numbers: Box<[f64]>,
        flags: Box<[bool]>,
    },
    Range {
        min: f64,
        above: f64,
        max: f64,
        below: f64,
    },
    Exists(bool),
    Contains(Box<[Box<str>]>),
    Matches(Box<Regex>),
    /// A verdict of the word lists, and reasons of which one must be found.
    Feels(Arc<Lexicon>, Box<[Valence]>, Box<[Box<str>]>),
    /// An intent in a search's words.
    Seeks(Arc<Lexicon>, Box<[MicroMoment]>),
    /// Negated.
    Not(Box<ValueTest>),
}

impl ValueTest {
    /// Returns whether any of the values passes. A property that is absent passes only `exists:
    /// false` and negations.
    pub(crate) fn holds(&self, values: &[Property<'_>]) -> bool {
        match self {
            Self::Exists(wanted) => values.is_empty() != *wanted,
            Self::Not(test) => !test.holds(values),
            Self::In { .. }
            | Self::Range { .. }
            | Self::Contains(_)
            | Self::Matches(_)
            | Self::Feels(..)
            | Self::Seeks(..) => values.iter().any(|value| self.holds_for(value)),
        }
    }

    fn holds_for(&self, value: &Property<'_>) -> bool {
        match self {
            Self::In { texts, numbers, flags } => match value {
                Property::Text(text) => {
                    texts.iter().any(|one| is_same_text(one, text))
                        || (!numbers.is_empty()
                            && number_of(value).is_some_and(|number| contains(numbers, number)))
                }
                Property::Number(number) => contains(numbers, *number),
                Property::Flag(flag) => flags.contains(flag),
            },
            Self::Range { min, above, max, below } => number_of(value).is_some_and(|number| {
                *min <= number && *above < number && number <= *max && number < *below
            }),
            Self::Contains(words) => match value {
                Property::Text(text) => {
                    let text = text.to_lowercase();
                    words.iter().any(|word| text.contains(&**word))
                }
                Property::Number(_) | Property::Flag(_) => false,
            },
            Self::Matches(regex) => match value {
                Property::Text(text) => regex.is_match(text),
                Property::Number(_) | Property::Flag(_) => false,
            },
            Self::Feels(lexicon, valences, about) => match value {
                Property::Text(text) => feels(&lexicon.read(text), valences, about),
                Property::Number(_) | Property::Flag(_) => false,
            },
            Self::Seeks(lexicon, intents) => match value {
                Property::Text(text) => lexicon.seeks(text, intents),
                Property::Number(_) | Property::Flag(_) => false,
            },
            Self::Exists(_) | Self::Not(_) => self.holds(std::slice::from_ref(value)),
        }
    }
}

/// Returns whether a reading is one of these, about one of those (if any are asked for).
pub(crate) fn feels(reading: &Reading, valences: &[Valence], about: &[Box<str>]) -> bool {
    valences.contains(&reading.valence)
        && (about.is_empty()
            || reading.reason.as_ref().is_some_and(|reason| about.contains(reason)))
}

/// Compares without case; `one` is in lower case already. Of words, the joints do not count either:
/// `out_of_stock` is also `Out of stock`, `out-of-stock` and `OutOfStock`, as tools have it. What has
/// a digit is a number or a code, where they may count.
fn is_same_text(one: &str, text: &str) -> bool {
    if one.eq_ignore_ascii_case(text) || (!text.is_ascii() && text.to_lowercase() == one) {
        return true;
    }
    // Asked first, because most often the first letters differ.
    let is_words = || {
        one.bytes().any(|byte| byte.is_ascii_lowercase())
            && one.bytes().all(|byte| byte.is_ascii_lowercase() || is_joint(byte))
    };
    unjoined(one).eq(unjoined(text)) && is_words()
}

fn unjoined(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().filter(|byte| !is_joint(*byte)).map(|byte| byte.to_ascii_lowercase())
}

const fn is_joint(byte: u8) -> bool {
    matches!(byte, b' ' | b'_' | b'-' | b'\t' | b'\n')
}

fn contains(numbers: &[f64], wanted: f64) -> bool {
    numbers.iter().any(|number| number.total_cmp(&wanted).is_eq())
}

/// Returns the value as a number: numeric text reads as one.
pub(crate) fn number_of(value: &Property<'_>) -> Option<f64> {
    match value {
        Property::Number(number) => Some(*number),
        Property::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        Property::Flag(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_however_they_are_joined() {
        for text in ["out_of_stock", "Out of stock", "OUT-OF-STOCK", " OutOfStock ", "out of_stock"]
        {
            assert!(is_same_text("out_of_stock", text), "{text}");
        }
        assert!(is_same_text("größe", "GRÖßE"));
        assert!(!is_same_text("out_of_stock", "out of stocks"));
        assert!(!is_same_text("a-1", "a1"), "a code is as it is written");
        assert!(!is_same_text("", "-"));
        assert!(!is_same_text("-", ""));
    }
}
