//! Every metric, declared once: its name, labels, bound, and what it means.
//!
//! The registry is built from this table, and `docs/metrics.md` is held against it, so that a
//! dashboard's author and the program cannot disagree.
//!
//! # Invariants
//!
//! - The bounds add up to [`SERIES_MAX`] at most: a flood of new names costs precision (`other`),
//!   never memory, here or in Prometheus.

/// How many series one instance may expose. Five thousand is what one target may cost a Prometheus
/// that scrapes hundreds of them.
pub const SERIES_MAX: usize = 5000;

/// How many rules are counted by name; the others are counted under `other`. A large pack has a
/// few hundred.
pub(super) const RULES_MAX: usize = 500;
/// How many unlabelled event names are counted by name. A person reads this list to write rules,
/// and nobody reads a longer one.
pub(super) const UNLABELLED_MAX: usize = 100;
/// How many (channel, event, stage, reason) of pain are counted apart. When it is full, event and
/// reason read `other`, which costs at most one more series per channel and stage.
pub(super) const PAINS_MAX: usize = 600;
/// How many reasons for a reject are counted by name: decode has a few dozen.
pub(super) const REJECTS_MAX: usize = 64;
/// How many kinds of episode are counted by name: packs have about ten.
pub(super) const EPISODES_MAX: usize = 32;
/// How many partitions show their lag apart. The lags of the others are summed (records) or the
/// worst of them is shown (seconds) under `other`.
pub(super) const PARTITIONS_MAX: usize = 128;
/// A longer name is counted under `other`: it is somebody's data, not a name.
pub(super) const NAME_BYTES_MAX: usize = 100;

/// What kind of metric it is, as Prometheus spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Never falls while the process lives.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts in fixed buckets.
    Histogram,
}

impl Kind {
    /// Returns the name that the exposition format uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric as declared.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// The name.
    pub name: &'static str,
    /// What kind it is.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// How many series it may have.
    pub series_max: usize,
    /// What it means.
    pub help: &'static str,
    /// Upper bounds of the buckets in seconds; empty unless a histogram.
    pub buckets: &'static [f64],
}

/// Declares the metrics, and [`ALL`] of them in this order.
macro_rules! metrics {
    ($($id:ident = $kind:ident $name:literal [$($label:literal)*] $max:expr, $help:literal
       $(, $buckets:expr)?;)+) => {
        $(pub(super) const $id: Declared = Declared {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            series_max: $max,
            help: $help,
            buckets: metrics!(@buckets $($buckets)?),
        };)+

        /// Every metric, in the order of `docs/metrics.md`.
        pub const ALL: &[Declared] = &[$($id),+];
    };
    (@buckets) => { &[] };
    (@buckets $buckets:expr) => { $buckets };
}

/// What a histogram costs: its buckets, `+Inf`, the sum and the count.
const fn histogram(buckets: &[f64]) -> usize {
    buckets.len() + 3
}

/// From a local round trip to a replayed day.
const END_TO_END: &[f64] =
    &[0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0];
/// A record costs a few microseconds; one with a long tail to re-evaluate costs more.
const PROCESSING: &[f64] =
    &[1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 5e-3, 0.025, 0.1];
/// A healthy commit takes 15 to 40 ms; the transaction times out after 10 s.
const COMMIT: &[f64] = &[0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0];
/// In order; within the tolerance; within the order window; then hours, days, a week.
const LATENESS: &[f64] = &[0.0, 60.0, 300.0, 600.0, 3600.0, 21_600.0, 86_400.0, 604_800.0];

