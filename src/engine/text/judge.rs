//! Weighing what was found: denial, emphasis, "but", questions; then the verdict.
//!
//! A strong word weighs 2, a mild one 1. A denial turns the next word of feeling of its clause
//! (in some languages also the one before); emphasis beside a word makes it half as much again,
//! a weakening halves it. Before "but" words weigh half, behind it half as much again; behind
//! "although" half, behind "I hope" nothing; praise and mild complaint in a question nothing.
//!
//! Complaint wins from 1 if praise does not come near it (1.5 times as much), praise from 1 if it is
//! twice the complaint. What lies between is mixed: `neutral`. Complaints win more easily, because
//! who complains among kind words still has something to be seen to.

use super::{
    Reading, WORDS_MAX,
    find::Hit,
    fold::{Break, Folded, Script},
    lexicon::{Feels, Lexicon, Role},
};
use crate::model::Valence;

/// A denial reaches so many words ahead.
const DENIES_AHEAD: usize = 5;
/// And so many back, where the language has that.
const DENIES_BACK: usize = 3;
/// Emphasis reaches so many words.
const EMPHASIS: usize = 2;
/// "Although" reaches so many words, or to the next comma.
const CONCEDES: usize = 8;
/// From here on somebody felt something.
const ENOUGH: f32 = 1.0;

/// A word of feeling in its place.
struct Felt<'l> {
    at: usize,
    feels: &'l Feels,
    written: &'l str,
    /// Where the word stands that denies it, and the word.
    denied_by: Option<(usize, &'l str)>,
    factor: f32,
    /// An emoji.
    sign: bool,
}

impl Felt<'_> {
    fn weight(&self) -> f32 {
        let base = if self.denied_by.is_some() { self.feels.denied } else { self.feels.weight };
        f32::from(base) * self.factor
    }

    fn reason(&self) -> Option<&str> {
        let denied = self.denied_by.is_some();
        let reason = if denied { &self.feels.denied_reason } else { &self.feels.reason };
        reason.as_deref()
    }

    fn words(&self) -> Box<str> {
        match self.denied_by {
            Some((at, denial)) if at < self.at => format!("{denial} {}", self.written).into(),
            Some((_, denial)) => format!("{} {denial}", self.written).into(),
            None => self.written.into(),
        }
    }
}

impl Lexicon {
    /// Returns what the phrases of a text say together.
    pub(super) fn judge(&self, folded: &Folded, hits: &[Hit<'_>]) -> Reading {
        let mut felt: Vec<Felt<'_>> = hits
            .iter()
            .filter_map(|hit| {
                Some(Felt {
                    at: hit.start,
                    feels: hit.entry.role.feels()?,
                    written: &hit.entry.written,
                    denied_by: None,
                    factor: 1.0,
                    sign: folded
                        .tokens
                        .get(hit.start)
                        .is_some_and(|token| token.script == Script::Sign),
                })
            })
            .collect();
        let text = Text { folded };
        for hit in hits {
            text.apply(self, hit, &mut felt);
        }
        for one in &mut felt {
            let asked = folded.tokens.get(one.at).is_some_and(|token| token.asked);
            if asked && -ENOUGH <= one.weight() {
                one.factor = 0.0;
            }
        }
        let plainly = hits.iter().filter(|hit| matches!(hit.entry.role, Role::Lukewarm));
        let plainly = plainly.map(|hit| &*hit.entry.written);
        let undenied = felt.iter().filter(|one| one.feels.lukewarm && one.denied_by.is_none());
        verdict(&felt, plainly.chain(undenied.map(|one| one.written)))
    }
}

/// Where things stand to each other.
struct Text<'f> {
    folded: &'f Folded,
}

