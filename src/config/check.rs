//! Everything in some files and folders, checked as `run` would read it.
//!
//! What a file is shows in what it holds. Packs and mappings that a config file names are checked
//! together with it; the others by themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    Environment, Report, dialect,
    load::{Loader, is_yaml},
    mapping,
    rules::PackReader,
    settings::KEYS,
    shipped, words,
    yaml::{Node, Value},
};
use crate::engine::{
    rules::spec::{At, Located},
    text::Lexicon,
};

/// How deep folders are searched: `config/rules/<pack>/file.yaml` needs three.
const DEPTH_MAX: usize = 8;

/// The keys of a pack that no config file has.
const PACK_KEYS: [&str; 13] = [
    "pack",
    "extends",
    "drop",
    "tracks",
    "reasons",
    "events",
    "properties",
    "actors",
    "absence",
    "episodes",
    "guesses",
    "tests",
    "words",
];

/// What was checked, and what is wrong with it.
#[derive(Debug)]
pub struct Checked {
    /// Every problem.
    pub report: Report,
    /// How many files were found.
    pub file_count: usize,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// The settings of `run`.
    Settings,
    /// A pack, or one of its files; `true` where it says the pack's name.
    Pack { named: bool },
    /// A mapping.
    Mapping,
    /// A word list.
    Words,
    /// What is data about a dialect.
    Dialect,
}

/// Checks files and folders. The name of a shipped pack stands for it, where nothing else has it.
pub fn check(paths: &[PathBuf], environment: &Environment) -> Checked {
    let mut loader = Loader::default();
    let mut files = BTreeSet::new();
    let mut shipped_count = 0;
    for path in paths {
        match path.to_str().and_then(shipped::pack).filter(|_| !path.exists()) {
            Some(pack) => {
                shipped_count += pack.files.len();
                let before = loader.problems.len();
                let name = Located { value: pack.name.to_owned(), at: At::default() };
                let mut pack = loader.packs(&[name], Path::new(""));
                drop(loader.compile(&mut pack, before));
            }
            None => find(path, 0, &mut loader, &mut files),
        }
    }
    let file_count = files.len() + shipped_count;
    let found: BTreeMap<PathBuf, Content> = files
        .into_iter()
        .filter_map(|file| content(&file, &mut loader).map(|content| (file, content)))
        .collect();
    for (file, _) in found.iter().filter(|(_, content)| **content == Content::Settings) {
        // The problems say it all; what was loaded is not run.
        drop(loader.settings(Some(file), environment));
    }
    check_packs(&found, &mut loader);
    let read: BTreeSet<_> = loader.mapping_files.iter().map(|file| real(file)).collect();
    let mappings = found.iter().filter(|(_, content)| **content == Content::Mapping);
    for (file, _) in mappings.filter(|(file, _)| !read.contains(&real(file))) {
        if let Some((_, node)) = loader.file(file, At::default()) {
            drop(mapping::read(&node, &mut loader.problems));
        }
    }
    for (file, _) in found.iter().filter(|(_, content)| **content == Content::Words) {
        check_words(file, &mut loader);
    }
    for (file, _) in found.iter().filter(|(_, content)| **content == Content::Dialect) {
        if let Some((_, node)) = loader.file(file, At::default()) {
            drop(dialect::read(&node, &mut loader.problems));
        }
    }
    Checked { file_count, report: loader.into_report() }
}

/// Checks a word list by itself.
fn check_words(file: &Path, loader: &mut Loader) {
    let Some((_, node)) = loader.file(file, At::default()) else { return };
    let list = words::read_file(&node, &mut loader.problems);
    if let Some(list) = list
        && let Err(problems) = Lexicon::compile(&[list])
    {
        loader.problems.extend(problems);
    }
}

/// Checks the packs that no config file names.
fn check_packs(found: &BTreeMap<PathBuf, Content>, loader: &mut Loader) {
    let read: BTreeSet<_> = loader.pack_files.iter().map(|file| real(file)).collect();
    let mut packs = BTreeSet::new();
    for (file, content) in found {
        if let Content::Pack { named } = content
            && !read.contains(&real(file))
        {
            packs.insert(pack_of(file, *named));
        }
    }
    for files in packs {
        let before = loader.problems.len();
        let mut reader = PackReader::default();
        loader.pack(files, At::default(), &mut reader);
        drop(loader.compile(&mut reader.finish(), before));
    }
}

