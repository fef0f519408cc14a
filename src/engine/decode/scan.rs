//! One pass over the properties: picks what rules ask for, and hashes the content of everything.
//!
//! The hash does not depend on the order of keys, on white space, or on how a string is escaped:
//! a sender that serialises the same touchpoint again must not look like a conflict. A number is
//! hashed as it is written: 10 and 10.0 differ, and 64-bit ids that no double can hold do not
//! collide.

use std::borrow::Cow;

use super::{
    memory::{Capture, Memory},
    properties::{Node, Properties, PropertyPaths, STANDS_IN},
    reader::{Kind, Reader},
    reject::Reject,
    text::RawText,
};
use crate::model::{Property, StableHash, stable_hash};

/// How many elements of an array are searched. Every one is hashed.
const ELEMENTS_MAX: usize = Properties::VALUES_MAX;

/// A number of fewer characters and without an exponent is below the largest double, about 1.8e308.
const SURELY_FINITE: usize = 300;

// What a hash starts from, so that `"1"`, `1` and `[1]` differ.
const NULL: StableHash = 1;
const FALSE: StableHash = 2;
const TRUE: StableHash = 3;
const NUMBER: StableHash = 4;
const TEXT: StableHash = 5;
const ARRAY: StableHash = 6;
const OBJECT: StableHash = 7;

/// Where the search stands: nowhere, or at a key on the way to something asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place<'p> {
    node: Option<&'p Node>,
    /// 0 under a canonical key, else by the position of the synonym among the top-level keys.
    rank: usize,
}

/// A pass over one touchpoint's properties.
#[derive(Debug)]
pub(super) struct Scan<'s, 'p, 'a> {
    pub(super) paths: &'p PropertyPaths,
    pub(super) memory: &'s mut Memory<'a>,
}

impl<'p, 'a> Scan<'_, 'p, 'a> {
    /// Reads the properties, and returns the hash of their content.
    pub(super) fn properties(&mut self, reader: &mut Reader<'a>) -> Result<StableHash, Reject> {
        let mut position = 0;
        self.object(reader, |paths, key| {
            position += 1;
            top(paths, key, position)
        })
    }

    /// Reads one value that a mapping puts under a top-level key.
    pub(super) fn member(
        &mut self,
        reader: &mut Reader<'a>,
        key: StableHash,
        position: usize,
    ) -> Result<StableHash, Reject> {
        self.value(reader, top(self.paths, key, position))
    }

    /// Sorts what was found; to be called once at the end. The canonical name of a property wins
    /// over its synonyms, the first synonym over the others.
    pub(super) fn finish(self) {
        let Memory { captures, properties, .. } = self.memory;
        captures.sort_unstable_by_key(|capture| (capture.id, capture.rank, capture.order));
        let mut kept = 0;
        let mut current = None;
        for Capture { id, rank, value, .. } in captures.drain(..) {
            if current.is_none_or(|(other, _)| other != id) {
                current = Some((id, rank));
                kept = 0;
            }
            if current == Some((id, rank)) && kept < Properties::VALUES_MAX {
                properties.ids.push(id);
                properties.values.push(value);
                kept += 1;
            }
        }
    }

    fn value(&mut self, reader: &mut Reader<'a>, place: Place<'p>) -> Result<StableHash, Reject> {
        match reader.kind()? {
            Kind::Null => reader.null().map(|()| NULL),
            Kind::Flag => {
                let flag = reader.flag()?;
                self.capture(place, || Property::Flag(flag));
                Ok(if flag { TRUE } else { FALSE })
            }
            Kind::Number => self.number(reader, place),
            Kind::Text => {
                let text = reader.text()?;
                self.text(text, place)
            }
            Kind::Array => {
                let mut hash = ARRAY;
                let mut index = 0;
                reader.array(|reader| {
                    let place = if index < ELEMENTS_MAX { place } else { Place::default() };
                    index += 1;
                    hash = mix(hash, self.value(reader, place)?);
                    Ok(())
                })?;
                Ok(hash)
            }
            Kind::Object => self.object(reader, |_paths, key| Place {
                node: place.node.and_then(|node| node.child(key)),
                rank: place.rank,
            }),
        }
    }

    /// Reads an object; `below` says where the search goes on under a key.
    fn object(
        &mut self,
        reader: &mut Reader<'a>,
        mut below: impl FnMut(&'p PropertyPaths, StableHash) -> Place<'p>,
    ) -> Result<StableHash, Reject> {
        let outer = self.memory.keys.len();
        // A sum, because the order of the keys says nothing.
        let mut sum: StableHash = 0;
        reader.object(|reader, key| {
            let hash = stable_hash(key.decode_into(&mut self.memory.decoded)?.as_bytes());
            self.memory.keys.push((hash, key.at));
            let place = below(self.paths, hash);
            sum = sum.wrapping_add(mix(hash, self.value(reader, place)?));
            Ok(())
        })?;
        match self.memory.leave_object(outer) {
            Some(at) => Err(reader.duplicate_key(at)),
            None => Ok(object_hash(sum)),
        }
    }

    fn text(&mut self, text: RawText<'a>, place: Place<'p>) -> Result<StableHash, Reject> {
        let decoded = text.decode_into(&mut self.memory.decoded)?;
        let hash = mix(TEXT, stable_hash(decoded.as_bytes()));
        if place.node.is_some_and(|node| node.id.is_some()) {
            let value =
                if text.escaped { Cow::Owned(decoded.to_owned()) } else { Cow::Borrowed(text.raw) };
            self.capture(place, || Property::Text(value));
        }
        Ok(hash)
    }

    fn number(&mut self, reader: &mut Reader<'a>, place: Place<'p>) -> Result<StableHash, Reject> {
        let at = reader.at();
        let text = reader.number()?;
        let wanted = place.node.is_some_and(|node| node.id.is_some());
        if wanted || text.len() >= SURELY_FINITE || text.contains(['e', 'E']) {
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            let number = number.ok_or(Reject::NumberOutOfRange { at })?;
            self.capture(place, || Property::Number(number));
        }
        Ok(mix(NUMBER, stable_hash(text.as_bytes())))
    }

    fn capture(&mut self, place: Place<'p>, value: impl FnOnce() -> Property<'a>) {
        if let Some((id, rank)) = place.node.and_then(|node| node.id.map(|id| (id, node.rank))) {
            let order = self.memory.captures.len();
            let rank = if rank == 0 { place.rank } else { rank };
            self.memory.captures.push(Capture { id, rank, order, value: value() });
        }
    }
}

/// Returns where the search begins under a top-level key.
fn top(paths: &PropertyPaths, key: StableHash, position: usize) -> Place<'_> {
    match paths.top(key) {
        Some((node, true)) => Place { node: Some(node), rank: 0 },
        Some((node, false)) => Place { node: Some(node), rank: STANDS_IN + position },
        None => Place::default(),
    }
}

/// Returns a hash of two hashes in this order.
pub(super) fn mix(first: StableHash, second: StableHash) -> StableHash {
    let mut both = [0; 16];
    let (left, right) = both.split_at_mut(8);
    left.copy_from_slice(&first.to_le_bytes());
    right.copy_from_slice(&second.to_le_bytes());
    stable_hash(&both)
}

/// Returns the hash of an array whose elements have these hashes.
pub(super) fn array_hash(elements: impl IntoIterator<Item = StableHash>) -> StableHash {
    elements.into_iter().fold(ARRAY, mix)
}

/// Returns the hash of an object from the sum of its members' hashes.
pub(super) fn object_hash(sum: StableHash) -> StableHash {
    mix(OBJECT, sum)
}
