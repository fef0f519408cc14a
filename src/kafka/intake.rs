//! Membership in the group that shares the partitions of several topics: what `route` reads.
//!
//! Much like [`super::GroupConsumer`], but a position has a topic here, and there is no state that
//! would have to agree with it: the group's committed offsets are all there is. It is a consumer of its
//! own because the worker's is on the way of every touchpoint, and should carry no topic name.

use std::{
    collections::{BTreeMap, VecDeque},
    ffi::CString,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rdkafka::{
    ClientContext, Offset, TopicPartitionList,
    config::{FromClientConfigAndContext, RDKafkaLogLevel},
    consumer::{BaseConsumer, Consumer, ConsumerContext, ConsumerGroupMetadata},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    metadata::MetadataTopic,
    topic_partition_list::TopicPartitionListElem,
    types::RDKafkaRespErr,
};

use super::{
    Connection, KafkaFailure, client::Listener, input_record::InputRecord, membership::Membership,
    native,
};
use crate::clock::Stopwatch;

/// How long a question to the broker may take before it counts as failed.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A partition of one of the topics.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The topic. Shared, because every record's place is looked up by it.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: i32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.topic, self.partition)
    }
}

/// What the group asks of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handover {
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

/// What a call of [`Intake::poll`] brought.
#[derive(Debug)]
pub enum Taken<'a> {
    /// A record.
    Record(InputRecord<'a>),
    /// Something that needs no answer.
    Noise,
    /// Nothing within the time given.
    Nothing,
    /// One of the positions is outside what the broker holds.
    OutOfRange,
    /// The consumer cannot go on.
    Failed(KafkaFailure),
}

/// What the client tells between calls. Written by callbacks that run inside our own `poll`, so the
/// lock is never contended; it is there because the library asks for `Sync`.
#[derive(Debug, Default)]
struct Heard {
    /// Nobody polls for rebalances any more: they are answered inside the callback.
    closing: AtomicBool,
    /// As long as the group's changes between two polls.
    handovers: Mutex<VecDeque<Handover>>,
}

/// Notes rebalances; what else there is to hear goes where every client's does.
struct Ear {
    heard: Arc<Heard>,
    listener: Listener,
}

impl ClientContext for Ear {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.listener.log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.listener.error(error, reason);
    }
}

impl ConsumerContext for Ear {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        error: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let assigned = error == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.heard.closing.load(Ordering::Relaxed) {
            let answer = if assigned {
                consumer.incremental_assign(&TopicPartitionList::new())
            } else {
                consumer.assignment().and_then(|held| consumer.incremental_unassign(&held))
            };
            if let Err(error) = answer {
                tracing::warn!(%error, "a rebalance could not be answered while closing");
            }
            return;
        }
        let places = partitions.elements().iter().map(place_of).collect();
        let handover = if assigned {
            Handover::Assigned(places)
        } else {
            Handover::Revoked { places, lost: consumer.assignment_lost() }
        };
        let mut queue = self.heard.handovers.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push_back(handover);
    }
}

fn place_of(element: &TopicPartitionListElem<'_>) -> Place {
    Place { topic: Arc::from(element.topic()), partition: element.partition() }
}

/// A static member of the group.
pub struct Intake {
    consumer: BaseConsumer<Ear>,
    heard: Arc<Heard>,
    group: String,
    topics: Vec<Arc<str>>,
    membership: Membership,
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Intake").finish_non_exhaustive()
    }
}

