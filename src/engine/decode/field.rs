//! The fields of a touchpoint's envelope, as they are named on the wire.

use std::{borrow::Cow, fmt};

use super::reader::Kind;

/// A field of the envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Field {
    /// Unique per customer.
    EventId,
    /// The customer.
    CustomerId,
    /// Whoever is not known by name.
    AnonymousId,
    /// The company that the customer belongs to.
    AccountId,
    /// When it happened.
    Ts,
    /// When it was sent.
    SentAt,
    /// When it was received.
    ReceivedAt,
    /// Where it happened.
    Channel,
    /// What happened.
    Event,
    /// Who acted.
    Actor,
    /// What the customer wrote.
    Text,
    /// Everything else.
    Properties,
}

impl Field {
    /// How many there are.
    pub(super) const COUNT: usize = 12;

    /// Every field.
    pub(super) const ALL: [Self; Self::COUNT] = [
        Self::EventId,
        Self::CustomerId,
        Self::AnonymousId,
        Self::AccountId,
        Self::Ts,
        Self::SentAt,
        Self::ReceivedAt,
        Self::Channel,
        Self::Event,
        Self::Actor,
        Self::Text,
        Self::Properties,
    ];

    /// Returns the name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventId => "event_id",
            Self::CustomerId => "customer_id",
            Self::AnonymousId => "anonymous_id",
            Self::AccountId => "account_id",
            Self::Ts => "ts",
            Self::SentAt => "sent_at",
            Self::ReceivedAt => "received_at",
            Self::Channel => "channel",
            Self::Event => "event",
            Self::Actor => "actor",
            Self::Text => "text",
            Self::Properties => "properties",
        }
    }

    /// Returns the field of that name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "event_id" => Self::EventId,
            "customer_id" => Self::CustomerId,
            "anonymous_id" => Self::AnonymousId,
            "account_id" => Self::AccountId,
            "ts" => Self::Ts,
            "sent_at" => Self::SentAt,
            "received_at" => Self::ReceivedAt,
            "channel" => Self::Channel,
            "event" => Self::Event,
            "actor" => Self::Actor,
            "text" => Self::Text,
            "properties" => Self::Properties,
            _ => return None,
        })
    }

    /// Returns the code of a reject for a value of this field that cannot be used.
    pub(super) const fn bad(self) -> &'static str {
        match self {
            Self::EventId => "bad_event_id",
            Self::CustomerId => "bad_customer_id",
            Self::AnonymousId => "bad_anonymous_id",
            Self::AccountId => "bad_account_id",
            Self::Ts | Self::SentAt | Self::ReceivedAt => "bad_time",
            Self::Channel => "bad_channel",
            Self::Event => "bad_event",
            Self::Actor => "bad_actor",
            Self::Text => "bad_text",
            Self::Properties => "bad_properties",
        }
    }

    #[expect(clippy::as_conversions, reason = "a fieldless `repr(u8)` enum is its index")]
    const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A JSON value, as far as the envelope cares.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Value<'a> {
    /// `null`, or not there: the two mean the same in an envelope.
    #[default]
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number, as it is written.
    Number(&'a str),
    /// A string.
    Text(Cow<'a, str>),
    /// An array or an object, passed over.
    Nested(Kind),
}

impl Value<'_> {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Flag(_) => Kind::Flag,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
            Self::Nested(kind) => *kind,
        }
    }
}

/// What a field was given as.
#[derive(Clone, Debug, Default)]
pub(super) struct Given<'a> {
    /// The value.
    pub(super) value: Value<'a>,
    /// The byte in the record where it starts; `None`: not there, or a mapping's constant.
    pub(super) at: Option<usize>,
}

/// One touchpoint's fields before any of them is judged.
#[derive(Debug, Default)]
pub(super) struct Envelope<'a> {
    fields: [Given<'a>; Field::COUNT],
    /// The properties as JSON, empty where there are none.
    pub(super) properties: Cow<'a, str>,
    /// The hash of their content.
    pub(super) properties_hash: crate::model::StableHash,
    /// `ts` has been corrected for the sender's clock by whoever passed it on.
    pub(super) corrected: bool,
}

impl<'a> Envelope<'a> {
    /// Returns what a field was given as, and leaves it empty.
    pub(super) fn take(&mut self, field: Field) -> Given<'a> {
        self.fields.get_mut(field.index()).map(std::mem::take).unwrap_or_default()
    }

    /// Sets a field.
    pub(super) fn set(&mut self, field: Field, given: Given<'a>) {
        if let Some(slot) = self.fields.get_mut(field.index()) {
            *slot = given;
        }
    }

    /// Sets a field that is there, and was not before.
    pub(super) fn fill(&mut self, field: Field, given: Given<'a>) {
        if given.value != Value::Null && !self.has(field) {
            self.set(field, given);
        }
    }

    /// Returns whether the field was there, be it as `null`.
    pub(super) fn has(&self, field: Field) -> bool {
        self.fields.get(field.index()).is_some_and(|given| given.at.is_some())
    }
}
