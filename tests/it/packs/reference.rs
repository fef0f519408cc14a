//! Every example of the rule reference is a complete pack that does what it says.

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
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let examples = examples(&page);
    assert!(8 < examples.len(), "{} examples: the page lost its fences", examples.len());
    let folder = tempfile::tempdir().expect("a folder for the examples");
    let mut failures = Vec::new();
    for (line, text) in examples {
        let file = folder.path().join(format!("line-{line}.yaml"));
        fs::write(&file, text).expect("the example can be written");
        match run(&file) {
            Err(problems) => failures.push(format!("docs/rules.md:{line}\n{problems}")),
            Ok(verdict) => {
                let idle = format!("docs/rules.md:{line}: no test hits {}", idle(&verdict));
                failures.extend((!verdict.idle_rules.is_empty()).then_some(idle));
                let none = verdict.test_count == 0;
                failures.extend(none.then(|| format!("docs/rules.md:{line}: no test")));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
