//! Somebody's own JSON, read by a mapping.
//!
//! The paths of a mapping become one tree, so that a touchpoint is read in one pass however many
//! there are. What stands at a path is only located then; it is read when all are found.

mod search;
pub mod spec;

use std::{borrow::Cow, collections::BTreeMap};

pub(super) use self::search::{Found, Places, Slot};
use self::spec::{FieldSpec, MappingSpec, PropertiesSpec, Source, TimeFieldSpec};
use super::{
    Path,
    field::{Envelope, Field, Given, Value},
    memory::Memory,
    native::{only_object, read_properties},
    reader::{Kind, Reader},
    reject::Reject,
    scan::{Scan, array_hash, mix, object_hash},
    time::{TimeReading, Times},
};
use crate::model::{StableHash, stable_hash};

/// A mapping, ready to run.
#[derive(Debug)]
pub(super) struct Mapping {
    /// Where the array of touchpoints is, as written and as a tree.
    items: Option<(Path, Places)>,
    places: Places,
    constants: Vec<(Field, Box<str>)>,
    /// What the values of a field mean.
    names: Vec<(Field, Names)>,
    members: Vec<Member>,
    /// The fields that it says something about.
    mapped: Vec<Field>,
}

/// Value in the payload → what it reads as.
type Names = BTreeMap<Box<str>, Box<str>>;

/// A property that a mapping gathers from somewhere.
#[derive(Debug)]
struct Member {
    /// Its name and colon, as JSON.
    key: Box<str>,
    hash: StableHash,
    /// The path says that several values are meant.
    many: bool,
}

impl Mapping {
    /// Compiles a mapping, and says how its times are read.
    pub(super) fn new(spec: MappingSpec) -> (Self, Times) {
        let MappingSpec {
            name: _,
            base: _,
            items,
            event_id,
            customer_id,
            anonymous_id,
            account_id,
            ts,
            sent_at,
            received_at,
            channel,
            event,
            actor,
            text,
            properties,
        } = spec;
        let mut mapping = Self {
            items: items.map(|path| {
                let mut places = Places::default();
                places.add(&path, Slot::Items);
                (path, places)
            }),
            places: Places::default(),
            constants: Vec::new(),
            names: Vec::new(),
            members: Vec::new(),
            mapped: Vec::new(),
        };
        for (field, spec) in [
            (Field::EventId, event_id),
            (Field::CustomerId, customer_id),
            (Field::AnonymousId, anonymous_id),
            (Field::AccountId, account_id),
            (Field::Channel, channel),
            (Field::Event, event),
            (Field::Actor, actor),
            (Field::Text, text),
        ] {
            mapping.add_field(field, spec);
        }
        mapping.add_properties(properties);
        let times = Times {
            ts: mapping.add_time(Field::Ts, ts),
            sent_at: mapping.add_time(Field::SentAt, sent_at),
            received_at: mapping.add_time(Field::ReceivedAt, received_at),
        };
        (mapping, times)
    }

    /// Returns whether the touchpoints stand somewhere within the record.
    pub(super) fn has_items(&self) -> bool {
        self.items.is_some()
    }

