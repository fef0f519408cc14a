//! Input that is not keyed by customer: several topics, batches of several customers, widened topics.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::process::ExitStatusExt,
    process::Command,
};

use rega::model::Partitioner;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    broker::{self, Broker, unique},
    client::{self, Seen, create_topic},
    process::{ABORTED, Setup, free_port},
    web::ask,
};

/// Long ago, so that no wall clock matters.
const START: i64 = 1_750_000_000_000;

const CUSTOMERS: usize = 61;

const SMALL_COMMITS: &str = "commit: { interval: 50ms, max_touchpoints: 60 }";

fn touchpoint(number: usize, customer: usize) -> Value {
    json!({
        "event_id": format!("e{number}"),
        "customer_id": format!("c{customer}"),
        "ts": START + i64::try_from(number).unwrap() * 1000,
        "channel": "web",
        "event": "product_viewed",
        "properties": { "product_id": format!("p{}", number % 11) },
    })
}

/// Records of two topics with three and two partitions, none with a usable key. A customer stays in
/// one of the five, so that there is one right order; a record is a batch of up to four customers.
struct Sources {
    topics: [String; 2],
    /// Topic, partition, record.
    records: Vec<(usize, i32, String)>,
    touchpoints: Vec<Value>,
    reject_count: usize,
}

