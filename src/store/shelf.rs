//! The folders of all partitions that this machine has state of.
//!
//! A folder is a cache of the changelog, so whatever is wrong with one has one remedy: it is thrown
//! away, with the reason in the log, and the changelog read from its beginning. That is also what
//! happens to one that is too old: the topic forgets after a day whom it has forgotten, and the tail
//! that follows an older checkpoint no longer says so.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use super::{
    DiskFailure, PartitionStore,
    disk::Disk,
    marker::{Doubt, Marker},
};
use crate::model::{EventTime, span_of};

/// Where a map starts: it is address space, not memory, and grows by itself.
const MAP_BYTES: usize = 256 << 20;

/// Whose state a folder has. One of something else is not read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The application.
    pub app: String,
    /// The topic that the customers' touchpoints come from.
    pub input: String,
    /// The topic that this is a checkpoint of.
    pub changelog: String,
    /// The ids of both, where they are known: a topic that was made again is another one.
    pub topic_ids: [String; 2],
    /// The partition.
    pub partition: i32,
}

impl Identity {
    /// Returns whether both are of one thing. An id that is not known is of any topic.
    fn is_of(&self, other: &Self) -> bool {
        let mut ids = self.topic_ids.iter().zip(&other.topic_ids);
        let same_topics =
            ids.all(|(one, other)| one.is_empty() || other.is_empty() || one == other);
        let plain =
            |identity: &Self| Self { topic_ids: <[String; 2]>::default(), ..identity.clone() };
        same_topics && plain(self) == plain(other)
    }

    /// Says in which respects a folder of this is not one of another's.
    fn differences(&self, other: &Self) -> String {
        let Self { app, input, changelog, topic_ids: [input_id, changelog_id], partition } = self;
        let [other_input_id, other_changelog_id] = &other.topic_ids;
        let pairs = [
            ("app", app, &other.app),
            ("input", input, &other.input),
            ("state topic", changelog, &other.changelog),
            ("partition", &partition.to_string(), &other.partition.to_string()),
            ("input's topic id", input_id, other_input_id),
            ("state topic's id", changelog_id, other_changelog_id),
        ]
        .map(|(what, one, other)| {
            let differ = one != other && !one.is_empty() && !other.is_empty();
            differ.then(|| format!("of {what} \"{one}\" and not \"{other}\""))
        });
        format!("it is {}", pairs.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// Where partitions are kept on this machine, and which of them are open.
#[derive(Debug)]
pub struct Shelf {
    dir: PathBuf,
    keep: Duration,
    map_bytes: usize,
    /// Two workers of a process never have one partition at the same time, except for the moment in
    /// which one gives up what the other is given: then the other waits.
    open: Mutex<BTreeSet<i32>>,
}

/// A partition's store as it was opened.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: PartitionStore,
    /// Why what was there before was thrown away.
    pub discarded: Option<String>,
}

impl Shelf {
    /// Keeps partitions in `dir`, also those that have gone elsewhere, for as long as `keep`.
    pub fn new(dir: PathBuf, keep: Duration) -> Self {
        Self { dir, keep, map_bytes: MAP_BYTES, open: Mutex::default() }
    }

    /// The same, with maps that start smaller.
    #[cfg(test)]
    pub(super) fn with_map(mut self, bytes: usize) -> Self {
        self.map_bytes = bytes;
        self
    }

    /// Opens a partition's store: with what its folder has if that may be believed, else empty.
    ///
    /// # Errors
    ///
    /// The disk refuses, or the partition's store is still open: try again later.
    pub fn open(
        self: &Arc<Self>,
        identity: Identity,
        now: EventTime,
    ) -> Result<Opened, DiskFailure> {
        let mut place = Place::take(self, identity.partition)?;
        let found = if place.folder.exists() {
            Some(self.believe(&place.folder, &identity, now)?)
        } else {
            None
        };
        let (disk, discarded) = match found {
            Some(Ok(disk)) => (disk, None),
            doubted => {
                remove(&place.folder)?;
                fs::create_dir_all(&place.folder)?;
                Marker::opened(&place.folder)?;
                (Disk::open(&place.folder, self.map_bytes)?, doubted.and_then(Result::err))
            }
        };
        place.begin_trial();
        Ok(Opened { store: PartitionStore::new(place, disk, identity), discarded })
    }

    /// Returns what a folder has, or why it is not to be used.
    fn believe(
        &self,
        folder: &Path,
        identity: &Identity,
        now: EventTime,
    ) -> Result<Result<Disk, String>, DiskFailure> {
        if let Some(doubt) = Marker::doubt(folder) {
            return Ok(Err(doubt.to_string()));
        }
        Marker::opened(folder)?;
        let disk = match Disk::open(folder, self.map_bytes) {
            Ok(disk) => disk,
            Err(damaged @ DiskFailure::Damaged(_)) => return Ok(Err(damaged.to_string())),
            Err(refused @ DiskFailure::Refused(_)) => return Err(refused),
        };
        let head = disk.head();
        let age = now.as_millis().saturating_sub(head.written_at);
        let doubt = if head.changelog_offset.is_none() {
            Some("it was never finished".to_owned())
        } else if !head.identity.is_of(identity) {
            Some(head.identity.differences(identity))
        } else if span_of(self.keep) < age {
            Some(format!("it was written {} minutes ago", age / 60_000))
        } else {
            None
        };
        Ok(doubt.map_or(Ok(disk), Err))
    }

    /// Removes the folders of partitions that went elsewhere long ago; returns their numbers.
    pub fn sweep(&self, now: EventTime) -> Vec<i32> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut swept = Vec::new();
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
            let Some(partition) = number.filter(|number| !open.contains(number)) else { continue };
            let written_at = last_written(&entry.path());
            let age = written_at.map(|written_at| now.as_millis().saturating_sub(written_at));
            // What cannot be removed now is looked at again.
            if age.is_some_and(|age| span_of(self.keep) < age) && remove(&entry.path()).is_ok() {
                swept.push(partition);
            }
        }
        swept
    }
}

