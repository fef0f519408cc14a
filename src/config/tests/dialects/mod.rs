//! What holds for every dialect as it is shipped: data and code together.

mod cases;
mod laws;

use std::collections::BTreeMap;

use super::super::dialect::dialect;
use crate::{
    engine::{
        Record, Settings,
        decode::{
            Decoded, Decoder, DecoderSpec, Dialect, Item, PathId, PropertyPaths, Reject, Rejected,
            Scratch,
        },
    },
    model::{Actor, EventTime, Property},
};

/// 2026-11-22T07:12:00Z.
fn now() -> EventTime {
    EventTime::from_millis(1_795_331_520_000).unwrap()
}

/// Properties that packs ask for.
const ASKED: [&str; 6] = ["order_id", "product_id", "query", "score", "path", "category"];

/// What a touchpoint says.
#[derive(Clone, Debug, PartialEq)]
struct Accepted {
    event_id: String,
    event_id_assumed: bool,
    customer_id: String,
    account_id: Option<String>,
    ts: EventTime,
    ts_assumed: bool,
    channel: String,
    event: String,
    actor: Option<Actor>,
    text: Option<String>,
    properties: String,
    content_hash: u64,
    /// What the properties of [`ASKED`] are.
    asked: BTreeMap<&'static str, Vec<String>>,
}

type Outcome = Result<Accepted, Reject>;

#[track_caller]
fn named(name: &str) -> Dialect {
    dialect(name).unwrap()
}

fn decoder(dialect: Dialect) -> (Decoder, Vec<PathId>) {
    let properties = PropertyPaths::new(ASKED, []);
    let ids = ASKED.iter().map(|path| properties.id(path).unwrap()).collect();
    let settings = Settings::default();
    let decoder = Decoder::new(DecoderSpec {
        dialect,
        properties,
        event_names: BTreeMap::new(),
        text_fields: settings.text_fields,
        tolerance: settings.tolerance,
        max_bytes: settings.max_input_bytes,
    });
    (decoder, ids)
}

fn record<'a>(value: Option<&'a [u8]>, headers: &'a [(&'a str, &'a [u8])]) -> Record<'a> {
    let topic = "touchpoints";
    Record { value, key: None, headers, topic, partition: 3, offset: 17, timestamp: None }
}

/// Returns what becomes of a record.
fn read(dialect: Dialect, record: &Record<'_>) -> Vec<Outcome> {
    let (decoder, ids) = decoder(dialect);
    read_by(&decoder, &ids, record)
}

fn read_by(decoder: &Decoder, ids: &[PathId], record: &Record<'_>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut indexes = Vec::new();
    decoder.decode(record, now(), &mut Scratch::default(), &mut |item| {
        let (outcome, index) = match item {
            Item::Touchpoint(found) => (Ok(accepted(&found, ids)), found.index),
            Item::Reject(Rejected { reject, index, .. }) => (Err(reject), index),
        };
        outcomes.push(outcome);
        indexes.push(usize::try_from(index).unwrap());
    });
    // Items are counted through, whatever became of them.
    assert_eq!(indexes, (0..outcomes.len()).collect::<Vec<_>>());
    outcomes
}

fn accepted(decoded: &Decoded<'_, '_>, ids: &[PathId]) -> Accepted {
    let touchpoint = decoded.touchpoint.clone();
    let text = |property: &Property<'_>| match property {
        Property::Text(text) => text.to_string(),
        Property::Number(number) => number.to_string(),
        Property::Flag(flag) => flag.to_string(),
    };
    let asked = ASKED.into_iter().zip(ids).filter_map(|(name, &id)| {
        let values: Vec<String> = decoded.properties.get(id).iter().map(text).collect();
        (!values.is_empty()).then_some((name, values))
    });
    Accepted {
        event_id: touchpoint.event_id.into_owned(),
        event_id_assumed: touchpoint.event_id_assumed,
        customer_id: touchpoint.customer_id.into_owned(),
        account_id: touchpoint.account_id.map(std::borrow::Cow::into_owned),
        ts: touchpoint.ts,
        ts_assumed: touchpoint.ts_assumed,
        channel: touchpoint.channel.into_owned(),
        event: touchpoint.event.into_owned(),
        actor: touchpoint.actor,
        text: touchpoint.text.map(std::borrow::Cow::into_owned),
        properties: touchpoint.properties.into_owned(),
        content_hash: touchpoint.content_hash,
        asked: asked.collect(),
    }
}
