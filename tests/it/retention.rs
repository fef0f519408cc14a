//! Records that are deleted before they were read, under a running instance: it says so, stops there,
//! and goes on everywhere else.

use serde_json::json;
use tempfile::TempDir;

use crate::{
    broker::{self, unique},
    client::{self, create_topic, delete_records},
    process::{Setup, free_port},
    web::ask,
};

/// More than a client fetches of a partition at once (1 MiB): what it asked for before it was stopped
/// does not bring it past what is deleted.
const RECORD_COUNT: usize = 3000;
const PADDING: usize = 1000;

fn touchpoint(event_id: &str, customer: &str) -> String {
    let padding = "x".repeat(PADDING);
    let properties = json!({ "padding": padding });
    json!({
        "event_id": event_id,
        "customer_id": customer,
        "ts": "2026-01-05T10:00:00Z",
        "channel": "web",
        "event": "product_viewed",
        "properties": properties,
    })
    .to_string()
}

/// While the process stands still, the broker deletes nearly everything that it has not read of partition
/// 0 of the input. `stopped` is what it says then.
fn delete_under(app: &str, more: &str, ready: &str, stopped: &str) {
    let Some(broker) = broker::shared() else { return };
    let (input, moments) = (format!("{app}-touchpoints"), format!("{app}-moments"));
    let address = broker.address();
    create_topic(broker, &input, 2, &[]);
    let folder = TempDir::new().unwrap();
    let port = free_port();
    let more = format!("workers: 1\nhttp: {{ listen: \"127.0.0.1:{port}\" }}\n{more}");
    let mut rega = Setup { broker, app, folder: folder.path(), more: &more }.start();
    rega.wait_for_each("partition ready", 2);
    client::produce(&address, &input, &[(0, "ann", &touchpoint("first", "ann"))]);
    client::produce(&address, &input, &[(1, "bob", &touchpoint("second", "bob"))]);
    client::read_until(&address, &moments, |seen| 2 <= seen.len());
    rega.wait_for(ready);

    rega.signal("-STOP");
    let lost: Vec<String> =
        (0..RECORD_COUNT).map(|number| touchpoint(&format!("lost{number}"), "ann")).collect();
    let records: Vec<(i32, &str, &str)> = lost.iter().map(|one| (0, "ann", &**one)).collect();
    client::produce(&address, &input, &records);
    let end = i64::try_from(RECORD_COUNT).unwrap() + 1;
    delete_records(broker, &input, 0, end - 1);
    rega.signal("-CONT");
    rega.wait_for(stopped);

    // `/readyz` says which, how far it had come, and what the broker still holds.
    let (_, said) = ask(&format!("127.0.0.1:{port}"), "GET", "/readyz", "").unwrap();
    assert!(said.contains(&format!("but the broker holds {} to {end}", end - 1)), "{said}");
    // What is behind the gap is not read, and the other partition goes on.
    client::produce(&address, &input, &[(0, "ann", &touchpoint("behind", "ann"))]);
    client::produce(&address, &input, &[(1, "bob", &touchpoint("third", "bob"))]);
    let is_third = |seen: &client::Seen| seen.value.as_ref().unwrap().contains("\"third\"");
    let seen = client::read_until(&address, &moments, |seen| seen.iter().any(is_third));
    assert!(seen.iter().all(|one| !one.value.as_ref().unwrap().contains("\"behind\"")));
    assert!(seen.len() < RECORD_COUNT, "nothing was deleted before it was read");
    assert_eq!(rega.terminate().code(), Some(0), "{}", rega.log());
}

#[test]
fn a_worker_stops_where_records_are_deleted_before_they_are_read() {
    let stopped = "partition stopped worker=0 partition=0 reason=it would go on at offset";
    delete_under(&unique("deleted"), "", "committed worker=0", stopped);
}

#[test]
fn a_router_stops_where_records_are_deleted_before_they_are_copied() {
    let app = unique("deleted-source");
    let stopped = format!("source stopped router=0 place=\"{app}-touchpoints/0\"");
    delete_under(&app, "input: { keyed: false }", "routed router=0", &stopped);
}
