//! A replay under way: partitions, their customers, and where the next line goes.

use std::io;

use super::{lines::Line, outputs::Outputs, summary::Summary};
use crate::{
    engine::{
        Effect, Effects, Engine, Partition, Record, Sealed, engagement_record,
        spike::{Detector, Found, PulseRecord},
    },
    model::{EventTime, Partitioner},
    store::MemoryStore,
};

/// Lines between two hand-overs to the store. Output does not depend on it.
const LINES_PER_COMMIT: u32 = 10_000;

#[derive(Debug, Default)]
struct Shard {
    partition: Partition,
    store: MemoryStore,
}

pub(super) struct ReplaySession<'e> {
    engine: &'e Engine,
    now: EventTime,
    shards: Vec<Shard>,
    partitioner: Partitioner,
    default_ts: Option<EventTime>,
    line_before: Option<EventTime>,
    outputs: Outputs,
    effects: Effects,
    sealed: Sealed,
    since_commit: u32,
    summary: Summary,
    detector: Option<Detector>,
}

impl<'e> ReplaySession<'e> {
    pub(super) fn new(engine: &'e Engine, now: EventTime, outputs: Outputs) -> Self {
        Self {
            engine,
            now,
            shards: vec![Shard::default()],
            partitioner: Partitioner::Murmur2,
            default_ts: None,
            line_before: None,
            outputs,
            effects: Effects::default(),
            sealed: Sealed::default(),
            since_commit: 0,
            summary: Summary::default(),
            detector: None,
        }
    }

    /// Hashes customers into so many partitions.
    pub(super) fn partition_by(&mut self, partitions: u32, partitioner: Partitioner) {
        self.shards = (0..partitions).map(|_| Shard::default()).collect();
        self.partitioner = partitioner;
    }

    /// Looks for spikes.
    pub(super) fn detect(&mut self, detector: Detector) {
        self.detector = Some(detector);
    }

    /// Gives lines without a time this one.
    pub(super) fn assume_time(&mut self, default_ts: Option<EventTime>) {
        self.default_ts = default_ts;
    }

    /// Runs one line.
    pub(super) fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        let record = Record {
            value: Some(line.bytes),
            key: None,
            headers: &[],
            topic: line.file,
            partition: 0,
            offset: line.number,
            timestamp: self.default_ts.or(self.line_before),
        };
        self.summary.lines += 1;
        let number = self.shard_of(&record);
        let (engine, now) = (self.engine, self.now);
        self.give(number, Some(line), |Shard { partition, store }, effects| {
            partition.process(engine, &record, now, store, effects);
        })?;
        self.since_commit += 1;
        if LINES_PER_COMMIT <= self.since_commit {
            self.commit();
        }
        Ok(())
    }

    /// Lets time pass, and writes every customer's last record.
    pub(super) fn finish(mut self, as_of: Option<EventTime>) -> io::Result<Summary> {
        if let Some(as_of) = as_of {
            let event_time = as_of.plus(self.engine.settings().tolerance);
            for number in 0..self.shards.len() {
                let (engine, now) = (self.engine, self.now);
                self.give(number, None, |Shard { partition, store }, effects| {
                    partition.tick(engine, event_time, now, store, effects);
                })?;
            }
        }
        if let Some(detector) = &mut self.detector {
            let mut found = Found::default();
            detector.finish(&mut found);
            self.tell(&found)?;
        }
        self.commit();
        for shard in &self.shards {
            self.summary.customers += shard.store.customer_count();
            if !self.outputs.wants_engagement() {
                continue;
            }
            for (customer_id, row) in shard.store.in_order() {
                // The row was written by this very process.
                let record = engagement_record(self.engine, customer_id, row, as_of);
                self.outputs.engagement(&record.map_err(io::Error::other)?)?;
            }
        }
        self.outputs.finish()?;
        Ok(self.summary)
    }

    /// Gives a shard something, with as many commits in between as it asks for.
    fn give(
        &mut self,
        number: usize,
        line: Option<&Line<'_>>,
        step: impl Fn(&mut Shard, &mut Effects),
    ) -> io::Result<()> {
        loop {
            let Some(shard) = self.shards.get_mut(number) else { return Ok(()) };
            step(shard, &mut self.effects);
            let is_behind = shard.partition.is_behind();
            self.write(number, line)?;
            if !is_behind {
                return Ok(());
            }
            self.commit();
        }
    }

    fn shard_of(&mut self, record: &Record<'_>) -> usize {
        let count = u32::try_from(self.shards.len()).unwrap_or(1);
        let Some(first) = self.shards.first_mut().filter(|_| 1 < count) else { return 0 };
        let customer = first.partition.customer_of(self.engine, record, self.now);
        let partition = customer.map_or(0, |id| self.partitioner.partition(id.as_bytes(), count));
        usize::try_from(partition).unwrap_or(0)
    }

    fn write(&mut self, shard: usize, line: Option<&Line<'_>>) -> io::Result<()> {
        let mut found = Found::default();
        for effect in self.effects.iter() {
            match effect {
                Effect::Moment(moment) => {
                    if !moment.derived && moment.revision == 0 {
                        self.line_before = Some(moment.ts);
                    }
                    self.summary.moment(moment, &self.effects);
                    self.outputs.moment(self.effects.bytes(moment.value))?;
                }
                Effect::Reject(rejected) => {
                    self.summary.reject(rejected);
                    if let Some(line) = line {
                        self.outputs.reject(rejected, &self.effects, line)?;
                    }
                }
                Effect::Pulse(pulse) => {
                    let Some(detector) = &mut self.detector else { continue };
                    let record = PulseRecord {
                        partition: i32::try_from(shard).unwrap_or(i32::MAX),
                        minute: pulse.minute,
                        value: self.effects.bytes(pulse.value),
                        offset: 0,
                        heard_at: self.now,
                    };
                    detector.note(&record, &mut found);
                    detector.judge(None, None, &mut found);
                }
                Effect::Fact(fact) => self.summary.fact(*fact, &self.effects),
            }
        }
        self.effects.clear();
        self.tell(&found)
    }

    fn tell(&mut self, found: &Found) -> io::Result<()> {
        for said in &found.said {
            self.summary.spike(said);
            self.outputs.spike(&said.value)?;
        }
        Ok(())
    }

    fn commit(&mut self) {
        self.since_commit = 0;
        for shard in &mut self.shards {
            self.sealed.clear();
            shard.partition.seal(self.engine, &mut self.sealed);
            shard.store.apply(&self.sealed);
            shard.partition.committed(self.engine);
        }
    }
}
