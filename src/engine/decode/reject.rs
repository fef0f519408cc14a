//! Why an item could not become a touchpoint.
//!
//! A reject is data, not a failure: the item goes to `rejects` with its reason, and the stream
//! moves on. The text names the field and the byte of the record where the trouble starts, and
//! repeats nothing of the payload but key names, so that it can be logged.

use super::{dialect::Form, field::Field, reader::Kind};
use crate::model::Span;

/// Why an item could not become a touchpoint. The text (`to_string`) is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// The record has no value.
    #[error("the record has no value (a tombstone)")]
    NullValue,
    /// The record has nothing but white space.
    #[error("the record is empty")]
    Empty,
    /// The record is larger than the setting allows.
    #[error("the record has {bytes} bytes, {max} are allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The record starts with the five bytes of a Schema Registry serializer.
    #[error(
        "byte 0: a Schema Registry header (schema id {schema_id}) instead of JSON; let the \
         producer use a plain JSON serializer, or convert the topic first"
    )]
    SchemaRegistryFraming {
        /// The schema's id in the registry.
        schema_id: u32,
    },
    /// The bytes are not UTF-8.
    #[error("byte {at}: not UTF-8")]
    NotUtf8 {
        /// The first byte that is not.
        at: usize,
    },
    /// The bytes are not JSON.
    #[error("byte {at}: not JSON, expected {expected}")]
    Malformed {
        /// The first byte that is not.
        at: usize,
        /// What could have stood there.
        expected: &'static str,
    },
    /// The record ends before its JSON does.
    #[error("byte {at}: the record ends here, in the middle of its JSON; expected {expected}")]
    Truncated {
        /// The record's length.
        at: usize,
        /// What could have come.
        expected: &'static str,
    },
    /// A touchpoint must be an object.
    #[error("byte {at}: expected an object, found {found}")]
    NotAnObject {
        /// Where it starts.
        at: usize,
        /// What it is.
        found: Kind,
    },
    /// Arrays and objects within each other beyond [`super::MAX_DEPTH`].
    #[error("byte {at}: nested more than {max} deep", max = super::MAX_DEPTH)]
    TooDeep {
        /// Where the first that is too deep starts.
        at: usize,
    },
    /// An object says two things under one key, and nobody can tell which is meant.
    #[error("byte {at}: the key `{key}` stands twice in one object")]
    DuplicateKey {
        /// The key, cut at [`Reject::KEY_MAX`] characters.
        key: Box<str>,
        /// Where it stands the second time.
        at: usize,
    },
    /// An escape that stands for no character: half of a surrogate pair.
    #[error("byte {at}: `\\u` with half of a surrogate pair stands for no character")]
    BadUnicode {
        /// Where the string starts.
        at: usize,
    },
    /// A number beyond what a double can hold.
    #[error("byte {at}: the number is too large for a double")]
    NumberOutOfRange {
        /// Where it starts.
        at: usize,
    },
    /// A batch of more than [`super::MAX_ITEMS`].
    #[error("{items} items in one record, {max} are allowed", max = super::MAX_ITEMS)]
    TooManyItems {
        /// How many there are.
        items: usize,
    },
    /// The mapping's `items` path leads nowhere.
    #[error("nothing at the mapping's items path `{path}`")]
    NoItems {
        /// The path.
        path: Box<str>,
    },
    /// Nobody to count it for.
    #[error("byte {at}: the object has neither {fields}")]
    NoCustomer {
        /// Where the object starts.
        at: usize,
        /// What could have said who it was.
        fields: &'static str,
    },
    /// Nothing happened.
    #[error("byte {at}: the object has no event")]
    NoEvent {
        /// Where the object starts.
        at: usize,
    },
    /// No time of its own, and none of its record.
    #[error("byte {at}: the object has no ts, sent_at or received_at, and the record no timestamp")]
    NoTime {
        /// Where the object starts.
        at: usize,
    },
    /// A field that is there and cannot be used.
    #[error("{}{}: {problem}", own_name(*field, *named), place(*at))]
    BadField {
        /// The field.
        field: Field,
        /// What the dialect calls it; `None`: the same.
        named: Option<&'static str>,
        /// Where its value starts; `None`: a mapping's constant.
        at: Option<usize>,
        /// What is wrong with it.
        problem: Problem,
    },
    /// The dialect's specification does not allow it.
    #[error("{form}: {field}{}: {problem}", place(*at))]
    Invalid {
        /// The dialect.
        form: Form,
        /// The field, as the dialect calls it; cut at [`Reject::KEY_MAX`] characters.
        field: Box<str>,
        /// Where it starts; `None`: it is not there, or stands in no JSON.
        at: Option<usize>,
        /// What is wrong with it.
        problem: Refusal,
    },
    /// It looks like none of the dialects that are tried.
    #[error("byte {at}: looks like none of the dialects: {found}; name one, or write a mapping")]
    UnknownDialect {
        /// Where it starts.
        at: usize,
        /// What was looked at.
        found: &'static str,
    },
    /// It claims to come from further ahead than clocks drift.
    #[error("ts{}: {ahead} ms in the future, {tolerance} ms are tolerated", place(*at))]
    FromTheFuture {
        /// Where `ts` starts; `None`: another time was taken.
        at: Option<usize>,
        /// By how much, in milliseconds.
        ahead: Span,
        /// `time.tolerance`, in milliseconds.
        tolerance: Span,
    },
    /// The same event id of one customer came before with other content.
    #[error("event_id: this customer's touchpoint of the same id had other content")]
    ConflictingDuplicate,
}

