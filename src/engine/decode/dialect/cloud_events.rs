//! `CloudEvents` 1.0: structured JSON, a batch of it, or Kafka's binary mode.
//!
//! An event is one of a kind by `source` and `id` together, so both make the event id. In binary
//! mode the attributes are record headers; they are put together with the data into the structured
//! form, so that there is one reading of both.

use std::borrow::Cow;

use super::{
    super::{
        field::{Envelope, Field, Given, Value},
        native::read_properties,
        reader::{Kind, Reader},
        reject::{Refusal, Reject},
        scan::Scan,
    },
    BuiltIn, Form,
    encoded::from_base64,
    gather::{Gathered, push_text, set_properties},
    outright,
    parts::Parts,
};
use crate::model::stable_hash;

const SPECVERSION: usize = 0;
const ID: usize = 1;
const SOURCE: usize = 2;
const TYPE: usize = 3;
const SUBJECT: usize = 4;
const TIME: usize = 5;
const CONTENT_TYPE: usize = 6;
const SCHEMA: usize = 7;
const DATA: usize = 8;
const DATA_BASE64: usize = 9;
const OUTRIGHT: (usize, usize) = (10, 11);

pub(super) const PARTS: &[&str] = &[
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
    "data",
    "data_base64",
    "regachannel",
    "regaactor",
];

/// Longer than that, an event id is made of hashes.
const ID_MAX: usize = 256;

/// Reads one event.
pub(super) fn read<'a>(
    of: &'a BuiltIn,
    parts: &Parts<'a>,
    scan: &mut Scan<'_, '_, 'a>,
) -> Result<Envelope<'a>, Reject> {
    let refuse = |part, problem| refuse(parts, part, problem);
    let version = needed(parts, SPECVERSION)?;
    if version != "1.0" {
        return Err(refuse(SPECVERSION, Refusal::Expected("`1.0`")));
    }
    let id = needed(parts, ID)?;
    let source = needed(parts, SOURCE)?;
    if !is_uri_reference(&source) {
        return Err(refuse(SOURCE, Refusal::Expected("a URI reference")));
    }
    let name = needed(parts, TYPE)?;
    for part in [SUBJECT, CONTENT_TYPE, SCHEMA, TIME, DATA_BASE64] {
        text_or_nothing(parts, part)?;
    }
    attribute_names(parts)?;
    if parts.has(DATA) && parts.has(DATA_BASE64) {
        return Err(refuse(DATA_BASE64, Refusal::Expected("either `data` or `data_base64`")));
    }
    let mut envelope = Envelope::default();
    let value = Value::Text(Cow::Owned(identity(&source, &id)));
    envelope.set(Field::EventId, Given { value, at: parts.at(ID) });
    envelope.fill(Field::CustomerId, parts.given(SUBJECT)?);
    envelope.fill(Field::Ts, parts.given(TIME)?);
    envelope.corrected = true;
    let event = of.event(name);
    outright(&mut envelope, parts, OUTRIGHT)?;
    if let Some(channel) = of.hints.of_event(&event) {
        envelope.fill(Field::Channel, Given { value: Value::Text(channel.into()), at: Some(0) });
    }
    envelope.set(Field::Event, Given { value: Value::Text(event), at: parts.at(TYPE) });
    data(parts, &mut envelope, scan)?;
    Ok(envelope)
}

/// Returns what a type says that has happened: without the reverse domain name of whoever says it
/// (as `com.acme`) and without a version or a date behind it. What would leave nothing stays.
pub(super) fn what(name: &str) -> &str {
    let mut what = name;
    while let Some((rest, last)) = what.rsplit_once('.') {
        let digits = last.strip_prefix(['v', 'V']).unwrap_or(last);
        let number = |byte: u8| byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        if digits.is_empty() || rest.is_empty() || !digits.bytes().all(number) {
            break;
        }
        what = rest;
    }
    without_domain(what).unwrap_or(what)
}

