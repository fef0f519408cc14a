//! Bytes to touchpoints, or to rejects with a reason.
//!
//! A record is one object, or an array of them (a batch). Each becomes a touchpoint or a reject; a
//! record that is no JSON throughout is one reject, so that half a batch is never taken for a whole
//! one. Nothing here panics, recurses beyond [`MAX_DEPTH`], or allocates for an item whose strings
//! have no escapes and whose names are in normal form.
//!
//! # What is accepted, and how it is read
//!
//! - `null` in the envelope is the same as absent, and so is blank text in `anonymous_id`,
//!   `account_id`, `channel`, `actor` and `text`, and in `customer_id` beside an `anonymous_id`: many
//!   senders write it of everybody who is not logged in. Any other blank `customer_id`, `event_id` or
//!   `event` is a reject: an id was meant, and guessing "none" would break dedupe or merge strangers.
//! - White space around ids, names and times is dropped. An integer as an id is its decimal text.
//! - `ts`, `sent_at`, `received_at`: RFC 3339 with a zone (see [`time`]), or the time since 1970 as
//!   a number, negative too: milliseconds, or seconds where it is below 10¹¹ (a fraction of a
//!   millisecond is dropped). Numeric text is no time, except where a mapping says `unix_seconds`
//!   or `unix_millis`. A leap second is the second before it.
//! - All three there: `ts = received_at − (sent_at − ts as sent)`. No `ts`: `sent_at`, else
//!   `received_at`, else the record's timestamp. One that is there and cannot be read is a reject.
//! - No customer id: `anon:` and the anonymous id. No event id: `topic-partition-offset`, with the
//!   position in a batch after it.
//! - No channel is `other`; an unknown one keeps its name. Names are normalised (see
//!   [`normal_event`], [`normal_channel`]).
//! - Fields that the envelope does not have are passed over, repeated or not. A key of the envelope
//!   or of the properties that stands twice is a reject.
//! - A byte order mark and white space around the JSON are passed over.

mod dialect;
mod field;
pub mod mapping;
mod memory;
mod names;
mod native;
mod path;
mod properties;
mod reader;
mod reject;
mod scan;
#[cfg(test)]
mod tests;
mod text;
mod text_fields;
mod time;
mod touchpoint;

use std::collections::BTreeMap;

pub(super) use self::text::plain_length;
use self::{
    dialect::Dialects,
    mapping::{Mapping, spec::MappingSpec},
    memory::Memory,
    names::EventNames,
    reader::Reader,
    scan::Scan,
    text_fields::TextFields,
    time::Times,
    touchpoint::Origin,
};
pub use self::{
    dialect::{DialectSpec, Form, dialect_of, tsv_columns},
    field::Field,
    memory::Scratch,
    names::{normal_channel, normal_event},
    path::{BadPath, Path},
    properties::{PathId, Properties, PropertyPaths},
    reader::Kind,
    reject::{Problem, Refusal, Reject},
    time::{BadFormat, TimeFormat, parse_due},
};
use super::Record;
use crate::model::{EventTime, Span, Touchpoint};

/// How deep arrays and objects may stand within each other: as deep as `serde_json` goes.
pub const MAX_DEPTH: usize = 128;

/// How many items one record may hold. Ten thousand touchpoints of 100 bytes are the most that fits
/// in Kafka's default of 1 MB; beyond that it is no batch, but an array of something else, each
/// element of which would become a reject.
pub const MAX_ITEMS: usize = 10_000;

/// What a decoder is made from.
#[derive(Clone, Debug)]
pub struct DecoderSpec {
    /// What the records look like.
    pub dialect: Dialect,
    /// The properties that rules ask for.
    pub properties: PropertyPaths,
    /// Other names of events → canonical ones.
    pub event_names: BTreeMap<String, String>,
    /// `text_fields`: the properties that customers' words are looked for in, where `text` is
    /// absent. With any of them, also those in which a ticket or a chat has the customer's words.
    pub text_fields: Vec<String>,
    /// `time.tolerance`: how far in the future a touchpoint may be.
    pub tolerance: Span,
    /// A larger record is a reject.
    pub max_bytes: usize,
}

/// What the records look like.
#[derive(Clone, Debug)]
pub enum Dialect {
    /// Rega's own form.
    Native,
    /// Somebody's own JSON.
    Mapping(Box<MappingSpec>),
    /// What another tool sends.
    BuiltIn {
        /// Which, and what is data about it.
        spec: Box<DialectSpec>,
        /// What is read otherwise.
        over: Option<Box<MappingSpec>>,
    },
    /// Each record says itself: native, or one of these.
    Auto(Vec<DialectSpec>),
}

