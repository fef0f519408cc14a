//! The commands that need no Kafka of anybody's: `generate` and `demo`.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Output, Stdio},
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
