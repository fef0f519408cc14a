//! Rust files as text: found, and stripped of what is not code.

use std::{collections::BTreeSet, fs, path::Path};

/// One file of code: its path from the root of the project, and its text.
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Returns the code of a file: comments and what stands in quotes are blanked, lines stay.
pub(crate) fn code_of(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < letters.len() {
        let end = end_of_blank(&letters, at);
        if end == at {
            code.push(letters[at]);
            at += 1;
        } else {
            code.extend(letters[at..end].iter().map(|each| if *each == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Returns where a comment, string or character that starts here ends; `at` if none does.
fn end_of_blank(letters: &[char], at: usize) -> usize {
    let starts =
        |text: &str| text.chars().enumerate().all(|(i, c)| letters.get(at + i) == Some(&c));
    let found = |from: usize, text: &str| {
        let wanted: Vec<char> = text.chars().collect();
        let rest = letters.get(from..).unwrap_or_default();
        let place = rest.windows(wanted.len()).position(|window| window == wanted);
        place.map_or(letters.len(), |place| from + place + wanted.len())
    };
    let in_name =
        at.checked_sub(1).is_some_and(|at| letters[at].is_alphanumeric() || letters[at] == '_');
    if starts("//") {
        return found(at, "\n") - 1;
    }
    if starts("/*") {
        return found(at + 2, "*/");
    }
    if !in_name && (starts("r\"") || starts("r#")) {
        let marks = letters[at + 1..].iter().take_while(|letter| **letter == '#').count();
        let quoted = letters.get(at + 1 + marks) == Some(&'"');
        let close = format!("\"{}", "#".repeat(marks));
        return if quoted { found(at + 2 + marks, &close) } else { at };
    }
    if starts("\"") {
        let mut end = at + 1;
        while letters.get(end).is_some_and(|letter| *letter != '"') {
            end += if letters[end] == '\\' { 2 } else { 1 };
        }
        return letters.len().min(end + 1);
    }
    if starts("'\\") {
        return found(at + 3, "'");
    }
    // `'a'` is a character, `'a` a lifetime.
    if starts("'") && letters.get(at + 2) == Some(&'\'') { at + 3 } else { at }
}

pub(crate) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

pub(crate) fn root(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the Rust files below a folder, in the order of their paths; none if there is no folder.
pub(crate) fn sources(folder: &str) -> Vec<SourceFile> {
    let mut files = Vec::new();
    let entries = fs::read_dir(root(folder)).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    for name in names {
        let path = format!("{folder}/{}", name.to_str().unwrap());
        if Path::new(&root(&path)).is_dir() {
            files.extend(sources(&path));
        } else if Path::new(&path).extension().is_some_and(|extension| extension == "rs") {
            files.push(SourceFile { text: read(&path), path });
        }
    }
    files
}

/// Returns a file without what stands below its `#[cfg(test)] mod tests {`.
pub(crate) fn without_tests(file: &SourceFile) -> SourceFile {
    let tests = ["#[cfg(test)]\nmod ", "#[cfg(test)]\npub(crate) mod "];
    let inline = |at: &usize| {
        file.text
            .split_at(*at)
            .1
            .lines()
            .nth(1)
            .is_some_and(|declaration| declaration.ends_with('{'))
    };
    let cut = tests.iter().filter_map(|start| file.text.find(start)).filter(inline).min();
    let text = cut.map_or(file.text.as_str(), |cut| file.text.split_at(cut).0);
    SourceFile { path: file.path.clone(), text: text.to_owned() }
}

/// Returns a file's tests alone, each on its own line; the whole file if it is one of tests.
pub(crate) fn only_tests(file: SourceFile) -> SourceFile {
    if file.path.contains("/tests/") || file.path.ends_with("/tests.rs") {
        return file;
    }
    let product = without_tests(&file).text;
    let tests = file.text.strip_prefix(&product).unwrap_or_default();
    let text = format!("{}{tests}", "\n".repeat(product.matches('\n').count()));
    SourceFile { path: file.path, text }
}

pub(crate) fn first_name(path: &str) -> String {
    let name = path.trim_start().chars();
    name.take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect()
}

/// Returns the names of all functions, tests among them.
pub(crate) fn functions() -> BTreeSet<String> {
    let files = sources("src").into_iter().chain(sources("tests"));
    let mut names = BTreeSet::new();
    for file in files {
        for (_, line) in numbered(&file.text) {
            let rest = line.split_once("fn ").map(|(_, rest)| rest);
            names.extend(rest.map(first_name));
        }
    }
    names
}
