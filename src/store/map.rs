//! The rows of a partition that are in memory: those that the checkpoint does not have yet, and as
//! many others as the budget allows.
//!
//! # Invariants
//!
//! - A row that the checkpoint does not have is never dropped.
//! - A deadline is in the index, once there is one, exactly when its customer's row is one of those:
//!   the checkpoint has the others.

use std::{
    collections::{BTreeSet, VecDeque},
    ops::Bound,
    sync::Arc,
};

use foldhash::fast::RandomState;

use crate::model::EventTime;

/// What a customer costs beside id and row: map slot, two shared counters, the queue's entry,
/// allocator rounding. Measured with 10⁶ rows of 250 bytes, rounded up.
const OVERHEAD_BYTES: usize = 112;

/// What an entry of the deadline index costs: time, pointer, and the tree's spare room.
const DEADLINE_BYTES: usize = 40;

#[derive(Debug)]
struct Kept {
    /// `None`: forgotten, and the checkpoint does not know it yet.
    row: Option<Box<[u8]>>,
    due: Option<EventTime>,
    /// The checkpoint has another one.
    pending: bool,
    /// In the queue of those that may go.
    queued: bool,
    /// Changed since it was queued: it gets another turn.
    fresh: bool,
}

/// What memory knows of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known<'m> {
    /// The disk has to be asked.
    Nothing,
    /// There is no such customer any more.
    Nobody,
    /// The row.
    Row(&'m [u8]),
}

/// Rows in memory.
#[derive(Debug, Default)]
pub(super) struct RowMap {
    /// Iterated only to be sorted: its order means nothing. Seeded by the process, because customers
    /// choose ids.
    rows: hashbrown::HashMap<Arc<str>, Kept, RandomState>,
    /// Of pending rows. `None` while rows are read back: most are on disk before anybody asks, and to
    /// put each in order and take it out again was an eighth of a restore.
    deadlines: Option<BTreeSet<(EventTime, Arc<str>)>>,
    /// Rows that the checkpoint has, the oldest first. As long as the map.
    queue: VecDeque<Arc<str>>,
    byte_count: usize,
    pending_bytes: usize,
    pending_count: usize,
}

impl RowMap {
    /// Puts deadlines in order, if they are not.
    pub(super) fn order_deadlines(&mut self) {
        if self.deadlines.is_none() {
            self.deadlines =
                Some(self.pending_due().map(|(at, id)| (at, Arc::clone(id))).collect());
        }
    }

    fn pending_due(&self) -> impl Iterator<Item = (EventTime, &Arc<str>)> {
        let pending = self.rows.iter().filter(|(_, kept)| kept.pending);
        pending.filter_map(|(id, kept)| Some((kept.due?, id)))
    }

    /// Keeps a row, or (`row: None`) that there is none any more, until the checkpoint has it.
    pub(super) fn put(&mut self, customer_id: &str, row: Option<&[u8]>, due: Option<EventTime>) {
        let (id, queued) = match self.rows.remove_entry(customer_id) {
            Some((id, old)) => {
                self.discount(&id, &old);
                (id, old.queued)
            }
            None => (Arc::from(customer_id), false),
        };
        let row = row.map(Box::from);
        let kept = Kept { row, due, pending: true, queued, fresh: queued };
        let cost = cost(&id, &kept);
        self.byte_count += cost;
        self.pending_bytes += cost;
        self.pending_count += 1;
        if let (Some(due), Some(deadlines)) = (due, &mut self.deadlines) {
            deadlines.insert((due, Arc::clone(&id)));
        }
        self.rows.insert(id, kept);
    }