impl Intake {
    /// Joins `group` under the name `instance` for the partitions of `topics`.
    ///
    /// # Errors
    ///
    /// A property has a value that the client does not allow.
    pub fn open(
        connection: &Connection,
        group: &str,
        instance: &str,
        topics: &[String],
    ) -> Result<Self, KafkaFailure> {
        let failed = |error: KafkaError| KafkaFailure::new("opening the router's consumer", &error);
        let heard = Arc::<Heard>::default();
        let ear = Ear { heard: Arc::clone(&heard), listener: Listener::default() };
        let config = connection.member(group, instance);
        let consumer = BaseConsumer::from_config_and_context(&config, ear).map_err(failed)?;
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&names).map_err(failed)?;
        let topics = names.into_iter().map(Arc::from).collect();
        let (group, membership) = (group.to_owned(), Membership::default());
        Ok(Self { consumer, heard, group, topics, membership })
    }

    pub(super) fn client(&self) -> &BaseConsumer<impl ConsumerContext> {
        &self.consumer
    }

    pub(super) fn group(&self) -> &str {
        &self.group
    }

    /// Returns every partition of the topics, as they are now.
    pub(super) fn places(&self, limit: Duration) -> Result<Vec<Place>, KafkaFailure> {
        let mut places = Vec::new();
        for topic in &self.topics {
            places.extend(places_of(&self.consumer, topic, limit)?);
        }
        Ok(places)
    }

    /// Waits up to `timeout` for a record.
    pub fn poll(&self, timeout: Duration) -> Taken<'_> {
        match self.consumer.poll(timeout) {
            None => Taken::Nothing,
            Some(Ok(record)) => Taken::Record(InputRecord(record)),
            Some(Err(KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset))) => {
                Taken::OutOfRange
            }
            Some(Err(error)) => {
                let failure = KafkaFailure::new("reading what is to be routed", &error);
                let fatal = matches!(error, KafkaError::MessageConsumptionFatal(_));
                if fatal || failure.is_refusal() {
                    return Taken::Failed(failure);
                }
                // The end of a partition, or something that the library mends by itself.
                Taken::Noise
            }
        }
    }

    /// Takes the oldest rebalance that is not answered yet.
    pub fn next_handover(&self) -> Option<Handover> {
        self.heard.handovers.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Starts to read at these offsets. With none, it only answers a rebalance.
    ///
    /// # Errors
    ///
    /// The router has to start over.
    pub fn assign(&self, positions: &[(Place, i64)]) -> Result<(), KafkaFailure> {
        let failed = |error: KafkaError| KafkaFailure::new("taking up sources", &error);
        let list = list(positions.iter()).map_err(failed)?;
        self.consumer.incremental_assign(&list).map_err(failed)
    }

    /// Stops reading these. With none, it only answers a rebalance.
    ///
    /// # Errors
    ///
    /// The router has to start over.
    pub fn unassign(&self, places: &[Place]) -> Result<(), KafkaFailure> {
        let failed = |error: KafkaError| KafkaFailure::new("giving up sources", &error);
        self.consumer.incremental_unassign(&bare(places)).map_err(failed)
    }

    /// Goes back to these offsets, and drops what was fetched ahead.
    ///
    /// # Errors
    ///
    /// The router has to start over.
    pub fn seek(&self, positions: &[(Place, i64)]) -> Result<(), KafkaFailure> {
        let failed = |error: KafkaError| KafkaFailure::new("seeking back", &error);
        let list = list(positions.iter()).map_err(failed)?;
        let answer = self.consumer.seek_partitions(list, ANSWER_LIMIT).map_err(failed)?;
        for element in answer.elements() {
            element.error().map_err(failed)?;
        }
        Ok(())
    }

    /// Returns what the group has committed for these. Blocks while a transaction with offsets of
    /// them is open.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub fn committed(
        &self,
        places: &[Place],
        limit: Duration,
    ) -> Result<BTreeMap<Place, Option<i64>>, KafkaFailure> {
        committed(&self.consumer, places, limit)
    }

    /// Returns the first offset and the last stable offset of a partition.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub fn bounds(&self, place: &Place) -> Result<(i64, i64), KafkaFailure> {
        self.consumer
            .fetch_watermarks(&place.topic, place.partition, ANSWER_LIMIT)
            .map_err(|error| KafkaFailure::new("asking for a partition's bounds", &error))
    }

    /// Returns the first offset whose record is not older than `millis`, or the partition's end.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub fn offset_at(&self, place: &Place, millis: i64) -> Result<i64, KafkaFailure> {
        let failed = |error: KafkaError| KafkaFailure::new("looking up an offset by time", &error);
        let list = list([(place.clone(), millis)].iter()).map_err(failed)?;
        let answer = self.consumer.offsets_for_times(list, ANSWER_LIMIT).map_err(failed)?;
        match answer.elements().first().map(TopicPartitionListElem::offset) {
            Some(Offset::Offset(offset)) => Ok(offset),
            _ => self.bounds(place).map(|(_, end)| end),
        }
    }

    /// Returns where a partition ended when the client last fetched from it; `None` before that.
    /// Asks nobody.
    pub fn known_end(&self, place: &Place) -> Option<i64> {
        let topic = CString::new(&*place.topic).ok()?;
        native::known_end(self.consumer.client(), &topic, place.partition)
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
}

impl Drop for Intake {
    /// The consumer's own drop waits for its rebalance to be answered.
    fn drop(&mut self) {
        self.heard.closing.store(true, Ordering::Relaxed);
        while let Some(handover) = self.next_handover() {
            let answer = match handover {
                Handover::Assigned(_) => self.assign(&[]),
                Handover::Revoked { .. } => self.unassign(&[]),
            };
            if let Err(error) = answer {
                tracing::debug!(%error, "a rebalance could not be answered while closing");
            }
        }
    }
}

/// What was known of a source when the process started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The topic.
    pub topic: Arc<str>,
    /// How many partitions it had. One beyond them was added since.
    pub partition_count: i32,
    /// The group has read from it.
    pub known: bool,
}

