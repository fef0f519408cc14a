//! A partition in a worker's hands, from assigned to running.

use std::time::Duration;

use super::{idle::IdleClock, watchdog::Progress};
use crate::{
    clock::{Stopwatch, wall_clock},
    engine::{
        CUSTOMER_PREFIX, PARTITION_KEY, Partition, PartitionRow, RowError, Sealed,
        spike::is_pulse_key,
    },
    kafka::{KafkaFailure, Restore, RestoreStep, RestoredRow},
    model::EventTime,
    store::{DiskFailure, Intake, PartitionStore},
};

/// How many rows a restore writes to the disk between two looks at everything else.
const ROWS_AT_ONCE: usize = 20_000;

/// How far a partition has come.
#[derive(Debug)]
pub(super) enum Held {
    /// Assigned; the group's offset is not known yet.
    Asking(Stopwatch),
    /// The disk refuses; it is asked again after a while.
    Waiting(Stopwatch),
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
#[derive(Debug)]
pub(super) struct RestoredState {
    pub(super) store: PartitionStore,
    /// Takes the rows, where the disk has none.
    intake: Option<Intake>,
    pub(super) unreadable: Option<RowError>,
}

/// Why a restore cannot go on.
#[derive(Debug)]
pub(super) enum RestoreFailure {
    Kafka(KafkaFailure),
    Disk(DiskFailure),
}

/// A partition at work.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) partition: Partition,
    pub(super) store: PartitionStore,
    /// What the transaction under way writes for this partition; kept from seal to commit.
    pub(super) sealed: Sealed,
    pub(super) idle: IdleClock,
    /// Something happened since the last commit.
    pub(super) dirty: bool,
    /// Where the last commit has left it; `None`: none yet, so nobody was told that it is here.
    pub(super) committed_to: Option<i64>,
    /// Whether it gets on.
    pub(super) progress: Progress,
    /// The disk takes no more, and memory is full of what it has not taken: nothing is read.
    pub(super) held_back: bool,
    /// The newest record's own time, for the lag in seconds.
    pub(super) read_up_to: Option<EventTime>,
}

impl Restoring {
    pub(super) fn new(restore: Restore, committed: Option<i64>, store: PartitionStore) -> Self {
        let intake = store.intake();
        let state = RestoredState { store, intake, unreadable: None };
        Self { restore, committed, state, reported: 0 }
    }

    /// Works for about `budget`; returns how far it is and how many rows are new. Where memory is
    /// short, what was read so far is written down before more is read: a partition need not fit in
    /// it.
    pub(super) fn step(&mut self, budget: Duration) -> Result<(RestoreStep, u64), RestoreFailure> {
        if let Some(step) = self.make_room()? {
            return Ok((step, 0));
        }
        let Self { restore, state, reported, .. } = self;
        let step =
            restore.step(budget, &mut |row| state.take(row)).map_err(RestoreFailure::Kafka)?;
        let new = restore.row_count() - *reported;
        *reported = restore.row_count();
        if state.unreadable.is_some() {
            // It will not run. And a checkpoint behind such a row would hide it from the next start.
            return Ok((RestoreStep::Done, new));
        }
        match step {
            RestoreStep::Done if !state.take_in(restore.position())? => {
                Ok((RestoreStep::Reading, new))
            }
            RestoreStep::Waiting | RestoreStep::Reading | RestoreStep::Done => Ok((step, new)),
        }
    }

    /// Goes on with what has to be on disk before more is read; `None`: nothing has.
    fn make_room(&mut self) -> Result<Option<RestoreStep>, RestoreFailure> {
        let Self { restore, state, .. } = self;
        let RestoredState { store, intake, .. } = state;
        let must = intake.as_ref().map_or(store.is_full(), |intake| store.is_run_due(intake));
        if must && store.is_refused() {
            // Memory is full of what the disk does not have.
            return Ok(Some(RestoreStep::Waiting));
        }
        match intake {
            Some(intake) if must => store.write_run(intake).map_err(RestoreFailure::Disk)?,
            None if store.is_writing() => {
                store.write_some(ROWS_AT_ONCE).map_err(RestoreFailure::Disk)?;
            }
            None if store.is_checkpoint_due(Duration::MAX) => {
                store.begin_checkpoint(restore.position(), wall_clock());
            }
            Some(_) | None => return Ok(None),
        }
        Ok(Some(RestoreStep::Reading))
    }

    pub(super) fn remaining(&self) -> u64 {
        self.restore.remaining()
    }

    pub(super) fn row_count(&self) -> u64 {
        self.reported
    }
}

impl RestoredState {
    /// Everything was read: goes on with what an intake still holds, and returns whether that was all.
    fn take_in(&mut self, position: i64) -> Result<bool, RestoreFailure> {
        let Some(intake) = self.intake.as_mut().filter(|intake| !intake.is_empty()) else {
            return Ok(true);
        };
        if self.store.is_refused() {
            return Ok(false);
        }
        let done = self.store.take_in(intake, ROWS_AT_ONCE, position, wall_clock());
        let done = done.map_err(RestoreFailure::Disk)?;
        if done {
            self.intake = None;
        }
        Ok(done)
    }

    /// Takes one row. Later ones of a key replace earlier ones: the topic's order is that of the
    /// transactions, and what the checkpoint had is older than all of them.
    fn take(&mut self, row: RestoredRow<'_>) {
        if row.key == PARTITION_KEY {
            self.store.put_partition_row(row.value);
            return;
        }
        if is_pulse_key(row.key) {
            self.store.put_pulse(row.key, row.value);
            return;
        }
        let customer_id = match row.key.split_first() {
            Some((&CUSTOMER_PREFIX, id)) => str::from_utf8(id).ok(),
            Some(_) | None => None,
        };
        let put = |id: &str| match &mut self.intake {
            Some(intake) => intake.put(id, row.value),
            None => self.store.put(id, row.value),
        };
        let taken = customer_id.ok_or(RowError::Damaged).and_then(put);
        if let Err(unreadable) = taken {
            self.unreadable = Some(unreadable);
        }
    }
}

impl Running {
    /// Goes on from `row` with `store`. `dirty` makes the first commit write the row, also when no
    /// record comes.
    pub(super) fn new(row: PartitionRow, mut store: PartitionStore, dirty: bool) -> Self {
        store.restored();
        Self {
            partition: Partition::new(row),
            store,
            sealed: Sealed::default(),
            idle: IdleClock::default(),
            dirty,
            committed_to: None,
            progress: Progress::default(),
            held_back: false,
            read_up_to: None,
        }
    }

    /// Takes the rows of open minutes from the store; returns whether all could be read.
    pub(super) fn restore_pulse(&mut self) -> bool {
        let Self { partition, store, .. } = self;
        store.pulse().iter().all(|(key, row)| partition.restore_pulse(key, row))
    }

    /// Returns whether the consumer has been given it.
    pub(super) fn is_reading(&self) -> bool {
        !self.held_back
    }

    pub(super) fn next_offset(&self) -> i64 {
        self.partition.row().next_offset
    }
}
