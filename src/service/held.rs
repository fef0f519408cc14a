//! A partition in a worker's hands, from assigned to running.

use std::{collections::BTreeMap, time::Duration};

use super::idle::IdleClock;
use crate::{
    clock::Stopwatch,
    engine::{
        CUSTOMER_PREFIX, Customers, PARTITION_KEY, Partition, PartitionRow, RowError, Sealed,
        inspect_row, read_partition_row, spike::is_pulse_key,
    },
    kafka::{KafkaFailure, Restore, RestoreStep, RestoredRow},
    model::EventTime,
    store::{Change, MemoryStore},
    telemetry::CustomerCounts,
};

/// How far a partition has come.
#[derive(Debug)]
pub(super) enum Held {
    /// Assigned; the group's offset is not known yet.
    Asking(Stopwatch),
    /// Its state is being read.
    Restoring(Box<Restoring>),
    /// At work.
    Running(Box<Running>),
    /// Waits for a decision that is the operator's.
    Stopped,
}

/// A restore under way.
#[derive(Debug)]
pub(super) struct Restoring {
    restore: Restore,
    pub(super) committed: Option<i64>,
    pub(super) state: RestoredState,
    reported: u64,
}

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct RestoredState {
    pub(super) store: MemoryStore,
    pub(super) row: Option<PartitionRow>,
    pub(super) customers: CustomerCounts,
    pub(super) unreadable: Option<RowError>,
    /// Rows of open minutes.
    pub(super) pulse: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// A partition at work.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) partition: Partition,
    pub(super) store: MemoryStore,
    /// What the transaction under way writes for this partition; kept from seal to commit.
    pub(super) sealed: Sealed,
    pub(super) idle: IdleClock,
    /// Something happened since the last commit.
    pub(super) dirty: bool,
    /// The newest record's own time, for the lag in seconds.
    pub(super) read_up_to: Option<EventTime>,
}

impl Restoring {
    pub(super) fn new(restore: Restore, committed: Option<i64>) -> Self {
        Self { restore, committed, state: RestoredState::default(), reported: 0 }
    }

    /// Works for about `budget`; returns how far it is and how many rows are new.
    pub(super) fn step(&mut self, budget: Duration) -> Result<(RestoreStep, u64), KafkaFailure> {
        let Self { restore, state, reported, .. } = self;
        let step = restore.step(budget, &mut |row| state.take(row))?;
        let new = restore.row_count() - *reported;
        *reported = restore.row_count();
        Ok((step, new))
    }

    pub(super) fn remaining(&self) -> u64 {
        self.restore.remaining()
    }

    pub(super) fn row_count(&self) -> u64 {
        self.reported
    }
}

impl RestoredState {
    /// Takes one row. Later rows of a key replace earlier ones, so counts are made at the end.
    fn take(&mut self, row: RestoredRow<'_>) {
        if row.key == PARTITION_KEY {
            self.row = match row.value.map(read_partition_row) {
                Some(Ok(row)) => Some(row),
                Some(Err(unreadable)) => {
                    self.unreadable = Some(unreadable);
                    None
                }
                None => None,
            };
            return;
        }
        if is_pulse_key(row.key) {
            match row.value {
                Some(value) => self.pulse.insert(row.key.to_vec(), value.to_vec()),
                None => self.pulse.remove(row.key),
            };
            return;
        }
        let Some((&CUSTOMER_PREFIX, id)) = row.key.split_first() else {
            self.unreadable = Some(RowError::Damaged);
            return;
        };
        let Ok(customer_id) = str::from_utf8(id) else {
            self.unreadable = Some(RowError::Damaged);
            return;
        };
        self.keep(customer_id, row.value);
    }

    fn keep(&mut self, customer_id: &str, row: Option<&[u8]>) {
        if let Some(old) = self.store.row(customer_id)
            && let Ok(facts) = inspect_row(&old)
        {
            self.customers.add(facts.standing.0, facts.standing.1, -1);
        }
        let due = match row.map(inspect_row) {
            Some(Ok(facts)) => {
                self.customers.add(facts.standing.0, facts.standing.1, 1);
                facts.due
            }
            Some(Err(unreadable)) => {
                self.unreadable = Some(unreadable);
                None
            }
            None => None,
        };
        self.store.put(Change { customer_id, row, due });
    }
}

impl Running {
    /// Goes on from `row` with `store`. `dirty` makes the first commit write the row, also when no
    /// record comes.
    pub(super) fn new(row: PartitionRow, store: MemoryStore, dirty: bool) -> Self {
        Self {
            partition: Partition::new(row),
            store,
            sealed: Sealed::default(),
            idle: IdleClock::default(),
            dirty,
            read_up_to: None,
        }
    }

    /// Takes the rows of open minutes; returns whether all could be read.
    pub(super) fn restore_pulse(&mut self, rows: &BTreeMap<Vec<u8>, Vec<u8>>) -> bool {
        rows.iter().all(|(key, row)| self.partition.restore_pulse(key, row))
    }

    pub(super) fn next_offset(&self) -> i64 {
        self.partition.row().next_offset
    }
}
