//! Bounds, docs and linter: what holds whatever happened.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    process::{Command, Stdio},
};

use regex::Regex;

use super::{
    commit,
    flood::{flood, flooded},
    names,
};
use crate::telemetry::{Declared, METRICS, SERIES_MAX, Telemetry};

/// What an exposition shows of one metric.
#[derive(Debug, Default, PartialEq, Eq)]
struct Exposed {
    kind: String,
    labels: BTreeSet<String>,
    series_count: usize,
}

fn exposed(text: &str) -> BTreeMap<String, Exposed> {
    let label = Regex::new(r#"([a-z_]+)="(?:[^"\\]|\\.)*""#).unwrap();
    let mut metrics: BTreeMap<String, Exposed> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').unwrap();
            current = name.to_owned();
            metrics.entry(current.clone()).or_default().kind = kind.to_owned();
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&current), "{line:?} stands under {current}");
            let metric = metrics.get_mut(&current).unwrap();
            let labels = label.captures_iter(line).map(|found| found[1].to_owned());
            metric.labels.extend(labels.filter(|label| label != "le"));
            metric.series_count += 1;
        }
    }
    metrics
}

#[test]
fn a_flood_of_names_stays_within_every_bound() {
    let metrics = exposed(&flooded().render());
    let sum: usize = metrics.values().map(|metric| metric.series_count).sum();
    assert!(sum <= SERIES_MAX, "{sum} series");
    for declared in METRICS {
        let series_count = metrics[declared.name].series_count;
        let max = declared.series_max;
        assert!(series_count <= max, "{}: {series_count} series, {max} declared", declared.name);
    }
    // The bounds were reached, or this test would not have tried them.
    for full in ["rega_pain_total", "rega_rule_hits_total", "rega_unlabelled_events_total"] {
        let declared = METRICS.iter().find(|metric| metric.name == full).unwrap();
        assert_eq!(metrics[full].series_count, declared.series_max, "{full}");
    }
}

#[test]
fn beyond_a_bound_nothing_is_lost_but_the_name() {
    let telemetry = flooded();
    let once = {
        let telemetry = Telemetry::new().unwrap();
        let mut tally = telemetry.tally(names());
        flood(&mut tally, 0);
        commit(&telemetry, &mut tally);
        telemetry
    };
    for name in [
        "rega_touchpoints_total",
        "rega_pain_total",
        "rega_rule_hits_total",
        "rega_unlabelled_events_total",
        "rega_rejects_total",
        "rega_episodes_ended_total",
    ] {
        assert!(once.sum(name) >= 1500.0, "{name}");
        assert_eq!(telemetry.sum(name), 4.0 * once.sum(name), "{name}");
    }
}

/// Returns a metric's row in the docs.
fn row(declared: &Declared) -> String {
    let labels: Vec<String> = declared.labels.iter().map(|label| format!("`{label}`")).collect();
    let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(" ") };
    format!(
        "| `{}` | {} | {labels} | {} | {} |",
        declared.name,
        declared.kind.as_str(),
        declared.series_max,
        declared.help
    )
}

#[test]
fn the_docs_list_what_the_registry_has_and_nothing_else() {
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md"));
    let docs = docs.unwrap();
    let rows: BTreeSet<&str> = docs.lines().filter(|line| line.starts_with("| `rega_")).collect();
    let expected: Vec<String> = METRICS.iter().map(row).collect();
    for row in &expected {
        assert!(rows.contains(row.as_str()), "docs/metrics.md lacks this row:\n{row}");
    }
    assert_eq!(rows.len(), expected.len(), "docs/metrics.md lists a metric that does not exist");

    // What is declared is also what is really there, label by label.
    let declared: BTreeMap<String, (String, BTreeSet<String>)> = METRICS
        .iter()
        .map(|metric| {
            let labels = metric.labels.iter().map(|&label| label.to_owned()).collect();
            (metric.name.to_owned(), (metric.kind.as_str().to_owned(), labels))
        })
        .collect();
    let real: BTreeMap<String, (String, BTreeSet<String>)> = exposed(&flooded().render())
        .into_iter()
        .map(|(name, metric)| (name, (metric.kind, metric.labels)))
        .collect();
    assert_eq!(real, declared);
}

/// Whether the machine that runs the tests promises to have `part`.
#[expect(clippy::disallowed_methods, reason = "a test asks its machine, not the product")]
fn is_required(part: &str) -> bool {
    std::env::var("REGA_REQUIRE")
        .is_ok_and(|parts| parts.split(',').any(|name| name.trim() == part))
}

/// Has Prometheus' own linter read `text`; `None` when the linter is not there.
fn promtool(text: &str) -> Option<(bool, String)> {
    let child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.ok()?;
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn promtool_finds_nothing_to_complain_about() {
    for telemetry in [Telemetry::new().unwrap(), flooded()] {
        let Some((success, said)) = promtool(&telemetry.render()) else {
            assert!(!is_required("prometheus"), "promtool is required and not installed");
            // Past the test harness, which would keep it from whoever reads the log.
            let skip = b"SKIPPED: promtool is not installed (Debian package `prometheus`)\n";
            std::io::stderr().write_all(skip).unwrap();
            return;
        };
        assert!(success && said.is_empty(), "{said}");
    }
}
