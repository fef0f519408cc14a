//! A worker without Kafka, on the store that `rega run` uses.

use std::{sync::Arc, time::Duration};

use rega::{
    config::load_packs,
    engine::{Effects, Engine, Partition, Record, Sealed, Settings, decode::Dialect},
    model::EventTime,
    simulation::Simulated,
    store::{Identity, PartitionStore, Shelf},
};

use crate::cpu;

/// About as many as one transaction holds under load.
const COMMIT_EVERY: usize = 20_000;

/// A checkpoint after so many commits: at 100,000 touchpoints a second, every two seconds.
const CHECKPOINT_EVERY: usize = 10;

/// One worker with one partition.
pub(crate) struct Worker {
    engine: Engine,
    partition: Partition,
    store: PartitionStore,
    sealed: Sealed,
    effects: Effects,
    offset: i64,
    since_commit: usize,
    commits: usize,
}

impl Worker {
    /// Returns a worker with no customers; rows in memory take at most `budget` bytes.
    pub(crate) fn new(packs: &[&str], folder: &std::path::Path, budget: usize) -> Self {
        let rules =
            load_packs(packs.iter().copied()).unwrap_or_else(|report| panic!("{report}")).rules;
        let settings = Settings { backfill_after: Some(3_600_000), ..Settings::default() };
        let shelf = Arc::new(Shelf::new(folder.to_owned(), Duration::from_hours(1)));
        let opened = shelf.open(Identity::default(), EventTime::MIN).unwrap();
        let mut store = opened.store;
        store.set_budget(budget);
        Self {
            engine: Engine::new(Arc::new(rules), settings, Dialect::Native),
            partition: Partition::default(),
            store,
            sealed: Sealed::default(),
            effects: Effects::default(),
            offset: 0,
            since_commit: 0,
            commits: 0,
        }
    }

    /// Runs touchpoints through, and returns the CPU microseconds that each took. Making them is
    /// not counted.
    pub(crate) fn run(&mut self, touchpoints: impl Iterator<Item = Simulated>) -> f64 {
        let (mut taken, mut count) = (Duration::ZERO, 0_u32);
        let mut batch = Vec::with_capacity(1_000);
        let mut touchpoints = touchpoints.peekable();
        while touchpoints.peek().is_some() {
            batch.clear();
            batch.extend(touchpoints.by_ref().take(1_000));
            let before = cpu::of_this_thread();
            for touchpoint in &batch {
                self.one(touchpoint);
            }
            taken += cpu::of_this_thread().saturating_sub(before);
            count += u32::try_from(batch.len()).unwrap();
        }
        taken.as_secs_f64() * 1e6 / f64::from(count.max(1))
    }

    /// About the memory of the rows, in MiB.
    pub(crate) fn memory_mib(&self) -> f64 {
        f64::from(u32::try_from(self.store.byte_count() >> 10).unwrap()) / 1024.0
    }

    fn one(&mut self, touchpoint: &Simulated) {
        let record = Record {
            value: Some(&touchpoint.line),
            key: Some(touchpoint.customer_id.as_bytes()),
            topic: "touchpoints",
            partition: 0,
            offset: self.offset,
            timestamp: Some(touchpoint.emitted_at),
            headers: &[],
        };
        let Self { partition, engine, store, effects, .. } = self;
        partition.process(engine, &record, touchpoint.emitted_at, store, effects);
        std::hint::black_box(effects.iter().count());
        effects.clear();
        self.offset += 1;
        self.since_commit += 1;
        if COMMIT_EVERY <= self.since_commit {
            self.commit(touchpoint.emitted_at);
        }
    }

    fn commit(&mut self, now: EventTime) {
        self.sealed.clear();
        self.partition.seal(&self.engine, &mut self.sealed);
        self.store.apply(&self.sealed);
        self.partition.committed(&self.engine);
        self.since_commit = 0;
        self.commits += 1;
        if self.commits.is_multiple_of(CHECKPOINT_EVERY) || self.store.is_full() {
            self.store.begin_checkpoint(self.offset, now);
            while !self.store.write_some(10_000).unwrap() {}
        }
    }
}