impl Sources {
    fn new(app: &str, count: usize) -> Self {
        let touchpoints: Vec<Value> =
            (0..count).map(|number| touchpoint(number, number * 7 % CUSTOMERS)).collect();
        let mut open: BTreeMap<(usize, i32), Vec<String>> = BTreeMap::new();
        let mut records = Vec::new();
        let mut reject_count = 0;
        for (number, touchpoint) in touchpoints.iter().enumerate() {
            let place = number * 7 % CUSTOMERS % 5;
            let (topic, partition) = if place < 3 { (0, place) } else { (1, place - 3) };
            let partition = i32::try_from(partition).unwrap();
            let batch = open.entry((topic, partition)).or_default();
            batch.push(touchpoint.to_string());
            if number % 97 == 5 {
                batch.push(r#"{"event":"nobody"}"#.to_owned());
                reject_count += 1;
            }
            if number % 131 == 7 {
                records.push((topic, partition, "not JSON".to_owned()));
                reject_count += 1;
            }
            if number % 4 < batch.len() {
                let batch = std::mem::take(batch);
                let alone = batch.len() == 1;
                let record = if alone { batch.concat() } else { format!("[{}]", batch.join(", ")) };
                records.push((topic, partition, record));
            }
        }
        for ((topic, partition), batch) in open {
            records.push((topic, partition, format!("[{}]", batch.join(","))));
        }
        let topics = [format!("{app}-web"), format!("{app}-shop")];
        Self { topics, records, touchpoints, reject_count }
    }

    fn create(&self, broker: &Broker) {
        create_topic(broker, &self.topics[0], 3, &[]);
        create_topic(broker, &self.topics[1], 2, &[]);
    }

    fn produce(&self, broker: &Broker, part: std::ops::Range<usize>) {
        for (index, topic) in self.topics.iter().enumerate() {
            let records: Vec<(i32, &str, &str)> = self.records[part.clone()]
                .iter()
                .filter(|(of, ..)| *of == index)
                .map(|(_, partition, record)| (*partition, "whatever", record.as_str()))
                .collect();
            client::produce(&broker.address(), topic, &records);
        }
    }

    /// The same touchpoints through `rega replay`: its moments and engagement records.
    fn replayed(&self, folder: &TempDir) -> (BTreeSet<String>, BTreeSet<String>) {
        let path = |name: &str| folder.path().join(name);
        let lines: Vec<String> = self.touchpoints.iter().map(Value::to_string).collect();
        std::fs::write(path("touchpoints"), lines.join("\n")).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_rega"))
            .arg("replay")
            .arg(path("touchpoints"))
            .arg("--moments")
            .arg(path("moments"))
            .arg("--engagement")
            .arg(path("engagement"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let read = |name| std::fs::read_to_string(path(name)).unwrap();
        let lines = |text: String| text.lines().map(plain).collect();
        (lines(read("moments")), lines(read("engagement")))
    }
}

/// A record without what only `run` can say.
fn plain(record: &str) -> String {
    let mut record: Value = serde_json::from_str(record).unwrap();
    record.as_object_mut().unwrap().remove("backfill");
    record.to_string()
}

fn values(records: &[Seen]) -> impl Iterator<Item = &str> {
    records.iter().map(|record| record.value.as_deref().unwrap())
}

fn settings(app: &str, topics: &[String]) -> String {
    format!(
        "workers: 2\n{SMALL_COMMITS}\ninput: {{ keyed: false }}\n\
         topics:\n  touchpoints: [{}]\n  moments: {app}-moments\n  \
         engagement: {app}-engagement\n  rejects: {app}-rejects\n  pain_spikes: {app}-pain-spikes",
        topics.join(", ")
    )
}

#[test]
fn unkeyed_batches_of_two_topics_come_out_as_replayed_whatever_is_killed() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("route");
    let sources = Sources::new(&app, 6000);
    sources.create(broker);
    let folder = TempDir::new().unwrap();
    let more = settings(&app, &sources.topics);
    let setup = Setup { broker, app: &app, folder: folder.path(), more: &more };
    // In each round the process dies after one, two or three commits of a router or a worker.
    let rounds = 5;
    let share = sources.records.len() / rounds + 1;
    for round in 0..rounds {
        let end = sources.records.len().min((round + 1) * share);
        sources.produce(broker, round * share..end);
        let mut rega = setup.start();
        let commits = if round % 2 == 0 { "routed router=" } else { "committed worker=" };
        rega.wait_for_each(commits, 1 + round % 3);
        rega.kill();
    }
    let _rega = setup.start();
    check_outcome(broker, &app, &sources);
}

/// Everything is there once, as `rega replay` says it.
fn check_outcome(broker: &Broker, app: &str, sources: &Sources) {
    let folder = TempDir::new().unwrap();
    let (moments, engagement) = sources.replayed(&folder);
    let address = broker.address();
    let topic = |role: &str| format!("{app}-{role}");

    let seen = client::read_until(&address, &topic("moments"), |seen| moments.len() <= seen.len());
    assert_eq!(seen.len(), moments.len());
    assert!(values(&seen).map(plain).collect::<BTreeSet<_>>() == moments, "moments differ");

    let mut last = BTreeMap::new();
    for record in client::read(&address, &topic("engagement")) {
        last.insert(record.key.unwrap(), plain(&record.value.unwrap()));
    }
    assert!(last.into_values().collect::<BTreeSet<_>>() == engagement, "engagement differs");

    let routed = client::read(&address, &topic("routed"));
    assert_eq!(routed.len(), sources.touchpoints.len());
    for record in &routed {
        let (key, value) = (record.key.as_deref().unwrap(), record.value.as_deref().unwrap());
        let item: Value = serde_json::from_str(value).unwrap();
        assert_eq!(item["customer_id"], key);
        // As it stood in its batch, byte for byte.
        assert_eq!(item.to_string(), value);
        // Where a Java producer would have put it.
        let partition = Partitioner::Murmur2.partition(key.as_bytes(), 3);
        assert_eq!(u32::try_from(record.partition), Ok(partition));
    }
    check_rejects(&address, &topic("rejects"), sources);
}

/// As with workers: between the two rounds of a rebalance the process is gone, back within its session,
/// and gets what the group has left it. What it never gave up is nobody's until somebody looks.
#[test]
fn a_source_asked_for_and_never_given_up_finds_a_router() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("route-revoke");
    let sources = Sources::new(&app, 600);
    sources.create(broker);
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let more = settings(&app, &sources.topics).replace("workers: 2", "workers: 1");
    let setup =
        |number: usize| Setup { broker, app: &app, folder: folders[number].path(), more: &more };
    sources.produce(broker, 0..sources.records.len() / 2);
    let mut first = setup(0).start_failing("in-route-revoke=return");
    first.wait_for("routed router=0");
    let mut second = setup(1).start();
    assert_eq!(first.wait().signal(), ABORTED, "{}", first.log());
    let _first = setup(0).start();
    sources.produce(broker, sources.records.len() / 2..sources.records.len());
    let count = sources.touchpoints.len();
    let seen = client::read_until(&broker.address(), &format!("{app}-moments"), |seen| {
        count <= seen.len()
    });
    assert_eq!(seen.len(), count);
    second.wait_for("routed router=0");
}

/// It is stopped with a transaction open, another one takes its sources over when its session is over,
/// and it wakes up. In the end it is alone, so that it has to have come back.
#[test]
fn a_router_that_slept_through_its_session_copies_nothing_twice_and_comes_back() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("route-sleep");
    let sources = Sources::new(&app, 900);
    sources.create(broker);
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let more = settings(&app, &sources.topics)
        .replace("workers: 2", "workers: 1")
        .replace(SMALL_COMMITS, "commit: { interval: 3s, max_touchpoints: 100000 }");
    let setup =
        |number: usize| Setup { broker, app: &app, folder: folders[number].path(), more: &more };
    let (count, address) = (sources.records.len(), broker.address());
    let mut sleeper = setup(0).start();
    sleeper.wait_for_each("partition ready", 3);
    sources.produce(broker, 0..count / 3);
    sleeper.wait_for("routed router=0");
    // The next commit comes three seconds after the one before: in between, records of its open
    // transaction are in the copy.
    let routed = format!("{app}-routed");
    let ends = |isolation| client::ends(&address, &routed, 3, isolation);
    let is_open = || ends("read_uncommitted") != ends("read_committed");
    let mut produced = count / 3;
    loop {
        assert!(produced < count / 2, "it never has a transaction open");
        sources.produce(broker, produced..produced + 1);
        produced += 1;
        if is_open() {
            sleeper.signal("-STOP");
            // It may just have committed.
            if is_open() {
                break;
            }
            sleeper.signal("-CONT");
        }
    }
    let mut other = setup(1).start();
    other.wait_for("routed router=0");
    sources.produce(broker, produced..count * 2 / 3);
    other.wait_for("routed router=0");
    sleeper.signal("-CONT");
    sleeper.wait_for_any(&["commit failed, its work is done again", "worker is built anew"]);
    assert_eq!(other.terminate().code(), Some(0), "{}", other.log());
    sources.produce(broker, count * 2 / 3..count);
    sleeper.wait_for("routed router=0");
    check_outcome(broker, &app, &sources);
}