metrics! {
    TOUCHPOINTS = Counter "rega_touchpoints_total" ["channel" "actor" "valence"] 32 * 3 * 5,
        "Touchpoints published, by channel, actor and valence; those derived by a deadline excepted.";
    MOMENTS = Counter "rega_moments_total" ["micro_moment" "stage"] 8 * 6,
        "Moments published, derived ones included, by micro-moment and stage of the funnel.";
    MOMENTS_OF_TRUTH = Counter "rega_moments_of_truth_total"
        ["moment_of_truth" "channel" "valence"] 7 * 32 * 5,
        "Moments published, derived ones included, by moment of truth, channel and valence.";
    PAIN = Counter "rega_pain_total" ["channel" "event" "stage" "reason"] PAINS_MAX + 32 * 6,
        "Pains, each counted once however many touchpoints show it, by where and why.";
    LABELLED = Counter "rega_labelled_total" ["labelled_by"] 3,
        "Touchpoints published, by what gave their labels: a rule, a guess or nothing.";
    UNLABELLED = Counter "rega_unlabelled_events_total" ["event"] UNLABELLED_MAX + 1,
        "Touchpoints whose event name no rule knew, by name.";
    RULE_HITS = Counter "rega_rule_hits_total" ["rule"] RULES_MAX + 1,
        "Matches of each rule.";
    REVISIONS = Counter "rega_revisions_total" ["valence"] 5,
        "Moments published again with other labels or points, by their new valence.";
    RETRACTIONS = Counter "rega_retractions_total" ["valence"] 5,
        "Moments taken back after they had been published, by the valence they had.";
    CUSTOMERS = Gauge "rega_customers" ["stage"] 6,
        "Customers known to this instance, by current stage of the funnel.";
    CUSTOMERS_BY_BAND = Gauge "rega_customers_by_band" ["band"] 5,
        "Customers known to this instance, by band of engagement.";
    CUSTOMERS_RETIRED = Counter "rega_customers_retired_total" [] 1,
        "Customers forgotten because they stayed away for longer than the retention.";
    CUSTOMERS_ERASED = Counter "rega_customers_erased_total" [] 1,
        "Customers forgotten because a touchpoint (customer_deleted) asked for it.";
    TRANSITIONS = Counter "rega_transitions_total" ["kind" "from" "to"] 6 * 6 * 6,
        "Steps in the funnel, by what they were, from which stage and to which.";
    REFERRED_ENTRIES = Counter "rega_referred_entries_total" ["kind"] 2,
        "Customers who came (or came back) with somebody's referral code; by `rega_transitions_total` of that kind, the share that advocates bring.";
    EPISODES_OPENED = Counter "rega_episodes_opened_total" ["kind"] EPISODES_MAX + 1,
        "Episodes opened, by kind.";
    EPISODES_ENDED = Counter "rega_episodes_ended_total" ["kind" "outcome"] (EPISODES_MAX + 1) * 6,
        "Episodes ended, by kind and outcome.";
    DEADLINES_FIRED = Counter "rega_deadlines_fired_total" ["kind"] EPISODES_MAX + 1,
        "Deadlines of episodes that passed, by kind.";
    DEADLINES_TAKEN_BACK = Counter "rega_deadlines_taken_back_total" ["kind"] EPISODES_MAX + 1,
        "Claims of a passed deadline taken back because the close had come in time, by kind.";

    RECORDS_READ = Counter "rega_records_read_total" [] 1,
        "Input records read and committed.";
    ACCEPTED = Counter "rega_accepted_total" [] 1,
        "Touchpoints accepted: neither rejected nor a repetition.";
    DUPLICATES = Counter "rega_duplicates_total" [] 1,
        "Touchpoints ignored because the customer's event id had been seen.";
    REJECTS = Counter "rega_rejects_total" ["reason"] REJECTS_MAX + 1,
        "Items set aside in the rejects topic, by reason.";
    IGNORED = Counter "rega_ignored_total" [] 1,
        "Touchpoints that a rule told to ignore: neither scored nor published.";
    CAVEATS = Counter "rega_caveats_total" ["caveat"] 12,
        "Touchpoints accepted with a reservation, by what could not be known or kept.";
    LATENESS_SECONDS = Histogram "rega_lateness_seconds" [] histogram(LATENESS),
        "How far accepted touchpoints lay behind the latest event time of their partition.", LATENESS;
    EVICTIONS = Counter "rega_evictions_total" ["bound"] 6,
        "Entries of state rows pushed out by a bound, by which bound.";

    END_TO_END_SECONDS = Histogram "rega_end_to_end_seconds" [] histogram(END_TO_END),
        "From the timestamp of an input record to the commit of what it caused.", END_TO_END;
    PROCESSING_SECONDS = Histogram "rega_processing_seconds" [] histogram(PROCESSING),
        "Time in the engine per input record, as the mean of the batch it was polled in.", PROCESSING;
    LAG_RECORDS = Gauge "rega_lag_records" ["partition"] PARTITIONS_MAX + 1,
        "Input records not yet committed, by partition.";
    LAG_SECONDS = Gauge "rega_lag_seconds" ["partition"] PARTITIONS_MAX + 1,
        "Age of the oldest input record not yet committed, by partition; 0 when there is none.";
    ROUTE_LAG = Gauge "rega_route_lag_records" [] 1,
        "Records of the sources not yet copied by this instance's routers.";
    COMMITS = Counter "rega_commits_total" [] 1,
        "Transactions committed.";
    ABORTS = Counter "rega_aborts_total" ["class"] 6,
        "Transactions aborted, by class of the cause; their work is done again.";
    COMMIT_SECONDS = Histogram "rega_commit_seconds" [] histogram(COMMIT),
        "Duration of commits, from the start of the drain to the broker's answer.", COMMIT;
    RECORDS_PRODUCED = Counter "rega_records_produced_total" ["output"] 6,
        "Records produced in committed transactions, by output.";
    WORKER_REBUILDS = Counter "rega_worker_rebuilds_total" [] 1,
        "Workers built anew after an error that their consumer or producer cannot survive.";
    FENCED = Counter "rega_fenced_total" [] 1,
        "Times that a client of this instance was shut out because another one took its name.";
    PARTITION_STOPS = Counter "rega_partition_stops_total" ["reason"] 8,
        "Partitions stopped until a person decides, by reason; those of routed sources too.";
    PARTITIONS_STOPPED = Gauge "rega_partitions_stopped" [] 1,
        "Partitions that are stopped until a person decides.";
    PARTITIONS_STALLED = Gauge "rega_partitions_stalled" [] 1,
        "Partitions with records to read and no commit for a minute.";
    WORKERS_STUCK = Gauge "rega_workers_stuck" [] 1,
        "Threads (workers, routers, the spike detector, notification, readers of topics) that have not come round for two minutes.";
    PARTITIONS_ASSIGNED = Gauge "rega_partitions_assigned" [] 1,
        "Input partitions assigned to this instance.";
    PARTITIONS_READY = Gauge "rega_partitions_ready" [] 1,
        "Assigned partitions whose state has caught up.";
    RESTORED_RECORDS = Counter "rega_restored_records_total" [] 1,
        "Records read from the state topic to restore partitions.";
    RESTORE_REMAINING = Gauge "rega_restore_remaining_records" [] 1,
        "Records of the state topic still to be read before all assigned partitions are ready.";
    CHECKPOINTS = Counter "rega_checkpoints_total" ["outcome"] 2,
        "Checkpoints of partitions on this machine's disk, by outcome: written, or refused by the disk.";
    UNWRITTEN_ROWS = Gauge "rega_checkpoint_pending_rows" [] 1,
        "Rows of customers that are committed and not on this machine's disk yet.";
    STORE_BYTES = Gauge "rega_store_bytes" ["part"] 2,
        "Memory held for customers' state: committed rows, and rows changed since the last commit.";
    QUEUE_ITEMS = Gauge "rega_queue_items" ["queue"] 3,
        "Entries waiting in the workers' bounded queues, by queue.";
    PAIN_OBSERVED = Counter "rega_pain_observed_total" ["channel"] 32,
        "Pains that the spike detector counted, each customer and reason once in 15 minutes.";
    PAIN_EXPECTED = Counter "rega_pain_expected_total" ["channel"] 32,
        "Pains that the spike detector expected in the same minutes, given the exposure.";
    SPIKES_OPEN = Gauge "rega_spikes_open" ["numerator"] 3,
        "Open spikes; only the instance that has the detector shows them.";
    SPIKES = Counter "rega_spikes_total" ["numerator" "state"] 9,
        "Records of spikes, by what is counted and whether one opened, goes on or closed.";
    DETECTOR_LAG_SECONDS = Gauge "rega_detector_lag_seconds" [] 1,
        "How far the last minute that was judged lies behind the clock; 0 where another instance judges.";
    DETECTOR_MINUTES = Counter "rega_detector_judged_total" [] 1,
        "Minutes that the spike detector judged.";
    DETECTOR_CORRECTIONS = Counter "rega_detector_corrections_total" [] 1,
        "Minutes of partitions that came, or changed, after they had been judged.";
    DETECTOR_UNWATCHED = Counter "rega_detector_unwatched_total" [] 1,
        "Minutes of keys that the spike detector did not watch, because it has as many as it may have.";
    DETECTOR_KEYS = Gauge "rega_detector_keys" ["kind"] 5,
        "Keys that the spike detector watches, by kind.";
    NOTIFICATIONS = Counter "rega_notifications_total" ["receiver" "result"] 10,
        "Attempts to tell somebody of spikes and customers, by receiver and what came of it.";
    NOTIFY_QUEUE = Gauge "rega_notify_queue" ["matter"] 2,
        "Records of spikes and of customers that wait for the webhook.";
    WORKERS = Gauge "rega_workers" [] 1,
        "Workers that report.";
    VIEWERS = Gauge "rega_viewers" [] 1,
        "Who watches the console's live picture on this instance.";
    VIEWER_FRAMES_MISSED = Counter "rega_viewer_frames_missed_total" [] 1,
        "Frames of the live picture that a viewer was too slow for.";
    RULES_INFO = Gauge "rega_rules_info" ["version"] 1,
        "Always 1: the version (content hash) of the rules that are loaded.";
    RULES_RELOADS = Counter "rega_rules_reloads_total" [] 1,
        "Rules that were taken up from changed files while running.";
    RULES_REFUSED = Gauge "rega_rules_refused_problems" [] 1,
        "Problems of the rules on disk that keep them out of force; 0 when what is on disk is in force.";
    BUILD_INFO = Gauge "rega_build_info" ["version" "revision" "profile"] 1,
        "Always 1: what this program is, and the commit it was built from, where that is known.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_add_up_to_less_than_an_instance_may_expose() {
        let sum: usize = ALL.iter().map(|metric| metric.series_max).sum();
        assert!(sum <= SERIES_MAX, "{sum} series");
    }

    #[test]
    fn names_are_unique_and_carry_the_prefix() {
        let mut names: Vec<&str> = ALL.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        assert!(names.iter().all(|name| name.starts_with("rega_")));
    }
}
