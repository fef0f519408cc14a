//! The detector between two lives: rows of a compacted topic.
//!
//! One row a leaf, channel and key, and one for the rest, so that a transaction writes what changed.
//! Minutes are not among them: they are read again from the pulse topic, from the first one that can
//! still be judged or corrected.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    detector::{Detector, DetectorSettings},
    gather::ChannelRate,
    key::{Key, Numerator},
    minute::{Leaf, read, write},
};
use crate::model::EventTime;

/// A row cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a row of the detector's state is damaged, or was written by a newer version")]
pub struct DetectorRowError;

const LEAF: u8 = b'l';
const CHANNEL: u8 = b'c';
const KEY: u8 = b'k';
const REST: u8 = b's';

/// What is not a leaf, a channel or a key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Rest {
    judged_through: Option<i64>,
    shards: Vec<(i32, i64)>,
    total: ChannelRate,
    next_offset: i64,
    recall_from: i64,
}

/// A detector that is being read back.
#[derive(Debug)]
pub struct Restored {
    /// The detector, but for the minutes.
    pub detector: Detector,
    /// The next record of the pulse topic to be taken in; `None`: there was no state.
    pub next_offset: Option<i64>,
    /// From where records have to be recalled first.
    pub recall_from: i64,
}

impl Restored {
    /// Begins with nothing.
    pub fn new(settings: DetectorSettings) -> Self {
        Self { detector: Detector::new(settings), next_offset: None, recall_from: 0 }
    }

    /// Takes one row; later rows of a key replace earlier ones. `now` is the clock of
    /// [`super::Patience`]: a partition counts as heard of from here on.
    ///
    /// # Errors
    ///
    /// The detector must not start: the row was written by a newer version, or is damaged.
    pub fn take(
        &mut self,
        key: &[u8],
        row: Option<&[u8]>,
        now: EventTime,
    ) -> Result<(), DetectorRowError> {
        let (&kind, name) = key.split_first().ok_or(DetectorRowError)?;
        let detector = &mut self.detector;
        match kind {
            LEAF => {
                let leaf: Leaf = read(name).ok_or(DetectorRowError)?;
                put(&mut detector.rates.leaves, leaf, row)
            }
            CHANNEL => {
                let channel: Box<str> = read(name).ok_or(DetectorRowError)?;
                put(&mut detector.rates.channels, channel, row)
            }
            KEY => {
                let key: (Numerator, Key) = read(name).ok_or(DetectorRowError)?;
                put(&mut detector.keys, key, row)
            }
            REST => {
                let Some(row) = row else { return Ok(()) };
                let rest: Rest = read(row).ok_or(DetectorRowError)?;
                detector.judged_through = rest.judged_through;
                detector.rates.total = rest.total;
                for (partition, passed) in rest.shards {
                    detector.shard_at(partition, passed, now);
                }
                self.next_offset = Some(rest.next_offset);
                self.recall_from = rest.recall_from;
                Ok(())
            }
            _ => Err(DetectorRowError),
        }
    }
}

fn put<K: Ord, V: for<'d> Deserialize<'d>>(
    rows: &mut BTreeMap<K, V>,
    key: K,
    row: Option<&[u8]>,
) -> Result<(), DetectorRowError> {
    match row {
        Some(row) => rows.insert(key, read(row).ok_or(DetectorRowError)?),
        None => rows.remove(&key),
    };
    Ok(())
}

impl Detector {
    /// Hands over what a transaction has to write, up to `next_offset` of the pulse topic: key and
    /// row, `None` takes it away. Forgets that it changed: after an abort the detector is read back.
    pub fn save(&mut self, next_offset: i64, mut write_row: impl FnMut(&[u8], Option<&[u8]>)) {
        let changed = std::mem::take(&mut self.changed);
        for leaf in changed.leaves {
            save_row((LEAF, &leaf), self.rates.leaves.get(&leaf), &mut write_row);
        }
        for channel in changed.channels {
            save_row((CHANNEL, &channel), self.rates.channels.get(&channel), &mut write_row);
        }
        for key in changed.keys {
            save_row((KEY, &key), self.keys.get(&key), &mut write_row);
        }
        let rest = Rest {
            judged_through: self.judged_through,
            shards: self
                .shards
                .iter()
                .map(|(partition, shard)| (*partition, shard.passed))
                .collect(),
            total: self.rates.total,
            next_offset,
            recall_from: self.recall_from(next_offset),
        };
        let mut row = Vec::new();
        write(&mut row, &rest);
        write_row(&[REST], Some(&row));
    }
}

fn save_row<K: Serialize, V: Serialize>(
    (kind, name): (u8, &K),
    row: Option<&V>,
    write_row: &mut impl FnMut(&[u8], Option<&[u8]>),
) {
    let mut key = vec![kind];
    write(&mut key, name);
    let bytes = row.map(|row| {
        let mut bytes = Vec::new();
        write(&mut bytes, row);
        bytes
    });
    write_row(&key, bytes.as_deref());
}
