//! What the loaded packs make of a sample.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    engine::{Effect, Effects, Engine, Fact, Partition, PartitionRow, Record},
    kafka::SampledRecord,
    model::{EventTime, LabelledBy},
    store::MemoryStore,
};

/// Names of events that are counted one by one; further ones are summed.
const EVENTS_MAX: usize = 1000;
/// What further ones are summed under.
const OTHERS: &str = "(others)";

/// Counts over a sample.
#[derive(Debug, Default)]
pub(super) struct Labels {
    pub(super) touchpoints: usize,
    pub(super) customers: usize,
    pub(super) by: BTreeMap<LabelledBy, usize>,
    /// Event → how often, and what labels it.
    pub(super) events: BTreeMap<String, (usize, LabelledBy)>,
    pub(super) channels: BTreeMap<String, usize>,
    pub(super) rejects: BTreeMap<&'static str, (usize, String)>,
    /// Touchpoints that say no time, no id.
    pub(super) without_time: usize,
    pub(super) without_id: usize,
}

impl Labels {
    pub(super) fn of(records: &[SampledRecord], engine: &Engine, now: EventTime) -> Self {
        let mut labels = Self::default();
        let mut partition = Partition::new(PartitionRow::default());
        let (store, mut effects) = (MemoryStore::default(), Effects::default());
        let mut customers = BTreeSet::new();
        for sampled in records {
            with(sampled, |record| partition.process(engine, record, now, &store, &mut effects));
            for effect in effects.iter() {
                labels.see(effect, &effects, &mut customers);
            }
            effects.clear();
        }
        labels.customers = customers.len();
        labels
    }

    fn see(&mut self, effect: &Effect, effects: &Effects, customers: &mut BTreeSet<u64>) {
        match effect {
            Effect::Moment(moment) if !moment.derived && moment.revision == 0 => {
                self.touchpoints += 1;
                customers.insert(crate::model::stable_hash(effects.bytes(moment.key)));
                *self.by.entry(moment.labelled_by).or_default() += 1;
                let event = effects.text(moment.event);
                let known = self.events.contains_key(event) || self.events.len() < EVENTS_MAX;
                let event = if known { event } else { OTHERS };
                let entry = self.events.entry(event.to_owned()).or_insert((0, moment.labelled_by));
                entry.0 += 1;
                // The surest of all that label it.
                entry.1 = entry.1.min(moment.labelled_by);
                *self.channels.entry(channel(effects.text(moment.value))).or_default() += 1;
            }
            Effect::Reject(rejected) => {
                let detail = || effects.text(rejected.detail).to_owned();
                self.rejects.entry(rejected.reason).or_insert_with(|| (0, detail())).0 += 1;
            }
            Effect::Fact(Fact::TsAssumed) => self.without_time += 1,
            Effect::Fact(Fact::EventIdAssumed) => self.without_id += 1,
            Effect::Moment(_) | Effect::Fact(_) | Effect::Pulse(_) => {}
        }
    }
}

fn channel(moment: &str) -> String {
    let moment: serde_json::Value = serde_json::from_str(moment).unwrap_or_default();
    let channel = moment.get("channel").and_then(serde_json::Value::as_str);
    channel.unwrap_or_default().to_owned()
}

/// Shows a sampled record as the engine takes it.
pub(super) fn with<T>(sampled: &SampledRecord, see: impl FnOnce(&Record<'_>) -> T) -> T {
    let headers: Vec<(&str, &[u8])> =
        sampled.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    see(&Record {
        value: sampled.value.as_deref(),
        key: sampled.key.as_deref(),
        headers: &headers,
        topic: &sampled.topic,
        partition: sampled.partition,
        offset: sampled.offset,
        // A record of a file has no time of its own; so that all of it can be looked at.
        timestamp: sampled.timestamp.or(EventTime::from_millis(0)),
    })
}
