//! `rega replay`: the same engine over files. No Kafka, event time only.
//!
//! What `run` would have published from the same records in the same partitions, this writes: the
//! wall clock has no say but in what is told from the future.

mod apart;
pub(super) mod lines;
mod outputs;
mod session;
mod summary;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use self::{lines::Lines, outputs::Outputs, session::ReplaySession};
use super::{Failure, error};
use crate::{
    clock,
    config::{self, Environment, Loaded},
    engine::{
        Engine,
        decode::Dialect,
        spike::{Detector, DetectorSettings},
    },
    model::{EventTime, Partitioner},
};

/// Run the engine over files of touchpoints, one JSON document a line
#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// Files, in this order: plain, .gz or .zst; "-" is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Settings, rules and mappings, as for `run`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// What the lines look like: native, auto, segment, cloudevents, snowplow, posthog, ga4, or a
    /// mapping file [default: as for the topic of the settings]
    #[arg(long, value_name = "DIALECT")]
    dialect: Option<String>,

    /// Write the records of `moments` there; "-" is standard output
    #[arg(long, value_name = "OUT")]
    moments: Option<PathBuf>,

    /// Write every customer's last record of `engagement` there
    #[arg(long, value_name = "OUT")]
    engagement: Option<PathBuf>,

    /// Look for spikes, and write the records of `pain-spikes` there
    #[arg(long, value_name = "OUT")]
    spikes: Option<PathBuf>,

    /// Write what could not be read there, with the reason
    #[arg(long, value_name = "OUT")]
    rejects: Option<PathBuf>,

    /// Let time pass until then at the end, and fade scores to it (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = instant)]
    as_of: Option<EventTime>,

    /// The time of lines that have none [default: the line before's]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    default_ts: Option<EventTime>,

    /// Hash customers into so many partitions, each with its own clock, as `run` would
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4096))]
    partitions: u32,

    /// How customers are hashed: as Java producers do (murmur2), or librdkafka's (crc32)
    #[arg(long, value_name = "NAME", default_value = "murmur2", value_parser = partitioner)]
    partitioner: Partitioner,
}

impl ReplayArguments {
    /// Returns what is read, as far as it is named here.
    fn inputs(&self) -> impl Iterator<Item = &Path> {
        let dialect = self.dialect.as_deref().map(Path::new);
        self.files.iter().map(PathBuf::as_path).chain(self.config.as_deref()).chain(dialect)
    }

    /// Returns what is written, by its option.
    fn outputs(&self) -> [(&'static str, Option<&Path>); 4] {
        [
            ("--moments", self.moments.as_deref()),
            ("--engagement", self.engagement.as_deref()),
            ("--spikes", self.spikes.as_deref()),
            ("--rejects", self.rejects.as_deref()),
        ]
    }

    /// Returns what came of writing; `None` where the reader of standard output has seen enough (`rega
    /// replay … --moments - | head`) and nothing else is written, which would stay half done without a
    /// word.
    fn told<T>(&self, written: std::io::Result<T>) -> Result<Option<T>, Failure> {
        match written {
            Ok(outcome) => Ok(Some(outcome)),
            Err(problem) => {
                let mut paths = self.outputs().into_iter().filter_map(|(_, path)| path);
                let enough = problem.kind() == std::io::ErrorKind::BrokenPipe
                    && paths.all(|path| path == Path::new("-"));
                if enough { Ok(None) } else { Err(fatal(&problem)) }
            }
        }
    }
}

pub(super) fn instant(text: &str) -> Result<EventTime, String> {
    let parsed: jiff::Timestamp = text
        .parse()
        .or(Err("expected a time with a zone, as in 2026-01-31T00:00:00Z".to_owned()))?;
    EventTime::from_millis(parsed.as_millisecond())
        .ok_or_else(|| "expected a year from 1 to 9999".to_owned())
}

fn partitioner(text: &str) -> Result<Partitioner, String> {
    let found = Partitioner::ALL.iter().find(|one| one.as_str() == text);
    found.copied().ok_or_else(|| "expected murmur2 or crc32".to_owned())
}

pub(super) fn run(arguments: &ReplayArguments) -> Result<(), Failure> {
    let loaded = config::load(arguments.config.as_deref(), &Environment::of_process())?;
    let dialect = dialect_of(arguments.dialect.as_deref(), &loaded)?;
    apart::check(arguments.inputs(), &arguments.outputs())?;
    let Loaded { config, rules, .. } = loaded;
    let mut settings = config.engine();
    settings.backfill_after = None;
    settings.expects_keys = false;
    let engine = Engine::new(Arc::new(rules), settings, dialect);
    let now = arguments.as_of.unwrap_or_else(clock::wall_clock);
    // Before the outputs, which are emptied: a typo in an input must cost nothing.
    let mut lines = Lines::open(&arguments.files)?;
    let outputs = Outputs::open(
        arguments.moments.as_deref(),
        arguments.engagement.as_deref(),
        arguments.rejects.as_deref(),
    )?
    .and_spikes(arguments.spikes.as_deref())?;
    let mut session = ReplaySession::new(&engine, now, outputs);
    if arguments.spikes.is_some() {
        let settings = DetectorSettings { backfill_after: None, ..config.detector() };
        session.detect(Detector::new(settings));
    }
    session.partition_by(arguments.partitions, arguments.partitioner);
    session.assume_time(arguments.default_ts);
    while let Some(line) = lines.next()? {
        if arguments.told(session.line(&line))?.is_none() {
            return Ok(());
        }
    }
    let Some(summary) = arguments.told(session.finish(arguments.as_of))? else { return Ok(()) };
    drop(lines);
    error(&summary.render(&engine));
    Ok(())
}

/// Returns how lines are read: as was asked for, or as `run` would read the topic.
pub(super) fn dialect_of(asked: Option<&str>, loaded: &Loaded) -> Result<Dialect, Failure> {
    Ok(match asked {
        Some(written) => config::load_dialect(written)?,
        None => loaded.dialects.of(&loaded.config.topics.touchpoints),
    })
}

fn fatal(problem: &std::io::Error) -> Failure {
    Failure::Fatal(format!("cannot write the output: {problem}"))
}
