//! From an envelope's fields to a touchpoint: every field is judged here, whatever it came from.

use std::borrow::Cow;

use super::{
    Decoder,
    field::{Envelope, Field, Given, Value},
    names::normal_channel,
    properties::Properties,
    reject::{Problem, Reject},
    scan::mix,
    time::{BadTime, TimeReading, Times},
};
use crate::{
    engine::Record,
    model::{Actor, Channels, EventTime, StableHash, Touchpoint, stable_hash},
};

/// Longer than any id seen. Ids are keys in Kafka and in state rows.
const ID_MAX: usize = 256;

/// What the id of an unknown customer starts with.
const ANONYMOUS: &str = "anon:";

/// What could have said who it was, in Rega's own form.
const NOBODY: &str = "a customer_id nor an anonymous_id";

/// Longer than any event name seen. Names are shown, hashed, and compared for every touchpoint.
const EVENT_MAX: usize = 128;

/// Longer than any channel name seen.
const CHANNEL_MAX: usize = 64;

/// Where an item comes from, for what it does not say itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'r, 'a> {
    pub(super) record: &'r Record<'a>,
    /// The position in its batch; `None`: the record is the item.
    pub(super) index: Option<u32>,
    /// The byte of the record where it starts.
    pub(super) at: usize,
    pub(super) now: EventTime,
    /// How its times are written.
    pub(super) times: &'r Times,
}

impl Decoder {
    /// Judges the fields of one item.
    pub(super) fn touchpoint<'a>(
        &'a self,
        mut envelope: Envelope<'a>,
        properties: &Properties<'a>,
        origin: Origin<'_, 'a>,
    ) -> Result<Touchpoint<'a>, Reject> {
        let at = origin.at;
        let event_id = id(envelope.take(Field::EventId), Field::EventId, ID_MAX)?;
        let customer = envelope.take(Field::CustomerId);
        let anonymous_id = optional_id(&mut envelope, Field::AnonymousId)?;
        // Beside an anonymous id a blank one says "not logged in". Alone it was meant to be one.
        let customer_id = match &anonymous_id {
            Some(_) if is_blank(&customer) => None,
            Some(_) | None => id(customer, Field::CustomerId, ID_MAX)?,
        };
        let account_id = optional_id(&mut envelope, Field::AccountId)?;
        let customer_id = match (customer_id, &anonymous_id) {
            (Some(id), _) => id,
            (None, Some(id)) => Cow::Owned(format!("{ANONYMOUS}{id}")),
            (None, None) => return Err(Reject::NoCustomer { at, fields: NOBODY }),
        };
        let event = self.event(&mut envelope, at)?;
        let (ts, ts_assumed) = self.time(&mut envelope, origin)?;
        let channel = channel(&mut envelope)?;
        let actor = actor(&mut envelope)?;
        let own_text = own_text(&mut envelope)?;
        let content_hash = [
            Some(&*channel),
            Some(&*event),
            actor.map(Actor::as_str),
            own_text.as_deref(),
            account_id.as_deref(),
            anonymous_id.as_deref(),
        ]
        .into_iter()
        .fold(envelope.properties_hash, content_hash);
        let text = own_text.or_else(|| self.text_fields.find(&event, actor, properties));
        Ok(Touchpoint {
            event_id_assumed: event_id.is_none(),
            event_id: event_id.unwrap_or_else(|| origin.event_id()),
            customer_id,
            ts,
            ts_assumed,
            channel,
            event,
            actor,
            account_id,
            text,
            properties: envelope.properties,
            content_hash,
        })
    }

    fn event<'a>(&'a self, envelope: &mut Envelope<'a>, at: usize) -> Result<Cow<'a, str>, Reject> {
        let given = envelope.take(Field::Event);
        let bad = bad_field(Field::Event, given.at);
        let name = text(given, Field::Event, EVENT_MAX)?.ok_or(Reject::NoEvent { at })?;
        let event = self.event_names.canonical(name);
        if event.is_empty() { Err(bad(Problem::Blank)) } else { Ok(event) }
    }

    /// Returns the event time, and whether it was assumed.
    fn time(
        &self,
        envelope: &mut Envelope<'_>,
        origin: Origin<'_, '_>,
    ) -> Result<(EventTime, bool), Reject> {
        let ts = envelope.take(Field::Ts);
        let at = ts.at;
        let as_sent = time(&ts, Field::Ts, &origin.times.ts)?;
        let sent_at = time(&envelope.take(Field::SentAt), Field::SentAt, &origin.times.sent_at)?;
        let received_at =
            time(&envelope.take(Field::ReceivedAt), Field::ReceivedAt, &origin.times.received_at)?;
        let ts = match (as_sent, sent_at, received_at) {
            // What the sender's clock was off by cancels out, if the way took no time.
            (Some(ts), Some(sent), Some(received)) if !envelope.corrected => {
                received.minus(sent.since(ts))
            }
            (Some(ts), _, _) => ts,
            (None, sent, received) => sent
                .or(received)
                .or(origin.record.timestamp)
                .ok_or(Reject::NoTime { at: origin.at })?,
        };
        let ahead = ts.since(origin.now);
        if ahead > self.tolerance {
            return Err(Reject::FromTheFuture { at, ahead, tolerance: self.tolerance });
        }
        Ok((ts, as_sent.is_none()))
    }
}

