//! Noticing what does not get on: a partition with records to read and no commit, a thread that does
//! not come round.
//!
//! Everything here has limits of its own that should make it impossible. This is for the day on which
//! one of them does not hold: nothing may stand still silently.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use super::shared::Shared;
use crate::{clock::Stopwatch, notify::Matter, telemetry::log};

/// So long may a partition have something to read without a commit: six times what a transaction may
/// take before the broker ends it.
const STALL_AFTER: Duration = Duration::from_mins(1);

/// So long may one turn take: the start of a producer behind a dead predecessor's transaction takes
/// 40 s at most, and comes once.
const STUCK_AFTER: Duration = Duration::from_mins(2);

/// How often threads are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How one partition gets on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// What was committed when it was last seen to get on, and since when.
    seen: Option<(Option<i64>, Stopwatch)>,
    stalled: bool,
}

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It has stalled.
    Stalled,
    /// It gets on again.
    Resumed,
}

impl Progress {
    /// Takes note of how far a partition is committed, and whether there is something to read.
    pub(super) fn observe(
        &mut self,
        committed_to: Option<i64>,
        waiting: bool,
        limit: Duration,
    ) -> Option<Change> {
        let since = match self.seen {
            Some((seen, since)) if waiting && seen == committed_to => since,
            _ => {
                self.seen = Some((committed_to, Stopwatch::start()));
                return std::mem::take(&mut self.stalled).then_some(Change::Resumed);
            }
        };
        if self.stalled || !since.left_of(limit).is_zero() {
            return None;
        }
        self.stalled = true;
        Some(Change::Stalled)
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// The same, within the usual limit.
    pub(super) fn look(&mut self, committed_to: Option<i64>, waiting: bool) -> Option<Change> {
        self.observe(committed_to, waiting, STALL_AFTER)
    }
}

/// Who comes round: every thread that lives session after session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    Worker(u16),
    Router(u16),
    Detector,
    Notifier(Matter),
    /// Reads the spikes.
    Spikes,
    /// Reads who has which partition.
    Owners,
    /// Reads what the console shows.
    Console,
}

impl fmt::Display for Task {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker(index) => write!(formatter, "worker {index}"),
            Self::Router(index) => write!(formatter, "router {index}"),
            Self::Detector => formatter.write_str("the spike detector"),
            Self::Notifier(matter) => write!(formatter, "notification of {}", matter.as_str()),
            Self::Spikes => formatter.write_str("the reader of spikes"),
            Self::Owners => formatter.write_str("the reader of owners"),
            Self::Console => formatter.write_str("the console's reader"),
        }
    }
}

/// When each last came round.
#[derive(Debug)]
pub(super) struct Rounds {
    started: Stopwatch,
    /// Milliseconds since then. Written once per turn, by one thread each.
    last: BTreeMap<Task, AtomicI64>,
}

impl Rounds {
    /// Expects so many workers, each with a router beside it where something is routed, whoever tells
    /// of these matters, and those that every instance has.
    pub(super) fn new(worker_count: u16, is_routed: bool, matters: &[Matter]) -> Self {
        let workers = (0..worker_count).map(Task::Worker);
        let routers = (0..if is_routed { worker_count } else { 0 }).map(Task::Router);
        let notifiers = matters.iter().copied().map(Task::Notifier);
        let always = [Task::Detector, Task::Spikes, Task::Owners, Task::Console];
        let tasks = workers.chain(routers).chain(notifiers).chain(always);
        let last = tasks.map(|task| (task, AtomicI64::new(0))).collect();
        Self { started: Stopwatch::start(), last }
    }

    fn now(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// One has come round.
    pub(super) fn come(&self, task: Task) {
        if let Some(last) = self.last.get(&task) {
            last.store(self.now(), Ordering::Relaxed);
        }
    }

    /// Returns who has not come round for so long.
    fn missing(&self, limit: Duration) -> Vec<Task> {
        let limit = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        let now = self.now();
        let late = |last: &AtomicI64| limit <= now.saturating_sub(last.load(Ordering::Relaxed));
        self.last.iter().filter(|(_, last)| late(last)).map(|(task, _)| *task).collect()
    }
}

/// Looks at the threads until asked to stop.
pub(super) fn watch(shared: &Arc<Shared>) {
    let mut stuck = Vec::new();
    while !shared.stop.is_asked() {
        let missing = shared.rounds.missing(STUCK_AFTER);
        if missing != stuck {
            for task in missing.iter().filter(|task| !stuck.contains(*task)) {
                log::stuck(task, STUCK_AFTER);
            }
            shared.board.stuck(&missing);
            shared.telemetry.workers_stuck(missing.len());
            stuck = missing;
        }
        shared.stop.wait(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Duration = Duration::from_hours(1);

    #[test]
    fn a_partition_that_waits_without_a_commit_is_stalled_once_and_resumes() {
        let mut progress = Progress::default();
        assert_eq!(
            progress.observe(Some(5), true, Duration::ZERO),
            None,
            "seen for the first time"
        );
        assert_eq!(progress.observe(Some(5), true, NEVER), None, "not for long enough");
        assert_eq!(progress.observe(Some(5), true, Duration::ZERO), Some(Change::Stalled));
        assert_eq!(progress.observe(Some(5), true, Duration::ZERO), None, "said already");
        assert!(progress.is_stalled());
        assert_eq!(progress.observe(Some(6), true, Duration::ZERO), Some(Change::Resumed));
        assert!(!progress.is_stalled());
    }

    #[test]
    fn a_partition_with_nothing_to_read_is_not_stalled() {
        let mut progress = Progress::default();
        for _ in 0..3 {
            assert_eq!(progress.observe(Some(5), false, Duration::ZERO), None);
        }
    }

    #[test]
    fn a_worker_that_does_not_come_round_is_missing() {
        let rounds = Rounds::new(2, true, &Matter::ALL);
        while rounds.now() < 2 {}
        rounds.come(Task::Worker(1));
        rounds.come(Task::Router(0));
        for task in [Task::Detector, Task::Spikes, Task::Owners, Task::Console] {
            rounds.come(task);
        }
        rounds.come(Task::Notifier(Matter::Spikes));
        let missing = rounds.missing(Duration::from_millis(2));
        let notifier = Task::Notifier(Matter::Customers);
        assert_eq!(missing, [Task::Worker(0), Task::Router(1), notifier]);
        assert_eq!(notifier.to_string(), "notification of customers");
        assert!(rounds.missing(NEVER).is_empty());
    }

    #[test]
    fn whoever_does_not_run_is_not_missed() {
        let missing = Rounds::new(2, false, &[Matter::Spikes]).missing(Duration::ZERO);
        assert!(!missing.contains(&Task::Router(0)), "nobody routes");
        assert!(!missing.contains(&Task::Notifier(Matter::Customers)), "nobody is told of them");
        assert_eq!(missing.len(), 7);
    }
}
