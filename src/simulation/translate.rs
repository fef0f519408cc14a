//! The same story told in another dialect.
//!
//! A touchpoint is taken apart and written as the other tool would have sent it: with its names of
//! events, ids where it has them, and what tells the channel there. What no tool has a place for
//! (a delivery van is no device) is said outright, as senders of real events can.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::wire::Simulated;
use crate::{
    engine::decode::{DialectSpec, Form, tsv_columns},
    model::{EventTime, stable_hash},
};

/// Writes touchpoints in one dialect.
#[derive(Debug)]
pub struct Translator {
    form: Form,
    /// Rega's names of events → the dialect's.
    names: BTreeMap<String, String>,
    /// First words of event names → the channel that they tell.
    words: BTreeMap<String, String>,
}

/// A native touchpoint, taken apart.
struct Told {
    event_id: String,
    customer_id: String,
    channel: String,
    event: String,
    properties: Map<String, Value>,
    ts: EventTime,
    emitted_at: EventTime,
}

impl Translator {
    /// Returns a translator into the dialect that `spec` is about.
    pub fn new(spec: &DialectSpec) -> Self {
        let names = spec.events.iter().map(|(theirs, ours)| (ours.clone(), theirs.clone()));
        Self { form: spec.form, names: names.collect(), words: spec.words.clone() }
    }

    /// Returns a touchpoint as the dialect writes it: one line, without its end.
    pub fn translate(&self, touchpoint: &Simulated) -> Vec<u8> {
        let Some(mut told) = Told::of(touchpoint) else { return touchpoint.line.clone() };
        match self.form {
            Form::Segment => self.segment(told).to_string().into_bytes(),
            Form::CloudEvents => self.cloud_event(told).to_string().into_bytes(),
            Form::PostHog => self.posthog(told).to_string().into_bytes(),
            Form::Ga4 => self.ga4(told).to_string().into_bytes(),
            Form::Snowplow => self.snowplow(&mut told).into_bytes(),
        }
    }

    fn theirs<'n>(&'n self, event: &'n str) -> &'n str {
        self.names.get(event).map_or(event, String::as_str)
    }

    /// Returns whether the dialect's own means tell the channel.
    fn is_told(&self, told: &Told) -> bool {
        let word = told.event.split('_').next().unwrap_or_default();
        match self.words.get(word) {
            Some(channel) => *channel == told.channel,
            None => matches!(&*told.channel, "web" | "app"),
        }
    }

    /// Says the channel outright where nothing else tells it.
    fn say_channel(&self, told: &mut Told) {
        if !self.is_told(told) {
            told.properties.insert("rega_channel".to_owned(), told.channel.clone().into());
        }
    }

    fn segment(&self, mut told: Told) -> Value {
        self.say_channel(&mut told);
        let context = match &*told.channel {
            "web" => json!({ "page": { "path": told.properties.get("page") } }),
            "app" => json!({ "device": { "type": "ios" } }),
            _ => json!({ "library": { "name": "analytics-node" } }),
        };
        let mut call = json!({
            "messageId": told.event_id,
            "userId": told.customer_id,
            "originalTimestamp": told.ts.to_string(),
            "sentAt": told.emitted_at.to_string(),
            "receivedAt": told.emitted_at.to_string(),
            "timestamp": told.ts.to_string(),
            "context": context,
            "properties": told.properties,
        });
        if self.theirs(&told.event) == "page" {
            put(&mut call, "type", "page".into());
        } else {
            put(&mut call, "type", "track".into());
            put(&mut call, "event", title(&told.event).into());
        }
        call
    }

    fn cloud_event(&self, told: Told) -> Value {
        let mut event = json!({
            "specversion": "1.0",
            "id": told.event_id,
            "source": "/shop",
            "type": format!("com.example.{}", self.theirs(&told.event)),
            "subject": told.customer_id,
            "time": told.ts.to_string(),
            "datacontenttype": "application/json",
            "regachannel": told.channel,
        });
        let mut data = told.properties;
        if let Some(actor) = data.remove("rega_actor") {
            put(&mut event, "regaactor", actor);
        }
        put(&mut event, "data", data.into());
        event
    }

    fn posthog(&self, mut told: Told) -> Value {
        self.say_channel(&mut told);
        let library = match &*told.channel {
            "web" => "web",
            "app" => "posthog-ios",
            _ => "posthog-python",
        };
        let mut properties = told.properties;
        properties.insert("$lib".to_owned(), library.into());
        json!({
            "uuid": uuid(&told.event_id),
            "event": self.theirs(&told.event),
            "distinct_id": told.customer_id,
            "timestamp": told.ts.to_string(),
            "properties": properties,
        })
    }

    /// Writes a row of the export: a payload of the Measurement Protocol has no ids of events.
    fn ga4(&self, mut told: Told) -> Value {
        self.say_channel(&mut told);
        let mut row = json!({
            "event_name": self.theirs(&told.event),
            "event_timestamp": format!("{}000", told.ts.as_millis()),
            "user_id": told.customer_id,
            "user_pseudo_id": format!("{}.1", stable_hash(told.customer_id.as_bytes()) >> 32),
            "event_bundle_sequence_id": stable_hash(told.event_id.as_bytes()).to_string(),
            "batch_event_index": "1",
        });
        let platform = match &*told.channel {
            "web" => Some("WEB"),
            "app" => Some("IOS"),
            _ => None,
        };
        if let Some(platform) = platform {
            put(&mut row, "platform", platform.into());
        }
        if let Some(product) = told.properties.remove("product_id") {
            put(&mut row, "items", json!([{ "item_id": product }]));
        }
        if let Some(order) = told.properties.remove("order_id") {
            put(&mut row, "ecommerce", json!({ "transaction_id": order }));
        }
        let params = told.properties.into_iter().map(|(key, value)| {
            let value = match value {
                Value::Number(number) if number.is_i64() => {
                    json!({ "int_value": number.to_string() })
                }
                Value::Number(number) => json!({ "double_value": number }),
                Value::String(text) => json!({ "string_value": text }),
                other @ (Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                    json!({ "string_value": other.to_string() })
                }
            };
            json!({ "key": key, "value": value })
        });
        put(&mut row, "event_params", params.collect());
        row
    }

