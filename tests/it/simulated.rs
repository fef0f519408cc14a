//! The commands that need no Kafka of anybody's: `generate` and `demo`.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Output, Stdio},
};

use crate::{
    broker::{self, unique},
    client,
};

fn rega(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rega"));
    command.args(arguments).env_clear();
    command
}

fn output(arguments: &[&str]) -> Output {
    rega(arguments).output().unwrap()
}

#[test]
fn the_same_options_generate_the_same_bytes() {
    let options = ["generate", "--events", "2000", "--customers", "300", "--seed", "9"];
    let first = output(&options);
    assert_eq!(first.status.code(), Some(0));
    assert_eq!(first.stdout.split(|byte| *byte == b'\n').count() - 1, 2000);
    assert_eq!(first.stdout, output(&options).stdout);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut child = rega(&["generate"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with(r#"{"event_id":""#), "{line}");
    drop(reader);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn everything_that_is_generated_is_labelled_by_a_rule() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("touchpoints.ndjson");
    std::fs::write(&file, output(&["generate", "--events", "5000"]).stdout).unwrap();
    let replayed = output(&["replay", file.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&[replayed.stderr, replayed.stdout].concat()).into_owned();
    assert!(said.contains("5000 lines = ") && said.contains(" + 0 rejects"), "{said}");
    assert!(said.contains("by rule") && said.contains("(100.0 %)"), "{said}");
}

/// A small demo: history is read within seconds even where the program is not optimised.
#[test]
fn the_demo_ends_by_itself_and_has_seen_something() {
    let options = ["demo", "--seconds", "15", "--customers", "100", "--rate", "8"];
    let demo = output(&[options.as_slice(), &["--http", "127.0.0.1:0"]].concat());
    let said = String::from_utf8_lossy(&demo.stdout);
    let errors = String::from_utf8_lossy(&demo.stderr);
    assert_eq!(demo.status.code(), Some(0), "{said}{errors}");
    let summary = said.split_once("of your time").map(|(_, summary)| summary).unwrap();
    assert!(!summary.contains("moments     0\n"), "{said}");
    assert!(summary.contains("latency"), "nothing was read live: {said}");
    assert!(!said.contains('\x1b'), "escape sequences without a terminal: {said}");
}

#[test]
fn a_taken_address_ends_the_demo_with_the_reason() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let demo = output(&["demo", "--seconds", "15", "--rate", "8", "--http", &address]);
    assert_eq!(demo.status.code(), Some(1));
    let said = String::from_utf8_lossy(&demo.stderr);
    assert!(said.starts_with("rega: ") && said.contains(&address), "{said}");
}

#[test]
fn what_is_produced_to_kafka_is_what_would_have_been_written() {
    let Some(broker) = broker::shared() else { return };
    let topic = unique("generated");
    client::create_topic(broker, &topic, 3, &[]);
    let options = ["generate", "--events", "3000", "--customers", "200"];
    let produced = rega(&[options.as_slice(), &["--to-kafka"]].concat())
        .env("REGA_KAFKA__BROKERS", broker.address())
        .env("REGA_TOPICS__TOUCHPOINTS", &topic)
        .output()
        .unwrap();
    assert_eq!(produced.status.code(), Some(0), "{}", String::from_utf8_lossy(&produced.stderr));
    let mut read = Vec::new();
    for record in client::read(&broker.address(), &topic) {
        let (key, value) = (record.key.unwrap(), record.value.unwrap());
        assert!(value.contains(&format!(r#""customer_id":"{key}""#)), "{key}: {value}");
        read.push(value);
    }
    let written = String::from_utf8(output(&options).stdout).unwrap();
    let mut written: Vec<String> = written.lines().map(ToOwned::to_owned).collect();
    read.sort_unstable();
    written.sort_unstable();
    assert_eq!(read.len(), 3000);
    assert!(read == written, "the records differ from the lines");
}

#[test]
fn without_a_broker_every_command_says_so_and_what_to_do() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let commands: [&[&str]; 3] = [
        &["generate", "--to-kafka"],
        &["inspect", "--topic", "touchpoints"],
        &["erase", "ada", "--config", concat!(env!("CARGO_MANIFEST_DIR"), "/config/rega.yaml")],
    ];
    for command in commands {
        let failed = rega(command).env("REGA_KAFKA__BROKERS", nobody.to_string()).output().unwrap();
        let said = String::from_utf8_lossy(&failed.stderr);
        assert_eq!(failed.status.code(), Some(1), "{said}");
        let expected = format!(
            "rega: no Kafka broker answers at {nobody}, so nothing was done: start it, or say where \
             it is (kafka.brokers in the file of --config, or REGA_KAFKA__BROKERS)\n"
        );
        assert_eq!(said, expected, "{command:?}");
    }
}