/// Returns what stands behind a reverse domain name, if there is one and something behind it.
fn without_domain(what: &str) -> Option<&str> {
    let (top, rest) = what.split_once('.')?;
    let (name, rest) = rest.split_once('.')?;
    let second = matches!(name, "com" | "co" | "org" | "net");
    let rest = match top {
        // `br.com.acme`, `uk.co.acme`.
        _ if top.len() == 2 && second => rest.split_once('.')?.1,
        "com" | "org" | "net" | "io" | "co" | "dev" | "ai" | "eu" => rest,
        _ => return None,
    };
    (!rest.is_empty()).then_some(rest)
}

fn refuse(parts: &Parts<'_>, part: usize, problem: Refusal) -> Reject {
    Form::CloudEvents.refuse(parts.name(part), parts.at(part), problem)
}

/// Returns an attribute that must be there, and say something.
fn needed<'a>(parts: &Parts<'a>, part: usize) -> Result<Cow<'a, str>, Reject> {
    match parts.kind(part) {
        None => Err(refuse(parts, part, Refusal::Missing)),
        Some(Kind::Text) => parts.word(part)?.ok_or_else(|| refuse(parts, part, Refusal::Blank)),
        Some(found) => Err(refuse(parts, part, Refusal::WrongKind { expected: "text", found })),
    }
}

fn text_or_nothing(parts: &Parts<'_>, part: usize) -> Result<(), Reject> {
    match parts.kind(part) {
        None => Ok(()),
        // An empty `data_base64` is no data; an empty attribute is against the specification.
        Some(Kind::Text) if part == DATA_BASE64 || parts.word(part)?.is_some() => Ok(()),
        Some(Kind::Text) => Err(refuse(parts, part, Refusal::Blank)),
        Some(found) => Err(refuse(parts, part, Refusal::WrongKind { expected: "text", found })),
    }
}

/// Makes sure that the event has attributes as they may be: names of lower-case letters and digits,
/// values that are no arrays, objects or fractions.
fn attribute_names(parts: &Parts<'_>) -> Result<(), Reject> {
    let mut reader = Reader::starting_at(parts.text(), parts.start());
    reader.object(|reader, key| {
        let at = key.at;
        let name = key.decode()?;
        if name == "data" || name == "data_base64" {
            return reader.pass();
        }
        let refuse = |problem| Err(Form::CloudEvents.refuse(&name, Some(at), problem));
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if name.is_empty() || !name.bytes().all(allowed) {
            return refuse(Refusal::Expected("an attribute name of lower-case letters and digits"));
        }
        match reader.kind()? {
            Kind::Null | Kind::Flag | Kind::Text => reader.pass(),
            Kind::Number => {
                let number = reader.number()?;
                let whole = number.parse::<i32>().is_ok();
                if whole { Ok(()) } else { refuse(Refusal::Expected("an integer of 32 bits")) }
            }
            found @ (Kind::Array | Kind::Object) => {
                refuse(Refusal::WrongKind { expected: "text, an integer, true or false", found })
            }
        }
    })
}

/// Returns whether that can be a URI reference: no white space, and nothing that must be encoded.
fn is_uri_reference(text: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "<>\"{}|\\^`".contains(c);
    !text.contains(forbidden)
}

/// Returns what makes the event one of a kind. No source has a `|` in it.
fn identity(source: &str, id: &str) -> String {
    if source.len() + id.len() < ID_MAX {
        return format!("{source}|{id}");
    }
    let (source, id) = (stable_hash(source.as_bytes()), stable_hash(id.as_bytes()));
    format!("ce|{source:016x}|{id:016x}")
}

