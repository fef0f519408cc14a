//! How things stand now: what the gauges show, kept as plain values until somebody scrapes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use prometheus::IntGaugeVec;

use super::{
    CustomerCounts, OTHER,
    build::{VERSION, revision},
    declared::PARTITIONS_MAX,
    labels::{Queue, StorePart},
    metrics::Gauges,
};

/// What a worker reports about itself, whenever it likes.
#[derive(Clone, Copy, Debug, Default)]
pub struct WorkerStanding {
    /// Records fetched and not yet processed.
    pub fetched: u64,
    /// Records produced and not yet acknowledged.
    pub produced: u64,
    /// The most look-ups that waited in its mailbox at once since the last report.
    pub look_ups: u64,
    /// Its partitions that are stopped until a person decides.
    pub stopped: u64,
    /// Its partitions that have records to read and do not get on.
    pub stalled: u64,
    /// Memory of the committed rows of its partitions, in bytes.
    pub committed_bytes: u64,
    /// Memory of the rows changed since the last commit, in bytes.
    pub overlay_bytes: u64,
    /// Rows that are committed and not on this machine's disk yet.
    pub unwritten_rows: u64,
    /// Records of the state topic that it still has to read before its partitions are ready.
    pub restore_remaining: u64,
}

/// One assigned partition.
#[derive(Clone, Debug, Default)]
struct PartitionStanding {
    ready: bool,
    lag: Option<(u64, Duration)>,
    customers: CustomerCounts,
}

/// Everything that gauges show.
#[derive(Debug, Default)]
pub(super) struct Standing {
    partitions: BTreeMap<i32, PartitionStanding>,
    workers: BTreeMap<u16, WorkerStanding>,
    workers_stuck: usize,
    /// Sources' partitions that routers are stopped at, each by the router that has it.
    sources_stopped: BTreeSet<(u16, String)>,
    /// Records that each router has not copied yet.
    route_lags: BTreeMap<u16, u64>,
    rules_version: Option<Box<str>>,
    /// Problems of rules that were not taken up.
    rules_refused: usize,
    viewers: usize,
}

impl Standing {
    pub(super) fn assigned(&mut self, partition: i32) {
        self.partitions.entry(partition).or_default();
    }

    pub(super) fn ready(&mut self, partition: i32, customers: CustomerCounts) {
        let standing = self.partitions.entry(partition).or_default();
        standing.ready = true;
        standing.customers = customers;
    }

    pub(super) fn gone(&mut self, partition: i32) {
        self.partitions.remove(&partition);
    }

    /// A partition that is not assigned any more is not called back into being.
    pub(super) fn lag(&mut self, partition: i32, records: u64, age: Duration) {
        if let Some(standing) = self.partitions.get_mut(&partition) {
            standing.lag = Some((records, age));
        }
    }

    pub(super) fn change(&mut self, partition: i32, change: &CustomerCounts) {
        if let Some(standing) = self.partitions.get_mut(&partition) {
            standing.customers.absorb(change);
        }
    }

    pub(super) fn worker(&mut self, worker: u16, standing: WorkerStanding) {
        self.workers.insert(worker, standing);
    }

    pub(super) fn workers_stuck(&mut self, count: usize) {
        self.workers_stuck = count;
    }

    pub(super) fn source_stopped(&mut self, router: u16, place: String) {
        self.sources_stopped.insert((router, place));
    }

    pub(super) fn source_left(&mut self, router: u16, place: &str) {
        self.sources_stopped.remove(&(router, place.to_owned()));
    }

    pub(super) fn route_lag(&mut self, router: u16, records: u64) {
        self.route_lags.insert(router, records);
    }

    pub(super) fn worker_gone(&mut self, worker: u16) {
        self.workers.remove(&worker);
    }

    pub(super) fn rules_refused(&mut self, problems: usize) {
        self.rules_refused = problems;
    }

    pub(super) fn viewers(&mut self, count: usize) {
        self.viewers = count;
    }

    pub(super) fn rules(&mut self, version: &str) {
        self.rules_version = Some(version.into());
    }

    /// Returns the customers of all assigned partitions.
    pub(super) fn customers(&self) -> CustomerCounts {
        let mut sum = CustomerCounts::default();
        for partition in self.partitions.values() {
            sum.absorb(&partition.customers);
        }
        sum
    }

