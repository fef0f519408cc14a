//! Plays the journey of a test through the engine.
//!
//! Every customer has a partition of their own: customers share nothing but the clock, and a test
//! should read the same whether its journeys are told one after the other or mingled.

use std::{borrow::Cow, collections::BTreeSet};

use serde_json::{Value as Json, json};

use crate::{
    config::{PackTest, Step},
    engine::{Customers, Effect, Effects, Engine, Fact, Partition, PartitionRow, Record},
    model::{EventTime, Span},
};

/// Who acts in a test that names no customer.
pub(super) const SOMEBODY: &str = "somebody";

/// No test is longer: wall time stands there, so that nothing comes from the future that does not
/// say so; and the stream is known for so long before.
pub(super) const LONG: Span = 3653 * 86_400_000;

/// What was published of one touchpoint, as it stands in the end.
pub(super) type Moment = Json;

/// What came of a journey.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// In order of customers, then as published last.
    pub(super) moments: Vec<Moment>,
    /// The step and the reason of what was set aside.
    pub(super) rejects: Vec<Rejected>,
    /// The rules that matched, by position.
    pub(super) hit: BTreeSet<usize>,
}

/// A step that was set aside.
#[derive(Clone, Debug)]
pub(super) struct Rejected {
    pub(super) at: Span,
    pub(super) customer: String,
    pub(super) event: String,
    pub(super) reason: &'static str,
    pub(super) detail: String,
}

/// Nothing is ever committed: a journey is played in one breath.
struct Nobody;

impl Customers for Nobody {
    fn row(&self, _: &str) -> Option<Cow<'_, [u8]>> {
        None
    }

    fn due(&self, _: Option<(EventTime, &str)>, _: EventTime) -> Option<(EventTime, Cow<'_, str>)> {
        None
    }
}

/// Plays a journey, and returns every moment in its last revision.
pub(super) fn play(engine: &Engine, test: &PackTest) -> Played {
    let who = |step: &Step| step.customer.clone().unwrap_or_else(|| SOMEBODY.to_owned());
    let customers: BTreeSet<String> = test.journey.iter().map(who).collect();
    let steps = test.journey.iter().filter(|step| step.received.is_none()).map(|step| step.at);
    let expected = test.expect.iter().map(|one| one.until.unwrap_or(one.at));
    let end = steps.chain(expected).max().unwrap_or_default();
    let mut played = Played::default();
    for customer in customers {
        let mut partition = Partition::new(PartitionRow::default());
        let mut effects = Effects::default();
        let now = test.start.plus(LONG);
        let mut moments = Vec::new();
        for (index, step) in test.journey.iter().enumerate().filter(|(_, one)| who(one) == customer)
        {
            let payload = touchpoint(index, step, (&customer, test.start)).to_string();
            let now = step.received.map_or(now, |received| test.start.plus(received));
            partition.process(engine, &record(index, &payload), now, &Nobody, &mut effects);
            gather(&effects, Some((step, &customer)), &mut moments, &mut played);
            effects.clear();
        }
        let until = test.start.plus(end).plus(engine.settings().tolerance);
        partition.tick(engine, until, now, &Nobody, &mut effects);
        gather(&effects, None, &mut moments, &mut played);
        let standing = moments.into_iter().filter(|moment: &Moment| moment["retracted"].is_null());
        played.moments.extend(standing);
    }
    played
}

fn record(index: usize, payload: &str) -> Record<'_> {
    Record {
        value: Some(payload.as_bytes()),
        key: None,
        headers: &[],
        topic: "test",
        partition: 0,
        offset: i64::try_from(index).unwrap_or_default(),
        timestamp: None,
    }
}

fn touchpoint(index: usize, step: &Step, (customer, start): (&str, EventTime)) -> Json {
    let event_id = step.event_id.clone().unwrap_or_else(|| format!("step-{index:04}"));
    let mut touchpoint = json!({
        "event_id": event_id,
        "customer_id": customer,
        "ts": start.plus(step.at).to_string(),
        "channel": step.channel,
        "event": step.event,
        "properties": step.properties,
    });
    let actor = step.actor.map(|actor| actor.as_str().to_owned());
    if let Some(fields) = touchpoint.as_object_mut() {
        for (field, value) in [("actor", actor), ("text", step.text.clone())] {
            fields.extend(value.map(|value| (field.to_owned(), value.into())));
        }
    }
    touchpoint
}

/// Adds what was said: of each moment the highest revision.
fn gather(
    effects: &Effects,
    step: Option<(&Step, &str)>,
    moments: &mut Vec<Moment>,
    played: &mut Played,
) {
    for effect in effects.iter() {
        match effect {
            Effect::Moment(moment) => {
                // What the engine writes is JSON: its own tests hold that.
                let Ok(moment) = serde_json::from_str::<Moment>(effects.text(moment.value)) else {
                    continue;
                };
                moments.retain(|one| one.get("event_id") != moment.get("event_id"));
                moments.push(moment);
            }
            Effect::Reject(reject) => {
                let rejected = step.map(|(step, customer)| Rejected {
                    at: step.at,
                    customer: customer.to_owned(),
                    event: step.event.clone(),
                    reason: reject.reason,
                    detail: effects.text(reject.detail).to_owned(),
                });
                played.rejects.extend(rejected);
            }
            Effect::Fact(Fact::RuleHit(rule)) => {
                played.hit.insert(usize::from(*rule));
            }
            Effect::Fact(_) | Effect::Pulse(_) => {}
        }
    }
}

/// Returns how long after the start of a test a moment stands.
pub(super) fn at_of(moment: &Moment, test: &PackTest) -> Option<Span> {
    let ts: jiff::Timestamp = moment["ts"].as_str()?.parse().ok()?;
    let ts = EventTime::from_millis(ts.as_millisecond())?;
    Some(ts.since(test.start))
}
