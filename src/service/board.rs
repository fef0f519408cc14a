//! How far every partition is: what `/readyz` shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use tokio::sync::watch;

use super::watchdog::Task;
use crate::http::Readiness;

/// Why a partition does no work.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Waiting {
    Restoring,
    /// The disk refuses its folder.
    Refused(String),
    /// Memory is full of what the disk does not take.
    Full,
    Stopped(String),
}

#[derive(Debug, Default)]
struct State {
    unjoined: BTreeSet<u16>,
    /// Workers that no broker answers.
    cut_off: BTreeSet<u16>,
    partitions: BTreeMap<i32, Waiting>,
    /// Partitions with records to read and no commit.
    stalled: BTreeSet<i32>,
    /// Who does not come round.
    stuck: Vec<Task>,
    /// Partitions of sources that a router cannot go on with, and why. By router, because one may hear
    /// late that another one has its partition.
    sources: BTreeMap<(String, u16), String>,
    /// Partitions whose checkpoint the disk does not take, and why.
    unwritten: BTreeMap<i32, String>,
    draining: bool,
    accepted: u64,
    /// Records whose key is not their customer's id.
    badly_keyed: u64,
    /// Why the rules on disk are not in force.
    rules_refused: Option<String>,
}

/// More than one record in so many with another key than its customer's id is a warning: state is
/// right only if one customer's records share one partition.
const BADLY_KEYED_SHARE: u64 = 100;

/// The board. Workers write on it when something changes, which is seldom.
#[derive(Debug)]
pub(super) struct Board {
    /// Written by every worker, a few times per rebalance.
    state: Mutex<State>,
    readiness: watch::Sender<Readiness>,
}

impl Board {
    /// Makes a board on which no worker has joined the group yet.
    pub(super) fn new(worker_count: u16) -> Self {
        let state = State { unjoined: (0..worker_count).collect(), ..State::default() };
        let readiness = watch::Sender::new(state.readiness());
        Self { state: Mutex::new(state), readiness }
    }

    /// Returns what `/readyz` watches.
    pub(super) fn watch(&self) -> watch::Receiver<Readiness> {
        self.readiness.subscribe()
    }

    pub(super) fn joined(&self, worker: u16) {
        self.change(|state| {
            state.unjoined.remove(&worker);
        });
    }

    pub(super) fn left(&self, worker: u16) {
        self.change(|state| {
            state.unjoined.insert(worker);
        });
    }

    /// No broker answers a worker, or one does again; returns whether that is news.
    pub(super) fn cut_off(&self, worker: u16, cut_off: bool) -> bool {
        self.change_if(|state| {
            if cut_off { state.cut_off.insert(worker) } else { state.cut_off.remove(&worker) }
        })
    }

    pub(super) fn restoring(&self, partition: i32) {
        self.change(|state| {
            state.partitions.insert(partition, Waiting::Restoring);
        });
    }

    pub(super) fn refused(&self, partition: i32, reason: String) {
        self.change(|state| {
            state.partitions.insert(partition, Waiting::Refused(reason));
        });
    }

    pub(super) fn full(&self, partition: i32) {
        self.change(|state| {
            state.partitions.insert(partition, Waiting::Full);
        });
    }

    /// The disk does not take a partition's checkpoint, or it does again.
    pub(super) fn unwritten(&self, partition: i32, why: Option<String>) {
        self.change_if(|state| match why {
            Some(why) => state.unwritten.insert(partition, why.clone()) != Some(why),
            None => state.unwritten.remove(&partition).is_some(),
        });
    }

    pub(super) fn stopped(&self, partition: i32, reason: String) {
        self.change(|state| {
            state.partitions.insert(partition, Waiting::Stopped(reason));
        });
    }

    /// A partition has records to read and commits nothing, or does again.
    pub(super) fn stalled(&self, partition: i32, stalled: bool) {
        self.change(|state| {
            if stalled {
                state.stalled.insert(partition);
            } else {
                state.stalled.remove(&partition);
            }
        });
    }

    /// These do not come round.
    pub(super) fn stuck(&self, tasks: &[Task]) {
        self.change(|state| tasks.clone_into(&mut state.stuck));
    }

    /// A router cannot go on with a partition of a source.
    pub(super) fn source_stopped(&self, router: u16, place: String, reason: String) {
        self.change(|state| {
            state.sources.insert((place, router), reason);
        });
    }

    /// A router has that partition no more.
    pub(super) fn source_left(&self, router: u16, place: &str) {
        self.change(|state| {
            state.sources.remove(&(place.to_owned(), router));
        });
    }

    /// A partition works, or is somebody else's.
    pub(super) fn clear(&self, partition: i32) {
        self.change(|state| {
            state.partitions.remove(&partition);
            state.stalled.remove(&partition);
            state.unwritten.remove(&partition);
        });
    }

    /// Takes note of what a transaction accepted, and how much of it had another key than its
    /// customer's id.
    pub(super) fn keys(&self, (accepted, badly_keyed): (u64, u64)) {
        self.change_if(|state| {
            let warned = state.is_badly_keyed();
            state.accepted += accepted;
            state.badly_keyed += badly_keyed;
            state.is_badly_keyed() != warned
        });
    }

    /// The rules on disk do not compile, or they do again.
    pub(super) fn rules_refused(&self, why: Option<String>) {
        self.change(|state| state.rules_refused = why);
    }

