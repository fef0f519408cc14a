//! A worker without Kafka: processes, delivers, seals, and gives the rows to the store.

use std::hint::black_box;

use rega::{
    engine::{Effect, Effects, Engine, Partition, Sealed},
    simulation::Simulated,
    store::MemoryStore,
};

use crate::workload::record;

/// One worker with one partition.
pub(crate) struct Worker<'e> {
    pub(crate) engine: &'e Engine,
    pub(crate) partition: Partition,
    pub(crate) store: MemoryStore,
    pub(crate) sealed: Sealed,
    effects: Effects,
    commit_every: usize,
    since_commit: usize,
    offset: i64,
    published_bytes: usize,
}

impl<'e> Worker<'e> {
    /// Returns a worker with no customers, which commits after so many records.
    pub(crate) fn new(engine: &'e Engine, commit_every: usize) -> Self {
        Self {
            engine,
            partition: Partition::default(),
            store: MemoryStore::default(),
            sealed: Sealed::default(),
            effects: Effects::default(),
            commit_every,
            since_commit: 0,
            offset: 0,
            published_bytes: 0,
        }
    }

    /// The same worker after so many touchpoints, committed.
    pub(crate) fn after(mut self, touchpoints: &[Simulated]) -> Self {
        self.run(touchpoints);
        self.commit();
        self
    }

    /// Runs touchpoints through, committing as they come.
    pub(crate) fn run(&mut self, touchpoints: &[Simulated]) {
        for touchpoint in touchpoints {
            let record = record(touchpoint, self.offset);
            let (now, effects) = (touchpoint.emitted_at, &mut self.effects);
            self.partition.process(self.engine, &record, now, &self.store, effects);
            self.deliver();
            self.offset += 1;
            self.since_commit += 1;
            if self.commit_every <= self.since_commit {
                self.commit();
            }
        }
        assert_ne!(self.published_bytes, 0, "nothing was published");
    }

    fn deliver(&mut self) {
        for effect in self.effects.iter() {
            if let Effect::Moment(moment) = black_box(effect) {
                self.published_bytes += self.effects.bytes(moment.value).len();
            }
        }
        self.effects.clear();
    }

    /// Seals, as if Kafka had committed it.
    pub(crate) fn commit(&mut self) {
        self.sealed.clear();
        self.partition.seal(self.engine, &mut self.sealed);
        self.store.apply(&self.sealed);
        self.partition.committed(self.engine);
        self.since_commit = 0;
    }
}
