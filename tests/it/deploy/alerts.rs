//! The alerts: valid, tried out, explained, and about metrics that there are.

use std::collections::BTreeSet;

use super::{only_known_metrics, read, tool};
use crate::docs::page::table;

/// Every file of rules in `deploy/prometheus/`, without its ending.
fn rule_files() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names =
        names.filter_map(|name| Some(name.to_str()?.strip_suffix(".test.yaml")?.to_owned()));
    let names: Vec<_> = names.collect();
    assert!(!names.is_empty());
    names
}

/// An alert as it is written.
struct Alert {
    name: String,
    text: String,
}

fn alerts() -> Vec<Alert> {
    let mut alerts = Vec::new();
    for file in rule_files() {
        let text = read(&format!("deploy/prometheus/{file}.yaml"));
        for part in text.split("- alert: ").skip(1) {
            let (name, text) = part.split_once('\n').unwrap();
            alerts.push(Alert { name: name.to_owned(), text: text.to_owned() });
        }
    }
    alerts
}

#[test]
fn the_rules_are_valid_and_pass_the_lints() {
    for file in rule_files() {
        let path = format!("prometheus/{file}.yaml");
        let said = tool("promtool", &["check", "rules", "--lint=all", "--lint-fatal", &path]);
        let Some(said) = said else { return };
        assert!(said.contains("SUCCESS"), "{said}");
    }
    tool("promtool", &["check", "config", "prometheus/prometheus.yaml"]);
}

#[test]
fn every_alert_fires_when_it_should_and_not_else_and_is_over_again() {
    for file in rule_files() {
        let path = format!("prometheus/{file}.test.yaml");
        if tool("promtool", &["test", "rules", &path]).is_none() {
            return;
        }
    }
    let tests: String = rule_files()
        .iter()
        .map(|file| read(&format!("deploy/prometheus/{file}.test.yaml")))
        .collect();
    for Alert { name, .. } in alerts() {
        let of_alert: Vec<_> = tests
            .split("  - name: '")
            .filter(|test| test.starts_with(&format!("{name}:")))
            .collect();
        let life = of_alert.iter().any(|test| {
            let quiet = format!("alertname: {name}, exp_alerts: []");
            let (Some(fires), Some(last)) = (test.find("exp_labels"), test.rfind(&quiet)) else {
                return false;
            };
            test.find(&quiet).is_some_and(|first| first < fires) && fires < last
        });
        assert!(life, "no test shows {name} at rest, firing, and over");
    }
}

#[test]
fn every_alert_says_what_it_is_and_what_to_do() {
    let page = read("docs/alerts.md");
    let listed = table(&page, "## Alerts");
    let listed: BTreeSet<_> =
        listed.iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    let named: BTreeSet<_> = alerts().into_iter().map(|alert| alert.name).collect();
    assert_eq!(listed, named, "docs/alerts.md lists other alerts than there are");
    for Alert { name, text } in alerts() {
        let camel = name.starts_with("Rega") && name.chars().all(|each| each.is_ascii_alphabetic());
        assert!(camel, "{name}");
        for part in ["summary: ", "description: ", "severity: "] {
            assert!(text.contains(part), "{name} lacks {part}");
        }
        let runbook = format!("runbook_url: docs/runbook.md#{}", name.to_ascii_lowercase());
        assert!(text.lines().any(|line| line.trim() == runbook), "{name} lacks {runbook}");
    }
}

#[test]
fn the_rules_are_about_metrics_that_there_are() {
    for file in rule_files() {
        for path in [format!("{file}.yaml"), format!("{file}.test.yaml")] {
            let path = format!("deploy/prometheus/{path}");
            only_known_metrics(&path, &read(&path));
        }
    }
}
