//! What one gets for what one types: text on the right stream, and an exit code.

use std::process::{Command, Output};

/// Runs the program in an empty folder, with no settings from outside.
fn rega(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rega"));
    command.args(arguments).current_dir(folder.path()).env_clear();
    command.envs(variables.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn without_arguments_one_gets_the_usage_on_stderr_and_64() {
    let output = rega(&[], &[]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(64), ""));
    assert!(text(&output.stderr).contains("Usage: rega <COMMAND>"));
    assert!(text(&output.stderr).contains("check"));
}

#[test]
fn help_is_no_failure() {
    for arguments in [["--help"].as_slice(), &["check", "--help"], &["--version"]] {
        let output = rega(arguments, &[]);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
        assert!(text(&output.stdout).contains("rega"));
    }
}

#[test]
fn bad_usage_is_one_sentence_and_64() {
    for arguments in [
        ["nonsense"].as_slice(),
        &["check", "--nonsense"],
        &["check", "--schema", "no"],
        &["check"],
        &["explain", "--from", "ftp://x", "--customer", "y"],
        &["demo", "--http", "x", "--seconds", "1"],
        &["demo", "--http", "127.0.0.1:http:80", "--seconds", "1"],
    ] {
        let output = rega(arguments, &[]);
        let said = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(64), ""), "{arguments:?}");
        assert!(said.starts_with("rega: ") && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn check_says_by_its_code_whether_all_is_well() {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/config");
    let output = rega(&["check", config], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).ends_with("no problem\n"));

    let output = rega(&["check", config], &[("REGA_WORKERS", "many")]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(64), ""));
    assert!(text(&output.stdout).starts_with("REGA_WORKERS: expected a whole number"));
}

#[test]
fn a_schema_is_json_on_stdout() {
    for name in [
        "config",
        "rules",
        "mapping",
        "touchpoint",
        "moments",
        "engagement",
        "rejects",
        "pain-spikes",
    ] {
        let output = rega(&["check", "--schema", name], &[]);
        assert_eq!(output.status.code(), Some(0));
        let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(schema["title"].is_string());
    }
}

#[test]
fn what_rega_writes_fits_its_schemas() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let generated =
        rega(&["generate", "--events", "1500", "--customers", "40", "--seed", "1"], &[]);
    let input = [b"{\"event\":1}\nno json\n".as_slice(), &generated.stdout].concat();
    std::fs::write(path("touchpoints"), input).unwrap();
    let (moments, engagement, rejects) = (path("moments"), path("engagement"), path("rejects"));
    let outputs = ["--moments", &moments, "--engagement", &engagement, "--rejects", &rejects];
    let replayed = rega(&[["replay", &path("touchpoints")].as_slice(), &outputs].concat(), &[]);
    assert_eq!(replayed.status.code(), Some(0), "{}", text(&replayed.stderr));
    fits("touchpoint", &generated.stdout);
    for (name, path) in [("moments", moments), ("engagement", engagement), ("rejects", rejects)] {
        fits(name, &std::fs::read(path).unwrap());
    }
}

#[test]
fn what_rega_writes_of_spikes_fits_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let shop = ["generate", "--events", "22000", "--customers", "1500", "--activity", "7"];
    let spike = ["--seed", "5", "--spike", "app/app_crashed@40h×40~2h"];
    let generated = rega(&[shop.as_slice(), &spike].concat(), &[]);
    std::fs::write(path("touchpoints"), generated.stdout).unwrap();
    let replayed = rega(&["replay", &path("touchpoints"), "--spikes", &path("spikes")], &[]);
    assert_eq!(replayed.status.code(), Some(0), "{}", text(&replayed.stderr));
    let spikes = std::fs::read(path("spikes")).unwrap();
    fits("pain-spikes", &spikes);
    for state in ["open", "update", "closed"] {
        assert!(text(&spikes).contains(&format!("\"state\":\"{state}\"")), "{state}");
    }
}

