//! What one types: arguments become a command, its outcome an exit code.
//!
//! One file per subcommand, each with its arguments and a `run`. To add one: the file, a variant of
//! [`Command`], and its arm in [`Command::run`].

mod check;
mod demo;
mod erase;
mod explain;
mod generate;
mod inspect;
mod output;
mod pace;
mod replay;
mod run;
mod test;
mod words;

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};

pub use self::output::{colour_of, error, print};
use crate::{config::Report, kafka::KafkaFailure, telemetry::version};

/// Names every moment between customers and a brand, keeps engagement, and raises the alarm when
/// pain spikes.
#[derive(Debug, Parser)]
#[command(name = "rega", version = version(), arg_required_else_help = true, subcommand_required = true)]
#[command(after_help = "Settings can also be given as environment variables: `kafka.brokers` is \
                        REGA_KAFKA__BROKERS.\nExit codes: 0 done, 1 failed, 64 wrong usage or \
                        configuration.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What Rega can do.
#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArguments),
    Run(run::RunArguments),
    Replay(replay::ReplayArguments),
    Check(check::CheckArguments),
    Inspect(inspect::InspectArguments),
    Test(test::TestArguments),
    Explain(explain::ExplainArguments),
    Generate(generate::GenerateArguments),
    Erase(erase::EraseArguments),
}

impl Command {
    fn run(self) -> Result<(), Failure> {
        match self {
            Self::Demo(arguments) => demo::run(&arguments),
            Self::Run(arguments) => run::run(&arguments),
            Self::Replay(arguments) => replay::run(&arguments),
            Self::Check(arguments) => check::run(&arguments),
            Self::Inspect(arguments) => inspect::run(&arguments),
            Self::Test(arguments) => test::run(&arguments),
            Self::Explain(arguments) => explain::run(&arguments),
            Self::Generate(arguments) => generate::run(&arguments),
            Self::Erase(arguments) => erase::run(&arguments),
        }
    }
}

/// Why a command did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// It was asked for in a way that cannot be: exit code 64.
    Usage(String),
    /// What was written in files or environment is wrong: exit code 64.
    Config(Box<Report>),
    /// The same, and everything has been said: exit code 64.
    Told,
    /// Something is not as it should be, and it has been said: exit code 1.
    Untrue,
    /// It could not go on: exit code 1.
    Fatal(String),
}

impl From<Report> for Failure {
    fn from(report: Report) -> Self {
        Self::Config(Box::new(report))
    }
}

/// Says why Kafka did not do what was asked. That nobody answers is the usual reason, and the client's
/// words for it help nobody.
fn kafka_failed(brokers: &str, failure: &KafkaFailure) -> Failure {
    Failure::Fatal(if failure.is_silence() {
        format!(
            "no Kafka broker answers at {brokers}, so nothing was done: start it, or say where it is \
             (kafka.brokers in the file of --config, or REGA_KAFKA__BROKERS)"
        )
    } else {
        format!("Kafka at {brokers}: {failure}")
    })
}

/// Wrong usage or configuration (`EX_USAGE` of sysexits).
const USAGE: u8 = 64;
/// Cannot go on.
const FATAL: u8 = 1;

/// Runs the command that the arguments ask for.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let written: Vec<OsString> = arguments.into_iter().collect();
    let arguments = match Arguments::try_parse_from(&written) {
        Ok(arguments) => arguments,
        Err(refusal) => return refuse(&refusal, written.get(1)),
    };
    let failure = match arguments.command.run() {
        Ok(()) => return done(),
        Err(failure) => failure,
    };
    match failure {
        Failure::Usage(message) => {
            error(&format!("rega: {message}\n"));
            ExitCode::from(USAGE)
        }
        Failure::Config(report) => {
            error(&report.render(colour_of(&std::io::stderr())));
            ExitCode::from(USAGE)
        }
        Failure::Told => ExitCode::from(USAGE),
        Failure::Untrue => ExitCode::from(FATAL),
        Failure::Fatal(message) => {
            error(&format!("rega: {message}\n"));
            ExitCode::from(FATAL)
        }
    }
}

/// Ends a command that did what was asked, unless what it printed never got out.
fn done() -> ExitCode {
    let Some(problem) = output::unsaid() else { return ExitCode::SUCCESS };
    error(&format!("rega: cannot write to standard output: {problem}\n"));
    ExitCode::from(FATAL)
}

/// Answers what is no command: help where it was asked for, one sentence where something is wrong.
fn refuse(refusal: &clap::Error, command: Option<&OsString>) -> ExitCode {
    let kind = refusal.kind();
    if matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        print(&refusal.to_string());
        return done();
    }
    if kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        error(&refusal.to_string());
    } else {
        error(&format!("rega: {}\n", sentence(&refusal.to_string(), command)));
    }
    ExitCode::from(USAGE)
}

/// Makes one sentence of what clap says in several paragraphs.
fn sentence(refusal: &str, command: Option<&OsString>) -> String {
    let mut said = Vec::new();
    for paragraph in refusal.split("\n\n") {
        let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(what) = line.strip_prefix("error: ") {
            said.push(what.to_owned());
        } else if let Some(tip) = line.strip_prefix("tip: ") {
            said.push(tip.to_owned());
        }
    }
    let command = command.and_then(|one| one.to_str());
    let known = command.filter(|one| Arguments::command().find_subcommand(one).is_some());
    said.push(known.map_or_else(
        || "see \"rega --help\"".to_owned(),
        |known| format!("see \"rega {known} --help\""),
    ));
    said.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn wrong_usage_is_one_sentence() {
        #[track_caller]
        fn check(arguments: &[&str], expected: &str) {
            let refusal = Arguments::try_parse_from(arguments).unwrap_err();
            let command = arguments.get(1).map(OsString::from);
            assert_eq!(sentence(&refusal.to_string(), command.as_ref()), expected);
        }
        check(
            &["rega", "chek"],
            "unrecognized subcommand 'chek'; a similar subcommand exists: 'check'; see \"rega \
             --help\"",
        );
        check(
            &["rega", "check", "--shema", "rules"],
            "unexpected argument '--shema' found; a similar argument exists: '--schema'; see \
             \"rega check --help\"",
        );
    }
}
