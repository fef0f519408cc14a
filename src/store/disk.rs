//! A partition's checkpoint as tables: rows by customer id, deadlines by time, and the head.
//!
//! Every value carries a checksum, because LMDB's pages have none and a flipped bit would else be
//! somebody's score. What does not fit its checksum is damage, never a customer.
//!
//! # Invariants
//!
//! - A customer is in the deadline table exactly once if their row has a deadline, and else not.
//! - The head's standings are the sum over the rows, for they are written in one transaction.
//! - Outside of [`Disk::write`] one read transaction is open, and inside none: pages that it held
//!   could not be used again, and the map could not grow.

use std::{collections::BTreeMap, fs::File, ops::Bound, path::Path};

use heed::{
    CommitOrAbort, Database, Env, MdbError, PutFlags, RoTxn, RwTxn, WithoutTls, types::Bytes,
};
use serde::{Deserialize, Serialize};

use super::{Identity, environment, runs::Records};
use crate::{
    engine::inspect_row,
    model::{Band, EventTime, Stage, stable_hash},
};

/// The layout of the tables. Another one is not read: the changelog has everything.
pub(super) const FORMAT: u8 = 2;

/// The head's only key.
const HEAD_KEY: &[u8] = b"head";

/// A checksum before each value.
pub(super) const CHECKSUM_BYTES: usize = 4;

/// A deadline's time before the customer id.
const TIME_BYTES: usize = 8;

type Table = Database<'static, Bytes, Bytes>;

/// Why the checkpoint cannot be used, and what follows.
#[derive(Debug, thiserror::Error)]
pub enum DiskFailure {
    /// It is not what was written. It is thrown away, and the changelog read from the beginning.
    #[error("the checkpoint is damaged: {0}")]
    Damaged(String),
    /// The disk takes no more. What was written before still holds; the next attempt may succeed.
    #[error("the disk refuses: {0}")]
    Refused(String),
}

impl From<std::io::Error> for DiskFailure {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<heed::Error> for DiskFailure {
    fn from(error: heed::Error) -> Self {
        match error {
            heed::Error::Mdb(
                MdbError::PageNotFound
                | MdbError::Corrupted
                | MdbError::VersionMismatch
                | MdbError::Invalid
                | MdbError::Incompatible
                | MdbError::BadDbi
                | MdbError::CursorFull
                | MdbError::PageFull
                | MdbError::Problem
                | MdbError::Panic
                | MdbError::NotFound
                | MdbError::KeyExist
                | MdbError::BadTxn
                | MdbError::BadValSize,
            )
            | heed::Error::Encoding(_)
            | heed::Error::Decoding(_) => Self::Damaged(error.to_string()),
            heed::Error::Io(_)
            | heed::Error::EnvAlreadyOpened
            | heed::Error::Mdb(
                MdbError::MapFull
                | MdbError::MapResized
                | MdbError::DbsFull
                | MdbError::ReadersFull
                | MdbError::TlsFull
                | MdbError::TxnFull
                | MdbError::BadRslot
                | MdbError::Other(_),
            ) => Self::Refused(error.to_string()),
        }
    }
}

/// What is known of the whole checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) identity: Identity,
    /// Everything committed before this offset of the changelog is contained. `None`: nothing is.
    pub(super) changelog_offset: Option<i64>,
    /// The partition row as of then.
    pub(super) partition_row: Option<Vec<u8>>,
    /// Rows of open minutes, by key.
    pub(super) pulse: BTreeMap<Vec<u8>, Vec<u8>>,
    /// When it was written, by the wall clock, in milliseconds.
    pub(super) written_at: i64,
    /// Customers by the indices of stage and band.
    standings: Vec<(u8, u8, i64)>,
}

impl Head {
    pub(super) fn standings(&self) -> impl Iterator<Item = (Stage, Band, i64)> {
        self.standings.iter().filter_map(|(stage, band, count)| {
            let stage = Stage::from_index(usize::from(*stage))?;
            Some((stage, Band::from_index(usize::from(*band))?, *count))
        })
    }

