//! What was asked for on the command line.

use std::time::Duration;

/// How much of what.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// `--customers N`: how many have state.
    pub(crate) customers: u64,
    /// `--partitions N`.
    pub(crate) partitions: i32,
    /// `--workers N`.
    pub(crate) workers: usize,
    /// `--rate N`: touchpoints a second that go on coming.
    pub(crate) rate: u64,
    /// `--kills N`: kills with the disk as it was; a third as many with an empty one.
    pub(crate) kills: u32,
    /// `--rega PATH`: another binary than the one built for the bench.
    pub(crate) rega: std::path::PathBuf,
    /// `dull`: long and steady instead.
    pub(crate) dull: bool,
    /// `--minutes N`: how long, with `dull`.
    pub(crate) length: Duration,
    /// `--test`: everything once.
    pub(crate) small: bool,
}

impl Options {
    /// Reads the arguments. Those of cargo itself are passed over.
    pub(crate) fn parse(arguments: &[String]) -> Self {
        let mut options = Self {
            customers: 1_000_000,
            partitions: 4,
            workers: 1,
            rate: 1_000,
            kills: 9,
            rega: env!("CARGO_BIN_EXE_rega").into(),
            dull: false,
            length: Duration::from_mins(30),
            small: false,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().unwrap_or_else(|| panic!("{argument} needs a value"));
            match argument.as_str() {
                "--customers" => options.customers = value().parse().unwrap(),
                "--partitions" => options.partitions = value().parse().unwrap(),
                "--workers" => options.workers = value().parse().unwrap(),
                "--rate" => options.rate = value().parse().unwrap(),
                "--kills" => options.kills = value().parse().unwrap(),
                "--rega" => options.rega = value().into(),
                "dull" => options.dull = true,
                "--minutes" => {
                    let minutes: u64 = value().parse().unwrap();
                    options.length = Duration::from_secs(minutes * 60);
                }
                "--test" => {
                    options.small = true;
                    (options.customers, options.kills, options.rate) = (2_000, 1, 200);
                    options.length = Duration::from_secs(5);
                }
                "--bench" => {}
                other => panic!("unknown argument \"{other}\""),
            }
        }
        options
    }
}
