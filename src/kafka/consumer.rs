//! Membership in a group that shares partitions: of a worker, a router, the detector, a notifier.
//!
//! A rebalance is only noted while the library calls us back, and answered by the member after
//! `poll` has returned: there the partitions' data lives, and there a commit can be made first.

use std::{
    collections::BTreeMap,
    ffi::CString,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rdkafka::{
    ClientConfig,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    message::BorrowedMessage,
};

use super::{
    Connection, KafkaFailure, Place,
    client::{Heard, Listener},
    input_record::InputRecord,
    membership::Membership,
    native, place,
    sources::places_of,
    topic_ids::{TopicId, topic_id},
};
use crate::clock::Stopwatch;

/// What the group asks of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rebalance {
    /// These are ours from now on. Often empty, and then to be answered as well.
    Assigned(Vec<Place>),
    /// These go to somebody else.
    Revoked {
        /// Which ones.
        places: Vec<Place>,
        /// Somebody else may have them already: nothing may be committed for them.
        lost: bool,
    },
}

/// What a call of [`GroupConsumer::poll`] brought.
#[derive(Debug)]
pub enum Polled<'a> {
    /// A record.
    Record(InputRecord<'a>),
    /// The broker says that this partition has no more records. Whoever reads several topics is not
    /// told of which.
    End(i32),
    /// Nothing within the time given, or only a rebalance.
    Nothing,
    /// One of the positions is outside what the broker holds. It says so once, and not which.
    OutOfRange,
    /// The consumer cannot go on.
    Failed(KafkaFailure),
}

/// A position whose record the broker does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostPosition {
    /// Where.
    pub place: Place,
    /// What was to be read next.
    pub offset: i64,
    /// The first offset that the broker holds, and the one after the last.
    pub bounds: (i64, i64),
}

/// How long a question to the broker may take before it counts as failed.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How long to wait for the group's offsets before what is at work already has its turn: the broker
/// keeps them back while a predecessor's transaction is open.
const ASK_BUDGET: Duration = Duration::from_millis(500);

/// How long a predecessor's transaction may be open: its timeout, the broker's round of 10 s that
/// ends it, and room.
const ASK_LIMIT: Duration = Duration::from_mins(1);

/// A member of a group.
pub struct GroupConsumer {
    pub(super) consumer: BaseConsumer<Listener>,
    heard: Arc<Heard>,
    group: String,
    topics: Vec<Arc<str>>,
    pub(super) membership: Membership,
}

impl std::fmt::Debug for GroupConsumer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("GroupConsumer")
            .field("topics", &self.topics)
            .finish_non_exhaustive()
    }
}

impl GroupConsumer {
    /// Joins `group` under the name `instance`, as a static member, for the partitions of `topics`.
    ///
    /// # Errors
    ///
    /// A property has a value that the client does not allow.
    pub fn open(
        connection: &Connection,
        group: &str,
        instance: &str,
        topics: &[&str],
    ) -> Result<Self, KafkaFailure> {
        Self::join(&connection.member(group, instance), group, topics)
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
        Self::join(&connection.reader(group, &format!("{group}-guest")), group, &[topic])
    }

    fn join(config: &ClientConfig, group: &str, topics: &[&str]) -> Result<Self, KafkaFailure> {
        let failed = |error| KafkaFailure::new("opening the consumer", &error);
        let listener = Listener::default();
        let heard = Arc::clone(&listener.state);
        let consumer = BaseConsumer::from_config_and_context(config, listener).map_err(failed)?;
        consumer.subscribe(topics).map_err(failed)?;
        let topics = topics.iter().copied().map(Arc::from).collect();
        let (group, membership) = (group.to_owned(), Membership::default());
        Ok(Self { consumer, heard, group, topics, membership })
    }

