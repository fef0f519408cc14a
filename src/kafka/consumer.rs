//! A worker's membership in the group that shares the input's partitions.
//!
//! A rebalance is only noted while the library calls us back, and answered by the worker after
//! `poll` has returned: there the partitions' data lives, and there a commit can be made first.

use std::{
    collections::BTreeMap,
    ffi::CString,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerGroupMetadata},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    message::BorrowedMessage,
};

use super::{
    Connection, KafkaFailure,
    client::{Heard, Listener},
    input_record::InputRecord,
    intake::Place,
    membership::Membership,
    native,
    topic_ids::{TopicId, topic_id},
};

/// What the group asks of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rebalance {
    /// These partitions are ours from now on. Often empty, and then to be answered as well.
    Assigned(Vec<i32>),
    /// These partitions go to somebody else.
    Revoked {
        /// Which ones.
        partitions: Vec<i32>,
        /// Somebody else may have them already: nothing may be committed for them.
        lost: bool,
    },
}

/// What a call of [`GroupConsumer::poll`] brought.
#[derive(Debug)]
pub enum Polled<'a> {
    /// A record of the input.
    Record(InputRecord<'a>),
    /// The broker says that this partition has no more records.
    End(i32),
    /// Nothing within the time given, or only a rebalance.
    Nothing,
    /// One of the positions is outside what the broker holds.
    OutOfRange,
    /// The consumer cannot go on.
    Failed(KafkaFailure),
}

/// How long a question to the broker may take before it counts as failed.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A static member of the group. One per worker.
pub struct GroupConsumer {
    consumer: BaseConsumer<Listener>,
    heard: Arc<Heard>,
    group: String,
    topic: String,
    /// The same for the library.
    topic_name: CString,
    membership: Membership,
}

impl std::fmt::Debug for GroupConsumer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("GroupConsumer").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl GroupConsumer {
    /// Joins `group` under the name `instance` for the partitions of `topic`.
    ///
    /// # Errors
    ///
    /// A property has a value that the client does not allow.
    pub fn open(
        connection: &Connection,
        group: &str,
        instance: &str,
        topic: &str,
    ) -> Result<Self, KafkaFailure> {
        Self::join(&connection.member(group, instance), group, topic)
    }

    /// Joins `group` under no name, for another topic than its members: it leaves no gap when it goes.
    ///
    /// # Errors
    ///
    /// A property has a value that the client does not allow.
    pub fn open_guest(
        connection: &Connection,
        group: &str,
        topic: &str,
    ) -> Result<Self, KafkaFailure> {
        Self::join(&connection.reader(group, &format!("{group}-guest")), group, topic)
    }

    fn join(config: &ClientConfig, group: &str, topic: &str) -> Result<Self, KafkaFailure> {
        let failed = |error| KafkaFailure::new("opening the consumer", &error);
        let listener = Listener::default();
        let heard = Arc::clone(&listener.state);
        let consumer = BaseConsumer::from_config_and_context(config, listener).map_err(failed)?;
        consumer.subscribe(&[topic]).map_err(failed)?;
        let topic_name = CString::new(topic).map_err(|error| failed(error.into()))?;
        let (group, topic) = (group.to_owned(), topic.to_owned());
        let membership = Membership::default();
        Ok(Self { consumer, heard, group, topic, topic_name, membership })
    }

    pub(super) fn client(&self) -> &BaseConsumer<Listener> {
        &self.consumer
    }

    pub(super) fn group(&self) -> &str {
        &self.group
    }

    pub(super) fn place(&self, partition: i32) -> Place {
        Place { topic: Arc::from(self.topic.as_str()), partition }
    }

