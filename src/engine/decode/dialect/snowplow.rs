//! Snowplow's enriched events: TSV of 131 columns, or JSON as its analytics SDKs write it.
//!
//! TSV is put into the JSON form first, so that there is one reading of both. The properties are
//! what the self-describing event says, then what the columns say, then the entities, each under
//! its name: `product`, `transaction`, `com_acme_loyalty_card`.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    super::{
        field::{Envelope, Field, Given, Value},
        names::normal_event,
        reader::{Kind, Reader},
        reject::{Refusal, Reject},
        scan::Scan,
        text::RawText,
    },
    ACTOR, BuiltIn, CHANNEL, Form,
    columns::{COLUMNS, Holds, is_told},
    first,
    gather::{Gathered, push_text},
    parts::Parts,
};

const EVENT: usize = 0;
const EVENT_ID: usize = 1;
const EVENT_NAME: usize = 2;
const USER_ID: usize = 3;
const ANONYMOUS: [usize; 2] = [4, 5];
const TRUE_TIMES: [usize; 2] = [6, 7];
const CREATED: usize = 8;
const SENT: usize = 9;
const COLLECTED: usize = 10;
const PLATFORM: usize = 11;
const ACTION: usize = 12;
const CATEGORY: usize = 13;

pub(super) const PARTS: &[&str] = &[
    "event",
    "event_id",
    "event_name",
    "user_id",
    "domain_userid",
    "network_userid",
    "true_tstamp",
    "derived_tstamp",
    "dvce_created_tstamp",
    "dvce_sent_tstamp",
    "collector_tstamp",
    "platform",
    "se_action",
    "se_category",
];

/// What keys of the analytics SDKs start with.
const UNSTRUCT: &str = "unstruct_event";
const CONTEXTS: &str = "contexts";
const DERIVED_CONTEXTS: &str = "derived_contexts";

/// The self-describing event of Snowplow's ecommerce plugin: what was done stands in its `type`.
const ECOMMERCE: &str = "snowplow_ecommerce_action";

/// The entity in which mobile trackers say which device it is.
const SESSION: &str = "client_session";

/// Returns whether a record can be TSV: JSON begins with a brace or a bracket.
pub(super) fn is_tsv(text: &str) -> bool {
    !text.trim_start_matches(['\u{feff}', ' ', '\r', '\n']).starts_with(['{', '['])
}

/// How many columns a row has.
pub(super) const COLUMN_COUNT: usize = COLUMNS.len();

/// Returns how many columns a record has.
pub(super) fn column_count(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\t').count() + 1
}

/// Returns a row of TSV in the JSON form.
pub(super) fn from_tsv(text: &str) -> Result<String, Reject> {
    let found = column_count(text);
    if found != COLUMN_COUNT {
        let problem = Refusal::Columns { expected: COLUMN_COUNT, found };
        return Err(Form::Snowplow.refuse("row", None, problem));
    }
    let mut json = String::with_capacity(text.len() + 1024);
    let row = text.trim_end_matches(['\r', '\n']);
    for (column, value) in COLUMNS.iter().zip(row.split('\t')) {
        if value.is_empty() {
            continue;
        }
        json.push(if json.is_empty() { '{' } else { ',' });
        push_text(&mut json, column.name);
        json.push(':');
        match column.holds {
            Holds::Flag if matches!(value, "0" | "1") => {
                json.push_str(if value == "1" { "true" } else { "false" });
            }
            Holds::Number | Holds::Json if is_json(value) => json.push_str(value),
            Holds::Json => {
                let problem = Refusal::Expected("self-describing JSON");
                return Err(Form::Snowplow.refuse(column.name, None, problem));
            }
            Holds::Text | Holds::Number | Holds::Flag => push_text(&mut json, value),
        }
    }
    json.push_str(if json.is_empty() { "{}" } else { "}" });
    Ok(json)
}

fn is_json(value: &str) -> bool {
    let mut reader = Reader::starting_at(value, 0);
    reader.pass().and_then(|()| reader.finish()).is_ok()
}