/// Returns the files of the pack that a file belongs to. Where one file of a folder says a pack's
/// name, all of them are that pack; where several do, each of these is a pack of its own.
pub(super) fn pack_of(file: &Path, named: bool) -> Vec<PathBuf> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries =
        std::fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten().flatten();
    let mut files = Vec::new();
    let mut name_count = 0;
    for path in entries.map(|entry| entry.path()).filter(|path| is_yaml(path)) {
        if let Some(Content::Pack { named }) = content(&path, &mut Loader::default()) {
            name_count += usize::from(named);
            files.push(path);
        }
    }
    files.sort();
    if named && 1 < name_count || !is_yaml(file) { vec![file.to_owned()] } else { files }
}

/// Returns a path that is the same for every way to write it.
pub(super) fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_error| path.to_owned())
}

/// Finds the files to check: what was named, and every YAML file below a folder.
pub(super) fn find(path: &Path, depth: usize, loader: &mut Loader, files: &mut BTreeSet<PathBuf>) {
    if !path.is_dir() {
        files.insert(path.to_owned());
        return;
    }
    let before = files.len();
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    for entry in entries.map(|entry| entry.path()) {
        let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && (is_yaml(&entry) || entry.is_dir() && depth < DEPTH_MAX) {
            find(&entry, depth + 1, loader, files);
        }
    }
    if depth == 0 && files.len() == before {
        let message = format!("no .yaml file in \"{}\"", path.display());
        loader.problems.add(At::default(), message);
    }
}

/// Returns what a file is. A file that cannot be read, or is nothing of ours, is a problem.
pub(super) fn content(file: &Path, loader: &mut Loader) -> Option<Content> {
    let mut own = Loader::default();
    let Some((_, node)) = own.file(file, At::default()) else {
        // Read once more, so that the problem stands where the others do.
        drop(loader.file(file, At::default()));
        return None;
    };
    let content = content_of(&node);
    if content.is_none() {
        let (_, node) = loader.file(file, At::default())?;
        loader.problems.add_with_help(
            node.at,
            "neither settings, nor a pack of rules, nor a mapping, nor a word list",
            "a mapping has \"mapping\" in it, a pack \"pack\" or \"rules\", settings have \"kafka\" \
             or \"app\"",
        );
    }
    content
}

fn content_of(root: &Node) -> Option<Content> {
    let Value::Mapping(entries) = &root.value else { return None };
    let value = |key: &str| entries.iter().find(|entry| entry.key.value == key);
    if value("mapping").is_some() {
        return Some(Content::Mapping);
    }
    if value("words").is_some_and(|entry| matches!(entry.value.value, Value::Scalar(_))) {
        return Some(Content::Words);
    }
    if value("dialect").is_some() {
        return Some(Content::Dialect);
    }
    let count = |known: &dyn Fn(&str) -> bool| {
        entries.iter().filter(|entry| entry.key.value != "rules" && known(&entry.key.value)).count()
    };
    let of_settings = count(&|key| KEYS.iter().any(|known| known.split('.').next() == Some(key)));
    let of_packs = count(&|key| PACK_KEYS.contains(&key));
    let named = value("pack").is_some();
    let rules = value("rules").map(|entry| &entry.value.value);
    match (of_settings, of_packs, rules) {
        (1.., packs, _) if packs < of_settings => Some(Content::Settings),
        (_, 1.., _) => Some(Content::Pack { named }),
        (_, _, Some(Value::Sequence(rules))) => {
            let strings = rules.iter().all(|rule| matches!(rule.value, Value::Scalar(_)));
            Some(if strings { Content::Settings } else { Content::Pack { named } })
        }
        (_, _, Some(Value::Nothing | Value::Scalar(_) | Value::Mapping(_)) | None) => None,
    }
}