    /// Waits up to `timeout` for a record. What the group asks is heard meanwhile.
    pub fn poll(&self, timeout: Duration) -> Polled<'_> {
        self.consumer.poll(timeout).map_or(Polled::Nothing, |result| self.polled(result))
    }

    fn polled<'a>(&self, result: KafkaResult<BorrowedMessage<'a>>) -> Polled<'a> {
        match result {
            Ok(message) => {
                self.heard.disconnected.store(false, Ordering::Relaxed);
                Polled::Record(InputRecord(message))
            }
            Err(KafkaError::PartitionEOF(partition)) => {
                self.heard.disconnected.store(false, Ordering::Relaxed);
                Polled::End(partition)
            }
            Err(KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset)) => {
                Polled::OutOfRange
            }
            Err(error @ KafkaError::MessageConsumptionFatal(_)) => {
                Polled::Failed(KafkaFailure::new("consuming", &error))
            }
            Err(error) => {
                let failure = KafkaFailure::new("consuming", &error);
                if failure.is_refusal() {
                    return Polled::Failed(failure);
                }
                // The library goes on by itself: brokers come back, leaders move.
                tracing::debug!(%error, "the consumer met an obstacle");
                Polled::Nothing
            }
        }
    }

    /// Takes the oldest rebalance that is not answered yet.
    pub fn next_rebalance(&self) -> Option<Rebalance> {
        self.heard.next_rebalance()
    }

    /// Starts to read these partitions at these offsets. With none, it only answers a rebalance.
    ///
    /// # Errors
    ///
    /// The worker has to start over.
    pub fn assign(&self, positions: &[(i32, i64)]) -> Result<(), KafkaFailure> {
        let doing = "taking up partitions";
        let list = self.list(positions).map_err(|error| KafkaFailure::new(doing, &error))?;
        self.consumer.incremental_assign(&list).map_err(|error| KafkaFailure::new(doing, &error))
    }

    /// Stops reading these partitions. With none, it only answers a rebalance.
    ///
    /// # Errors
    ///
    /// The worker has to start over.
    pub fn unassign(&self, partitions: &[i32]) -> Result<(), KafkaFailure> {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.topic, *partition);
        }
        self.consumer
            .incremental_unassign(&list)
            .map_err(|error| KafkaFailure::new("giving up partitions", &error))
    }

    /// Goes back (or on) to these offsets, and drops what was fetched ahead.
    ///
    /// # Errors
    ///
    /// The worker has to start over.
    pub fn seek(&self, positions: &[(i32, i64)]) -> Result<(), KafkaFailure> {
        let doing = "seeking back";
        let failed = |error: KafkaError| KafkaFailure::new(doing, &error);
        let list = self.list(positions).map_err(failed)?;
        let answer = self.consumer.seek_partitions(list, ANSWER_LIMIT).map_err(failed)?;
        for element in answer.elements() {
            element.error().map_err(failed)?;
        }
        Ok(())
    }

    /// Returns what the group has committed for these partitions. Blocks while a transaction with
    /// offsets of them is open, so that a predecessor's last commit cannot be overlooked.
    ///
    /// # Errors
    ///
    /// No answer in time: the worker has to start over.
    pub fn committed(
        &self,
        partitions: &[i32],
        limit: Duration,
    ) -> Result<BTreeMap<i32, Option<i64>>, KafkaFailure> {
        let doing = "reading the group's offsets";
        let failed = |error: KafkaError| KafkaFailure::new(doing, &error);
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.topic, *partition);
        }
        let answer = self.consumer.committed_offsets(list, limit).map_err(failed)?;
        let mut offsets = BTreeMap::new();
        for element in answer.elements() {
            element.error().map_err(failed)?;
            offsets.insert(element.partition(), exact(element.offset()));
        }
        Ok(offsets)
    }

    /// Notes offsets for the group, outside a transaction: for what is done at least once.
    ///
    /// # Errors
    ///
    /// The group has gone on without us.
    pub fn commit(&self, offsets: &[(i32, i64)]) -> Result<(), KafkaFailure> {
        let failed = |error: KafkaError| KafkaFailure::new("noting the group's offsets", &error);
        let list = self.list(offsets).map_err(failed)?;
        self.consumer.commit(&list, CommitMode::Sync).map_err(failed)
    }

    /// Returns the first offset and the last stable offset of a partition of the input.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub fn bounds(&self, partition: i32, limit: Duration) -> Result<(i64, i64), KafkaFailure> {
        let bounds = self
            .consumer
            .fetch_watermarks(&self.topic, partition, limit)
            .map_err(|error| KafkaFailure::new("asking for a partition's bounds", &error))?;
        self.heard.disconnected.store(false, Ordering::Relaxed);
        Ok(bounds)
    }

    /// Returns up to where every transaction in a partition of any topic has been decided.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub fn stable_end(
        &self,
        topic: &str,
        partition: i32,
        limit: Duration,
    ) -> Result<i64, KafkaFailure> {
        let doing = "asking for a topic's stable end";
        let bounds = self.consumer.fetch_watermarks(topic, partition, limit);
        bounds.map(|(_, end)| end).map_err(|error| KafkaFailure::new(doing, &error))
    }

    /// Returns a topic's id; `None` where it cannot be known within `limit`.
    pub fn topic_id(&self, topic: &str, limit: Duration) -> Option<TopicId> {
        topic_id(self.consumer.client(), topic, limit)
    }

    /// Returns where a partition ended when the client last fetched from it; `None` before that.
    /// Asks nobody.
    pub fn known_end(&self, partition: i32) -> Option<i64> {
        native::known_end(self.consumer.client(), &self.topic_name, partition)
    }

    /// Returns the first offset whose record is not older than `millis`, or the partition's end.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub fn offset_at(&self, partition: i32, millis: i64) -> Result<i64, KafkaFailure> {
        let doing = "looking up an offset by time";
        let failed = |error: KafkaError| KafkaFailure::new(doing, &error);
        let list = self.list(&[(partition, millis)]).map_err(failed)?;
        let answer = self.consumer.offsets_for_times(list, ANSWER_LIMIT).map_err(failed)?;
        let found = answer.elements().first().and_then(|element| exact(element.offset()));
        match found {
            Some(offset) => Ok(offset),
            None => self.bounds(partition, ANSWER_LIMIT).map(|(_, end)| end),
        }
    }

    /// Returns how many records were fetched and not polled yet.
    pub fn fetched_count(&self) -> u64 {
        u64::try_from(native::waiting(self.consumer.client())).unwrap_or(u64::MAX)
    }

    /// Returns how many partitions the input has now.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub fn partition_count(&self) -> Result<i32, KafkaFailure> {
        let metadata = self
            .consumer
            .fetch_metadata(Some(&self.topic), ANSWER_LIMIT)
            .map_err(|error| KafkaFailure::new("asking for the input's partitions", &error))?;
        let count = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// Returns whether the last that was heard is that no broker can be reached.
    pub fn is_disconnected(&self) -> bool {
        self.heard.disconnected.load(Ordering::Relaxed)
    }

    /// Takes note of whom the group knows us as: partitions are taken up under this id.
    pub fn note_membership(&self) {
        self.membership.note(&self.consumer);
    }

    /// Returns whether the group knows us by another id than the one that was noted.
    pub fn is_replaced(&self) -> bool {
        self.membership.is_replaced(&self.consumer)
    }

    /// Returns what a transaction must present for our offsets to count, read now.
    ///
    /// # Errors
    ///
    /// We are no member of the group at the moment, or another one than when partitions were taken up.
    pub(super) fn metadata(&self) -> Result<ConsumerGroupMetadata, KafkaFailure> {
        self.membership.metadata(&self.consumer)
    }

    /// Returns positions as the library wants them.
    pub(super) fn list(&self, positions: &[(i32, i64)]) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in positions {
            list.add_partition_offset(&self.topic, *partition, Offset::Offset(*offset))?;
        }
        Ok(list)
    }
}

impl Drop for GroupConsumer {
    /// Leaves. Takes long when no broker answers: drop it where that can be waited out.
    fn drop(&mut self) {
        // The consumer's own drop waits for its rebalance to be answered.
        self.heard.closing.store(true, Ordering::Relaxed);
        // One that came before the flag was up is answered here.
        while let Some(rebalance) = self.heard.next_rebalance() {
            let answer = match rebalance {
                Rebalance::Assigned(_) => self.assign(&[]),
                Rebalance::Revoked { .. } => self.unassign(&[]),
            };
            if let Err(error) = answer {
                tracing::debug!(%error, "a rebalance could not be answered while closing");
            }
        }
    }
}

fn exact(offset: Offset) -> Option<i64> {
    match offset {
        Offset::Offset(offset) => Some(offset),
        Offset::Beginning
        | Offset::End
        | Offset::Stored
        | Offset::Invalid
        | Offset::OffsetTail(_) => None,
    }
}
