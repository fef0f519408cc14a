//! What a group is to read, looked at before any member of it works: how many partitions there are, and
//! what was read of them before.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rdkafka::{
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    metadata::MetadataTopic,
};

use super::{Connection, KafkaFailure, Place, client::Listener, consumer::committed};
use crate::clock::Stopwatch;

/// How long a question to the broker may take before it counts as failed.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Longer than a predecessor's transaction can stay open and hold its offsets back.
const SURVEY_LIMIT: Duration = Duration::from_secs(30);

/// A pause between two questions.
const SURVEY_PAUSE: Duration = Duration::from_millis(100);

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
pub(super) fn places_of(
    client: &BaseConsumer<Listener>,
    topic: &Arc<str>,
    limit: Duration,
) -> Result<Vec<Place>, KafkaFailure> {
    let metadata = client
        .fetch_metadata(Some(topic), limit)
        .map_err(|error| KafkaFailure::new("asking for a topic's partitions", &error))?;
    let count = metadata.topics().first().map_or(0, |found| found.partitions().len());
    let partitions = 0..i32::try_from(count).unwrap_or(i32::MAX);
    Ok(partitions.map(|partition| Place::of(topic, partition)).collect())
}

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
    let partitions = 0..source.partition_count;
    let places: Vec<Place> =
        partitions.map(|partition| Place::of(&source.topic, partition)).collect();
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
