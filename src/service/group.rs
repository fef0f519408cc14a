//! What the group asks of a worker: partitions come, are restored, and go.
//!
//! An assignment is answered at once with nothing, and each partition is taken up when its state
//! has been read. So a restore holds up neither the group nor the partitions that run already.

use std::time::Duration;

use super::{
    InputStart,
    failpoint::Failpoint,
    held::{Held, RestoreFailure, Restoring, Running},
    position::{Known, Mismatch, Position, position},
    session::WorkerSession,
};
use crate::{
    clock::{Stopwatch, wall_clock},
    engine::{PartitionRow, RowError, read_partition_row},
    kafka::{KafkaFailure, LostPosition, Place, Rebalance, Restore, RestoreStep, Role},
    store::{DiskFailure, Identity, Opened, PartitionStore},
    telemetry::{CustomerCounts, StopReason, log},
};

/// How long to read the state topic before other partitions have their turn.
const RESTORE_BUDGET: Duration = Duration::from_millis(50);

/// How long a disk that refuses is left alone.
const DISK_PAUSE: Duration = Duration::from_secs(1);

/// How long a broker may take to answer a question.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

impl WorkerSession<'_> {
    /// Answers every rebalance that `poll` noted.
    pub(super) fn answer_group(&mut self) -> Result<(), KafkaFailure> {
        while let Some(rebalance) = self.consumer.next_rebalance() {
            match rebalance {
                Rebalance::Assigned(places) => self.take_up(&numbers(&places))?,
                Rebalance::Revoked { places, lost: false } => {
                    Failpoint::InRevoke.reached();
                    // While they are still ours: the next owner starts from this commit.
                    let last = self.commit();
                    self.settle(last)?;
                    self.give_up(&numbers(&places), false)?;
                }
                Rebalance::Revoked { places, lost: true } => {
                    let lost = KafkaFailure::lost_partitions();
                    if self.is_dirty() {
                        self.abort(&lost)?;
                    }
                    self.give_up(&numbers(&places), true)?;
                }
            }
        }
        Ok(())
    }

    fn take_up(&mut self, partitions: &[i32]) -> Result<(), KafkaFailure> {
        if !partitions.is_empty() {
            Failpoint::InAssign.reached();
        }
        self.consumer.answer_assignment(self.is_holding())?;
        self.shared.telemetry.partitions_assigned(self.worker, partitions);
        self.shared.board.joined(self.worker);
        for partition in partitions {
            self.shared.board.restoring(*partition);
            self.held.insert(*partition, Held::Asking(Stopwatch::start()));
        }
        self.pending.partition_count = true;
        Ok(())
    }

    /// A topic that was widened sends customers to other partitions than their state is in. The
    /// group rebalances when it notices, which every member hears of, also with an empty
    /// assignment.
    pub(super) fn check_partition_count(&mut self) -> Result<(), KafkaFailure> {
        if !self.pending.partition_count {
            return Ok(());
        }
        let state = self.shared.topics.partition_count;
        let now = self.consumer.places(ANSWER_LIMIT)?.len();
        let now = i32::try_from(now).unwrap_or(i32::MAX);
        if now == state {
            self.pending.partition_count = false;
            return Ok(());
        }
        Failpoint::BeforeStop.fails()?;
        // What was processed before is still good.
        self.commit()?;
        self.pending.partition_count = false;
        let reading = self.running().filter(|(_, running)| running.is_reading());
        let reading: Vec<Place> = reading.map(|(partition, _)| self.place(partition)).collect();
        self.consumer.unassign(&reading)?;
        let all: Vec<i32> = self.held.keys().copied().collect();
        for partition in all {
            self.stop_mismatched(partition, &Mismatch::PartitionCount { state, now });
        }
        Ok(())
    }

    fn give_up(&mut self, partitions: &[i32], lost: bool) -> Result<(), KafkaFailure> {
        let mut reading = Vec::new();
        for partition in partitions {
            self.shared.board.clear(*partition);
            if let Some(Held::Running(running)) = self.held.remove(partition)
                && running.is_reading()
            {
                reading.push(self.place(*partition));
            }
        }
        self.shared.telemetry.partitions_revoked(self.worker, partitions, lost);
        // Also when there is nothing to give up: the group waits for the answer.
        self.consumer.unassign(&reading)
    }

    /// Goes on with one partition that is not at work yet.
    pub(super) fn restore_a_little(&mut self) -> Result<(), KafkaFailure> {
        let next = self.held.iter_mut().find_map(|(partition, held)| match held {
            Held::Asking(since) => Some((*partition, Step::Ask(*since))),
            Held::Waiting(since) => {
                (DISK_PAUSE <= since.elapsed()).then(|| (*partition, Step::Ask(Stopwatch::start())))
            }
            Held::Restoring(restoring) => Some((*partition, Step::Read(restoring))),
            Held::Running(_) | Held::Stopped => None,
        });
        match next {
            None => Ok(()),
            Some((partition, Step::Ask(since))) => self.ask(partition, since),
            Some((partition, Step::Read(restoring))) => {
                let step = restoring.step(RESTORE_BUDGET);
                self.took_step(partition, step)
            }
        }
    }

    fn took_step(
        &mut self,
        partition: i32,
        step: Result<(RestoreStep, u64), RestoreFailure>,
    ) -> Result<(), KafkaFailure> {
        match step {
            Ok((step, row_count)) => {
                if 0 < row_count {
                    Failpoint::InRestore.reached();
                }
                self.shared.telemetry.restored(row_count);
                match step {
                    RestoreStep::Waiting | RestoreStep::Reading => Ok(()),
                    RestoreStep::Done => self.start(partition),
                }
            }
            Err(RestoreFailure::Kafka(failure)) => Err(failure),
            Err(RestoreFailure::Disk(refused @ DiskFailure::Refused(_))) => {
                self.shared.telemetry.checkpoint_refused(self.worker, partition, &refused);
                Ok(())
            }
            Err(RestoreFailure::Disk(damaged @ DiskFailure::Damaged(_))) => {
                Err(self.throw_away(partition, &damaged))
            }
        }
    }

    fn ask(&mut self, partition: i32, since: Stopwatch) -> Result<(), KafkaFailure> {
        let place = self.place(partition);
        let Some(offsets) = self.consumer.committed_by_now(std::slice::from_ref(&place), since)?
        else {
            return Ok(());
        };
        let committed = offsets.get(&place).copied().flatten();
        let settings = &self.shared.settings;
        let topic = settings.topics.name(Role::State);
        // After the group's offset was read: what it belongs to is then in the changelog.
        let mut restore = Restore::begin(&settings.connection, &settings.app, topic, partition)?;
        let mut store = match self.open_store(partition, &mut restore) {
            Ok(store) => store,
            Err(refused) => {
                log::state_refused(self.worker, partition, &refused);
                self.shared.board.refused(partition, refused.to_string());
                self.held.insert(partition, Held::Waiting(Stopwatch::start()));
                return Ok(());
            }
        };
        store.set_budget(self.memory_share());
        self.shared.board.restoring(partition);
        log::restore_started(self.worker, partition, restore.remaining(), restore.position());
        let restoring = Restoring::new(restore, committed, store);
        self.held.insert(partition, Held::Restoring(Box::new(restoring)));
        Ok(())
    }

    /// Opens what this machine has of a partition, and sets the restore to go on from there.
    fn open_store(
        &self,
        partition: i32,
        restore: &mut Restore,
    ) -> Result<PartitionStore, DiskFailure> {
        let folders = &self.shared.shelf;
        let Opened { store, discarded } = folders.open(self.identity(partition), wall_clock())?;
        if let Some(reason) = discarded {
            log::state_discarded(self.worker, partition, &reason);
        }
        match store.changelog_offset() {
            Some(offset) if !restore.skip_to(offset) => {
                let reason = format!("the state topic has no offset {offset}");
                log::state_discarded(self.worker, partition, &reason);
                store.discard()?;
                Ok(folders.open(self.identity(partition), wall_clock())?.store)
            }
            Some(_) | None => Ok(store),
        }
    }

    fn identity(&self, partition: i32) -> Identity {
        let settings = &self.shared.settings;
        Identity {
            app: settings.app.clone(),
            input: settings.topics.name(Role::Input).to_owned(),
            changelog: settings.topics.name(Role::State).to_owned(),
            topic_ids: self.topic_ids.clone(),
            partition,
        }
    }

    /// The state is read: decides where to go on, and goes on there.
    fn start(&mut self, partition: i32) -> Result<(), KafkaFailure> {
        let Some(Held::Restoring(restoring)) = self.held.remove(&partition) else { return Ok(()) };
        let row_count = restoring.row_count();
        let Restoring { committed, state, .. } = *restoring;
        let row = match (state.unreadable, state.store.partition_row().map(read_partition_row)) {
            (Some(unreadable), _) | (None, Some(Err(unreadable))) => {
                self.stop(partition, StopReason::Unreadable, &unreadable);
                return Ok(());
            }
            (None, Some(Ok(row))) => Some(row),
            (None, None) => None,
        };
        let partition_count = self.shared.topics.partition_count;
        let bounds = self.consumer.bounds(&self.place(partition), ANSWER_LIMIT)?;
        let [topic_id, _] = &self.topic_ids;
        let known = Known {
            topic_id,
            committed,
            row: row.as_ref(),
            partition_count,
            bounds,
            adopt_offsets: self.shared.settings.adopt_offsets,
        };
        let offset = match position(&known) {
            Ok(Position::Continue(offset) | Position::Adopted(offset)) => offset,
            Ok(Position::Unread) => self.first_offset(partition, bounds)?,
            Err(mismatch) => {
                self.stop_mismatched(partition, &mismatch);
                return Ok(());
            }
        };
        let mut row = row.unwrap_or_default();
        if !topic_id.is_empty() {
            row.topic_id.clone_from(topic_id);
        }
        let row = PartitionRow { next_offset: offset, partition_count, ..row };
        let mut customers = CustomerCounts::default();
        for (stage, band, count) in state.store.standings() {
            customers.add(stage, band, count);
        }
        // Dirty: the first commit comes also without a record. It writes down an offset that is not the
        // state's own, so that the next start finds them in agreement, and says whose it is now.
        let mut running = Running::new(row, state.store, true);
        if !running.restore_pulse() {
            self.stop(partition, StopReason::Unreadable, &RowError::Damaged);
            return Ok(());
        }
        self.held.insert(partition, Held::Running(Box::new(running)));
        self.consumer.assign(&[(self.place(partition), offset)])?;
        self.shared.telemetry.partition_ready(self.worker, partition, customers, row_count);
        self.shared.board.clear(partition);
        Ok(())
    }

    fn first_offset(&self, partition: i32, bounds: (i64, i64)) -> Result<i64, KafkaFailure> {
        match self.shared.settings.input_start {
            InputStart::Earliest => Ok(bounds.0),
            InputStart::Latest => Ok(bounds.1),
            InputStart::At(time) => {
                self.consumer.offset_at(&self.place(partition), time.as_millis())
            }
        }
    }

    /// Stops one partition until the operator has decided. The others go on.
    fn stop(&mut self, partition: i32, code: StopReason, reason: &dyn std::fmt::Display) {
        self.shared.board.stopped(partition, reason.to_string());
        // Last, so that whoever reads its line finds it at `/readyz` too.
        self.shared.telemetry.partition_stopped(self.worker, partition, code, reason);
        self.held.insert(partition, Held::Stopped);
    }

    fn stop_mismatched(&mut self, partition: i32, mismatch: &Mismatch) {
        self.stop(partition, mismatch.code(), mismatch);
    }

    /// Where the broker has refused a position: finds the partitions whose records are gone.
    pub(super) fn stop_lost_positions(&mut self) -> Result<(), KafkaFailure> {
        if !self.pending.lost_position {
            return Ok(());
        }
        let reading = self.running().filter(|(_, running)| running.is_reading());
        let positions =
            reading.map(|(partition, running)| (self.place(partition), running.next_offset()));
        let lost = self.consumer.lost_positions(positions.collect())?;
        if !lost.is_empty() {
            Failpoint::BeforeStop.fails()?;
            // What was processed before is still good.
            self.commit()?;
        }
        for LostPosition { place, offset, bounds: (first, end) } in lost {
            let partition = place.partition;
            self.held.remove(&partition);
            self.consumer.unassign(&[place])?;
            self.stop_mismatched(partition, &Mismatch::OutOfRange { offset, first, end });
        }
        self.pending.lost_position = false;
        Ok(())
    }
}

/// Returns the partitions' numbers: all are of the one topic.
fn numbers(places: &[Place]) -> Vec<i32> {
    places.iter().map(|place| place.partition).collect()
}

enum Step<'a> {
    Ask(Stopwatch),
    Read(&'a mut Restoring),
}

impl Drop for WorkerSession<'_> {
    /// The partitions are somebody's again, perhaps this worker's next session's.
    fn drop(&mut self) {
        let partitions: Vec<i32> = self.held.keys().copied().collect();
        for partition in &partitions {
            self.shared.board.clear(*partition);
        }
        if !partitions.is_empty() {
            let lost = self.is_dirty();
            self.shared.telemetry.partitions_revoked(self.worker, &partitions, lost);
        }
        self.shared.board.left(self.worker);
    }
}