impl Text<'_> {
    /// Lets a word of grammar do its work on the words of feeling around it.
    fn apply<'l>(&self, lexicon: &Lexicon, hit: &Hit<'l>, felt: &mut [Felt<'l>]) {
        let language = lexicon.language(hit.entry.language);
        let backwards = language.is_some_and(|language| language.negates_backwards);
        match hit.entry.role {
            Role::Negates => {
                let target = self.ahead(hit, felt, DENIES_AHEAD);
                let target = target
                    .or_else(|| backwards.then(|| self.back(hit, felt, DENIES_BACK)).flatten());
                deny(felt, target, hit);
            }
            Role::Denies => {
                let target = self.back(hit, felt, DENIES_BACK);
                deny(felt, target.or_else(|| self.ahead(hit, felt, EMPHASIS)), hit);
            }
            Role::Strengthens => self.emphasise(hit, felt, 1.5),
            Role::Weakens => self.emphasise(hit, felt, 0.5),
            Role::Turns => self.turn(hit, felt),
            Role::Concedes => {
                for one in felt.iter_mut().filter(|one| hit.end <= one.at) {
                    if one.at < hit.end + CONCEDES && self.clause(hit.end, one.at) == Break::Space {
                        one.factor *= 0.5;
                    }
                }
            }
            Role::Supposes => {
                for one in felt.iter_mut().filter(|one| hit.end <= one.at) {
                    // A complaint behind the comma is one: "I would like to know why, it is late".
                    let clause = self.clause(hit.end, one.at);
                    let praises = 0 < one.feels.weight && one.denied_by.is_none();
                    if clause == Break::Space || clause == Break::Comma && praises {
                        one.factor = 0.0;
                    }
                }
            }
            Role::Plain | Role::Lukewarm | Role::Feels(_) => {}
        }
    }

    /// Returns the strongest break between two words.
    fn clause(&self, from: usize, to: usize) -> Break {
        let between = self.folded.tokens.get(from..=to).unwrap_or_default();
        between.iter().map(|token| token.after).max().unwrap_or(Break::Space)
    }

    /// Returns the next word of feeling of the clause.
    fn ahead(&self, hit: &Hit<'_>, felt: &[Felt<'_>], reach: usize) -> Option<usize> {
        felt.iter().position(|one| hit.end <= one.at).filter(|&index| {
            felt.get(index).is_some_and(|one| {
                one.at < hit.end + reach && self.clause(hit.end, one.at) == Break::Space
            })
        })
    }

    /// Returns the last word of feeling before, in the same clause.
    fn back(&self, hit: &Hit<'_>, felt: &[Felt<'_>], reach: usize) -> Option<usize> {
        // "… and nobody": the Hebrew "and" is a letter, and what it begins denies nothing before it.
        let word = self.folded.tokens.get(hit.start).map(|token| self.folded.text(&token.text));
        if word.is_some_and(|word| word.starts_with('ו')) && !hit.entry.written.starts_with('ו') {
            return None;
        }
        felt.iter().rposition(|one| one.at < hit.start).filter(|&index| {
            felt.get(index).is_some_and(|one| {
                hit.start <= one.at + reach && self.clause(one.at + 1, hit.start) == Break::Space
            })
        })
    }

    fn emphasise(&self, hit: &Hit<'_>, felt: &mut [Felt<'_>], factor: f32) {
        let target = self.ahead(hit, felt, EMPHASIS).or_else(|| self.back(hit, felt, EMPHASIS));
        if let Some(one) = target.and_then(|index| felt.get_mut(index)) {
            one.factor *= factor;
        }
    }

    /// "But": what was said before in this sentence (or, where it begins one, in the last) weighs
    /// half, what follows to the end of the sentence half as much again.
    fn turn(&self, hit: &Hit<'_>, felt: &mut [Felt<'_>]) {
        let begins = |at: usize| {
            self.folded.tokens.get(at).is_some_and(|token| token.after == Break::Sentence)
        };
        let first_of = |at: usize| (0..=at).rev().find(|&one| begins(one)).unwrap_or(0);
        let own = first_of(hit.start);
        let from = if own == hit.start { first_of(own.saturating_sub(1)) } else { own };
        let to = (hit.end..self.folded.tokens.len()).find(|&one| begins(one));
        let to = to.unwrap_or(self.folded.tokens.len());
        for one in felt {
            if (from..hit.start).contains(&one.at) {
                one.factor *= 0.5;
            } else if (hit.end..to).contains(&one.at) {
                one.factor *= 1.5;
            }
        }
    }
}

fn deny<'l>(felt: &mut [Felt<'l>], target: Option<usize>, by: &Hit<'l>) {
    // A word denies words: a smile behind it is what it is.
    let meant = target.and_then(|index| felt.get_mut(index)).filter(|one| !one.sign);
    if let Some(one) = meant {
        // Two denials of one word are emphasis in most of these languages.
        one.denied_by.get_or_insert((by.start, &by.entry.written));
    }
}

fn verdict<'l>(felt: &[Felt<'l>], lukewarm: impl Iterator<Item = &'l str>) -> Reading {
    let (mut praise, mut complaint) = (0.0_f32, 0.0_f32);
    for weight in felt.iter().map(Felt::weight) {
        if 0.0 < weight {
            praise += weight;
        } else {
            complaint -= weight;
        }
    }
    let valence = if ENOUGH <= complaint && praise * 1.5 <= complaint {
        Valence::Pain
    } else if ENOUGH <= praise && complaint * 2.0 <= praise {
        Valence::Glory
    } else {
        Valence::Neutral
    };
    let mut words: Vec<Box<str>> = felt
        .iter()
        .filter(|one| match valence {
            Valence::Pain => one.weight() < 0.0,
            Valence::Glory => 0.0 < one.weight(),
            Valence::Neutral | Valence::Recovered | Valence::Unknown => {
                one.weight() != 0.0 || one.denied_by.is_some()
            }
        })
        .map(Felt::words)
        .collect();
    if valence == Valence::Neutral {
        words.extend(lukewarm.map(Box::from));
    }
    if words.is_empty() {
        return Reading::NOTHING;
    }
    words.truncate(WORDS_MAX);
    Reading { valence, reason: heaviest_reason(felt), words }
}

/// Returns what the complaints weigh most about; of equals, the first.
fn heaviest_reason(felt: &[Felt<'_>]) -> Option<Box<str>> {
    let mut sums: Vec<(&str, f32)> = Vec::new();
    for one in felt.iter().filter(|one| one.weight() < 0.0) {
        let Some(reason) = one.reason() else { continue };
        match sums.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, sum)) => *sum += one.weight(),
            None => sums.push((reason, one.weight())),
        }
    }
    let heaviest = sums.iter().fold(None::<(&str, f32)>, |best, &(reason, sum)| match best {
        Some((_, most)) if most <= sum => best,
        Some(_) | None => Some((reason, sum)),
    });
    heaviest.map(|(reason, _)| reason.into())
}