/// Looks at which sources a group has read from.
///
/// # Errors
///
/// No answer in time, or no permission.
pub fn survey(
    connection: &Connection,
    group: &str,
    topics: &[String],
) -> Result<Vec<Source>, KafkaFailure> {
    let failed = |error: KafkaError| KafkaFailure::new("looking at what is to be routed", &error);
    let config = connection.reader(group, "rega-survey");
    let client: BaseConsumer<Listener> =
        BaseConsumer::from_config_and_context(&config, Listener::default()).map_err(failed)?;
    let mut sources = Vec::new();
    for topic in topics {
        let topic: Arc<str> = Arc::from(topic.as_str());
        let places = places_of(&client, &topic, ANSWER_LIMIT)?;
        let partition_count = i32::try_from(places.len()).unwrap_or(i32::MAX);
        let offsets = insistently(&client, &places)?;
        let known = offsets.values().any(Option::is_some);
        sources.push(Source { topic, partition_count, known });
    }
    Ok(sources)
}

/// Returns every partition of a topic, as it is now.
fn places_of<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &Arc<str>,
    limit: Duration,
) -> Result<Vec<Place>, KafkaFailure> {
    let metadata = client
        .fetch_metadata(Some(topic), limit)
        .map_err(|error| KafkaFailure::new("looking at what is to be routed", &error))?;
    let count = metadata.topics().first().map_or(0, |found| found.partitions().len());
    let place = |partition| Place { topic: Arc::clone(topic), partition };
    Ok((0..i32::try_from(count).unwrap_or(i32::MAX)).map(place).collect())
}

/// Longer than a predecessor's transaction can stay open and hold its offsets back.
const SURVEY_LIMIT: Duration = Duration::from_secs(30);

/// A pause between two questions.
const SURVEY_PAUSE: Duration = Duration::from_millis(100);

/// Returns whether anything was ever written to a topic.
///
/// # Errors
///
/// No answer in time, or no permission.
pub fn has_records(connection: &Connection, topic: &str) -> Result<bool, KafkaFailure> {
    let failed = |error: KafkaError| KafkaFailure::new("looking at the routed topic", &error);
    let client: BaseConsumer<Listener> =
        BaseConsumer::from_config_and_context(&connection.questions(), Listener::default())
            .map_err(failed)?;
    let metadata = client.fetch_metadata(Some(topic), ANSWER_LIMIT).map_err(failed)?;
    let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
    for partition in partitions {
        let (_, end) =
            client.fetch_watermarks(topic, partition.id(), ANSWER_LIMIT).map_err(failed)?;
        if 0 < end {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns what another group has committed for a topic, by partition.
///
/// # Errors
///
/// No answer in time, or no permission.
pub fn committed_by(
    connection: &Connection,
    group: &str,
    source: &Source,
) -> Result<BTreeMap<i32, i64>, KafkaFailure> {
    let failed = |error: KafkaError| KafkaFailure::new("reading another group's offsets", &error);
    let config = connection.reader(group, "rega-survey");
    let client: BaseConsumer<Listener> =
        BaseConsumer::from_config_and_context(&config, Listener::default()).map_err(failed)?;
    let place = |partition| Place { topic: Arc::clone(&source.topic), partition };
    let places: Vec<Place> = (0..source.partition_count).map(place).collect();
    let offsets = insistently(&client, &places)?.into_iter();
    Ok(offsets.filter_map(|(place, offset)| Some((place.partition, offset?))).collect())
}

/// Asks again while the coordinator is on its way, or a transaction is open.
fn insistently(
    client: &BaseConsumer<Listener>,
    places: &[Place],
) -> Result<BTreeMap<Place, Option<i64>>, KafkaFailure> {
    let watch = Stopwatch::start();
    loop {
        let left = watch.left_of(SURVEY_LIMIT);
        match committed(client, places, left) {
            Err(failure) if failure.is_refusal() || left.is_zero() => return Err(failure),
            Err(_) => {
                client.poll(SURVEY_PAUSE);
            }
            Ok(offsets) => return Ok(offsets),
        }
    }
}

fn committed<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    places: &[Place],
    limit: Duration,
) -> Result<BTreeMap<Place, Option<i64>>, KafkaFailure> {
    let failed = |error: KafkaError| KafkaFailure::new("reading the group's offsets", &error);
    let answer = client.committed_offsets(bare(places), limit).map_err(failed)?;
    let mut offsets = BTreeMap::new();
    for element in answer.elements() {
        element.error().map_err(failed)?;
        let offset = match element.offset() {
            Offset::Offset(offset) => Some(offset),
            Offset::Beginning
            | Offset::End
            | Offset::Stored
            | Offset::Invalid
            | Offset::OffsetTail(_) => None,
        };
        offsets.insert(place_of(&element), offset);
    }
    Ok(offsets)
}

/// Returns positions as the library wants them.
pub(super) fn list<'p>(
    positions: impl Iterator<Item = &'p (Place, i64)>,
) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (place, offset) in positions {
        list.add_partition_offset(&place.topic, place.partition, Offset::Offset(*offset))?;
    }
    Ok(list)
}

fn bare(places: &[Place]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for place in places {
        list.add_partition(&place.topic, place.partition);
    }
    list
}
