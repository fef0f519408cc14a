//! A mapping whose fields are taken one by one; what nobody asked for is a problem.

use super::{
    near::nearest,
    problem::Problems,
    yaml::{Entry, Node, Value},
};
use crate::engine::rules::spec::At;

/// The fields of one mapping while it is being read.
#[derive(Debug)]
pub(super) struct Fields<'n, 'p> {
    /// What the mapping is, for messages: `the rule`, `"kafka"`.
    what: String,
    /// The key it stands under, for a section.
    section: Option<&'static str>,
    /// Where it stands.
    at: At,
    entries: &'n [Entry],
    /// What has been asked for: the fields that exist.
    known: Vec<&'static str>,
    problems: &'p mut Problems,
}

/// Reads a mapping: `fill` asks for every field that exists, and what is left over is reported.
/// `None` when the node is no mapping, or when `fill` could not make sense of it.
pub(super) fn read_fields<'n, T>(
    node: &'n Node,
    what: &'static str,
    problems: &mut Problems,
    fill: impl FnOnce(&mut Fields<'n, '_>) -> Option<T>,
) -> Option<T> {
    let entries = entries(node, what, problems)?;
    let (what, at, known) = (what.to_owned(), node.at, Vec::new());
    let mut fields = Fields { what, section: None, at, entries, known, problems };
    let filled = fill(&mut fields);
    fields.report_unknown();
    filled
}

/// Returns the entries of a mapping whose keys are the user's own names.
pub(super) fn entries<'n>(
    node: &'n Node,
    what: &str,
    problems: &mut Problems,
) -> Option<&'n [Entry]> {
    match &node.value {
        Value::Mapping(entries) => Some(entries),
        Value::Nothing | Value::Scalar(_) | Value::Sequence(_) => {
            let message = format!("expected {what}: \"name: value\" lines, found {}", found(node));
            problems.add(node.at, message);
            None
        }
    }
}

impl<'n> Fields<'n, '_> {
    /// Reads a part that may be left out: then it is as if it were there and empty.
    pub(super) fn section<T>(
        &mut self,
        key: &'static str,
        fill: impl FnOnce(&mut Fields<'n, '_>) -> T,
    ) -> T {
        let (at, entries) = self
            .get(key, |node, problems| Some((node.at, section_entries(node, key, problems)?)))
            .unwrap_or((self.at, &[]));
        let (what, section, known) = (format!("\"{key}\""), Some(key), Vec::new());
        let problems = &mut *self.problems;
        let mut fields = Fields { what, section, at, entries, known, problems };
        let filled = fill(&mut fields);
        fields.report_unknown();
        filled
    }

    /// Returns a field's node, if it is there.
    pub(super) fn node(&mut self, key: &'static str) -> Option<&'n Node> {
        self.known.push(key);
        self.entries.iter().find(|entry| entry.key.value == key).map(|entry| &entry.value)
    }

    /// Reads a field that may be absent. `None` also when it could not be read: then there is a
    /// problem.
    pub(super) fn get<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&'n Node, &mut Problems) -> Option<T>,
    ) -> Option<T> {
        let node = self.node(key)?;
        if node.value == Value::Nothing {
            self.problems.add_with_help(
                node.at,
                format!("\"{key}\" has no value"),
                "give it one, or remove the line",
            );
            return None;
        }
        read(node, self.problems)
    }

    /// Reads a field that must be there.
    pub(super) fn need<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&'n Node, &mut Problems) -> Option<T>,
    ) -> Option<T> {
        if !self.has(key) {
            self.known.push(key);
            self.problems.add(self.at, format!("{} has no \"{key}\"", self.what));
            return None;
        }
        self.get(key, read)
    }

    /// Returns whether a field is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key.value == key)
    }

    /// Returns where a field's value stands; nowhere if it is absent.
    pub(super) fn at_of(&self, key: &str) -> At {
        let entry = self.entries.iter().find(|entry| entry.key.value == key);
        entry.map_or_else(At::default, |entry| entry.value.at)
    }

    /// Returns the full name of a field: with the section's before it.
    pub(super) fn full_name(&self, key: &str) -> String {
        self.section.map_or_else(|| key.to_owned(), |section| format!("{section}.{key}"))
    }

    /// Returns where the mapping stands.
    pub(super) fn at(&self) -> At {
        self.at
    }

    /// Returns where problems go.
    pub(super) fn problems(&mut self) -> &mut Problems {
        self.problems
    }

    fn report_unknown(&mut self) {
        for entry in self.entries {
            let key = entry.key.value.as_str();
            if !self.known.contains(&key) {
                let nested = key.split_once('.').filter(|(first, _)| self.known.contains(first));
                let help = match nested {
                    Some((first, rest)) => format!("write \"{first}:\", and \"{rest}:\" below it"),
                    None => suggestion(key, self.known.iter().copied()),
                };
                let message = format!("{} has no field \"{key}\"", self.what);
                self.problems.add_with_help(entry.key.at, message, help);
            }
        }
    }
}

/// As [`entries`], but without showing what was found: it may be a password in the wrong place.
fn section_entries<'n>(node: &'n Node, key: &str, problems: &mut Problems) -> Option<&'n [Entry]> {
    let Value::Mapping(entries) = &node.value else {
        problems.add(node.at, format!("\"{key}\" must be \"name: value\" lines"));
        return None;
    };
    Some(entries)
}

/// Returns "did you mean", or what is allowed.
pub(super) fn suggestion<'a>(
    written: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> String {
    match nearest(written, names.clone()) {
        Some(name) => format!("did you mean \"{name}\"?"),
        None => format!("allowed: {}", names.collect::<Vec<_>>().join(", ")),
    }
}

/// Says what stands where something else was expected.
pub(super) fn found(node: &Node) -> String {
    match &node.value {
        Value::Nothing => "nothing".to_owned(),
        Value::Scalar(scalar) => format!("\"{}\"", scalar.text),
        Value::Sequence(_) => "a list".to_owned(),
        Value::Mapping(_) => "a mapping".to_owned(),
    }
}
