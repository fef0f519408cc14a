//! Watching one touchpoint while it is evaluated.

use std::cell::RefCell;

use super::{
    touchpoint::{RuleSeen, TouchpointExplained, explained},
    words::{alone_in_words, history_in_words},
};
use crate::engine::{
    classify::{History, Subject, Values},
    evaluate::Outcome,
    rules::{Expression, RuleIx, RuleSet, Truth},
    state::Digest,
    timeline::Context,
};

/// Which touchpoint to watch, and what was seen of it. A touchpoint may be evaluated several times;
/// what was seen last stands, as what was published last does.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// `None` watches whichever comes, and keeps the last.
    event_id: Option<Box<str>>,
    /// What its record showed by itself: the record is at hand only once. A cell, because
    /// evaluating has no other reason to change what it is given.
    examined: RefCell<Option<Examined>>,
    explained: RefCell<Option<TouchpointExplained>>,
}

#[derive(Debug)]
struct Examined {
    event_id: Box<str>,
    /// Every rule that may match such an event, with its tests in order.
    rules: Vec<(RuleIx, Vec<Leaf>)>,
}

/// A test that the touchpoint decided alone.
#[derive(Clone, Debug)]
struct Leaf {
    bit: u8,
    holds: bool,
    /// What was asked, and what was found.
    words: String,
}

impl Watch {
    pub(crate) fn new(event_id: Option<&str>) -> Self {
        Self { event_id: event_id.map(Box::from), ..Self::default() }
    }

    /// Returns what was seen.
    pub(crate) fn take(&self) -> Option<TouchpointExplained> {
        self.explained.borrow_mut().take()
    }

    fn is_meant(&self, event_id: &str) -> bool {
        self.event_id.as_deref().is_none_or(|wanted| wanted == event_id)
    }

    /// Takes note of what a touchpoint shows by itself.
    pub(crate) fn examine<V: Values>(
        &self,
        event_id: &str,
        subject: &Subject<'_, V>,
        rules: &RuleSet,
    ) {
        if !self.is_meant(event_id) {
            return;
        }
        let candidates = rules.candidates(subject.event).iter();
        let seen = candidates.filter_map(|&index| {
            let mut leaves = Vec::new();
            rules.rule(index)?.when.each_alone(&mut |bit, test| {
                let (holds, words) = alone_in_words(rules, subject, test);
                leaves.push(Leaf { bit, holds, words });
            });
            Some((index, leaves))
        });
        let examined = Examined { event_id: event_id.into(), rules: seen.collect() };
        *self.examined.borrow_mut() = Some(examined);
    }

    /// Takes note of an evaluation: before it changed anything, `history` was as it was asked.
    pub(crate) fn ask(&self, history: History<'_>) -> Option<Vec<RuleSeen>> {
        let examined = self.examined.borrow();
        let examined = examined.as_ref().filter(|one| one.event_id == history.digest.event_id)?;
        let rules = examined.rules.iter().filter_map(|(index, leaves)| {
            let rule = history.rules.rule(*index)?;
            let mut missing = Vec::new();
            let truth = missed(&rule.when, &(history, leaves), &mut missing);
            Some(RuleSeen {
                name: rule.name.to_string(),
                matched: truth == Truth::True,
                unknown: truth == Truth::Unknown,
                tests: leaves.len().max(1),
                missing,
            })
        });
        Some(rules.collect())
    }

    /// Takes note of what came of it.
    pub(crate) fn conclude(
        &self,
        seen: Option<Vec<RuleSeen>>,
        (digest, outcome): (&Digest, &Outcome),
        context: Context<'_>,
    ) {
        let Some(seen) = seen else { return };
        *self.explained.borrow_mut() = Some(explained(seen, (digest, outcome), context));
    }
}

/// Returns whether a condition holds, and appends what is missing where it does not.
fn missed(
    when: &Expression,
    asked: &(History<'_>, &Vec<Leaf>),
    missing: &mut Vec<String>,
) -> Truth {
    let (history, leaves) = asked;
    match when {
        Expression::All(parts) => {
            let truths: Vec<Truth> =
                parts.iter().map(|part| missed(part, asked, missing)).collect();
            least(&truths)
        }
        Expression::Any(parts) => {
            let mut each = Vec::new();
            let truths: Vec<Truth> = parts
                .iter()
                .map(|part| {
                    let mut of_part = Vec::new();
                    let truth = missed(part, asked, &mut of_part);
                    each.push(of_part.join(" and "));
                    truth
                })
                .collect();
            let truth = most(&truths);
            if truth != Truth::True {
                missing.push(format!("any of: {}", each.join("; or ")));
            }
            truth
        }
        Expression::Not(part) => {
            let truth = match missed(part, asked, &mut Vec::new()) {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                Truth::Unknown => Truth::Unknown,
            };
            if truth != Truth::True {
                missing.push(format!("not: {}", said(part, asked)));
            }
            truth
        }
        Expression::Alone(bit, _) => {
            let leaf = leaves.iter().find(|leaf| leaf.bit == *bit);
            let holds = leaf.is_some_and(|leaf| leaf.holds);
            if !holds {
                missing.extend(leaf.map(|leaf| leaf.words.clone()));
            }
            holds.into()
        }
        Expression::History(test) => {
            let (truth, words) = history_in_words(history, test);
            if truth != Truth::True {
                missing.push(words);
            }
            truth
        }
    }
}

/// Says a condition that holds though it should not.
fn said(when: &Expression, asked: &(History<'_>, &Vec<Leaf>)) -> String {
    let (history, leaves) = asked;
    let all = |parts: &[Expression], between: &str| {
        parts.iter().map(|part| said(part, asked)).collect::<Vec<_>>().join(between)
    };
    match when {
        Expression::All(parts) => all(parts, " and "),
        Expression::Any(parts) => all(parts, " or "),
        Expression::Not(part) => format!("not ({})", said(part, asked)),
        Expression::Alone(bit, _) => {
            let leaf = leaves.iter().find(|leaf| leaf.bit == *bit);
            leaf.map(|leaf| leaf.words.clone()).unwrap_or_default()
        }
        Expression::History(test) => history_in_words(history, test).1,
    }
}

fn least(truths: &[Truth]) -> Truth {
    if truths.contains(&Truth::False) {
        Truth::False
    } else if truths.contains(&Truth::Unknown) {
        Truth::Unknown
    } else {
        Truth::True
    }
}

fn most(truths: &[Truth]) -> Truth {
    if truths.contains(&Truth::True) {
        Truth::True
    } else if truths.contains(&Truth::Unknown) {
        Truth::Unknown
    } else {
        Truth::False
    }
}
