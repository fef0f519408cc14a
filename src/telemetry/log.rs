//! One function per fact: what the log says, and how loudly.
//!
//! ERROR: data is lost, or a human is needed. WARN: surprising, but handled. INFO: lifecycle.
//! Nothing per record above DEBUG. Payloads and customer ids stay out: they are personal data.
//! Facts that are also counted are functions of [`super::Telemetry`], which call these.

use std::{fmt, net::SocketAddr, time::Duration};

use super::AbortClass;
use crate::engine::spike::{SaidSpike, SpikeState};

/// A spike opened, goes on or closed, and that is committed.
pub fn spike(said: &SaidSpike) {
    let SaidSpike { spike_id, state, numerator, key, .. } = said;
    let (state, numerator) = (state.as_str(), numerator.as_str());
    match said.state {
        SpikeState::Open => tracing::warn!(%spike_id, numerator, key, "spike opened"),
        SpikeState::Update => tracing::debug!(%spike_id, numerator, key, state, "spike goes on"),
        SpikeState::Closed => tracing::info!(%spike_id, numerator, key, "spike closed"),
    }
}

/// This instance has the detector, and goes on at that offset.
pub fn detector_owned(offset: i64) {
    tracing::info!(offset, "this instance looks for spikes");
}

/// The detector's transaction failed: it is read back, and does it again.
pub fn detector_aborted(error: &str) {
    tracing::warn!(error, "the detector's transaction was aborted, and is done again");
}

/// The detector is built anew after an error that its clients cannot survive.
pub fn detector_rebuilt(error: &str) {
    tracing::warn!(error, "the spike detector is built anew");
}

/// What the detector had learnt cannot be read.
pub fn detector_state_damaged(error: &dyn fmt::Display) {
    tracing::error!(%error, "the spike detector begins to learn anew");
}

/// A minute cannot be read. A newer version wrote it, most likely.
pub fn pulse_unreadable(partition: i32, offset: i64) {
    tracing::warn!(partition, offset, "a minute cannot be read, and is left out");
}

/// The topic of spikes cannot be read for pages and notification. It is tried again.
pub fn spikes_unread(error: &dyn fmt::Display) {
    tracing::warn!(%error, "the spikes cannot be read");
}

/// Notification is built anew.
pub fn notifier_rebuilt(error: &str) {
    tracing::warn!(error, "notification is built anew");
}

/// A receiver did not take what it was told.
pub fn not_delivered(receiver: &str, problem: &str) {
    tracing::warn!(receiver, problem, "a notification was not taken");
}

/// The service begins its work.
pub fn service_started(app: &str, instance: &str, workers: usize) {
    let version = super::version();
    tracing::info!(version, app, instance, workers, "started");
}

/// HTTP can be asked at this address.
pub fn listening(address: SocketAddr) {
    tracing::info!(%address, "answering over HTTP");
}

/// A worker begins.
pub fn worker_started(worker: u16) {
    tracing::info!(worker, "worker started");
}

pub(super) fn worker_stopped(worker: u16) {
    tracing::info!(worker, "worker stopped");
}

pub(super) fn worker_rebuilt(worker: u16, error: &str) {
    tracing::warn!(worker, error, "worker is built anew");
}

pub(super) fn partitions_assigned(worker: u16, partitions: &[i32]) {
    tracing::info!(worker, ?partitions, "partitions assigned");
}

pub(super) fn partition_ready(worker: u16, partition: i32, restored: u64) {
    tracing::info!(worker, partition, restored, "partition ready");
}

pub(super) fn partitions_revoked(worker: u16, partitions: &[i32], lost: bool) {
    if lost {
        tracing::warn!(worker, ?partitions, "partitions lost");
    } else {
        tracing::info!(worker, ?partitions, "partitions revoked");
    }
}

pub(super) fn partition_stopped(worker: u16, partition: i32, reason: &dyn fmt::Display) {
    tracing::error!(worker, partition, %reason, "partition stopped");
}

pub(super) fn source_stopped(router: u16, place: &str, reason: &dyn fmt::Display) {
    tracing::error!(router, place, %reason, "source stopped");
}

/// No broker answers a worker any more, or one does again.
pub fn broker_answers(worker: u16, reached: bool) {
    if reached {
        tracing::info!(worker, "a broker answers again");
    } else {
        tracing::warn!(worker, "no broker answers; it goes on when one does");
    }
}

/// A partition has records to read and commits nothing.
pub fn partition_stalled(worker: u16, partition: i32) {
    tracing::error!(worker, partition, "partition does not get on");
}

/// A worker, a router or the detector does not come round any more.
pub fn stuck(task: &dyn fmt::Display, limit: Duration) {
    tracing::error!(%task, limit_ms = millis(limit), "does not come round");
}

