//! The shipped word lists: sound, and right about sentences that we made up.

use std::{fmt::Write as _, fs, path::Path};

use super::super::{Problems, load::Loader, shipped, words};
use crate::{
    engine::{
        rules::{RuleSet, spec::PackSpec},
        text::Lexicon,
    },
    model::{MicroMoment, Valence},
};

/// A sentence and what it says.
struct Case {
    place: String,
    expected: String,
    text: String,
}

/// Reads `expected | text` lines of every file in a folder of `tests/cases`.
fn cases(folder: &str) -> Vec<(String, Vec<Case>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(folder);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &Path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
        let cases = lines.filter_map(|(index, line)| {
            let (expected, text) = line.split_once('|')?;
            let place = format!("{name}:{}", index + 1);
            let (expected, text) = (expected.trim().to_owned(), text.trim().to_owned());
            Some(Case { place, expected, text })
        });
        let cases = cases.collect();
        (name, cases)
    };
    files.iter().map(|path| read(path)).collect()
}

fn lexicon() -> std::sync::Arc<Lexicon> {
    words::lexicon(&[], &mut Problems::default())
}

#[test]
fn the_shipped_lists_have_no_problem() {
    let mut loader = Loader::default();
    let mut lists = Vec::new();
    for (name, text) in shipped::WORDS {
        let node = loader.text((*name).to_owned(), (*text).to_owned()).unwrap();
        lists.push(words::read_file(&node, &mut loader.problems).unwrap());
    }
    match Lexicon::compile(&lists) {
        Ok(lexicon) => {
            // Words that come with Rega are read later than rules are checked: whatever reason they
            // give, every pack must know it.
            let lexicon = Some(std::sync::Arc::new(lexicon));
            let pack = PackSpec { lexicon, ..PackSpec::default() };
            loader.problems.extend(RuleSet::compile(pack).err().unwrap_or_default());
        }
        Err(problems) => loader.problems.extend(problems),
    }
    let sound = loader.problems.is_empty();
    assert!(sound, "{}", loader.into_report());
    // Several hundred phrases a language: a list that was cut short would pass everything else.
    assert!(10_000 < lexicon().phrase_count(), "{}", lexicon().phrase_count());
}

#[test]
fn sentences_say_how_it_was() {
    let lexicon = lexicon();
    let mut wrong = String::new();
    for (name, cases) in cases("text") {
        assert!(60 <= cases.len(), "{name} has {} sentences", cases.len());
        for Case { place, expected, text } in &cases {
            let reading = lexicon.read(text);
            let reason = reading.reason.as_deref().filter(|_| reading.valence == Valence::Pain);
            let found = format!("{} {}", reading.valence.as_str(), reason.unwrap_or_default());
            // A case that names no reason asks for none.
            let found =
                if expected.contains(' ') { found.trim() } else { reading.valence.as_str() };
            if found != expected {
                let words = reading.words.join(", ");
                _ = writeln!(wrong, "{place}: {expected}, found {found} ({words})\n    {text}");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn searches_say_what_is_wanted() {
    let lexicon = lexicon();
    let mut wrong = String::new();
    for (_, cases) in cases("searches") {
        for Case { place, expected, text } in &cases {
            let sought: Vec<_> = MicroMoment::ALL
                .iter()
                .filter(|one| lexicon.seeks(text, &[**one]))
                .map(|one| one.as_str())
                .collect();
            let right =
                if expected == "none" { sought.is_empty() } else { sought.contains(&&**expected) };
            if !right {
                _ = writeln!(wrong, "{place}: {expected}, found {sought:?}\n    {text}");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
