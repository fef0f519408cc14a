//! The shape of the code, held by a test: layers, purity, names, sizes, crates.
//!
//! A wall that nobody checks is a habit. Every finding is one line, with the place, the words that
//! broke the wall, and the reason why it stands: `src/engine/x.rs:25: `tokio`: the engine never
//! waits`. `findings` ends with tests that break each
//! wall once: a check that finds nothing is known to be one that could have found something.
#![cfg(test)]

mod code;
mod findings;
mod walls;

use std::collections::BTreeSet;

use crate::{
    code::{functions, only_tests, read, sources, without_tests},
    findings::{
        crate_findings, door_findings, later_findings, layer_findings, length_finding,
        map_findings, module, name_findings, opening_finding, purity_findings, word_findings,
    },
    walls::{ISLANDS, LINES_MAX, LONGER, NOT_IN_TESTS},
};

#[test]
fn dependencies_point_inwards() {
    found_nothing(sources("src").iter().flat_map(layer_findings));
}

#[test]
fn model_and_engine_are_pure() {
    found_nothing(sources("src").iter().flat_map(purity_findings));
}

#[test]
fn each_library_has_one_door() {
    found_nothing(sources("src").iter().flat_map(door_findings));
}

#[test]
fn every_file_opens_with_its_idea() {
    let files = sources("src").into_iter().chain(sources("tests")).chain(sources("benches"));
    found_nothing(files.filter_map(|file| opening_finding(&file)));
}

#[test]
fn no_file_outgrows_a_reader() {
    found_nothing(sources("src").iter().filter_map(length_finding));
    let short = |path: &str| {
        let file = sources("src").into_iter().find(|file| file.path == path);
        file.is_none_or(|file| without_tests(&file).text.lines().count() <= LINES_MAX)
    };
    let stale = LONGER.iter().filter(|(path, ..)| short(path));
    found_nothing(stale.map(|(path, ..)| format!("{path} is short or gone: take it from LONGER")));
}

#[test]
fn no_name_is_empty() {
    let files = sources("src").into_iter().chain(sources("tests"));
    found_nothing(files.flat_map(|file| name_findings(&file)));
}

#[test]
fn tests_run_and_do_not_sleep() {
    let beside = sources("src").into_iter().map(only_tests);
    let files = beside.chain(sources("tests"));
    found_nothing(files.flat_map(|file| word_findings(&file, &NOT_IN_TESTS)));
}

#[test]
fn nothing_is_left_for_later() {
    let files = sources("src").into_iter().chain(sources("tests")).chain(sources("benches"));
    found_nothing(files.flat_map(|file| later_findings(&file)));
}

#[test]
fn unsafe_code_is_on_islands() {
    let at_sea = sources("src").into_iter().filter(|file| !ISLANDS.contains(&&*file.path));
    let banned = [("unsafe", "only the files in ISLANDS call what Rust cannot check")];
    found_nothing(at_sea.flat_map(|file| word_findings(&file, &banned)));
}

#[test]
fn crates_are_few_and_once() {
    found_nothing(crate_findings(&read("Cargo.lock")));
}

#[test]
fn the_map_in_architecture_md_is_the_tree() {
    let modules: BTreeSet<_> = sources("src").iter().map(module).collect();
    let modules: Vec<_> = modules.into_iter().filter(|module| !module.is_empty()).collect();
    found_nothing(map_findings(&read("ARCHITECTURE.md"), &modules, &functions()));
}

#[track_caller]
fn found_nothing(findings: impl IntoIterator<Item = String>) {
    let findings: Vec<_> = findings.into_iter().collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}
