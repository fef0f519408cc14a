//! What people read when something they wrote is wrong, word by word, and what is read when it is
//! right.

mod cycles;
mod dialects;
mod mappings;
mod packs;
mod schemas;
mod secrets;
mod settings_file;
mod syntax;
mod variables;
mod warnings;
mod words;

use std::path::Path;

use super::{
    Config, Environment, Pack, Report,
    load::{Loaded, Loader},
    mapping,
    rules::PackReader,
    settings,
};
use crate::engine::{decode::mapping::spec::MappingSpec, rules::spec::At};

/// Returns an environment of these variables.
fn environment(variables: &[(&str, &str)]) -> Environment {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Loads settings from the text of a file.
fn load_with(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, Report> {
    let mut loader = Loader::default();
    let root = loader.text("rega.yaml".to_owned(), text.to_owned());
    let environment = environment(variables);
    let all = root.and_then(|root| loader.settings_of(root, Path::new("nowhere"), &environment));
    all.filter(|_| loader.problems.is_empty()).ok_or_else(|| loader.into_report())
}

/// Reads settings alone, without the packs and mappings that they name.
fn settings_with(text: &str, variables: &[(&str, &str)]) -> Result<Config, Report> {
    let mut loader = Loader::default();
    let root = loader.text("rega.yaml".to_owned(), text.to_owned());
    let config = root.and_then(|mut root| {
        environment(variables).overlay(&mut root, &mut loader);
        settings::read(&root, &mut loader.problems)
    });
    config.filter(|_| loader.problems.is_empty()).ok_or_else(|| loader.into_report())
}

/// Returns the settings that a text gives.
#[track_caller]
fn settings_of(text: &str) -> Config {
    settings_with(text, &[]).unwrap()
}

/// Returns what is said of a bad config file.
#[track_caller]
fn said(text: &str) -> String {
    settings_with(text, &[]).unwrap_err().to_string()
}

/// Returns what is said of a bad config file and of what it names.
#[track_caller]
fn said_in_full(text: &str) -> String {
    load_with(text, &[]).unwrap_err().to_string()
}

/// Reads one pack file, and compiles it where it could be read.
fn read_pack(text: &str) -> Result<Pack, Report> {
    let mut loader = Loader::default();
    let mut reader = PackReader::default();
    if let Some(root) = loader.text("pack.yaml".to_owned(), text.to_owned()) {
        reader.begin();
        reader.file(&root, &mut loader.problems);
        reader.end(root.at, &mut loader.problems);
    }
    let mut pack = reader.finish();
    drop(loader.compile(&mut pack, 0));
    if loader.problems.is_empty() { Ok(pack) } else { Err(loader.into_report()) }
}

/// Returns what is said of a bad pack.
#[track_caller]
fn said_of_pack(text: &str) -> String {
    read_pack(text).unwrap_err().to_string()
}

/// Returns what is said of one rule with this in it.
#[track_caller]
fn said_of_rule(rule: &str) -> String {
    said_of_pack(&format!("pack: test\nrules:\n  - name: a rule\n{rule}"))
}

/// Reads a mapping.
fn read_mapping(text: &str) -> Result<MappingSpec, Report> {
    let mut loader = Loader::default();
    let root = loader.text("shop.yaml".to_owned(), text.to_owned());
    let mapping = root.and_then(|root| mapping::read(&root, &mut loader.problems));
    mapping.filter(|_| loader.problems.is_empty()).ok_or_else(|| loader.into_report())
}

/// Returns what is said of a bad mapping.
#[track_caller]
fn said_of_mapping(text: &str) -> String {
    read_mapping(text).unwrap_err().to_string()
}

/// Nowhere: the place of what is not in a file.
const NOWHERE: At = At(0);
