//! `rega run` against the real broker, killed and stopped in the middle of its work.

use tempfile::TempDir;

use crate::{
    broker::{self, Broker, unique},
    client,
    process::{Rega, Setup},
    stream::Stream,
};

/// Small transactions, so that a kill meets one nearly always.
const SMALL_COMMITS: &str = "commit: { interval: 50ms, max_touchpoints: 400 }";

struct Instance {
    folder: TempDir,
    app: String,
    more: String,
}

impl Instance {
    fn new(app: &str, more: &str) -> Self {
        Self { folder: TempDir::new().unwrap(), app: app.to_owned(), more: more.to_owned() }
    }

    fn setup<'a>(&'a self, broker: &'a Broker) -> Setup<'a> {
        Setup { broker, app: &self.app, folder: self.folder.path(), more: &self.more }
    }

    fn start(&self, broker: &Broker) -> Rega {
        self.setup(broker).start()
    }
}

#[test]
fn a_killed_instance_loses_nothing_and_repeats_nothing() {
    let Some(broker) = broker::shared() else { return };
    let stream = Stream::new(&unique("kill"), 4, 12_000);
    stream.create_input(broker);
    let instance = Instance::new(stream.app(), &format!("workers: 2\n{SMALL_COMMITS}"));
    for round in 0..6 {
        stream.produce(broker, round * 2000..(round + 1) * 2000);
        let mut rega = instance.start(broker);
        // While one partition works, others are still being restored; and at the very beginning.
        rega.wait_for_each("committed worker", 1 + round % 4);
        rega.kill();
    }
    let _rega = instance.start(broker);
    stream.check(broker);
}

#[test]
fn a_second_instance_takes_its_share_and_then_the_rest() {
    let Some(broker) = broker::shared() else { return };
    let stream = Stream::new(&unique("share"), 4, 9000);
    stream.create_input(broker);
    let more = format!("workers: 1\n{SMALL_COMMITS}");
    let instances = [Instance::new(stream.app(), &more), Instance::new(stream.app(), &more)];
    let mut first = instances[0].start(broker);
    first.wait_for_each("partition ready", 4);
    stream.produce(broker, 0..3000);
    let mut second = instances[1].start(broker);
    second.wait_for_each("partition ready", 2);
    first.wait_for("partitions revoked");
    stream.produce(broker, 3000..6000);
    first.wait_for("committed worker");
    second.wait_for("committed worker");
    first.kill();
    stream.produce(broker, 6000..9000);
    second.wait_for_each("partition ready", 2);
    stream.check(broker);
}

#[test]
fn a_broker_that_crashes_and_comes_back_finds_the_work_going_on() {
    let Some(broker) = Broker::start() else { return };
    let stream = Stream::new(&unique("crash"), 2, 6000);
    stream.create_input(&broker);
    let instance = Instance::new(stream.app(), &format!("workers: 2\n{SMALL_COMMITS}"));
    let mut rega = instance.start(&broker);
    rega.wait_for_each("partition ready", 2);
    stream.produce(&broker, 0..3000);
    rega.wait_for_each("committed worker", 3);
    broker.crash_and_restart();
    stream.produce(&broker, 3000..6000);
    stream.check(&broker);
}

#[test]
fn asked_to_end_it_commits_what_it_has_and_leaves_nothing_open() {
    let Some(broker) = broker::shared() else { return };
    let stream = Stream::new(&unique("drain"), 2, 6000);
    stream.create_input(broker);
    // A long interval: without a commit at the end, hundreds would be missing.
    let more = "workers: 1\ncommit: { interval: 5s, max_touchpoints: 3000 }";
    let instance = Instance::new(stream.app(), more);
    stream.produce(broker, 0..3500);
    let mut rega = instance.start(broker);
    rega.wait_for("committed worker=0 records=3");
    rega.wait_for("reached end of partition");
    assert_eq!(rega.terminate().code(), Some(0), "{}", rega.log());
    assert!(rega.log().contains("drained"), "{}", rega.log());
    // A reader of committed records sees all of it at once: no transaction was left open.
    assert_eq!(client::read(&broker.address(), &stream.topic("moments")).len(), 3500);
    stream.produce(broker, 3500..6000);
    let _rega = instance.start(broker);
    stream.check(broker);
}

#[test]
fn a_signal_a_second_after_the_first_ends_it_at_once() {
    let Some(broker) = Broker::start() else { return };
    let stream = Stream::new(&unique("insist"), 1, 10);
    stream.create_input(&broker);
    let instance = Instance::new(stream.app(), "workers: 1\ndrain: { timeout: 60s }");
    let mut rega = instance.start(&broker);
    rega.wait_for("partition ready");
    stream.produce(&broker, 0..10);
    rega.wait_for("committed worker");
    // Without a broker nothing can be committed, so the drain would take its whole time.
    broker.crash();
    rega.signal("-TERM");
    rega.wait_for("draining");
    assert_eq!(rega.insist().code(), Some(1), "{}", rega.log());
}
