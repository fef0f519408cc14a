//! The rules of Grafana's dashboard linter, and a few of ours.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    dashboards::{Dashboard, all},
    only_known_metrics, read,
};

fn complain(dashboard: &Dashboard, panel: &Value, complaint: &str) -> String {
    format!("{}: {}: {complaint}", dashboard.path, panel["title"])
}

fn found_nothing(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn a_dashboard_lets_one_choose_data_source_job_and_instance() {
    for dashboard in all() {
        let variables = dashboard.json["templating"]["list"].as_array().unwrap();
        let names: Vec<_> = variables.iter().map(|variable| &variable["name"]).collect();
        assert_eq!(names, ["datasource", "job", "instance"], "{}", dashboard.path);
        assert_eq!(variables[0]["type"], "datasource");
        assert_eq!(variables[0]["query"], "prometheus");
        for variable in &variables[1..] {
            assert_eq!(variable["datasource"]["uid"], "${datasource}");
            assert_eq!(variable["multi"], true);
            assert_eq!(variable["allValue"], ".+");
            assert_eq!(variable["refresh"], 2, "looked up when the time range changes");
        }
        for key in ["uid", "title", "description"] {
            assert!(dashboard.json[key].as_str().is_some_and(|text| !text.is_empty()), "{key}");
        }
    }
    let uids: BTreeSet<_> = all().iter().map(|each| each.json["uid"].to_string()).collect();
    assert_eq!(uids.len(), all().len());
}

#[test]
fn every_panel_says_what_it_shows_and_in_what_unit() {
    let mut complaints = Vec::new();
    for dashboard in all() {
        let mut ids = BTreeSet::new();
        for panel in dashboard.panels() {
            let text = |key: &str| panel[key].as_str().is_some_and(|text| !text.is_empty());
            for key in ["title", "description"] {
                if !text(key) {
                    complaints.push(complain(&dashboard, panel, &format!("no {key}")));
                }
            }
            if panel["fieldConfig"]["defaults"]["unit"].as_str().is_none_or(str::is_empty) {
                complaints.push(complain(&dashboard, panel, "no unit"));
            }
            let source = json!({ "type": "prometheus", "uid": "${datasource}" });
            let targets = panel["targets"].as_array().unwrap().iter();
            let mut sources = targets.clone().chain([panel]).map(|each| &each["datasource"]);
            if !sources.all(|each| *each == source) {
                complaints.push(complain(&dashboard, panel, "a data source of its own"));
            }
            if targets.len() == 0 || !ids.insert(panel["id"].to_string()) {
                complaints.push(complain(&dashboard, panel, "no query, or an id twice"));
            }
        }
    }
    found_nothing(&complaints);
}

#[test]
fn no_panel_lies_upon_another() {
    for dashboard in all() {
        let mut taken = BTreeSet::new();
        for panel in dashboard.json["panels"].as_array().unwrap() {
            let of = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            assert!(of("x") + of("w") <= 24, "{}", complain(&dashboard, panel, "too wide"));
            for x in of("x")..of("x") + of("w") {
                for y in of("y")..of("y") + of("h") {
                    assert!(taken.insert((x, y)), "{}", complain(&dashboard, panel, "on another"));
                }
            }
        }
    }
}

/// Returns the names of the functions and ranges around each metric: `("rate", "rega_x_total")`.
fn used(expression: &str) -> Vec<(String, String, String)> {
    let mut uses = Vec::new();
    for (at, _) in expression.match_indices("rega_") {
        let (before, rest) = expression.split_at(at);
        let name: String =
            rest.chars().take_while(|each| each.is_ascii_alphanumeric() || *each == '_').collect();
        let within = before.strip_suffix('(').unwrap_or("");
        let start = within.rfind(|each: char| !each.is_ascii_alphanumeric() && each != '_');
        let function = within.split_at(start.map_or(0, |start| start + 1)).1;
        let selector = rest.split_once('}').map_or("", |(selector, _)| selector);
        let range = rest.split_once("}[").filter(|(inside, _)| *inside == selector);
        let range = range.and_then(|(_, rest)| rest.split(']').next()).unwrap_or("");
        uses.push((function.to_owned(), name, format!("{selector}[{range}]")));
    }
    uses
}

#[test]
fn counters_are_rated_over_the_right_interval_and_gauges_are_not() {
    let metrics = read("docs/metrics.md");
    let mut complaints = Vec::new();
    for dashboard in all() {
        for query in dashboard.queries() {
            for (function, name, selector) in used(&query.expression) {
                let base = name.strip_suffix("_bucket").unwrap_or(&name);
                let row = metrics.lines().find(|line| line.starts_with(&format!("| `{base}` |")));
                let is_counter = row.is_some_and(|row| !row.contains("| gauge |"));
                let is_rated = function == "rate" || function == "increase";
                let complaint = if is_counter != is_rated {
                    format!("{name} within \"{function}\"")
                } else if is_rated
                    && !["[$__rate_interval]", "[$__range]", "[15m]"]
                        .iter()
                        .any(|range| selector.ends_with(range))
                {
                    format!("{name} over {selector}")
                } else if !selector.contains(r#"job=~"$job", instance=~"$instance""#) {
                    format!("{name} of any job: {selector}")
                } else {
                    continue;
                };
                complaints.push(format!("{}: {}: {complaint}", dashboard.path, query.panel));
            }
        }
    }
    found_nothing(&complaints);
}

#[test]
fn a_query_for_counters_is_taken_apart_rightly() {
    let uses = used(r#"sum(rate(rega_x_total{a="b"}[5m])) / max(rega_y{c="d"})"#);
    let uses: Vec<_> = uses.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
    assert_eq!(
        uses,
        [
            ("rate", "rega_x_total", r#"rega_x_total{a="b"[5m]"#),
            ("max", "rega_y", r#"rega_y{c="d"[]"#)
        ]
    );
}

#[test]
fn the_dashboards_are_about_metrics_that_there_are() {
    for dashboard in all() {
        for query in dashboard.queries() {
            only_known_metrics(&dashboard.path, &query.expression);
        }
    }
}
