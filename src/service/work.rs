//! The engine at work on one partition, and its effects on their way.

use super::{
    held::Running,
    publish::{Publisher, SourceRecord},
    route::{ORIGIN_HEADER, Origin},
    shared::Ruling,
};
use crate::{
    engine::{Effects, Record},
    kafka::{InputRecord, KafkaFailure},
    model::EventTime,
    telemetry::Tally,
};

/// Returns what a record is to the engine. `headers` are empty where nobody reads them.
pub(super) fn given<'r>(
    record: &'r InputRecord<'_>,
    headers: &'r [(&'r str, &'r [u8])],
) -> Record<'r> {
    Record {
        value: record.value(),
        key: record.key(),
        headers,
        topic: record.topic(),
        partition: record.partition(),
        offset: record.offset(),
        timestamp: record.timestamp(),
    }
}

/// With which rules, at what time, and to where.
pub(super) struct Work<'a> {
    pub(super) ruling: &'a Ruling,
    pub(super) now: EventTime,
    pub(super) publisher: Publisher<'a>,
}

impl Work<'_> {
    /// Runs one record through the engine.
    pub(super) fn process(
        &self,
        record: &InputRecord<'_>,
        running: &mut Running,
        effects: &mut Effects,
        tally: &mut Tally,
    ) -> Result<(), KafkaFailure> {
        let (topic, partition, offset) = (record.topic(), record.partition(), record.offset());
        // Asking the library for headers costs more than most dialects would get from them.
        let routed = !self.ruling.sources.is_empty();
        let reads_headers = routed || self.ruling.engine.reads_headers();
        let headers = if reads_headers { record.headers() } else { Vec::new() };
        // A copy says where it came from.
        let origin = headers.iter().find(|(name, _)| routed && *name == ORIGIN_HEADER);
        let (engine, timestamp, source) = match origin.and_then(|(_, value)| Origin::read(value)) {
            None => {
                let source = SourceRecord { topic, partition, offset, key: record.key() };
                (&self.ruling.engine, record.timestamp(), source)
            }
            Some(origin) => {
                let Origin { topic, partition, offset, timestamp, .. } = origin;
                let source = SourceRecord { topic, partition, offset, key: record.key() };
                (self.ruling.item_engine(topic), timestamp, source)
            }
        };
        let input = Record { timestamp, ..given(record, &headers) };
        // Before anything can fail: from here on the partition is ahead of its last commit.
        running.dirty = true;
        running.idle.record();
        running.read_up_to = timestamp;
        tally.read(timestamp);
        running.partition.process(engine, &input, self.now, &running.store, effects);
        self.deliver(partition, source, effects, tally)
    }

    /// Moves an idle partition's time forward.
    pub(super) fn tick(
        &self,
        (partition, running): (i32, &mut Running),
        event_time: EventTime,
        effects: &mut Effects,
        tally: &mut Tally,
    ) -> Result<(), KafkaFailure> {
        running.dirty = true;
        running.partition.tick(&self.ruling.engine, event_time, self.now, &running.store, effects);
        let source =
            SourceRecord { topic: "", partition, offset: running.next_offset(), key: None };
        self.deliver(partition, source, effects, tally)
    }

    fn deliver(
        &self,
        partition: i32,
        source: SourceRecord<'_>,
        effects: &mut Effects,
        tally: &mut Tally,
    ) -> Result<(), KafkaFailure> {
        let delivered = self.publisher.effects(partition, source, effects);
        tally.effects(effects);
        effects.clear();
        delivered
    }
}
