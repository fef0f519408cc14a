//! One partition's committed customers: in memory what fits, on disk the rest.
//!
//! The disk is a checkpoint, written every few seconds, of committed work only. What was committed
//! since is in memory alone, and in the changelog: whoever comes after a crash reads it from there,
//! beginning at the offset that the checkpoint names.
//!
//! A checkpoint is written in slices, so that it does not hold up the work. Its rows are then of
//! different moments, and its offset of the earliest: the changelog after it says everything that
//! may be newer, so reading it to its end gives the same state whichever rows were written already.
//!
//! # Invariants
//!
//! - Nothing reaches the disk that Kafka has not committed.
//! - The offset on disk never stands behind a change that is not on disk.

use std::{borrow::Cow, cell::OnceCell, collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    DiskFailure, Identity,
    disk::{Disk, Head},
    intake::Intake,
    map::{Known, RowMap},
    shelf::Place,
};
use crate::{
    clock::Stopwatch,
    engine::{Customers, RowError, Sealed, inspect_row},
    model::{Band, EventTime, Stage},
};

/// How long a disk that refused is left alone.
const RETRY: Duration = Duration::from_secs(2);

/// A partition's customers as of the last commit.
#[derive(Debug)]
pub struct PartitionStore {
    map: RowMap,
    /// Before `place`, which says that the folder is free.
    disk: Disk,
    place: Place,
    identity: Identity,
    partition_row: Option<Box<[u8]>>,
    /// Rows of open minutes, by key: they go with the partition row.
    pulse: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The bytes that rows in memory may take.
    budget: usize,
    writing: Option<Writing>,
    /// Since the last checkpoint was begun.
    since: Stopwatch,
    /// Since the disk last refused one.
    refused: Option<Stopwatch>,
    /// Why what was read is not to be believed. The engine's calls cannot fail, so it is noted here
    /// and asked for before anything is committed.
    trouble: OnceCell<DiskFailure>,
}

/// A checkpoint under way.
#[derive(Debug)]
struct Writing {
    ids: Vec<Arc<str>>,
    next: usize,
    head: Contained,
}

/// What a head says when everything is there.
#[derive(Debug)]
struct Contained {
    identity: Identity,
    changelog_offset: i64,
    partition_row: Option<Box<[u8]>>,
    pulse: BTreeMap<Vec<u8>, Vec<u8>>,
    now: EventTime,
}

impl Contained {
    fn settle(&self, head: &mut Head) {
        head.identity = self.identity.clone();
        head.changelog_offset = Some(self.changelog_offset);
        head.partition_row = self.partition_row.as_deref().map(<[u8]>::to_vec);
        head.pulse.clone_from(&self.pulse);
        head.written_at = self.now.as_millis();
    }
}

impl PartitionStore {
    pub(super) fn new(place: Place, disk: Disk, identity: Identity) -> Self {
        let partition_row = disk.head().partition_row.as_deref().map(Box::from);
        let pulse = disk.head().pulse.clone();
        Self {
            map: RowMap::default(),
            disk,
            place,
            identity,
            partition_row,
            pulse,
            budget: usize::MAX,
            writing: None,
            since: Stopwatch::start(),
            refused: None,
            trouble: OnceCell::new(),
        }
    }

    /// Returns from where the changelog has to be read; `None`: from its beginning.
    pub fn changelog_offset(&self) -> Option<i64> {
        self.disk.head().changelog_offset
    }

    /// Returns the partition row, as it was last put.
    pub fn partition_row(&self) -> Option<&[u8]> {
        self.partition_row.as_deref()
    }

    /// Takes a partition row that was committed.
    pub fn put_partition_row(&mut self, row: Option<&[u8]>) {
        self.partition_row = row.map(Box::from);
    }

    /// Returns the rows of open minutes, by key.
    pub fn pulse(&self) -> &BTreeMap<Vec<u8>, Vec<u8>> {
        &self.pulse
    }

    /// Takes a row of an open minute that was committed, or (`None`) that it was taken away.
    pub fn put_pulse(&mut self, key: &[u8], row: Option<&[u8]>) {
        match row {
            Some(row) => self.pulse.insert(key.to_vec(), row.to_vec()),
            None => self.pulse.remove(key),
        };
    }

    /// Returns what takes rows that are read back, if the disk has none yet: by many ids at once that
    /// is several times cheaper than [`PartitionStore::put`].
    pub fn intake(&self) -> Option<Intake> {
        self.changelog_offset().is_none().then(|| Intake::new(self.place.folder.clone()))
    }

