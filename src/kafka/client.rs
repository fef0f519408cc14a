//! Every Kafka client that Rega opens: the one place that knows its settings.
//!
//! Three layers, later ones win: what measurements ask for, what the operator wrote under
//! `kafka.properties`, and what exactly-once rests on. A property of the last kind cannot be
//! overridden: a typo there would lose records silently, so it is refused at start.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rdkafka::{
    ClientConfig, ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode},
    message::{DeliveryResult, Message as _},
    producer::ProducerContext,
    types::RDKafkaRespErr,
};

use super::{Class, KafkaFailure, Place, Rebalance, repeats::Repeats};
use crate::clock::Stopwatch;

/// What every client starts with. The operator may change these.
const START_VALUES: [(&str, &str); 5] = [
    ("log.connection.close", "false"),
    ("socket.keepalive.enable", "true"),
    // The default of 10 s is longer than a broker takes to restart.
    ("reconnect.backoff.max.ms", "1000"),
    // Finer than the default would need no more requests: leaders are announced by errors.
    ("topic.metadata.refresh.interval.ms", "60000"),
    ("retry.backoff.max.ms", "500"),
];

const CONSUMER_START_VALUES: [(&str, &str); 8] = [
    // A killed member's partitions wait this long where its process does not come back.
    ("session.timeout.ms", "10000"),
    ("heartbeat.interval.ms", "2000"),
    ("max.poll.interval.ms", "300000"),
    // Its default of 1000 stalls fetching whenever the queue was full once.
    ("fetch.queue.backoff.ms", "5"),
    // With the default of 500 the demo read about half as much in 30 s. Two readings, not told apart:
    // a question for an idle partition's end waits behind a waiting fetch, or the embedded broker
    // does not wake one.
    ("fetch.wait.max.ms", "50"),
    // Bounds a worker's memory: what is fetched ahead, in bytes and in records.
    ("queued.max.messages.kbytes", "8192"),
    ("queued.min.messages", "20000"),
    ("fetch.error.backoff.ms", "100"),
];

const PRODUCER_START_VALUES: [(&str, &str); 6] = [
    ("compression.codec", "lz4"),
    // Bounds what one transaction may have in flight; a full queue is drained, not grown.
    ("queue.buffering.max.kbytes", "65536"),
    ("queue.buffering.max.messages", "200000"),
    // The value of a record is bounded by `output.max_bytes`; this leaves room for key and headers
    // and stays below the broker's default.
    ("message.max.bytes", "1048576"),
    // Until it is over, a dead worker's open transaction hides what came after it.
    ("transaction.timeout.ms", "10000"),
    // Where the next batch has waited this long and the one before is not acknowledged yet, an
    // idempotent producer of librdkafka (2.12) asks for the time without pause: with 5 ms that was a
    // whole core at 5,000 touchpoints a second. A commit flushes, and does not wait for it.
    ("linger.ms", "100"),
];

/// Touchpoints of a feeder are not flushed, and somebody looks at them.
const FEEDER_LINGER: (&str, &str) = ("linger.ms", "20");

/// What exactly-once rests on: set by us, refused under `kafka.properties`.
const FIXED: [(&str, &str); 9] = [
    ("isolation.level", "read_committed"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    // Never jump: an offset out of range stops the partition.
    ("auto.offset.reset", "error"),
    // Proof of idleness.
    ("enable.partition.eof", "true"),
    ("partition.assignment.strategy", "cooperative-sticky"),
    ("allow.auto.create.topics", "false"),
    ("group.protocol", "classic"),
    // With reports of success too, a commit takes five times as long.
    ("delivery.report.only.error", "true"),
];

/// Names that Rega gives, one to each client.
const NAMED: [&str; 6] = [
    "bootstrap.servers",
    "metadata.broker.list",
    "client.id",
    "group.id",
    "group.instance.id",
    "transactional.id",
];

/// What the library warns of and is meant to be so: `CONFWARN`, a consumer's property given to a
/// producer, because `kafka.properties` go to both; `GETPID`, a start that waits for the broker to
/// end a predecessor's transaction.
const HARMLESS: [&str; 2] = ["CONFWARN", "GETPID"];

const PRODUCER_ONLY: &str = "delivery.report.only.error";

/// A property under `kafka.properties` that Rega sets itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{name}\" under `kafka.properties` is set by Rega: exactly-once rests on it")]
pub struct FixedProperty {
    /// The property's name.
    pub name: String,
}

/// Where the brokers are and how to speak to them.
#[derive(Clone)]
pub struct Connection {
    brokers: String,
    properties: BTreeMap<String, String>,
}

impl fmt::Debug for Connection {
    /// Names the properties without their values, which may be secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.properties.keys().collect();
        formatter
            .debug_struct("Connection")
            .field("brokers", &self.brokers)
            .field("properties", &names)
            .finish()
    }
}

