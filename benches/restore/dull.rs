//! Long and dull: a steady load, and nothing that grows.
//!
//! The load is simulated: people browse, buy, wait and complain, at a pace at which each has a hundred
//! touchpoints behind them when counting begins. Rows go on growing a little after that.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rega::{
    model::EventTime,
    simulation::{Simulation, SimulationSpec},
};

use crate::{
    broker::{Broker, Progress},
    instance::Setup,
    load::{self, Stream},
    options::Options,
    process,
};

const APP: &str = "dull";

/// Half of what this machine can do, about.
const RATE: u64 = 3_000;

/// How many there are: few enough for a hundred touchpoints of each before counting begins, more than a
/// ring of event ids holds.
const CUSTOMERS: u32 = 5_000;

/// What one customer does in a day of theirs. At the rate above, a second is 3.6 hours.
const A_DAY: f64 = 1.0;

const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How big a process is at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    rss_mib: f64,
    /// Of it what is no page of a file, which the system may take back.
    own_mib: f64,
    files: f64,
    threads: f64,
}

impl Size {
    fn of(pid: u32) -> Self {
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
        Self {
            rss_mib: process::status(pid, "VmRSS") / 1024.0,
            own_mib: process::status(pid, "RssAnon") / 1024.0,
            files: f64::from(u32::try_from(files).unwrap()),
            threads: process::status(pid, "Threads"),
        }
    }
}

/// What was seen at one moment.
#[derive(Clone, Copy, Debug)]
struct Look {
    size: Size,
    cpu: Duration,
    committed: i64,
}

/// Runs, and prints ten tenths.
pub(crate) fn run(options: &Options, broker: &Broker, folder: &Path) {
    let input = format!("{APP}-touchpoints");
    broker.create(&[&input], options.partitions);
    // So that rows fill their memory long before the end.
    let setup = Setup::new(options, broker, folder, (APP, "state: { memory_bytes: 67108864 }"));
    let (rate, warm_up, every) = if options.small {
        (200, Duration::from_secs(1), options.length / 10)
    } else {
        (RATE, Duration::from_mins(3), LOOK_EVERY)
    };
    let whole = options.length + warm_up;
    let days = load_days(rate, whole);
    let start = load::now_millis() - days * 86_400_000;
    let mut simulation = Simulation::new(SimulationSpec {
        customers: CUSTOMERS,
        seed: 11,
        start: EventTime::from_millis(start).unwrap(),
        touchpoints_per_day: f64::from(CUSTOMERS) * A_DAY,
        spikes: Vec::new(),
    });
    let mut instance = setup.start();
    instance.wait_for("partition ready", usize::try_from(options.partitions).unwrap());
    let progress = Progress::of(broker, APP, &input, options.partitions);
    let stream = Stream::begin(load::feeder(broker, &input), rate, move || {
        let one = simulation.next().unwrap();
        (one.customer_id, one.line)
    });
    std::thread::sleep(warm_up);
    let pid = instance.pid();
    let look =
        || Look { size: Size::of(pid), cpu: process::cpu(pid), committed: progress.committed() };
    let (began, mut looks) = (Instant::now(), vec![look()]);
    while began.elapsed() < options.length {
        std::thread::sleep(every);
        looks.push(look());
    }
    drop(stream);
    println!(
        "\n{rate} touchpoints a second for {:?} after {warm_up:?}, {days} days of {CUSTOMERS} customers",
        options.length
    );
    table(&looks);
    instance.drain();
}

/// Returns how many days of the customers' time a run may take.
fn load_days(rate: u64, time: Duration) -> i64 {
    let touchpoints = rate * time.as_secs();
    // A day more, and one that is not over.
    i64::try_from(touchpoints / u64::from(CUSTOMERS)).unwrap() + 2
}

fn table(looks: &[Look]) {
    println!("| tenth | RSS MiB | own MiB | files | threads | CPU µs a touchpoint | touchpoints |");
    println!("|---|---|---|---|---|---|---|");
    let length = (looks.len() - 1) / 10;
    let mut ends = Vec::new();
    for tenth in 0..10 {
        let part = &looks[tenth * length..=(tenth + 1) * length];
        let (first, last) = (part[0], part[part.len() - 1]);
        let touchpoints = last.committed - first.committed;
        let cpu = last.cpu.saturating_sub(first.cpu).as_secs_f64() * 1e6;
        let mean = |of: fn(&Size) -> f64| {
            part.iter().map(|look| of(&look.size)).sum::<f64>() / as_f64(part.len())
        };
        let row = [
            mean(|size| size.rss_mib),
            mean(|size| size.own_mib),
            mean(|size| size.files),
            mean(|size| size.threads),
            cpu / f64::from(i32::try_from(touchpoints.max(1)).unwrap()),
        ];
        println!(
            "| {} | {:.0} | {:.0} | {:.1} | {:.1} | {:.2} | {touchpoints} |",
            tenth + 1,
            row[0],
            row[1],
            row[2],
            row[3],
            row[4]
        );
        ends.push(row);
    }
    let ratio = |column: usize| ends[9][column] / ends[0][column];
    println!(
        "| last : first | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | |",
        ratio(0),
        ratio(1),
        ratio(2),
        ratio(3),
        ratio(4)
    );
}

fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}
