//! What `seen` predicates remember: the newest matches per group.

use crate::{
    engine::in_place::clone_in_place,
    model::{EventTime, Span, StableHash},
};

/// One remembered touchpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SeenEntry {
    pub(crate) ts: EventTime,
    /// Hash of the event id.
    pub(crate) id: StableHash,
    /// Hash of the `distinct` property's value; 0 without one.
    pub(crate) value: StableHash,
}

/// What one predicate remembers of one group (one value of its `same` property).
#[derive(Debug, PartialEq)]
pub(crate) struct SeenGroup {
    pub(crate) memory: StableHash,
    pub(crate) group: StableHash,
    /// Sorted; at most `at_least` of them (per distinct value one).
    pub(crate) entries: Vec<SeenEntry>,
}

/// All that a customer's `seen` predicates remember.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct SeenGroups(pub(crate) Vec<SeenGroup>);

clone_in_place!(SeenGroup { memory, group, entries });

impl Clone for SeenGroups {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }

    fn clone_from(&mut self, source: &Self) {
        self.0.clone_from(&source.0);
    }
}

impl SeenGroups {
    /// Groups per predicate and customer (DESIGN.md, Rules). At the bound the group whose newest
    /// entry is oldest goes, and is counted.
    const MAX_GROUPS: usize = 16;

    /// Remembers a touchpoint; returns whether a group was pushed out.
    pub(crate) fn insert(
        &mut self,
        (memory, group): (StableHash, StableHash),
        entry: SeenEntry,
        at_least: u8,
    ) -> bool {
        let found = self.0.iter().position(|one| one.memory == memory && one.group == group);
        let position = found.unwrap_or_else(|| {
            // Most products are looked at once: no room for four.
            self.0.push(SeenGroup { memory, group, entries: Vec::with_capacity(1) });
            self.0.len() - 1
        });
        if let Some(group) = self.0.get_mut(position) {
            group.insert(entry, usize::from(at_least));
        }
        found.is_none() && self.evict(memory)
    }

    fn evict(&mut self, memory: StableHash) -> bool {
        let mine = self.0.iter().enumerate().filter(|(_, group)| group.memory == memory);
        if mine.clone().count() <= Self::MAX_GROUPS {
            return false;
        }
        let oldest = mine.min_by_key(|(_, group)| (group.entries.last().copied(), group.group));
        if let Some((position, _)) = oldest {
            self.0.remove(position);
        }
        true
    }

    /// Returns how many lie in (`until` − `within`, `until`].
    pub(crate) fn count(
        &self,
        (memory, group): (StableHash, StableHash),
        until: EventTime,
        within: Span,
    ) -> usize {
        let after = until.minus(within);
        self.0.iter().find(|one| one.memory == memory && one.group == group).map_or(0, |group| {
            group.entries.iter().filter(|one| after < one.ts && one.ts <= until).count()
        })
    }

    /// Forgets what no predicate can ask for any more.
    pub(crate) fn retain(&mut self, keep: impl Fn(StableHash) -> Option<EventTime>) {
        self.0.retain(|group| {
            keep(group.memory)
                .is_some_and(|oldest| group.entries.last().is_some_and(|newest| oldest < newest.ts))
        });
    }
}

impl SeenGroup {
    /// Of one distinct value only the newest counts, so a favourite product cannot push the
    /// others out.
    fn insert(&mut self, entry: SeenEntry, capacity: usize) {
        if entry.value != 0
            && let Some(position) = self.entries.iter().position(|one| one.value == entry.value)
        {
            if self.entries.get(position).is_some_and(|known| entry < *known) {
                return;
            }
            self.entries.remove(position);
        }
        let position = self.entries.partition_point(|known| *known < entry);
        if self.entries.get(position).is_some_and(|known| *known == entry) {
            return;
        }
        self.entries.insert(position, entry);
        if capacity < self.entries.len() {
            self.entries.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(second: i64, value: u64) -> SeenEntry {
        let ts = EventTime::from_millis(second * 1000).unwrap();
        SeenEntry { ts, id: second.unsigned_abs(), value }
    }

    #[test]
    fn a_window_is_open_at_its_far_end() {
        let mut seen = SeenGroups::default();
        for second in 1..=3 {
            seen.insert((1, 0), entry(second, 0), 5);
        }
        let until = EventTime::from_millis(3000).unwrap();
        assert_eq!(seen.count((1, 0), until, 2000), 2);
        assert_eq!(seen.count((1, 0), until, 2001), 3);
    }

    #[test]
    fn a_distinct_value_counts_once_and_newest() {
        let mut seen = SeenGroups::default();
        for (second, value) in [(1, 10), (2, 11), (3, 10), (2, 10)] {
            seen.insert((1, 0), entry(second, value), 3);
        }
        let until = EventTime::from_millis(3000).unwrap();
        assert_eq!(seen.count((1, 0), until, 10_000), 2);
        assert_eq!(seen.count((1, 0), until, 500), 1);
    }

    #[test]
    fn the_stalest_group_goes_first() {
        let mut seen = SeenGroups::default();
        let pushed_out: Vec<bool> = (0..17)
            .map(|second| seen.insert((1, second), entry(second.cast_signed(), 0), 2))
            .collect();
        assert_eq!(pushed_out.iter().filter(|out| **out).count(), 1);
        assert!(seen.0.iter().all(|group| group.group != 0));
    }
}
