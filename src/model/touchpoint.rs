//! One contact between a customer and the brand, decoded and borrowed from its record.

use std::borrow::Cow;

use super::{Actor, EventTime, StableHash};

/// A decoded touchpoint. Borrows from the record's bytes; strings with escapes are owned.
#[derive(Clone, Debug)]
pub struct Touchpoint<'a> {
    /// Unique per customer. Where the source gave none: `topic-partition-offset` (replay: file and
    /// line), and [`Self::event_id_assumed`] is set.
    pub event_id: Cow<'a, str>,
    /// The source gave no event id, so no repetition can be recognised.
    pub event_id_assumed: bool,
    /// 1 to 256 bytes without control characters. `anon:<anonymous_id>` where nobody is known.
    pub customer_id: Cow<'a, str>,
    /// Event time, corrected for the sender's clock where that could be done.
    pub ts: EventTime,
    /// The source gave no `ts`, so another of its times was taken.
    pub ts_assumed: bool,
    /// The channel as it was named, in lower case. May be one that config does not know.
    pub channel: Cow<'a, str>,
    /// The canonical event name: `object_action` after normalisation and synonyms.
    pub event: Cow<'a, str>,
    /// Who acted, where the event said so; otherwise the pack decides.
    pub actor: Option<Actor>,
    /// The company that the customer belongs to (B2B).
    pub account_id: Option<Cow<'a, str>>,
    /// What the customer wrote.
    pub text: Option<Cow<'a, str>>,
    /// The properties as they were sent: one JSON object, or empty when there was none.
    pub properties: Cow<'a, str>,
    /// Hash of everything but times and envelope: the same id with another hash is a conflict.
    pub content_hash: StableHash,
}

/// One property's value, as predicates see it.
#[derive(Clone, Debug, PartialEq)]
pub enum Property<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A number. Text that reads as a number stays text; predicates convert.
    Number(f64),
    /// `true` or `false`.
    Flag(bool),
}