impl Dialect {
    /// Returns how a single item is read after `route` has taken it out of its batch.
    #[must_use]
    pub fn of_items(&self) -> Self {
        match self {
            Self::Native => Self::Native,
            Self::Mapping(spec) => {
                Self::Mapping(Box::new(MappingSpec { items: None, ..(**spec).clone() }))
            }
            // An item alone is what these read too.
            Self::BuiltIn { .. } | Self::Auto(_) => self.clone(),
        }
    }
}

/// Reads records. Immutable, and shared between threads; each brings its own [`Scratch`].
///
/// ```
/// use std::collections::BTreeMap;
/// use rega::{
///     engine::{Record, decode::{Decoder, DecoderSpec, Dialect, Item, PropertyPaths, Scratch}},
///     model::{EventTime, Property},
/// };
///
/// let properties = PropertyPaths::new(["order_id"], [("orderId", "order_id")]);
/// let order_id = properties.id("order_id").ok_or("not asked for")?;
/// let decoder = Decoder::new(DecoderSpec {
///     dialect: Dialect::Native,
///     properties,
///     event_names: BTreeMap::new(),
///     text_fields: vec![],
///     tolerance: 300_000,
///     max_bytes: 1_000_000,
/// });
/// let value = br#"{"event_id": "e1", "customer_id": "ada", "ts": 1000, "channel": "web",
///     "event": "Order Placed", "properties": {"orderId": "o1"}}"#;
/// let record = Record {
///     value: Some(value),
///     key: None,
///     headers: &[],
///     topic: "touchpoints",
///     partition: 0,
///     offset: 0,
///     timestamp: None,
/// };
/// let mut seen = 0;
/// decoder.decode(&record, EventTime::MAX, &mut Scratch::default(), &mut |item| {
///     let Item::Touchpoint(decoded) = item else { return };
///     assert_eq!(decoded.touchpoint.event, "order_placed");
///     assert_eq!(decoded.properties.get(order_id), [Property::Text("o1".into())]);
///     seen += 1;
/// });
/// assert_eq!(seen, 1);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    /// `None`: the native form.
    mapping: Option<Mapping>,
    /// `None`: the native form, or a mapping.
    dialects: Option<Dialects>,
    properties: PropertyPaths,
    event_names: EventNames,
    text_fields: TextFields,
    times: Times,
    tolerance: Span,
    max_bytes: usize,
}

/// What became of an item.
#[derive(Debug)]
pub enum Item<'i, 'a> {
    /// A touchpoint.
    Touchpoint(Decoded<'i, 'a>),
    /// A reject.
    Reject(Rejected<'a>),
}

/// A touchpoint, and what rules ask of its properties.
#[derive(Debug)]
pub struct Decoded<'i, 'a> {
    /// The touchpoint.
    pub touchpoint: Touchpoint<'a>,
    /// The properties that rules ask for.
    pub properties: &'i Properties<'a>,
    /// The item's bytes, for a reject that comes later ([`Reject::ConflictingDuplicate`]).
    pub item: &'a [u8],
    /// The position in the record's batch; 0 where it is none.
    pub index: u32,
}

/// An item that could not become a touchpoint.
#[derive(Debug)]
pub struct Rejected<'a> {
    /// Why.
    pub reject: Reject,
    /// The item's bytes; the whole record where it is no batch or could not be taken apart; `None`
    /// for a tombstone.
    pub item: Option<&'a [u8]>,
    /// The position in the record's batch; 0 where it is none.
    pub index: u32,
}

impl Decoder {
    /// Makes a decoder.
    pub fn new(spec: DecoderSpec) -> Self {
        let DecoderSpec { dialect, mut properties, event_names, text_fields, tolerance, max_bytes } =
            spec;
        let text_fields = TextFields::new(&text_fields, &mut properties);
        let (mut mapping, mut dialects, mut times) = (None, None, Times::default());
        match dialect {
            Dialect::Native => {}
            Dialect::Mapping(spec) => {
                let (own, own_times) = Mapping::new(*spec);
                (mapping, times) = (Some(own), own_times);
            }
            Dialect::BuiltIn { spec, over } => {
                let over = over.map(|over| Mapping::new(*over));
                properties.stand_for(&spec.properties);
                dialects = Some(Dialects::new(vec![*spec], false, over));
            }
            Dialect::Auto(specs) => {
                for spec in &specs {
                    properties.stand_for(&spec.properties);
                }
                dialects = Some(Dialects::new(specs, true, None));
            }
        }
        Self {
            mapping,
            dialects,
            text_fields,
            properties,
            event_names: EventNames::new(&event_names),
            times,
            tolerance,
            max_bytes,
        }
    }

    /// Returns whether [`Record::headers`] say something in this dialect.
    pub fn reads_headers(&self) -> bool {
        self.dialects.as_ref().is_some_and(Dialects::reads_headers)
    }

