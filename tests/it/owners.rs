//! Two instances: each helps with any customer.

use std::{collections::BTreeMap, process::Command};

use rega::{clock::Stopwatch, model::Partitioner};
use tempfile::TempDir;

use crate::{
    broker::{self, unique},
    client::{create_topic, produce},
    process::{LIMIT, Setup},
};

const TOKEN: &str = "open-sesame-open-sesame";

/// Asks with curl, as an operator would; returns status, body and where it leads.
fn ask(url: &str, follow: bool) -> (u16, String, String) {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--max-time", "20", "--header"])
        .arg(format!("Authorization: Bearer {TOKEN}"))
        .args(["--write-out", "\n%{http_code} %{redirect_url}"]);
    if follow {
        curl.arg("--location-trusted");
    }
    let output = curl.arg(url).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let (body, last) = said.rsplit_once('\n').unwrap();
    let (status, location) = last.split_once(' ').unwrap();
    (status.parse().unwrap(), body.to_owned(), location.to_owned())
}

/// Asks until an answer satisfies: owners are heard of a moment after they have begun.
#[track_caller]
fn ask_until(url: &str, follow: bool, good: impl Fn(u16, &str) -> bool) -> (u16, String, String) {
    let watch = Stopwatch::start();
    loop {
        let answer = ask(url, follow);
        if good(answer.0, &answer.1) {
            return answer;
        }
        assert!(watch.elapsed() < LIMIT, "{url}: still {answer:?} after {LIMIT:?}");
    }
}

/// Customers of four partitions, as `way` places them: partition, id and touchpoint of each.
pub(crate) fn touchpoints(way: Partitioner, count: usize) -> Vec<(i32, String, String)> {
    (0..count)
        .map(|number| {
            let customer = format!("c{number}");
            let partition = way.partition(customer.as_bytes(), 4);
            let value = format!(
                r#"{{"event_id":"e{number}","customer_id":"{customer}","ts":1750000000000,"channel":"web","event":"product_viewed"}}"#
            );
            (i32::try_from(partition).unwrap(), customer, value)
        })
        .collect()
}

#[test]
fn any_instance_leads_to_any_customer_and_a_dead_owner_is_named() {
    let Some(broker) = broker::shared() else { return };
    if Command::new("curl").arg("--version").output().is_err() {
        broker::skip("curl", "it asks the instances");
        return;
    }
    let app = unique("owners");
    let topic = format!("{app}-touchpoints");
    create_topic(broker, &topic, 4, &[]);
    // As librdkafka places them: that is for the instances to find out.
    let customers = touchpoints(Partitioner::Crc32, 150);
    let borrowed: Vec<(i32, &str, &str)> =
        customers.iter().map(|(at, key, value)| (*at, key.as_str(), value.as_str())).collect();
    produce(&broker.address(), &topic, &borrowed[..20]);
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let settings = format!(
        "workers: 1\ncommit: {{ interval: 50ms }}\nhttp: {{ listen: \"127.0.0.1:0\", token: {TOKEN} }}"
    );
    let setup =
        |index: usize| Setup { broker, app: &app, folder: folders[index].path(), more: &settings };
    let mut first = setup(0).start();
    let first_address = first.address();
    first.wait_for_each("partition ready", 4);
    let mut second = setup(1).start();
    let addresses = [first_address, second.address()];
    second.wait_for_each("partition ready", 2);
    let url = |index: usize, customer: &str| {
        format!("http://{}/v1/customers/{customer}", addresses[index])
    };
    let found = |customer: &str| {
        let expected = format!("{{\"customer_id\":\"{customer}\"");
        move |status: u16, body: &str| status == 200 && body.starts_with(&expected)
    };
    // Twenty pairs are too few to know the partitioner: everybody is asked.
    for (_, customer, _) in &customers[..20] {
        for index in 0..2 {
            ask_until(&url(index, customer), true, found(customer));
        }
    }
    let (status, body, _) = ask_until(&url(0, "nobody"), true, |status, _| status == 404);
    assert_eq!((status, body.as_str()), (404, r#"{"error":"no such customer"}"#));

    produce(&broker.address(), &topic, &borrowed[20..]);
    let mut places: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (_, customer, _) in &customers {
        ask_until(&url(0, customer), true, found(customer));
        let (status, _, location) = ask(&url(0, customer), false);
        if status == 307 {
            assert_eq!(location, url(1, customer));
        }
        places.entry(usize::from(status == 307)).or_default().push(customer);
    }
    assert_eq!(places.len(), 2, "both have some: {places:?}");
    let (status, _, _) = ask_until(&url(1, "nobody"), true, |status, _| status == 404);
    assert_eq!(status, 404);

    // The owner is gone, and nobody has taken over yet.
    second.kill();
    let orphan = places[&1][0];
    let (_, body, _) = ask_until(&url(0, orphan), false, |status, _| status == 503);
    let address = format!("at http://{}, which does not answer", addresses[1]);
    assert!(body.contains(&address), "{body}");
    // When the group has noticed, the other answers itself.
    let (_, body, _) = ask_until(&url(0, orphan), false, |status, _| status == 200);
    assert!(body.contains(orphan), "{body}");
}
