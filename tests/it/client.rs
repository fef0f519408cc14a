//! A plain Kafka client for tests: what users have, with nothing of Rega in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::Headers,
    producer::{BaseProducer, BaseRecord, Producer as _},
};

use rega::clock::Stopwatch;

use crate::broker::Broker;

/// A record as a consumer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) headers: BTreeMap<String, String>,
}

#[expect(clippy::disallowed_methods, reason = "an independent client, with its own settings")]
fn config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config
}

/// Creates a topic; settings are written `name=value`.
pub(crate) fn create_topic(broker: &Broker, topic: &str, partitions: i32, settings: &[&str]) {
    let admin: AdminClient<_> = config(&broker.address()).create().unwrap();
    let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    for setting in settings {
        let (name, value) = setting.split_once('=').unwrap();
        new = new.set(name, value);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let answer = runtime.block_on(admin.create_topics([&new], &AdminOptions::new())).unwrap();
    for result in answer {
        result.unwrap();
    }
    // Created is not yet usable: the first leader is elected after.
    let consumer: BaseConsumer = config(&broker.address()).create().unwrap();
    loop {
        let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
        let found = metadata.topics()[0].partitions();
        if !found.is_empty() && found.iter().all(|partition| 0 <= partition.leader()) {
            return;
        }
        consumer.poll(Duration::from_millis(20));
    }
}

/// Deletes a topic, and waits until it is gone.
pub(crate) fn delete_topic(broker: &Broker, topic: &str) {
    let admin: AdminClient<_> = config(&broker.address()).create().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let answer = runtime.block_on(admin.delete_topics(&[topic], &AdminOptions::new())).unwrap();
    for result in answer {
        result.unwrap();
    }
    let consumer: BaseConsumer = config(&broker.address()).create().unwrap();
    loop {
        let metadata = consumer.fetch_metadata(None, Duration::from_secs(10)).unwrap();
        if metadata.topics().iter().all(|found| found.name() != topic) {
            return;
        }
        consumer.poll(Duration::from_millis(20));
    }
}

/// Deletes a partition's records before an offset, as retention does in its time.
pub(crate) fn delete_records(broker: &Broker, topic: &str, partition: i32, before: i64) {
    let admin: AdminClient<_> = config(&broker.address()).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(before)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let answer = runtime.block_on(admin.delete_records(&list, &AdminOptions::new())).unwrap();
    for element in answer.elements() {
        element.error().unwrap();
    }
}

/// Returns a group's committed offsets.
pub(crate) fn committed(
    broker: &Broker,
    group: &str,
    topic: &str,
    partitions: i32,
) -> BTreeMap<i32, i64> {
    let consumer: BaseConsumer = config(&broker.address())
        .set("group.id", group)
        .set("isolation.level", "read_committed")
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_range(topic, 0, partitions - 1);
    let answer = consumer.committed_offsets(list, LIMIT).unwrap();
    let offsets = answer.elements().into_iter();
    offsets
        .filter_map(|element| element.offset().to_raw().map(|raw| (element.partition(), raw)))
        .collect()
}

/// Moves a group's offset of partition 0, as an operator's tool would.
pub(crate) fn commit_offset(broker: &Broker, group: &str, topic: &str, offset: i64) {
    let consumer: BaseConsumer = config(&broker.address())
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Offset(offset)).unwrap();
    // Refused while a member is left: a static one for its session's time after its end.
    while let Err(error) = consumer.commit(&list, CommitMode::Sync) {
        let code = error.rdkafka_error_code();
        assert_eq!(code, Some(RDKafkaErrorCode::UnknownMemberId), "{error}");
        consumer.poll(Duration::from_millis(200));
    }
}

