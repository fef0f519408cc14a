//! Word lists: one language each, as files of their own and as a section of a pack.
//!
//! A section's words stand as a list, or as lists by reason. One item may hold several entries,
//! with commas between them, and an entry several phrases: `(arrived|came) late`.

use std::sync::{Arc, LazyLock};

use super::{
    fields::{Fields, entries, read_fields},
    load::Loader,
    problem::Problems,
    shipped,
    values::{flag, located, text, word_of},
    yaml::{Node, Value},
};
use crate::{
    engine::{
        rules::spec::Located,
        text::{
            Lexicon,
            spec::{RoleSpec, WordListSpec, WordSpec},
        },
    },
    model::{MicroMoment, stable_hash},
};

/// What a section of a list holds.
#[derive(Clone, Copy)]
enum Section {
    /// Words of one role.
    Of(fn() -> RoleSpec),
    /// Words of feeling, perhaps by reason: weight, and weight if denied.
    Feeling(i8, Option<i8>),
    /// Words whose denial is a complaint, perhaps by reason.
    Missed,
}

/// Every section, by name.
const SECTIONS: [(&str, Section); 16] = [
    ("plain", Section::Of(|| RoleSpec::Plain)),
    ("negations", Section::Of(|| RoleSpec::Negates)),
    ("denials", Section::Of(|| RoleSpec::Denies)),
    ("stronger", Section::Of(|| RoleSpec::Strengthens)),
    ("weaker", Section::Of(|| RoleSpec::Weakens)),
    ("turns", Section::Of(|| RoleSpec::Turns)),
    ("although", Section::Of(|| RoleSpec::Concedes)),
    ("supposed", Section::Of(|| RoleSpec::Supposes)),
    ("lukewarm", Section::Of(|| RoleSpec::Lukewarm)),
    ("glory", Section::Feeling(2, None)),
    ("good", Section::Feeling(1, None)),
    ("bad", Section::Feeling(-1, None)),
    ("pain", Section::Feeling(-2, None)),
    // Their absence is praise: "no problem", "without a scratch".
    ("troubles", Section::Feeling(-1, Some(1))),
    ("missed", Section::Missed),
    // Denied, a plain loss of what was praised: "I do not recommend it".
    ("praise", Section::Feeling(2, Some(-2))),
];

/// The lists that come with Rega, read once, when they are needed.
static LISTS: LazyLock<Vec<WordListSpec>> = LazyLock::new(|| {
    let mut loader = Loader::default();
    let lists = shipped::WORDS.iter().filter_map(|(name, text)| {
        let node = loader.text(format!("<shipped>/words/{name}"), (*text).to_owned())?;
        read_file(&node, &mut loader.problems)
    });
    lists.collect()
});

/// What comes of them. Shipped lists have no problem, and give no reason that is not built in: tests
/// hold that.
static SHIPPED: LazyLock<Arc<Lexicon>> = LazyLock::new(|| {
    let texts = shipped::WORDS.iter().flat_map(|(name, text)| [*name, *text]);
    let content = stable_hash(texts.collect::<String>().as_bytes());
    Arc::new(Lexicon::later(content, || LISTS.clone()))
});

/// Compiles the shipped lists with somebody's own.
pub(super) fn lexicon(own: &[WordListSpec], problems: &mut Problems) -> Arc<Lexicon> {
    if own.is_empty() {
        return Arc::clone(&SHIPPED);
    }
    let mut lists = LISTS.clone();
    lists.extend(own.iter().cloned());
    match Lexicon::compile(&lists) {
        Ok(lexicon) => Arc::new(lexicon),
        Err(found) => {
            problems.extend(found);
            Arc::default()
        }
    }
}

/// Reads a file that is one list.
pub(super) fn read_file(root: &Node, problems: &mut Problems) -> Option<WordListSpec> {
    read_fields(root, "the word list", problems, |fields| {
        let language = fields.need("words", text);
        let list = list(fields);
        Some(WordListSpec { language: language?, ..list })
    })
}

/// Reads the `words` of a pack: lists by language.
pub(super) fn read_section(node: &Node, problems: &mut Problems) -> Option<Vec<WordListSpec>> {
    let languages = entries(node, "words", problems)?.iter().filter_map(|entry| {
        read_fields(&entry.value, "the word list", problems, |fields| {
            Some(WordListSpec { language: entry.key.value.clone(), ..list(fields) })
        })
    });
    Some(languages.collect())
}

fn list(fields: &mut Fields<'_, '_>) -> WordListSpec {
    let parts = |items: Option<Vec<Located<String>>>| {
        items.unwrap_or_default().into_iter().map(|item| item.value).collect()
    };
    let mut spec = WordListSpec {
        language: String::new(),
        negates_backwards: fields.get("negates_backwards", flag).unwrap_or(false),
        prefixes: parts(fields.get("prefixes", items)),
        endings: parts(fields.get("endings", items)),
        umlauts: fields.get("umlauts", flag).unwrap_or(false),
        replaces: fields.get("replaces", flag).unwrap_or(false),
        forget: fields.get("forget", items).unwrap_or_default(),
        words: Vec::new(),
    };
    for (name, section) in SECTIONS {
        let words = fields.get(name, |node, problems| words_of(section, node, problems));
        spec.words.extend(words.unwrap_or_default());
    }
    let searches = fields.get("searches", |node, problems| {
        let intents = entries(node, "searches", problems)?.iter().filter_map(|entry| {
            let intent = word_of::<MicroMoment>(&entry.key.value, entry.key.at, problems)?;
            Some((intent, items(&entry.value, problems)?))
        });
        Some(intents.collect::<Vec<_>>())
    });
    for (intent, words) in searches.unwrap_or_default() {
        let words = words.into_iter();
        spec.words.extend(words.map(|written| WordSpec { written, role: RoleSpec::Seeks(intent) }));
    }
    spec
}

fn words_of(section: Section, node: &Node, problems: &mut Problems) -> Option<Vec<WordSpec>> {
    let role = |reason: Option<Located<String>>| match section {
        Section::Of(role) => role(),
        Section::Feeling(weight, denied) => RoleSpec::Feels { weight, denied, reason },
        Section::Missed => RoleSpec::Missed { reason },
    };
    let by_reason = match (section, &node.value) {
        (Section::Feeling(..) | Section::Missed, Value::Mapping(entries)) => entries,
        (Section::Of(_), _) | (_, Value::Nothing | Value::Scalar(_) | Value::Sequence(_)) => {
            let words = items(node, problems)?.into_iter();
            return Some(words.map(|written| WordSpec { written, role: role(None) }).collect());
        }
    };
    let mut words = Vec::new();
    for entry in by_reason {
        // Complaints without a known reason stand under "other".
        let reason = Some(entry.key.clone()).filter(|reason| reason.value != "other");
        let written = items(&entry.value, problems).unwrap_or_default().into_iter();
        words.extend(written.map(|written| WordSpec { written, role: role(reason.clone()) }));
    }
    Some(words)
}

/// Reads a list whose items hold entries with commas between them.
fn items(node: &Node, problems: &mut Problems) -> Option<Vec<Located<String>>> {
    let nodes = match &node.value {
        Value::Sequence(nodes) => nodes.as_slice(),
        Value::Nothing | Value::Scalar(_) | Value::Mapping(_) => std::slice::from_ref(node),
    };
    let mut all = Vec::new();
    for node in nodes {
        let item = located(node, problems)?;
        let entries = item.value.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        all.extend(entries.map(|entry| Located { value: entry.to_owned(), at: item.at }));
    }
    Some(all)
}
