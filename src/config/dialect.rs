//! What is data about a dialect: `config/dialects/*.yaml`, inside the binary like the packs.

use std::collections::BTreeMap;

use super::{
    fields::{Fields, entries, read_fields, suggestion},
    load::{Loader, is_path},
    near::nearest,
    problem::Problems,
    values::{located, text},
    yaml::{Node, Value},
};
use crate::engine::{
    decode::{Dialect, DialectSpec, Form, mapping::spec::MappingSpec},
    rules::spec::Located,
};

/// The form that each record tells by itself.
const AUTO: &str = "auto";
/// Rega's own form.
const NATIVE: &str = "native";

/// Name and text of the data of every dialect.
pub(super) const SHIPPED: [(&str, &str); 5] = [
    ("segment", include_str!("../../config/dialects/segment.yaml")),
    ("cloudevents", include_str!("../../config/dialects/cloudevents.yaml")),
    ("snowplow", include_str!("../../config/dialects/snowplow.yaml")),
    ("posthog", include_str!("../../config/dialects/posthog.yaml")),
    ("ga4", include_str!("../../config/dialects/ga4.yaml")),
];

/// How the records of each topic are read.
#[derive(Clone, Debug)]
pub struct TopicDialects {
    pub(super) by_topic: BTreeMap<String, Dialect>,
    pub(super) otherwise: Dialect,
}

impl TopicDialects {
    /// Returns how the records of a topic are read.
    pub fn of(&self, topic: &str) -> Dialect {
        self.by_topic.get(topic).unwrap_or(&self.otherwise).clone()
    }
}

/// Returns the names of what needs no mapping.
pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
    [NATIVE, AUTO].into_iter().chain(Form::ALL.into_iter().map(Form::as_str))
}

/// Returns a dialect that needs no mapping, by its name.
pub fn dialect(name: &str) -> Option<Dialect> {
    match name {
        NATIVE => Some(Dialect::Native),
        AUTO => Some(Dialect::Auto(Form::ALL.into_iter().filter_map(shipped).collect())),
        _ => Some(on(Form::parse(name)?, None)),
    }
}

/// Returns the dialect that a mapping makes: its own, or one that it stands on.
pub(super) fn mapped(spec: MappingSpec) -> Dialect {
    match spec.base {
        Some(form) => on(form, Some(Box::new(spec))),
        None => Dialect::Mapping(Box::new(spec)),
    }
}

fn on(form: Form, over: Option<Box<MappingSpec>>) -> Dialect {
    let nothing = DialectSpec {
        form,
        events: BTreeMap::new(),
        words: BTreeMap::new(),
        hints: BTreeMap::new(),
        prefixes: Vec::new(),
        properties: BTreeMap::new(),
    };
    // A test holds that every shipped file can be read.
    Dialect::BuiltIn { spec: Box::new(shipped(form).unwrap_or(nothing)), over }
}

fn shipped(form: Form) -> Option<DialectSpec> {
    let (_, text) = SHIPPED.iter().find(|(name, _)| *name == form.as_str())?;
    let mut loader = Loader::default();
    let node = loader.text(form.as_str().to_owned(), (*text).to_owned())?;
    read(&node, &mut loader.problems)
}

/// Reads the data of a dialect.
pub(super) fn read(root: &Node, problems: &mut Problems) -> Option<DialectSpec> {
    read_fields(root, "the dialect", problems, |fields| {
        let form = fields.need("dialect", dialect_name);
        let events = synonyms(fields, "events");
        let properties = synonyms(fields, "properties");
        let (words, hints) = fields.section("channels", |fields| {
            (synonyms(fields, "by_word"), synonyms(fields, "by_hint"))
        });
        let prefixes = fields.get("prefixes", list).unwrap_or_default();
        Some(DialectSpec { form: form?, events, words, hints, prefixes, properties })
    })
}

/// Reads the name of a dialect that is built in.
pub(super) fn dialect_name(node: &Node, problems: &mut Problems) -> Option<Form> {
    let name = text(node, problems)?;
    let form = Form::parse(&name);
    if form.is_none() {
        let names = Form::ALL.into_iter().map(Form::as_str);
        let help = suggestion(&name, names);
        problems.add_with_help(node.at, format!("no dialect is called \"{name}\""), help);
    }
    form
}

/// Reads `ours: [theirs, …]` lines as theirs → ours.
fn synonyms(fields: &mut Fields<'_, '_>, key: &'static str) -> BTreeMap<String, String> {
    let read = |node: &Node, problems: &mut Problems| {
        let mut synonyms = BTreeMap::new();
        for entry in entries(node, key, problems)? {
            for theirs in list(&entry.value, problems)? {
                let before = synonyms.insert(theirs.clone(), entry.key.value.clone());
                if before.is_some_and(|before| before != entry.key.value) {
                    let message = format!("\"{theirs}\" stands under two names");
                    problems.add(entry.value.at, message);
                }
            }
        }
        Some(synonyms)
    };
    fields.get(key, read).unwrap_or_default()
}

fn list(node: &Node, problems: &mut Problems) -> Option<Vec<String>> {
    match &node.value {
        Value::Sequence(items) => items.iter().map(|item| text(item, problems)).collect(),
        Value::Nothing | Value::Scalar(_) | Value::Mapping(_) => Some(vec![text(node, problems)?]),
    }
}

/// `input.dialect`: one for every topic, or by topic. Mapping files are read later.
#[derive(Clone, Debug, Default)]
pub struct WrittenDialects {
    /// The topics that are named.
    pub by_topic: BTreeMap<String, Located<String>>,
    /// All others; `None`: native.
    pub otherwise: Option<Located<String>>,
}

/// Makes sure that what is no path is the name of a dialect.
pub(super) fn check(written: &Located<String>, problems: &mut Problems) {
    let name = &written.value;
    if is_path(name) || names().any(|known| known == name) {
        return;
    }
    let help = match nearest(name, names()) {
        Some(name) => format!("did you mean \"{name}\"?"),
        None => format!(
            "known are {}; a mapping file has a \"/\" in its path or ends in .yaml",
            names().collect::<Vec<_>>().join(", ")
        ),
    };
    problems.add_with_help(written.at, format!("no dialect is called \"{name}\""), help);
}

/// Reads `input.dialect`.
pub(super) fn written(node: &Node, problems: &mut Problems) -> Option<WrittenDialects> {
    if let Value::Mapping(topics) = &node.value {
        let mut by_topic = BTreeMap::new();
        for entry in topics {
            let Some(written) = located(&entry.value, problems) else { continue };
            check(&written, problems);
            by_topic.insert(entry.key.value.clone(), written);
        }
        return Some(WrittenDialects { by_topic, otherwise: None });
    }
    let written = located(node, problems)?;
    check(&written, problems);
    Some(WrittenDialects { by_topic: BTreeMap::new(), otherwise: Some(written) })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_data_of_every_dialect_is_in_the_binary_and_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/dialects");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let mut shipped_files: Vec<String> =
            SHIPPED.iter().map(|(name, _)| format!("{name}.yaml")).collect();
        shipped_files.sort();
        assert_eq!(files, shipped_files);
        for form in Form::ALL {
            let spec = shipped(form).unwrap();
            assert_eq!(spec.form, form);
            assert!(!spec.hints.is_empty() || !spec.words.is_empty(), "{form}");
        }
        assert!(dialect("nothing").is_none());
        assert!(names().all(|name| dialect(name).is_some()));
    }
}
