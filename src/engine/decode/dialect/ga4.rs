//! Google Analytics 4: payloads of the Measurement Protocol, and rows of the `BigQuery` export.
//!
//! A payload says once who it is, and holds events; a row is one event, its parameters a list of
//! keys and values. Times are microseconds, as numbers or as text, and are cut to milliseconds.

use std::borrow::Cow;

use super::{
    super::{
        field::{Envelope, Field, Given, Value},
        native::{only_object, read_properties},
        reader::{Kind, Reader},
        reject::{Refusal, Reject},
        scan::Scan,
    },
    ACTOR, BuiltIn, CHANNEL, Form, first,
    gather::Gathered,
    outright,
    parts::Parts,
};

const NAME: usize = 1;
const EVENT_NAME: usize = 2;
const PARAMS: usize = 3;
const EVENT_PARAMS: usize = 4;
const TIMES: [usize; 2] = [5, 6];
const USER_ID: usize = 7;
const CLIENTS: [usize; 3] = [8, 9, 10];
const PLATFORM: usize = 11;
const CATEGORY: usize = 12;
const ITEMS: usize = 13;
const ECOMMERCE: usize = 14;
const BUNDLE: usize = 15;
const BATCH_EVENT: usize = 16;
const BATCH_PAGE: usize = 17;
const OUTRIGHT: (usize, usize) = (18, 19);

pub(super) const PARTS: &[&str] = &[
    "events",
    "name",
    "event_name",
    "params",
    "event_params",
    "timestamp_micros",
    "event_timestamp",
    "user_id",
    "client_id",
    "app_instance_id",
    "user_pseudo_id",
    "platform",
    "device.category",
    "items",
    "ecommerce",
    "event_bundle_sequence_id",
    "batch_event_index",
    "batch_page_id",
    "params.rega_channel",
    "params.rega_actor",
];

/// Longer names are refused by the Measurement Protocol.
const NAME_MAX: usize = 40;

/// Reads one event.
pub(super) fn read<'a>(
    of: &'a BuiltIn,
    parts: &Parts<'a>,
    outer: Option<&Parts<'a>>,
    scan: &mut Scan<'_, '_, 'a>,
) -> Result<Envelope<'a>, Reject> {
    let name = name(parts)?;
    let mut envelope = Envelope::default();
    for from in [Some(parts), outer].into_iter().flatten() {
        first(&mut envelope, Field::CustomerId, from, &[USER_ID])?;
        first(&mut envelope, Field::AnonymousId, from, &CLIENTS)?;
        for part in TIMES {
            envelope.fill(Field::Ts, millis(from, part)?);
        }
    }
    envelope.fill(Field::EventId, identity(parts, &name));
    let event = of.event(name);
    outright(&mut envelope, parts, OUTRIGHT)?;
    properties(&mut envelope, parts, scan)?;
    let mut channel = of.hints.of_event(&event);
    for from in [Some(parts), outer].into_iter().flatten() {
        for part in [PLATFORM, CATEGORY] {
            if channel.is_none() {
                channel = from.word(part)?.and_then(|hint| of.hints.of_hint(&hint));
            }
        }
        for part in CLIENTS.into_iter().filter(|&part| from.has(part)) {
            channel = channel.or_else(|| of.hints.of_hint(from.name(part)));
        }
    }
    if let Some(channel) = channel {
        let value = Value::Text(channel.into());
        envelope.fill(Field::Channel, Given { value, at: Some(parts.start()) });
    }
    envelope.set(Field::Event, Given { value: Value::Text(event), at: parts.at(NAME) });
    Ok(envelope)
}

fn name<'a>(parts: &Parts<'a>) -> Result<Cow<'a, str>, Reject> {
    let part = if parts.has(EVENT_NAME) { EVENT_NAME } else { NAME };
    let refuse = |problem| Form::Ga4.refuse(parts.name(part), parts.at(part), problem);
    let name = match parts.kind(part) {
        None => return Err(refuse(Refusal::Missing)),
        Some(Kind::Text) => parts.word(part)?.ok_or_else(|| refuse(Refusal::Blank))?,
        Some(found) => return Err(refuse(Refusal::WrongKind { expected: "text", found })),
    };
    let letter = name.chars().next().is_some_and(char::is_alphabetic);
    let allowed = |one: char| one.is_alphanumeric() || one == '_';
    if !letter || !name.chars().all(allowed) || NAME_MAX < name.chars().count() {
        let expected = "at most 40 letters, digits and underscores, a letter first";
        return Err(refuse(Refusal::Expected(expected)));
    }
    Ok(name)
}

