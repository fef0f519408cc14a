//! A worker: one thread that keeps a session going, whatever breaks.
//!
//! An error that clients cannot survive ends a session, not the process: new clients are made, the
//! state is restored, and the work goes on from the last commit.

use std::{sync::Arc, sync::mpsc::Receiver, time::Duration};

use super::{lookup::Lookup, session::Session, shared::Shared, watchdog::Task};
use crate::{
    clock::Stopwatch,
    kafka::{KafkaFailure, Trouble},
    telemetry::log,
};

/// The first pause before new clients are made.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest. A broker that is back is noticed within it.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A session that lived so long was a good one: the next pause is the first again.
const GOOD_LIFE: Duration = Duration::from_secs(30);

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
        let ended = persist(&self.shared, self.index, || self.session());
        self.shared.telemetry.worker_stopped(self.index);
        ended
    }

    fn session(&self) -> Result<(), KafkaFailure> {
        // Whom no broker answers goes on trying, and is not stuck.
        self.shared.rounds.come(Task::Worker(self.index));
        Session::open(self.index, &self.shared, &self.mailbox)?.run()
    }
}

/// Lives session after session, until asked to stop.
///
/// # Errors
///
/// The broker does not permit what is needed.
pub(super) fn persist(
    shared: &Shared,
    index: u16,
    session: impl Fn() -> Result<(), KafkaFailure>,
) -> Result<(), KafkaFailure> {
    let mut pause = FIRST_PAUSE;
    loop {
        let life = Stopwatch::start();
        let Err(failure) = session() else { return Ok(()) };
        if shared.stop.is_asked() {
            // What is not committed is the next process's; the broker ends the transaction.
            return Ok(());
        }
        if failure.is_refusal() {
            return Err(failure);
        }
        if failure.trouble() == Trouble::Fenced {
            shared.telemetry.fenced();
        }
        shared.telemetry.worker_rebuilt(index, &failure.to_string());
        if life.left_of(GOOD_LIFE).is_zero() {
            pause = FIRST_PAUSE;
        }
        shared.stop.wait(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
