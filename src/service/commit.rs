//! The commit: everything since the last one becomes true at once, or nothing of it.

use std::sync::Arc;

use super::{
    failpoint::Failpoint,
    held::{Held, Running},
    publish::Publisher,
    session::{WorkerSession, running_among},
    transaction::abort_class,
};
use crate::{
    clock::Stopwatch,
    engine::Engine,
    kafka::{KafkaFailure, Place},
    telemetry::log,
};

impl WorkerSession<'_> {
    /// Commits what was processed.
    ///
    /// The store is written *after* Kafka has committed. A crash in between leaves it one step
    /// behind, and the changelog brings it forward at the next start. The other order would leave
    /// it one step ahead of a transaction that never happened, and nobody downstream could tell.
    ///
    /// # Errors
    ///
    /// By class: abort, or build anew.
    pub(super) fn commit(&mut self) -> Result<(), KafkaFailure> {
        self.consumer.check_membership(self.is_holding())?;
        if !self.is_dirty() {
            return Ok(());
        }
        self.look_for_trouble()?;
        self.outbox.begin()?;
        let offsets = self.seal()?;
        Failpoint::AfterProduce.reached();
        let watch = Stopwatch::start();
        // Before the offsets: the broker takes them also when records are still on their way, and
        // a record that then fails would be lost with its offset committed.
        self.outbox.drain()?;
        Failpoint::AfterDrain.reached();
        let marks = self.mark_checkpoints();
        self.outbox.send_offsets(&self.consumer, &offsets)?;
        Failpoint::AfterOffsets.reached();
        self.outbox.commit()?;
        Failpoint::AfterCommit.reached();
        let engine = &self.ruling.engine;
        for (_, running) in running_among(&mut self.held).filter(|(_, running)| running.dirty) {
            running.committed(engine);
        }
        self.begin_checkpoints(&marks);
        self.shared.board.keys(self.tally.key_counts());
        let now = self.shared.settings.clock.now();
        self.shared.telemetry.committed(&mut self.tally, now, watch.elapsed());
        log::committed(self.worker, self.transaction.record_count, watch.elapsed());
        self.transaction.committed();
        self.take_up_new_rules();
        self.read_again()
    }

    /// Goes back to the records that wait for deadlines which the transaction had no room for.
    fn read_again(&mut self) -> Result<(), KafkaFailure> {
        let waits = |running: &Running| {
            let herd = running.partition.row().herd;
            running.is_reading() && herd.is_some_and(|herd| herd.items_done.is_some())
        };
        let waiting = self.running().filter(|(_, running)| waits(running));
        let positions: Vec<_> = waiting
            .map(|(partition, running)| (self.place(partition), running.next_offset()))
            .collect();
        self.consumer.seek(&positions)
    }

    /// Produces every dirty partition's rows; returns the offsets that belong to them.
    fn seal(&mut self) -> Result<Vec<(Place, i64)>, KafkaFailure> {
        let publisher = Publisher {
            outbox: &self.outbox,
            plan: &self.shared.settings.topics,
            topics: self.shared.topics,
        };
        let mut offsets = Vec::new();
        for (partition, held) in &mut self.held {
            let Held::Running(running) = held else { continue };
            if !running.dirty {
                continue;
            }
            running.sealed.clear();
            running.partition.seal(&self.ruling.engine, &mut running.sealed);
            publisher.sealed(*partition, &running.sealed)?;
            if running.committed_to.is_none() {
                publisher.owner(*partition, &self.shared.owners.claim(*partition))?;
            }
            self.tally.sealed(*partition, &running.sealed);
            offsets.push((Place::of(&self.input, *partition), running.next_offset()));
        }
        Ok(offsets)
    }

    /// Takes everything since the last commit back, and reads it again.
    ///
    /// # Errors
    ///
    /// The clients are of no more use.
    pub(super) fn abort(&mut self, cause: &KafkaFailure) -> Result<(), KafkaFailure> {
        self.report_abort(cause);
        self.transaction.aborted(cause)?;
        self.outbox.abort()?;
        self.effects.clear();
        let mut positions = Vec::new();
        for (partition, running) in running_among(&mut self.held).filter(|(_, one)| one.dirty) {
            running.abandon();
            if running.is_reading() {
                positions.push((Place::of(&self.input, partition), running.next_offset()));
            }
        }
        self.take_up_new_rules();
        self.consumer.seek(&positions)
    }

    pub(super) fn report_abort(&mut self, cause: &KafkaFailure) {
        if self.is_dirty() {
            let class = abort_class(cause);
            self.shared.telemetry.aborted(&mut self.tally, self.worker, class, &cause.to_string());
        }
    }

    /// Between two transactions, so that one transaction is one rule set's work.
    pub(super) fn take_up_new_rules(&mut self) {
        let ruling = self.shared.ruling.load();
        if !Arc::ptr_eq(&ruling, &self.ruling) {
            self.ruling = Arc::clone(&ruling);
            self.tally = self.shared.telemetry.tally(Arc::clone(&self.ruling.names));
            for (_, running) in self.running_mut() {
                running.partition.rules_changed();
            }
            log::rules_taken_up(self.worker, self.ruling.engine.rules().version());
        }
    }
}

impl Running {
    fn committed(&mut self, engine: &Engine) {
        self.store.apply(&self.sealed);
        self.partition.committed(engine);
        self.sealed.clear();
        self.dirty = false;
        self.committed_to = Some(self.next_offset());
    }

    pub(super) fn abandon(&mut self) {
        self.partition.abandon();
        self.sealed.clear();
        self.dirty = false;
    }
}
