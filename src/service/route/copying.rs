//! One record of a source, taken apart: every item goes to its customer's partition, untouched.

use super::{ORIGIN_HEADER, Origin, Sources};
use crate::{
    engine::{Effects, Piece, Splitter},
    kafka::{Header, InputRecord, KafkaFailure, Outbox, Outgoing, Role},
    model::EventTime,
    service::{
        publish::{Publisher, SourceRecord},
        shared::{Ruling, Shared},
        work::given,
    },
    telemetry::{Output, Tally},
};

/// Copies one record.
pub(super) struct Copying<'c> {
    pub(super) shared: &'c Shared,
    pub(super) sources: &'c Sources,
    pub(super) ruling: &'c Ruling,
    pub(super) outbox: &'c Outbox,
    pub(super) now: EventTime,
}

impl Copying<'_> {
    /// Sends its items to their customers' partitions, and what is none to the rejects.
    pub(super) fn copy(
        &self,
        record: &InputRecord<'_>,
        splitter: &mut Splitter,
        effects: &mut Effects,
        tally: &mut Tally,
    ) -> Result<(), KafkaFailure> {
        let (topic, partition, offset) = (record.topic(), record.partition(), record.offset());
        let timestamp = record.timestamp();
        let engine = self.ruling.source_engine(topic);
        // Where they say something, the copy needs them too.
        let headers = if engine.reads_headers() { record.headers() } else { Vec::new() };
        let input = given(record, &headers);
        let mut sent = Ok(());
        splitter.split(engine, &input, self.now, effects, &mut |piece| {
            if sent.is_ok() {
                let origin = Origin { topic, partition, offset, item: piece.index, timestamp };
                sent = self.send(&piece, &origin, &headers);
                tally.produced(Output::Routed);
            }
        });
        sent?;
        let plan = &self.shared.settings.topics;
        let publisher = Publisher { outbox: self.outbox, plan, topics: self.shared.topics };
        let source = SourceRecord { topic, partition, offset, key: record.key() };
        let delivered = publisher.effects(partition, source, effects);
        tally.effects(effects);
        effects.clear();
        delivered
    }

    fn send(
        &self,
        piece: &Piece<'_>,
        origin: &Origin<'_>,
        headers: &[(&str, &[u8])],
    ) -> Result<(), KafkaFailure> {
        let count = u32::try_from(self.shared.topics.partition_count).unwrap_or(1);
        let key = piece.customer_id.as_bytes();
        let partition = self.sources.partitioner.partition(key, count);
        let record = Outgoing {
            topic: self.shared.settings.topics.name(Role::Input),
            partition: i32::try_from(partition).unwrap_or(0),
            key: Some(key),
            value: Some(piece.item),
        };
        let origin = origin.write();
        let mut copied: Vec<Header<'_>> =
            headers.iter().map(|&(name, value)| Header { name, value }).collect();
        copied.push(Header { name: ORIGIN_HEADER, value: origin.as_bytes() });
        self.outbox.send(&record, &copied)
    }
}
