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
use crate::{clock::Stopwatch, telemetry::log};

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

/// Who comes round.
///
/// Notification does not: it waits for receivers, as long as its queue of letters is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    Worker(u16),
    Router(u16),
    Detector,
}

impl fmt::Display for Task {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker(index) => write!(formatter, "worker {index}"),
            Self::Router(index) => write!(formatter, "router {index}"),
            Self::Detector => formatter.write_str("the spike detector"),
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
    /// Expects so many workers, each with a router beside it where something is routed.
    pub(super) fn new(worker_count: u16, is_routed: bool) -> Self {
        let workers = (0..worker_count).map(Task::Worker);
        let routers = (0..if is_routed { worker_count } else { 0 }).map(Task::Router);
        let tasks = workers.chain(routers).chain([Task::Detector]);
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
        let rounds = Rounds::new(2, true);
        while rounds.now() < 2 {}
        rounds.come(Task::Worker(1));
        rounds.come(Task::Router(0));
        let missing = rounds.missing(Duration::from_millis(2));
        assert_eq!(missing, [Task::Worker(0), Task::Router(1), Task::Detector]);
        assert!(rounds.missing(NEVER).is_empty());
        assert_eq!(Rounds::new(2, false).missing(Duration::ZERO).len(), 3, "nobody routes");
    }
}
