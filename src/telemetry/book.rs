//! The one place where all workers' counts meet, and where they are read.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus::{Encoder, Registry, TextEncoder, proto::MetricFamily};

use super::{
    AbortClass, CustomerCounts, DetectorStanding, Names, StopReason, Tally, WorkerStanding,
    alarms::Alarms,
    declared,
    distribution::Distribution,
    log,
    metrics::{Counters, Gauges, Rosters, add},
    standing::Standing,
};
use crate::{engine::spike::Found, model::EventTime};

/// Why there is no telemetry. Nobody but the author of a declaration can do anything about it.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// Two metrics of one name, or a name that Prometheus does not allow.
    #[error("a metric cannot be registered")]
    Metric(#[from] prometheus::Error),
    /// A histogram's bounds make no sense.
    #[error("a distribution cannot be set up")]
    Distribution(#[from] hdrhistogram::CreationError),
}

/// A distribution of durations that can be asked for a quantile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// From a record's timestamp to the commit.
    EndToEnd,
    /// In the engine, per record.
    Processing,
    /// Of a commit.
    Commit,
}

/// All metrics of this instance. Shared by workers, HTTP and whoever shows figures.
#[derive(Debug)]
pub struct Telemetry {
    registry: Registry,
    counters: Counters,
    gauges: Gauges,
    alarms: Alarms,
    /// Handed to every tally, empty.
    empty_lateness: Distribution,
    empty_processing: Distribution,
    /// Taken once per transaction and once per scrape, so that a scrape shows whole transactions.
    shared: Mutex<Shared>,
}

/// What is not kept in the registry itself.
#[derive(Debug)]
struct Shared {
    rosters: Rosters,
    standing: Standing,
    lateness: Distribution,
    end_to_end: Distribution,
    processing: Distribution,
    commit: Distribution,
}

impl Telemetry {
    /// Registers every metric.
    ///
    /// # Errors
    ///
    /// A declaration that Prometheus refuses, which no test has let pass.
    pub fn new() -> Result<Self, TelemetryError> {
        let registry = Registry::new();
        let millis = Distribution::new(Duration::from_millis(1))?;
        let nanos = Distribution::new(Duration::from_nanos(1))?;
        Ok(Self {
            counters: Counters::new(&registry)?,
            gauges: Gauges::new(&registry)?,
            alarms: Alarms::new(&registry)?,
            registry,
            empty_lateness: millis.clone(),
            empty_processing: nanos.clone(),
            shared: Mutex::new(Shared {
                rosters: Rosters::new(),
                standing: Standing::default(),
                lateness: millis.clone(),
                end_to_end: millis,
                processing: nanos.clone(),
                commit: nanos,
            }),
        })
    }

    /// Returns an empty tally for one worker and the rule set that `names` is of.
    pub fn tally(&self, names: Arc<Names>) -> Tally {
        Tally::new(names, self.empty_lateness.clone(), self.empty_processing.clone())
    }

    /// Takes over what a worker counted in the transaction that was just committed, at `now` by the
    /// wall clock, in `took` from drain to answer; leaves the tally empty.
    pub fn committed(&self, tally: &mut Tally, now: EventTime, took: Duration) {
        let mut guard = self.shared();
        let shared = &mut *guard;
        self.counters.absorb(tally, &mut shared.rosters);
        add(&self.counters.commits, &[], 1);
        shared.commit.record(took, 1);
        for &timestamp in &tally.timestamps {
            let age = u64::try_from(now.since(timestamp)).unwrap_or(0);
            shared.end_to_end.record(Duration::from_millis(age), 1);
        }
        shared.lateness.absorb(&tally.lateness);
        shared.processing.absorb(&tally.processing);
        for (&partition, change) in &tally.customers {
            shared.standing.change(partition, change);
        }
        drop(guard);
        tally.clear();
    }

    /// A worker's transaction was aborted: its counts are dropped, and come again with the work.
    pub fn aborted(&self, tally: &mut Tally, worker: u16, class: AbortClass, error: &str) {
        tally.clear();
        add(&self.counters.aborts, &[class.as_str()], 1);
        log::commit_failed(worker, class, error);
    }

