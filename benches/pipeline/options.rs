//! What was asked for on the command line.

use std::time::Duration;

use crate::runners::Runner;

/// How much of what.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// `--events N`: touchpoints to work through.
    pub(crate) events: usize,
    /// `--customers N`.
    pub(crate) customers: u32,
    /// `--runs N`: how often each contestant runs.
    pub(crate) runs: usize,
    /// `--partitions N`.
    pub(crate) partitions: i32,
    /// `--workers N`: threads of each contestant (the floor has one).
    pub(crate) workers: usize,
    /// `--commit-ms N`: the transaction's length, of every contestant. Else what each does where nobody
    /// says: 100 ms, as Kafka Streams, and with `latency`, where nothing waits, Rega's 50.
    pub(crate) commit_every: Option<Duration>,
    /// `--only NAME[,NAME…]`: these contestants.
    pub(crate) only: Option<Vec<String>>,
    /// `--rega PATH`: another binary than the one built for the bench.
    pub(crate) rega: std::path::PathBuf,
    /// `latency`: at a fixed rate instead.
    pub(crate) latency: bool,
    /// `--rate N`: touchpoints a second, with `latency`.
    pub(crate) rate: f64,
    /// `--seconds N`: how long, with `latency`.
    pub(crate) seconds: f64,
}

impl Options {
    /// Reads the arguments. Those of cargo itself are passed over.
    pub(crate) fn parse(arguments: &[String]) -> Self {
        let mut options = Self {
            events: 1_000_000,
            customers: 100_000,
            runs: 5,
            partitions: 4,
            workers: 1,
            commit_every: None,
            only: None,
            rega: env!("CARGO_BIN_EXE_rega").into(),
            latency: false,
            rate: 5_000.0,
            seconds: 30.0,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().unwrap_or_else(|| panic!("{argument} needs a value"));
            match argument.as_str() {
                "--events" => options.events = value().parse().unwrap(),
                "--customers" => options.customers = value().parse().unwrap(),
                "--runs" => options.runs = value().parse().unwrap(),
                "--partitions" => options.partitions = value().parse().unwrap(),
                "--workers" => options.workers = value().parse().unwrap(),
                "--commit-ms" => {
                    options.commit_every = Some(Duration::from_millis(value().parse().unwrap()));
                }
                "--only" => options.only = Some(value().split(',').map(str::to_owned).collect()),
                "--rega" => options.rega = value().into(),
                "latency" => options.latency = true,
                "--rate" => options.rate = value().parse().unwrap(),
                "--seconds" => options.seconds = value().parse().unwrap(),
                "--test" => {
                    (options.events, options.customers, options.runs) = (3_000, 500, 1);
                }
                "--bench" => {}
                other => panic!("unknown argument \"{other}\""),
            }
        }
        options
    }

    /// Returns the length of a contestant's transactions.
    pub(crate) fn commit_every(&self, runner: Runner) -> Duration {
        let is_rega = matches!(runner, Runner::Rega | Runner::Reference);
        let usual = if is_rega && self.latency { 50 } else { 100 };
        self.commit_every.unwrap_or(Duration::from_millis(usual))
    }

    /// Returns whether a contestant takes part.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|one| one == name))
    }
}
