//! One story, told in every dialect, has the same moments.

use std::{collections::BTreeMap, process::Command, sync::Arc};

use rega::{
    config::{dialect, load_packs},
    engine::{Effect, Effects, Engine, Partition, PartitionRow, Record, Settings, decode::Dialect},
    model::EventTime,
    simulation::{Simulated, Simulation, SimulationSpec, Translator},
    store::MemoryStore,
};
use tempfile::TempDir;

use crate::{
    broker::{self, unique},
    client,
    kcat::kcat,
    process::Setup,
};

/// Customer, time, event → what was said of it, whatever its id.
type Moments = BTreeMap<(String, String, String), Vec<String>>;

/// Three weeks of a small town: enough for every kind of rule to have its say.
fn story() -> Vec<Simulated> {
    let start = EventTime::from_millis(1_767_571_200_000).unwrap();
    let spec = SimulationSpec {
        customers: 150,
        seed: 11,
        start,
        touchpoints_per_day: 150.0,
        spikes: Vec::new(),
    };
    Simulation::new(spec).take(3000).collect()
}

fn moments(dialect: Dialect, records: &[(Vec<u8>, EventTime)]) -> Moments {
    let rules = Arc::new(load_packs(["commerce"]).unwrap().rules);
    let engine = Engine::new(rules, Settings::default(), dialect);
    let mut partition = Partition::new(PartitionRow::default());
    let (store, mut effects) = (MemoryStore::default(), Effects::default());
    for (offset, (line, timestamp)) in (0..).zip(records) {
        let record = Record {
            value: Some(line),
            key: None,
            headers: &[],
            topic: "story",
            partition: 0,
            offset,
            timestamp: Some(*timestamp),
        };
        partition.process(&engine, &record, EventTime::MAX, &store, &mut effects);
    }
    let mut latest = BTreeMap::new();
    for effect in effects.iter() {
        match effect {
            Effect::Moment(moment) => {
                let moment: serde_json::Value =
                    serde_json::from_slice(effects.bytes(moment.value)).unwrap();
                latest.insert(moment["event_id"].to_string(), moment);
            }
            Effect::Reject(reject) => panic!("{}: {}", reject.reason, effects.text(reject.detail)),
            Effect::Fact(_) | Effect::Pulse(_) => {}
        }
    }
    let mut moments = Moments::new();
    for moment in latest.into_values().filter(|moment| moment["retracted"].is_null()) {
        let key = ["customer_id", "ts", "event"].map(|field| moment[field].to_string());
        let [customer, ts, event] = key;
        let said = [
            "channel",
            "actor",
            "micro_moment",
            "moment_of_truth",
            "stage",
            "valence",
            "reason",
            "severity",
            "evidence",
            "labelled_by",
            "rules",
            "points",
            "engagement",
        ]
        .map(|field| moment[field].to_string());
        moments.entry((customer, ts, event)).or_default().push(said.join(" "));
    }
    for said in moments.values_mut() {
        said.sort();
    }
    moments
}

#[test]
fn a_story_has_the_same_moments_in_every_dialect() {
    let story = story();
    let native: Vec<_> = story.iter().map(|one| (one.line.clone(), one.emitted_at)).collect();
    let expected = moments(Dialect::Native, &native);
    assert!(2500 < expected.len());
    let mut everything = native;
    for name in ["segment", "cloudevents", "snowplow", "posthog", "ga4"] {
        let found = dialect(name).unwrap();
        let Dialect::BuiltIn { spec, .. } = &found else { panic!("{name} is built in") };
        let translator = Translator::new(spec);
        let told: Vec<_> =
            story.iter().map(|one| (translator.translate(one), one.emitted_at)).collect();
        assert_eq!(first_difference(&expected, &moments(found, &told)), None, "{name}");
        // Each tells its own part, and every record says itself what it is.
        let own = name.len() % 6;
        for ((one, told), native) in everything.iter_mut().zip(told).zip(&story) {
            // By its bytes, so that a repetition is told in the same dialect.
            let part = native.line.iter().copied().map(usize::from).sum::<usize>() % 6;
            if part == own {
                *one = told;
            }
        }
    }
    let mixed = moments(dialect("auto").unwrap(), &everything);
    assert_eq!(mixed.len(), expected.len());
}

fn first_difference(expected: &Moments, found: &Moments) -> Option<String> {
    let all = expected.keys().chain(found.keys());
    let key = all.into_iter().find(|key| expected.get(*key) != found.get(*key))?;
    Some(format!("{key:?}\n{:#?}\n{:#?}", expected.get(key), found.get(key)))
}

/// In binary mode the event is in the record's headers: they reach the decoder, and `inspect`.
#[test]
fn an_event_in_binary_mode_is_read_from_its_headers() {
    let Some(broker) = broker::shared() else { return };
    let (app, folder) = (unique("binary"), TempDir::new().unwrap());
    let more = "workers: 1\ninput: { dialect: cloudevents }";
    let setup = Setup { broker, app: &app, folder: folder.path(), more };
    let mut rega = setup.start();
    rega.wait_for_each("partition ready", 4);
    let address = broker.address();
    let topic = |role: &str| format!("{app}-{role}");
    let headers = [
        "ce_specversion=1.0",
        "ce_id=1",
        "ce_source=/shop",
        "ce_type=com.example.order.placed",
        "ce_subject=ada",
        "ce_time=2026-01-05T10:00:00Z",
        "content-type=application/json",
    ];
    let input = topic("touchpoints");
    let mut arguments = vec!["-P", "-b", &address, "-t", &input, "-k", "ada"];
    arguments.extend(headers.iter().flat_map(|header| ["-H", header]));
    if kcat(&arguments, "{\"order_id\":\"o1\"}\n").is_none() {
        return;
    }
    let seen = client::read_until(&address, &topic("moments"), |seen| !seen.is_empty());
    let moment: serde_json::Value =
        serde_json::from_str(seen[0].value.as_deref().unwrap()).unwrap();
    assert_eq!(moment["event_id"], "/shop|1");
    assert_eq!(moment["customer_id"], "ada");
    assert_eq!(moment["event"], "order_placed");
    let inspected = Command::new(env!("CARGO_BIN_EXE_rega"))
        .args(["inspect", "--topic", &input])
        .env("REGA_KAFKA__BROKERS", &address)
        .output()
        .unwrap();
    let said = String::from_utf8(inspected.stdout).unwrap();
    assert!(said.contains("dialect   cloudevents 1\nread as   cloudevents\n"), "{said}");
    assert!(said.contains("found     1 touchpoint of 1 customer;"), "{said}");
}
