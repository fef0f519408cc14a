//! The names that are counted apart: the first so many that come, and no more.
//!
//! First come is unjust to late names, but a name once admitted keeps its series. Any fairer choice
//! would move counts from one series to another, and a counter must never fall.

use std::collections::BTreeSet;

/// A bounded set of names (or of combinations of them).
#[derive(Debug)]
pub(super) struct Roster<K> {
    known: BTreeSet<K>,
    max: usize,
}

impl<K: Ord> Roster<K> {
    /// Returns an empty roster for `max` names.
    pub(super) fn new(max: usize) -> Self {
        Self { known: BTreeSet::new(), max }
    }

    /// Returns whether `key` is counted apart, admitting it while there is room.
    pub(super) fn admits(&mut self, key: K) -> bool {
        if self.known.contains(&key) {
            return true;
        }
        self.known.len() < self.max && self.known.insert(key)
    }
}

impl Roster<Box<str>> {
    /// Returns the name to count `name` under: itself, or `other`.
    pub(super) fn name<'a>(&mut self, name: &'a str) -> &'a str {
        let is_name = name != super::OTHER && name.len() <= super::declared::NAME_BYTES_MAX;
        if is_name && (self.known.contains(name) || self.admits(name.into())) {
            name
        } else {
            super::OTHER
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_roster_keeps_whom_it_knows_and_calls_the_rest_other() {
        let mut roster: Roster<Box<str>> = Roster::new(2);
        assert_eq!(["a", "b", "c", "a"].map(|name| roster.name(name)), ["a", "b", "other", "a"]);
    }

    #[test]
    fn other_takes_nobodys_place() {
        let mut roster: Roster<Box<str>> = Roster::new(1);
        assert_eq!(["other", "a", "b"].map(|name| roster.name(name)), ["other", "a", "other"]);
    }

    #[test]
    fn a_name_as_long_as_a_letter_is_no_name() {
        let mut roster: Roster<Box<str>> = Roster::new(2);
        assert_eq!(roster.name(&"n".repeat(101)), "other");
        assert_eq!(roster.name("short"), "short");
    }
}
