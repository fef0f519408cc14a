//! What stands against the walls, one line each. Pure, so that each wall can be broken in a test.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{
    code::{SourceFile, code_of, first_name, numbered, root, without_tests},
    walls::{BANNED_CRATES, DOORS, EMPTY_WORDS, IMPURE, LAYERS, LINES_MAX, LONGER, TWICE},
};

/// Returns the top-level module that a file belongs to; nothing for `lib.rs` and `main.rs`.
pub(crate) fn module(file: &SourceFile) -> String {
    let inner = file.path.strip_prefix("src/").unwrap_or_default();
    let first = inner.split('/').next().unwrap_or_default();
    let name = first.strip_suffix(".rs").unwrap_or(first);
    if matches!(name, "lib" | "main") { String::new() } else { name.to_owned() }
}

pub(crate) fn layer_findings(file: &SourceFile) -> Vec<String> {
    let own = module(file);
    if own.is_empty() {
        return Vec::new();
    }
    let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == own) else {
        return vec![format!("{}:1: `{own}`: has no place in LAYERS", file.path)];
    };
    let code = code_of(&file.text);
    let mut findings = Vec::new();
    for (line, other) in crate_paths(&code) {
        let known = LAYERS.iter().any(|(layer, _)| *layer == other);
        if known && other != own && !allowed.contains(&other.as_str()) {
            let reason = "dependencies point inwards";
            findings.push(format!("{}:{line}: `crate::{other}`: {reason}", file.path));
        }
    }
    // As many `super` as the module is deep would be a `crate::` in disguise.
    let depth = file.path.matches('/').count() - usize::from(file.path.ends_with("/mod.rs"));
    let chain = "super::".repeat(depth);
    for (line, text) in numbered(&code_of(&without_tests(file).text)) {
        if text.contains(&chain) {
            findings.push(format!("{}:{line}: `{chain}`: write `crate::`", file.path));
        }
    }
    findings
}

/// Returns the first name of every path that starts with `crate::`, groups opened.
fn crate_paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let (before, path) = code.split_at(at);
        let line = before.matches('\n').count() + 1;
        let rest = path.trim_start_matches("crate::").trim_start();
        let Some(group) = rest.strip_prefix('{') else {
            found.push((line, first_name(rest)));
            continue;
        };
        let mut depth = 0_u32;
        let mut name = String::new();
        for letter in group.chars() {
            match letter {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => found.push((line, first_name(&std::mem::take(&mut name)))),
                _ if depth == 0 => name.push(letter),
                _ => {}
            }
        }
        found.push((line, first_name(&name)));
    }
    found
}

pub(crate) fn purity_findings(file: &SourceFile) -> Vec<String> {
    let pure = matches!(module(file).as_str(), "model" | "engine");
    // What the code beside is tested with may read files.
    let product = !file.path.contains("/tests/") && !file.path.ends_with("/tests.rs");
    if pure && product { word_findings(&without_tests(file), &IMPURE) } else { Vec::new() }
}

pub(crate) fn door_findings(file: &SourceFile) -> Vec<String> {
    let own = module(file);
    let closed = DOORS.iter().filter(|(_, doors, _)| !doors.contains(&own.as_str()));
    let banned: Vec<_> = closed.map(|(library, _, reason)| (*library, *reason)).collect();
    word_findings(&without_tests(file), &banned)
}

pub(crate) fn word_findings(file: &SourceFile, banned: &[(&str, &str)]) -> Vec<String> {
    let code = code_of(&file.text);
    let mut findings = Vec::new();
    for (line, text) in numbered(&code) {
        for (word, reason) in banned {
            if has_word(text, word) {
                findings.push(format!("{}:{line}: `{word}`: {reason}", file.path));
            }
        }
    }
    findings
}

/// Returns whether a word stands there by itself, not as a part of a longer name.
fn has_word(text: &str, word: &str) -> bool {
    let in_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, rest) = text.split_at(at);
        let before = before.chars().next_back();
        let after = rest.split_at(word.len()).1.chars().next();
        let starts = !word.starts_with(in_name) || !before.is_some_and(in_name);
        let ends = !word.ends_with(in_name) || !after.is_some_and(in_name);
        starts && ends
    })
}

pub(crate) fn opening_finding(file: &SourceFile) -> Option<String> {
    let first = file.text.lines().next().unwrap_or_default();
    let opens = first.strip_prefix("//! ").is_some_and(|idea| !idea.trim().is_empty());
    (!opens).then(|| format!("{}:1: does not open with `//! ` and its idea", file.path))
}