/// Returns a time in milliseconds: the digits of microseconds without the last three.
fn millis<'a>(parts: &Parts<'a>, part: usize) -> Result<Given<'a>, Reject> {
    let Some(raw) = parts.raw(part) else { return Ok(Given::default()) };
    let digits = raw.trim_matches('"').trim();
    let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !whole {
        let expected = Refusal::Expected("microseconds since 1970 as digits");
        return Err(Form::Ga4.refuse(parts.name(part), parts.at(part), expected));
    }
    let millis = digits.get(..digits.len().saturating_sub(3)).filter(|some| !some.is_empty());
    Ok(Given { value: Value::Number(millis.unwrap_or("0")), at: parts.at(part) })
}

/// Returns what makes a row of the export one of a kind, where the export is new enough to say so:
/// events of one bundle share a timestamp.
fn identity<'a>(parts: &Parts<'a>, name: &str) -> Given<'a> {
    let value = |part| parts.raw(part).map(|raw| raw.trim_matches('"'));
    let (Some(client), Some(at), Some(bundle), Some(event)) =
        (value(10), value(6), value(BUNDLE), value(BATCH_EVENT))
    else {
        return Given::default();
    };
    let page = value(BATCH_PAGE).unwrap_or_default();
    let id = format!("{client}-{at}-{bundle}-{page}-{event}-{name}");
    Given { value: Value::Text(Cow::Owned(id)), at: parts.at(EVENT_NAME) }
}

fn properties<'a>(
    envelope: &mut Envelope<'a>,
    parts: &Parts<'a>,
    scan: &mut Scan<'_, '_, 'a>,
) -> Result<(), Reject> {
    if let Some(mut reader) = parts.reader(PARAMS) {
        if reader.kind()? == Kind::Object {
            return read_properties(envelope, &mut reader, scan);
        }
        envelope.set(Field::Properties, parts.given(PARAMS)?);
        return only_object(envelope);
    }
    let mut gathered = Gathered::default();
    if let Some(mut reader) = parts.reader(EVENT_PARAMS) {
        if reader.kind()? != Kind::Array {
            let problem = Refusal::Expected("a list of keys and values");
            let at = parts.at(EVENT_PARAMS);
            return Err(Form::Ga4.refuse(parts.name(EVENT_PARAMS), at, problem));
        }
        reader.array(|reader| {
            let (key, value) = parameter(reader)?;
            match &*key {
                CHANNEL => envelope.fill(Field::Channel, value_of(value)?),
                ACTOR => envelope.fill(Field::Actor, value_of(value)?),
                _ => {}
            }
            gathered.add(&key, value);
            Ok(())
        })?;
    }
    gathered.add("items", parts.raw(ITEMS).unwrap_or_default());
    if let Some(mut reader) = parts.reader(ECOMMERCE)
        && reader.kind()? == Kind::Object
    {
        gathered.add_members(&mut reader)?;
    }
    gathered.into_properties(envelope, scan)
}

/// Reads `{"key": …, "value": {"string_value": …, "int_value": …}}`.
fn parameter<'a>(reader: &mut Reader<'a>) -> Result<(Cow<'a, str>, &'a str), Reject> {
    let at = reader.kind().map(|kind| (kind, reader.at()))?;
    let refuse = |problem| Form::Ga4.refuse("event_params", Some(at.1), problem);
    if at.0 != Kind::Object {
        return Err(refuse(Refusal::WrongKind { expected: "an object", found: at.0 }));
    }
    let (mut key, mut value) = (None, "");
    reader.object(|reader, member| match &*member.decode()? {
        "key" if reader.kind()? == Kind::Text => {
            key = Some(reader.text()?.decode()?);
            Ok(())
        }
        "value" if reader.kind()? == Kind::Object => reader.object(|reader, kind| {
            let kind = kind.decode()?;
            let found = reader.kind()?;
            let start = reader.at();
            reader.pass()?;
            let raw = reader.since(start);
            let known =
                matches!(&*kind, "string_value" | "int_value" | "float_value" | "double_value");
            if known && found != Kind::Null && value.is_empty() {
                // The export writes 64-bit integers as text.
                let number = kind != "string_value" && found == Kind::Text;
                value = if number { raw.trim_matches('"') } else { raw };
            }
            Ok(())
        }),
        _ => reader.pass(),
    })?;
    let key = key.ok_or_else(|| refuse(Refusal::Missing))?;
    let mut number = Reader::starting_at(value, 0);
    if value.is_empty() || number.pass().and_then(|()| number.finish()).is_ok() {
        return Ok((key, value));
    }
    Err(refuse(Refusal::Expected("a number")))
}

fn value_of(raw: &str) -> Result<Given<'_>, Reject> {
    if raw.is_empty() { Ok(Given::default()) } else { Reader::starting_at(raw, 0).given() }
}
