//! `rega check`: config, packs and mappings, every problem with file, line and caret.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, colour_of, print};
use crate::config::{self, Colour, Environment, schemas};

/// Check settings, packs and mappings, and tell every problem at once
#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// Files, or folders to be searched for .yaml files [default: config]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Print a JSON Schema instead: of something that you write, or of something that Rega writes
    #[arg(long, value_name = "NAME", conflicts_with = "paths")]
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(schemas::names()))]
    schema: Option<String>,
}

/// Where things are when nobody says where.
const DEFAULT_FOLDER: &str = "config";

pub(super) fn run(arguments: &CheckArguments) -> Result<(), Failure> {
    if let Some(schema) = arguments.schema.as_deref().and_then(schemas::schema) {
        print(schema);
        return Ok(());
    }
    let default = PathBuf::from(DEFAULT_FOLDER);
    let paths = match arguments.paths.as_slice() {
        [] if !default.is_dir() => {
            let message = "there is no folder \"config\" here: say which files to check, as in \
                           \"rega check my/rega.yaml\"";
            return Err(Failure::Usage(message.to_owned()));
        }
        [] => vec![default],
        paths => paths.to_vec(),
    };
    let told = tell(&paths, &Environment::of_process(), colour_of(&std::io::stdout()));
    print(&told.text);
    if told.sound { Ok(()) } else { Err(Failure::Told) }
}

/// What there is to say of some paths.
struct Told {
    text: String,
    sound: bool,
}

fn tell(paths: &[PathBuf], environment: &Environment, colour: Colour) -> Told {
    let checked = config::check(paths, environment);
    let files = counted(checked.file_count, "file");
    if checked.report.is_empty() {
        return Told { text: format!("{files} checked, no problem\n"), sound: true };
    }
    let problems = counted(checked.report.problems().len(), "problem");
    let text = format!("{}\n{files} checked, {problems}\n", checked.report.render(colour));
    Told { text, sound: false }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