    /// Returns whether an intake's rows should go on their way to the disk before it takes more.
    pub fn is_run_due(&self, intake: &Intake) -> bool {
        intake.is_run_due(self.budget)
    }

    /// Writes what an intake has collected.
    ///
    /// # Errors
    ///
    /// The disk refuses; nothing is lost, and it may be tried again later.
    pub fn write_run(&mut self, intake: &mut Intake) -> Result<(), DiskFailure> {
        let written = intake.write_run();
        self.refused = written.is_err().then(Stopwatch::start);
        written
    }

    /// Writes at most `limit` of an intake's rows to the empty disk; returns whether that was all.
    /// Everything before `changelog_offset` must have been taken.
    ///
    /// # Errors
    ///
    /// Where the disk refuses, nothing is lost, and it may be tried again later.
    pub fn take_in(
        &mut self,
        intake: &mut Intake,
        limit: usize,
        changelog_offset: i64,
        now: EventTime,
    ) -> Result<bool, DiskFailure> {
        let contained = self.contained(changelog_offset, now);
        let settle = |head: &mut Head| contained.settle(head);
        let done = intake.write_some(&mut self.disk, (limit, self.budget), settle);
        self.refused = done.is_err().then(Stopwatch::start);
        let done = done?;
        self.place.lived()?;
        Ok(done)
    }

    /// Takes a customer's row that is read back, or (`None`) that it was taken away.
    ///
    /// # Errors
    ///
    /// The row cannot be read, and was not taken.
    pub fn put(&mut self, customer_id: &str, row: Option<&[u8]>) -> Result<(), RowError> {
        let due = row.map(inspect_row).transpose()?.and_then(|facts| facts.due);
        self.map.put(customer_id, row, due);
        Ok(())
    }

    /// Everything is read back: from now on it is asked who falls due.
    pub fn restored(&mut self) {
        self.map.order_deadlines();
    }

    /// Takes over what a committed transaction changed.
    pub fn apply(&mut self, sealed: &Sealed) {
        self.map.order_deadlines();
        for change in &sealed.customers {
            // An id was text before it was encoded, so this never skips a customer.
            let Ok(customer_id) = str::from_utf8(sealed.bytes(change.customer)) else { continue };
            let row = change.row.map(|row| sealed.bytes(row));
            self.map.put(customer_id, row, change.due.filter(|_| row.is_some()));
        }
        for (key, row) in &sealed.pulse {
            self.put_pulse(sealed.bytes(*key), row.map(|row| sealed.bytes(row)));
        }
        if let Some(row) = sealed.partition_row {
            self.put_partition_row(Some(sealed.bytes(row)));
        }
        self.map.shrink_to(self.budget);
    }

    /// Returns how many customers there are by stage and band. Looks at every row that is not on
    /// disk yet.
    pub fn standings(&self) -> Vec<(Stage, Band, i64)> {
        let mut standings: Vec<_> = self.disk.head().standings().collect();
        for id in self.map.pending() {
            let standing = |row: &[u8]| inspect_row(row).ok().map(|facts| facts.standing);
            let was = self.on_disk(&id).and_then(standing);
            let is = match self.map.get(&id) {
                Known::Row(row) => standing(row),
                Known::Nobody | Known::Nothing => None,
            };
            standings.extend(was.map(|(stage, band)| (stage, band, -1)));
            standings.extend(is.map(|(stage, band)| (stage, band, 1)));
        }
        standings
    }

    /// Sets how many bytes the rows in memory may take. Beyond it, rows that are on disk are
    /// dropped; from half of it on, a checkpoint is due whatever the time.
    pub fn set_budget(&mut self, bytes: usize) {
        self.budget = bytes;
        self.map.shrink_to(bytes);
    }

    /// Returns about how many bytes of memory the rows take.
    pub fn byte_count(&self) -> usize {
        self.map.byte_count()
    }

    /// Returns how many rows are not on disk yet.
    pub fn pending_count(&self) -> usize {
        self.map.pending_count()
    }

    /// Returns whether the disk refused a moment ago, and is left alone.
    pub fn is_refused(&self) -> bool {
        self.refused.is_some_and(|since| since.elapsed() < RETRY)
    }

    /// Returns whether a checkpoint should begin: it is `interval` after the last one or memory is
    /// short, and there is something to write. A disk that refused is left alone for a while.
    pub fn is_checkpoint_due(&self, interval: Duration) -> bool {
        let short = self.budget / 2 <= self.map.pending_bytes();
        self.writing.is_none()
            && 0 < self.map.pending_count()
            && !self.is_refused()
            && (short || interval <= self.since.elapsed())
    }

