//! Every example of the rule reference, and of the page about text, is a complete pack that does what
//! it says.

use std::{fs, path::Path};

use super::{idle, run};

/// Returns the YAML examples of a page, each with the line it starts at.
fn examples(page: &str) -> Vec<(usize, String)> {
    let mut examples: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (index, line) in page.lines().enumerate() {
        match (inside, line.trim_end()) {
            (false, "```yaml") => {
                inside = true;
                examples.push((index + 2, String::new()));
            }
            (true, "```") => inside = false,
            (true, line) => {
                if let Some((_, text)) = examples.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
            (false, _) => {}
        }
    }
    examples
}

#[test]
fn every_example_of_the_rule_reference_runs() {
    check("docs/rules.md", 9);
}

#[test]
fn every_example_of_the_page_about_text_runs() {
    check("docs/text.md", 2);
}

/// Runs the examples of a page, of which there are at least so many.
#[track_caller]
fn check(path: &str, least: usize) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let page = fs::read_to_string(page).expect("the page is there");
    let examples = examples(&page);
    assert!(least <= examples.len(), "{} examples: {path} lost its fences", examples.len());
    let folder = tempfile::tempdir().expect("a folder for the examples");
    let mut failures = Vec::new();
    for (line, text) in examples {
        let file = folder.path().join(format!("line-{line}.yaml"));
        fs::write(&file, text).expect("the example can be written");
        match run(&file) {
            Err(problems) => failures.push(format!("{path}:{line}\n{problems}")),
            Ok(verdict) => {
                let idle = format!("{path}:{line}: no test hits {}", idle(&verdict));
                failures.extend((!verdict.idle_rules.is_empty()).then_some(idle));
                let none = verdict.test_count == 0;
                failures.extend(none.then(|| format!("{path}:{line}: no test")));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
