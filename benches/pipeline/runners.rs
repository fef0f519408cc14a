//! How each contestant is started.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    broker::Broker,
    contestant::Contestant,
    floor::{self, Place},
    options::Options,
    sample::Patterns,
};

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    Floor,
    Rega,
    Reference,
    Streams,
    Loop,
}

/// Where contestants find and put things.
#[derive(Debug)]
pub(crate) struct Ground<'b> {
    pub(crate) brokers: String,
    pub(crate) input: &'b str,
    pub(crate) folder: &'b Path,
    pub(crate) options: &'b Options,
    pub(crate) jars: Option<PathBuf>,
    pub(crate) pack: PathBuf,
}

/// A contestant at work, and the names it goes by.
pub(crate) struct Started {
    pub(crate) contestant: Contestant,
    /// Its consumer group.
    pub(crate) group: String,
    /// Where its records of touchpoints go.
    pub(crate) output: String,
    pub(crate) engagement: String,
}

impl Runner {
    pub(crate) const ALL: [Self; 5] =
        [Self::Floor, Self::Rega, Self::Reference, Self::Streams, Self::Loop];

    /// Returns whether it is a Java program of ours.
    pub(crate) const fn is_java(self) -> bool {
        matches!(self, Self::Streams | Self::Loop)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Rega => "rega",
            Self::Reference => "reference",
            Self::Streams => "streams",
            Self::Loop => "loop",
        }
    }

    /// Starts it in run number `run`, with topics and a group of its own.
    pub(crate) fn start(self, ground: &Ground<'_>, broker: &Broker, run: &str) -> Started {
        let group = format!("{}-{run}", self.name());
        let topic = |role: &str| format!("{group}-{role}");
        let (output, engagement) = (topic("moments"), topic("engagement"));
        let folder = ground.folder.join(&group);
        fs::create_dir_all(&folder).unwrap();
        let partitions = ground.options.partitions;
        let commit_every = ground.options.commit_every(self);
        let millis = commit_every.as_millis().to_string();
        let command = match self {
            Self::Floor => {
                let outputs = [output.clone(), engagement.clone(), topic("state")];
                broker.create(&outputs.each_ref().map(String::as_str), partitions);
                let mut command = Command::new(std::env::current_exe().unwrap());
                let place = Place {
                    brokers: ground.brokers.clone(),
                    group: group.clone(),
                    input: ground.input.to_owned(),
                    outputs,
                    commit_every,
                    folder: ground.folder.join("patterns"),
                };
                command.args(place.arguments());
                command
            }
            Self::Rega => rega(ground, &group, commit_every, "commerce"),
            Self::Reference => {
                rega(ground, &group, commit_every, &ground.pack.display().to_string())
            }
            Self::Streams => {
                broker.create(&[&output], partitions);
                let mut command = java(ground, "Reference");
                command.args([&ground.brokers, &group, ground.input, &output, &millis]).args([
                    &ground.options.workers.to_string(),
                    &folder.display().to_string(),
                    &table().display().to_string(),
                ]);
                command
            }
            Self::Loop => {
                let state = topic("state");
                broker.create(&[&output, &state], partitions);
                let mut command = java(ground, "Loop");
                command.args([&ground.brokers, &group, ground.input, &output, &millis]);
                command.arg(state).arg(table());
                command
            }
        };
        let contestant = Contestant::start(command, &folder.join("log"));
        Started { contestant, group, output, engagement }
    }
}

/// Returns the command of a class of ours, without its arguments.
fn java(ground: &Ground<'_>, class: &str) -> Command {
    let mut command = Command::new("java");
    let jars = ground.jars.as_ref().unwrap();
    command.arg("-Xmx1g").arg("-cp").arg(format!("{}/*", jars.display()));
    command.arg(format!("rega.bench.{class}"));
    command
}

/// Returns the command of a `rega run` with one pack.
fn rega(ground: &Ground<'_>, group: &str, commit_every: Duration, pack: &str) -> Command {
    let folder = ground.folder.join(group);
    let options = ground.options;
    let config = format!(
        "app: {group}\n\
         kafka: {{ brokers: [\"{}\"] }}\n\
         topics: {{ touchpoints: {}, moments: {group}-moments, engagement: {group}-engagement, rejects: {group}-rejects }}\n\
         state: {{ dir: {} }}\n\
         workers: {}\n\
         rules: [{pack}]\n\
         commit: {{ interval: {}ms }}\n\
         http: {{ listen: \"127.0.0.1:0\" }}\n",
        ground.brokers,
        ground.input,
        folder.join("state").display(),
        options.workers,
        commit_every.as_millis(),
    );
    let file = folder.join("rega.yaml");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(&options.rega);
    command.arg("run").arg("--config").arg(file);
    command
}

/// Writes what the floor produces.
pub(crate) fn lay_out_patterns(folder: &Path, patterns: &Patterns) {
    let folder = folder.join("patterns");
    fs::create_dir_all(&folder).unwrap();
    floor::write_patterns(&folder, patterns);
}

/// The table of the reference job.
pub(crate) fn table() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/pipeline/reference.tsv")
}

/// Builds the Java programs; `None`, said aloud, where there is no Maven or Java compiler.
pub(crate) fn build_java(folder: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/pipeline/java");
    let (copy, jars) = (folder.join("java-source"), folder.join("jars"));
    // Maven writes beside its sources: it gets a copy.
    let copied = Command::new("cp").arg("-r").arg(source).arg(&copy).status().unwrap();
    assert!(copied.success());
    let built = Command::new("mvn")
        .args(["--quiet", "--batch-mode", "package", "dependency:copy-dependencies"])
        .arg(format!("-DoutputDirectory={}", jars.display()))
        .current_dir(&copy)
        .output();
    match built {
        Ok(output) if output.status.success() => {
            fs::copy(copy.join("target/bench-1.jar"), jars.join("bench-1.jar")).unwrap();
            Some(jars)
        }
        Ok(output) => {
            println!("SKIPPED streams and loop: {}", String::from_utf8_lossy(&output.stdout));
            None
        }
        Err(error) => {
            println!("SKIPPED streams and loop, because mvn is not to be had here: {error}");
            None
        }
    }
}

/// Gives a contestant time to join its group before it is measured at a fixed rate.
pub(crate) const WARM_UP: Duration = Duration::from_secs(12);
