//! The packs whose tests are to be run: what somebody names on the command line, each with the
//! settings that it runs under.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    Environment, LoadedPack, Report,
    check::{Content, check, content, find, pack_of, real},
    load::Loader,
    rules::{Pack, PackReader},
    settings, shipped,
};
use crate::engine::{self, rules::spec::At};

/// A pack (or several that settings name together), ready for its tests.
#[derive(Debug)]
pub struct Suite {
    /// As a person would call it: its path, or its name.
    pub name: String,
    /// Rules, tests, and where they stand.
    pub pack: LoadedPack,
    /// What it runs under.
    pub settings: engine::Settings,
}

/// Finds and loads the packs that some paths name: a shipped pack's name, a pack's file or folder, a
/// folder with several, or settings that name packs.
///
/// # Errors
///
/// Returns every problem of every file: whoever wrote them has to mend them.
pub fn load_suites(paths: &[String], environment: &Environment) -> Result<Vec<Suite>, Report> {
    let on_disk: Vec<PathBuf> = paths
        .iter()
        .filter(|path| shipped::pack(path).is_none() || Path::new(path).exists())
        .map(PathBuf::from)
        .collect();
    if !on_disk.is_empty() {
        let checked = check(&on_disk, environment);
        if !checked.report.is_empty() {
            return Err(checked.report);
        }
    }
    let mut suites = Vec::new();
    for path in paths {
        match shipped::pack(path).filter(|_| !on_disk.contains(&PathBuf::from(path))) {
            Some(shipped) => {
                let pack = super::load_packs([shipped.name])?;
                let settings = engine::Settings::default();
                suites.push(Suite { name: shipped.name.to_owned(), pack, settings });
            }
            None => suites.extend(suites_below(Path::new(path), environment)?),
        }
    }
    Ok(suites)
}

fn suites_below(path: &Path, environment: &Environment) -> Result<Vec<Suite>, Report> {
    let mut looking = Loader::default();
    let mut files = BTreeSet::new();
    find(path, 0, &mut looking, &mut files);
    let found: BTreeMap<PathBuf, Content> = files
        .into_iter()
        .filter_map(|file| content(&file, &mut looking).map(|content| (file, content)))
        .collect();
    let mut suites = Vec::new();
    let mut read = BTreeSet::new();
    for (file, _) in found.iter().filter(|(_, content)| **content == Content::Settings) {
        let mut loader = Loader::default();
        let suite = of_settings(file, environment, &mut loader);
        read.extend(loader.pack_files.iter().map(|file| real(file)));
        // Settings that name shipped packs alone have no tests of their own.
        if !path.is_dir() || !loader.pack_files.is_empty() {
            suites.push(finish(suite, file.display().to_string(), loader)?);
        }
    }
    let mut packs = BTreeSet::new();
    for (file, content) in &found {
        if let Content::Pack { named } = content
            && !read.contains(&real(file))
        {
            packs.insert(pack_of(file, *named));
        }
    }
    for files in packs {
        let mut loader = Loader::default();
        let name = name_of(&files);
        let mut reader = PackReader::default();
        loader.pack(files, At::default(), &mut reader);
        let pack = (reader.finish(), engine::Settings::default());
        suites.push(finish(Some(pack), name, loader)?);
    }
    Ok(suites)
}

fn of_settings(
    file: &Path,
    environment: &Environment,
    loader: &mut Loader,
) -> Option<(Pack, engine::Settings)> {
    let (_, mut root) = loader.file(file, At::default())?;
    environment.overlay(&mut root, loader);
    let config = settings::read(&root, &mut loader.problems)?;
    let base = file.parent().unwrap_or(Path::new(""));
    let pack = loader.packs(&config.rules, base);
    Some((pack, config.engine()))
}

fn finish(
    read: Option<(Pack, engine::Settings)>,
    name: String,
    mut loader: Loader,
) -> Result<Suite, Report> {
    let compiled = read.and_then(|(mut pack, settings)| {
        let rules = loader.compile(&mut pack, 0)?;
        Some((pack, rules, settings))
    });
    match compiled {
        Some((pack, rules, settings)) if loader.problems.is_empty() => {
            let Pack { spec, tests, lineage, .. } = pack;
            let pack = LoadedPack { rules, spec, tests, lineage, sources: loader.sources };
            Ok(Suite { name, pack, settings })
        }
        Some(_) | None => Err(loader.into_report()),
    }
}

/// A pack of one file is called by it, one of several by their folder.
fn name_of(files: &[PathBuf]) -> String {
    match files {
        [only] => only.display().to_string(),
        [first, ..] => first.parent().unwrap_or(first).display().to_string(),
        [] => String::new(),
    }
}