    fn snowplow(&self, told: &mut Told) -> String {
        self.say_channel(told);
        let platform = match &*told.channel {
            "web" => "web",
            "app" => "mob",
            _ => "srv",
        };
        let mut row = BTreeMap::from([
            ("app_id", "shop".to_owned()),
            ("platform", platform.to_owned()),
            ("collector_tstamp", time(told.emitted_at)),
            ("dvce_created_tstamp", time(told.ts)),
            ("dvce_sent_tstamp", time(told.emitted_at)),
            ("event_id", uuid(&told.event_id)),
            ("user_id", told.customer_id.clone()),
            ("v_tracker", "js-3.0.0".to_owned()),
            ("v_collector", "ssc-3.0.0-kafka".to_owned()),
            ("v_etl", "snowplow-enrich-kafka-4.0.0".to_owned()),
        ]);
        let theirs = self.theirs(&told.event).to_owned();
        let mut properties = std::mem::take(&mut told.properties);
        let mut entities = Vec::new();
        if theirs == "page_view" {
            row.extend([("event", "page_view".to_owned()), ("event_name", "page_view".to_owned())]);
            for (key, column) in [("page", "page_urlpath"), ("referrer", "page_referrer")] {
                if let Some(Value::String(text)) = properties.remove(key) {
                    row.insert(column, text);
                }
            }
            entities.push(described("com.example/visit", properties.into()));
        } else {
            let ecommerce = ECOMMERCE_TYPES.contains(&&*theirs);
            let (schema, name) = if ecommerce {
                properties.insert("type".to_owned(), theirs.into());
                if let Some(product) = properties.remove("product_id") {
                    let product = json!({
                        "id": product,
                        "name": properties.remove("product"),
                        "category": properties.get("category"),
                    });
                    entities.push(described(&format!("{ECOMMERCE}/product"), product));
                }
                (format!("{ECOMMERCE}/{ACTION}"), ACTION.to_owned())
            } else {
                (format!("com.example/{theirs}"), theirs)
            };
            let event = described(&schema, properties.into());
            let event = described(&format!("{SNOWPLOW}/unstruct_event"), event);
            row.extend([
                ("event", "unstruct".to_owned()),
                ("event_name", name),
                ("unstruct_event", event.to_string()),
            ]);
        }
        if !entities.is_empty() {
            let contexts = described(&format!("{SNOWPLOW}/contexts"), entities.into());
            row.insert("contexts", contexts.to_string());
        }
        let columns = tsv_columns().map(|name| row.remove(name).unwrap_or_default());
        columns.collect::<Vec<_>>().join("\t")
    }
}

const SNOWPLOW: &str = "com.snowplowanalytics.snowplow";
const ECOMMERCE: &str = "com.snowplowanalytics.snowplow.ecommerce";
const ACTION: &str = "snowplow_ecommerce_action";

/// The types of Snowplow's ecommerce action.
const ECOMMERCE_TYPES: [&str; 11] = [
    "product_view",
    "list_click",
    "list_view",
    "add_to_cart",
    "remove_from_cart",
    "checkout_step",
    "transaction",
    "refund",
    "trans_error",
    "promo_view",
    "promo_click",
];

impl Told {
    /// Takes a native line apart.
    fn of(touchpoint: &Simulated) -> Option<Self> {
        let mut line: Map<String, Value> = serde_json::from_slice(&touchpoint.line).ok()?;
        let mut text = |key: &str| match line.remove(key) {
            Some(Value::String(text)) => Some(text),
            Some(_) | None => None,
        };
        let (event_id, channel, event) = (text("event_id")?, text("channel")?, text("event")?);
        let (actor, words) = (text("actor"), text("text"));
        let mut properties = match line.remove("properties") {
            Some(Value::Object(properties)) => properties,
            Some(_) | None => Map::new(),
        };
        for (key, value) in [("rega_actor", actor), ("text", words)] {
            properties.extend(value.map(|value| (key.to_owned(), value.into())));
        }
        Some(Self {
            event_id,
            customer_id: touchpoint.customer_id.clone(),
            channel,
            event,
            properties,
            ts: touchpoint.ts,
            emitted_at: touchpoint.emitted_at,
        })
    }
}

fn described(schema: &str, data: Value) -> Value {
    let schema = format!("iglu:{schema}/jsonschema/1-0-0");
    Map::from_iter([("schema".to_owned(), schema.into()), ("data".to_owned(), data)]).into()
}

/// Puts a member into an object.
fn put(object: &mut Value, key: &str, member: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.to_owned(), member);
    }
}

/// Returns `Order Placed` for `order_placed`.
fn title(event: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    event.split('_').map(capital).collect::<Vec<_>>().join(" ")
}

/// Returns a UUID that follows from an event's id.
fn uuid(event_id: &str) -> String {
    let high = stable_hash(event_id.as_bytes());
    let low = stable_hash(&high.to_le_bytes());
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

/// Returns a time as the columns of TSV have it.
fn time(at: EventTime) -> String {
    at.to_string().replace('T', " ").trim_end_matches('Z').to_owned()
}