const PREFIX: &str = "partition-";

/// A partition's folder, open in this process once.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    partition: i32,
    shelf: Arc<Shelf>,
    /// The marker still says that whoever opened the folder may not have lived.
    on_trial: bool,
}

impl Place {
    fn take(shelf: &Arc<Shelf>, partition: i32) -> Result<Self, DiskFailure> {
        let mut open = shelf.open.lock().unwrap_or_else(PoisonError::into_inner);
        if !open.insert(partition) {
            let reason = format!("another worker still has partition {partition} open");
            return Err(DiskFailure::Refused(reason));
        }
        let folder = shelf.dir.join(format!("{PREFIX}{partition}"));
        Ok(Self { folder, partition, shelf: Arc::clone(shelf), on_trial: false })
    }

    /// The folder was opened: until something is written or it is closed, that may have been a
    /// mistake.
    pub(super) fn begin_trial(&mut self) {
        self.on_trial = true;
    }

    /// Whoever opened the folder has lived.
    pub(super) fn lived(&mut self) -> io::Result<()> {
        if self.on_trial {
            Marker::lived(&self.folder)?;
            self.on_trial = false;
        }
        Ok(())
    }

    /// Everything is on the device, and nobody writes any more.
    pub(super) fn closed(&mut self) -> io::Result<()> {
        self.on_trial = false;
        Marker::closed(&self.folder)
    }

    /// Removes everything. The environment must be closed.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.on_trial = false;
        remove(&self.folder)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Were it not to succeed, the folder would be thrown away two starts too early.
        if let Err(error) = self.lived() {
            tracing::debug!(%error, "a marker could not be written");
        }
        self.shelf.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.partition);
    }
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::MachineCrashed => "the machine went down while it was in use",
            Self::KillsItsReader => "three starts in a row ended before anything was written to it",
            Self::Unknown => "nothing says whether it is whole",
        })
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Returns when any file of a folder was written last, in milliseconds.
fn last_written(folder: &Path) -> Option<i64> {
    let files = fs::read_dir(folder).ok()?.flatten();
    let times = files.filter_map(|file| file.metadata().ok()?.modified().ok());
    let newest = times.chain(fs::metadata(folder).ok()?.modified().ok()).max()?;
    i64::try_from(newest.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}
