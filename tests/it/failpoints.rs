//! The process ends where it hurts most, each place in turn, and nothing is lost or repeated.
//!
//! The program under test has these places in builds for tests only (`service/failpoint.rs`).

use std::{os::unix::process::ExitStatusExt, process::Command};

use tempfile::TempDir;

use crate::{
    broker::{self, unique},
    client,
    process::{ABORTED, Setup},
    stream::Stream,
};

/// Small transactions and frequent checkpoints, so that every place is reached in the middle of it.
const MORE: &str = "workers: 1\ncommit: { interval: 50ms, max_touchpoints: 100 }";

/// Ends the process at a place that it passes while it works, starts it again, and checks everything.
#[track_caller]
fn check(point: &str) {
    let Some(broker) = broker::shared() else { return };
    let name = point.split('=').next().unwrap();
    let stream = Stream::new(&unique(name), 2, 2000);
    stream.create_input(broker);
    stream.produce(broker, 0..1500);
    let folder = TempDir::new().unwrap();
    let setup = Setup { broker, app: stream.app(), folder: folder.path(), more: MORE };
    let mut rega = setup.start_failing(point);
    assert_eq!(rega.wait().signal(), ABORTED, "{}", rega.log());
    stream.produce(broker, 1500..2000);
    let _rega = setup.start();
    stream.check(broker);
}

#[test]
fn records_produced_and_not_delivered() {
    check("after-produce=3*off->return");
}

#[test]
fn records_delivered_and_offsets_not_sent() {
    check("after-drain=3*off->return");
}

/// The last that is produced is each partition's row. Offsets that are part of an open transaction would
/// hold back the answer to who asks for them until the broker has ended it.
#[test]
fn offsets_follow_when_the_broker_has_every_record() {
    let Some(broker) = broker::shared() else { return };
    let stream = Stream::new(&unique("in-order"), 1, 1500);
    stream.create_input(broker);
    stream.produce(broker, 0..1500);
    let folder = TempDir::new().unwrap();
    let setup = Setup { broker, app: stream.app(), folder: folder.path(), more: MORE };
    let mut rega = setup.start_failing("after-drain=3*off->return");
    assert_eq!(rega.wait().signal(), ABORTED, "{}", rega.log());
    let (brokers, state) = (broker.address(), stream.topic("state"));
    let rows = |records: Vec<client::Seen>| {
        records.iter().filter(|record| record.key.as_deref() == Some("p")).count()
    };
    assert_eq!(rows(client::read(&brokers, &state)), 3);
    assert_eq!(rows(client::read_uncommitted(&brokers, &state)), 4);
    client::committed(broker, stream.app(), &stream.topic("touchpoints"), 1);
    let end = |isolation| client::ends(&brokers, &state, 1, isolation);
    assert!(end("read_committed") < end("read_uncommitted"), "the answer was held back");
    let _rega = setup.start();
    stream.check(broker);
}

#[test]
fn offsets_sent_and_not_committed() {
    check("after-offsets=3*off->return");
}

#[test]
fn committed_and_nobody_here_knows() {
    check("after-commit=3*off->return");
}

#[test]
fn a_checkpoint_begun() {
    check("before-checkpoint=1*off->return");
}

/// A checkpoint of thousands of rows is written in slices. Gone between two of them, the first one of a
/// folder is none, and rows of a later one may be newer than the head: the changelog says the rest.
#[test]
fn a_checkpoint_written_in_part() {
    const CUSTOMERS: usize = 6000;
    let Some(broker) = broker::shared() else { return };
    let name = unique("in-checkpoint");
    let stream = Stream::of(6000, &name, 1, 12_000);
    stream.create_input(broker);
    let folder = TempDir::new().unwrap();
    let more = "workers: 1\ncommit: { interval: 50ms, max_touchpoints: 500 }";
    let setup = Setup { broker, app: stream.app(), folder: folder.path(), more };
    // Due when rows take half of the memory, whatever the time: that is more than one slice of them.
    let dies = || {
        let environment = [
            ("FAILPOINTS", "in-checkpoint=return"),
            ("REGA_STATE__CHECKPOINT", "10m"),
            ("REGA_STATE__MEMORY_BYTES", "4194304"),
        ];
        let mut rega = setup.start_within(Command::new("env"), &environment);
        assert_eq!(rega.wait().signal(), ABORTED, "{}", rega.log());
        rega.log()
    };
    stream.produce(broker, 0..CUSTOMERS);
    dies();
    let mut rega = setup.start();
    rega.wait_for("it was never finished");
    rega.wait_for(&format!("end of partition at offset {CUSTOMERS}"));
    assert_eq!(rega.terminate().code(), Some(0), "{}", rega.log());
    stream.produce(broker, CUSTOMERS..2 * CUSTOMERS);
    assert!(!dies().contains("discarded"));
    let mut rega = setup.start();
    rega.wait_for("partition ready");
    assert!(!rega.log().contains("discarded"), "{}", rega.log());
    stream.check(broker);
}

#[test]
fn a_checkpoint_written() {
    check("after-checkpoint=1*off->return");
}

#[test]
fn partitions_given_and_not_taken_up() {
    check("in-assign=return");
}

#[test]
fn rows_read_back_in_part() {
    let Some(broker) = broker::shared() else { return };
    let stream = Stream::new(&unique("in-restore"), 2, 2000);
    stream.create_input(broker);
    stream.produce(broker, 0..1500);
    let folder = TempDir::new().unwrap();
    let setup = Setup { broker, app: stream.app(), folder: folder.path(), more: MORE };
    let mut rega = setup.start();
    rega.wait_for_each("committed worker", 5);
    rega.kill();
    // The disk is new: everything is read back.
    std::fs::remove_dir_all(folder.path().join("state/partition-0")).unwrap();
    std::fs::remove_dir_all(folder.path().join("state/partition-1")).unwrap();
    let mut rega = setup.start_failing("in-restore=return");
    assert_eq!(rega.wait().signal(), ABORTED, "{}", rega.log());
    stream.produce(broker, 1500..2000);
    let _rega = setup.start();
    stream.check(broker);
}

/// Between the two rounds of a rebalance: the group has taken a partition from the one, and the one
/// never says that it gave it up. Back within its session it gets what is left, and nobody gets the
/// other, until somebody looks.
#[test]
fn a_partition_asked_for_and_never_given_up_finds_an_owner() {
    let Some(broker) = broker::shared() else { return };
    let stream = Stream::new(&unique("in-revoke"), 2, 2000);
    stream.create_input(broker);
    stream.produce(broker, 0..1000);
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let setup = |number: usize| Setup {
        broker,
        app: stream.app(),
        folder: folders[number].path(),
        more: MORE,
    };
    let mut first = setup(0).start_failing("in-revoke=return");
    first.wait_for_each("partition ready", 2);
    let mut second = setup(1).start();
    assert_eq!(first.wait().signal(), ABORTED, "{}", first.log());
    let mut first = setup(0).start();
    first.wait_for("partitions assigned");
    second.wait_for("partitions assigned");
    stream.produce(broker, 1000..2000);
    stream.check(broker);
}