impl<'a> Origin<'_, 'a> {
    /// Returns the id of a touchpoint that was given none. At one instant these have the order of the
    /// records ([`Order`](crate::engine::state::Order)).
    fn event_id(&self) -> Cow<'a, str> {
        let Record { topic, partition, offset, .. } = self.record;
        Cow::Owned(match self.index {
            Some(index) => format!("{topic}-{partition}-{offset}-{index}"),
            None => format!("{topic}-{partition}-{offset}"),
        })
    }
}

/// Reads a text field: trimmed, without control characters, at most `max` bytes.
fn text(given: Given<'_>, field: Field, max: usize) -> Result<Option<Cow<'_, str>>, Reject> {
    let Given { value, at } = given;
    let bad = bad_field(field, at);
    let text = match value {
        Value::Null => return Ok(None),
        Value::Text(text) => trimmed(text),
        Value::Flag(_) | Value::Number(_) | Value::Nested(_) => {
            return Err(bad(Problem::WrongKind { expected: "text", found: value.kind() }));
        }
    };
    if text.len() > max {
        return Err(bad(Problem::TooLong { bytes: text.len(), max }));
    }
    if has_control(&text) {
        return Err(bad(Problem::ControlCharacter));
    }
    Ok(Some(text))
}

/// Returns whether there is a control character. Names and ids are mostly ASCII, and looking at
/// all of their bytes is faster than stopping at the first.
fn has_control(text: &str) -> bool {
    let control = |found: bool, byte: u8| found | byte.is_ascii_control() | !byte.is_ascii();
    text.bytes().fold(false, control) && text.chars().any(char::is_control)
}

/// Reads an id: text that is not blank, or an integer, which reads as its decimal text.
fn id(given: Given<'_>, field: Field, max: usize) -> Result<Option<Cow<'_, str>>, Reject> {
    let bad = bad_field(field, given.at);
    let value = match given.value {
        Value::Number(number) if number.contains(['.', 'e', 'E']) => {
            return Err(bad(Problem::NotAnInteger));
        }
        Value::Number(number) => Value::Text(Cow::Borrowed(number)),
        value @ (Value::Null | Value::Flag(_) | Value::Text(_) | Value::Nested(_)) => value,
    };
    let id = text(Given { value, at: given.at }, field, max)?;
    if id.as_ref().is_some_and(|id| id.is_empty()) { Err(bad(Problem::Blank)) } else { Ok(id) }
}

/// Reads an id that may be blank, which many senders write for "none".
fn optional_id<'a>(
    envelope: &mut Envelope<'a>,
    field: Field,
) -> Result<Option<Cow<'a, str>>, Reject> {
    let given = envelope.take(field);
    if is_blank(&given) {
        return Ok(None);
    }
    id(given, field, ID_MAX - ANONYMOUS.len())
}

fn is_blank(given: &Given<'_>) -> bool {
    matches!(&given.value, Value::Text(text) if text.trim().is_empty())
}

fn channel<'a>(envelope: &mut Envelope<'a>) -> Result<Cow<'a, str>, Reject> {
    let channel = text(envelope.take(Field::Channel), Field::Channel, CHANNEL_MAX)?
        .filter(|channel| !channel.is_empty());
    Ok(channel.map_or(Cow::Borrowed(Channels::OTHER), normal_channel))
}

fn actor(envelope: &mut Envelope<'_>) -> Result<Option<Actor>, Reject> {
    let given = envelope.take(Field::Actor);
    let bad = bad_field(Field::Actor, given.at);
    let Some(name) = text(given, Field::Actor, CHANNEL_MAX)?.filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    let actor = Actor::parse(&name).or_else(|| Actor::parse(&name.to_ascii_lowercase()));
    actor.map(Some).ok_or_else(|| bad(Problem::UnknownActor))
}

/// Reads what the customer wrote: as it is, line breaks and all.
fn own_text<'a>(envelope: &mut Envelope<'a>) -> Result<Option<Cow<'a, str>>, Reject> {
    let Given { value, at } = envelope.take(Field::Text);
    match value {
        Value::Null => Ok(None),
        Value::Text(text) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        Value::Flag(_) | Value::Number(_) | Value::Nested(_) => {
            let problem = Problem::WrongKind { expected: "text", found: value.kind() };
            Err(Reject::BadField { field: Field::Text, named: None, at, problem })
        }
    }
}

fn time(
    given: &Given<'_>,
    field: Field,
    reading: &TimeReading,
) -> Result<Option<EventTime>, Reject> {
    if given.value == Value::Null {
        return Ok(None);
    }
    reading.read(&given.value).map(Some).map_err(|bad| {
        let problem = match bad {
            BadTime::Unreadable => Problem::NotATime { expected: reading.expected() },
            BadTime::NoZone => Problem::NoZone,
            BadTime::OutOfRange => Problem::OutOfRange,
        };
        bad_field(field, given.at)(problem)
    })
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

fn bad_field(field: Field, at: Option<usize>) -> impl Fn(Problem) -> Reject {
    move |problem| Reject::BadField { field, named: None, at, problem }
}

fn content_hash(before: StableHash, part: Option<&str>) -> StableHash {
    mix(before, part.map_or(0, |part| stable_hash(part.as_bytes())))
}
