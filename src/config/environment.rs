//! The environment overrides the file: `REGA_TIME__TOLERANCE` is `time.tolerance`.
//!
//! A variable is laid over the tree that the file became, before anything is read from it, so that
//! it is checked by the same code; a problem with it names the variable. This is the one place
//! where the process's environment is read.

use std::{collections::BTreeMap, fmt};

use super::{
    load::Loader,
    near::nearest,
    settings::KEYS,
    source::{Source, SourceKind, Sources},
    yaml::{Entry, Node, Scalar, Value},
};
use crate::engine::rules::spec::{At, Located};

/// What every variable of ours begins with.
const PREFIX: &str = "REGA_";

/// Variables of our tests, benches and scripts, which no command reads.
const NO_SETTINGS: [&str; 8] = [
    "REQUIRE",
    "WRITE_DOCS",
    "CHAOS_BINARY",
    "CHAOS_MINUTES",
    "CHAOS_SEED",
    "KAFKA_JARS",
    "LAW_SEEDS",
    "COMMIT",
];

/// The variables that may concern us.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Reads the process's environment.
    pub fn of_process() -> Self {
        // A variable that is not UTF-8 is shown with replacement characters, and then refused by
        // whoever reads it.
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))).collect()
    }

    /// Returns whether somebody asked for no colours (<https://no-color.org>).
    pub fn refuses_colour() -> bool {
        std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
    }

    /// Lays the variables over the tree of a config file.
    pub(super) fn overlay(&self, root: &mut Node, loader: &mut Loader) {
        for (name, value) in &self.0 {
            let Some(written) = name.strip_prefix(PREFIX) else { continue };
            if !written.contains("__") && !KEYS.contains(&written.to_lowercase().as_str()) {
                Self::no_setting(name, value, loader);
                continue;
            }
            let at = note(name, value, &mut loader.sources);
            let scalar = Scalar { text: value.clone(), plain: true };
            put(root, &path(written), Node { at, value: Value::Scalar(scalar) });
        }
    }

    /// Reports a variable that is no setting: one that was meant to be, as a problem. Another may be
    /// somebody else's, so it stops nothing and is told by `rega check` alone.
    fn no_setting(name: &str, value: &str, loader: &mut Loader) {
        let written = name.strip_prefix(PREFIX).unwrap_or(name);
        if NO_SETTINGS.contains(&written) || is_kubernetes(written, value) {
            return;
        }
        let at = note(name, "", &mut loader.sources);
        let message = "not the name of a setting";
        let section = format!("{}.", written.to_lowercase());
        let below: Vec<_> =
            KEYS.into_iter().filter(|key| key.starts_with(&section)).map(variable).collect();
        if !below.is_empty() {
            let help = format!("those of \"{}\" are {}", written.to_lowercase(), below.join(", "));
            loader.problems.add_with_help(at, message, help);
        } else if let Some(key) = nearest(written, KEYS) {
            let help = format!("did you mean \"{}\" ({key})?", variable(key));
            loader.problems.add_with_help(at, message, help);
        } else {
            let help = "nothing reads it; a setting kafka.brokers is REGA_KAFKA__BROKERS";
            loader.warnings.add_with_help(at, message, help);
        }
    }
}

/// Returns the variable of a setting.
fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// Returns whether Kubernetes sets that in every pod beside a service whose name begins with ours:
/// `REGA_SERVICE_HOST`, `REGA_PORT=tcp://…`, `REGA_PORT_8080_TCP_ADDR`, `REGA_KAFKA_PORT=tcp://…`.
fn is_kubernetes(written: &str, value: &str) -> bool {
    let parts: Vec<&str> = written.split('_').collect();
    let service = parts.windows(2).any(|two| matches!(two, ["SERVICE", "HOST" | "PORT"]));
    let port = parts.windows(3).any(|three| {
        matches!(three, ["PORT", number, "TCP" | "UDP" | "SCTP"]
            if number.chars().all(|digit| digit.is_ascii_digit()))
    });
    service || port || parts.last() == Some(&"PORT") && value.contains("://")
}

impl FromIterator<(String, String)> for Environment {
    /// Keeps the variables that begin with `REGA_` and are not empty: an empty one is as good as
    /// none.
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        let ours = variables
            .into_iter()
            .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty());
        Self(ours.collect())
    }
}

impl fmt::Debug for Environment {
    /// Names the variables without their values, which may be secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

fn note(name: &str, value: &str, sources: &mut Sources) -> At {
    let (name, text) = (name.to_owned(), value.to_owned());
    let source = sources.add(Source { name, text, kind: SourceKind::Variable });
    sources.note_whole(source)
}

/// Returns the keys that a variable's name stands for. Names of librdkafka settings have dots.
fn path(written: &str) -> Vec<String> {
    let lower = written.to_lowercase();
    if let Some(property) = lower.strip_prefix("kafka__properties__") {
        return vec!["kafka".into(), "properties".into(), property.replace('_', ".")];
    }
    lower.split("__").map(str::to_owned).collect()
}

/// Puts a value at a path, and makes the mappings on the way.
fn put(root: &mut Node, path: &[String], node: Node) {
    let Some((first, rest)) = path.split_first() else {
        *root = node;
        return;
    };
    if root.value == Value::Nothing {
        root.value = Value::Mapping(Vec::new());
    }
    // Where the file has something else than a mapping, the reader will say so.
    let Value::Mapping(entries) = &mut root.value else { return };
    let index = entries.iter().position(|entry| entry.key.value == *first);
    let index = index.unwrap_or_else(|| {
        let key = Located { value: first.clone(), at: node.at };
        entries.push(Entry { key, value: Node { at: node.at, value: Value::Nothing } });
        entries.len() - 1
    });
    if let Some(entry) = entries.get_mut(index) {
        put(&mut entry.value, rest, node);
    }
}