    pub(super) fn draining(&self) {
        self.change(|state| state.draining = true);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        self.change_if(|state| {
            change(state);
            true
        });
    }

    /// Shows what `change` says is another picture; returns whether it was.
    fn change_if(&self, change: impl FnOnce(&mut State) -> bool) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut state);
        if changed {
            self.readiness.send_replace(state.readiness());
        }
        changed
    }
}

impl State {
    fn is_badly_keyed(&self) -> bool {
        self.accepted < self.badly_keyed.saturating_mul(BADLY_KEYED_SHARE)
    }

    fn readiness(&self) -> Readiness {
        let mut reasons = Vec::new();
        if self.draining {
            reasons.push("the service is ending".to_owned());
        }
        for worker in &self.cut_off {
            reasons.push(format!("no broker answers worker {worker}"));
        }
        if !self.unjoined.is_empty() {
            let has = if self.unjoined.len() == 1 { "worker has" } else { "workers have" };
            reasons.push(format!("{} {has} not joined the group", self.unjoined.len()));
        }
        for (partition, waiting) in &self.partitions {
            reasons.push(match waiting {
                Waiting::Restoring => format!("partition {partition} is being restored"),
                Waiting::Refused(reason) => format!("partition {partition} waits: {reason}"),
                Waiting::Full => format!("partition {partition} waits for room on the disk"),
                Waiting::Stopped(reason) => format!("partition {partition} is stopped: {reason}"),
            });
        }
        for partition in &self.stalled {
            reasons.push(format!("partition {partition} has records to read and does not get on"));
        }
        for task in &self.stuck {
            reasons.push(format!("{task} does not come round"));
        }
        for ((place, _), reason) in &self.sources {
            reasons.push(format!("{place} is not routed: {reason}"));
        }
        let warnings = self.is_badly_keyed().then(|| {
            "over 1 % of the touchpoints have a record key that is not their customer_id: one \
             customer's records may lie in several partitions, and scores are then too low"
                .to_owned()
        });
        let warnings = warnings.into_iter().chain(self.rules_refused.clone());
        // Work goes on: memory holds what is not written, and Kafka has it.
        let unwritten = self.unwritten.iter().map(|(partition, why)| {
            format!(
                "the disk does not take the checkpoint of partition {partition}: {why}; it is tried \
                 again, and until then a restart reads more from Kafka"
            )
        });
        Readiness { reasons, warnings: warnings.chain(unwritten).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_joined_and_restored() {
        let board = Board::new(1);
        let watch = board.watch();
        assert_eq!(watch.borrow().reasons, ["1 worker has not joined the group"]);
        board.joined(0);
        assert!(watch.borrow().is_ready());
        assert!(board.cut_off(0, true) && !board.cut_off(0, true));
        assert_eq!(watch.borrow().reasons, ["no broker answers worker 0"]);
        assert!(board.cut_off(0, false) && !board.cut_off(0, false));
        board.restoring(3);
        assert_eq!(watch.borrow().reasons, ["partition 3 is being restored"]);
        board.stopped(3, "no".to_owned());
        assert_eq!(watch.borrow().reasons, ["partition 3 is stopped: no"]);
        board.clear(3);
        assert!(watch.borrow().is_ready());
        board.stalled(3, true);
        board.stuck(&[Task::Worker(0)]);
        let expected =
            ["partition 3 has records to read and does not get on", "worker 0 does not come round"];
        assert_eq!(watch.borrow().reasons, expected);
        board.stalled(3, false);
        board.stuck(&[]);
        assert!(watch.borrow().is_ready());
        board.draining();
        assert!(!watch.borrow().is_ready());
    }

    #[test]
    fn a_source_that_is_left_is_no_longer_told_of() {
        let board = Board::new(0);
        let watch = board.watch();
        board.source_stopped(0, "web/1".to_owned(), "no".to_owned());
        // The other one hears late that it has it no more.
        board.source_stopped(1, "web/1".to_owned(), "no".to_owned());
        board.source_left(0, "web/1");
        assert_eq!(watch.borrow().reasons, ["web/1 is not routed: no"]);
        board.source_left(1, "web/1");
        assert!(watch.borrow().is_ready());
    }

    #[test]
    fn a_disk_that_refuses_is_a_warning_until_it_takes_a_checkpoint_or_the_partition_goes() {
        let board = Board::new(0);
        let watch = board.watch();
        board.unwritten(3, Some("no space left".to_owned()));
        board.unwritten(4, Some("no space left".to_owned()));
        assert!(watch.borrow().is_ready());
        let said = "the disk does not take the checkpoint of partition 3: no space left; ";
        assert!(watch.borrow().warnings[0].starts_with(said), "{:?}", watch.borrow());
        board.unwritten(3, None);
        assert_eq!(watch.borrow().warnings.len(), 1);
        board.clear(4);
        assert!(watch.borrow().warnings.is_empty());
    }

    #[test]
    fn keys_that_are_not_the_customer_are_a_warning_above_one_in_a_hundred() {
        let board = Board::new(0);
        board.keys((1000, 10));
        assert_eq!(board.watch().borrow().warnings.len(), 0);
        board.keys((0, 1));
        assert_eq!(board.watch().borrow().warnings.len(), 1);
        board.keys((1000, 0));
        assert!(board.watch().borrow().warnings.is_empty());
    }
}