/// What is wrong with a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Neither a string nor, where ids are concerned, an integer.
    #[error("expected {expected}, found {found}")]
    WrongKind {
        /// What may stand there.
        expected: &'static str,
        /// What stands there.
        found: Kind,
    },
    /// An id that is a number with a fraction or an exponent.
    #[error("a number in an id must be an integer")]
    NotAnInteger,
    /// Nothing but white space (or, in an event name, separators).
    #[error("empty")]
    Blank,
    /// Too long.
    #[error("{bytes} bytes, {max} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// NUL, a line break or the like.
    #[error("contains a control character")]
    ControlCharacter,
    /// An actor that is none.
    #[error("expected `customer`, `brand` or `system`")]
    UnknownActor,
    /// Not a time as it should be written.
    #[error("not a time: expected {expected}")]
    NotATime {
        /// How it should be written.
        expected: &'static str,
    },
    /// A time without a zone where none is configured.
    #[error("a time without a zone: write `Z` or an offset, or set a zone in a mapping")]
    NoZone,
    /// A time outside the years 1 to 9999.
    #[error("a time outside the years 1 to 9999")]
    OutOfRange,
}

/// What a dialect's specification does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It must be there.
    #[error("missing")]
    Missing,
    /// It must not be empty.
    #[error("empty")]
    Blank,
    /// It must be something else.
    #[error("expected {expected}, found {found}")]
    WrongKind {
        /// What may stand there.
        expected: &'static str,
        /// What stands there.
        found: Kind,
    },
    /// It must say something else.
    #[error("expected {0}")]
    Expected(&'static str),
    /// So many of something, where another number is meant.
    #[error("expected {expected} columns, found {found}")]
    Columns {
        /// How many there must be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
}

impl Reject {
    /// How much of a repeated key is shown.
    pub const KEY_MAX: usize = 64;

    /// Every code, in the order in which a record is checked.
    pub const CODES: [&str; 36] = [
        "null_value",
        "too_large",
        "empty",
        "schema_registry_framing",
        "not_utf8",
        "malformed",
        "truncated",
        "not_an_object",
        "too_deep",
        "duplicate_key",
        "bad_unicode",
        "number_out_of_range",
        "too_many_items",
        "no_items",
        "bad_event_id",
        "no_customer",
        "bad_customer_id",
        "bad_anonymous_id",
        "no_event",
        "bad_event",
        "no_time",
        "bad_time",
        "time_out_of_range",
        "from_the_future",
        "bad_channel",
        "bad_actor",
        "bad_account_id",
        "bad_text",
        "bad_properties",
        "conflicting_duplicate",
        "unknown_dialect",
        "invalid_segment",
        "invalid_cloudevents",
        "invalid_snowplow",
        "invalid_posthog",
        "invalid_ga4",
    ];

    /// Returns a short, stable name for dashboards: one of [`Self::CODES`].
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NullValue => "null_value",
            Self::Empty => "empty",
            Self::TooLarge { .. } => "too_large",
            Self::SchemaRegistryFraming { .. } => "schema_registry_framing",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::Malformed { .. } => "malformed",
            Self::Truncated { .. } => "truncated",
            Self::NotAnObject { .. } => "not_an_object",
            Self::TooDeep { .. } => "too_deep",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::BadUnicode { .. } => "bad_unicode",
            Self::NumberOutOfRange { .. } => "number_out_of_range",
            Self::TooManyItems { .. } => "too_many_items",
            Self::NoItems { .. } => "no_items",
            Self::NoCustomer { .. } => "no_customer",
            Self::NoEvent { .. } => "no_event",
            Self::NoTime { .. } => "no_time",
            Self::BadField { problem: Problem::OutOfRange, .. } => "time_out_of_range",
            Self::BadField { field, .. } => field.bad(),
            Self::Invalid { form, .. } => form.invalid(),
            Self::UnknownDialect { .. } => "unknown_dialect",
            Self::FromTheFuture { .. } => "from_the_future",
            Self::ConflictingDuplicate => "conflicting_duplicate",
        }
    }

    pub(super) fn duplicate_key(key: &str, at: usize) -> Self {
        Self::DuplicateKey { key: key.chars().take(Self::KEY_MAX).collect(), at }
    }
}

/// Returns what whoever sent it calls a field.
fn own_name(field: Field, named: Option<&'static str>) -> &'static str {
    named.unwrap_or(field.as_str())
}

/// Returns the place of a value as part of a sentence.
fn place(byte: Option<usize>) -> String {
    byte.map_or_else(String::new, |byte| format!(" at byte {byte}"))
}
