//! `PostHog`'s captured events, alone, as a batch, or as its own Kafka topic has them.
//!
//! `distinct_id` is a person or, before anybody has said who it is, a device: then it is the
//! anonymous id. `PostHog` says so by `$is_identified`, or by giving the device's id twice.

use super::{
    super::{
        field::{Envelope, Field, Given, Value},
        native::{only_object, read_properties},
        reader::{Kind, Reader},
        reject::{Refusal, Reject},
        scan::Scan,
    },
    BuiltIn, Form, first,
    gather::Gathered,
    outright,
    parts::Parts,
};

const EVENT: usize = 1;
const DISTINCT_ID: usize = 2;
const OWN_DISTINCT_ID: usize = 3;
const UUID: usize = 4;
const INSERT_ID: usize = 5;
const TIMESTAMP: usize = 6;
const SENT_AT: usize = 7;
const PROPERTIES: usize = 8;
const DEVICE_ID: usize = 9;
const IS_IDENTIFIED: usize = 10;
const EVENT_TYPE: usize = 11;
const ACCOUNT: [usize; 3] = [12, 13, 14];
const HINTS: [usize; 3] = [15, 16, 17];
const OUTRIGHT: (usize, usize) = (18, 19);

pub(super) const PARTS: &[&str] = &[
    "batch",
    "event",
    "distinct_id",
    "properties.distinct_id",
    "uuid",
    "properties.$insert_id",
    "timestamp",
    "sent_at",
    "properties",
    "properties.$device_id",
    "properties.$is_identified",
    "properties.$event_type",
    "properties.$groups.company",
    "properties.$groups.organization",
    "properties.$groups.account",
    "properties.$lib",
    "properties.$device_type",
    "properties.$os",
    "properties.rega_channel",
    "properties.rega_actor",
];

/// Every click and form that `PostHog`'s library sees by itself; what it was stands in `$event_type`.
const AUTOCAPTURE: &str = "$autocapture";

/// Reads one event.
pub(super) fn read<'a>(
    of: &'a BuiltIn,
    parts: &Parts<'a>,
    outer: Option<&Parts<'a>>,
    scan: &mut Scan<'_, '_, 'a>,
) -> Result<Envelope<'a>, Reject> {
    let refuse = |problem| Form::PostHog.refuse(parts.name(EVENT), parts.at(EVENT), problem);
    let name = match parts.kind(EVENT) {
        None => return Err(refuse(Refusal::Missing)),
        Some(Kind::Text) => parts.word(EVENT)?.ok_or_else(|| refuse(Refusal::Blank))?,
        Some(found) => return Err(refuse(Refusal::WrongKind { expected: "text", found })),
    };
    let mut envelope = Envelope::default();
    first(&mut envelope, Field::EventId, parts, &[UUID, INSERT_ID])?;
    for from in [Some(parts), outer].into_iter().flatten() {
        who(&mut envelope, from)?;
        first(&mut envelope, Field::SentAt, from, &[SENT_AT])?;
    }
    first(&mut envelope, Field::AccountId, parts, &ACCOUNT)?;
    first(&mut envelope, Field::Ts, parts, &[TIMESTAMP])?;
    let event = match parts.word(EVENT_TYPE)? {
        Some(kind) if name == AUTOCAPTURE => of.event(format!("{AUTOCAPTURE}_{kind}").into()),
        Some(_) | None => of.event(name),
    };
    outright(&mut envelope, parts, OUTRIGHT)?;
    let mut channel = of.hints.of_event(&event);
    for part in HINTS {
        if channel.is_none() {
            channel = parts.word(part)?.and_then(|hint| of.hints.of_hint(&hint));
        }
    }
    if let Some(channel) = channel {
        let value = Value::Text(channel.into());
        envelope.fill(Field::Channel, Given { value, at: Some(parts.start()) });
    }
    envelope.set(Field::Event, Given { value: Value::Text(event), at: parts.at(EVENT) });
    let Some(mut reader) = parts.reader(PROPERTIES) else { return Ok(envelope) };
    if reader.kind()? == Kind::Object {
        read_properties(&mut envelope, &mut reader, scan)?;
    } else {
        envelope.set(Field::Properties, parts.given(PROPERTIES)?);
        only_object(&mut envelope)?;
    }
    Ok(envelope)
}

fn who<'a>(envelope: &mut Envelope<'a>, parts: &Parts<'a>) -> Result<(), Reject> {
    let part = if parts.has(DISTINCT_ID) { DISTINCT_ID } else { OWN_DISTINCT_ID };
    let unidentified = parts.raw(IS_IDENTIFIED) == Some("false");
    let is_device = parts.has(DEVICE_ID) && parts.raw(DEVICE_ID) == parts.raw(part);
    let field = if unidentified || is_device { Field::AnonymousId } else { Field::CustomerId };
    if !envelope.has(Field::CustomerId) && !envelope.has(Field::AnonymousId) {
        envelope.fill(field, parts.given(part)?);
    }
    Ok(())
}

/// Returns the event with its properties as an object, where they stand as text: so does the topic
/// that `PostHog`'s own database reads.
pub(super) fn unpacked(parts: &Parts<'_>) -> Result<Option<String>, Reject> {
    if parts.kind(PROPERTIES) != Some(Kind::Text) {
        return Ok(None);
    }
    let refuse = || {
        let expected = Refusal::Expected("an object, or the JSON of one as text");
        Form::PostHog.refuse(parts.name(PROPERTIES), parts.at(PROPERTIES), expected)
    };
    let text = parts.word(PROPERTIES)?.unwrap_or_else(|| "{}".into());
    let mut inner = Reader::starting_at(&text, 0);
    let is_object = inner.kind().is_ok_and(|kind| kind == Kind::Object)
        && inner.pass().and_then(|()| inner.finish()).is_ok();
    if !is_object {
        return Err(refuse());
    }
    let mut whole = Gathered::default();
    whole.add("properties", &text);
    whole.add_members(&mut Reader::starting_at(parts.text(), parts.start()))?;
    Ok(Some(whole.into_json()))
}
