//! Counts under open names: known by hash, kept as text once, bounded.

use std::collections::BTreeMap;

/// Counts keyed by hashes of names, each with the names themselves.
#[derive(Clone, Debug)]
pub(super) struct TextCounts<K, T> {
    cells: BTreeMap<K, Cell<T>>,
    max: usize,
}

#[derive(Clone, Debug)]
struct Cell<T> {
    text: T,
    count: u64,
}

impl<K: Ord, T> TextCounts<K, T> {
    /// Returns no counts, with room for `max` keys.
    pub(super) fn new(max: usize) -> Self {
        Self { cells: BTreeMap::new(), max }
    }

    /// Counts one under `key`. A new key is refused (`false`) when there is no room for it.
    pub(super) fn add(&mut self, key: K, text: impl FnOnce() -> T) -> bool {
        if let Some(cell) = self.cells.get_mut(&key) {
            cell.count += 1;
            return true;
        }
        let has_room = self.cells.len() < self.max;
        if has_room {
            self.cells.insert(key, Cell { text: text(), count: 1 });
        }
        has_room
    }

    /// Counts one under a key that has its place beside the bound: `other`.
    pub(super) fn add_beyond(&mut self, key: K, text: impl FnOnce() -> T) {
        self.cells.entry(key).or_insert_with(|| Cell { text: text(), count: 0 }).count += 1;
    }

    /// Returns every name that was counted.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &T, u64)> {
        self.cells
            .iter()
            .filter(|(_, cell)| cell.count > 0)
            .map(|(key, cell)| (key, &cell.text, cell.count))
    }

    /// Sets every count to zero and keeps the names: the same ones come again.
    pub(super) fn clear(&mut self) {
        for cell in self.cells.values_mut() {
            cell.count = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_is_refused_when_there_is_no_room_and_a_known_one_is_not() {
        let mut counts = TextCounts::new(1);
        assert!(counts.add(1, || "one"));
        assert!(!counts.add(2, || "two"));
        assert!(counts.add(1, || "unused"));
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(&1, &"one", 2)]);
        counts.clear();
        assert_eq!(counts.iter().count(), 0);
    }
}
