//! The store against a model, and a folder after everything that can happen to one.

mod folder;
mod intake;
mod model;

use std::{path::Path, sync::Arc, time::Duration};

use super::{Identity, Opened, PartitionStore, Shelf};
use crate::{
    engine::{
        Effects, Engine, Partition, Record, Sealed,
        decode::Dialect,
        rules::{RuleSet, spec::PackSpec},
    },
    model::EventTime,
    store::MemoryStore,
};

/// How long folders are kept.
const KEEP: Duration = Duration::from_hours(12);

fn now() -> EventTime {
    EventTime::from_millis(1_800_000_000_000).unwrap()
}

fn identity() -> Identity {
    Identity {
        app: "shop".to_owned(),
        input: "touchpoints".to_owned(),
        changelog: "shop-state".to_owned(),
        topic_ids: ["i".to_owned(), "c".to_owned()],
        partition: 3,
    }
}

fn shelf(dir: &Path) -> Arc<Shelf> {
    // Small, so that every test makes the map grow.
    Arc::new(Shelf::new(dir.to_owned(), KEEP).with_map(1 << 16))
}

#[track_caller]
fn open(dir: &Path) -> PartitionStore {
    let Opened { store, discarded } = shelf(dir).open(identity(), now()).unwrap();
    assert_eq!(discarded, None);
    store
}

#[track_caller]
fn discarded(dir: &Path) -> String {
    let Opened { store, discarded } = shelf(dir).open(identity(), now()).unwrap();
    assert_eq!(store.changelog_offset(), None);
    discarded.unwrap()
}

/// Real rows, as the engine writes them: of so many customers after so many touchpoints each.
fn rows(customers: usize, touchpoints: usize) -> Vec<(String, Vec<u8>)> {
    let engine = engine();
    let (mut partition, mut store) = (Partition::default(), MemoryStore::default());
    let mut effects = Effects::default();
    for number in 0..customers * touchpoints {
        let customer = number % customers;
        let ts = now().as_millis() - 86_400_000 + i64::try_from(number).unwrap() * 1000;
        let value = format!(
            "{{\"event_id\":\"e{number}\",\"customer_id\":\"c{customer}\",\"ts\":{ts},\
             \"channel\":\"web\",\"event\":\"product_viewed\"}}"
        );
        let record = Record {
            value: Some(value.as_bytes()),
            key: None,
            headers: &[],
            topic: "touchpoints",
            partition: 3,
            offset: i64::try_from(number).unwrap(),
            timestamp: None,
        };
        partition.process(&engine, &record, now(), &store, &mut effects);
        effects.clear();
    }
    let mut sealed = Sealed::default();
    partition.seal(&engine, &mut sealed);
    store.apply(&sealed);
    store.in_order().map(|(id, row)| (id.to_owned(), row.to_vec())).collect()
}

fn engine() -> Engine {
    let rules = RuleSet::compile(PackSpec::default()).unwrap();
    Engine::new(Arc::new(rules), crate::engine::Settings::default(), Dialect::Native)
}

/// Puts rows and writes them as a checkpoint at `offset`.
fn write(store: &mut PartitionStore, rows: &[(String, Vec<u8>)], offset: i64) {
    for (id, row) in rows {
        store.put(id, Some(row)).unwrap();
    }
    store.put_partition_row(Some(b"partition row"));
    store.put_pulse(b"minute", Some(b"counted"));
    store.begin_checkpoint(offset, now());
    while !store.write_some(7).unwrap() {}
}