    /// Partitions were assigned to a worker; they are not ready yet.
    pub fn partitions_assigned(&self, worker: u16, partitions: &[i32]) {
        let mut shared = self.shared();
        for &partition in partitions {
            shared.standing.assigned(partition);
        }
        drop(shared);
        log::partitions_assigned(worker, partitions);
    }

    /// A partition's state has caught up: so many customers it holds, restored from so many records.
    pub fn partition_ready(
        &self,
        worker: u16,
        partition: i32,
        customers: CustomerCounts,
        restored: u64,
    ) {
        self.shared().standing.ready(partition, customers);
        log::partition_ready(worker, partition, restored);
    }

    /// Partitions left a worker, in good order (`lost` false) or not.
    pub fn partitions_revoked(&self, worker: u16, partitions: &[i32], lost: bool) {
        let mut shared = self.shared();
        for &partition in partitions {
            shared.standing.gone(partition);
        }
        drop(shared);
        log::partitions_revoked(worker, partitions, lost);
    }

    /// How far a partition's commits are behind: records, and the age of the oldest of them.
    pub fn lag(&self, partition: i32, records: u64, age: Duration) {
        self.shared().standing.lag(partition, records, age);
    }

    /// A client was shut out by another one of its name.
    pub fn fenced(&self) {
        add(&self.counters.fenced, &[], 1);
    }

    /// So many workers, routers and detectors do not come round.
    pub fn workers_stuck(&self, count: usize) {
        self.shared().standing.workers_stuck(count);
    }

    /// A partition cannot go on until somebody decides something: `reason` says what.
    pub fn partition_stopped(
        &self,
        worker: u16,
        partition: i32,
        code: StopReason,
        reason: &dyn fmt::Display,
    ) {
        add(&self.counters.partition_stops, &[code.as_str()], 1);
        log::partition_stopped(worker, partition, reason);
    }

    /// The same for a partition of a source.
    pub fn source_stopped(
        &self,
        router: u16,
        place: String,
        code: StopReason,
        reason: &dyn fmt::Display,
    ) {
        add(&self.counters.partition_stops, &[code.as_str()], 1);
        log::source_stopped(router, &place, reason);
        self.shared().standing.source_stopped(router, place);
    }

    /// A router that was stopped at a partition of a source has it no more.
    pub fn source_left(&self, router: u16, place: &str) {
        self.shared().standing.source_left(router, place);
    }

    /// How many records of the sources a router has not copied yet.
    pub fn route_lag(&self, router: u16, records: u64) {
        self.shared().standing.route_lag(router, records);
    }

    /// So many more records of the state topic were read to restore partitions.
    pub fn restored(&self, records: u64) {
        add(&self.counters.restored_records, &[], records);
    }

    /// A partition's checkpoint is complete.
    pub fn checkpoint_written(&self, worker: u16, partition: i32) {
        add(&self.counters.checkpoints, &["written"], 1);
        log::checkpoint_written(worker, partition);
    }

    /// The disk took no checkpoint of a partition.
    pub fn checkpoint_refused(&self, worker: u16, partition: i32, error: &dyn fmt::Display) {
        add(&self.counters.checkpoints, &["refused"], 1);
        log::checkpoint_refused(worker, partition, error);
    }

    /// How a worker stands.
    pub fn worker(&self, worker: u16, standing: WorkerStanding) {
        self.shared().standing.worker(worker, standing);
    }

    /// A worker ended, and will not be back.
    pub fn worker_stopped(&self, worker: u16) {
        self.shared().standing.worker_gone(worker);
        log::worker_stopped(worker);
    }

    /// A worker is built anew after an error that it could not survive.
    pub fn worker_rebuilt(&self, worker: u16, error: &str) {
        add(&self.counters.worker_rebuilds, &[], 1);
        log::worker_rebuilt(worker, error);
    }

    /// How the detector stands; `None`: another instance has it.
    pub fn detector(&self, standing: Option<&DetectorStanding>) {
        match standing {
            Some(standing) => self.alarms.stand(standing),
            None => self.alarms.stand(&DetectorStanding::default()),
        }
    }