impl Connection {
    /// Checks `kafka.properties` and keeps them.
    ///
    /// # Errors
    ///
    /// The operator has to remove a property that Rega sets itself.
    pub fn new(brokers: &str, properties: BTreeMap<String, String>) -> Result<Self, FixedProperty> {
        let fixed = FIXED.iter().map(|(name, _)| *name).chain(NAMED);
        for name in fixed {
            if properties.contains_key(name) {
                return Err(FixedProperty { name: name.to_owned() });
            }
        }
        Ok(Self { brokers: brokers.to_owned(), properties })
    }

    /// Returns the brokers as configured.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    #[expect(clippy::disallowed_methods, reason = "this module is the one exception to the ban")]
    fn config(&self, client_id: &str, more: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set_log_level(RDKafkaLogLevel::Info);
        for (name, value) in START_VALUES.iter().chain(more) {
            config.set(*name, *value);
        }
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        config.set("bootstrap.servers", &self.brokers);
        config.set("client.id", client_id);
        config
    }

    /// Returns the settings of a group's static member.
    pub(super) fn member(&self, group: &str, instance: &str) -> ClientConfig {
        let mut config = self.reader(group, instance);
        config.set("group.instance.id", instance);
        config
    }

    /// Returns the settings of a consumer that is told what to read and joins no group. The group's
    /// name is needed by the library, and its offsets can be asked for.
    pub(super) fn reader(&self, group: &str, client_id: &str) -> ClientConfig {
        let mut config = self.config(client_id, &CONSUMER_START_VALUES);
        for (name, value) in FIXED {
            if name != PRODUCER_ONLY {
                config.set(name, value);
            }
        }
        config.set("group.id", group);
        config
    }

    /// Returns the settings of a client that only asks questions.
    pub(super) fn questions(&self) -> ClientConfig {
        self.config("rega-admin", &[])
    }

    /// Returns the settings of a plain reader of whole topics.
    pub(super) fn follower(&self) -> ClientConfig {
        let mut config = self.reader("rega-follower", "rega-follower");
        config.set("auto.offset.reset", "earliest");
        config.set("enable.partition.eof", "false");
        config
    }

    /// Returns the settings of a plain producer of touchpoints.
    pub(super) fn feeder(&self) -> ClientConfig {
        let values: Vec<_> = PRODUCER_START_VALUES.into_iter().chain([FEEDER_LINGER]).collect();
        let mut config = self.config("rega-feeder", &values);
        config.remove("transaction.timeout.ms");
        config.set("enable.idempotence", "true");
        config.set(PRODUCER_ONLY, "true");
        // As Java's producers choose partitions: most inputs are written by them.
        config.set("partitioner", "murmur2_random");
        config
    }

    /// Returns the settings of a transactional producer.
    pub(super) fn producer(&self, transactional_id: &str) -> ClientConfig {
        let mut config = self.config(transactional_id, &PRODUCER_START_VALUES);
        config.set(PRODUCER_ONLY, "true");
        config.set("transactional.id", transactional_id);
        config
    }
}

/// What a client tells us between calls.
///
/// Shared with the library's callbacks, which run inside our own calls of `poll`: the lock is
/// therefore never contended, and is there because the library asks for `Sync`.
#[derive(Debug, Default)]
pub(super) struct Listener {
    pub(super) state: Arc<Heard>,
}

/// What was heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// No broker can be reached.
    pub(super) disconnected: AtomicBool,
    /// A record of the open transaction could not be delivered.
    pub(super) undelivered: AtomicBool,
    /// Why, and to which topic: the last one.
    pub(super) refused: Mutex<Option<(RDKafkaErrorCode, String)>>,
    /// Rebalances must be answered inside the callback: the client is being closed, and nobody
    /// polls for them any more.
    pub(super) closing: AtomicBool,
    /// What the client said last about something that went wrong.
    last_trouble: Mutex<Option<String>>,
    /// Which topic a transaction may not write to, in the client's words: no call returns it.
    denied: Mutex<Option<String>>,
    /// Rebalances not yet answered. As long as the group's changes between two polls.
    pub(super) rebalances: Mutex<VecDeque<Rebalance>>,
}

