//! State rows: one customer, one partition.
//!
//! A row begins with a version byte; the rest is postcard values in a fixed order. The first of
//! them are what a restore needs of every row (where it comes from, when it falls due, stage and
//! band), so that restoring reads no further. Rules, episode kinds and channels are stored by
//! stable hash: a row outlives the files that it was written with.
//!
//! The settled engagement is there whole, and of the head the sections in which it differs. So
//! reading evaluates nothing, and other rules find what was decided, not what they would decide.
//!
//! Versions: 1 is the only one, but for a partition that a herd of deadlines has cut short. A reader
//! refuses a later version; a new one must still read this.

mod engagement;
mod read;
mod sections;
mod write;

use self::{
    read::Reader,
    write::{put, put_time},
};
pub(crate) use self::{read::read_row, write::write_row};
use crate::{
    engine::{Herd, PartitionRow},
    model::{Band, EventTime, Stage},
};

const VERSION: u8 = 1;

/// Why a row cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Written by a later version of Rega.
    #[error(
        "state row has format {found}, this version reads up to {VERSION}: run the newer version again"
    )]
    Newer {
        /// The version byte.
        found: u8,
    },
    /// Not a state row.
    #[error("state row is damaged")]
    Damaged,
}

/// What a restore needs of a customer's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoredRow {
    /// The input offset that wrote it.
    pub offset: i64,
    /// The partition's tick count when it was written. Of two rows the greater (offset, tick) wins.
    pub tick: u64,
    /// When the customer falls due.
    pub due: Option<EventTime>,
    /// Stage and band, for gauges.
    pub standing: (Stage, Band),
}

/// Reads the head of a customer's row.
///
/// # Errors
///
/// The row was written by a newer version, or is damaged: the partition must not start.
pub fn inspect_row(row: &[u8]) -> Result<RestoredRow, RowError> {
    Reader::new(row)?.head()
}

/// The version of a partition's row that a herd of deadlines has cut short. Earlier versions of Rega
/// cannot go on from there, and must not think that they can.
const CUT_SHORT: u8 = 2;

/// Writes a partition row.
pub(crate) fn write_partition_row(out: &mut Vec<u8>, row: &PartitionRow) {
    out.push(if row.herd.is_some() { CUT_SHORT } else { VERSION });
    put(out, &row.next_offset);
    put_time(out, row.latest);
    put_time(out, row.known_since);
    put(out, &row.ticks);
    put(out, &row.topic_id);
    put(out, &row.partition_count);
    if let Some(herd) = row.herd {
        put_time(out, Some(herd.latest));
        put(out, &herd.items_done);
    }
}

/// Reads a partition row.
///
/// # Errors
///
/// The row was written by a newer version, or is damaged: the partition must not start.
pub fn read_partition_row(row: &[u8]) -> Result<PartitionRow, RowError> {
    let (mut reader, cut_short) = match row.split_first() {
        Some((&CUT_SHORT, rest)) => (Reader::of(rest), true),
        Some(_) | None => (Reader::new(row)?, false),
    };
    let mut row = PartitionRow {
        next_offset: reader.take()?,
        latest: reader.time()?,
        known_since: reader.time()?,
        ticks: reader.take()?,
        topic_id: reader.take()?,
        partition_count: reader.take()?,
        herd: None,
    };
    if cut_short {
        let latest = reader.time()?.ok_or(RowError::Damaged)?;
        row.herd = Some(Herd { latest, items_done: reader.take()? });
    }
    reader.end()?;
    Ok(row)
}
