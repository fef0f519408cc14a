//! What is wrong with what was written: collected, never the first one alone.

use crate::engine::rules::spec::{At, Problem};

/// Every problem found so far. A file is fixed in an editor and not by retrying, so readers go on
/// after a problem and leave out the part that has it.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes what is wrong at a place.
    pub fn add(&mut self, at: At, message: impl Into<String>) {
        self.0.push(Problem { at, message: message.into(), help: None });
    }

    /// Notes what is wrong at a place, and what to write instead.
    pub fn add_with_help(&mut self, at: At, message: impl Into<String>, help: impl Into<String>) {
        self.0.push(Problem { at, message: message.into(), help: Some(help.into()) });
    }

    /// Takes over problems that somebody else found.
    pub fn extend(&mut self, others: impl IntoIterator<Item = Problem>) {
        self.0.extend(others);
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether all is well.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns them in the order in which they were found.
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}
