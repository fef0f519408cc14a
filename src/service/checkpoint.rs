//! What was committed, on its way to the disk.
//!
//! A checkpoint names an offset of the changelog: from there on a restart reads. It must not stand
//! behind anything that the checkpoint lacks, so it is asked for *before* a transaction ends and used
//! only if that succeeds. Asked for after, it could already count what a new owner has written, when
//! this worker was paused and does not know yet that it has been replaced: the success of the commit
//! is the proof that it had not. The offset is the last stable one. It stands before this very
//! transaction, so a restart reads that once more, and nothing is missed.

use std::{sync::Arc, time::Duration};

use super::{
    failpoint::Failpoint,
    held::{Held, Running},
    session::WorkerSession,
};
use crate::{
    clock::wall_clock,
    kafka::{KafkaFailure, Place, Role},
    store::DiskFailure,
    telemetry::log,
};

/// How many rows are written between two looks at everything else: some ten milliseconds' work.
const ROWS_AT_ONCE: usize = 2000;

/// How long the broker may take to name the changelog's stable end; then there is no checkpoint this
/// time.
const END_LIMIT: Duration = Duration::from_secs(1);

/// From which offset the changelog would have to be read after a checkpoint.
pub(super) type Mark = (i32, i64);

impl WorkerSession<'_> {
    /// Shares the memory for rows among the partitions.
    pub(super) fn share_memory(&mut self) {
        let share = self.memory_share();
        for held in self.held.values_mut() {
            match held {
                Held::Running(running) => running.store.set_budget(share),
                Held::Restoring(restoring) => restoring.state.store.set_budget(share),
                Held::Asking(_) | Held::Waiting(_) | Held::Stopped => {}
            }
        }
    }

    pub(super) fn memory_share(&self) -> usize {
        let settings = &self.shared.settings;
        let workers = usize::from(settings.worker_count.max(1));
        settings.state.memory_bytes / workers / self.held.len().max(1)
    }

    /// Makes sure that a partition whose checkpoint is due takes part in a transaction: without one
    /// there is no proof that it is still ours.
    pub(super) fn ask_for_proof(&mut self) {
        let interval = self.checkpoint_interval();
        for (_, running) in self.running_mut() {
            running.dirty |= running.store.is_checkpoint_due(interval);
        }
    }

    fn checkpoint_interval(&self) -> Duration {
        // At the end, everything is written down that is not yet.
        if self.ending { Duration::ZERO } else { self.shared.settings.state.checkpoint_interval }
    }

    /// Before the transaction ends: the offsets for the checkpoints that can begin after it.
    pub(super) fn mark_checkpoints(&self) -> Vec<Mark> {
        let interval = self.checkpoint_interval();
        let topic: Arc<str> = Arc::from(self.shared.settings.topics.name(Role::State));
        let mut marks = Vec::new();
        for (partition, running) in self.running() {
            let due = running.store.is_checkpoint_due(interval)
                || (self.ending && !running.sealed.customers.is_empty());
            if !running.dirty || !due {
                continue;
            }
            match self.consumer.bounds(&Place::of(&topic, partition), END_LIMIT) {
                Ok((_, stable_end)) => marks.push((partition, stable_end)),
                Err(error) => log::checkpoint_put_off(self.worker, partition, &error),
            }
        }
        marks
    }

    /// After the transaction has succeeded.
    pub(super) fn begin_checkpoints(&mut self, marks: &[Mark]) {
        for (partition, offset) in marks {
            if let Some(Held::Running(running)) = self.held.get_mut(partition) {
                running.store.begin_checkpoint(*offset, wall_clock());
                Failpoint::BeforeCheckpoint.reached();
            }
        }
    }

    /// Goes on with one checkpoint that is under way.
    pub(super) fn checkpoint_a_little(&mut self) -> Result<(), KafkaFailure> {
        let worker = self.worker;
        let next = self.running_mut().find(|(_, running)| running.store.is_writing());
        let Some((partition, running)) = next else { return Ok(()) };
        match running.store.write_some(ROWS_AT_ONCE) {
            Ok(false) => {
                Failpoint::InCheckpoint.reached();
                Ok(())
            }
            Ok(true) => {
                Failpoint::AfterCheckpoint.reached();
                self.shared.telemetry.checkpoint_written(worker, partition);
                self.shared.board.unwritten(partition, None);
                self.go_on(partition)
            }
            Err(refused @ DiskFailure::Refused(_)) => {
                self.shared.telemetry.checkpoint_refused(worker, partition, &refused);
                self.shared.board.unwritten(partition, Some(refused.to_string()));
                Ok(())
            }
            Err(damaged @ DiskFailure::Damaged(_)) => Err(self.throw_away(partition, &damaged)),
        }
    }

    /// Stops reading partitions whose memory is full of what the disk does not have.
    pub(super) fn hold_back(&mut self) -> Result<(), KafkaFailure> {
        let full =
            |(_, running): &(i32, &mut Running)| running.store.is_full() && !running.held_back;
        let Some((partition, running)) = self.running_mut().find(full) else { return Ok(()) };
        running.held_back = true;
        log::held_back(self.worker, partition);
        self.shared.board.full(partition);
        self.consumer.unassign(&[self.place(partition)])
    }

    /// Reads a partition again that was held back.
    fn go_on(&mut self, partition: i32) -> Result<(), KafkaFailure> {
        let Some(Held::Running(running)) = self.held.get_mut(&partition) else { return Ok(()) };
        if !running.held_back || running.store.is_full() {
            return Ok(());
        }
        running.held_back = false;
        let position = running.next_offset();
        self.shared.board.clear(partition);
        self.consumer.assign(&[(self.place(partition), position)])
    }

    /// Looks whether anything was read from the disk that is not to be believed. Asked before every
    /// commit: what rests on it must not become true.
    pub(super) fn look_for_trouble(&mut self) -> Result<(), KafkaFailure> {
        let found = self.running().find_map(|(partition, running)| {
            Some((partition, running.store.trouble()?.to_string()))
        });
        match found {
            None => Ok(()),
            Some((partition, reason)) => Err(self.throw_away(partition, &reason)),
        }
    }

    /// Throws a partition's state on this disk away. The next session restores it.
    pub(super) fn throw_away(
        &mut self,
        partition: i32,
        reason: &dyn std::fmt::Display,
    ) -> KafkaFailure {
        log::state_discarded(self.worker, partition, reason);
        let failure = KafkaFailure::local_state(reason.to_string());
        // Dirty until here: the abort is counted.
        self.report_abort(&failure);
        let discarded = match self.held.insert(partition, Held::Stopped) {
            Some(Held::Running(running)) => running.store.discard(),
            Some(Held::Restoring(restoring)) => restoring.state.store.discard(),
            Some(Held::Asking(_) | Held::Waiting(_) | Held::Stopped) | None => Ok(()),
        };
        if let Err(error) = discarded {
            log::state_refused(self.worker, partition, &error);
        }
        failure
    }

    /// Writes down everything, and closes in good order.
    pub(super) fn close_stores(&mut self) {
        for (partition, held) in &mut self.held {
            let Held::Running(running) = std::mem::replace(held, Held::Stopped) else { continue };
            if let Err(error) = finish(*running) {
                log::state_refused(self.worker, *partition, &error);
            }
        }
    }
}

fn finish(mut running: Running) -> Result<(), DiskFailure> {
    while !running.store.write_some(ROWS_AT_ONCE)? {}
    running.store.close()
}