pub(crate) fn length_finding(file: &SourceFile) -> Option<String> {
    let product = !file.path.contains("/tests/") && !file.path.ends_with("/tests.rs");
    let count = without_tests(file).text.lines().count();
    let longer = LONGER.iter().find(|(path, ..)| *path == file.path);
    let most = longer.map_or(LINES_MAX, |(_, most, _)| *most);
    (product && most < count)
        .then(|| format!("{}: {count} lines without its tests, {most} are enough", file.path))
}

pub(crate) fn name_findings(file: &SourceFile) -> Vec<String> {
    let mut findings = Vec::new();
    for (line, text) in numbered(&code_of(&file.text)) {
        let words: Vec<_> = text.split_whitespace().collect();
        for (keyword, name) in words.windows(2).map(|pair| (pair[0], first_name(pair[1]))) {
            let declares = matches!(keyword, "struct" | "enum" | "trait" | "type" | "mod");
            // The layer that waits is called so; a struct of that name would say nothing. And what
            // a body is made of is hyper's word.
            let given = [("mod", "service"), ("type", "Data")];
            if !declares || given.contains(&(keyword, name.as_str())) {
                continue;
            }
            let empty = |word: &str| EMPTY_WORDS.iter().any(|each| each.eq_ignore_ascii_case(word));
            if let Some(word) = words_of(&name).iter().find(|word| empty(word)) {
                let reason = format!("\"{word}\" does not say what it is for");
                findings.push(format!("{}:{line}: `{name}`: {reason}", file.path));
            }
        }
    }
    findings
}

/// Splits a name into its words: `OutboxHandler`, `outbox_handler`.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        if letter == '_' || letter.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter != '_') {
            word.push(letter);
        }
    }
    words
}

pub(crate) fn later_findings(file: &SourceFile) -> Vec<String> {
    // Put together here, so that this file does not find itself.
    let words = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]].map(|halves| halves.concat());
    let mut findings = Vec::new();
    for (line, text) in numbered(&file.text) {
        for word in words.iter().filter(|word| has_word(text, word)) {
            findings.push(format!("{}:{line}: `{word}`: do it, or open an issue", file.path));
        }
    }
    findings
}

pub(crate) fn crate_findings(lock: &str) -> Vec<String> {
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \""));
    let mut counts = BTreeMap::<&str, usize>::new();
    for name in names {
        *counts.entry(name.trim_end_matches('"')).or_default() += 1;
    }
    let mut findings = Vec::new();
    for (name, reason) in BANNED_CRATES.iter().filter(|(name, _)| counts.contains_key(name)) {
        findings.push(format!("Cargo.lock: `{name}`: {reason}"));
    }
    for (name, count) in &counts {
        let known = TWICE.iter().any(|(twice, _)| twice == name);
        if 1 < *count && !known {
            findings.push(format!("Cargo.lock: `{name}`: {count} versions; one is enough"));
        }
        if *count == 1 && known {
            findings.push(format!("Cargo.lock: `{name}`: once now; take it from TWICE"));
        }
    }
    findings
}

