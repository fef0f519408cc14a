//! Killed on the same disk, killed and the disk emptied, drained: each several times, under load.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    broker::{Broker, Progress},
    instance::{Instance, Setup},
    load::{self, Stream},
    metrics::Buckets,
    moments::Moments,
    options::Options,
    process,
};

const APP: &str = "restore";

/// Between two kills: more than a checkpoint's interval, and not a multiple of it, so that kills fall
/// at all distances from the last one.
const CALM: Duration = Duration::from_millis(7_300);

/// What a start after a kill took.
struct Back {
    /// Until the first new moment was committed.
    first: Duration,
    /// Until every partition had one.
    all: Duration,
    /// Rows read, from the first partition's start until the last was ready.
    rows: u64,
    restoring: Duration,
    /// Of all its threads, from its start until then: what a busy machine cannot blur.
    cpu: Duration,
}

struct Bench<'b> {
    options: &'b Options,
    setup: Setup,
    moments: Moments,
}

/// Measures everything, and prints one table.
pub(crate) fn run(options: &Options, broker: &Broker, folder: &Path) {
    let input = format!("{APP}-touchpoints");
    broker.create(&[&input], options.partitions);
    let setup = Setup::new(options, broker, folder, (APP, ""));
    let feeder = load::feeder(broker, &input);
    let count = load::fill(&feeder, options.customers);
    println!(
        "{} customers, {count} touchpoints, {} partitions, {} workers, {}",
        options.customers,
        options.partitions,
        options.workers,
        options.rega.display()
    );
    let began = Instant::now();
    let mut instance = setup.start();
    let progress = Progress::of(broker, APP, &input, options.partitions);
    while progress.committed() < count {
        std::thread::sleep(Duration::from_millis(100));
        // Says so if it is gone.
        instance.wait_for("started", 1);
    }
    let filled = began.elapsed();
    println!(
        "filled in {:.1} s: {:.0} touchpoints a second",
        filled.as_secs_f64(),
        rate(count, filled)
    );
    let moments = Moments::watch(broker, &format!("{APP}-moments"), options.partitions);
    let stream = Stream::of_known(feeder, options.rate, options.customers, count);
    let bench = Bench { options, setup, moments };
    let calm = if options.small { Duration::from_secs(2) } else { Duration::from_mins(1) };
    let commits = commits(&instance, calm);
    println!("at {} touchpoints a second, all the while:", options.rate);
    println!("| | times | median | least–most |");
    println!("|---|---|---|---|");
    println!(
        "| commit, of Rega's own metric: p50, p99 | {:.0} | {:.0} ms, {:.0} ms | |",
        commits.count(),
        commits.quantile(0.5) * 1000.0,
        commits.quantile(0.99) * 1000.0
    );
    let instance = bench.killed(instance, options.kills, false);
    let instance = bench.killed(instance, options.kills.div_ceil(3), true);
    bench.drained(instance, options.kills.div_ceil(3));
    drop(stream);
}

/// Returns how long commits took for a while.
fn commits(instance: &Instance, time: Duration) -> Buckets {
    let look = || Buckets::read(&instance.metrics(), "rega_commit_seconds");
    let before = look();
    std::thread::sleep(time);
    look().since(&before)
}

impl Bench<'_> {
    /// Kills it so often; says how long it took to be back.
    fn killed(&self, mut instance: Instance, times: u32, and_its_disk: bool) -> Instance {
        let mut backs = Vec::new();
        for _ in 0..times {
            if !self.options.small {
                std::thread::sleep(CALM);
            }
            let at = instance.kill();
            if and_its_disk {
                self.setup.empty_disk();
            }
            instance = self.setup.start();
            self.moments.await_new();
            let back = self.back(&mut instance, at);
            eprintln!("{}", story(&instance, at, &back));
            backs.push(back);
        }
        let disk = if and_its_disk { "an empty disk" } else { "the same disk" };
        let seconds =
            |of: fn(&Back) -> Duration| backs.iter().map(move |one| of(one).as_secs_f64());
        line(&format!("kill -9 to the first new commit, {disk}, s"), seconds(|one| one.first), 2);
        line(&format!("… to one of every partition, {disk}, s"), seconds(|one| one.all), 2);
        line(
            &format!("rows restored, {disk}"),
            backs.iter().map(|one| rate(i64::try_from(one.rows).unwrap(), Duration::from_secs(1))),
            0,
        );
        if and_its_disk {
            let rates =
                backs.iter().map(|one| rate(i64::try_from(one.rows).unwrap(), one.restoring));
            line("rows a second, all workers", rates, 0);
        }
        instance
    }

    fn back(&self, instance: &mut Instance, at: Instant) -> Back {
        let partitions = usize::try_from(self.options.partitions).unwrap();
        instance.wait_for("partition ready", partitions);
        let cpu = process::cpu(instance.pid());
        let (first, last) = self.moments.first_and_last();
        let ready = instance.said("partition ready");
        let rows = ready.iter().map(|(_, line)| restored(line)).sum();
        let began = instance.said("restoring").iter().map(|(at, _)| *at).min().unwrap();
        let ended = ready.iter().map(|(at, _)| *at).max().unwrap();
        Back { first: first - at, all: last - at, rows, restoring: ended - began, cpu }
    }

    fn drained(&self, mut instance: Instance, times: u32) {
        let mut took = Vec::new();
        for _ in 0..times {
            took.push(instance.drain().as_secs_f64() * 1000.0);
            instance = self.setup.start();
            let partitions = usize::try_from(self.options.partitions).unwrap();
            instance.wait_for("partition ready", partitions);
            instance.wait_for("committed worker", 3);
        }
        line("SIGTERM to its end, ms", took.into_iter(), 0);
    }
}

/// Returns where the time of one start went, in milliseconds after the kill.
fn story(instance: &Instance, at: Instant, back: &Back) -> String {
    let after = |text: &str| {
        let times: Vec<String> = instance
            .said(text)
            .iter()
            .take(8)
            .map(|(when, _)| when.saturating_duration_since(at).as_millis().to_string())
            .collect();
        format!("{text} {}", times.join(" "))
    };
    let texts = ["started version", "partitions assigned", "restoring", "partition ready"];
    let told: Vec<String> = texts.iter().map(|text| after(text)).collect();
    let commit = instance.said("committed worker").first().map(|(when, _)| *when - at);
    format!(
        "  ms after the kill: {}; committed {:?}; seen {} to {}; {} ms of CPU",
        told.join("; "),
        commit.map(|after| after.as_millis()),
        back.first.as_millis(),
        back.all.as_millis(),
        back.cpu.as_millis()
    )
}

/// Reads how many rows a partition was restored from.
fn restored(line: &str) -> u64 {
    let (_, number) = line.split_once("restored=").unwrap();
    number.split_whitespace().next().unwrap().parse().unwrap()
}

fn line(what: &str, values: impl Iterator<Item = f64>, digits: usize) {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first(), values.last()) else { return };
    println!(
        "| {what} | {} | {:.digits$} | {least:.digits$}–{most:.digits$} |",
        values.len(),
        values[values.len() / 2]
    );
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "counts below 2^52")]
fn rate(count: i64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}