/// Produces records: (partition, key, value).
pub(crate) fn produce(brokers: &str, topic: &str, records: &[(i32, &str, &str)]) {
    let producer: BaseProducer = config(brokers).set("linger.ms", "1").create().unwrap();
    for (partition, key, value) in records {
        let record = BaseRecord::to(topic).partition(*partition).key(*key).payload(*value);
        producer.send(record).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
}

/// How long to wait for records before a test fails.
const LIMIT: Duration = Duration::from_secs(90);

/// Reads a topic from its beginning to its present end, committed records only.
pub(crate) fn read(brokers: &str, topic: &str) -> Vec<Seen> {
    read_while((brokers, "read_committed"), topic, |_, at_end| !at_end)
}

/// The same, also of transactions that are open or were aborted.
pub(crate) fn read_uncommitted(brokers: &str, topic: &str) -> Vec<Seen> {
    read_while((brokers, "read_uncommitted"), topic, |_, at_end| !at_end)
}

/// Reads a topic from its beginning until `enough` says so, waiting for more.
#[track_caller]
pub(crate) fn read_until(
    brokers: &str,
    topic: &str,
    enough: impl Fn(&[Seen]) -> bool,
) -> Vec<Seen> {
    read_while((brokers, "read_committed"), topic, |seen, _| !enough(seen))
}

/// Reads while `more` says so, given what was read and whether the end was met in every partition.
#[track_caller]
fn read_while(
    (brokers, isolation): (&str, &str),
    topic: &str,
    more: impl Fn(&[Seen], bool) -> bool,
) -> Vec<Seen> {
    let consumer: BaseConsumer = config(brokers)
        .set("group.id", "rega-test-reader")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", isolation)
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(30)).unwrap();
    let count = i32::try_from(metadata.topics()[0].partitions().len()).unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..count {
        list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let mut seen = Vec::new();
    let mut ended = BTreeSet::new();
    let watch = Stopwatch::start();
    while more(&seen, i32::try_from(ended.len()) == Ok(count)) {
        let left = watch.left_of(LIMIT);
        assert!(!left.is_zero(), "not enough in \"{topic}\": {} records", seen.len());
        let Some(polled) = consumer.poll(left) else { continue };
        match polled {
            Ok(record) => {
                ended.remove(&record.partition());
                seen.push(Seen {
                    partition: record.partition(),
                    offset: record.offset(),
                    key: record.key().map(text),
                    value: record.payload().map(text),
                    headers: record.headers().map(headers).unwrap_or_default(),
                });
            }
            Err(KafkaError::PartitionEOF(partition)) => {
                ended.insert(partition);
            }
            // Brokers that go away come back in some tests.
            Err(KafkaError::MessageConsumption(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    consumer.unassign().unwrap();
    seen.sort_by_key(|record| (record.partition, record.offset));
    seen
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn headers(headers: &rdkafka::message::BorrowedHeaders) -> BTreeMap<String, String> {
    headers
        .iter()
        .map(|header| (header.key.to_owned(), header.value.map(text).unwrap_or_default()))
        .collect()
}

/// A producer that keeps its order and repeats nothing over a broker's crash.
pub(crate) struct Producer {
    producer: BaseProducer,
    topic: String,
}

impl Producer {
    pub(crate) fn new(brokers: &str, topic: &str) -> Self {
        let producer = config(brokers)
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("message.timeout.ms", "300000")
            .create()
            .unwrap();
        Self { producer, topic: topic.to_owned() }
    }

    pub(crate) fn send(&self, partition: i32, key: &str, value: &str) {
        let mut record = BaseRecord::to(&self.topic).partition(partition).key(key).payload(value);
        while let Err((error, refused)) = self.producer.send(record) {
            assert_eq!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::QueueFull), "{error}");
            self.producer.poll(Duration::from_millis(20));
            record = refused;
        }
        self.producer.poll(Duration::ZERO);
    }

    /// Waits until the broker has everything.
    pub(crate) fn finish(&self) {
        self.producer.flush(LIMIT).unwrap();
    }
}

/// A reader of committed records that is polled.
pub(crate) struct Reader(BaseConsumer);

impl Reader {
    /// Begins at the oldest records of a topic.
    pub(crate) fn new(brokers: &str, topic: &str, partitions: i32) -> Self {
        let mut config = config(brokers);
        config.set("group.id", "rega-test-reader").set("isolation.level", "read_committed");
        let reader = Self(config.set("enable.auto.commit", "false").create().unwrap());
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
        }
        reader.0.assign(&list).unwrap();
        reader
    }

    /// Waits for a record. The broker may be away for a while.
    pub(crate) fn poll(&self, timeout: Duration) -> Option<Seen> {
        let watch = Stopwatch::start();
        loop {
            let left = watch.left_of(timeout);
            match self.0.poll(left) {
                Some(Ok(record)) => {
                    return Some(Seen {
                        partition: record.partition(),
                        offset: record.offset(),
                        key: record.key().map(text),
                        value: record.payload().map(text),
                        headers: BTreeMap::new(),
                    });
                }
                Some(Err(_)) | None if left.is_zero() => return None,
                Some(Err(_)) | None => {}
            }
        }
    }
}

/// Returns where each partition ends; with `"read_committed"`, up to where its transactions are
/// decided.
pub(crate) fn ends(
    brokers: &str,
    topic: &str,
    partitions: i32,
    isolation: &str,
) -> BTreeMap<i32, i64> {
    let consumer: BaseConsumer = config(brokers)
        .set("group.id", "rega-test-reader")
        .set("isolation.level", isolation)
        .create()
        .unwrap();
    // A broker that was killed a moment ago may not lead its partitions yet: it says so at once.
    let begun = Stopwatch::start();
    let end = |partition| loop {
        match consumer.fetch_watermarks(topic, partition, LIMIT) {
            Ok((_, end)) => return end,
            Err(error) if LIMIT < begun.elapsed() => panic!("{topic} [{partition}]: {error}"),
            Err(_) => drop(consumer.poll(Duration::from_millis(100))),
        }
    };
    (0..partitions).map(|partition| (partition, end(partition))).collect()
}

/// Returns whether there is such a topic.
pub(crate) fn topic_exists(brokers: &str, topic: &str) -> bool {
    let consumer: BaseConsumer = config(brokers).create().unwrap();
    let metadata = consumer.fetch_metadata(None, LIMIT).unwrap();
    metadata.topics().iter().any(|found| found.name() == topic)
}

/// The list that `rega check` goes by, against the library that is linked.
#[test]
fn every_setting_that_is_let_through_is_one_of_librdkafka() {
    let known = include_str!("../../src/config/settings/librdkafka.txt");
    for name in known.lines() {
        let config = ClientConfig::from_iter([(name.to_owned(), "?".to_owned())]);
        let unknown = config.create_native_config().err().is_some_and(|error| {
            matches!(
                error,
                KafkaError::ClientConfig(rdkafka::types::RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)
            )
        });
        assert!(!unknown, "{name}");
    }
    assert!(known.lines().is_sorted() && known.lines().count() > 150);
}
