//! A page of the documentation: its examples, links and tables.

use std::{fs, path::Path};

/// An example between fences.
#[derive(Debug)]
pub(crate) struct Block {
    /// Where its first line stands.
    pub(crate) line: usize,
    /// The words after the fence: the language, and what a test should do with it.
    pub(crate) words: Vec<String>,
    /// What stands between the fences.
    pub(crate) text: String,
}

impl Block {
    /// Returns the word of that number, or nothing.
    pub(crate) fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", String::as_str)
    }
}

/// Returns where a file of the project stands.
pub(crate) fn root(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Returns the text of a file of the project.
#[track_caller]
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns every page that a reader may be sent to.
pub(crate) fn pages() -> Vec<String> {
    let top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];
    let mut pages = top.map(str::to_owned).to_vec();
    for entry in fs::read_dir(root("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
            pages.push(format!("docs/{name}"));
        }
    }
    pages.sort();
    pages
}

/// Returns the examples of a page in their order.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (index, line) in page.lines().enumerate() {
        match (inside, line.strip_prefix("```")) {
            (false, Some(words)) => {
                inside = true;
                let words = words.split_whitespace().map(str::to_owned).collect();
                blocks.push(Block { line: index + 2, words, text: String::new() });
            }
            (true, Some(_)) => inside = false,
            (true, None) => {
                let text = &mut blocks.last_mut().unwrap().text;
                text.push_str(line);
                text.push('\n');
            }
            (false, None) => {}
        }
    }
    assert!(!inside, "a fence is never closed");
    blocks
}

/// Returns the lines of a page that are no examples, each with its number.
pub(crate) fn prose(page: &str) -> Vec<(usize, &str)> {
    let mut inside = false;
    let mut prose = Vec::new();
    for (index, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            inside = !inside;
        } else if !inside {
            prose.push((index + 1, line));
        }
    }
    prose
}

/// Returns where the links of a page lead, each with its line.
pub(crate) fn links(page: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    for (line, text) in prose(page) {
        for after in text.split("](").skip(1) {
            links.extend(after.split_once(')').map(|(target, _)| (line, target)));
        }
    }
    links
}

/// Returns what a heading is called in a link.
pub(crate) fn anchors(page: &str) -> Vec<String> {
    let headings = prose(page).into_iter().filter(|(_, line)| line.starts_with('#'));
    headings
        .map(|(_, line)| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|each| each.is_alphanumeric() || " -_".contains(*each));
            kept.collect::<String>().replace(' ', "-")
        })
        .collect()
}

/// Returns the cells of the tables under a heading, without the rows that head them.
#[track_caller]
pub(crate) fn table<'p>(page: &'p str, heading: &str) -> Vec<Vec<&'p str>> {
    let mut lines = page.lines().skip_while(|line| *line != heading).skip(1).peekable();
    assert!(lines.peek().is_some(), "there is no \"{heading}\"");
    let depth = heading.bytes().take_while(|each| *each == b'#').count();
    let within = lines.take_while(|line| {
        let own = line.bytes().take_while(|each| *each == b'#').count();
        own == 0 || depth < own
    });
    let rows = within.filter(|line| line.starts_with("| ") && !line.starts_with("|---"));
    let cells = rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect());
    let mut cells: Vec<Vec<&str>> = cells.collect();
    assert!(!cells.is_empty(), "there is no table under \"{heading}\"");
    cells.remove(0);
    cells
}
