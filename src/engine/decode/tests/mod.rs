//! What holds for decoding as a whole.

mod bad_input;
mod content;
mod laws;
mod mappings;
mod properties;

use std::collections::BTreeMap;

use super::*;
use crate::model::Property;

/// What became of an item, for comparing: the reject, or everything that a touchpoint says.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Accepted(Box<Accepted>),
    Rejected(Reject),
}

#[derive(Clone, Debug, PartialEq)]
struct Accepted {
    event_id: String,
    event_id_assumed: bool,
    customer_id: String,
    ts: EventTime,
    ts_assumed: bool,
    channel: String,
    event: String,
    actor: Option<crate::model::Actor>,
    account_id: Option<String>,
    text: Option<String>,
    properties: String,
    content_hash: u64,
    /// The values of every property asked for, in the order of the paths.
    asked: Vec<Vec<Property<'static>>>,
}

impl Outcome {
    #[track_caller]
    fn accepted(&self) -> &Accepted {
        match self {
            Self::Accepted(accepted) => accepted,
            Self::Rejected(reject) => panic!("rejected: {reject}"),
        }
    }

    fn code(&self) -> Option<&'static str> {
        match self {
            Self::Accepted(_) => None,
            Self::Rejected(reject) => Some(reject.code()),
        }
    }
}

/// 2026-11-22T07:12:00Z.
fn now() -> EventTime {
    EventTime::from_millis(1_795_331_520_000).unwrap()
}

fn spec(dialect: Dialect, paths: &[&str]) -> DecoderSpec {
    DecoderSpec {
        dialect,
        properties: PropertyPaths::new(
            paths.iter().copied(),
            [("orderId", "order_id"), ("order_number", "order_id")],
        ),
        event_names: BTreeMap::from([("order_completed".to_owned(), "order_placed".to_owned())]),
        text_fields: vec!["text".to_owned(), "comment".to_owned(), "message".to_owned()],
        tolerance: 300_000,
        max_bytes: 100_000,
    }
}

fn record(value: Option<&[u8]>) -> Record<'_> {
    let topic = "touchpoints";
    Record { value, key: None, headers: &[], topic, partition: 3, offset: 17, timestamp: None }
}

/// Decodes a record of the native form.
fn decode(bytes: &[u8]) -> Vec<Outcome> {
    outcomes(Dialect::Native, &[], &record(Some(bytes)))
}

/// Decodes a record, and looks at the properties at `paths`.
fn outcomes(dialect: Dialect, paths: &[&str], record: &Record<'_>) -> Vec<Outcome> {
    let spec = spec(dialect, paths);
    let ids: Vec<PathId> = paths.iter().map(|path| spec.properties.id(path).unwrap()).collect();
    let decoder = Decoder::new(spec);
    let mut outcomes = Vec::new();
    decoder.decode(record, now(), &mut Scratch::default(), &mut |item| {
        outcomes.push(match item {
            Item::Touchpoint(found) => Outcome::Accepted(Box::new(accepted(&found, &ids))),
            Item::Reject(rejected) => Outcome::Rejected(rejected.reject),
        });
    });
    outcomes
}

fn accepted(decoded: &Decoded<'_, '_>, ids: &[PathId]) -> Accepted {
    let touchpoint = decoded.touchpoint.clone();
    let asked = ids.iter().map(|&id| decoded.properties.get(id).iter().map(owned).collect());
    Accepted {
        event_id: touchpoint.event_id.into_owned(),
        event_id_assumed: touchpoint.event_id_assumed,
        customer_id: touchpoint.customer_id.into_owned(),
        ts: touchpoint.ts,
        ts_assumed: touchpoint.ts_assumed,
        channel: touchpoint.channel.into_owned(),
        event: touchpoint.event.into_owned(),
        actor: touchpoint.actor,
        account_id: touchpoint.account_id.map(std::borrow::Cow::into_owned),
        text: touchpoint.text.map(std::borrow::Cow::into_owned),
        properties: touchpoint.properties.into_owned(),
        content_hash: touchpoint.content_hash,
        asked: asked.collect(),
    }
}

fn owned(property: &Property<'_>) -> Property<'static> {
    match property {
        Property::Text(text) => Property::Text(text.to_string().into()),
        Property::Number(number) => Property::Number(*number),
        Property::Flag(flag) => Property::Flag(*flag),
    }
}

fn text(value: &str) -> Property<'static> {
    Property::Text(value.to_owned().into())
}
