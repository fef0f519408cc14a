//! Finds the values at many paths in one pass over an object.

use std::collections::BTreeMap;

use super::super::{
    Path,
    field::Field,
    memory::Memory,
    properties::Properties,
    reader::{Kind, Reader},
    reject::Reject,
};
use crate::model::stable_hash;

/// How many elements of an array on the way are entered: as many as values are kept.
const ELEMENTS_MAX: usize = Properties::VALUES_MAX;

/// What a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Slot {
    /// The array of touchpoints.
    Items,
    /// A field of the envelope.
    Field(Field),
    /// The property of that position in the mapping.
    Property(usize),
}

/// Where a value is that some path leads to. Null is not one.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Found {
    pub(in super::super) slot: Slot,
    pub(in super::super) start: usize,
    pub(in super::super) end: usize,
}

/// The paths, as a tree of keys.
#[derive(Debug, Default)]
pub(in super::super) struct Places {
    slots: Vec<Slot>,
    children: BTreeMap<Box<str>, Places>,
}

impl Places {
    /// Adds a path.
    pub(in super::super) fn add(&mut self, path: &Path, slot: Slot) {
        let place =
            path.keys().fold(self, |place, key| place.children.entry(Box::from(key)).or_default());
        place.slots.push(slot);
    }

    /// Reads a value, and leaves in `memory.found` what the paths lead to, in its order.
    pub(in super::super) fn search<'a>(
        &self,
        reader: &mut Reader<'a>,
        memory: &mut Memory<'a>,
    ) -> Result<(), Reject> {
        let kind = reader.kind()?;
        let start = reader.at();
        self.enter(reader, memory)?;
        if kind != Kind::Null {
            let end = reader.at();
            memory.found.extend(self.slots.iter().map(|&slot| Found { slot, start, end }));
        }
        Ok(())
    }

    /// Reads a value, and searches below it; an array is entered as if it were not there.
    fn enter<'a>(&self, reader: &mut Reader<'a>, memory: &mut Memory<'a>) -> Result<(), Reject> {
        if self.children.is_empty() {
            return reader.pass();
        }
        match reader.kind()? {
            Kind::Object => self.enter_object(reader, memory),
            Kind::Array => {
                let mut index = 0;
                reader.array(|reader| {
                    index += 1;
                    if index > ELEMENTS_MAX { reader.pass() } else { self.enter(reader, memory) }
                })
            }
            Kind::Null | Kind::Flag | Kind::Number | Kind::Text => reader.pass(),
        }
    }

    fn enter_object<'a>(
        &self,
        reader: &mut Reader<'a>,
        memory: &mut Memory<'a>,
    ) -> Result<(), Reject> {
        let outer = memory.keys.len();
        reader.object(|reader, key| {
            let name = key.decode_into(&mut memory.decoded)?;
            let Some(child) = self.children.get(name) else { return reader.pass() };
            memory.keys.push((stable_hash(name.as_bytes()), key.at));
            child.search(reader, memory)
        })?;
        memory.leave_object(outer).map_or(Ok(()), |at| Err(reader.duplicate_key(at)))
    }
}
