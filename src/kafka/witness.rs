//! Waiting for records to appear in certain partitions, from now on.
//!
//! For who has asked for something and wants to see it done: the reader notes where the partitions end,
//! then the wish is written, and what comes after the noted ends is the answer. Only what is committed
//! counts.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use rdkafka::{
    Message, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, ResourceSpecifier},
    client::DefaultClientContext,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};

use super::{Class, Connection, KafkaFailure, Place, client::Listener};
use crate::clock::Stopwatch;

/// How long a broker may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// One turn of waiting.
const TURN: Duration = Duration::from_millis(200);

/// A reader of some partitions, from their present ends.
pub struct Witness {
    consumer: BaseConsumer<Listener>,
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Witness").finish_non_exhaustive()
    }
}

/// What a record must have to be the one that is waited for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// Where it must appear.
    pub place: Place,
    /// Its key. It must have no value.
    pub key: Vec<u8>,
}

impl Witness {
    /// Notes where these partitions end. The group names the client and is neither joined nor changed.
    ///
    /// # Errors
    ///
    /// The broker does not answer, or does not permit it.
    pub fn begin(
        connection: &Connection,
        group: &str,
        places: &BTreeSet<Place>,
    ) -> Result<Self, KafkaFailure> {
        let failed = |error: KafkaError| KafkaFailure::new("noting where topics end", &error);
        let mut config = connection.reader(group, "rega-witness");
        // The end that is noted is the one behind open transactions: nothing can come before it.
        config.set("isolation.level", "read_uncommitted");
        let client: BaseConsumer<Listener> =
            BaseConsumer::from_config_and_context(&config, Listener::default()).map_err(failed)?;
        let mut list = TopicPartitionList::new();
        for Place { topic, partition } in places {
            let (_, end) =
                client.fetch_watermarks(topic, *partition, ANSWER_LIMIT).map_err(failed)?;
            list.add_partition_offset(topic, *partition, Offset::Offset(end)).map_err(failed)?;
        }
        config.set("isolation.level", "read_committed");
        let consumer =
            BaseConsumer::from_config_and_context(&config, Listener::default()).map_err(failed)?;
        consumer.assign(&list).map_err(failed)?;
        Ok(Self { consumer })
    }

    /// Waits up to `limit` for the tombstones that are wanted; returns the offset of each that came.
    ///
    /// # Errors
    ///
    /// The client cannot go on.
    pub fn tombstones(
        &self,
        mut wanted: BTreeSet<Wanted>,
        limit: Duration,
    ) -> Result<BTreeMap<Wanted, i64>, KafkaFailure> {
        let watch = Stopwatch::start();
        let mut found = BTreeMap::new();
        while !wanted.is_empty() && !watch.left_of(limit).is_zero() {
            match self.consumer.poll(TURN) {
                Some(Ok(record)) if record.payload().is_none() => {
                    let topic = Arc::from(record.topic());
                    let place = Place { topic, partition: record.partition() };
                    let key = record.key().unwrap_or_default().to_vec();
                    let seen = Wanted { place, key };
                    if wanted.remove(&seen) {
                        found.insert(seen, record.offset());
                    }
                }
                Some(Err(error)) => {
                    let failure = KafkaFailure::new("waiting for records", &error);
                    let fatal = matches!(error, KafkaError::MessageConsumptionFatal(_));
                    if fatal || failure.is_refusal() {
                        return Err(failure);
                    }
                }
                Some(Ok(_)) | None => {}
            }
        }
        Ok(found)
    }
}

/// Returns how many partitions a topic has.
///
/// # Errors
///
/// There is no such topic, no answer, or no permission.
pub fn partition_count(connection: &Connection, topic: &str) -> Result<i32, KafkaFailure> {
    let doing = "looking at a topic";
    let failed = |error: KafkaError| KafkaFailure::new(doing, &error);
    let client: BaseConsumer<Listener> =
        BaseConsumer::from_config_and_context(&connection.questions(), Listener::default())
            .map_err(failed)?;
    let metadata = client.fetch_metadata(Some(topic), ANSWER_LIMIT).map_err(failed)?;
    match metadata.topics().first() {
        Some(found) if found.error().is_none() => {
            Ok(i32::try_from(found.partitions().len()).unwrap_or(i32::MAX))
        }
        Some(_) | None => {
            let reason = format!("there is no topic \"{topic}\", or it may not be seen");
            Err(KafkaFailure::own(doing, Class::Fatal, reason))
        }
    }
}

/// Returns some settings of topics, by topic and name.
///
/// # Errors
///
/// No answer, or no permission.
pub fn topic_settings(
    connection: &Connection,
    topics: &[&str],
    names: &[&str],
) -> Result<BTreeMap<String, BTreeMap<String, String>>, KafkaFailure> {
    let doing = "reading the settings of topics";
    let failed = |error: KafkaError| KafkaFailure::new(doing, &error);
    let admin: AdminClient<DefaultClientContext> =
        AdminClient::from_config_and_context(&connection.questions(), DefaultClientContext)
            .map_err(failed)?;
    // The administrative calls are futures, and nothing else here is.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| KafkaFailure::own(doing, Class::Fatal, error.to_string()))?;
    let asked: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
    let options = AdminOptions::new().request_timeout(Some(ANSWER_LIMIT));
    let answers = runtime.block_on(admin.describe_configs(&asked, &options)).map_err(failed)?;
    let mut settings: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (topic, answer) in topics.iter().zip(answers) {
        let resource =
            answer.map_err(|code| KafkaFailure::new(doing, &KafkaError::AdminOp(code)))?;
        let of_topic = settings.entry((*topic).to_owned()).or_default();
        for name in names {
            if let Some(value) = resource.get(name).and_then(|entry| entry.value.clone()) {
                of_topic.insert((*name).to_owned(), value);
            }
        }
    }
    Ok(settings)
}