/// Every reject once, and each says where it came from.
fn check_rejects(address: &str, topic: &str, sources: &Sources) {
    let rejects = client::read_until(address, topic, |seen| sources.reject_count <= seen.len());
    let mut places = BTreeSet::new();
    for reject in &rejects {
        let header = |name: &str| reject.headers[name].clone();
        let from = sources.topics.iter().position(|topic| *topic == header("rega-source-topic"));
        let partition: i32 = header("rega-source-partition").parse().unwrap();
        let offset: usize = header("rega-source-offset").parse().unwrap();
        let mut of_source = sources
            .records
            .iter()
            .filter(|(topic, number, _)| Some(*topic) == from && *number == partition);
        let (_, _, record) = of_source.nth(offset).unwrap();
        let item = reject.value.as_deref().unwrap();
        assert!(record.contains(item), "{item} is not in {record}");
        places.insert((from, partition, offset, header("rega-item")));
    }
    assert_eq!((rejects.len(), places.len()), (sources.reject_count, sources.reject_count));
}

/// How many partitions of sources an instance says that it cannot go on with.
fn not_routed(port: u16) -> usize {
    let (_, ready) = ask(&format!("127.0.0.1:{port}"), "GET", "/readyz", "").unwrap();
    ready.matches("is not routed").count()
}

