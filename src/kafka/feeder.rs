//! A plain producer of touchpoints: what any shop's application would be.
//!
//! For `rega generate --to-kafka` and for the demo. Not transactional: the input of Rega never is.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rdkafka::{
    config::FromClientConfigAndContext,
    error::RDKafkaErrorCode,
    producer::{BaseProducer, BaseRecord, Producer},
};

use super::{
    Class, Connection, KafkaFailure,
    client::{Heard, Listener},
    native,
};
use crate::clock::Stopwatch;

/// How long the broker may take to answer, to make room, and to take what is left at the end.
const LIMIT: Duration = Duration::from_secs(10);

/// One turn of waiting inside a loop that also serves the client's events.
const TURN: Duration = Duration::from_millis(20);

/// A producer of one topic.
pub struct Feeder {
    producer: BaseProducer<Listener>,
    heard: Arc<Heard>,
    topic: String,
}

impl std::fmt::Debug for Feeder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Feeder").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl Feeder {
    /// Connects to the broker and looks for the topic.
    ///
    /// # Errors
    ///
    /// No broker answers, or it has no such topic: for whoever named them.
    pub fn open(connection: &Connection, topic: &str) -> Result<Self, KafkaFailure> {
        let doing = "connecting to the broker";
        let listener = Listener::default();
        let heard = Arc::clone(&listener.state);
        let producer = BaseProducer::from_config_and_context(&connection.feeder(), listener)
            .map_err(|error| KafkaFailure::new(doing, &error))?;
        let feeder = Self { producer, heard, topic: topic.to_owned() };
        feeder.find_topic()?;
        Ok(feeder)
    }

    /// Waits until the topic can be written to: a new one has no leaders for a moment.
    fn find_topic(&self) -> Result<(), KafkaFailure> {
        let doing = "looking for the topic";
        let watch = Stopwatch::start();
        loop {
            let metadata = self
                .producer
                .client()
                .fetch_metadata(Some(&self.topic), LIMIT)
                .map_err(|error| KafkaFailure::new(doing, &error))?;
            let found = metadata.topics().iter().find(|topic| topic.name() == self.topic);
            let error = found.and_then(rdkafka::metadata::MetadataTopic::error);
            match error.map(RDKafkaErrorCode::from) {
                None if found.is_some_and(|topic| !topic.partitions().is_empty()) => return Ok(()),
                code if watch.left_of(LIMIT).is_zero() => {
                    let reason =
                        code.map_or_else(|| "no answer".to_owned(), |code| code.to_string());
                    let reason = format!("topic \"{}\": {reason}", self.topic);
                    return Err(KafkaFailure::own(doing, Class::Fatal, reason));
                }
                _ => {
                    self.producer.poll(TURN);
                }
            }
        }
    }

    /// Hands a record to the client, which copies it and picks the partition by the key. Waits
    /// while the queue is full.
    ///
    /// # Errors
    ///
    /// The broker takes no more, or refused a record.
    pub fn send(&self, key: &[u8], value: &[u8]) -> Result<(), KafkaFailure> {
        let watch = Stopwatch::start();
        loop {
            let record = BaseRecord::<'_, [u8], [u8]>::to(&self.topic).key(key).payload(value);
            let Err((error, _)) = self.producer.send(record) else { break };
            let failure = KafkaFailure::new("producing a record", &error);
            if failure.class != Class::Retriable || watch.left_of(LIMIT).is_zero() {
                return Err(failure);
            }
            self.flush_once()?;
        }
        self.producer.poll(Duration::ZERO);
        self.check()
    }

    /// Hands a record for a certain partition to the client.
    ///
    /// # Errors
    ///
    /// See [`Self::send`].
    pub fn send_to(&self, partition: i32, key: &[u8], value: &[u8]) -> Result<(), KafkaFailure> {
        let record = BaseRecord::<'_, [u8], [u8]>::to(&self.topic);
        let record = record.partition(partition).key(key).payload(value);
        self.producer
            .send(record)
            .map_err(|(error, _)| KafkaFailure::new("producing a record", &error))?;
        self.check()
    }

    /// Waits until the broker has everything.
    ///
    /// # Errors
    ///
    /// It refused a record, or did not answer in time.
    pub fn finish(&self) -> Result<(), KafkaFailure> {
        let watch = Stopwatch::start();
        while !self.flush_once()? {
            if watch.left_of(LIMIT).is_zero() {
                return Err(KafkaFailure::own("delivering records", Class::Fatal, "no answer"));
            }
        }
        self.check()
    }

    fn check(&self) -> Result<(), KafkaFailure> {
        if self.heard.undelivered.load(Ordering::Relaxed) {
            let reason = "the broker did not take a record";
            return Err(KafkaFailure::own("delivering records", Class::Fatal, reason));
        }
        Ok(())
    }

    fn flush_once(&self) -> Result<bool, KafkaFailure> {
        let delivered = native::flush(self.producer.client(), TURN)
            .map_err(|error| KafkaFailure::new("flushing", &error))?;
        self.producer.poll(Duration::ZERO);
        Ok(delivered)
    }
}