/// Reads one event.
pub(super) fn read<'a>(
    of: &'a BuiltIn,
    parts: &Parts<'a>,
    scan: &mut Scan<'_, '_, 'a>,
) -> Result<Envelope<'a>, Reject> {
    check(parts)?;
    let mut envelope = Envelope::default();
    first(&mut envelope, Field::EventId, parts, &[EVENT_ID])?;
    first(&mut envelope, Field::CustomerId, parts, &[USER_ID])?;
    first(&mut envelope, Field::AnonymousId, parts, &ANONYMOUS)?;
    first(&mut envelope, Field::Ts, parts, &TRUE_TIMES)?;
    // Both are what Snowplow has corrected for the sender's clock.
    envelope.corrected = envelope.has(Field::Ts);
    first(&mut envelope, Field::Ts, parts, &[CREATED])?;
    first(&mut envelope, Field::SentAt, parts, &[SENT])?;
    first(&mut envelope, Field::ReceivedAt, parts, &[COLLECTED])?;
    let mut told = Told::default();
    told.read(of, parts)?;
    let Told { gathered, name, action, device, channel, actor } = told;
    for (field, said) in [(Field::Channel, channel), (Field::Actor, actor)] {
        if let Some(said) = said {
            envelope.fill(field, Given { value: Value::Text(said), at: Some(parts.start()) });
        }
    }
    if let Some(device) = device {
        envelope.fill(Field::AnonymousId, Given { value: Value::Text(device), at: None });
    }
    let event = of.event(event(parts, name, action)?);
    let by_platform = || Ok(parts.word(PLATFORM)?.and_then(|hint| of.hints.of_hint(&hint)));
    let channel = match of.hints.of_event(&event) {
        Some(channel) => Some(channel),
        None => by_platform()?,
    };
    if let Some(channel) = channel {
        let value = Value::Text(channel.into());
        envelope.fill(Field::Channel, Given { value, at: Some(parts.start()) });
    }
    envelope.set(Field::Event, Given { value: Value::Text(event), at: parts.at(EVENT) });
    gathered.into_properties(&mut envelope, scan)?;
    Ok(envelope)
}

/// Makes sure that the row has what the canonical event model demands.
fn check(parts: &Parts<'_>) -> Result<(), Reject> {
    let refuse =
        |part, problem| Err(Form::Snowplow.refuse(parts.name(part), parts.at(part), problem));
    for part in [EVENT, EVENT_ID, COLLECTED] {
        match parts.kind(part) {
            None => return refuse(part, Refusal::Missing),
            Some(Kind::Text) if parts.word(part)?.is_none() => return refuse(part, Refusal::Blank),
            Some(Kind::Text) => {}
            Some(found) => return refuse(part, Refusal::WrongKind { expected: "text", found }),
        }
    }
    if !parts.word(EVENT_ID)?.is_some_and(|id| is_uuid(&id)) {
        return refuse(EVENT_ID, Refusal::Expected("a UUID"));
    }
    if parts.word(EVENT)?.is_some_and(|event| event == "struct") {
        for part in [CATEGORY, ACTION] {
            if parts.word(part)?.is_none() {
                return refuse(part, Refusal::Missing);
            }
        }
    }
    Ok(())
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Returns what the event is called.
fn event<'a>(
    parts: &Parts<'a>,
    described: Option<Cow<'a, str>>,
    action: Option<Cow<'a, str>>,
) -> Result<Cow<'a, str>, Reject> {
    let kind = parts.word(EVENT)?.unwrap_or_default();
    let column = parts.word(EVENT_NAME)?;
    match &*kind {
        "struct" => Ok(parts.word(ACTION)?.unwrap_or_default()),
        "unstruct" => {
            let name = column.or(described).ok_or_else(|| {
                Form::Snowplow.refuse(parts.name(EVENT_NAME), None, Refusal::Missing)
            })?;
            Ok(if name == ECOMMERCE { action.unwrap_or(name) } else { name })
        }
        "page_view" | "page_ping" | "transaction" | "transaction_item" | "ad_impression" => {
            Ok(kind)
        }
        _ => {
            let expected = "`page_view`, `page_ping`, `struct`, `unstruct`, `transaction` or \
                            `transaction_item`";
            let at = parts.at(EVENT);
            Err(Form::Snowplow.refuse(parts.name(EVENT), at, Refusal::Expected(expected)))
        }
    }
}

