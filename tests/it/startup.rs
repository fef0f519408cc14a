//! What stops a start, or a partition: one clear sentence, and the right exit code.

use tempfile::TempDir;

use crate::{
    broker::{self, Broker, unique},
    client::{self, create_topic},
    process::Setup,
    stream::Stream,
};

/// Runs to the end, and returns the exit code and what was said last.
#[track_caller]
fn refused(broker: &Broker, app: &str, folder: &TempDir, more: &str) -> (Option<i32>, String) {
    let setup = Setup { broker, app, folder: folder.path(), more };
    setup.run()
}

#[test]
fn a_second_process_on_one_state_folder_is_refused() {
    let Some(broker) = broker::shared() else { return };
    let (app, folder) = (unique("folder"), TempDir::new().unwrap());
    let setup = Setup { broker, app: &app, folder: folder.path(), more: "workers: 1" };
    let mut first = setup.start();
    first.wait_for("partition ready");
    let (code, said) = refused(broker, &app, &folder, "workers: 1");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("rega: another rega process uses the state folder"), "{said}");
}

#[test]
fn a_port_in_use_is_refused() {
    let Some(broker) = broker::shared() else { return };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let more = format!("http: {{ listen: \"{}\" }}", taken.local_addr().unwrap());
    let (code, said) = refused(broker, &unique("port"), &TempDir::new().unwrap(), &more);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the port is in use"), "{said}");
}

#[test]
fn wrong_topics_are_refused() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("state");
    create_topic(broker, &format!("{app}-state"), 4, &["cleanup.policy=delete"]);
    let (code, said) = refused(broker, &app, &TempDir::new().unwrap(), "workers: 1");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cleanup.policy \"delete\", which would lose it"), "{said}");
}

#[test]
fn a_bad_config_is_64() {
    let Some(broker) = broker::shared() else { return };
    let more = "workers: many";
    let (code, said) = refused(broker, &unique("bad"), &TempDir::new().unwrap(), more);
    assert_eq!(code, Some(64), "{said}");
}

#[test]
fn what_the_broker_does_not_permit_is_told_with_the_commands_that_help() {
    let settings = [
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found=true",
    ];
    let Some(broker) = Broker::start_with(&settings) else { return };
    let app = unique("denied");
    create_topic(&broker, &format!("{app}-moments"), 4, &[]);
    let topic = format!("{app}-moments");
    broker.tool(&[
        "acls",
        "--add",
        "--deny-principal",
        "User:ANONYMOUS",
        "--operation",
        "All",
        "--topic",
        &topic,
    ]);
    let (code, said) = refused(&broker, &app, &TempDir::new().unwrap(), "workers: 1");
    assert_eq!(code, Some(1), "{said}");
    let expected = format!("rega: the Kafka broker does not permit a look at topic \"{topic}\"");
    assert!(said.contains(&expected), "{said}");
    assert!(said.contains("kafka-acls.sh --bootstrap-server"), "{said}");
    assert!(said.contains(&format!("--transactional-id {app}.")), "{said}");
}

#[test]
fn offsets_moved_by_hand_stop_the_partition_until_they_are_adopted() {
    let Some(broker) = broker::shared() else { return };
    let stream = Stream::new(&unique("moved"), 1, 30);
    stream.create_input(broker);
    stream.produce(broker, 0..20);
    let app = stream.app();
    let folder = TempDir::new().unwrap();
    let setup = Setup { broker, app, folder: folder.path(), more: "workers: 1" };
    let mut rega = setup.start();
    rega.wait_for("committed worker=0 records=20");
    rega.terminate();
    client::commit_offset(broker, app, &stream.topic("touchpoints"), 10);

    let mut rega = setup.start();
    rega.wait_for("the state was written up to offset 20, but the group's committed offset is 10");
    rega.terminate();

    // The ten that come again are known to the customers' rows, so nothing is published twice.
    let mut rega = setup.start_with(&["--adopt-offsets"]);
    rega.wait_for("committed worker=0 records=10");
    stream.produce(broker, 20..30);
    stream.check(broker);
}

/// The commit before a stop may fail, and the stop comes nevertheless: also at the worker that gets
/// nothing new, which no failing restore would stop.
#[test]
fn a_widened_input_stops_every_partition() {
    let Some(broker) = broker::shared() else { return };
    let stream = Stream::new(&unique("widened"), 2, 20);
    stream.create_input(broker);
    stream.produce(broker, 0..20);
    let (app, folder) = (stream.app(), TempDir::new().unwrap());
    let setup = Setup { broker, app, folder: folder.path(), more: "workers: 2" };
    let mut rega = setup.start_failing("before-stop=2*return");
    rega.wait_for_each("partition ready", 2);
    let topic = stream.topic("touchpoints");
    broker.tool(&["topics", "--alter", "--topic", &topic, "--partitions", "3"]);
    rega.wait_for_each("the state was written when the input had 2 partitions, and it has 3", 3);
    assert!(!rega.log().contains("is built anew"), "{}", rega.log());
    assert_eq!(rega.terminate().code(), Some(0), "{}", rega.log());
    let (code, said) = refused(broker, app, &folder, "workers: 1");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("has 2 partitions and"), "{said}");
}

#[test]
fn offsets_without_state_stop_the_partition() {
    let Some(broker) = broker::shared() else { return };
    let stream = Stream::new(&unique("lost"), 1, 20);
    stream.create_input(broker);
    stream.produce(broker, 0..20);
    let app = stream.app();
    let folder = TempDir::new().unwrap();
    let setup = Setup { broker, app, folder: folder.path(), more: "workers: 1" };
    let mut rega = setup.start();
    rega.wait_for("committed worker=0 records=20");
    rega.terminate();
    client::delete_topic(broker, &stream.topic("state"));

    let mut rega = setup.start();
    rega.wait_for("the group's committed offset is 20, but there is no state");
}

/// The offset exists in the new topic as well: only its id tells the two apart.
#[test]
fn an_input_that_was_made_again_stops_the_partition() {
    let Some(broker) = broker::shared() else { return };
    let stream = Stream::new(&unique("remade"), 1, 40);
    stream.create_input(broker);
    stream.produce(broker, 0..20);
    let app = stream.app();
    let folder = TempDir::new().unwrap();
    let setup = Setup { broker, app, folder: folder.path(), more: "workers: 1" };
    let mut rega = setup.start();
    rega.wait_for("committed worker=0 records=20");
    rega.terminate();
    client::delete_topic(broker, &stream.topic("touchpoints"));
    stream.create_input(broker);
    stream.produce(broker, 0..40);

    let mut rega = setup.start();
    rega.wait_for("the input topic is another than the state was written from");
}
