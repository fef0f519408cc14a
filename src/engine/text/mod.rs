//! How somebody felt, and what they seek, read from their own words: offline, small, explained.
//!
//! Word lists are data ([`spec`]), compiled once ([`Lexicon`]). A text is folded so that spelling
//! does not matter ([`fold`]), cut into words, looked up in one pass ([`find`]), and weighed
//! ([`judge`]). Nothing is learnt and nothing is guessed: a [`Reading`] names the words that
//! decided, and where no word decides it says `unknown`.

mod expand;
mod find;
mod fold;
mod judge;
mod lexicon;
pub mod spec;

use crate::model::{MicroMoment, Valence};

pub use self::lexicon::Lexicon;

/// So many of the words that decided are named; more would explain no better.
const WORDS_MAX: usize = 8;

/// What a text says of how it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// `pain`, `glory`, `neutral` (lukewarm, or good and bad about even), or `unknown`: no word
    /// that is known decides.
    pub valence: Valence,
    /// What the complaint is about; also where good words outweigh it.
    pub reason: Option<Box<str>>,
    /// The words that decided, as the lists write them, in the order of the text.
    pub words: Vec<Box<str>>,
}

impl Reading {
    /// A text in which nothing decides.
    pub(crate) const NOTHING: Self =
        Self { valence: Valence::Unknown, reason: None, words: Vec::new() };
}

impl Lexicon {
    /// Reads how somebody felt.
    pub fn read(&self, text: &str) -> Reading {
        let folded = fold::fold(text);
        let hits = self.find(&folded);
        self.judge(&folded, &hits)
    }

    /// Returns whether a query has words that seek one of these.
    pub fn seeks(&self, query: &str, wanted: &[MicroMoment]) -> bool {
        self.sought(query).any(|intent| wanted.contains(&intent))
    }

    /// Returns what the words of a query seek, as often as they do.
    pub(crate) fn sought(&self, query: &str) -> impl Iterator<Item = MicroMoment> + use<> {
        self.intents(&fold::fold(query))
    }
}

#[cfg(test)]
mod tests;
