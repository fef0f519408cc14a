//! Word lists as they were written: plain data with the place of every entry.

use crate::{engine::rules::spec::Located, model::MicroMoment};

/// The words of one language.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WordListSpec {
    /// Its name: `en`, `pt`, …; `any` for signs that belong to all.
    pub language: String,
    /// A negation may also follow what it denies.
    pub negates_backwards: bool,
    /// Letters that may stand before a word as part of it (Hebrew): tried, not cut.
    pub prefixes: Vec<String>,
    /// Letters that may stand behind it (Persian): tried, not cut.
    pub endings: Vec<String>,
    /// Ä, ö and ü may also be written ae, oe and ue (German).
    pub umlauts: bool,
    /// The list takes the place of the one that comes with Rega.
    pub replaces: bool,
    /// Entries of the shipped list that shall not count.
    pub forget: Vec<Located<String>>,
    /// The words.
    pub words: Vec<WordSpec>,
}

/// One word or phrase, or several of one kind: `late`, `(arrived|came) late`.
#[derive(Clone, Debug, PartialEq)]
pub struct WordSpec {
    /// As it is written, with alternatives in brackets.
    pub written: Located<String>,
    /// What it does in a text.
    pub role: RoleSpec,
}

/// What a word does in a text.
#[derive(Clone, Debug, PartialEq)]
pub enum RoleSpec {
    /// Says nothing, but shows the language; or holds another meaning off ("not only").
    Plain,
    /// Denies what follows: "not".
    Negates,
    /// Denies what stands before: Persian "نبود".
    Denies,
    /// Strengthens its neighbour: "very".
    Strengthens,
    /// Weakens its neighbour: "a bit".
    Weakens,
    /// What follows weighs more than what was said: "but".
    Turns,
    /// What follows weighs less: "although".
    Concedes,
    /// What follows is not so: "I hope".
    Supposes,
    /// Neither good nor bad, and says so: "so-so".
    Lukewarm,
    /// Good or bad.
    Feels {
        /// From -2 (pain) over -1 and 1 to 2 (glory).
        weight: i8,
        /// What it is if denied; `None`: the opposite, faintly.
        denied: Option<i8>,
        /// What a complaint is about.
        reason: Option<Located<String>>,
    },
    /// Says nothing alone; denied, it is a complaint: "arrived".
    Missed {
        /// What the complaint is about.
        reason: Option<Located<String>>,
    },
    /// In a search: what is wanted.
    Seeks(MicroMoment),
}
