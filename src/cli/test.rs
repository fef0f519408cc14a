//! `rega test`: the tests that stand beside the rules.

use std::{fmt::Write as _, io::IsTerminal};

use clap::Args;

use super::{Failure, colour_of, error, print, words::counted};
use crate::{
    config::{self, Colour, Environment, LoadedPack},
    engine::Settings,
    trial::{self, Hunt, PackOutcome},
};

/// Run the tests that stand beside the rules
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 all is as expected, 1 something is not, 64 wrong usage or \
                        files.")]
pub(super) struct TestArguments {
    /// Packs: a name (commerce), a file, a folder of one or more; or the settings that name them
    /// [default: config]
    #[arg(value_name = "PATH")]
    paths: Vec<String>,

    /// Fail also where no test hits a rule
    #[arg(long)]
    every_rule: bool,

    /// Change one label, threshold or point at a time, and tell which changes no test would notice
    #[arg(long)]
    mutate: bool,

    /// With --mutate: fail where fewer of a hundred changes are noticed
    #[arg(long, value_name = "PERCENT", requires = "mutate")]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
    at_least: Option<u8>,
}

/// Where packs are when nobody says where.
const DEFAULT_FOLDER: &str = "config";

pub(super) fn run(arguments: &TestArguments) -> Result<(), Failure> {
    let paths = match arguments.paths.as_slice() {
        [] if !std::path::Path::new(DEFAULT_FOLDER).is_dir() => {
            let message = "there is no folder \"config\" here: say which packs to test, as in \
                           \"rega test commerce my/pack\"";
            return Err(Failure::Usage(message.to_owned()));
        }
        [] => vec![DEFAULT_FOLDER.to_owned()],
        paths => paths.to_vec(),
    };
    let colour = colour_of(&std::io::stdout());
    let mut sound = true;
    for suite in config::load_suites(&paths, &Environment::of_process())? {
        let outcome = trial::run(&suite.pack, &suite.settings);
        print(&told(&suite.name, &outcome, colour));
        sound &= outcome.failures.is_empty();
        sound &= !arguments.every_rule || outcome.idle_rules.is_empty();
        // Mutants of rules whose tests fail already would all be "noticed".
        if arguments.mutate && outcome.failures.is_empty() {
            let hunt = hunt(&suite.pack, &suite.settings);
            print(&survivors(&hunt));
            let wanted = arguments.at_least.map_or(0.0, f64::from);
            sound &= wanted <= hunt.noticed_percent();
        }
    }
    if sound { Ok(()) } else { Err(Failure::Untrue) }
}

fn hunt(pack: &LoadedPack, settings: &Settings) -> Hunt {
    let watched = std::io::stderr().is_terminal();
    let hunt = trial::hunt(pack, settings, &mut |done, all| {
        if watched {
            error(&format!("\r{done} of {all} rules"));
        }
    });
    if watched {
        error("\r\x1b[K");
    }
    hunt
}

fn told(name: &str, outcome: &PackOutcome, colour: Colour) -> String {
    let PackOutcome { failures, idle_rules, test_count, rule_count } = outcome;
    let paint = |code: &str, text: &str| match colour {
        Colour::Never => text.to_owned(),
        Colour::Always => format!("\x1b[{code}m{text}\x1b[0m"),
    };
    let mut out = String::new();
    for failure in failures {
        // Writing to a string does not fail.
        let title = format!("{}: {}", failure.place, failure.test);
        _ = writeln!(out, "{}\n{}", paint("1;31", &title), failure.text);
    }
    if !idle_rules.is_empty() {
        _ = writeln!(out, "no test hits:");
        for (place, rule) in idle_rules {
            _ = writeln!(out, "  {place}: {rule}");
        }
    }
    let failed = match failures.len() {
        0 => "as expected".to_owned(),
        1 => "1 expectation is not met".to_owned(),
        count => format!("{count} expectations are not met"),
    };
    let hit = rule_count - idle_rules.len().min(*rule_count);
    let (tests, rules) = (counted(*test_count, "test"), counted(*rule_count, "rule"));
    _ = writeln!(out, "{name}: {tests}, {hit} of {rules} hit, {failed}");
    out
}

fn survivors(hunt: &Hunt) -> String {
    let mut out = String::new();
    if !hunt.survivors.is_empty() {
        _ = writeln!(out, "nobody would notice:");
    }
    for one in &hunt.survivors {
        _ = writeln!(out, "  {}: {}: {}", one.place, one.rule, one.change);
    }
    let noticed = hunt.tried - hunt.survivors.len();
    let percent = hunt.noticed_percent();
    let tried = counted(hunt.tried, "change");
    _ = writeln!(out, "{noticed} of {tried} noticed ({percent:.1} %)");
    out
}
