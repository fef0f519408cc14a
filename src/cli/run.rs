//! `rega run`: the service, until a signal ends it.

use std::{future::pending, path::PathBuf};

use clap::Args;

use super::Failure;
use crate::{
    config::{self, Environment, settings::LogFormat as Written},
    service::{self, Exit, RuleFiles},
    telemetry::{LogFormat, init_logging},
};

/// Read touchpoints from Kafka, and write moments and engagement
#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// The settings
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Where the group's committed offset and the state disagree, go on at the committed offset
    #[arg(long)]
    adopt_offsets: bool,

    /// What is logged: a level, or pairs such as rega=debug
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log: String,
}

pub(super) fn run(arguments: &RunArguments) -> Result<(), Failure> {
    let environment = Environment::of_process();
    let loaded = config::load(Some(&arguments.config), &environment)?;
    let format = match loaded.config.log_format {
        Written::Text => LogFormat::Text,
        Written::Json => LogFormat::Json,
    };
    init_logging(format, &arguments.log).map_err(|error| Failure::Usage(error.to_string()))?;
    // Of a build for tests alone: elsewhere it does nothing.
    let _failpoints = fail::FailScenario::setup();
    let files = RuleFiles { settings: arguments.config.clone(), environment };
    match service::start(loaded, files, arguments.adopt_offsets, pending()) {
        Ok(Exit::Drained) => Ok(()),
        Ok(Exit::CutShort) => {
            let message = "ended before everything was committed; it is done again at the next \
                           start, and nothing is lost or repeated";
            Err(Failure::Fatal(message.to_owned()))
        }
        Err(failure) => Err(Failure::Fatal(failure.to_string())),
    }
}
