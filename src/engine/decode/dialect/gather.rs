//! Properties that stand here and there, put together into one object.
//!
//! They are scanned as they were put together, so that paths of rules see one object; what was
//! found is copied, since the object does not live as long as the record.

use std::{borrow::Cow, collections::BTreeSet};

use super::super::{
    field::{Envelope, Field, Given},
    memory::{Capture, Memory},
    reader::Reader,
    reject::Reject,
    scan::Scan,
};
use crate::model::{Property, StableHash, stable_hash};

/// An object that is being put together.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    json: String,
    /// By hash: whoever sends a hundred thousand keys must not make us compare them all.
    keys: BTreeSet<StableHash>,
}

impl Gathered {
    /// Returns whether a key is there already.
    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.contains(&stable_hash(key.as_bytes()))
    }

    /// Adds a member, unless its key is there already: what was said first wins.
    pub(super) fn add(&mut self, key: &str, raw: &str) {
        let nothing = raw.is_empty() || raw == "null";
        if nothing || !self.keys.insert(stable_hash(key.as_bytes())) {
            return;
        }
        self.json.push(if self.json.is_empty() { '{' } else { ',' });
        push_text(&mut self.json, key);
        self.json.push(':');
        self.json.push_str(raw);
    }

    /// Adds every member of the object that the cursor stands on.
    pub(super) fn add_members(&mut self, reader: &mut Reader<'_>) -> Result<(), Reject> {
        let mut own = BTreeSet::new();
        reader.object(|reader, key| {
            let at = key.at;
            let key = key.decode()?;
            if !own.insert(stable_hash(key.as_bytes())) {
                return Err(Reject::duplicate_key(&key, at));
            }
            reader.kind()?;
            let start = reader.at();
            reader.pass()?;
            self.add(&key, reader.since(start));
            Ok(())
        })
    }

    /// Makes it the properties.
    pub(super) fn into_properties<'a>(
        mut self,
        envelope: &mut Envelope<'a>,
        scan: &mut Scan<'_, '_, 'a>,
    ) -> Result<(), Reject> {
        if self.json.is_empty() {
            return Ok(());
        }
        self.json.push('}');
        set_properties(self.json, envelope, scan)
    }

    /// Returns the object.
    pub(super) fn into_json(mut self) -> String {
        self.json.push_str(if self.json.is_empty() { "{}" } else { "}" });
        self.json
    }
}

/// Makes an object that is no part of the record the properties.
pub(super) fn set_properties<'a>(
    json: String,
    envelope: &mut Envelope<'a>,
    scan: &mut Scan<'_, '_, 'a>,
) -> Result<(), Reject> {
    let mut memory = Memory::default();
    let mut inner = Scan { paths: scan.paths, memory: &mut memory };
    let mut reader = Reader::starting_at(&json, 0);
    envelope.properties_hash = inner.properties(&mut reader)?;
    reader.finish()?;
    for Capture { id, rank, order, value } in memory.captures.drain(..) {
        scan.memory.captures.push(Capture { id, rank, order, value: owned(value) });
    }
    drop(memory);
    envelope.properties = Cow::Owned(json);
    envelope.set(Field::Properties, Given::default());
    Ok(())
}

/// Returns a value that borrows nothing.
pub(super) fn owned(value: Property<'_>) -> Property<'static> {
    match value {
        Property::Text(text) => Property::Text(Cow::Owned(text.into_owned())),
        Property::Number(number) => Property::Number(number),
        Property::Flag(flag) => Property::Flag(flag),
    }
}

/// Writes a JSON string.
pub(super) fn push_text(json: &mut String, text: &str) {
    let plain = |character: char| !matches!(character, '"' | '\\') && u32::from(character) >= 0x20;
    json.push('"');
    if text.chars().all(plain) {
        json.push_str(text);
    } else {
        for character in text.chars() {
            match character {
                '"' | '\\' => {
                    json.push('\\');
                    json.push(character);
                }
                '\n' => json.push_str("\\n"),
                '\r' => json.push_str("\\r"),
                '\t' => json.push_str("\\t"),
                control if u32::from(control) < 0x20 => {
                    json.push_str("\\u00");
                    let code = u32::from(control);
                    json.extend(
                        [code >> 4, code & 15]
                            .map(|nibble| char::from_digit(nibble, 16).unwrap_or('0')),
                    );
                }
                other => json.push(other),
            }
        }
    }
    json.push('"');
}