    /// The detector judged some minutes, and what it found was committed.
    pub fn judged(&self, found: &Found) {
        self.alarms.judged(found);
    }

    /// A receiver was told, or was not.
    pub fn notified(&self, receiver: &str, result: &str) {
        self.alarms.notified(receiver, result);
    }

    /// So many records of a matter wait for a receiver.
    pub fn notify_queue(&self, matter: &str, count: usize) {
        self.alarms.queue(matter, count);
    }

    /// So many watch the live picture, and so many more frames were missed.
    pub fn viewers(&self, count: usize, missed: u64) {
        self.shared().standing.viewers(count);
        add(&self.counters.viewer_frames_missed, &[], missed);
    }

    /// These rules are in force now.
    pub fn rules_loaded(&self, version: &str, names: &Names) {
        let mut guard = self.shared();
        let shared = &mut *guard;
        shared.standing.rules(version);
        shared.rosters.show_zeros(names, &self.counters);
        drop(guard);
        log::rules_loaded(version, names.rule_count());
    }

    /// Rules were taken up while running.
    pub fn rules_reloaded(&self) {
        add(&self.counters.rules_reloads, &[], 1);
    }

    /// The rules on disk have so many problems that keep them out of force; 0: they are in force.
    pub fn rules_refused(&self, problems: usize) {
        self.shared().standing.rules_refused(problems);
    }

    /// Returns the customers of this instance's partitions, and how many partitions it has.
    pub fn customers(&self) -> (CustomerCounts, usize) {
        let shared = self.shared();
        (shared.standing.customers(), shared.standing.partition_count())
    }

    /// Returns everything in Prometheus' text format.
    pub fn render(&self) -> String {
        let families = self.gather();
        let mut text = Vec::new();
        // Writing to memory does not fail, and a family without series, which the encoder refuses,
        // is never gathered. Were that wrong, a cut exposition is still the best answer.
        if let Err(error) = TextEncoder::new().encode(&families, &mut text) {
            log::metrics_cut(&error);
        }
        String::from_utf8(text).unwrap_or_default()
    }

    /// Returns the sum of a metric (by the name it is declared under) for each value of one label.
    pub fn sums_by(&self, metric: &str, label: &str) -> BTreeMap<String, f64> {
        let mut sums = BTreeMap::new();
        for family in self.gather().iter().filter(|family| family.name() == metric) {
            for series in family.get_metric() {
                let labels = series.get_label();
                let value = labels.iter().find(|pair| pair.name() == label);
                let value = value.map_or("", |pair| pair.value()).to_owned();
                *sums.entry(value).or_default() +=
                    series.get_counter().get_value() + series.get_gauge().get_value();
            }
        }
        sums
    }

    /// Returns the sum of all series of a counter or gauge.
    pub fn sum(&self, metric: &str) -> f64 {
        self.sums_by(metric, "").values().sum()
    }

    /// Returns what `quantile` (0 to 1) of the durations do not exceed; `None` before the first.
    pub fn quantile(&self, latency: Latency, quantile: f64) -> Option<Duration> {
        let shared = self.shared();
        let distribution = match latency {
            Latency::EndToEnd => &shared.end_to_end,
            Latency::Processing => &shared.processing,
            Latency::Commit => &shared.commit,
        };
        distribution.quantile(quantile)
    }

    /// Returns every family, sorted by name.
    fn gather(&self) -> Vec<MetricFamily> {
        let shared = self.shared();
        shared.standing.show(&self.gauges);
        let mut families = self.registry.gather();
        families.extend([
            shared.lateness.family(&declared::LATENESS_SECONDS),
            shared.end_to_end.family(&declared::END_TO_END_SECONDS),
            shared.processing.family(&declared::PROCESSING_SECONDS),
            shared.commit.family(&declared::COMMIT_SECONDS),
        ]);
        drop(shared);
        families.sort_by(|one, other| one.name().cmp(other.name()));
        families
    }

    /// A worker that panicked while it held the lock leaves counts that are at worst incomplete,
    /// which is no reason to lose the others.
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