    /// Reads a record, and hands every item of it to `sink`, in order. An empty array has none.
    pub fn decode<'a>(
        &'a self,
        record: &Record<'a>,
        now: EventTime,
        scratch: &mut Scratch,
        sink: &mut dyn FnMut(Item<'_, 'a>),
    ) {
        let mut memory = scratch.lend();
        if let Err(reject) = self.decode_record(record, now, &mut memory, sink) {
            sink(Item::Reject(Rejected { reject, item: record.value, index: 0 }));
        }
        scratch.take_back(memory);
    }

    fn decode_record<'a>(
        &'a self,
        record: &Record<'a>,
        now: EventTime,
        memory: &mut Memory<'a>,
        sink: &mut dyn FnMut(Item<'_, 'a>),
    ) -> Result<(), Reject> {
        let marked = record.value.is_some_and(|value| value.starts_with(NATIVE_MARK.as_bytes()));
        if let Some(dialects) = self.dialects.as_ref().filter(|_| !marked) {
            return dialects.decode(self, record, now, memory, sink);
        }
        let bytes = record.value.ok_or(Reject::NullValue)?;
        let text = self.text_of(bytes)?;
        let mut reader = Reader::starting_at(text, text.len() - without_mark(text).len());
        let is_batch = reader.kind()? == Kind::Array;
        match self.mapping_of(text) {
            Some(mapping) if mapping.has_items() => mapping.locate(text, &mut reader, memory)?,
            Some(_) | None if is_batch => {
                memory.list_items(&mut reader)?;
                reader.finish()?;
            }
            Some(_) | None => {
                let origin =
                    Origin { record, index: None, at: reader.at(), now, times: &self.times };
                let touchpoint = self.item(text, origin, memory)?;
                let properties = &memory.properties;
                sink(Item::Touchpoint(Decoded { touchpoint, properties, item: bytes, index: 0 }));
                return Ok(());
            }
        }
        let items = std::mem::take(&mut memory.items);
        for (index, span) in (0_u32..).zip(&items) {
            let (at, times) = (span.start, &self.times);
            let origin = Origin { record, index: Some(index), at, now, times };
            let item = bytes.get(span.clone()).unwrap_or_default();
            match self.item(text, origin, memory) {
                Ok(touchpoint) => {
                    let properties = &memory.properties;
                    sink(Item::Touchpoint(Decoded { touchpoint, properties, item, index }));
                }
                Err(reject) => {
                    sink(Item::Reject(Rejected { reject, item: Some(item), index }));
                }
            }
        }
        memory.items = items;
        Ok(())
    }

    fn mapping_of(&self, text: &str) -> Option<&Mapping> {
        self.mapping.as_ref().filter(|_| !text.starts_with(NATIVE_MARK))
    }

    /// Reads one item. Leaves its properties in `memory`.
    fn item<'a>(
        &'a self,
        text: &'a str,
        origin: Origin<'_, 'a>,
        memory: &mut Memory<'a>,
    ) -> Result<Touchpoint<'a>, Reject> {
        memory.clear();
        let mut reader = Reader::starting_at(text, origin.at);
        let found = reader.kind()?;
        if found != Kind::Object {
            return Err(Reject::NotAnObject { at: origin.at, found });
        }
        let mut scan = Scan { paths: &self.properties, memory };
        let envelope = match self.mapping_of(text) {
            None => native::read(&mut reader, &mut scan)?,
            Some(mapping) => mapping.read(text, &mut reader, &mut scan)?,
        };
        scan.finish();
        if origin.index.is_none() {
            reader.finish()?;
        }
        self.touchpoint(envelope, &memory.properties, origin)
    }

    fn check_size(&self, bytes: &[u8]) -> Result<(), Reject> {
        let (bytes, max) = (bytes.len(), self.max_bytes);
        if max < bytes { Err(Reject::TooLarge { bytes, max }) } else { Ok(()) }
    }

    /// Returns the record as text, or what it is instead.
    fn text_of<'a>(&self, bytes: &'a [u8]) -> Result<&'a str, Reject> {
        self.check_size(bytes)?;
        if let [0, first, second, third, fourth, ..] = *bytes {
            let schema_id = u32::from_be_bytes([first, second, third, fourth]);
            return Err(Reject::SchemaRegistryFraming { schema_id });
        }
        let text =
            str::from_utf8(bytes).map_err(|error| Reject::NotUtf8 { at: error.valid_up_to() })?;
        if without_mark(text).trim_ascii().is_empty() { Err(Reject::Empty) } else { Ok(text) }
    }
}

/// A record that begins so is read as a native touchpoint, whatever its topic's dialect: what Rega itself
/// writes to a topic of somebody else's JSON (`rega erase`).
pub const NATIVE_MARK: &str = r#"{"rega":"native","#;

/// Returns the text without the byte order mark that some editors write.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
