//! Reading a partition's state back from the compacted topic that holds it.
//!
//! The end is the high watermark and not the last stable offset. A predecessor that died may have
//! left a transaction open, and committed records behind it are hidden until the broker has ended
//! it: whoever stopped at the stable offset would start without them, and nobody could tell. So a
//! restore notes the high watermark, waits until the stable offset has reached it, and only then
//! reads.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rdkafka::{
    Message, Offset, TopicPartitionList,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};

use super::{
    Class, Connection, KafkaFailure,
    client::{Heard, Listener},
};
use crate::clock::Stopwatch;

/// How long one question may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How long open transactions may hide the end: their timeout, the broker's round of 10 s that ends
/// them, and room. Beyond it the worker starts over.
const STABLE_LIMIT: Duration = Duration::from_mins(1);

/// A pause between two questions for the stable offset.
const STABLE_PAUSE: Duration = Duration::from_millis(50);

/// One row as it stands in the topic. Later rows of a key replace earlier ones.
#[derive(Clone, Copy, Debug)]
pub struct RestoredRow<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The row; `None` takes it away.
    pub value: Option<&'a [u8]>,
}

/// How far a restore has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreStep {
    /// An open transaction still hides the end.
    Waiting,
    /// Rows were read, and there are more.
    Reading,
    /// Everything up to the high watermark was read.
    Done,
}

#[derive(Debug)]
enum Phase {
    Waiting(Stopwatch),
    Reading,
    Done,
}

/// The restore of one partition, in steps, so that other partitions go on in between.
pub struct Restore {
    reader: BaseConsumer<Listener>,
    heard: Arc<Heard>,
    topic: String,
    partition: i32,
    phase: Phase,
    /// The first offset that the broker holds.
    first: i64,
    /// The high watermark at the start.
    end: i64,
    /// The next offset to read.
    position: i64,
    row_count: u64,
}

impl std::fmt::Debug for Restore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Restore")
            .field("partition", &self.partition)
            .field("phase", &self.phase)
            .field("row_count", &self.row_count)
            .finish_non_exhaustive()
    }
}

impl Restore {
    /// Notes how far there is to read.
    ///
    /// # Errors
    ///
    /// The broker does not answer, or the partition does not exist.
    pub fn begin(
        connection: &Connection,
        group: &str,
        topic: &str,
        partition: i32,
    ) -> Result<Self, KafkaFailure> {
        let failed = |error: KafkaError| KafkaFailure::new("starting a restore", &error);
        let mut config = connection.reader(group, &format!("{group}-restore-{partition}"));
        // At the end the broker would else hold the answer that says so back for half a second.
        config.set("fetch.wait.max.ms", "10");
        let listener = Listener::default();
        let heard = Arc::clone(&listener.state);
        let reader = BaseConsumer::from_config_and_context(&config, listener).map_err(failed)?;
        // A second client, because the isolation level decides which end the broker names.
        config.set("isolation.level", "read_uncommitted");
        let witness: BaseConsumer<Listener> =
            BaseConsumer::from_config_and_context(&config, Listener::default()).map_err(failed)?;
        let (first, end) =
            witness.fetch_watermarks(topic, partition, ANSWER_LIMIT).map_err(failed)?;
        Ok(Self {
            reader,
            heard,
            topic: topic.to_owned(),
            partition,
            phase: Phase::Waiting(Stopwatch::start()),
            first,
            end,
            position: first,
            row_count: 0,
        })
    }

    /// Begins at this offset instead of the first, because what comes before it is known. Returns
    /// `false`, and begins at the first, where the topic has no such offset: it is not the topic
    /// that it was.
    #[must_use]
    pub fn skip_to(&mut self, offset: i64) -> bool {
        let known = (self.first..=self.end).contains(&offset);
        if known {
            self.position = offset;
        }
        known
    }

    /// Returns the next offset to read: everything before it was handed over.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// Returns the number of rows read so far.
    pub fn row_count(&self) -> u64 {
        self.row_count
    }

    /// Returns about how many records there are to read: compaction leaves gaps.
    pub fn remaining(&self) -> u64 {
        u64::try_from(self.end.saturating_sub(self.position)).unwrap_or(0)
    }

    /// Works for about `budget`, handing every row to `take` in the topic's order.
    ///
    /// # Errors
    ///
    /// The worker has to start over.
    pub fn step(
        &mut self,
        budget: Duration,
        take: &mut dyn FnMut(RestoredRow<'_>),
    ) -> Result<RestoreStep, KafkaFailure> {
        match self.phase {
            Phase::Waiting(since) => self.wait(since),
            Phase::Reading => self.read(budget, take),
            Phase::Done => Ok(RestoreStep::Done),
        }
    }

    fn wait(&mut self, since: Stopwatch) -> Result<RestoreStep, KafkaFailure> {
        let doing = "waiting for the changelog's end";
        let failed = |error: KafkaError| KafkaFailure::new(doing, &error);
        let (_, stable) = self
            .reader
            .fetch_watermarks(&self.topic, self.partition, ANSWER_LIMIT)
            .map_err(failed)?;
        let high = self.end;
        if stable < high {
            if since.left_of(STABLE_LIMIT).is_zero() {
                let reason = format!("a transaction is open at offset {stable} of {high}");
                return Err(KafkaFailure::own(doing, Class::Fatal, reason));
            }
            self.reader.poll(STABLE_PAUSE);
            return Ok(RestoreStep::Waiting);
        }
        if high <= self.position {
            self.phase = Phase::Done;
            return Ok(RestoreStep::Done);
        }
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, self.partition, Offset::Offset(self.position))
            .map_err(failed)?;
        self.reader.assign(&list).map_err(failed)?;
        self.phase = Phase::Reading;
        Ok(RestoreStep::Reading)
    }

    fn read(
        &mut self,
        budget: Duration,
        take: &mut dyn FnMut(RestoredRow<'_>),
    ) -> Result<RestoreStep, KafkaFailure> {
        let watch = Stopwatch::start();
        loop {
            let left = watch.left_of(budget);
            let Some(result) = self.reader.poll(left.min(Duration::from_millis(100))) else {
                if left.is_zero() {
                    return Ok(RestoreStep::Reading);
                }
                continue;
            };
            match result {
                Ok(record) => {
                    self.position = record.offset().saturating_add(1);
                    if let Some(key) = record.key() {
                        self.row_count += 1;
                        take(RestoredRow { key, value: record.payload() });
                    }
                }
                // Everything that the stable offset shows is taken, even beyond the noted end: a
                // transaction is then never taken in part.
                //
                // The partition's last records may be transaction markers, which are never
                // delivered: the broker's word is the only sign of the end.
                Err(KafkaError::PartitionEOF(_)) => {
                    self.position = self.position.max(self.end);
                    self.phase = Phase::Done;
                    return Ok(RestoreStep::Done);
                }
                Err(error) => {
                    let failure = KafkaFailure::new("reading the changelog", &error);
                    if matches!(error, KafkaError::MessageConsumptionFatal(_))
                        || failure.is_refusal()
                    {
                        return Err(failure);
                    }
                    tracing::debug!(%error, "the restore met an obstacle");
                }
            }
            if left.is_zero() {
                return Ok(RestoreStep::Reading);
            }
        }
    }
}

impl Drop for Restore {
    /// A reader that still holds a partition would wait for its own answer.
    fn drop(&mut self) {
        self.heard.closing.store(true, Ordering::Relaxed);
        if let Err(error) = self.reader.unassign() {
            tracing::debug!(%error, "a restore's reader could not let go");
        }
    }
}