/// The documented way to more partitions: the topic is widened, and its records are routed from then
/// on to the partitions that the state is in.
#[test]
fn a_widened_topic_goes_on_through_the_router() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("wide");
    let topic = format!("{app}-touchpoints");
    create_topic(broker, &topic, 2, &[]);
    let folder = TempDir::new().unwrap();
    let produce = |part: std::ops::Range<usize>, partitions: u32| {
        let records: Vec<(i32, String, String)> = part
            .map(|number| {
                let customer = format!("c{}", number % CUSTOMERS);
                let partition = Partitioner::Murmur2.partition(customer.as_bytes(), partitions);
                let touchpoint = touchpoint(number, number % CUSTOMERS).to_string();
                (i32::try_from(partition).unwrap(), customer, touchpoint)
            })
            .collect();
        let borrowed: Vec<(i32, &str, &str)> = records
            .iter()
            .map(|(partition, key, value)| (*partition, key.as_str(), value.as_str()))
            .collect();
        client::produce(&broker.address(), &topic, &borrowed);
    };
    produce(0..500, 2);
    let more = format!("workers: 1\n{SMALL_COMMITS}");
    let keyed = Setup { broker, app: &app, folder: folder.path(), more: &more };
    let mut rega = keyed.start();
    rega.wait_for("committed worker=0");
    let moments = format!("{app}-moments");
    client::read_until(&broker.address(), &moments, |seen| 500 <= seen.len());
    broker.tool(&["topics", "--alter", "--topic", &topic, "--partitions", "3"]);
    rega.wait_for("the state was written when the input had 2 partitions, and it has 3");
    produce(500..1000, 3);
    assert_eq!(rega.terminate().code(), Some(0), "{}", rega.log());

    let port = free_port();
    let unkeyed = format!("{more}\ninput: {{ keyed: false }}");
    let more = format!("{unkeyed}\nhttp: {{ listen: \"127.0.0.1:{port}\" }}");
    let routed = Setup { broker, app: &app, folder: folder.path(), more: &more };
    // Without the word of the operator nothing is routed, and nothing read.
    let mut rega = routed.start();
    let refused = "this topic was read by the workers themselves before: start once with";
    rega.wait_for_each(refused, 3);
    assert_eq!(not_routed(port), 3);
    // Who joins is told the same of what it gets, and who had it before tells of it no more.
    let beside = TempDir::new().unwrap();
    let beside = Setup { folder: beside.path(), more: &unkeyed, ..routed };
    let mut other = beside.start();
    other.wait_for(refused);
    assert!((1..3).contains(&not_routed(port)));
    other.terminate();
    rega.terminate();
    let _rega = routed.start_with(&["--adopt-offsets"]);
    let seen = client::read_until(&broker.address(), &moments, |seen| 1000 <= seen.len());
    let ids: BTreeSet<String> = values(&seen)
        .map(|moment| serde_json::from_str::<Value>(moment).unwrap()["event_id"].to_string())
        .collect();
    assert_eq!((seen.len(), ids.len()), (1000, 1000));
    // Nobody began anew: every customer's count goes on from what was there.
    let mut last = BTreeMap::new();
    for record in client::read(&broker.address(), &format!("{app}-engagement")) {
        let value: Value = serde_json::from_str(&record.value.unwrap()).unwrap();
        last.insert(record.key.unwrap(), value["touchpoints"].as_u64().unwrap());
    }
    assert_eq!(last.values().sum::<u64>(), 1000);
    assert_eq!(last.len(), CUSTOMERS);
}
