//! librdkafka's own settings: passed on, but for those that Rega's promises rest on.

use std::{collections::BTreeMap, fmt};

use crate::{
    config::{
        near::nearest,
        problem::Problems,
        yaml::{Node, Value},
    },
    engine::rules::spec::At,
};

/// The settings that Rega owns, each with the reason why nobody else may choose it.
const OWNED: [(&str, &str); 18] = [
    ("bootstrap.servers", "write \"kafka.brokers\" instead"),
    ("metadata.broker.list", "write \"kafka.brokers\" instead"),
    ("group.id", "write \"app\" instead"),
    ("group.instance.id", "it is app.instance.worker, so that a restart keeps its partitions"),
    ("group.protocol", "static members restart in a second only with the classic protocol"),
    ("client.id", "it is app.instance.worker"),
    ("transactional.id", "it is app.instance.worker, so that a zombie is fenced"),
    ("enable.auto.commit", "offsets are committed in the transaction, or records would be lost"),
    ("enable.auto.offset.store", "offsets are committed in the transaction"),
    ("isolation.level", "what a transaction took back must not be read"),
    ("auto.offset.reset", "write \"input.start\" instead; later, Rega never jumps"),
    ("enable.idempotence", "exactly once needs it"),
    ("acks", "exactly once needs all"),
    ("partition.assignment.strategy", "it is cooperative-sticky, so that a restart moves nothing"),
    ("enable.partition.eof", "it is how Rega knows that a partition is idle"),
    ("delivery.report.only.error", "with every report, a commit takes five times as long"),
    ("allow.auto.create.topics", "Rega creates its topics with the settings that they need"),
    ("plugin.library.paths", "Rega loads no foreign code"),
];

/// Every setting that librdkafka knows, one a line: from its own `CONFIGURATION.md`. A test asks the
/// library that is linked.
const KNOWN: &str = include_str!("librdkafka.txt");

/// Settings for librdkafka. Values may be secrets: they are never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(pub(super) BTreeMap<String, String>);

impl Properties {
    /// Returns a value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns names and values, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// Returns what is wrong with the name of a setting, and what to do instead. A word that is no name
/// may be a secret, and is not shown.
pub(super) fn name_problem(name: &str) -> Option<(String, String)> {
    let letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    if !name.chars().all(|each| letter(each) || matches!(each, '.' | '_')) {
        let help = "names have lower case letters and dots, such as security.protocol";
        return Some(("not the name of a librdkafka setting".to_owned(), help.to_owned()));
    }
    if let Some((_, reason)) = OWNED.iter().find(|(owned, _)| *owned == name) {
        return Some((format!("\"{name}\" is set by Rega"), (*reason).to_owned()));
    }
    if KNOWN.lines().any(|known| known == name) {
        return None;
    }
    // A word without a dot that is near no name may be a secret.
    let near = nearest(name, KNOWN.lines());
    let message = if near.is_some() || name.contains('.') {
        format!("librdkafka has no setting \"{name}\"")
    } else {
        "not the name of a librdkafka setting".to_owned()
    };
    let help = near.map_or_else(
        || "its settings stand in librdkafka's CONFIGURATION.md".to_owned(),
        |near| format!("did you mean \"{near}\"?"),
    );
    Some((message, help))
}

/// Reads `kafka.properties`. No message here may contain a value.
pub(super) fn properties(
    node: &Node,
    problems: &mut Problems,
) -> Option<(Properties, BTreeMap<String, At>)> {
    let Value::Mapping(entries) = &node.value else {
        let help = "write one \"name: value\" line for each setting";
        problems.add_with_help(node.at, "expected settings of librdkafka", help);
        return None;
    };
    let mut properties = BTreeMap::new();
    let mut places = BTreeMap::new();
    for entry in entries {
        let (name, at) = (entry.key.value.as_str(), entry.key.at);
        if let Some((what, help)) = name_problem(name) {
            problems.add_with_help(at, what, help);
        } else if let Value::Scalar(value) = &entry.value.value {
            properties.insert(name.to_owned(), value.text.clone());
            places.insert(name.to_owned(), at);
        } else {
            problems.add(at, format!("expected one value for \"{name}\""));
        }
    }
    Some((Properties(properties), places))
}