    /// Locates the touchpoints within the record.
    pub(super) fn locate<'a>(
        &self,
        text: &'a str,
        reader: &mut Reader<'a>,
        memory: &mut Memory<'a>,
    ) -> Result<(), Reject> {
        let Some((path, places)) = &self.items else { return Ok(()) };
        places.search(reader, memory)?;
        reader.finish()?;
        if memory.found.is_empty() {
            return Err(Reject::NoItems { path: path.to_string().into() });
        }
        for found in std::mem::take(&mut memory.found) {
            let mut reader = Reader::starting_at(text, found.start);
            if reader.kind()? == Kind::Array {
                memory.list_items(&mut reader)?;
            } else {
                memory.items.push(found.start..found.end);
            }
        }
        Ok(())
    }

    /// Reads one touchpoint's fields.
    pub(super) fn read<'a>(
        &'a self,
        text: &'a str,
        reader: &mut Reader<'a>,
        scan: &mut Scan<'_, '_, 'a>,
    ) -> Result<Envelope<'a>, Reject> {
        self.places.search(reader, scan.memory)?;
        let mut envelope = Envelope::default();
        for (field, constant) in &self.constants {
            let value = Value::Text(Cow::Borrowed(&**constant));
            envelope.set(*field, Given { value, at: None });
        }
        let found = std::mem::take(&mut scan.memory.found);
        for &Found { slot, start, .. } in &found {
            let Slot::Field(field) = slot else { continue };
            if envelope.has(field) {
                continue;
            }
            let mut reader = Reader::starting_at(text, start);
            if field == Field::Properties && reader.kind()? == Kind::Object {
                read_properties(&mut envelope, &mut reader, scan)?;
            } else {
                envelope.set(field, self.rename(field, reader.given()?));
            }
        }
        only_object(&mut envelope)?;
        if !self.members.is_empty() {
            self.gather(text, &found, &mut envelope, scan)?;
        }
        scan.memory.found = found;
        Ok(envelope)
    }

    /// Reads what this mapping says otherwise than the dialect that it stands on: a field that it
    /// maps is this one's alone, be it absent.
    pub(super) fn read_over<'a>(
        &'a self,
        text: &'a str,
        at: usize,
        envelope: &mut Envelope<'a>,
        scan: &mut Scan<'_, '_, 'a>,
    ) -> Result<(), Reject> {
        if self.maps(Field::Properties) {
            scan.memory.captures.clear();
        }
        scan.memory.found.clear();
        scan.memory.keys.clear();
        let mut own = self.read(text, &mut Reader::starting_at(text, at), scan)?;
        for field in Field::ALL {
            if self.maps(field) {
                envelope.set(field, own.take(field));
            }
        }
        if self.maps(Field::Properties) {
            envelope.properties = own.properties;
            envelope.properties_hash = own.properties_hash;
        }
        envelope.corrected &= !self.maps(Field::Ts);
        Ok(())
    }

    /// Says how the times are read that this mapping maps.
    pub(super) fn override_times(&self, own: &Times, base: &mut Times) {
        let pairs = [
            (Field::Ts, &own.ts, &mut base.ts),
            (Field::SentAt, &own.sent_at, &mut base.sent_at),
            (Field::ReceivedAt, &own.received_at, &mut base.received_at),
        ];
        for (field, own, base) in pairs {
            if self.maps(field) {
                base.clone_from(own);
            }
        }
    }

    fn maps(&self, field: Field) -> bool {
        self.mapped.contains(&field)
    }

    /// Makes one object of the properties that stand here and there.
    fn gather<'a>(
        &self,
        text: &'a str,
        found: &[Found],
        envelope: &mut Envelope<'a>,
        scan: &mut Scan<'_, '_, 'a>,
    ) -> Result<(), Reject> {
        let mut object = String::from("{");
        let mut sum: StableHash = 0;
        for (index, member) in self.members.iter().enumerate() {
            let values = || found.iter().filter(|found| found.slot == Slot::Property(index));
            let Some(first) = values().next() else { continue };
            if object.len() > 1 {
                object.push(',');
            }
            object.push_str(&member.key);
            let raw = |found: &Found| text.get(found.start..found.end).unwrap_or_default();
            // A path that ends with `[]` has found the whole array already.
            let whole = values().count() == 1 && raw(first).starts_with('[');
            let mut hashes = Vec::new();
            for value in values().take(if member.many { usize::MAX } else { 1 }) {
                let mut reader = Reader::starting_at(text, value.start);
                hashes.push(scan.member(&mut reader, member.hash, index + 1)?);
            }
            let hash = if member.many && !whole {
                let elements: Vec<&str> = values().map(raw).collect();
                object.push('[');
                object.push_str(&elements.join(","));
                object.push(']');
                array_hash(hashes)
            } else {
                object.push_str(raw(first));
                hashes.first().copied().unwrap_or_default()
            };
            sum = sum.wrapping_add(mix(member.hash, hash));
        }
        object.push('}');
        envelope.properties = Cow::Owned(object);
        envelope.properties_hash = object_hash(sum);
        Ok(())
    }

    /// Returns what a value means, where the mapping says so.
    fn rename<'a>(&'a self, field: Field, given: Given<'a>) -> Given<'a> {
        let Some((_, names)) = self.names.iter().find(|(other, _)| *other == field) else {
            return given;
        };
        let name = match &given.value {
            Value::Text(text) => names.get(text.trim()),
            Value::Number(number) => names.get(*number),
            Value::Flag(flag) => names.get(if *flag { "true" } else { "false" }),
            Value::Null | Value::Nested(_) => None,
        };
        match name {
            Some(name) => Given { value: Value::Text(Cow::Borrowed(&**name)), ..given },
            None => given,
        }
    }

    fn add_field(&mut self, field: Field, spec: Option<FieldSpec>) {
        let Some(FieldSpec { source, names }) = spec else { return };
        self.mapped.push(field);
        match source {
            Source::Path(path) => self.places.add(&path, Slot::Field(field)),
            Source::Constant(constant) => self.constants.push((field, constant.into())),
        }
        if !names.is_empty() {
            let names = names.into_iter().map(|(from, to)| (from.into(), to.into())).collect();
            self.names.push((field, names));
        }
    }

    fn add_time(&mut self, field: Field, spec: Option<TimeFieldSpec>) -> TimeReading {
        let Some(TimeFieldSpec { path, format, zone }) = spec else {
            return TimeReading::default();
        };
        self.mapped.push(field);
        self.places.add(&path, Slot::Field(field));
        TimeReading { format, zone }
    }

    fn add_properties(&mut self, spec: Option<PropertiesSpec>) {
        self.mapped.extend(spec.as_ref().map(|_| Field::Properties));
        match spec {
            None => {}
            Some(PropertiesSpec::Object(path)) => {
                self.places.add(&path, Slot::Field(Field::Properties));
            }
            Some(PropertiesSpec::Fields(fields)) => {
                for (index, (name, path)) in fields.into_iter().enumerate() {
                    self.places.add(&path, Slot::Property(index));
                    self.members.push(Member {
                        key: format!("{}:", serde_json::Value::from(name.as_str())).into(),
                        hash: stable_hash(name.as_bytes()),
                        many: path.is_many(),
                    });
                }
            }
        }
    }
}
