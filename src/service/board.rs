//! How far every partition is: what `/readyz` shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use tokio::sync::watch;

use crate::http::Readiness;

/// Why a partition does no work.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Waiting {
    Restoring,
    Stopped(String),
}

#[derive(Debug, Default)]
struct State {
    unjoined: BTreeSet<u16>,
    partitions: BTreeMap<i32, Waiting>,
    draining: bool,
}

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

    pub(super) fn restoring(&self, partition: i32) {
        self.change(|state| {
            state.partitions.insert(partition, Waiting::Restoring);
        });
    }

    pub(super) fn stopped(&self, partition: i32, reason: String) {
        self.change(|state| {
            state.partitions.insert(partition, Waiting::Stopped(reason));
        });
    }

    /// A partition works, or is somebody else's.
    pub(super) fn clear(&self, partition: i32) {
        self.change(|state| {
            state.partitions.remove(&partition);
        });
    }

    pub(super) fn draining(&self) {
        self.change(|state| state.draining = true);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        self.readiness.send_replace(state.readiness());
    }
}

impl State {
    fn readiness(&self) -> Readiness {
        let mut reasons = Vec::new();
        if self.draining {
            reasons.push("the service is ending".to_owned());
        }
        if !self.unjoined.is_empty() {
            reasons.push(format!("{} workers have not joined the group", self.unjoined.len()));
        }
        for (partition, waiting) in &self.partitions {
            reasons.push(match waiting {
                Waiting::Restoring => format!("partition {partition} is being restored"),
                Waiting::Stopped(reason) => format!("partition {partition} is stopped: {reason}"),
            });
        }
        Readiness { reasons, warnings: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_joined_and_restored() {
        let board = Board::new(1);
        let watch = board.watch();
        assert!(!watch.borrow().is_ready());
        board.joined(0);
        assert!(watch.borrow().is_ready());
        board.restoring(3);
        assert_eq!(watch.borrow().reasons, ["partition 3 is being restored"]);
        board.stopped(3, "no".to_owned());
        assert_eq!(watch.borrow().reasons, ["partition 3 is stopped: no"]);
        board.clear(3);
        assert!(watch.borrow().is_ready());
        board.draining();
        assert!(!watch.borrow().is_ready());
    }
}
