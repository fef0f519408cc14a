//! What tools call things arrives where `names.tsv` says, in every pack: a name that falls out is told.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path, process::Command};

use serde_json::{Value, json};

/// In the order of the list's columns.
const PACKS: [&str; 4] = ["commerce", "saas", "service", "hospitality"];

/// A line of the list.
struct Name {
    vendor: String,
    sent: String,
    /// The event that it is in each pack, if the pack has a rule for it.
    events: [Option<String>; 4],
}

fn names() -> Vec<Name> {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/packs/names.tsv");
    let list = fs::read_to_string(list).expect("the list is there");
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let names = lines.map(|line| {
        let columns: Vec<_> = line.split('\t').map(str::to_owned).collect();
        let [vendor, name, events @ ..] = columns.as_slice() else { panic!("{line}: no name") };
        let events: &[String; 4] = events.try_into().unwrap_or_else(|_| panic!("{line}: columns"));
        let events = events.clone().map(|event| (event != "-").then_some(event));
        Name { vendor: vendor.clone(), sent: name.clone(), events }
    });
    names.collect()
}

/// Tells each name once, each by a customer of its own, and returns what it became: by the position
/// of the name, the moment.
fn replay<'a>(
    pack: &str,
    dialect: &str,
    names: impl Iterator<Item = &'a str>,
) -> BTreeMap<usize, Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut lines = String::new();
    for (index, name) in names.enumerate() {
        let (id, who) = (format!("m{index}"), format!("u{index}"));
        let ts =
            format!("2026-03-01T{:02}:{:02}:{:02}Z", index / 3600, index / 60 % 60, index % 60);
        let record = match dialect {
            "segment" => {
                json!({ "type": "track", "messageId": id, "userId": who, "event": name, "timestamp": ts })
            }
            _ => {
                json!({ "event_id": id, "customer_id": who, "event": name, "ts": ts, "channel": "web" })
            }
        };
        writeln!(lines, "{record}").expect("a string takes everything");
    }
    let [config, told, moments] =
        ["rega.yaml", "told.ndjson", "moments.ndjson"].map(|name| folder.path().join(name));
    fs::write(&config, format!("rules: [{pack}]\n")).expect("the config is written");
    fs::write(&told, lines).expect("the records are written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rega"));
    command.args(["replay", "--dialect", dialect, "--config"]).arg(&config);
    let output = command.arg("--moments").arg(&moments).arg(&told).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let moments = fs::read_to_string(moments).expect("moments are there");
    let moments = moments.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    // A deadline of nothing at once has moments of its own.
    let by_position = moments.filter_map(|moment| {
        let index = moment["event_id"].as_str()?.strip_prefix('m')?.parse().ok()?;
        Some((index, moment))
    });
    by_position.collect()
}

#[track_caller]
fn check(dialect: &str) {
    let names = names();
    let mut problems = String::new();
    for (column, pack) in PACKS.into_iter().enumerate() {
        let moments = replay(pack, dialect, names.iter().map(|name| &*name.sent));
        for (index, Name { vendor, sent, events }) in names.iter().enumerate() {
            let Some(moment) = moments.get(&index) else {
                writeln!(problems, "{pack}: {vendor}'s {sent:?} says nothing").unwrap();
                continue;
            };
            let (event, by) = (&moment["event"], &moment["labelled_by"]);
            let fits = match &events[column] {
                Some(expected) => *event == **expected && by == "rule",
                None => by != "rule",
            };
            if !fits {
                let expected = events[column].as_deref().unwrap_or("-");
                writeln!(
                    problems,
                    "{pack}: {vendor}'s {sent:?} is {event} by {by}, not {expected}"
                )
                .unwrap();
            }
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn names_of_tools_arrive_at_their_rules() {
    check("native");
}

#[test]
fn names_of_tools_arrive_at_their_rules_through_segment() {
    check("segment");
}

#[test]
fn every_event_of_the_standard_vocabularies_has_a_rule_in_every_pack() {
    let standard = names().into_iter().filter(|name| name.vendor == "segment");
    let (mut count, mut left_alone) = (0, Vec::new());
    for name in standard {
        count += 1;
        left_alone.extend(name.events.contains(&None).then_some(name.sent));
    }
    assert!(left_alone.is_empty(), "without a rule: {}", left_alone.join(", "));
    assert!(75 <= count, "{count} events are not the whole specification");
}

/// Events that Rega's dialects make of their own names.
fn events_of_dialects() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/dialects");
    let mut events = Vec::new();
    for file in fs::read_dir(folder).expect("dialects are there") {
        let file = fs::read_to_string(file.expect("a dialect").path()).expect("it is text");
        let lines = file.lines().skip_while(|line| *line != "events:").skip(1);
        let lines = lines.take_while(|line| line.is_empty() || line.starts_with(' '));
        let named = lines.filter_map(|line| {
            let (event, others) = line.strip_prefix("  ")?.split_once(':')?;
            (!event.starts_with([' ', '#']) && others.contains('[')).then(|| event.to_owned())
        });
        events.extend(named);
    }
    events.sort();
    events.dedup();
    events
}

#[test]
fn what_dialects_make_of_their_names_has_a_rule_in_every_pack() {
    let events = events_of_dialects();
    assert!(40 <= events.len(), "{events:?} are not all");
    let mut without = String::new();
    for pack in PACKS {
        let moments = replay(pack, "native", events.iter().map(|event| &**event));
        for (index, event) in events.iter().enumerate() {
            let by = moments.get(&index).map(|moment| &moment["labelled_by"]);
            if by.is_none_or(|by| by != "rule") {
                writeln!(without, "{pack}: {event}").unwrap();
            }
        }
    }
    assert!(without.is_empty(), "no rule:\n{without}");
}