/// What columns, self-describing event and entities say.
#[derive(Debug, Default)]
struct Told<'a> {
    gathered: Gathered,
    /// The name of the self-describing event, where it brings its own.
    name: Option<Cow<'a, str>>,
    /// The `type` of it.
    action: Option<Cow<'a, str>>,
    /// The device that an entity names.
    device: Option<Cow<'a, str>>,
    /// What it says outright.
    channel: Option<Cow<'a, str>>,
    actor: Option<Cow<'a, str>>,
}

impl<'a> Told<'a> {
    fn read(&mut self, of: &BuiltIn, parts: &Parts<'a>) -> Result<(), Reject> {
        let mut columns = Vec::new();
        let mut entities = Vec::new();
        let mut reader = Reader::starting_at(parts.text(), parts.start());
        reader.object(|reader, key| {
            let at = key.at;
            let key = key.decode()?;
            let kind = reader.kind()?;
            let start = reader.at();
            reader.pass()?;
            let value = Place { text: parts.text(), start, kind, raw: reader.since(start) };
            if kind == Kind::Null {
                return Ok(());
            }
            if key == UNSTRUCT {
                return self.described(value.reader(), at);
            }
            if key == CONTEXTS || key == DERIVED_CONTEXTS {
                return packed(value.reader(), &key, at, &mut entities);
            }
            if key.strip_prefix(UNSTRUCT).is_some_and(|rest| rest.starts_with('_')) {
                return self.members(value.reader(), at);
            }
            if let Some(rest) = key.strip_prefix("contexts_") {
                entities.push((rest.to_owned(), value));
                return Ok(());
            }
            if is_told(&key) {
                columns.push((key, value));
            }
            Ok(())
        })?;
        for (name, value) in columns {
            self.gathered.add(&name, value.raw);
        }
        self.entities(of, &entities)
    }

    /// Adds the entities: a list under each name.
    fn entities(&mut self, of: &BuiltIn, entities: &[(String, Place<'a>)]) -> Result<(), Reject> {
        let mut lists: BTreeMap<&str, (&str, Vec<&str>)> = BTreeMap::new();
        for (key, value) in entities {
            let name = short(of, key);
            if name == SESSION {
                self.device = member(value.reader(), "userId")?.or(self.device.take());
            }
            // The SDKs have made a list of it already.
            let list = value.kind == Kind::Array;
            let raw = if list { value.raw.get(1..value.raw.len() - 1) } else { Some(value.raw) };
            let raw = raw.map(str::trim).filter(|raw| !raw.is_empty());
            lists.entry(key).or_insert((name, Vec::new())).1.extend(raw);
        }
        for (key, (name, list)) in lists {
            // Where the event says something of that name itself, the entity keeps its full one.
            let name = if self.gathered.has(name) { key } else { name };
            self.gathered.add(name, &format!("[{}]", list.join(",")));
        }
        Ok(())
    }

    /// Reads `{"schema": "iglu:…/unstruct_event/…", "data": {"schema": …, "data": {…}}}`.
    fn described(&mut self, reader: Reader<'a>, at: usize) -> Result<(), Reject> {
        let refuse = || {
            let problem = Refusal::Expected("a self-describing event");
            Form::Snowplow.refuse(UNSTRUCT, Some(at), problem)
        };
        let outer = described(reader)?.ok_or_else(refuse)?;
        let inner = described(outer.data)?.ok_or_else(refuse)?;
        self.name = iglu_name(&inner.schema).map(|(_, name)| Cow::Owned(name.to_owned()));
        self.members(inner.data, at)
    }

    /// Adds what a self-describing event says.
    fn members(&mut self, mut reader: Reader<'a>, at: usize) -> Result<(), Reject> {
        let found = reader.kind()?;
        if found != Kind::Object {
            let problem = Refusal::WrongKind { expected: "an object", found };
            return Err(Form::Snowplow.refuse(UNSTRUCT, Some(at), problem));
        }
        self.action = member(reader.clone(), "type")?;
        self.channel = member(reader.clone(), CHANNEL)?;
        self.actor = member(reader.clone(), ACTOR)?;
        self.gathered.add_members(&mut reader)
    }
}

/// A value of the row.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    text: &'a str,
    start: usize,
    kind: Kind,
    raw: &'a str,
}

impl<'a> Place<'a> {
    fn reader(&self) -> Reader<'a> {
        Reader::starting_at(self.text, self.start)
    }
}

