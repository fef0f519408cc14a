//! The newest event ids of a customer, so that a repetition is recognised.
//!
//! The ring keeps the newest [`DedupeRing::CAPACITY`] by event time, whatever order they came in:
//! the same set of touchpoints leaves the same ring.

use crate::model::{EventTime, StableHash};

/// One remembered touchpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RingEntry {
    pub(crate) ts: EventTime,
    pub(crate) id: StableHash,
    /// The low half of the content hash: enough to notice a conflict, half the bytes.
    pub(crate) content: u32,
}

/// What the ring knows of an event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repetition {
    /// Not among the remembered ones.
    New,
    /// Older than the ring reaches back: perhaps a repetition, nobody can tell.
    Unverifiable,
    /// The same id with the same content.
    Duplicate,
    /// The same id with other content.
    Conflict,
}

/// The ring, sorted by (time, id).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DedupeRing {
    pub(crate) entries: Vec<RingEntry>,
    /// The newest time that was ever pushed out.
    pub(crate) evicted_through: Option<EventTime>,
}

impl DedupeRing {
    /// How many event ids are remembered (DOMAIN.md, Order, repetition, time). At the bound the
    /// oldest goes, and touchpoints older than it become unverifiable.
    pub(crate) const CAPACITY: usize = 64;

    /// Returns what is known of an event id.
    pub(crate) fn check(&self, entry: RingEntry) -> Repetition {
        if let Some(known) = self.entries.iter().rev().find(|known| known.id == entry.id) {
            return if known.content == entry.content {
                Repetition::Duplicate
            } else {
                Repetition::Conflict
            };
        }
        if self.evicted_through.is_some_and(|evicted| entry.ts <= evicted) {
            return Repetition::Unverifiable;
        }
        Repetition::New
    }

    /// Remembers an event id.
    pub(crate) fn insert(&mut self, entry: RingEntry) {
        let position = self.entries.partition_point(|known| *known < entry);
        if self.entries.len() < Self::CAPACITY {
            self.entries.insert(position, entry);
            return;
        }
        let out = if position == 0 {
            entry
        } else {
            let oldest = self.entries.remove(0);
            self.entries.insert(position - 1, entry);
            oldest
        };
        self.evicted_through = self.evicted_through.max(Some(out.ts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(minute: i64, id: u64, content: u32) -> RingEntry {
        RingEntry { ts: EventTime::from_millis(minute * 60_000).unwrap(), id, content }
    }

    #[test]
    fn a_repetition_is_a_duplicate_only_with_the_same_content() {
        let mut ring = DedupeRing::default();
        ring.insert(entry(1, 7, 1));
        assert_eq!(ring.check(entry(1, 7, 1)), Repetition::Duplicate);
        assert_eq!(ring.check(entry(9, 7, 1)), Repetition::Duplicate);
        assert_eq!(ring.check(entry(1, 7, 2)), Repetition::Conflict);
        assert_eq!(ring.check(entry(1, 8, 1)), Repetition::New);
    }

    #[test]
    fn beyond_the_ring_nothing_can_be_told() {
        let mut ring = DedupeRing::default();
        for minute in 0..65 {
            ring.insert(entry(minute, minute.unsigned_abs(), 0));
        }
        assert_eq!(ring.entries.len(), DedupeRing::CAPACITY);
        assert_eq!(ring.check(entry(0, 0, 0)), Repetition::Unverifiable);
        assert_eq!(ring.check(entry(1, 1, 0)), Repetition::Duplicate);
    }

    #[test]
    fn the_order_of_arrival_leaves_no_trace() {
        let mut forwards = DedupeRing::default();
        let mut backwards = DedupeRing::default();
        for minute in 0..100 {
            forwards.insert(entry(minute, minute.unsigned_abs(), 0));
            backwards.insert(entry(99 - minute, (99 - minute).unsigned_abs(), 0));
        }
        assert_eq!(forwards, backwards);
    }
}
