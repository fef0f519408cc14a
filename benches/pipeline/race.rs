//! The race: everybody works through the same topic, in turn, several times.

use std::{collections::BTreeMap, path::Path, time::Instant};

use rega::{
    kafka::{Connection, Feeder},
    model::EventTime,
    simulation::{Simulated, Simulation, SimulationSpec},
};

use crate::{
    broker::{Broker, Progress},
    contestant::Cost,
    equal,
    options::Options,
    report,
    runners::{Ground, Runner, build_java, lay_out_patterns, table},
    sample::{patterns, write_reference_pack},
};

/// 2026-01-05T00:00:00Z, a Monday.
const START_MILLIS: i64 = 1_767_571_200_000;

/// What all races share.
pub(crate) struct Bench {
    pub(crate) broker: Broker,
    pub(crate) load: Vec<Simulated>,
    pub(crate) folder: std::path::PathBuf,
    pub(crate) jars: Option<std::path::PathBuf>,
    pub(crate) runners: Vec<Runner>,
}

impl Bench {
    /// Makes the load and what the contestants need.
    pub(crate) fn prepare(options: &Options, broker: Broker, folder: &Path) -> Self {
        let spec = SimulationSpec {
            customers: options.customers,
            seed: 7,
            start: EventTime::from_millis(START_MILLIS).unwrap(),
            touchpoints_per_day: f64::from(options.customers),
            spikes: Vec::new(),
        };
        let load: Vec<Simulated> = Simulation::new(spec).take(options.events).collect();
        let bytes: usize = load.iter().map(|one| one.line.len()).sum();
        println!(
            "load: {} touchpoints of {} bytes in the mean, {} customers, {} partitions, {} worker",
            load.len(),
            bytes / load.len(),
            options.customers,
            options.partitions,
            options.workers,
        );
        write_reference_pack(
            &std::fs::read_to_string(table()).unwrap(),
            &folder.join("reference.yaml"),
        );
        if options.wants("floor") {
            let began = Instant::now();
            let made = patterns(&["commerce"], &load);
            println!(
                "sizes: moment {}, row {}, engagement {} bytes in the mean, {:.2} rows a touchpoint; the engine alone, with making patterns: {:.1} µs a touchpoint",
                made.sizes[0],
                made.sizes[1],
                made.sizes[2],
                made.rows_each,
                began.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(load.len()).unwrap()),
            );
            lay_out_patterns(folder, &made);
        }
        let mut runners = Runner::ALL.to_vec();
        runners.retain(|runner| options.wants(runner.name()));
        let java = runners.iter().any(|runner| runner.is_java());
        let jars = if java { build_java(folder) } else { None };
        runners.retain(|runner| !runner.is_java() || jars.is_some());
        broker.create(&["touchpoints"], options.partitions);
        Self { broker, load, folder: folder.to_owned(), jars, runners }
    }

    /// Returns where contestants find and put things.
    pub(crate) fn ground<'b>(&'b self, options: &'b Options) -> Ground<'b> {
        Ground {
            brokers: self.broker.address(),
            input: "touchpoints",
            folder: &self.folder,
            options,
            jars: self.jars.clone(),
            pack: self.folder.join("reference.yaml"),
        }
    }

    /// Returns a producer of touchpoints.
    pub(crate) fn feeder(&self) -> Feeder {
        let connection = Connection::new(&self.broker.address(), BTreeMap::new()).unwrap();
        Feeder::open(&connection, "touchpoints").unwrap()
    }
}

/// Runs all rounds and prints what came of them.
pub(crate) fn run(bench: &Bench, options: &Options) {
    let feeder = bench.feeder();
    for touchpoint in &bench.load {
        feeder.send(touchpoint.customer_id.as_bytes(), &touchpoint.line).unwrap();
    }
    feeder.finish().unwrap();
    let total: i64 = bench.broker.ends("touchpoints", options.partitions).iter().sum();
    let ground = bench.ground(options);
    let mut costs: BTreeMap<&str, Vec<Cost>> = BTreeMap::new();
    let mut outputs = BTreeMap::new();
    for round in 0..options.runs {
        for runner in &bench.runners {
            let mut started = runner.start(&ground, &bench.broker, &round.to_string());
            let progress =
                Progress::of(&bench.broker, &started.group, "touchpoints", options.partitions);
            let cost = started.contestant.measure(&progress, total);
            started.contestant.stop();
            report::line(runner.name(), round, &cost);
            costs.entry(runner.name()).or_default().push(cost);
            outputs.entry(runner.name()).or_insert((started.output, started.engagement));
        }
        let Some((ours, engagement)) = outputs.get("reference").filter(|_| round == 0) else {
            continue;
        };
        let java = Runner::ALL.into_iter().filter(|runner| runner.is_java());
        for (theirs, _) in java.filter_map(|runner| outputs.get(runner.name())) {
            equal::check(&bench.broker, options.partitions, (ours, engagement), theirs);
        }
    }
    report::table(&costs);
}