    /// Returns how many partitions are assigned.
    pub(super) fn partition_count(&self) -> usize {
        self.partitions.len()
    }

    /// Writes every gauge.
    pub(super) fn show(&self, gauges: &Gauges) {
        let customers = self.customers();
        for (stage, count) in customers.by_stage() {
            set(&gauges.customers, &[stage.as_str()], count);
        }
        for (band, count) in customers.by_band() {
            set(&gauges.customers_by_band, &[band.as_str()], count);
        }
        let ready = self.partitions.values().filter(|partition| partition.ready).count();
        set(&gauges.partitions_assigned, &[], shown(self.partitions.len()));
        set(&gauges.partitions_ready, &[], shown(ready));
        gauges.rules_info.reset();
        if let Some(version) = &self.rules_version {
            set(&gauges.rules_info, &[version], 1);
        }
        set(&gauges.rules_refused, &[], shown(self.rules_refused));
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        set(&gauges.build_info, &[VERSION, revision(), profile], 1);
        self.show_workers(gauges);
        self.show_lag(gauges);
    }

    fn show_workers(&self, gauges: &Gauges) {
        let sum = |of: fn(&WorkerStanding) -> u64| -> i64 {
            shown(self.workers.values().map(of).fold(0, u64::saturating_add))
        };
        set(&gauges.workers, &[], shown(self.workers.len()));
        set(&gauges.workers_stuck, &[], shown(self.workers_stuck));
        let stopped = sum(|worker| worker.stopped);
        let stopped = stopped.saturating_add(shown(self.sources_stopped.len()));
        set(&gauges.partitions_stopped, &[], stopped);
        set(&gauges.partitions_stalled, &[], sum(|worker| worker.stalled));
        let behind = self.route_lags.values().fold(0, |sum: u64, lag| sum.saturating_add(*lag));
        set(&gauges.route_lag, &[], shown(behind));
        set(&gauges.viewers, &[], shown(self.viewers));
        set(&gauges.restore_remaining, &[], sum(|worker| worker.restore_remaining));
        set(&gauges.unwritten_rows, &[], sum(|worker| worker.unwritten_rows));
        for &queue in Queue::ALL {
            let items = match queue {
                Queue::Fetched => sum(|worker| worker.fetched),
                Queue::Produced => sum(|worker| worker.produced),
                Queue::LookUps => sum(|worker| worker.look_ups),
            };
            set(&gauges.queue_items, &[queue.as_str()], items);
        }
        for &part in StorePart::ALL {
            let bytes = match part {
                StorePart::Committed => sum(|worker| worker.committed_bytes),
                StorePart::Overlay => sum(|worker| worker.overlay_bytes),
            };
            set(&gauges.store_bytes, &[part.as_str()], bytes);
        }
    }

    /// Shows the first partitions apart, and the others' sum of records and greatest age together.
    fn show_lag(&self, gauges: &Gauges) {
        gauges.lag_records.reset();
        gauges.lag_seconds.reset();
        let mut lags = self
            .partitions
            .iter()
            .filter_map(|(partition, standing)| standing.lag.map(|lag| (partition, lag)));
        for (partition, (records, age)) in lags.by_ref().take(PARTITIONS_MAX) {
            show_one_lag(gauges, &partition.to_string(), records, age);
        }
        let rest = lags.map(|(_, lag)| lag).reduce(|(records, age), (more_records, other_age)| {
            (records.saturating_add(more_records), age.max(other_age))
        });
        if let Some((records, age)) = rest {
            show_one_lag(gauges, OTHER, records, age);
        }
    }
}

fn show_one_lag(gauges: &Gauges, partition: &str, records: u64, age: Duration) {
    set(&gauges.lag_records, &[partition], shown(records));
    if let Ok(series) = gauges.lag_seconds.get_metric_with_label_values(&[partition]) {
        series.set(age.as_secs_f64());
    }
}

fn set(gauge: &IntGaugeVec, labels: &[&str], value: i64) {
    if let Ok(series) = gauge.get_metric_with_label_values(labels) {
        series.set(value);
    }
}

/// Returns a count as a gauge shows it. Counts above 2^63 do not happen; they would read as that.
fn shown(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
