//! Reads a page from top to bottom and does what it says.

use super::{
    matching::{Numbers, first_unsaid},
    page::{self, Block, read},
    terminal::Terminal,
};
use crate::packs;

/// Follows a page. A part that the page needs and that is not to be had here is said aloud.
fn follow(path: &str) {
    let page = read(path);
    let blocks = page::blocks(&page);
    assert!(!blocks.is_empty(), "{path} lost its examples");
    let typed: Vec<&str> = blocks.iter().filter(|each| each.word(0) == "sh").map(text).collect();
    let typed = typed.concat();
    let needs: Vec<&str> =
        ["kcat", "curl"].into_iter().filter(|program| typed.contains(program)).collect();
    let Some(mut terminal) = Terminal::open(typed.contains("deploy/local/kafka start"), &needs)
    else {
        return;
    };
    for block in &blocks {
        if let Err(reason) = obey(block, &mut terminal) {
            panic!("{path}:{}: {reason}\n{}", block.line, terminal.said());
        }
    }
}

fn text(block: &Block) -> &str {
    &block.text
}

fn obey(block: &Block, terminal: &mut Terminal) -> Result<(), String> {
    match (block.word(0), block.word(1)) {
        ("sh", "") if terminal.run(&block.text) => Ok(()),
        ("sh", "") => Err("failed".to_owned()),
        ("sh", "fails") if terminal.run(&block.text) => Err("should have failed".to_owned()),
        ("sh", "beside") => {
            terminal.run_beside(&block.text);
            Ok(())
        }
        ("sh", "interrupt") if terminal.interrupt() => Ok(()),
        ("sh", "interrupt") => Err("did not end well".to_owned()),
        ("console", _) => understood(&block.text, terminal),
        ("text", "") => shows(&block.text, terminal.said(), Numbers::Any),
        ("text", "exact") => shows(&block.text, terminal.said(), Numbers::Exact),
        // A failure that the page announces; something to look at.
        ("sh", "fails") | ("text", "picture") => Ok(()),
        ("yaml", file) => check_yaml(file, &block.text, terminal),
        ("ndjson", file) if !file.is_empty() => {
            terminal.save(file, &block.text);
            Ok(())
        }
        ("json", schema) if !schema.is_empty() => satisfies(&block.text, schema),
        (language, word) => Err(format!("nobody knows what to do with \"{language} {word}\"")),
    }
}

fn shows(shown: &str, said: &str, numbers: Numbers) -> Result<(), String> {
    match first_unsaid(shown, said, numbers) {
        Some(line) => Err(format!("this was not said: {line}\n--- but:")),
        None => Ok(()),
    }
}

/// Asks for help at the end of each command: what stands before it must be understood then.
fn understood(text: &str, terminal: &mut Terminal) -> Result<(), String> {
    for command in text.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let command = command.split(['|', '>']).next().unwrap_or_default().trim();
        if command.starts_with("rega ") && !terminal.run(&format!("{command} --help")) {
            return Err(format!("not understood: {command}"));
        }
    }
    Ok(())
}

/// Checks YAML as a user would, and runs the tests that it brings.
fn check_yaml(file: &str, text: &str, terminal: &mut Terminal) -> Result<(), String> {
    let file = if file.is_empty() { "scratch/example.yaml" } else { file };
    terminal.save(file, text);
    if !terminal.run(&format!("rega check {file}")) {
        return Err("has problems".to_owned());
    }
    if text.lines().any(|line| line == "tests:") {
        packs::run(&terminal.folder().join(file))?;
    }
    Ok(())
}

fn satisfies(text: &str, schema: &str) -> Result<(), String> {
    let schema = read(&format!("docs/schemas/{schema}.json"));
    let schema = serde_json::from_str(&schema).map_err(|error| error.to_string())?;
    let instance = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let validator = jsonschema::validator_for(&schema).map_err(|error| error.to_string())?;
    validator.validate(&instance).map_err(|error| error.to_string())
}

/// The pages about rules and about text have a runner of their own (`packs::reference`); every other
/// page with examples is followed here.
#[test]
fn every_page_with_examples_is_followed() {
    let followed = [
        "README.md",
        "docs/dialects.md",
        "docs/generate.md",
        "docs/operating.md",
        "docs/performance.md",
        "docs/rules.md",
        "docs/spikes.md",
        "docs/text.md",
        "docs/tutorial.md",
    ];
    for path in page::pages() {
        let examples = page::blocks(&read(&path));
        let only_pictures = examples.iter().all(|each| each.word(0) == "text");
        assert!(only_pictures || followed.contains(&&*path), "nobody follows {path}");
    }
}

#[test]
fn the_readme_works_as_written() {
    follow("README.md");
}

/// Its commands are benches, which `.ci/run` runs once each.
#[test]
fn the_page_of_performance_works_as_written() {
    follow("docs/performance.md");
}

#[test]
fn the_tutorial_works_as_written() {
    follow("docs/tutorial.md");
}

#[test]
fn the_operators_page_works_as_written() {
    follow("docs/operating.md");
}

#[test]
fn the_page_of_dialects_works_as_written() {
    follow("docs/dialects.md");
}

#[test]
fn the_page_of_spikes_works_as_written() {
    follow("docs/spikes.md");
}

#[test]
fn the_page_of_simulated_customers_works_as_written() {
    follow("docs/generate.md");
}
