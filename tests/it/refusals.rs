//! What the broker can have against a transaction, injected, and what follows from each.
//!
//! The broker inside the client library says what it is told to say, once. It proves nothing about
//! transactions, but every answer can be had from it. Those that a real broker gives by itself are
//! looked at there: `transactions`, `failpoints`, `chaos`.

use std::{collections::BTreeMap, time::Duration};

use rdkafka::{
    mocking::MockCluster,
    producer::DefaultProducerContext,
    types::{RDKafkaApiKey, RDKafkaRespErr as Answer},
};
use rega::{
    clock::Stopwatch,
    kafka::{
        Class, Connection, GroupConsumer, KafkaFailure, Outbox, Outgoing, Polled, Rebalance,
        Trouble,
    },
};

use crate::topics::first_of;

const INPUT: &str = "input";
const OUTPUT: &str = "output";
const TURN: Duration = Duration::from_millis(100);

/// A broker, a producer and a member of a group that has the one partition.
struct Ground {
    cluster: MockCluster<'static, DefaultProducerContext>,
    consumer: GroupConsumer,
    outbox: Outbox,
}

impl Ground {
    fn new() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        for topic in [INPUT, OUTPUT] {
            cluster.create_topic(topic, 1, 1).unwrap();
        }
        let connection = connection(&cluster);
        let outbox = Outbox::open(&connection, "app.one.0").unwrap();
        let consumer = GroupConsumer::open(&connection, "app", "app.one.0", &[INPUT]).unwrap();
        let watch = Stopwatch::start();
        loop {
            assert!(matches!(consumer.poll(TURN), Polled::Nothing));
            assert!(watch.elapsed() < Duration::from_mins(1), "it does not join");
            if let Some(Rebalance::Assigned(places)) = consumer.next_rebalance() {
                consumer.answer_assignment(false).unwrap();
                if !places.is_empty() {
                    return Self { cluster, consumer, outbox };
                }
            }
        }
    }

    /// In the order of a worker's commit.
    fn transaction(&mut self) -> Result<(), KafkaFailure> {
        self.outbox.begin()?;
        let record =
            Outgoing { topic: OUTPUT, partition: 0, key: Some(b"key"), value: Some(b"value") };
        self.outbox.send(&record, &[])?;
        self.outbox.drain()?;
        self.outbox.send_offsets(&self.consumer, &[(first_of(INPUT), 7)])?;
        self.outbox.commit()
    }

    /// Makes a transaction in which the broker answers so, once for each.
    fn refused(&mut self, api: RDKafkaApiKey, answers: &[Answer]) -> Result<(), KafkaFailure> {
        self.cluster.request_errors(api, answers);
        let outcome = self.transaction();
        self.cluster.clear_request_errors(api);
        outcome
    }

    /// It can be undone, and the same producer goes on.
    #[track_caller]
    fn is_abortable(&mut self, api: RDKafkaApiKey, answer: Answer, trouble: Trouble) {
        let failure = self.refused(api, &[answer]).unwrap_err();
        assert_eq!((failure.class, failure.trouble()), (Class::Abortable, trouble), "{failure}");
        self.outbox.abort().unwrap();
        self.transaction().unwrap();
    }

    /// The producer is of no more use, and a new one goes on.
    #[track_caller]
    fn is_fatal(&mut self, api: RDKafkaApiKey, answer: Answer, trouble: Trouble) {
        let outcome = self.refused(api, &[answer]);
        let Err(failure) = outcome else { panic!("{answer:?} to {api:?} passes") };
        assert_eq!((failure.class, failure.trouble()), (Class::Fatal, trouble), "{failure}");
        assert_eq!(self.outbox.commit().unwrap_err().class, Class::Fatal);
        self.outbox = Outbox::open(&connection(&self.cluster), "app.one.0").unwrap();
        self.transaction().unwrap();
    }
}

fn connection(cluster: &MockCluster<'_, DefaultProducerContext>) -> Connection {
    Connection::new(&cluster.bootstrap_servers(), BTreeMap::new()).unwrap()
}

#[test]
fn what_passes_is_waited_out() {
    let mut ground = Ground::new();
    let loading = Answer::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
    let gone = Answer::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE;
    let elsewhere = Answer::RD_KAFKA_RESP_ERR_NOT_COORDINATOR;
    let busy = Answer::RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS;
    let few = Answer::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS;
    for (api, answers) in [
        (RDKafkaApiKey::AddPartitionsToTxn, [busy, loading]),
        (RDKafkaApiKey::Produce, [few, few]),
        (RDKafkaApiKey::AddOffsetsToTxn, [loading, gone]),
        (RDKafkaApiKey::TxnOffsetCommit, [loading, elsewhere]),
        (RDKafkaApiKey::EndTxn, [gone, loading]),
    ] {
        let outcome = ground.refused(api, &answers);
        assert!(outcome.is_ok(), "{api:?} {outcome:?}");
    }
}

#[test]
fn what_the_group_or_a_record_fails_of_is_undone_and_the_producer_goes_on() {
    let mut ground = Ground::new();
    let commit = RDKafkaApiKey::TxnOffsetCommit;
    let stale = Trouble::StaleGeneration;
    ground.is_abortable(commit, Answer::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, stale);
    ground.is_abortable(commit, Answer::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, stale);
    let fenced = Trouble::Fenced;
    ground.is_abortable(commit, Answer::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, fenced);
    let too_large = Answer::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    let failure = ground.refused(RDKafkaApiKey::Produce, &[too_large]).unwrap_err();
    assert_eq!(failure.class, Class::Abortable, "{failure}");
    ground.outbox.abort().unwrap();
}

#[test]
fn who_is_fenced_is_of_no_more_use() {
    let mut ground = Ground::new();
    for answer in [
        Answer::RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
        Answer::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
    ] {
        ground.is_fatal(RDKafkaApiKey::EndTxn, answer, Trouble::Fenced);
    }
}

#[test]
fn what_is_not_permitted_is_told_from_what_fails() {
    let ground = Ground::new();
    let denied = Answer::RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    ground.cluster.request_errors(RDKafkaApiKey::InitProducerId, &[denied]);
    let refused = Outbox::open(&connection(&ground.cluster), "app.two.0").unwrap_err();
    assert!(refused.is_refusal(), "{refused}");
    assert_eq!(refused.class, Class::Fatal);
}

/// The same call again until the limit; then nobody knows what it did, and only a new producer can
/// find out.
#[test]
fn without_an_answer_a_commit_is_given_up_and_never_believed() {
    let mut ground = Ground::new();
    ground.outbox.begin().unwrap();
    ground.outbox.send_offsets(&ground.consumer, &[(first_of(INPUT), 7)]).unwrap();
    ground.cluster.broker_down(1).unwrap();
    let failure = ground.outbox.commit().unwrap_err();
    assert_eq!((failure.class, failure.trouble()), (Class::Fatal, Trouble::TimedOut), "{failure}");
    assert!(ground.outbox.is_open());
    ground.cluster.broker_up(1).unwrap();
    let mut next = Outbox::open(&connection(&ground.cluster), "app.one.0").unwrap();
    next.begin().unwrap();
    next.commit().unwrap();
}
