//! A worker: one thread that keeps a session going, whatever breaks.

use std::{sync::Arc, sync::mpsc::Receiver};

use super::{
    lookup::Lookup,
    persist::{persist, unless_refused},
    session::{WorkerSession, note_broker},
    shared::Shared,
    watchdog::Task,
};
use crate::{
    kafka::{KafkaFailure, Trouble},
    telemetry::log,
};

/// One worker.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) index: u16,
    pub(super) shared: Arc<Shared>,
    pub(super) mailbox: Receiver<Lookup>,
}

impl Worker {
    /// Works until asked to stop.
    ///
    /// # Errors
    ///
    /// The broker does not permit what is needed: that does not get better by trying.
    pub(super) fn run(&self) -> Result<(), KafkaFailure> {
        log::worker_started(self.index);
        let session = || {
            let mut session = WorkerSession::open(self.index, &self.shared, &self.mailbox)
                .inspect_err(|failure| self.hear_silence(failure))?;
            session.run().inspect_err(|_| session.ask_for_a_broker())
        };
        let ended = persist(&self.shared, Task::Worker(self.index), session, |failure| {
            broken(&self.shared, self.index, failure)
        });
        self.shared.telemetry.worker_stopped(self.index);
        ended
    }

    /// New clients that got no answer have no consumer that could be asked.
    fn hear_silence(&self, failure: &KafkaFailure) {
        if failure.trouble() == Trouble::TimedOut {
            note_broker(&self.shared, self.index, false);
        }
    }
}

/// Tells of a worker or router whose clients are of no more use.
///
/// # Errors
///
/// The broker does not permit what is needed.
pub(super) fn broken(
    shared: &Shared,
    index: u16,
    failure: KafkaFailure,
) -> Result<(), KafkaFailure> {
    let failure = unless_refused(failure)?;
    if failure.trouble() == Trouble::Fenced {
        shared.telemetry.fenced();
    }
    shared.telemetry.worker_rebuilt(index, &failure.to_string());
    Ok(())
}