/// Every module has its line in the map, every path in the text exists, and so does every test that
/// an invariant names.
pub(crate) fn map_findings(
    text: &str,
    modules: &[String],
    functions: &BTreeSet<String>,
) -> Vec<String> {
    let mut findings = Vec::new();
    for module in modules {
        let folder = format!("`src/{module}/`");
        let file = format!("`src/{module}.rs`");
        if !text.contains(&folder) && !text.contains(&file) {
            findings.push(format!("ARCHITECTURE.md: the map lacks `src/{module}`"));
        }
    }
    for (line, words) in numbered(text) {
        for quoted in words.split('`').skip(1).step_by(2) {
            let roots = ["src/", "tests/", "docs/", "config/", "deploy/", "benches/", ".ci/"];
            let path = roots.iter().any(|root| quoted.starts_with(root));
            if path && !quoted.contains(['*', '<', ' ']) && !Path::new(&root(quoted)).exists() {
                findings.push(format!("ARCHITECTURE.md:{line}: `{quoted}` does not exist"));
            }
            // The names of tests are sentences: at least three words.
            let sentence = 2 <= quoted.matches('_').count()
                && quoted.chars().all(|each| each.is_ascii_lowercase() || each == '_');
            if sentence && !functions.contains(quoted) {
                findings.push(format!("ARCHITECTURE.md:{line}: there is no test `{quoted}`"));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walls::NOT_IN_TESTS;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_path_outwards_is_found_however_it_is_written() {
        #[track_caller]
        fn check(path: &str, text: &str, expected: &[&str]) {
            assert_eq!(layer_findings(&file(path, text)), expected);
        }
        let inwards = "dependencies point inwards";
        check(
            "src/engine/x.rs",
            "//! x\nuse crate::{\n    model::{Span, kafka},\n    kafka::Outbox,\n};\n",
            &[&format!("src/engine/x.rs:2: `crate::kafka`: {inwards}")],
        );
        check(
            "src/model/x.rs",
            "fn x() { crate::engine::y() }",
            &[&format!("src/model/x.rs:1: `crate::engine`: {inwards}")],
        );
        check(
            "src/http/x.rs",
            "use crate::telemetry::log;",
            &[&format!("src/http/x.rs:1: `crate::telemetry`: {inwards}")],
        );
        check(
            "src/engine/mod.rs",
            "use super::kafka;",
            &["src/engine/mod.rs:1: `super::`: write `crate::`"],
        );
        check("src/news/mod.rs", "", &["src/news/mod.rs:1: `news`: has no place in LAYERS"]);
        check("src/engine/x.rs", "// crate::kafka\nuse crate::{engine::y, model};", &[]);
    }

    #[test]
    fn impurity_is_found_in_code_and_not_in_words() {
        let text = "//! Never tokio.\nlet x = \"tokio\"; // tokio\nlet y = tokio_like;\nuse tokio::x;\n\
                    x().await;\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        let expected = [
            "src/engine/x.rs:4: `tokio`: the engine never waits",
            "src/engine/x.rs:5: `.await`: the engine never waits",
        ];
        assert_eq!(purity_findings(&file("src/engine/x.rs", text)), expected);
        assert!(purity_findings(&file("src/service/x.rs", text)).is_empty());
    }

    #[test]
    fn a_second_door_is_found() {
        let expected = ["src/service/x.rs:1: `axum`: HTTP is spoken in `http` alone"];
        assert_eq!(door_findings(&file("src/service/x.rs", "use axum::Router;")), expected);
        assert!(door_findings(&file("src/http/x.rs", "use axum::Router;")).is_empty());
    }

    #[test]
    fn a_file_without_its_idea_or_too_long_is_found() {
        assert!(opening_finding(&file("src/x.rs", "use std::fs;\n")).is_some());
        assert!(opening_finding(&file("src/x.rs", "//! \nuse std::fs;\n")).is_some());
        assert!(opening_finding(&file("src/x.rs", "//! An idea.\n")).is_none());
        let long = "x();\n".repeat(LINES_MAX + 1);
        assert!(length_finding(&file("src/x.rs", &long)).is_some());
        let tested = format!("x();\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
        assert!(length_finding(&file("src/x.rs", &tested)).is_none());
    }

    #[test]
    fn an_empty_name_is_found() {
        let text =
            "pub struct OutboxHandler;\nmod utils;\nstruct Handlebar;\nuse x::BaseManager;\n";
        let expected = [
            "src/x.rs:1: `OutboxHandler`: \"Handler\" does not say what it is for",
            "src/x.rs:2: `utils`: \"utils\" does not say what it is for",
        ];
        assert_eq!(name_findings(&file("src/x.rs", text)), expected);
    }

    #[test]
    fn what_is_left_for_later_is_found() {
        let text = ["// TO", "DO: more"].concat();
        assert_eq!(later_findings(&file("src/x.rs", &text)).len(), 1);
        let sleeps = word_findings(&file("tests/x.rs", "std::thread::sleep(x)"), &NOT_IN_TESTS);
        assert_eq!(sleeps, ["tests/x.rs:1: `thread::sleep`: wait on what you wait for"]);
    }

    #[test]
    fn a_banned_crate_or_a_second_version_is_found() {
        let mut lock: String =
            TWICE.map(|(name, _)| format!("name = \"{name}\"\n").repeat(2)).concat();
        assert_eq!(crate_findings(&lock), Vec::<String>::new());
        lock.push_str("name = \"chrono\"\nname = \"serde\"\nname = \"serde\"\n");
        let expected = [
            "Cargo.lock: `chrono`: time is jiff's",
            "Cargo.lock: `serde`: 2 versions; one is enough",
        ];
        assert_eq!(crate_findings(&lock), expected);
    }

    #[test]
    fn a_map_that_lies_is_found() {
        let text =
            "- `src/model/` nouns\n- `src/nowhere.rs` `a_test_that_is_not` `a_test_that_is`\n";
        let modules = ["model".to_owned(), "kafka".to_owned()];
        let functions = BTreeSet::from(["a_test_that_is".to_owned()]);
        let expected = [
            "ARCHITECTURE.md: the map lacks `src/kafka`",
            "ARCHITECTURE.md:2: `src/nowhere.rs` does not exist",
            "ARCHITECTURE.md:2: there is no test `a_test_that_is_not`",
        ];
        assert_eq!(map_findings(text, &modules, &functions), expected);
    }
}