/// Something with its schema.
#[derive(Debug)]
struct Described<'a> {
    schema: Cow<'a, str>,
    data: Reader<'a>,
    raw: &'a str,
}

/// Reads something with its schema; `None` where it is not that.
fn described(mut reader: Reader<'_>) -> Result<Option<Described<'_>>, Reject> {
    if reader.kind()? != Kind::Object {
        return Ok(None);
    }
    let (mut schema, mut data) = (None, None);
    reader.object(|reader, key| match &*key.decode()? {
        "schema" if reader.kind()? == Kind::Text => {
            schema = Some(reader.text().and_then(RawText::decode)?);
            Ok(())
        }
        "data" => {
            reader.kind()?;
            let (start, before) = (reader.at(), reader.clone());
            reader.pass()?;
            data = Some((before, reader.since(start)));
            Ok(())
        }
        _ => reader.pass(),
    })?;
    let (Some(schema), Some((data, raw))) = (schema, data) else { return Ok(None) };
    let known = schema.starts_with("iglu:");
    Ok(known.then_some(Described { schema, data, raw }))
}

/// Reads `{"schema": "iglu:…/contexts/…", "data": [{"schema": …, "data": {…}}]}`, and adds the
/// entities under the keys that the analytics SDKs would give them.
fn packed<'a>(
    reader: Reader<'a>,
    column: &str,
    at: usize,
    entities: &mut Vec<(String, Place<'a>)>,
) -> Result<(), Reject> {
    let refuse = || {
        let problem = Refusal::Expected("a list of self-describing entities");
        Form::Snowplow.refuse(column, Some(at), problem)
    };
    let mut all = described(reader)?.ok_or_else(refuse)?;
    if all.data.kind()? != Kind::Array {
        return Err(refuse());
    }
    let text = all.data.whole();
    all.data.array(|reader| {
        let entity = described(reader.clone())?.ok_or_else(refuse)?;
        let (vendor, name) = iglu_name(&entity.schema).ok_or_else(refuse)?;
        let key = format!("{}_{}", vendor.replace('.', "_"), normal_event(name.into()));
        let mut data = entity.data;
        let kind = data.kind()?;
        entities.push((key, Place { text, start: data.at(), kind, raw: entity.raw }));
        reader.pass()
    })
}

/// Returns vendor and name of `iglu:com.acme/order_placed/jsonschema/1-0-0`.
fn iglu_name(schema: &str) -> Option<(&str, &str)> {
    let mut parts = schema.strip_prefix("iglu:")?.split('/');
    let (vendor, name) = (parts.next()?, parts.next()?);
    (!vendor.is_empty() && !name.is_empty()).then_some((vendor, name))
}

/// Returns an entity's key without its version and without a vendor that everybody knows.
fn short<'k>(of: &BuiltIn, key: &'k str) -> &'k str {
    let unversioned = match key.rsplit_once('_') {
        Some((name, version)) if version.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => key,
    };
    let known = of.prefixes.iter().find_map(|prefix| unversioned.strip_prefix(&**prefix));
    known.filter(|name| !name.is_empty()).unwrap_or(unversioned)
}

/// Returns a text member of an object, or of the first object of an array.
fn member<'a>(mut reader: Reader<'a>, wanted: &str) -> Result<Option<Cow<'a, str>>, Reject> {
    let mut found = None;
    match reader.kind()? {
        Kind::Object => reader.object(|reader, key| {
            if key.decode()? == wanted && reader.kind()? == Kind::Text {
                found = Some(reader.text().and_then(RawText::decode)?);
                return Ok(());
            }
            reader.pass()
        })?,
        Kind::Array => reader.array(|reader| {
            if found.is_none() && reader.kind()? == Kind::Object {
                found = member(reader.clone(), wanted)?;
            }
            reader.pass()
        })?,
        Kind::Null | Kind::Flag | Kind::Number | Kind::Text => {}
    }
    Ok(found)
}
