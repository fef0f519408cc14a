//! What `deploy/` holds is sound, and fits what the program shows.

mod alerts;
mod dashboards;
mod files;
mod lint;
mod local;
mod queries;

use std::{collections::BTreeSet, process::Command};

use crate::broker::skip;

/// Runs one of Prometheus' or Alertmanager's tools and returns what it says. `None`, said aloud,
/// where there is none.
#[track_caller]
fn tool(part: &str, arguments: &[&str]) -> Option<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy");
    match Command::new(part).args(arguments).current_dir(folder).output() {
        Err(error) => {
            skip(part, &error.to_string());
            None
        }
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            assert!(output.status.success(), "{part} {arguments:?}:\n{said}");
            Some(said)
        }
    }
}

/// Reads a file of the repository.
fn read(path: &str) -> String {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the words that are metrics of ours: not the recorded `rega:…`.
fn metrics(text: &str) -> BTreeSet<String> {
    let words =
        text.split(|each: char| !each.is_ascii_alphanumeric() && each != '_' && each != ':');
    let words = words.filter(|word| word.starts_with("rega_"));
    let plain = words.map(|word| word.strip_suffix("_bucket").unwrap_or(word));
    plain.map(str::to_owned).collect()
}

/// Panics where `text` names a metric that `docs/metrics.md` does not have.
#[track_caller]
fn only_known_metrics(path: &str, text: &str) {
    let known = metrics(&read("docs/metrics.md"));
    let unknown: Vec<_> = metrics(text).difference(&known).cloned().collect();
    assert!(unknown.is_empty(), "{path} names {unknown:?}, which docs/metrics.md does not have");
}