    fn count(&mut self, (stage, band): (Stage, Band), more: i64) {
        let index = |index: usize| u8::try_from(index).unwrap_or(u8::MAX);
        let (stage, band) = (index(stage.index()), index(band.index()));
        let found = self.standings.iter_mut().find(|known| (known.0, known.1) == (stage, band));
        match found {
            Some((.., count)) => *count += more,
            None => self.standings.push((stage, band, more)),
        }
    }
}

/// What is appended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// Rows, by id.
    Rows,
    /// Deadlines, by [`deadline_key`], with nothing as their value.
    Deadlines,
}

/// One partition's tables.
pub(super) struct Disk {
    /// Before `env`, so that it ends first.
    reading: Option<RoTxn<'static, WithoutTls>>,
    env: Env<WithoutTls>,
    rows: Table,
    deadlines: Table,
    heads: Table,
    map_bytes: usize,
    head: Head,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Disk").field("head", &self.head).finish_non_exhaustive()
    }
}

impl Disk {
    /// Opens a folder, or begins one. `map_bytes` is where the map starts.
    ///
    /// # Errors
    ///
    /// See [`DiskFailure`].
    pub(super) fn open(folder: &Path, map_bytes: usize) -> Result<Self, DiskFailure> {
        let env = environment::open(folder, map_bytes)?;
        check_length(&env)?;
        let tables = env.create_databases_and_commit(env.write_txn()?, |opener, writing| {
            let mut table = |name| opener.create_database::<Bytes, Bytes>(writing, Some(name));
            let tables = (table("rows")?, table("deadlines")?, table("head")?);
            Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(tables))
        })?;
        let CommitOrAbort::Commit((rows, deadlines, heads)) = tables else {
            return Err(DiskFailure::Refused("the tables could not be made".to_owned()));
        };
        let reading = env.clone().static_read_txn()?;
        let head = match heads.get(&reading, HEAD_KEY)? {
            Some(value) => read_head(value)?,
            None => Head::default(),
        };
        let reading = Some(reading);
        let disk = Self { reading, env, rows, deadlines, heads, map_bytes, head };
        disk.lengthen()?;
        Ok(disk)
    }

    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    fn reading(&self) -> Result<&RoTxn<'static, WithoutTls>, DiskFailure> {
        let closed = || DiskFailure::Refused("no transaction could be opened".to_owned());
        self.reading.as_ref().ok_or_else(closed)
    }

    /// Returns a customer's row.
    pub(super) fn row(&self, customer_id: &str) -> Result<Option<&[u8]>, DiskFailure> {
        let found = self.rows.get(self.reading()?, customer_id.as_bytes())?;
        found.map(|value| checked(customer_id.as_bytes(), value)).transpose()
    }

    /// Returns the first deadline after `after` whose customer is not to be skipped.
    pub(super) fn first_due(
        &self,
        after: Option<(EventTime, &str)>,
        skip: impl Fn(&str) -> bool,
    ) -> Result<Option<(EventTime, &str)>, DiskFailure> {
        let after = after.map(|(at, id)| deadline_key(at, id.as_bytes()));
        let start = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let range: (Bound<&[u8]>, Bound<&[u8]>) = (start, Bound::Unbounded);
        for entry in self.deadlines.range(self.reading()?, &range)? {
            let (key, value) = entry?;
            checked(key, value)?;
            let (at, id) = read_deadline_key(key)?;
            if !skip(id) {
                return Ok(Some((at, id)));
            }
        }
        Ok(None)
    }

    /// Writes rows (`None` takes one away) and, as `settle` says, a new head: all or nothing. The
    /// map grows as far as it has to.
    ///
    /// # Errors
    ///
    /// Nothing was written.
    pub(super) fn write<'c>(
        &mut self,
        changes: &(impl Iterator<Item = (&'c str, Option<&'c [u8]>)> + Clone),
        settle: impl FnOnce(&mut Head),
    ) -> Result<(), DiskFailure> {
        self.attempt(settle, |disk, head| disk.try_write(changes.clone(), head))
    }

    /// Puts records behind all that are there: rows without their deadlines, which have to follow before
    /// the head says that something is contained, or those.
    ///
    /// # Errors
    ///
    /// Nothing was written.
    pub(super) fn append(
        &mut self,
        part: Part,
        records: &Records,
        settle: impl FnOnce(&mut Head),
    ) -> Result<(), DiskFailure> {
        self.attempt(settle, |disk, head| disk.try_append(part, records, head))
    }

    fn attempt(
        &mut self,
        settle: impl FnOnce(&mut Head),
        attempt: impl Fn(&Self, &mut Head) -> heed::Result<()>,
    ) -> Result<(), DiskFailure> {
        self.reading = None;
        let mut settled = self.head.clone();
        settle(&mut settled);
        let written = loop {
            let mut head = settled.clone();
            match attempt(self, &mut head) {
                Ok(()) => break Ok(head),
                Err(heed::Error::Mdb(MdbError::MapFull)) => {
                    self.map_bytes = self.map_bytes.saturating_mul(2);
                    if let Err(error) = environment::grow(&self.env, self.map_bytes) {
                        break Err(error.into());
                    }
                }
                Err(error) => break Err(DiskFailure::from(error)),
            }
        };
        self.reading = Some(self.env.clone().static_read_txn()?);
        self.head = written?;
        self.lengthen()
    }

    fn try_append(&self, part: Part, records: &Records, head: &mut Head) -> heed::Result<()> {
        let mut writing = self.env.write_txn()?;
        let mut value = Vec::new();
        for (key, content) in records.iter() {
            seal(key, content, &mut value);
            let table = match part {
                Part::Rows => self.rows,
                Part::Deadlines => self.deadlines,
            };
            table.put_with_flags(&mut writing, PutFlags::APPEND, key, &value)?;
            if let (Part::Rows, Ok(facts)) = (part, inspect_row(content)) {
                head.count(facts.standing, 1);
            }
        }
        self.heads.put(&mut writing, HEAD_KEY, &write_head(head))?;
        writing.commit()
    }

    fn try_write<'c>(
        &self,
        changes: impl Iterator<Item = (&'c str, Option<&'c [u8]>)>,
        head: &mut Head,
    ) -> heed::Result<()> {
        let mut writing = self.env.write_txn()?;
        let (mut value, mut deadlines) = (Vec::new(), Vec::new());
        let last = self.rows.last(&writing)?;
        let mut last: Option<Vec<u8>> = last.map(|(id, _)| id.to_vec());
        for (id, row) in changes {
            let key = id.as_bytes();
            // Behind the last one there is no old row to look for, and no place: a first checkpoint, in
            // the order of ids, is all of that.
            let new = last.as_deref().is_none_or(|last| last < key);
            if !new {
                self.forget(&mut writing, id, row.is_none(), head)?;
            }
            let Some(row) = row else { continue };
            seal(key, row, &mut value);
            if new {
                self.rows.put_with_flags(&mut writing, PutFlags::APPEND, key, &value)?;
                let last = last.get_or_insert_default();
                last.clear();
                last.extend_from_slice(key);
            } else {
                self.rows.put(&mut writing, key, &value)?;
            }
            let Ok(facts) = inspect_row(row) else { continue };
            head.count(facts.standing, 1);
            deadlines.extend(facts.due.map(|due| deadline_key(due, id.as_bytes())));
        }
        // In their own order, which is not that of ids: neighbours share a page.
        deadlines.sort_unstable();
        for key in &deadlines {
            seal(key, &[], &mut value);
            self.deadlines.put(&mut writing, key, &value)?;
        }
        self.heads.put(&mut writing, HEAD_KEY, &write_head(head))?;
        writing.commit()
    }

    /// Takes a customer's old row out of the deadlines and the standings, and, unless another
    /// follows, out of the rows.
    fn forget(
        &self,
        writing: &mut RwTxn<'_>,
        id: &str,
        for_good: bool,
        head: &mut Head,
    ) -> heed::Result<()> {
        let Some(old) = self.rows.get(writing, id.as_bytes())? else { return Ok(()) };
        // An old row that cannot be read was counted nowhere.
        let facts = checked(id.as_bytes(), old).ok().and_then(|row| inspect_row(row).ok());
        if let Some(facts) = facts {
            head.count(facts.standing, -1);
            if let Some(due) = facts.due {
                self.deadlines.delete(writing, &deadline_key(due, id.as_bytes()))?;
            }
        }
        if for_good {
            self.rows.delete(writing, id.as_bytes())?;
        }
        Ok(())
    }

    /// Makes everything outlive a crash of the machine.
    pub(super) fn sync(&self) -> Result<(), DiskFailure> {
        Ok(self.env.force_sync()?)
    }

    /// Makes the file at least as long as its pages: those that were given back unwritten at its end
    /// are missing else, and a file that was cut could not be told from one that was not.
    fn lengthen(&self) -> Result<(), DiskFailure> {
        let file: File = self.env.try_clone_inner_file()?;
        let length = file.metadata()?.len();
        let needed = needed_bytes(&self.env);
        if length < needed { Ok(file.set_len(needed)?) } else { Ok(()) }
    }
}

