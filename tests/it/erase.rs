//! A customer is forgotten, wherever Rega keeps something of them, and there is a receipt.

use std::{
    collections::BTreeSet,
    process::{Command, Output},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    broker::{self, Broker, unique},
    client::{self, Seen, create_topic, produce},
    process::Setup,
};

/// Runs `rega erase` with the settings that an instance was started with.
fn erase(setup: &Setup<'_>, customers: &[&str], more: &[&str]) -> Output {
    // Writes the file anew, with the same content.
    drop(setup.command());
    let mut command = Command::new(env!("CARGO_BIN_EXE_rega"));
    command.arg("erase").args(customers).arg("--config").arg(setup.folder.join("rega.yaml"));
    command.args(more).output().unwrap()
}

/// Returns the receipts, one for each customer.
#[track_caller]
fn receipts(output: &Output) -> Vec<Value> {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn touchpoint(customer: &str, number: i64) -> String {
    json!({
        "event_id": format!("e{number}"),
        "customer_id": customer,
        "ts": 1_750_000_000_000_i64 + number * 1000,
        "channel": "web",
        "event": "product_viewed",
    })
    .to_string()
}

fn last<'s>(seen: &'s [Seen], key: &str) -> Option<&'s Seen> {
    seen.iter().rfind(|record| record.key.as_deref() == Some(key))
}

/// Nothing but a tombstone is left of a key in a topic.
#[track_caller]
fn is_gone(broker: &Broker, topic: &str, key: &str) {
    let seen = client::read(&broker.address(), topic);
    assert_eq!(last(&seen, key).unwrap().value, None, "{key} in {topic}");
}

#[test]
fn an_erased_customer_is_gone_and_a_straggler_begins_anew() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("erase");
    let topic = |role: &str| format!("{app}-{role}");
    create_topic(broker, &topic("touchpoints"), 3, &[]);
    let folder = TempDir::new().unwrap();
    let more = "workers: 1\ncommit: { interval: 50ms }";
    let setup = Setup { broker, app: &app, folder: folder.path(), more };
    let (ada, bob) = (touchpoint("ada", 1), touchpoint("bob", 2));
    produce(&broker.address(), &topic("touchpoints"), &[(1, "ada", &ada), (2, "bob", &bob)]);
    let mut rega = setup.start();
    rega.wait_for_each("partition ready", 3);
    // Nobody said how producers place customers: every partition is asked, and one knows her.
    let [receipt] = &receipts(&erase(&setup, &["ada"], &[]))[..] else { panic!("one receipt") };
    assert_eq!((&receipt["customer_id"], &receipt["done"]), (&json!("ada"), &json!(true)));
    assert_eq!(receipt["requested"]["partitions"], json!([0, 1, 2]));
    assert_eq!(receipt["tombstones"].as_array().unwrap().len(), 6, "{receipt}");
    let kept = receipt["kept_by_kafka"].as_array().unwrap();
    let topics: BTreeSet<&str> = kept.iter().map(|line| line["topic"].as_str().unwrap()).collect();
    let expected =
        ["touchpoints", "moments", "alerts", "rejects", "engagement", "state"].map(topic);
    assert_eq!(topics, expected.iter().map(String::as_str).collect());
    for line in kept {
        assert!(line["retention_ms"].is_i64() && line["cleanup_policy"].is_string(), "{line}");
    }
    is_gone(broker, &topic("engagement"), "ada");
    is_gone(broker, &topic("state"), "cada");
    // Nothing is said of it to others, and nobody else is touched.
    let moments = client::read(&broker.address(), &topic("moments"));
    assert_eq!(moments.len(), 2);
    let engagement = client::read(&broker.address(), &topic("engagement"));
    assert!(last(&engagement, "bob").unwrap().value.is_some());

    // The very touchpoint again: the ring that would know it is gone too.
    produce(&broker.address(), &topic("touchpoints"), &[(1, "ada", &ada)]);
    // In her own partition: the others have a tombstone each.
    let told = |seen: &[Seen]| -> Vec<Option<String>> {
        let hers = |record: &&Seen| record.partition == 1 && record.key.as_deref() == Some("ada");
        seen.iter().filter(hers).map(|record| record.value.clone()).collect()
    };
    let seen = client::read_until(&broker.address(), &topic("engagement"), |seen| {
        let told = told(seen);
        told.contains(&None) && told.last().is_some_and(Option::is_some)
    });
    let anew = told(&seen).pop().flatten().unwrap();
    let anew: Value = serde_json::from_str(&anew).unwrap();
    assert_eq!(anew["touchpoints"], 1);

    // What is on this machine's disk is gone as well: a restart finds the one that began anew.
    assert_eq!(rega.terminate().code(), Some(0), "{}", rega.log());
    let output = erase(&setup, &["ada", "nobody"], &["--wait", "1"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("12 tombstones have not come within 1 s: is Rega running?"), "{said}");
    let mut rega = setup.start();
    rega.wait_for_each("partition ready", 3);
    let all = receipts(&erase(&setup, &["ada", "nobody"], &[]));
    assert_eq!(all.iter().map(|receipt| &receipt["done"]).collect::<Vec<_>>(), [true, true]);
    is_gone(broker, &topic("engagement"), "ada");
    is_gone(broker, &topic("state"), "cada");
}

#[test]
fn a_routed_and_mapped_input_carries_the_wish_too() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("wish");
    let folder = TempDir::new().unwrap();
    let mapping = "mapping: x\nfields: { customer_id: who, event: what, \
                   ts: { path: at, format: \"%d/%m/%Y %H:%M:%S\", zone: UTC } }\n";
    std::fs::write(folder.path().join("x.yaml"), mapping).unwrap();
    let sources = format!("[{app}-a, {app}-b]");
    let more = format!(
        "workers: 1\ncommit: {{ interval: 50ms }}\n\
         input: {{ keyed: false, mappings: {{ {app}-a: x.yaml }} }}\n\
         topics:\n  touchpoints: {sources}\n  moments: {app}-moments\n  \
         engagement: {app}-engagement\n  rejects: {app}-rejects\n  pain_spikes: {app}-pain-spikes"
    );
    let setup = Setup { broker, app: &app, folder: folder.path(), more: &more };
    for source in ["a", "b"] {
        create_topic(broker, &format!("{app}-{source}"), 2, &[]);
    }
    let mapped = r#"[{"who":"ada","what":"product_viewed","at":"05/01/2026 10:00:00"}]"#;
    produce(&broker.address(), &format!("{app}-a"), &[(1, "x", mapped)]);
    let mut rega = setup.start();
    rega.wait_for("committed worker=0 records=1");
    let [receipt] = &receipts(&erase(&setup, &["ada"], &[]))[..] else { panic!("one receipt") };
    assert_eq!(receipt["tombstones"].as_array().unwrap().len(), 2, "{receipt}");
    is_gone(broker, &format!("{app}-engagement"), "ada");
    assert_eq!(client::read(&broker.address(), &format!("{app}-rejects")).len(), 0);
}
