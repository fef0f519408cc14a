//! Living session after session: what breaks is built anew, after a while, until somebody asks to stop.
//!
//! An error that clients cannot survive ends a session, not the process: new clients are made, and the
//! work goes on from what is committed. Every thread that talks to Kafka lives like this.

use std::time::Duration;

use super::{shared::Shared, watchdog::Task};
use crate::{
    backoff::Backoff,
    clock::Stopwatch,
    kafka::{Follower, KafkaFailure, Role},
};

/// A session that lived so long was a good one: the next wait is the first again.
const GOOD_LIFE: Duration = Duration::from_secs(30);

/// How long one wait for a record may take: a stop waits as long.
const PATIENCE: Duration = Duration::from_millis(200);

/// Lives session after session. `broken` tells of one that ended badly, and says whether that was the
/// last.
///
/// # Errors
///
/// What `broken` says does not get better by trying.
pub(super) fn persist<E>(
    shared: &Shared,
    task: Task,
    mut session: impl FnMut() -> Result<(), E>,
    mut broken: impl FnMut(E) -> Result<(), KafkaFailure>,
) -> Result<(), KafkaFailure> {
    // Those of one instance, and the same ones of several, do not come back together.
    let who = format!("{}/{task}", shared.settings.instance);
    let mut backoff = Backoff::of_clients();
    while !shared.stop.is_asked() {
        // Whom no broker answers goes on trying, and is not stuck.
        shared.rounds.come(task);
        let life = Stopwatch::start();
        let Err(failure) = session() else { return Ok(()) };
        if shared.stop.is_asked() {
            // What is not committed is the next process's; the broker ends the transaction.
            break;
        }
        broken(failure)?;
        if life.left_of(GOOD_LIFE).is_zero() {
            backoff.succeeded();
        }
        shared.stop.wait(backoff.failed(&who));
    }
    Ok(())
}

/// A session that reads a topic of one partition along, from its beginning, until asked to stop.
///
/// # Errors
///
/// The reader is of no more use.
pub(super) fn read_along(
    shared: &Shared,
    task: Task,
    role: Role,
    mut hear: impl FnMut(&[u8]),
) -> Result<(), KafkaFailure> {
    let settings = &shared.settings;
    let follower = Follower::open(&settings.connection, &[settings.topics.name(role)], 1)?;
    while !shared.stop.is_asked() {
        shared.rounds.come(task);
        follower.poll(PATIENCE, |_, record| hear(record))?;
    }
    Ok(())
}

/// Passes on what the broker does not permit, which does not get better by trying.
pub(super) fn unless_refused(failure: KafkaFailure) -> Result<KafkaFailure, KafkaFailure> {
    if failure.is_refusal() { Err(failure) } else { Ok(failure) }
}