/// A look beyond the end of a file that was cut ends the process, so nothing is looked at before
/// this was.
fn check_length(env: &Env<WithoutTls>) -> Result<(), DiskFailure> {
    let length = env.real_disk_size()?;
    let needed = needed_bytes(env);
    // A file of nothing but two empty heads was made a moment ago.
    if length < needed && env.info().last_txn_id != 0 {
        return Err(DiskFailure::Damaged(format!("{length} of {needed} bytes are there")));
    }
    Ok(())
}

fn needed_bytes(env: &Env<WithoutTls>) -> u64 {
    let pages = u64::try_from(env.info().last_page_number).unwrap_or(u64::MAX).saturating_add(1);
    pages.saturating_mul(u64::from(env.unnamed_database_stat().page_size))
}

/// Returns the key of a customer's deadline: keys are in the order of time.
pub(super) fn deadline_key(at: EventTime, id: &[u8]) -> Vec<u8> {
    // With the sign flipped, bytes are in the order of time.
    let sortable = at.as_millis() ^ i64::MIN;
    let mut key = Vec::with_capacity(TIME_BYTES + id.len());
    key.extend_from_slice(&sortable.to_be_bytes());
    key.extend_from_slice(id);
    key
}

fn read_deadline_key(key: &[u8]) -> Result<(EventTime, &str), DiskFailure> {
    let split = key.split_first_chunk::<TIME_BYTES>().and_then(|(time, id)| {
        let at = EventTime::from_millis(i64::from_be_bytes(*time) ^ i64::MIN)?;
        Some((at, str::from_utf8(id).ok()?))
    });
    split.ok_or_else(|| DiskFailure::Damaged("a deadline is none".to_owned()))
}

