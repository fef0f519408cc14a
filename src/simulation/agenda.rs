//! Who acts next: the steps of all running errands in the order of their times.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

use super::{journeys::Plot, scene::Errand};
use crate::model::EventTime;

/// How many errands run at once. At the bound nobody sets out until somebody is done: a larger
/// population is then simulated at a lower rate rather than in more memory (some 120 MB here).
const ERRANDS_MAX: usize = 1 << 20;

/// All running errands.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    entries: BinaryHeap<Reverse<Entry>>,
    begun_count: u64,
}

/// One errand, waiting for its next step.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) at: EventTime,
    pub(super) errand: Errand,
    pub(super) plot: Plot,
    /// Which errand began first: decides between steps at the same time.
    pub(super) order: u64,
}

impl Agenda {
    /// Adds an errand that begins, and returns whether there was room.
    pub(super) fn begin(&mut self, at: EventTime, errand: Errand, plot: Plot) -> bool {
        let room = self.entries.len() < ERRANDS_MAX;
        if room {
            self.entries.push(Reverse(Entry { at, errand, plot, order: self.begun_count }));
            self.begun_count += 1;
        }
        room
    }

    /// Puts back an errand that goes on.
    pub(super) fn put_back(&mut self, entry: Entry) {
        self.entries.push(Reverse(entry));
    }

    /// Returns when the next step is.
    pub(super) fn next_at(&self) -> Option<EventTime> {
        self.entries.peek().map(|Reverse(entry)| entry.at)
    }

    /// Takes the errand whose step is next.
    pub(super) fn take(&mut self) -> Option<Entry> {
        self.entries.pop().map(|Reverse(entry)| entry)
    }
}

impl Entry {
    fn rank(&self) -> (EventTime, u64) {
        (self.at, self.order)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}