    /// Returns whether nothing more may be taken before some of it is on disk.
    pub fn is_full(&self) -> bool {
        self.budget <= self.map.pending_bytes()
    }

    /// Returns whether a checkpoint is under way.
    pub fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    /// Begins a checkpoint of everything that was put. Everything committed before
    /// `changelog_offset` must be part of that.
    pub fn begin_checkpoint(&mut self, changelog_offset: i64, now: EventTime) {
        self.since = Stopwatch::start();
        self.writing = Some(Writing {
            ids: self.map.pending(),
            next: 0,
            head: self.contained(changelog_offset, now),
        });
    }

    fn contained(&self, changelog_offset: i64, now: EventTime) -> Contained {
        Contained {
            identity: self.identity.clone(),
            changelog_offset,
            partition_row: self.partition_row.clone(),
            pulse: self.pulse.clone(),
            now,
        }
    }

    /// Writes at most `limit` rows; returns whether the checkpoint is complete.
    ///
    /// # Errors
    ///
    /// Nothing of it was written. Where the disk refuses, the checkpoint is given up, and another may
    /// be begun later.
    pub fn write_some(&mut self, limit: usize) -> Result<bool, DiskFailure> {
        let written = self.write_slice(limit);
        self.refused = written.is_err().then(Stopwatch::start);
        written
    }

    fn write_slice(&mut self, limit: usize) -> Result<bool, DiskFailure> {
        let Some(mut writing) = self.writing.take() else { return Ok(true) };
        let rest = writing.ids.get(writing.next..).unwrap_or_default();
        let slice = rest.get(..limit).unwrap_or(rest);
        let done = slice.len() == rest.len();
        let changes = slice.iter().filter_map(|id| match self.map.get(id) {
            Known::Row(row) => Some((&**id, Some(row))),
            Known::Nobody => Some((&**id, None)),
            Known::Nothing => None,
        });
        self.disk.write(&changes, |head| {
            if done {
                writing.head.settle(head);
            }
        })?;
        for id in slice {
            self.map.written(id);
        }
        writing.next += slice.len();
        self.map.shrink_to(self.budget);
        self.place.lived()?;
        if !done {
            self.writing = Some(writing);
        }
        Ok(done)
    }

    /// Returns why what was read is not to be believed. Nothing that rests on it may be committed.
    pub fn trouble(&self) -> Option<&DiskFailure> {
        self.trouble.get()
    }

    /// Closes in good order: what is on disk outlives a crash of the machine.
    ///
    /// # Errors
    ///
    /// It may not; a later start finds out.
    pub fn close(mut self) -> Result<(), DiskFailure> {
        self.disk.sync()?;
        Ok(self.place.closed()?)
    }

    /// Throws everything away, on disk too.
    ///
    /// # Errors
    ///
    /// The folder could not be removed.
    pub fn discard(self) -> Result<(), DiskFailure> {
        let Self { disk, mut place, .. } = self;
        drop(disk);
        Ok(place.clear()?)
    }

    fn on_disk(&self, customer_id: &str) -> Option<&[u8]> {
        self.noting(self.disk.row(customer_id)).flatten()
    }

    fn noting<T>(&self, read: Result<T, DiskFailure>) -> Option<T> {
        match read {
            Ok(found) => Some(found),
            Err(failure) => {
                // The first is enough to know.
                self.trouble.get_or_init(|| failure);
                None
            }
        }
    }
}

impl Customers for PartitionStore {
    fn row(&self, customer_id: &str) -> Option<Cow<'_, [u8]>> {
        match self.map.get(customer_id) {
            Known::Row(row) => Some(Cow::Borrowed(row)),
            Known::Nobody => None,
            Known::Nothing => self.on_disk(customer_id).map(Cow::Borrowed),
        }
    }

    fn due(
        &self,
        after: Option<(EventTime, &str)>,
        until: EventTime,
    ) -> Option<(EventTime, Cow<'_, str>)> {
        let on_disk = self.disk.first_due(after, |id| self.map.is_pending(id));
        let on_disk = self.noting(on_disk).flatten();
        let pending = self.map.first_due(after);
        let (at, id) = on_disk.into_iter().chain(pending).min()?;
        (at <= until).then_some((at, Cow::Borrowed(id)))
    }
}
