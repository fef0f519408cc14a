//! Every customer of a partition in memory: rows by id, and who falls due by time.
//!
//! # Invariants
//!
//! - A customer is in the deadline index exactly once if its row has a deadline, and else not.
//! - `byte_count` is the sum over the rows held, so that a budget can be kept without counting.

use std::{borrow::Cow, collections::BTreeSet, ops::Bound, sync::Arc};

use foldhash::fast::RandomState;

use crate::{
    engine::{Customers, Sealed},
    model::EventTime,
};

/// What a customer costs beside id and row: map slot, two shared counters, allocator rounding.
/// Measured with 10⁶ rows of 250 bytes, rounded up.
const OVERHEAD_BYTES: usize = 96;

/// What an entry of the deadline index costs: time, pointer, and the tree's spare room.
const DEADLINE_BYTES: usize = 40;

/// A row to keep, or (`row: None`) a customer to forget.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The customer id.
    pub customer_id: &'a str,
    /// The state row.
    pub row: Option<&'a [u8]>,
    /// When this customer falls due next.
    pub due: Option<EventTime>,
}

#[derive(Debug)]
struct Held {
    row: Box<[u8]>,
    due: Option<EventTime>,
}

/// The committed customers of one partition.
#[derive(Debug, Default)]
pub struct MemoryStore {
    /// Iterated only to be sorted: its order means nothing. Seeded by the process, because customers choose ids.
    rows: hashbrown::HashMap<Arc<str>, Held, RandomState>,
    deadlines: BTreeSet<(EventTime, Arc<str>)>,
    byte_count: usize,
}

impl MemoryStore {
    /// Keeps or forgets one customer.
    pub fn put(&mut self, change: Change<'_>) {
        self.forget(change.customer_id);
        let Some(row) = change.row else { return };
        let id: Arc<str> = Arc::from(change.customer_id);
        if let Some(due) = change.due {
            self.deadlines.insert((due, Arc::clone(&id)));
        }
        self.byte_count += cost(&id, row, change.due);
        self.rows.insert(id, Held { row: Box::from(row), due: change.due });
    }

    /// Takes over what a committed transaction changed.
    pub fn apply(&mut self, sealed: &Sealed) {
        for change in &sealed.customers {
            // An id was text before it was encoded, so this never skips a customer.
            let Ok(customer_id) = str::from_utf8(sealed.bytes(change.customer)) else { continue };
            let row = change.row.map(|row| sealed.bytes(row));
            self.put(Change { customer_id, row, due: change.due });
        }
    }

    /// Returns every customer and row, in order of id.
    pub fn in_order(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut all: Vec<(&str, &[u8])> =
            self.rows.iter().map(|(id, held)| (&**id, &*held.row)).collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        all.into_iter()
    }

    /// Returns how many customers there are.
    pub fn customer_count(&self) -> usize {
        self.rows.len()
    }

    /// Returns about how many bytes of memory they take.
    pub fn byte_count(&self) -> usize {
        self.byte_count
    }

    fn forget(&mut self, customer_id: &str) {
        let Some((id, held)) = self.rows.remove_entry(customer_id) else { return };
        self.byte_count -= cost(&id, &held.row, held.due);
        if let Some(due) = held.due {
            self.deadlines.remove(&(due, id));
        }
    }
}

fn cost(id: &str, row: &[u8], due: Option<EventTime>) -> usize {
    id.len() + row.len() + OVERHEAD_BYTES + due.map_or(0, |_| DEADLINE_BYTES)
}

impl Customers for MemoryStore {
    fn row(&self, customer_id: &str) -> Option<Cow<'_, [u8]>> {
        self.rows.get(customer_id).map(|held| Cow::Borrowed(&*held.row))
    }

    fn due(
        &self,
        after: Option<(EventTime, &str)>,
        until: EventTime,
    ) -> Option<(EventTime, Cow<'_, str>)> {
        // The first deadline answers nearly every call, and costs no allocation.
        let (at, id) = match after {
            None => self.deadlines.first()?,
            Some((time, id)) => self
                .deadlines
                .range((Bound::Excluded((time, Arc::from(id))), Bound::Unbounded))
                .next()?,
        };
        (*at <= until).then_some((*at, Cow::Borrowed(&**id)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> EventTime {
        EventTime::from_millis(millis).unwrap()
    }

    fn put(store: &mut MemoryStore, customer_id: &str, row: Option<&[u8]>, due: Option<i64>) {
        store.put(Change { customer_id, row, due: due.map(at) });
    }

    fn all_due(store: &MemoryStore, until: i64) -> Vec<(i64, String)> {
        let mut found: Vec<(EventTime, String)> = Vec::new();
        loop {
            let after = found.last().map(|(time, id)| (*time, id.as_str()));
            let Some((time, id)) = store.due(after, at(until)) else { break };
            found.push((time, id.into_owned()));
        }
        found.into_iter().map(|(time, id)| (time.as_millis(), id)).collect()
    }

    #[test]
    fn deadlines_come_in_order_of_time_and_then_of_id() {
        let mut store = MemoryStore::default();
        put(&mut store, "b", Some(b"row"), Some(5));
        put(&mut store, "a", Some(b"row"), Some(5));
        put(&mut store, "c", Some(b"row"), Some(3));
        put(&mut store, "d", Some(b"row"), None);
        put(&mut store, "e", Some(b"row"), Some(9));
        let expected = [(3, "c"), (5, "a"), (5, "b")];
        assert_eq!(all_due(&store, 5), expected.map(|(time, id)| (time, id.to_owned())));
    }

    #[test]
    fn a_moved_deadline_leaves_nothing_behind() {
        let mut store = MemoryStore::default();
        put(&mut store, "a", Some(b"old"), Some(5));
        put(&mut store, "a", Some(b"new"), Some(7));
        assert_eq!(all_due(&store, 100), [(7, "a".to_owned())]);
        assert_eq!(store.row("a").as_deref(), Some(&b"new"[..]));
    }

    #[test]
    fn a_tombstone_forgets_the_customer_and_returns_the_memory() {
        let mut store = MemoryStore::default();
        put(&mut store, "a", Some(b"row"), Some(5));
        assert!(0 < store.byte_count());
        put(&mut store, "a", None, None);
        assert_eq!((store.customer_count(), store.byte_count()), (0, 0));
        assert_eq!(all_due(&store, 100), []);
    }

    proptest! {
        /// Whatever is put, the index says what a look at every row would say.
        #[test]
        fn the_index_agrees_with_the_rows(
            changes in prop::collection::vec(
                ("[a-e]", prop::option::of(0_usize..9), prop::option::of(0_i64..20)), 0..60),
            until in 0_i64..20,
        ) {
            let mut store = MemoryStore::default();
            let mut model = std::collections::BTreeMap::new();
            for (id, length, due) in &changes {
                let row = length.map(|length| vec![7_u8; length]);
                put(&mut store, id, row.as_deref(), *due);
                match row {
                    Some(row) => { model.insert(id.clone(), (row, *due)); }
                    None => { model.remove(id); }
                }
            }
            let mut expected: Vec<(i64, String)> = model
                .iter()
                .filter_map(|(id, (_, due))| due.map(|due| (due, id.clone())))
                .filter(|(due, _)| *due <= until)
                .collect();
            expected.sort();
            prop_assert_eq!(all_due(&store, until), expected);
            prop_assert_eq!(store.customer_count(), model.len());
            let bytes: usize =
                model.iter().map(|(id, (row, due))| cost(id, row, due.map(at))).sum();
            prop_assert_eq!(store.byte_count(), bytes);
        }
    }
}
