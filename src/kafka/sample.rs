//! A look into a topic: its newest records, without joining a group or committing anything.

use std::time::Duration;

use rdkafka::{
    Message, Offset, TopicPartitionList,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::Headers,
    metadata::MetadataPartition,
};

use super::{Connection, KafkaFailure, client::Listener};
use crate::model::EventTime;

/// How long a question to the broker may take before it counts as failed.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A record that was looked at.
#[derive(Clone, Debug, Default)]
pub struct SampledRecord {
    /// The payload; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The headers that have a value.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The topic, or the file.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset, or the line.
    pub offset: i64,
    /// When it was produced, or appended.
    pub timestamp: Option<EventTime>,
}

/// Reads up to about `most` of the newest records of a topic, evenly from its partitions.
///
/// # Errors
///
/// The broker does not answer, or has no such topic.
pub fn sample(
    connection: &Connection,
    topic: &str,
    most: usize,
) -> Result<Vec<SampledRecord>, KafkaFailure> {
    let failed = |error: KafkaError| KafkaFailure::new("looking into the topic", &error);
    let mut config = connection.follower();
    config.set("enable.partition.eof", "true");
    let consumer: BaseConsumer<Listener> =
        BaseConsumer::from_config_and_context(&config, Listener::default()).map_err(failed)?;
    let metadata = consumer.fetch_metadata(Some(topic), ANSWER_LIMIT).map_err(failed)?;
    let partitions: Vec<i32> = metadata
        .topics()
        .iter()
        .filter(|found| found.name() == topic)
        .flat_map(|found| found.partitions().iter().map(MetadataPartition::id))
        .collect();
    if partitions.is_empty() {
        let unknown = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
        return Err(failed(unknown));
    }
    let each = i64::try_from(most.div_ceil(partitions.len())).unwrap_or(i64::MAX);
    let mut list = TopicPartitionList::new();
    for &partition in &partitions {
        let (low, high) =
            consumer.fetch_watermarks(topic, partition, ANSWER_LIMIT).map_err(failed)?;
        let start = Offset::Offset(low.max(high.saturating_sub(each)));
        list.add_partition_offset(topic, partition, start).map_err(failed)?;
    }
    consumer.assign(&list).map_err(failed)?;
    let (mut records, mut ended) = (Vec::new(), 0);
    while records.len() < most && ended < partitions.len() {
        match consumer.poll(ANSWER_LIMIT) {
            Some(Ok(record)) => records.push(owned(&record)),
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(failed(error)),
            // Something that the client tries again by itself.
            Some(Err(_)) => {}
            // Behind an open transaction there is no end to be told.
            None => break,
        }
    }
    Ok(records)
}

fn owned(record: &impl Message<Headers: Headers>) -> SampledRecord {
    let headers = record.headers().into_iter().flat_map(Headers::iter);
    let headers = headers.filter_map(|one| Some((one.key.to_owned(), one.value?.to_vec())));
    SampledRecord {
        value: record.payload().map(<[u8]>::to_vec),
        key: record.key().map(<[u8]>::to_vec),
        headers: headers.collect(),
        topic: record.topic().to_owned(),
        partition: record.partition(),
        offset: record.offset(),
        timestamp: record.timestamp().to_millis().and_then(EventTime::from_millis),
    }
}