#[test]
fn a_replay_writes_neither_over_what_it_reads_nor_twice_into_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (input, symbolic, new) = (path("in.ndjson"), path("link"), path("new"));
    let line = br#"{"customer_id":"a","ts":1767607200000,"event":"order_placed"}"#;
    std::fs::write(&input, line).unwrap();
    std::os::unix::fs::symlink(&input, &symbolic).unwrap();
    let outputs = ["--moments", "--engagement", "--rejects", "--spikes"];
    let mut wrong: Vec<Vec<&str>> = Vec::new();
    for option in outputs {
        wrong.push(vec!["replay", &input, option, &input]);
        wrong.push(vec!["replay", &input, option, &symbolic]);
        wrong.extend(
            outputs
                .into_iter()
                .filter(|other| *other != option)
                .map(|other| vec!["replay", &input, option, &new, other, &new]),
        );
    }
    for arguments in wrong {
        let output = rega(&arguments, &[]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {said}");
        assert!(said.starts_with("rega: \"--") && said.lines().count() == 1, "{said}");
        assert_eq!(std::fs::read(&input).unwrap(), line);
        assert!(!std::path::Path::new(&new).exists());
    }
    // The outputs of a replay that cannot begin are left as they are.
    let output = rega(&["replay", &path("gone"), "--moments", &input], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(std::fs::read(&input).unwrap(), line);
    // What is no ordinary file may be shared.
    let shared = ["--moments", "-", "--engagement", "-", "--rejects", "/dev/null"];
    let shared = [shared.as_slice(), &["--spikes", "/dev/null"]].concat();
    let output = rega(&[&["replay", input.as_str()], shared.as_slice()].concat(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), 2);
}

/// Replays lines, and returns what is told at the end and the customers' last records.
#[track_caller]
fn replayed(lines: &str, dialect: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines.ndjson");
    std::fs::write(&path, lines).unwrap();
    let file = path.to_str().unwrap();
    let output = rega(&["replay", file, "--dialect", dialect, "--engagement", "-"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    (text(&output.stderr).to_owned(), text(&output.stdout).to_owned())
}

#[test]
fn at_one_instant_the_order_of_lines_and_batches_holds() {
    let line = |event: &str| {
        format!(r#"{{"customer_id":"n","ts":1767607200,"channel":"web","event":"{event}"}}"#) + "\n"
    };
    let lines = line("page_viewed").repeat(9) + &line("order_placed");
    let (_, engagement) = replayed(&lines, "native");
    assert!(engagement.contains(r#""stage":"purchase""#), "{engagement}");
    let views = r#"{"name":"page_view"},"#.repeat(10);
    let batch = format!(
        r#"{{"client_id":"1.1","timestamp_micros":1767607200000000,"events":[{views}{{"name":"purchase"}}]}}"#
    );
    let (_, engagement) = replayed(&batch, "ga4");
    assert!(engagement.contains(r#""stage":"purchase""#), "{engagement}");
}

#[test]
fn a_promise_that_cannot_be_read_is_told() {
    let order = |id: u8, promise: &str| {
        format!(
            r#"{{"event_id":"{id}","customer_id":"c{id}","ts":1767607200,"event":"order_placed","properties":{{"order_id":"{id}","estimated_delivery":{promise}}}}}"#
        ) + "\n"
    };
    let promises = [r#""05/01/2026""#, r#""2-3 days""#, r#"" ""#, "null", r#""2026-01-09""#];
    let lines: String = (1..).zip(promises).map(|(id, promise)| order(id, promise)).collect();
    let (told, _) = replayed(&lines, "native");
    assert!(told.contains("promises that cannot be read 2"), "{told}");
}

/// Checks each line against the schema of that name.
#[track_caller]
fn fits(name: &str, lines: &[u8]) {
    let schema = rega(&["check", "--schema", name], &[]).stdout;
    let schema = serde_json::from_slice(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(!lines.is_empty(), "{name}");
    for line in text(lines).lines() {
        let record = serde_json::from_str(line).unwrap();
        if let Err(error) = validator.validate(&record) {
            panic!("{name}: {error} at {}\n{line}", error.instance_path());
        }
    }
}

#[test]
fn what_a_full_disk_keeps_from_standard_output_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.ndjson");
    let line = r#"{"event_id":"1","customer_id":"ada","ts":"2026-01-05T10:00:00Z","event":"page_viewed","channel":"web"}"#;
    std::fs::write(&file, format!("{line}\n")).unwrap();
    let file = file.to_str().unwrap();
    for arguments in [
        ["--help"].as_slice(),
        &["check", "commerce"],
        &["check", "--schema", "moments"],
        &["explain", file],
        &["inspect", file],
        &["replay", file, "--moments", "-"],
    ] {
        let full = std::fs::File::create("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rega"));
        let output = command.args(arguments).env_clear().stdout(full).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("No space left on device"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure_unless_something_else_stays_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.ndjson");
    let generated = rega(&["generate", "--events", "2000"], &[]);
    std::fs::write(&file, &generated.stdout).unwrap();
    let file = file.to_str().unwrap();
    let rest = folder.path().join("engagement.ndjson");
    let both = ["replay", file, "--moments", "-", "--engagement", rest.to_str().unwrap()];
    for (arguments, expected) in [(["replay", file, "--moments", "-"].as_slice(), 0), (&both, 1)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_rega"));
        let output = command.args(arguments).env_clear().stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(expected), "{}", text(&output.stderr));
        assert_eq!(output.stderr.is_empty(), expected == 0);
    }
}

#[test]
fn what_is_packed_is_unpacked_whatever_it_is_called() {
    let line = r#"{"event_id":"1","customer_id":"ada","ts":"2026-01-05T10:00:00Z","event":"page_viewed","channel":"web"}"#;
    let folder = tempfile::tempdir().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, line.as_bytes()).unwrap();
    let packed = [gzip.finish().unwrap(), zstd::encode_all(line.as_bytes(), 1).unwrap()];
    for bytes in packed {
        for name in ["day.ndjson", "day.gz", "day.zst"] {
            let file = folder.path().join(name);
            std::fs::write(&file, &bytes).unwrap();
            let output = rega(&["replay", file.to_str().unwrap()], &[]);
            let said = text(&output.stderr);
            assert!(said.starts_with("1 line = 1 accepted"), "{name}: {said}");
        }
    }
}

#[test]
fn a_file_without_an_end_is_too_large() {
    let output = rega(&["check", "/dev/zero"], &[]);
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stdout).starts_with("cannot read \"/dev/zero\": larger than 4 MiB"));
}
