//! What pages say of each other and of the program: links, commands, metrics.

use std::{collections::BTreeSet, process::Command};

use super::page::{anchors, links, pages, prose, read, root};

#[test]
fn every_link_leads_somewhere() {
    let mut dead = Vec::new();
    for path in pages() {
        let page = read(&path);
        let folder =
            path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        for (line, target) in links(&page) {
            if target.starts_with("https://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.clone() } else { format!("{folder}{file}") };
            let leads = root(&file).exists()
                && (anchor.is_empty() || anchors(&read(&file)).iter().any(|each| each == anchor));
            if !leads {
                dead.push(format!("{path}:{line}: {target}"));
            }
        }
    }
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
}

/// Returns the commands that the program knows.
fn commands() -> BTreeSet<String> {
    let help = Command::new(env!("CARGO_BIN_EXE_rega")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = list.take_while(|line| !line.is_empty());
    let names = names.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn the_readme_lists_every_command_and_no_other() {
    let page = read("README.md");
    let rows = super::page::table(&page, "## Commands");
    let listed =
        rows.iter().filter_map(|row| row.first()?.strip_prefix("`rega ")?.split([' ', '`']).next());
    assert_eq!(listed.map(str::to_owned).collect::<BTreeSet<_>>(), commands());
}

/// Words of the form `rega …` in running text name commands that exist.
#[test]
fn no_page_names_a_command_that_does_not_exist() {
    let commands = commands();
    let mut unknown = Vec::new();
    for path in pages() {
        let page = read(&path);
        for (line, text) in prose(&page) {
            for quoted in text.split('`').skip(1).step_by(2) {
                let Some(rest) = quoted.strip_prefix("rega ") else { continue };
                let name = rest.split_whitespace().next().unwrap_or_default();
                if !name.starts_with('-') && !commands.contains(name) {
                    unknown.push(format!("{path}:{line}: {quoted}"));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "unknown commands:\n{}", unknown.join("\n"));
}

/// `docs/metrics.md` is held against the program by a test of the telemetry; the other pages are
/// held against it.
#[test]
fn no_page_names_a_metric_that_does_not_exist() {
    let known = metrics(&read("docs/metrics.md"));
    assert!(20 < known.len(), "{known:?}");
    for path in pages() {
        let unknown: Vec<_> = metrics(&read(&path)).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{path} names {unknown:?}");
    }
}

/// Returns the words that look like a metric's name.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|each: char| !each.is_ascii_alphanumeric() && each != '_');
    // A histogram's buckets are asked for by a name of their own.
    let names = words.map(|word| word.strip_suffix("_bucket").unwrap_or(word));
    // Properties that senders may set are no metrics.
    let properties = ["rega_channel", "rega_actor"];
    let names = names.filter(|word| word.starts_with("rega_") && !properties.contains(word));
    names.map(str::to_owned).collect()
}
