//! A plain reader of whole topics: what any downstream consumer would be.
//!
//! For the demo, which reads everything from the beginning, and for the console, which begins near
//! the end. It joins no group and commits nothing.

use std::time::Duration;

use rdkafka::{
    Message, Offset, TopicPartitionList,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    metadata::MetadataTopic,
};

use super::{Connection, KafkaFailure, client::Listener};

/// How long a broker may take to say which partitions a topic has.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// A reader of every partition of some topics.
pub struct Follower {
    consumer: BaseConsumer<Listener>,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Follower").finish_non_exhaustive()
    }
}

impl Follower {
    /// Begins to read `topics`, each of `partition_count` partitions, at their oldest records.
    ///
    /// # Errors
    ///
    /// A property has a value that the client does not allow.
    pub fn open(
        connection: &Connection,
        topics: &[&str],
        partition_count: i32,
    ) -> Result<Self, KafkaFailure> {
        let failed = |error: KafkaError| KafkaFailure::new("opening the follower", &error);
        let config = connection.follower();
        let consumer =
            BaseConsumer::from_config_and_context(&config, Listener::default()).map_err(failed)?;
        let mut list = TopicPartitionList::new();
        for topic in topics {
            for partition in 0..partition_count {
                list.add_partition_offset(topic, partition, Offset::Beginning).map_err(failed)?;
            }
        }
        consumer.assign(&list).map_err(failed)?;
        Ok(Self { consumer })
    }

    /// Begins to read topics shortly before their ends: so many records before, in each partition.
    ///
    /// # Errors
    ///
    /// Nobody answers, or a property has a value that the client does not allow.
    pub fn near_the_end<const N: usize>(
        connection: &Connection,
        topics: [(&str, i64); N],
    ) -> Result<Self, KafkaFailure> {
        let failed = |error: KafkaError| KafkaFailure::new("opening the follower", &error);
        let config = connection.follower();
        let consumer: BaseConsumer<Listener> =
            BaseConsumer::from_config_and_context(&config, Listener::default()).map_err(failed)?;
        let mut list = TopicPartitionList::new();
        for (topic, back) in topics {
            let metadata = consumer.fetch_metadata(Some(topic), ANSWER_LIMIT).map_err(failed)?;
            let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
            for partition in partitions {
                let offset = Offset::OffsetTail(back);
                list.add_partition_offset(topic, partition.id(), offset).map_err(failed)?;
            }
        }
        consumer.assign(&list).map_err(failed)?;
        Ok(Self { consumer })
    }

    /// Waits up to `timeout` for a record, shows its topic and value, and returns whether there was
    /// one. Tombstones have an empty value.
    ///
    /// # Errors
    ///
    /// The client cannot go on.
    pub fn poll(
        &self,
        timeout: Duration,
        see: impl FnOnce(&str, &[u8]),
    ) -> Result<bool, KafkaFailure> {
        match self.consumer.poll(timeout) {
            Some(Ok(record)) => {
                see(record.topic(), record.payload().unwrap_or_default());
                Ok(true)
            }
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => {
                Err(KafkaFailure::new("reading", &error))
            }
            // The end of a partition, or something that the client tries again by itself.
            Some(Err(_)) | None => Ok(false),
        }
    }
}
