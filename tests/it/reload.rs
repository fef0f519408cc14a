//! Rules that change while `rega run` works, on the real broker.

use std::{fs, path::Path};

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::{
    broker::{self, Broker, unique},
    client,
    process::Setup,
    web::ask,
};

/// A pack whose rule labels a purchase with that micro-moment.
fn pack(rule: &str, micro_moment: &str) -> String {
    format!(
        "pack: mine\nrules:\n  - name: {rule}\n    when: {{ event: bought }}\n    label: {{ \
         micro_moment: {micro_moment} }}\n    points: {{ engage: {{ add: 5, once_per: touchpoint }} }}\n"
    )
}

fn get(address: &str, path: &str) -> String {
    ask(address, "GET", path, "").unwrap().1
}

fn write(folder: &Path, text: &str) {
    // As editors and deployments do: nobody sees half a file.
    fs::write(folder.join("new"), text).unwrap();
    fs::rename(folder.join("new"), folder.join("mine.yaml")).unwrap();
}

/// Sends one purchase, and returns the moment that comes of it.
fn buy(broker: &Broker, app: &str, number: u8) -> Json {
    let value = format!(
        r#"{{"event_id":"e{number}","customer_id":"ada","ts":"2026-01-05T10:0{number}:00Z","channel":"web","event":"bought"}}"#
    );
    client::produce(&broker.address(), &format!("{app}-touchpoints"), &[(0, "ada", &value)]);
    let count = usize::from(number) + 1;
    let moments = client::read_until(&broker.address(), &format!("{app}-moments"), |seen| {
        count <= seen.len()
    });
    assert_eq!(moments.len(), count, "each purchase is one moment, and none is said again");
    serde_json::from_str(moments[usize::from(number)].value.as_deref().unwrap()).unwrap()
}

#[test]
fn changed_rules_are_taken_up_and_broken_ones_are_not() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("reload");
    let folder = TempDir::new().unwrap();
    client::create_topic(broker, &format!("{app}-touchpoints"), 1, &[]);
    write(folder.path(), &pack("purchase", "buy"));
    let more = "rules: [./mine.yaml]\nworkers: 1\ncommit: { interval: 50ms }";
    let setup = Setup { broker, app: &app, folder: folder.path(), more };
    let mut rega = setup.start();
    let address = rega.address();
    rega.wait_for("partition ready");
    assert_eq!(buy(broker, &app, 0)["micro_moment"], "buy");

    write(folder.path(), &pack("purchase", "do"));
    rega.wait_for("rules loaded");
    rega.wait_for("rules taken up worker=0");
    assert_eq!(buy(broker, &app, 1)["micro_moment"], "do");

    write(folder.path(), &pack("purchase", "dance"));
    rega.wait_for("new rules refused");
    let ready = get(&address, "/readyz");
    assert!(ready.contains("stay in force") && ready.contains("dance"), "{ready}");
    let metrics = get(&address, "/metrics");
    assert!(metrics.contains("rega_rules_refused_problems 1"), "{metrics}");
    assert!(metrics.contains("rega_rules_reloads_total 1"), "{metrics}");
    assert_eq!(buy(broker, &app, 2)["micro_moment"], "do");

    // The rule that gave all points is gone: they count nothing, and are kept.
    write(folder.path(), &pack("another", "know"));
    rega.signal("-HUP");
    rega.wait_for("rules loaded");
    rega.wait_for("rules taken up worker=0");
    let moment = buy(broker, &app, 3);
    assert_eq!(moment["micro_moment"], "know");
    assert_eq!(moment["engagement"]["engage"].as_f64(), Some(5.0), "{moment}");
    assert!(!get(&address, "/readyz").contains("stay in force"));
    let explained = get(&address, "/v1/customers/ada/explanation");
    assert!(explained.contains(r#""not_loaded":[{"rule":null"#), "{explained}");

    write(folder.path(), &pack("purchase", "buy"));
    rega.wait_for("rules loaded");
    rega.wait_for("rules taken up worker=0");
    let moment = buy(broker, &app, 4);
    let engage = moment["engagement"]["engage"].as_f64().unwrap();
    assert!((19.99..=20.0).contains(&engage), "four purchases under this rule: {moment}");
}
