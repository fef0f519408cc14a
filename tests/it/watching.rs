//! The live picture of several instances on the real broker.

use tempfile::TempDir;

use crate::{
    broker::{self, Broker, unique},
    browser::Browser,
    client,
    process::{Rega, Setup},
    stream::Stream,
    web,
};

/// An instance with a console at a known address.
struct Watched {
    address: String,
    rega: Rega,
    _folder: TempDir,
}

impl Watched {
    fn start(broker: &Broker, app: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let more = "workers: 1\nhttp: { listen: \"127.0.0.1:0\", viewers_max: 2 }";
        let mut rega = Setup { broker, app, folder: folder.path(), more }.start();
        Self { address: rega.address(), rega, _folder: folder }
    }
}

#[test]
fn every_instance_shows_the_whole_and_not_its_share() {
    let Some(broker) = broker::shared() else { return };
    let stream = Stream::new(&unique("whole"), 4, 400);
    stream.create_input(broker);
    let mut first = Watched::start(broker, stream.app());
    first.rega.wait_for_each("partition ready", 4);
    let mut second = Watched::start(broker, stream.app());
    second.rega.wait_for_each("partition ready", 2);
    stream.produce(broker, 0..400);
    stream.check(broker);
    for instance in [&first, &second] {
        let summary = web::watch_until(&instance.address, |summary| summary["moments"] == 400);
        assert_eq!(summary["here"]["partitions_of_all"], 4);
        assert_eq!(summary["here"]["partitions"], 2, "each has its share of the work");
        let entered: i64 = summary["transitions"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|step| step["kind"] == "enter")
            .map(|step| step["count"].as_i64().unwrap())
            .sum();
        assert_eq!(entered, 97, "each customer came in once");
        assert!(!summary["recent"].as_array().unwrap().is_empty());
    }
    assert_eq!(second.rega.terminate().code(), Some(0), "{}", second.rega.log());
}

#[test]
fn a_spike_appears_in_the_console_and_is_over_again() {
    let Some(broker) = broker::shared() else { return };
    let Some(browser) = Browser::start() else { return };
    let stream = Stream::new(&unique("seen"), 2, 10);
    stream.create_input(broker);
    let spikes = stream.topic("pain-spikes");
    client::create_topic(broker, &spikes, 1, &[]);
    let mut instance = Watched::start(broker, stream.app());
    instance.rega.wait_for_each("partition ready", 2);
    browser.open(&format!("http://{}/?language=en", instance.address));
    browser.wait_for("/Nothing out of the ordinary/.test(document.body.innerText)");
    let tell = |sequence: u8, state: &str| {
        let record = serde_json::json!({
            "spike_id": "s1", "sequence": sequence, "state": state, "numerator": "pain",
            "key": { "channel": "delivery" }, "severity": "warning",
            "onset": "2026-01-01T10:00:00Z", "opened_at": "2026-01-01T10:08:00Z",
            "closed_at": if state == "closed" { Some("2026-01-01T11:00:00Z") } else { None },
            "as_of": "2026-01-01T10:08:00Z", "observed": 17, "expected": 4.2, "ratio": 4.0,
            "ratio_lower": 2.3, "customers": 16, "touchpoints": 120,
            "reasons": { "late_delivery": 12, "damaged": 5 }, "stages": { "purchase": 17 },
            "examples": [],
        });
        client::produce(&broker.address(), &spikes, &[(0, "s1", &record.to_string())]);
    };
    tell(0, "open");
    browser.wait_for("document.querySelector('.spike:not(.closed)')");
    let said = browser.run("return document.querySelector('.spike').innerText");
    for word in ["delivery", "\u{d7} 4.0", "17, usually 4.2", "late delivery", "16"] {
        assert!(said.as_str().unwrap().contains(word), "no {word} in {said}");
    }
    tell(1, "closed");
    browser.wait_for("document.querySelector('.spike.closed')");
    browser.wait_for("/Nothing out of the ordinary/.test(document.body.innerText)");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
