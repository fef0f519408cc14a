//! Where nothing comes: idle partitions, brokers that are away, the embedded broker.

use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use arc_swap::ArcSwap;
use rega::{
    clock::Clock,
    config::{self, Environment},
    engine::{self, Engine, decode::Dialect, spike::DetectorSettings},
    kafka::{Connection, EmbeddedBroker, Role, TopicPlan, TopicSet, ensure},
    model::EventTime,
    service::{self, Exit, InputStart, Launch, Ruling, Settings, StateSettings},
    telemetry::{Names, Telemetry},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::{
    broker::{self, Broker, unique},
    client,
    process::Setup,
    topics::plan,
    web::ask,
};

/// 2026-01-01T00:00:00Z.
const ORIGIN: i64 = 1_767_225_600_000;

/// One real second is ten minutes.
const SPEED: f64 = 600.0;

const MINUTE: i64 = 60_000;

struct Running {
    stop: oneshot::Sender<()>,
    ended: thread::JoinHandle<Exit>,
    clock: Clock,
    _folder: TempDir,
}

impl Running {
    fn stop(self) {
        self.stop.send(()).unwrap();
        assert_eq!(self.ended.join().unwrap(), Exit::Drained);
    }
}

/// Runs the default pack in this process until told to stop.
fn start(brokers: &str, plan: TopicPlan, topics: TopicSet) -> Running {
    let clock = Clock::accelerated(EventTime::from_millis(ORIGIN).unwrap(), SPEED);
    let folder = TempDir::new().unwrap();
    let rules = config::load(None, &Environment::default()).unwrap().rules;
    let settings = engine::Settings::default();
    let names = Names::new(&settings.channels, rules.rule_names(), rules.kind_names());
    let engine = Engine::new(Arc::new(rules), settings, Dialect::Native);
    let launch = Launch {
        settings: Settings {
            app: plan.app.clone(),
            instance: "one".to_owned(),
            connection: Connection::new(brokers, BTreeMap::new()).unwrap(),
            topics: plan,
            worker_count: 1,
            commit_interval: Duration::from_millis(50),
            max_records_per_commit: 1000,
            drain_timeout: Duration::from_secs(20),
            partitioner: None,
            advertise: None,
            token: None,
            state: StateSettings {
                dir: folder.path().to_owned(),
                checkpoint_interval: Duration::from_millis(200),
                memory_bytes: 1 << 26,
                keep: Duration::from_hours(1),
            },
            input_start: InputStart::Earliest,
            adopt_offsets: false,
            idle_after: Settings::IDLE_AFTER,
            detector: DetectorSettings::default(),
            notify: None,
            clock,
            viewers_max: 0,
        },
        topics,
        ruling: Arc::new(ArcSwap::from_pointee(Ruling {
            engine,
            sources: BTreeMap::new(),
            names: Arc::new(names),
        })),
        telemetry: Arc::new(Telemetry::new().unwrap()),
        http: None,
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let until = async move { drop(stopped.await) };
    let ended = thread::spawn(move || service::run(launch, until).unwrap());
    Running { stop, ended, clock, _folder: folder }
}

/// An order that is promised ten minutes after it was placed, and a later look at something.
fn order() -> String {
    json!({
        "event_id": "order", "customer_id": "anna", "ts": ORIGIN - 20 * MINUTE, "channel": "web",
        "event": "order_placed",
        "properties": {
            "order_id": "o1",
            "estimated_delivery": EventTime::from_millis(ORIGIN - 10 * MINUTE).unwrap().to_string(),
        },
    })
    .to_string()
}

fn view(number: i64, ts: EventTime) -> String {
    json!({
        "event_id": format!("v{number}"), "customer_id": "bert", "ts": ts.as_millis(),
        "channel": "web", "event": "product_viewed", "properties": { "product_id": "p1" },
    })
    .to_string()
}

fn overdue(seen: &[client::Seen]) -> Option<Value> {
    seen.iter()
        .map(|record| serde_json::from_str::<Value>(record.value.as_ref().unwrap()).unwrap())
        .find(|moment| moment["event"] == "episode_overdue")
}

#[test]
fn an_order_falls_overdue_in_a_partition_where_nothing_happens_any_more() {
    let Some(broker) = broker::shared() else { return };
    let plan = plan(&unique("idle"));
    let (address, app) = (broker.address(), plan.app.clone());
    let input = plan.name(Role::Input).to_owned();
    client::create_topic(broker, &input, 2, &[]);
    let topics = ensure(&Connection::new(&address, BTreeMap::new()).unwrap(), &plan).unwrap();
    client::produce(&address, &input, &[(0, "anna", &order())]);
    let running = start(&address, plan, topics);
    // The other partition stays alive: one view each time that its predecessor has its moment.
    let (enough, done) = mpsc::sync_channel::<()>(1);
    let (clock, feeder) = (running.clock, address.clone());
    let feeding = thread::spawn(move || {
        for number in 0.. {
            if done.recv_timeout(Duration::from_millis(100)) != Err(mpsc::RecvTimeoutError::Timeout)
            {
                return;
            }
            client::produce(&feeder, &input, &[(1, "bert", &view(number, clock.now()))]);
        }
    });
    let moments = format!("{app}-moments");
    let seen = client::read_until(&address, &moments, |seen| overdue(seen).is_some());
    enough.send(()).unwrap();
    feeding.join().unwrap();
    running.stop();
    let moment = overdue(&seen).unwrap();
    assert_eq!(moment["customer_id"], "anna");
    assert_eq!(moment["reason"], "late_delivery");
    assert_eq!(moment["ts"], EventTime::from_millis(ORIGIN - 10 * MINUTE).unwrap().to_string());
}

#[test]
fn the_same_workers_run_on_the_embedded_broker() {
    let plan = plan(&unique("embedded"));
    let embedded = EmbeddedBroker::start(&plan, 2).unwrap();
    let (brokers, input) = (embedded.brokers(), plan.name(Role::Input).to_owned());
    let moments = plan.name(Role::Moments).to_owned();
    let topics = TopicSet { partition_count: 2, reject_partition_count: 2 };
    let running = start(&brokers, plan, topics);
    let views: Vec<String> =
        (0..50).map(|number| view(number, EventTime::from_millis(ORIGIN).unwrap())).collect();
    let records: Vec<(i32, &str, &str)> =
        views.iter().map(|view| (1, "bert", view.as_str())).collect();
    client::produce(&brokers, &input, &records);
    let seen = client::read_until(&brokers, &moments, |seen| 50 <= seen.len());
    assert_eq!(seen.len(), 50);
    running.stop();
}

#[test]
fn who_has_nothing_to_read_notices_that_no_broker_answers_and_that_one_does_again() {
    let Some(broker) = Broker::start() else { return };
    let (app, folder) = (unique("quiet"), TempDir::new().unwrap());
    client::create_topic(&broker, &format!("{app}-touchpoints"), 1, &[]);
    let more = "workers: 1\nhttp: { listen: \"127.0.0.1:0\" }";
    let mut rega = Setup { broker: &broker, app: &app, folder: folder.path(), more }.start();
    rega.wait_for("partition ready");
    // Only then is there nothing under way that would have to be undone without a broker.
    rega.wait_for("committed worker");
    let address = rega.address();
    let readiness = || ask(&address, "GET", "/readyz", "").unwrap();
    broker.crash();
    rega.wait_for("no broker answers");
    let (status, said) = readiness();
    assert_eq!(status, 503, "{said}");
    assert!(said.contains("no broker answers worker 0"), "{said}");
    broker.restart();
    rega.wait_for("a broker answers again");
    assert!(!readiness().1.contains("no broker answers"));
}

#[test]
fn who_is_built_anew_while_no_broker_answers_says_so() {
    let Some(broker) = Broker::start() else { return };
    let (app, folder) = (unique("anew"), TempDir::new().unwrap());
    let input = format!("{app}-touchpoints");
    client::create_topic(&broker, &input, 1, &[]);
    let more = "workers: 1\nhttp: { listen: \"127.0.0.1:0\" }";
    let mut rega = Setup { broker: &broker, app: &app, folder: folder.path(), more }.start();
    let address = rega.address();
    rega.wait_for("committed worker");
    let views: Vec<String> =
        (0..20_000).map(|number| view(number, EventTime::from_millis(ORIGIN).unwrap())).collect();
    let records: Vec<_> = views.iter().map(|view| (0, "bert", view.as_str())).collect();
    client::produce(&broker.address(), &input, &records);
    // Now something is under way; and when a checkpoint is due, a transaction has to prove that the
    // partition is still ours.
    rega.wait_for("committed worker");
    broker.crash();
    rega.wait_for("worker is built anew");
    let (status, said) = ask(&address, "GET", "/readyz", "").unwrap();
    assert_eq!(status, 503, "{said}");
    assert!(said.contains("no broker answers worker 0"), "{said}");
    broker.restart();
    rega.wait_for("partition ready");
    rega.wait_for("committed worker");
    assert!(!ask(&address, "GET", "/readyz", "").unwrap().1.contains("no broker answers"));
}