    /// Returns what is known of a customer.
    pub(super) fn get(&self, customer_id: &str) -> Known<'_> {
        match self.rows.get(customer_id) {
            None => Known::Nothing,
            Some(kept) => kept.row.as_deref().map_or(Known::Nobody, Known::Row),
        }
    }

    /// Returns whether the checkpoint has another row, or none.
    pub(super) fn is_pending(&self, customer_id: &str) -> bool {
        self.rows.get(customer_id).is_some_and(|kept| kept.pending)
    }

    /// Returns the first pending deadline after `after`.
    pub(super) fn first_due(&self, after: Option<(EventTime, &str)>) -> Option<(EventTime, &str)> {
        let Some(deadlines) = &self.deadlines else {
            let later = self.pending_due().map(|(at, id)| (at, &**id));
            return later.filter(|one| after.is_none_or(|after| after < *one)).min();
        };
        let (at, id) = match after {
            // The first deadline answers nearly every call, and costs no allocation.
            None => deadlines.first()?,
            Some((time, id)) => deadlines
                .range((Bound::Excluded((time, Arc::from(id))), Bound::Unbounded))
                .next()?,
        };
        Some((*at, id))
    }

    /// Returns the ids of all pending rows, sorted.
    pub(super) fn pending(&self) -> Vec<Arc<str>> {
        let pending = self.rows.iter().filter(|(_, kept)| kept.pending);
        let mut ids: Vec<Arc<str>> = pending.map(|(id, _)| Arc::clone(id)).collect();
        ids.sort_unstable();
        ids
    }

    /// The checkpoint has this row now.
    pub(super) fn written(&mut self, id: &Arc<str>) {
        let Some(kept) = self.rows.get_mut(id).filter(|kept| kept.pending) else { return };
        let before = cost(id, kept);
        kept.pending = false;
        self.pending_count -= 1;
        self.pending_bytes -= before;
        if let (Some(due), Some(deadlines)) = (kept.due, &mut self.deadlines) {
            deadlines.remove(&(due, Arc::clone(id)));
        }
        self.byte_count -= before;
        if kept.row.is_none() {
            // A stale entry of the queue is passed over when its turn comes.
            self.rows.remove(id);
            return;
        }
        self.byte_count += cost(id, kept);
        if !kept.queued {
            kept.queued = true;
            self.queue.push_back(Arc::clone(id));
        }
    }

    /// Drops rows that the checkpoint has until at most `budget` bytes are kept, or none of them is
    /// left. Who changed since their last turn gets another one.
    pub(super) fn shrink_to(&mut self, budget: usize) {
        let mut turns = self.queue.len().saturating_mul(2);
        while budget < self.byte_count && 0 < turns {
            turns -= 1;
            let Some(id) = self.queue.pop_front() else { return };
            let Some(kept) = self.rows.get_mut(&id) else { continue };
            if kept.pending {
                // Queued again when the checkpoint has it.
                kept.queued = false;
            } else if kept.fresh {
                kept.fresh = false;
                self.queue.push_back(id);
            } else {
                self.byte_count -= cost(&id, kept);
                self.rows.remove(&id);
            }
        }
    }

    /// Returns about how many bytes of memory all rows take.
    pub(super) fn byte_count(&self) -> usize {
        self.byte_count
    }

    /// Returns about how many of them are rows that the checkpoint does not have.
    pub(super) fn pending_bytes(&self) -> usize {
        self.pending_bytes
    }

    /// Returns how many rows the checkpoint does not have.
    pub(super) fn pending_count(&self) -> usize {
        self.pending_count
    }

    fn discount(&mut self, id: &Arc<str>, old: &Kept) {
        let cost = cost(id, old);
        self.byte_count -= cost;
        if old.pending {
            self.pending_bytes -= cost;
            self.pending_count -= 1;
            if let (Some(due), Some(deadlines)) = (old.due, &mut self.deadlines) {
                deadlines.remove(&(due, Arc::clone(id)));
            }
        }
    }
}

fn cost(id: &str, kept: &Kept) -> usize {
    let row = kept.row.as_ref().map_or(0, |row| row.len());
    let deadline = kept.due.filter(|_| kept.pending).map_or(0, |_| DEADLINE_BYTES);
    id.len() + row + OVERHEAD_BYTES + deadline
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Option<EventTime> {
        EventTime::from_millis(millis)
    }

    fn write_all(map: &mut RowMap) {
        for id in map.pending() {
            map.written(&id);
        }
    }

    #[test]
    fn what_the_checkpoint_does_not_have_stays_whatever_the_budget() {
        let mut map = RowMap::default();
        map.put("a", Some(b"row"), at(5));
        map.put("b", None, None);
        map.shrink_to(0);
        assert_eq!(map.get("a"), Known::Row(b"row"));
        assert_eq!(map.get("b"), Known::Nobody);
        write_all(&mut map);
        assert_eq!(map.pending_bytes(), 0);
        map.shrink_to(0);
        assert_eq!((map.get("a"), map.get("b")), (Known::Nothing, Known::Nothing));
        assert_eq!(map.byte_count(), 0);
        assert_eq!(map.first_due(None), None);
    }

    #[test]
    fn who_changed_lately_stays_longer() {
        let mut map = RowMap::default();
        for id in ["a", "b", "c"] {
            map.put(id, Some(b"row"), None);
        }
        write_all(&mut map);
        map.put("a", Some(b"new"), None);
        write_all(&mut map);
        let room_for_one = map.byte_count() / 3;
        map.shrink_to(room_for_one);
        assert_eq!(map.get("a"), Known::Row(b"new"));
        assert_eq!((map.get("b"), map.get("c")), (Known::Nothing, Known::Nothing));
    }

    #[test]
    fn a_customer_who_changes_for_ever_takes_one_place_in_the_queue() {
        let mut map = RowMap::default();
        for _ in 0..100 {
            map.put("a", Some(b"row"), at(5));
            write_all(&mut map);
        }
        assert_eq!(map.queue.len(), 1);
        map.put("a", None, None);
        write_all(&mut map);
        map.shrink_to(0);
        assert_eq!((map.byte_count(), map.queue.len()), (0, 1));
        map.put("b", Some(b"row"), None);
        map.shrink_to(0);
        assert_eq!(map.queue.len(), 0);
    }
}