    pub(super) fn group(&self) -> &str {
        &self.group
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

    /// Starts to read at these offsets. With none, it only answers a rebalance.
    ///
    /// # Errors
    ///
    /// The member has to start over.
    pub fn assign(&self, positions: &[(Place, i64)]) -> Result<(), KafkaFailure> {
        let failed = |error: KafkaError| KafkaFailure::new("taking up partitions", &error);
        let list = place::positions(positions).map_err(failed)?;
        self.consumer.incremental_assign(&list).map_err(failed)
    }

    /// Stops reading these. With none, it only answers a rebalance.
    ///
    /// # Errors
    ///
    /// The member has to start over.
    pub fn unassign(&self, places: &[Place]) -> Result<(), KafkaFailure> {
        self.consumer
            .incremental_unassign(&place::partitions(places))
            .map_err(|error| KafkaFailure::new("giving up partitions", &error))
    }

    /// Goes back (or on) to these offsets, and drops what was fetched ahead.
    ///
    /// # Errors
    ///
    /// The member has to start over.
    pub fn seek(&self, positions: &[(Place, i64)]) -> Result<(), KafkaFailure> {
        if positions.is_empty() {
            return Ok(());
        }
        let failed = |error: KafkaError| KafkaFailure::new("seeking back", &error);
        let list = place::positions(positions).map_err(failed)?;
        let answer = self.consumer.seek_partitions(list, ANSWER_LIMIT).map_err(failed)?;
        for element in answer.elements() {
            element.error().map_err(failed)?;
        }
        Ok(())
    }

    /// Returns what the group has committed for these. Blocks while a transaction with offsets of
    /// them is open, so that a predecessor's last commit cannot be overlooked.
    ///
    /// # Errors
    ///
    /// No answer in time: the member has to start over.
    pub fn committed(
        &self,
        places: &[Place],
        limit: Duration,
    ) -> Result<BTreeMap<Place, Option<i64>>, KafkaFailure> {
        committed(&self.consumer, places, limit)
    }

    /// The same for who has other work meanwhile: `None` where the answer does not come at once (a
    /// transaction is open, or the coordinator is on its way), and it is to be asked again.
    ///
    /// # Errors
    ///
    /// `since` the first question, longer has passed than any transaction may be open.
    pub fn committed_by_now(
        &self,
        places: &[Place],
        since: Stopwatch,
    ) -> Result<Option<BTreeMap<Place, Option<i64>>>, KafkaFailure> {
        match self.committed(places, ASK_BUDGET) {
            Err(failure) if since.left_of(ASK_LIMIT).is_zero() => Err(failure),
            answer => Ok(answer.ok()),
        }
    }

    /// Notes offsets for the group, outside a transaction: for what is done at least once.
    ///
    /// # Errors
    ///
    /// The group has gone on without us.
    pub fn commit(&self, offsets: &[(Place, i64)]) -> Result<(), KafkaFailure> {
        let failed = |error: KafkaError| KafkaFailure::new("noting the group's offsets", &error);
        let list = place::positions(offsets).map_err(failed)?;
        self.consumer.commit(&list, CommitMode::Sync).map_err(failed)
    }

    /// Returns the first offset and the last stable offset of a partition of any topic: up to the
    /// latter, every transaction has been decided.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub fn bounds(&self, place: &Place, limit: Duration) -> Result<(i64, i64), KafkaFailure> {
        let bounds = self
            .consumer
            .fetch_watermarks(&place.topic, place.partition, limit)
            .map_err(|error| KafkaFailure::new("asking for a partition's bounds", &error))?;
        self.heard.disconnected.store(false, Ordering::Relaxed);
        Ok(bounds)
    }

    /// Returns which of these positions are outside what the broker holds.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub fn lost_positions(
        &self,
        positions: Vec<(Place, i64)>,
    ) -> Result<Vec<LostPosition>, KafkaFailure> {
        let mut lost = Vec::new();
        for (place, offset) in positions {
            let bounds = self.bounds(&place, ANSWER_LIMIT)?;
            if !(bounds.0..=bounds.1).contains(&offset) {
                lost.push(LostPosition { place, offset, bounds });
            }
        }
        Ok(lost)
    }

    /// Returns a topic's id; `None` where it cannot be known within `limit`.
    pub fn topic_id(&self, topic: &str, limit: Duration) -> Option<TopicId> {
        topic_id(self.consumer.client(), topic, limit)
    }

    /// Returns where a partition ended when the client last fetched from it; `None` before that.
    /// Asks nobody.
    pub fn known_end(&self, place: &Place) -> Option<i64> {
        let topic = CString::new(&*place.topic).ok()?;
        native::known_end(self.consumer.client(), &topic, place.partition)
    }

    /// Returns the first offset whose record is not older than `millis`, or the partition's end.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub fn offset_at(&self, place: &Place, millis: i64) -> Result<i64, KafkaFailure> {
        let failed = |error: KafkaError| KafkaFailure::new("looking up an offset by time", &error);
        let list = place::positions(&[(place.clone(), millis)]).map_err(failed)?;
        let answer = self.consumer.offsets_for_times(list, ANSWER_LIMIT).map_err(failed)?;
        match place::offsets(&answer).map_err(failed)?.remove(place).flatten() {
            Some(offset) => Ok(offset),
            None => self.bounds(place, ANSWER_LIMIT).map(|(_, end)| end),
        }
    }

    /// Returns how many records were fetched and not polled yet.
    pub fn fetched_count(&self) -> u64 {
        u64::try_from(native::waiting(self.consumer.client())).unwrap_or(u64::MAX)
    }

    /// Returns every partition of the topics, as they are now.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub fn places(&self, limit: Duration) -> Result<Vec<Place>, KafkaFailure> {
        let mut places = Vec::new();
        for topic in &self.topics {
            places.extend(places_of(&self.consumer, topic, limit)?);
        }
        Ok(places)
    }

    /// Returns whether the last that was heard is that no broker can be reached.
    pub fn is_disconnected(&self) -> bool {
        self.heard.disconnected.load(Ordering::Relaxed)
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

/// Returns what a client's group has committed.
pub(super) fn committed(
    client: &BaseConsumer<Listener>,
    places: &[Place],
    limit: Duration,
) -> Result<BTreeMap<Place, Option<i64>>, KafkaFailure> {
    let failed = |error: KafkaError| KafkaFailure::new("reading the group's offsets", &error);
    let answer = client.committed_offsets(place::partitions(places), limit).map_err(failed)?;
    place::offsets(&answer).map_err(failed)
}
