//! `rega inspect`: what is in a stream that nobody has described.
//!
//! A sample is read; what dialect it speaks is found; where it speaks none, a mapping is drafted
//! from the names and values of its fields. With that the engine labels the sample, so that one sees
//! before any work how much the packs know already. Values are shown by their shape alone.

mod draft;
mod fields;
mod labels;
mod report;
mod roles;
mod source;

use std::path::PathBuf;

use clap::Args;

use self::{
    draft::{mapping_draft, pack_draft},
    fields::Fields,
    labels::Labels,
    roles::Roles,
};
use super::{Failure, print};
use crate::{
    clock,
    config::{self, Environment, Loaded},
    engine::{Engine, decode::dialect_of},
    kafka::SampledRecord,
};

/// Tell what is in an unknown stream, and draft a mapping and a pack for it
#[derive(Debug, Args)]
pub(super) struct InspectArguments {
    /// A file, one record a line: plain, .gz or .zst; "-" is standard input
    #[arg(value_name = "FILE", required_unless_present = "topic", conflicts_with = "topic")]
    file: Option<PathBuf>,

    /// A topic: its newest records are looked at
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,

    /// Settings and rules, as for `run`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// What the records look like [default: found]
    #[arg(long, value_name = "DIALECT")]
    dialect: Option<String>,

    /// How many records are looked at
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    records: u32,

    /// Write the drafts there, as mapping.yaml and pack.yaml, instead of showing them
    #[arg(long, value_name = "FOLDER")]
    draft: Option<PathBuf>,
}

/// What was found.
struct Findings {
    records: Vec<SampledRecord>,
    dialects: Vec<(&'static str, usize)>,
    /// Which dialect the sample was read by, or `None`: by the draft.
    read_by: Option<String>,
    fields: Fields,
    roles: Roles,
    labels: Labels,
    mapping: Option<String>,
    pack: String,
}

/// A stream is of a dialect if so much of it is, in percent: some records of any stream are broken.
const KNOWN_SHARE: usize = 50;

pub(super) fn run(arguments: &InspectArguments) -> Result<(), Failure> {
    let loaded = config::load(arguments.config.as_deref(), &Environment::of_process())?;
    let most = usize::try_from(arguments.records).unwrap_or(usize::MAX);
    let records = match (&arguments.file, &arguments.topic) {
        (Some(file), _) => source::of_file(file, most)?,
        (None, Some(topic)) => source::of_topic(&loaded.config, topic, most)?,
        (None, None) => return Err(Failure::Usage("say which file or which topic".to_owned())),
    };
    if records.is_empty() {
        return Err(Failure::Fatal("there is no record to look at".to_owned()));
    }
    let findings = findings(records, arguments.dialect.clone(), loaded)?;
    print(&report::render(&findings));
    if let Some(folder) = &arguments.draft {
        return write_drafts(folder, &findings);
    }
    print(&report::drafts(&findings));
    Ok(())
}

fn findings(
    records: Vec<SampledRecord>,
    asked: Option<String>,
    loaded: Loaded,
) -> Result<Findings, Failure> {
    let dialects = dialects_of(&records);
    let fields = Fields::of(&records);
    let roles = Roles::among(&fields);
    let read_by = asked.or_else(|| spoken(&dialects, records.len()));
    let mapping = read_by.is_none().then(|| mapping_draft(&roles));
    let dialect = match (&read_by, &mapping) {
        (Some(name), _) => config::load_dialect(name)?,
        (None, Some(draft)) => config::mapping_of("mapping.yaml", draft)?,
        (None, None) => config::load_dialect("native")?,
    };
    let Loaded { config, rules, .. } = loaded;
    let mut settings = config.engine();
    settings.expects_keys = false;
    settings.backfill_after = None;
    let engine = Engine::new(rules.into(), settings, dialect);
    let labels = Labels::of(&records, &engine, clock::wall_clock());
    let pack = pack_draft(&labels, &engine);
    Ok(Findings { records, dialects, read_by, fields, roles, labels, mapping, pack })
}

/// Returns how many records speak each dialect, the most first; `none` for those of no dialect.
fn dialects_of(records: &[SampledRecord]) -> Vec<(&'static str, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for record in records {
        let name = labels::with(record, dialect_of).unwrap_or("none");
        *counts.entry(name).or_insert(0) += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// Returns the dialect of a sample, if most of it speaks one; `auto` where they are several.
fn spoken(dialects: &[(&'static str, usize)], records: usize) -> Option<String> {
    let mut known = dialects.iter().filter(|(name, _)| *name != "none");
    let (first, count) = known.next()?;
    let all = count + known.clone().map(|(_, count)| count).sum::<usize>();
    if all * 100 < records * KNOWN_SHARE {
        return None;
    }
    Some(if known.next().is_some() { "auto" } else { first }.to_owned())
}

fn write_drafts(folder: &std::path::Path, findings: &Findings) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::Fatal(format!("cannot write to \"{}\": {error}", folder.display()))
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let drafts = [("mapping.yaml", findings.mapping.as_ref()), ("pack.yaml", Some(&findings.pack))];
    for (name, draft) in drafts {
        let Some(draft) = draft else { continue };
        let path = folder.join(name);
        if path.exists() {
            let message = format!("\"{}\" is there already: choose another folder", path.display());
            return Err(Failure::Fatal(message));
        }
        std::fs::write(&path, draft).map_err(failed)?;
        print(&format!("written   {}\n", path.display()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
