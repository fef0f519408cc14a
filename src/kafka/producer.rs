//! A worker's transactional producer: everything of one transaction, or nothing.
//!
//! The order within a commit is the caller's (`service::commit`). Here is how each step is made to
//! end: with a limit, with the retries that the broker asks for, and with an error that says what
//! to do next.

use std::{
    cell::RefCell,
    ffi::CString,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rdkafka::{
    config::FromClientConfigAndContext,
    error::{KafkaError, RDKafkaErrorCode},
    message::OwnedHeaders,
    producer::{BaseProducer, BaseRecord, Producer, PurgeConfig},
};

use super::{
    Class, Connection, GroupConsumer, KafkaFailure, Place,
    client::{Heard, Listener},
    native::{self, Topic},
    place,
};
use crate::clock::Stopwatch;

/// How long a record may wait for room in the queue, a drain for the broker, and a transactional
/// call for its answer. As long as the transaction's own timeout: longer would be in vain.
const LIMIT: Duration = Duration::from_secs(10);

/// How long the start of a producer may take: the broker first ends what a predecessor left open,
/// which it looks at every 10 s after a timeout of 10 s.
const INIT_LIMIT: Duration = Duration::from_secs(40);

/// One turn of waiting inside a loop that also serves the client's events.
const TURN: Duration = Duration::from_millis(20);

/// A record to produce.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition: always the input's.
    pub partition: i32,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The payload; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
}

/// A header of a record.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value.
    pub value: &'a [u8],
}

/// The producer and its open transaction.
pub struct Outbox {
    /// Topics by name, looked up when first produced to: a handful. They go before the producer.
    topics: RefCell<Vec<(Box<str>, Topic)>>,
    producer: BaseProducer<Listener>,
    heard: Arc<Heard>,
    open: bool,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Outbox").field("open", &self.open).finish_non_exhaustive()
    }
}

impl Outbox {
    /// Starts a producer under `transactional_id` and shuts out whoever had that id before. Their
    /// open transaction is ended first.
    ///
    /// # Errors
    ///
    /// No answer in time, or no permission.
    pub fn open(connection: &Connection, transactional_id: &str) -> Result<Self, KafkaFailure> {
        let doing = "starting the transactional producer";
        let listener = Listener::default();
        let heard = Arc::clone(&listener.state);
        let config = connection.producer(transactional_id);
        let producer = BaseProducer::from_config_and_context(&config, listener)
            .map_err(|error| KafkaFailure::new(doing, &error))?;
        let topics = RefCell::default();
        let outbox = Self { topics, producer, heard, open: false };
        outbox.insist(doing, INIT_LIMIT, |left| outbox.producer.init_transactions(left))?;
        Ok(outbox)
    }

    /// Returns whether a transaction is open.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Returns how many records wait for the broker.
    pub fn queued_count(&self) -> u64 {
        u64::try_from(self.producer.in_flight_count()).unwrap_or(0)
    }

    /// Begins a transaction unless one is open.
    ///
    /// # Errors
    ///
    /// See [`Class`].
    pub fn begin(&mut self) -> Result<(), KafkaFailure> {
        if self.open {
            return Ok(());
        }
        self.heard.undelivered.store(false, Ordering::Relaxed);
        self.producer
            .begin_transaction()
            .map_err(|error| KafkaFailure::new("beginning a transaction", &error))?;
        self.open = true;
        Ok(())
    }

