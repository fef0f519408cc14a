//! Spikes from end to end: Kafka, Rega, Alertmanager, and a receiver behind it.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    broker::{self, Broker, unique},
    client,
    process::{Setup, free_port},
};

/// Longer than anything that is waited for takes.
const LIMIT: Duration = Duration::from_mins(2);

/// What the simulated shop is told to do: the app fails from the 40th hour on, for two hours.
const GENERATE: [&str; 10] = [
    "generate",
    "--events",
    "22000",
    "--customers",
    "1500",
    "--activity",
    "7",
    "--seed",
    "5",
    "--spike",
];
const SPIKE: &str = "app/app_crashed@40h×40~2h";

/// A request that somebody sent us.
struct Received {
    path: String,
    headers: BTreeMap<String, String>,
    body: Value,
}

/// Takes whatever is posted to it. Ends with the process.
fn receiver() -> (u16, Receiver<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, received) = sync_channel(10_000);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            thread::spawn(move || converse(stream, &sender));
        }
    });
    (port, received)
}

/// Answers requests of one connection until it ends.
fn converse(stream: TcpStream, sender: &SyncSender<Received>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let path = line.split(' ').nth(1)?.to_owned();
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim().split_once(": ") else { break };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length")?.parse().ok()?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let body = serde_json::from_slice(&body).ok()?;
        // Before the answer: what is told next may come over another connection.
        sender.send(Received { path, headers, body }).ok()?;
        reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
    }
}