pub(super) fn checksum(key: &[u8], content: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let both = stable_hash(content) ^ stable_hash(key).rotate_left(1);
    let [a, b, c, d, ..] = both.to_le_bytes();
    [a, b, c, d]
}

/// Puts the checksum before a value. The key takes part: a row is good for its customer alone.
fn seal(key: &[u8], content: &[u8], value: &mut Vec<u8>) {
    value.clear();
    value.extend_from_slice(&checksum(key, content));
    value.extend_from_slice(content);
}

fn checked<'v>(key: &[u8], value: &'v [u8]) -> Result<&'v [u8], DiskFailure> {
    match value.split_first_chunk::<CHECKSUM_BYTES>() {
        Some((sum, content)) if *sum == checksum(key, content) => Ok(content),
        Some(_) | None => Err(DiskFailure::Damaged("a checksum does not fit".to_owned())),
    }
}

fn write_head(head: &Head) -> Vec<u8> {
    let mut value = vec![FORMAT];
    // Writing to memory does not fail; were it to, the head would be refused when it is read.
    let content = postcard::to_stdvec(head).unwrap_or_default();
    value.extend_from_slice(&checksum(HEAD_KEY, &content));
    value.extend_from_slice(&content);
    value
}

fn read_head(value: &[u8]) -> Result<Head, DiskFailure> {
    let damaged = |why: String| DiskFailure::Damaged(why);
    let Some((format, rest)) = value.split_first() else {
        return Err(damaged("the head is empty".to_owned()));
    };
    if *format != FORMAT {
        return Err(damaged(format!("it has format {format}, this version writes {FORMAT}")));
    }
    postcard::from_bytes(checked(HEAD_KEY, rest)?).map_err(|error| damaged(error.to_string()))
}
