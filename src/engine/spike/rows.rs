//! Numbered rows that a transaction changes: what is dirty, and how it was before.

use std::collections::BTreeMap;

/// Values by number, with what an abort restores.
#[derive(Clone, Debug)]
pub(crate) struct Rows<V> {
    now: BTreeMap<i64, V>,
    /// Every number changed since the last commit, as it was then.
    before: BTreeMap<i64, Option<V>>,
}

impl<V> Default for Rows<V> {
    fn default() -> Self {
        Self { now: BTreeMap::new(), before: BTreeMap::new() }
    }
}

impl<V: Clone + Default> Rows<V> {
    /// Returns the rows as they are.
    pub(crate) fn all(&self) -> &BTreeMap<i64, V> {
        &self.now
    }

    /// Returns a row to change it; one that is missing begins empty.
    pub(crate) fn edit(&mut self, number: i64) -> &mut V {
        self.note(number);
        self.now.entry(number).or_default()
    }

    /// Takes a row away.
    pub(crate) fn remove(&mut self, number: i64) -> Option<V> {
        self.note(number);
        self.now.remove(&number)
    }

    fn note(&mut self, number: i64) {
        let now = &self.now;
        self.before.entry(number).or_insert_with(|| now.get(&number).cloned());
    }

    /// Puts a row as it was committed.
    pub(crate) fn restore(&mut self, number: i64, row: V) {
        self.now.insert(number, row);
    }

    /// Returns what a transaction has to write: `None` takes a row away.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (i64, Option<&V>)> {
        let written = self.before.iter().filter(|(number, before)| {
            // What came and went within the transaction was never written.
            before.is_some() || self.now.contains_key(number)
        });
        written.map(|(number, _)| (*number, self.now.get(number)))
    }

    pub(crate) fn committed(&mut self) {
        self.before.clear();
    }

    /// Makes everything as it was at the last commit.
    pub(crate) fn abandon(&mut self) {
        for (number, before) in std::mem::take(&mut self.before) {
            match before {
                Some(row) => self.now.insert(number, row),
                None => self.now.remove(&number),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abort_makes_everything_as_it_was() {
        let mut rows: Rows<u32> = Rows::default();
        rows.restore(1, 10);
        rows.restore(2, 20);
        *rows.edit(1) += 1;
        rows.remove(2);
        *rows.edit(3) = 30;
        rows.abandon();
        assert_eq!(rows.all(), &BTreeMap::from([(1, 10), (2, 20)]));
        assert_eq!(rows.changed().count(), 0);
    }

    #[test]
    fn a_row_that_came_and_went_is_not_written() {
        let mut rows: Rows<u32> = Rows::default();
        *rows.edit(3) = 30;
        rows.remove(3);
        assert_eq!(rows.changed().count(), 0);
        *rows.edit(4) = 40;
        assert_eq!(rows.changed().collect::<Vec<_>>(), [(4, Some(&40))]);
        rows.committed();
        rows.remove(4);
        assert_eq!(rows.changed().collect::<Vec<_>>(), [(4, None)]);
    }
}