/// Nobody knows which instance has which partition, until the topic can be read again.
pub fn owners_unread(error: &dyn fmt::Display) {
    tracing::warn!(%error, "the owners of partitions cannot be read");
}

/// What the console shows stands still. It is tried again.
pub fn picture_interrupted(error: &dyn fmt::Display) {
    tracing::warn!(%error, "the live picture is interrupted");
}

/// The HTTP server did not end as it should.
pub fn page_ended_badly(error: &dyn fmt::Display) {
    tracing::warn!(%error, "the HTTP server ended badly");
}

/// A thread ended when nobody listened any more.
pub fn end_unheard() {
    tracing::debug!("a thread's end was not heard");
}

/// A router's commit was made. Several times a second, so DEBUG.
pub fn routed(router: u16, records: usize, took: Duration) {
    tracing::debug!(router, records, took_ms = millis(took), "routed");
}

/// A partition's state is being read from the state topic.
pub fn restore_started(worker: u16, partition: i32, records: u64, from: i64) {
    tracing::info!(worker, partition, records, from, "restoring");
}

/// What this machine had of a partition is thrown away; it is read from the state topic again.
pub fn state_discarded(worker: u16, partition: i32, reason: &dyn fmt::Display) {
    tracing::warn!(worker, partition, %reason, "state on this disk discarded");
}

/// The disk refuses a partition's folder. Nothing is lost: it is tried again.
pub fn state_refused(worker: u16, partition: i32, error: &dyn fmt::Display) {
    tracing::error!(worker, partition, %error, "state folder refused");
}

/// The broker did not name the changelog's end in time: the next transaction asks again.
pub fn checkpoint_put_off(worker: u16, partition: i32, error: &dyn fmt::Display) {
    tracing::debug!(worker, partition, %error, "checkpoint put off");
}

pub(super) fn checkpoint_written(worker: u16, partition: i32) {
    tracing::debug!(worker, partition, "checkpoint written");
}

pub(super) fn checkpoint_refused(worker: u16, partition: i32, error: &dyn fmt::Display) {
    tracing::error!(worker, partition, %error, "checkpoint refused, what is committed stays in memory");
}

/// A partition is read no further until the disk takes what memory is full of.
pub fn held_back(worker: u16, partition: i32) {
    tracing::error!(worker, partition, "partition waits for room on the disk");
}

/// The group has given partitions to nobody; a guest makes it share out anew.
pub fn partitions_orphaned(group: &str, partitions: &[String]) {
    tracing::warn!(
        group,
        ?partitions,
        "partitions without an owner, the group is asked to share out"
    );
}

/// The group cannot be made to share out anew. It is tried again.
pub fn no_guest(error: &dyn fmt::Display) {
    tracing::warn!(%error, "no guest for the group");
}

/// Folders of partitions that went elsewhere long ago are gone.
pub fn folders_swept(partitions: &[i32]) {
    tracing::info!(?partitions, "old state folders removed");
}

pub(super) fn commit_failed(worker: u16, class: AbortClass, error: &str) {
    tracing::warn!(worker, class = class.as_str(), error, "commit failed, its work is done again");
}

/// A commit was made. Several times a second, so DEBUG.
pub fn committed(worker: u16, records: usize, took: Duration) {
    tracing::debug!(worker, records, took_ms = millis(took), "committed");
}

pub(super) fn rules_loaded(version: &str, rules: usize) {
    tracing::info!(version, rules, "rules loaded");
}

/// A worker goes on under other rules, between two transactions.
pub fn rules_taken_up(worker: u16, version: &str) {
    tracing::debug!(worker, version, "rules taken up");
}

/// New rules do not hold; those in force stay.
pub fn rules_refused(problems: usize, first: &dyn fmt::Display) {
    tracing::warn!(problems, %first, "new rules refused, the old ones stay in force");
}

/// A signal asked to end, and what was begun is being finished.
pub fn draining(limit: Duration) {
    tracing::info!(limit_ms = millis(limit), "draining");
}

/// All work that was begun is committed.
pub fn drained(took: Duration) {
    tracing::info!(took_ms = millis(took), "drained");
}

/// Workers did not finish in time; their open transactions are left for the broker to abort.
pub fn drain_cut_short(workers: usize) {
    tracing::warn!(workers, "not drained in time, open transactions are abandoned");
}

/// The service cannot go on.
pub fn fatal(error: &dyn fmt::Display) {
    tracing::error!(%error, "cannot go on");
}

pub(super) fn metrics_cut(error: &dyn fmt::Display) {
    tracing::warn!(%error, "metrics could not be written in full");
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