/// Alertmanager, killed when dropped.
struct Alertmanager {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Alertmanager {
    /// Starts one that passes everything on to a receiver, merged to one.
    fn start(receiver: u16) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("alertmanager.yml");
        let text = format!(
            "route: {{ receiver: people, group_by: [alertname], group_wait: 1s, group_interval: 1s, \
             repeat_interval: 1h }}\nreceivers:\n  - name: people\n    webhook_configs:\n      - \
             {{ url: 'http://127.0.0.1:{receiver}/alerts', send_resolved: true }}\n"
        );
        std::fs::write(&config, text).unwrap();
        let port = free_port();
        // Debian calls it by another name than everybody else.
        let debian = Path::new("/usr/bin/prometheus-alertmanager").exists();
        let program = if debian { "prometheus-alertmanager" } else { "alertmanager" };
        let started = Command::new(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .stderr(Stdio::null())
            .spawn();
        match started {
            Ok(child) => Some(Self { child, port, _folder: folder }),
            Err(error) => {
                broker::skip("alertmanager", &error.to_string());
                None
            }
        }
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Returns partition, customer and line of every simulated touchpoint, before and after an instant.
fn simulated(until: &str) -> [Vec<(i32, String, String)>; 2] {
    let output =
        Command::new(env!("CARGO_BIN_EXE_rega")).args(GENERATE).arg(SPIKE).output().unwrap();
    let mut parts = [Vec::new(), Vec::new()];
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let touchpoint: Value = serde_json::from_str(line).unwrap();
        let customer =
            ["customer_id", "anonymous_id"].into_iter().find_map(|id| touchpoint[id].as_str());
        let customer = customer.unwrap().to_owned();
        let partition = i32::from(customer.bytes().fold(0_u8, u8::wrapping_add) % 2);
        let late = usize::from(until < touchpoint["ts"].as_str().unwrap());
        parts[late].push((partition, customer, line.to_owned()));
    }
    parts
}

fn produce(broker: &Broker, app: &str, records: &[(i32, String, String)]) {
    let records: Vec<(i32, &str, &str)> =
        records.iter().map(|(partition, key, value)| (*partition, &**key, &**value)).collect();
    client::produce(&broker.address(), &format!("{app}-touchpoints"), &records);
}

/// Waits for an alert of that status, and returns its notification.
fn notified(received: &Receiver<Received>, status: &str, events: &mut Vec<Received>) -> Value {
    loop {
        let request = received
            .recv_timeout(LIMIT)
            .unwrap_or_else(|_| panic!("nobody said \"{status}\" in time"));
        if request.path == "/events" {
            events.push(request);
        } else if request.body["status"] == status {
            return request.body;
        }
    }
}

fn settings(alertmanager: u16, receiver: u16) -> String {
    format!(
        "workers: 1\nhttp: {{ listen: '127.0.0.1:0' }}\n\
         notify:\n  max_age: 3650d\n  alertmanager: {{ url: 'http://127.0.0.1:{alertmanager}' }}\n  \
         webhook: {{ url: 'http://127.0.0.1:{receiver}/events', token: secret }}\n"
    )
}

/// Every record of the topic of spikes, by spike.
fn spikes(broker: &Broker, app: &str) -> BTreeMap<String, Vec<Value>> {
    let mut spikes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for record in client::read(&broker.address(), &format!("{app}-pain-spikes")) {
        let value: Value = serde_json::from_str(&record.value.unwrap()).unwrap();
        let id = value["spike_id"].as_str().unwrap().to_owned();
        assert_eq!(record.key.as_deref(), Some(&*id));
        spikes.entry(id).or_default().push(value);
    }
    spikes
}

/// Each spike was told from its opening to its end, nothing twice and nothing left out.
fn check_spikes(spikes: &BTreeMap<String, Vec<Value>>) {
    for told in spikes.values() {
        let sequences: Vec<u64> =
            told.iter().map(|one| one["sequence"].as_u64().unwrap()).collect();
        let expected: Vec<u64> = (0..u64::try_from(told.len()).unwrap()).collect();
        assert_eq!(sequences, expected, "{told:#?}");
        assert_eq!(told[0]["state"], "open");
    }
}

/// Each record came as a `CloudEvent`, in the order of its spike; perhaps twice.
fn check_events(events: &[Received], spikes: &BTreeMap<String, Vec<Value>>) {
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for event in events {
        assert_eq!(event.headers["content-type"], "application/cloudevents+json");
        assert_eq!(event.headers["authorization"], "Bearer secret");
        let body = &event.body;
        assert_eq!(event.headers["idempotency-key"], body["id"].as_str().unwrap());
        assert_eq!(body["specversion"], "1.0");
        let id = body["data"]["spike_id"].as_str().unwrap().to_owned();
        let sequence = body["data"]["sequence"].as_u64().unwrap();
        let told = &spikes[&id];
        assert_eq!(body["data"], told[usize::try_from(sequence).unwrap()]);
        let next = seen.entry(id).or_default();
        assert!(sequence <= *next, "{sequence} came before {next}");
        *next = (*next).max(sequence + 1);
    }
    for (id, told) in spikes {
        let count = seen.get(id).copied().unwrap_or(0);
        assert_eq!(count, u64::try_from(told.len()).unwrap(), "events of {id}");
    }
}

fn opened_in_app(alert: &Value) {
    let alerts = alert["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 1, "merged to one: {alert:#}");
    let labels = &alerts[0]["labels"];
    assert_eq!(labels["alertname"], "RegaPainSpike");
    assert_eq!((&labels["channel"], &labels["event"]), (&"app".into(), &"app_crashed".into()));
    assert!(alerts[0]["annotations"]["onset"].as_str().unwrap().starts_with("2026-01-06T1"));
}

fn instance(broker: &Broker, app: &str, folder: &Path, more: &str) -> crate::process::Rega {
    Setup { broker, app, folder, more }.start()
}

#[test]
fn a_spike_is_told_once_and_said_to_be_over_also_when_its_finder_is_killed() {
    let Some(broker) = broker::shared() else { return };
    let (port, received) = receiver();
    let Some(alertmanager) = Alertmanager::start(port) else { return };
    let app = unique("alarms");
    client::create_topic(broker, &format!("{app}-touchpoints"), 2, &[]);
    let more = settings(alertmanager.port, port);
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let [before, after] = simulated("2026-01-06T17:20:00.000Z");
    let mut finder = instance(broker, &app, folders[0].path(), &more);
    finder.wait_for("this instance looks for spikes");
    let _other = instance(broker, &app, folders[1].path(), &more);
    produce(broker, &app, &before);
    let mut events = Vec::new();
    opened_in_app(&notified(&received, "firing", &mut events));
    finder.kill();
    produce(broker, &app, &after);
    opened_in_app(&notified(&received, "resolved", &mut events));
    let spikes = spikes(broker, &app);
    check_spikes(&spikes);
    let of_pain = spikes.values().filter(|told| told[0]["numerator"] == "pain");
    let of_pain: Vec<&Vec<Value>> = of_pain.collect();
    assert_eq!(of_pain.len(), 1, "{of_pain:#?}");
    assert_eq!(of_pain[0].last().unwrap()["state"], "closed");
    let told: usize = spikes.values().map(Vec::len).sum();
    let ids = |events: &[Received]| {
        let ids = events.iter().map(|event| event.body["id"].as_str().unwrap().to_owned());
        ids.collect::<std::collections::BTreeSet<_>>().len()
    };
    while ids(&events) < told {
        let request = received.recv_timeout(LIMIT).expect("every record is posted");
        if request.path == "/events" {
            events.push(request);
        }
    }
    check_events(&events, &spikes);
}

/// Whose pain nobody makes good, and who is called back if they have bought before.
const CALL_BACK: &str = "pack: mine
actors: { events: { payment_failed: system } }
rules:
  - name: purchase
    when: { event: bought }
    label: { micro_moment: buy, stage: purchase }
  - name: payment failed
    when: { event: payment_failed }
    label: { valence: pain, reason: payment_failed, severity: 2 }
    recover_within: 24h
  - name: payment approved
    when: { event: payment_approved }
    closes: { episode: pain }
  - name: nobody made it good
    when: { event: unrecovered_pain }
    label: { valence: pain, reason: unrecovered_pain }
  - name: call back who has bought
    when:
      event: unrecovered_pain
      customer: { seen: { event: bought, at_least: 1, within: 30d } }
    alert: true
";

/// Returns a touchpoint, as it is produced.
fn touch(customer: &str, event: &str, ts: &str) -> (i32, String, String) {
    let value = format!(
        r#"{{"event_id":"{customer}-{event}","customer_id":"{customer}","ts":"{ts}","channel":"web","event":"{event}"}}"#
    );
    (0, customer.to_owned(), value)
}

#[test]
fn a_customer_alert_is_sent_within_the_hourly_limit_and_withdrawn() {
    let Some(broker) = broker::shared() else { return };
    let (port, received) = receiver();
    let app = unique("callback");
    client::create_topic(broker, &format!("{app}-touchpoints"), 1, &[]);
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("mine.yaml"), CALL_BACK).unwrap();
    let more = format!(
        "rules: [./mine.yaml]\nworkers: 1\nnotify:\n  \
         max_age: 3650d\n  customers_per_hour: 2\n  webhook: {{ url: \
         'http://127.0.0.1:{port}/events' }}\n"
    );
    let mut rega = instance(broker, &app, folder.path(), &more);
    rega.wait_for("partition ready");
    let mut touches = Vec::new();
    for customer in ["ann", "ben", "cid", "dan"] {
        if customer != "dan" {
            touches.push(touch(customer, "bought", "2026-01-05T09:00:00Z"));
        }
        touches.push(touch(customer, "payment_failed", "2026-01-05T10:00:00Z"));
    }
    touches.push(touch("eve", "bought", "2026-01-06T11:00:00Z"));
    produce(broker, &app, &touches);
    let next = || received.recv_timeout(LIMIT).expect("the webhook is told in time");
    for customer in ["ann", "ben"] {
        let Received { headers, body, .. } = next();
        assert_eq!(body["type"], "rega.customer_alert.open", "{body:#}");
        assert_eq!(
            (&body["subject"], &body["data"]["customer_id"]),
            (&customer.into(), &customer.into())
        );
        assert_eq!(body["data"]["reason"], "unrecovered_pain");
        assert_eq!(headers["idempotency-key"], body["id"].as_str().unwrap());
    }
    // It was fixed in time, as is heard too late: also for one of whom nobody was told.
    let fixed = ["cid", "ben"].map(|who| touch(who, "payment_approved", "2026-01-05T12:00:00Z"));
    produce(broker, &app, &fixed);
    let Received { body, .. } = next();
    assert_eq!(body["type"], "rega.customer_alert.closed", "{body:#}");
    assert_eq!((&body["subject"], &body["data"]["retracted"]), (&"ben".into(), &true.into()));
    let metrics = crate::web::ask(&rega.address(), "GET", "/metrics", "").unwrap().1;
    let count = |result: &str, count: u32| {
        let line =
            format!("rega_notifications_total{{receiver=\"webhook\",result=\"{result}\"}} {count}");
        assert!(metrics.contains(&line), "{line}");
    };
    count("over_limit", 1);
}