/// Reads the data: an object is the properties; anything else is the property `data`.
fn data<'a>(
    parts: &Parts<'a>,
    envelope: &mut Envelope<'a>,
    scan: &mut Scan<'_, '_, 'a>,
) -> Result<(), Reject> {
    if let Some(mut reader) = parts.reader(DATA) {
        if reader.kind()? == Kind::Object {
            return read_properties(envelope, &mut reader, scan);
        }
        let mut gathered = Gathered::default();
        gathered.add("data", parts.raw(DATA).unwrap_or_default());
        return gathered.into_properties(envelope, scan);
    }
    let Some(encoded) = parts.word(DATA_BASE64)? else { return Ok(()) };
    let Some(bytes) = from_base64(&encoded) else {
        return Err(refuse(parts, DATA_BASE64, Refusal::Expected("base64")));
    };
    // Bytes that are no text are for somebody else; that they were there is known by the event.
    let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
    let mut reader = Reader::starting_at(&text, 0);
    let is_object = reader.kind().is_ok_and(|kind| kind == Kind::Object)
        && reader.pass().and_then(|()| reader.finish()).is_ok();
    if is_object {
        return set_properties(text, envelope, scan);
    }
    let mut json = String::from("{\"data\":");
    push_text(&mut json, &text);
    json.push('}');
    set_properties(json, envelope, scan)
}

/// What headers of attributes start with in binary mode.
const PREFIX: &str = "ce_";

/// Returns whether the headers are those of an event in binary mode.
pub(super) fn is_binary(headers: &[(&str, &[u8])]) -> bool {
    headers.iter().any(|(name, _)| *name == "ce_specversion")
        && !content_type(headers).is_some_and(|one| one.starts_with("application/cloudevents"))
}

fn content_type<'h>(headers: &[(&str, &'h [u8])]) -> Option<&'h str> {
    let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"))?;
    str::from_utf8(found.1).ok()
}

/// Returns an event in binary mode in the structured form.
pub(super) fn structured(
    headers: &[(&str, &[u8])],
    value: Option<&[u8]>,
) -> Result<String, Reject> {
    let mut event = Gathered::default();
    let mut raw = String::new();
    for (header, bytes) in headers {
        let Some(name) = header.strip_prefix(PREFIX) else { continue };
        let Ok(text) = str::from_utf8(bytes) else {
            return Err(Form::CloudEvents.refuse(header, None, Refusal::Expected("UTF-8")));
        };
        raw.clear();
        push_text(&mut raw, text);
        event.add(name, &raw);
    }
    let content_type = content_type(headers);
    if let Some(content_type) = content_type {
        raw.clear();
        push_text(&mut raw, content_type);
        event.add("datacontenttype", &raw);
    }
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        add_data(&mut event, content_type, value)?;
    }
    Ok(event.into_json())
}

/// Adds the data: JSON as it is, other text as text. Other bytes say nothing to rules.
fn add_data(event: &mut Gathered, content_type: Option<&str>, value: &[u8]) -> Result<(), Reject> {
    let is_json = content_type.is_none_or(|one| {
        let kind = one.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json")
    });
    let Ok(text) = str::from_utf8(value) else {
        let at = str::from_utf8(value).map_or_else(|error| error.valid_up_to(), str::len);
        return if is_json { Err(Reject::NotUtf8 { at }) } else { Ok(()) };
    };
    if is_json {
        let mut reader = Reader::starting_at(text, 0);
        reader.pass()?;
        reader.finish()?;
        event.add("data", text.trim());
    } else {
        let mut raw = String::new();
        push_text(&mut raw, text);
        event.add("data", &raw);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: &str) {
        assert_eq!(what(name), expected);
    }

    #[test]
    fn neither_who_says_it_nor_its_version_is_part_of_what_happened() {
        check("order.placed", "order.placed");
        check("com.acme.order.placed", "order.placed");
        check("io.acme.OrderPlaced.v2", "OrderPlaced");
        check("br.com.loja.order.placed.v1.0", "order.placed");
        check("order.placed.2026-01-01", "order.placed");
        check("shop.order.v2.created", "shop.order.v2.created");
        check("com.acme", "com.acme");
        check("com.acme.", "com.acme.");
        check("v1", "v1");
        check(".1", ".1");
    }
}
