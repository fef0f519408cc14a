//! A client that shares nothing with us but the protocol: kcat, from the distribution.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    broker::{self, skip, unique},
    client,
    process::Setup,
};

pub(crate) fn kcat(arguments: &[&str], input: &str) -> Option<String> {
    let spawned = Command::new("kcat")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            skip("kcat", &error.to_string());
            return None;
        }
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn what_kcat_writes_and_what_kcat_reads() {
    let Some(broker) = broker::shared() else { return };
    let (app, folder) = (unique("kcat"), TempDir::new().unwrap());
    let setup = Setup { broker, app: &app, folder: folder.path(), more: "workers: 1" };
    let mut rega = setup.start();
    rega.wait_for_each("partition ready", 4);
    let mut lines: Vec<String> = (0..200)
        .map(|number| {
            let customer = format!("c{}", number % 7);
            let touchpoint = json!({
                "event_id": format!("e{number}"), "customer_id": customer,
                "ts": 1_750_000_000_000_i64 + number * 1000, "channel": "web",
                "event": "product_viewed",
            });
            format!("{customer}\t{touchpoint}\n")
        })
        .collect();
    lines.push("c0\t{\"event_id\": 7\n".to_owned());
    let address = broker.address();
    let topic = |role: &str| format!("{app}-{role}");
    let written =
        kcat(&["-P", "-b", &address, "-t", &topic("touchpoints"), "-K", "\t"], &lines.concat());
    if written.is_none() {
        return;
    }
    client::read_until(&address, &topic("moments"), |seen| 200 <= seen.len());
    client::read_until(&address, &topic("rejects"), |seen| !seen.is_empty());
    let read = |role: &str, format: &str| {
        let committed = "isolation.level=read_committed";
        let topic = topic(role);
        let arguments =
            ["-C", "-e", "-q", "-b", &address, "-t", &topic, "-X", committed, "-f", format];
        kcat(&arguments, "").unwrap()
    };

    let moments = read("moments", "%p\t%k\t%s\n");
    let inputs = read("touchpoints", "%p\t%k\n");
    let mut event_ids: Vec<u32> = Vec::new();
    for line in moments.lines() {
        let mut columns = line.splitn(3, '\t');
        let (partition, key) = (columns.next().unwrap(), columns.next().unwrap());
        let moment: Value = serde_json::from_str(columns.next().unwrap()).unwrap();
        assert_eq!(moment["customer_id"], key);
        // The moment is in the partition number of its touchpoint.
        assert!(inputs.lines().any(|line| line == format!("{partition}\t{key}")), "{line}");
        event_ids
            .push(moment["event_id"].as_str().unwrap().trim_start_matches('e').parse().unwrap());
    }
    event_ids.sort_unstable();
    assert_eq!(event_ids, (0..200).collect::<Vec<u32>>());

    let rejects = read("rejects", "%k|%h|%s\n");
    assert!(rejects.starts_with("c0|rega-reason="), "{rejects}");
    assert!(rejects.contains(&format!("rega-source-topic={}", topic("touchpoints"))), "{rejects}");
    assert!(rejects.ends_with("|{\"event_id\": 7\n"), "{rejects}");
}