    /// Hands a record to the client, which copies it. Waits while the queue is full: a slow broker
    /// slows us and does not grow us.
    ///
    /// # Errors
    ///
    /// See [`Class`].
    pub fn send(&self, record: &Outgoing<'_>, headers: &[Header<'_>]) -> Result<(), KafkaFailure> {
        let watch = Stopwatch::start();
        loop {
            let produced = if headers.is_empty() {
                self.produce(record)
            } else {
                self.produce_with(record, headers)
            };
            let Err(error) = produced else { return Ok(()) };
            let doing = "producing a record";
            let failure = KafkaFailure::new(doing, &error);
            if error.rdkafka_error_code() == Some(RDKafkaErrorCode::State) {
                // The transaction has failed already. The records that it failed of say more.
                return Err(self.drain().err().unwrap_or_else(|| self.cause(failure)));
            }
            if failure.class != Class::Retriable {
                return Err(failure);
            }
            if watch.left_of(LIMIT).is_zero() {
                return Err(failure.abortable());
            }
            self.flush_once()?;
        }
    }

    fn produce(&self, record: &Outgoing<'_>) -> Result<(), KafkaError> {
        let mut topics = self.topics.borrow_mut();
        let known = topics.iter().position(|(name, _)| **name == *record.topic);
        let position = if let Some(position) = known {
            position
        } else {
            let name = CString::new(record.topic)?;
            let topic = Topic::new(self.producer.client(), &name)?;
            topics.push((record.topic.into(), topic));
            topics.len() - 1
        };
        topics
            .get(position)
            .map_or(Ok(()), |(_, topic)| topic.produce(record.partition, record.key, record.value))
    }

    /// Headers are for rejects, which are few.
    fn produce_with(
        &self,
        record: &Outgoing<'_>,
        headers: &[Header<'_>],
    ) -> Result<(), KafkaError> {
        let mut message: BaseRecord<'_, [u8], [u8]> =
            BaseRecord::to(record.topic).partition(record.partition);
        message.key = record.key;
        message.payload = record.value;
        message.headers = Some(headers_of(headers));
        self.producer.send(message).map_err(|(error, _)| error)
    }

    /// Waits until every record of the transaction is delivered.
    ///
    /// # Errors
    ///
    /// Abortable when one was not, or not in time.
    pub fn drain(&self) -> Result<(), KafkaFailure> {
        let doing = "delivering the transaction's records";
        let watch = Stopwatch::start();
        loop {
            let delivered = self.flush_once()?;
            if self.heard.undelivered.load(Ordering::Relaxed) {
                return Err(self.cause(self.heard.refusal(doing)));
            }
            if delivered {
                return Ok(());
            }
            if watch.left_of(LIMIT).is_zero() {
                return Err(KafkaFailure::own(doing, Class::Abortable, "no answer in time"));
            }
        }
    }

    /// Adds offsets of what was read to the transaction.
    ///
    /// # Errors
    ///
    /// See [`Class`]; abortable when the group has moved on without us.
    pub fn send_offsets(
        &self,
        consumer: &GroupConsumer,
        offsets: &[(Place, i64)],
    ) -> Result<(), KafkaFailure> {
        let doing = "sending offsets to the transaction";
        let list = place::positions(offsets).map_err(|error| KafkaFailure::new(doing, &error))?;
        let membership = consumer.metadata()?;
        self.insist(doing, LIMIT, |left| {
            self.producer.send_offsets_to_transaction(&list, &membership, left)
        })
    }

    /// Makes the transaction visible. Drain first: the client would wait in steps of 100 ms.
    ///
    /// # Errors
    ///
    /// See [`Class`]; fatal also when no answer came, because then nobody knows.
    pub fn commit(&mut self) -> Result<(), KafkaFailure> {
        self.insist("committing the transaction", LIMIT, |left| {
            self.producer.commit_transaction(left)
        })?;
        self.open = false;
        Ok(())
    }

    /// Takes everything of the open transaction back.
    ///
    /// What is queued or on its way is purged first, and its failure reports are served: an abort
    /// with reports unserved never returns.
    ///
    /// # Errors
    ///
    /// Always fatal: a new producer ends the transaction.
    pub fn abort(&mut self) -> Result<(), KafkaFailure> {
        if !self.open {
            return Ok(());
        }
        let doing = "aborting the transaction";
        let watch = Stopwatch::start();
        self.producer.purge(PurgeConfig::default().queue().inflight());
        while 0 < self.producer.in_flight_count() {
            if watch.left_of(LIMIT).is_zero() {
                return Err(KafkaFailure::own(
                    doing,
                    Class::Fatal,
                    "purged records stay in flight",
                ));
            }
            self.producer.poll(TURN);
        }
        self.insist(doing, LIMIT, |left| self.producer.abort_transaction(left))
            .map_err(KafkaFailure::given_up)?;
        self.open = false;
        Ok(())
    }

    /// Finds what a transaction has failed of, where the records say no more than that they were
    /// purged with it. A transaction that has failed refuses to begin again with its own reason; one
    /// that has not refuses as well, and nothing changes.
    fn cause(&self, failure: KafkaFailure) -> KafkaFailure {
        match self.producer.begin_transaction() {
            Err(error) => failure.because(&error, self.heard.denied()),
            Ok(()) => failure,
        }
    }

    fn flush_once(&self) -> Result<bool, KafkaFailure> {
        let delivered = native::flush(self.producer.client(), TURN)
            .map_err(|error| KafkaFailure::new("flushing", &error))?;
        self.producer.poll(Duration::ZERO);
        Ok(delivered)
    }

    /// Makes a transactional call again for as long as the broker says that it may be, within
    /// `limit`. After that, what the call did is unknown, and the producer is given up.
    fn insist(
        &self,
        doing: &'static str,
        limit: Duration,
        call: impl Fn(Duration) -> Result<(), KafkaError>,
    ) -> Result<(), KafkaFailure> {
        let watch = Stopwatch::start();
        loop {
            let left = watch.left_of(limit);
            let Err(error) = call(left) else { return Ok(()) };
            let failure = KafkaFailure::new(doing, &error);
            if failure.class != Class::Retriable {
                return Err(failure);
            }
            if left.is_zero() {
                return Err(failure.given_up());
            }
            self.producer.poll(TURN);
        }
    }
}

fn headers_of(headers: &[Header<'_>]) -> OwnedHeaders {
    headers.iter().fold(OwnedHeaders::new_with_capacity(headers.len()), |owned, header| {
        owned.insert(rdkafka::message::Header { key: header.name, value: Some(header.value) })
    })
}
