//! Memory that decoding needs while it runs, kept from record to record.
//!
//! It borrows from a record while in use, and from nothing in between. An emptied vector can change
//! its lifetime by being collected into itself, which the standard library does without allocating.

use std::ops::Range;

use super::{
    MAX_ITEMS,
    mapping::Found,
    properties::{PathId, Properties},
    reader::Reader,
    reject::Reject,
};
use crate::model::{Property, StableHash};

/// Memory that [`super::Decoder::decode`] reuses. One for each thread that decodes.
#[derive(Debug, Default)]
pub struct Scratch(Memory<'static>);

/// A value found under a path that rules ask for.
#[derive(Debug)]
pub(super) struct Capture<'a> {
    pub(super) id: PathId,
    pub(super) rank: usize,
    pub(super) order: usize,
    pub(super) value: Property<'a>,
}

/// The memory while in use.
#[derive(Debug, Default)]
pub(super) struct Memory<'a> {
    pub(super) captures: Vec<Capture<'a>>,
    pub(super) properties: Properties<'a>,
    /// Hash and place of every key of the objects being read, from the outermost in.
    pub(super) keys: Vec<(StableHash, usize)>,
    /// What an escaped string says.
    pub(super) decoded: String,
    /// Where the items of a batch are.
    pub(super) items: Vec<Range<usize>>,
    /// What a mapping found.
    pub(super) found: Vec<Found>,
}

impl Scratch {
    /// Lends the memory for as long as a record lives.
    pub(super) fn lend<'a>(&mut self) -> Memory<'a> {
        std::mem::take(&mut self.0)
    }

    /// Takes the memory back, emptied.
    pub(super) fn take_back(&mut self, memory: Memory<'_>) {
        let Memory { mut captures, properties, mut keys, decoded, mut items, mut found } = memory;
        let Properties { mut ids, mut values } = properties;
        captures.clear();
        values.clear();
        keys.clear();
        ids.clear();
        items.clear();
        found.clear();
        self.0 = Memory {
            captures: captures
                .into_iter()
                .map(|Capture { id, rank, order, .. }| Capture {
                    id,
                    rank,
                    order,
                    value: Property::Flag(false),
                })
                .collect(),
            properties: Properties {
                ids,
                values: values.into_iter().map(|_| Property::Flag(false)).collect(),
            },
            keys,
            decoded,
            items,
            found,
        };
    }
}

impl Memory<'_> {
    /// Forgets the item before.
    pub(super) fn clear(&mut self) {
        self.captures.clear();
        self.properties.ids.clear();
        self.properties.values.clear();
        self.keys.clear();
        self.found.clear();
    }

    /// Takes note of where the elements of an array are.
    pub(super) fn list_items(&mut self, reader: &mut Reader<'_>) -> Result<(), Reject> {
        let mut count = self.items.len();
        reader.array(|reader| {
            reader.kind()?;
            let start = reader.at();
            reader.pass()?;
            count += 1;
            if count <= MAX_ITEMS {
                self.items.push(start..reader.at());
            }
            Ok(())
        })?;
        if count > MAX_ITEMS { Err(Reject::TooManyItems { items: count }) } else { Ok(()) }
    }

    /// Forgets the keys of the object that was entered when there were `outer` keys, and returns
    /// the place of one that stood there before.
    pub(super) fn leave_object(&mut self, outer: usize) -> Option<usize> {
        let keys = self.keys.get_mut(outer..).unwrap_or_default();
        keys.sort_unstable();
        let repeated = keys.windows(2).find_map(|pair| match pair {
            [(first, _), (second, at)] if first == second => Some(*at),
            _ => None,
        });
        self.keys.truncate(outer);
        repeated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::stable_hash;

    #[test]
    fn memory_is_kept_from_record_to_record() {
        let mut scratch = Scratch::default();
        let record = "borrowed".to_owned();
        let mut memory = scratch.lend();
        for _ in 0..100 {
            memory.properties.values.push(Property::Text(record.as_str().into()));
        }
        let before = memory.properties.values.as_ptr().addr();
        scratch.take_back(memory);
        drop(record);
        let memory = scratch.lend();
        assert!(memory.properties.values.is_empty());
        assert_eq!(memory.properties.values.as_ptr().addr(), before);
        assert!(memory.properties.values.capacity() >= 100);
    }

    #[test]
    fn a_key_that_stands_twice_is_found_where_it_stands_again() {
        let mut memory = Memory::default();
        let key = |name: &str, at| (stable_hash(name.as_bytes()), at);
        memory.keys = vec![key("a", 1), key("b", 10), key("a", 20), key("b", 30)];
        assert_eq!(memory.leave_object(2), None);
        memory.keys.push(key("a", 40));
        assert_eq!(memory.leave_object(0), Some(40));
        assert!(memory.keys.is_empty());
    }
}