impl Heard {
    /// Takes what the client said last about something that went wrong.
    pub(super) fn last_trouble(&self) -> Option<String> {
        self.last_trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Takes which topic a transaction may not write to.
    pub(super) fn denied(&self) -> Option<String> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Takes why a record was not delivered: what the broker has against it, if it said so.
    pub(super) fn refusal(&self, doing: &'static str) -> KafkaFailure {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        match refused {
            Some((code, topic)) => KafkaFailure::undelivered(doing, code, &topic),
            None => KafkaFailure::own(doing, Class::Abortable, "a record was refused"),
        }
    }

    /// Takes the oldest unanswered rebalance.
    pub(super) fn next_rebalance(&self) -> Option<Rebalance> {
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// What each client says of each connection that fails.
const FAILED_CONNECTION: &str = "FAIL";

/// Warns of what the client says; of a connection that fails again and again, now and then.
fn warn(facility: &str, text: &str) {
    static REPEATS: Repeats = Repeats::new();
    static START: LazyLock<Stopwatch> = LazyLock::new(Stopwatch::start);
    if facility != FAILED_CONNECTION {
        tracing::warn!(facility, "kafka client: {text}");
        return;
    }
    match REPEATS.hear(text, START.elapsed()) {
        Some(0) => tracing::warn!(facility, "kafka client: {text}"),
        Some(before) => tracing::warn!(facility, before, "kafka client, again: {text}"),
        None => tracing::debug!(facility, "kafka client: {text}"),
    }
}

impl ClientContext for Listener {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        if HARMLESS.contains(&facility) {
            tracing::debug!(facility, "kafka client: {text}");
            return;
        }
        if facility == "ADDPARTS" && text.contains("authorization failed") {
            let denied = text.split_once("Failed").map_or(text, |(_, said)| said.trim());
            *self.state.denied.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(format!("failed {denied}"));
        }
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => warn(facility, text),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(facility, "kafka client: {text}");
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // Whoever the other errors concern is told by the return value of a call as well.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            self.state.disconnected.store(true, Ordering::Relaxed);
        }
        tracing::debug!(%error, "kafka client: {reason}");
        let mut last = self.state.last_trouble.lock().unwrap_or_else(PoisonError::into_inner);
        // That all brokers are down says less than why the last one is.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) || last.is_none() {
            *last = Some(reason.to_owned());
        }
    }
}

impl ConsumerContext for Listener {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        error: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let assigned = error == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.state.closing.load(Ordering::Relaxed) {
            answer_directly(consumer, assigned);
            return;
        }
        let places = partitions.elements().iter().map(Place::read).collect();
        let rebalance = if assigned {
            Rebalance::Assigned(places)
        } else {
            Rebalance::Revoked { places, lost: consumer.assignment_lost() }
        };
        let mut queue = self.state.rebalances.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push_back(rebalance);
    }
}

/// Gives everything back. An answer that fails would leave `drop` waiting, so it is logged.
fn answer_directly(consumer: &BaseConsumer<Listener>, assigned: bool) {
    let answer = if assigned {
        consumer.incremental_assign(&TopicPartitionList::new())
    } else {
        consumer.assignment().and_then(|held| consumer.incremental_unassign(&held))
    };
    if let Err(error) = answer {
        tracing::warn!(%error, "a rebalance could not be answered while closing");
    }
}

impl ProducerContext for Listener {
    type DeliveryOpaque = ();

    /// Called for failures only (`delivery.report.only.error`).
    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, record)) = result {
            tracing::debug!(%error, "a record was not delivered");
            if let Some(code) = error.rdkafka_error_code() {
                let refused = (code, record.topic().to_owned());
                *self.state.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
            }
            self.state.undelivered.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exactly_once_rests_on_cannot_be_configured_away() {
        for name in FIXED.iter().map(|(name, _)| *name).chain(NAMED) {
            let properties = BTreeMap::from([(name.to_owned(), "x".to_owned())]);
            assert_eq!(
                Connection::new("localhost:9092", properties).unwrap_err(),
                FixedProperty { name: name.to_owned() }
            );
        }
    }

    #[test]
    fn an_operators_property_wins_over_a_start_value() {
        let properties = BTreeMap::from([("linger.ms".to_owned(), "50".to_owned())]);
        let connection = Connection::new("localhost:9092", properties).unwrap();
        assert_eq!(connection.feeder().get("linger.ms"), Some("50"));
        let config = connection.producer("shop.one.0");
        assert_eq!(config.get("linger.ms"), Some("50"));
        assert_eq!(config.get("transactional.id"), Some("shop.one.0"));
    }

    #[test]
    fn a_secret_is_not_printed() {
        let properties = BTreeMap::from([("sasl.password".to_owned(), "hunter2".to_owned())]);
        let connection = Connection::new("localhost:9092", properties).unwrap();
        assert!(!format!("{connection:?}").contains("hunter2"));
    }
}
