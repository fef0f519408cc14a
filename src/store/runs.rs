//! Sorts more than memory holds, by key.
//!
//! What fits is sorted and becomes a run in a file; when everything was taken, the runs are merged.
//!
//! # Invariants
//!
//! - Of one key the last value taken counts, within a run and between runs.
//! - The file has no name: whatever happens, it is gone with the process.

use std::{
    cmp::Ordering,
    collections::{BinaryHeap, binary_heap::PeekMut},
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    ops::Range,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    DiskFailure,
    disk::{CHECKSUM_BYTES, checksum},
};

/// A run of fewer bytes is not worth a place in the merge.
const RUN_BYTES_MIN: usize = 1 << 20;

/// One of more would hold up the partitions that work already while it is sorted.
const RUN_BYTES_MAX: usize = 64 << 20;

/// What of a run is read at once; all together as much as a run.
const CHUNK_BYTES: std::ops::RangeInclusive<usize> = 4 << 10..=256 << 10;

/// Instead of a value's length: there is none any more.
const GONE: u32 = u32::MAX;

const HEADER_BYTES: usize = 4 + 4 + CHECKSUM_BYTES;

/// Keys and values: first taken, then given back in order.
#[derive(Debug)]
pub(super) struct Runs {
    folder: PathBuf,
    /// The run that is collected: records as they will stand in the file, and where each is.
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// The file and how long it is, once there is one.
    file: Option<(Arc<File>, u64)>,
    /// Where each run is in it.
    places: Vec<Range<u64>>,
    merge: Option<Merge>,
}

/// One record of the run that is collected.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The key's first bytes, filled up with zeros: they decide nearly every comparison.
    prefix: u128,
    start: usize,
}

impl Runs {
    /// Puts its file into `folder`.
    pub(super) fn new(folder: PathBuf) -> Self {
        let (bytes, entries, places) = (Vec::new(), Vec::new(), Vec::new());
        Self { folder, bytes, entries, file: None, places, merge: None }
    }

    /// Takes a value, or (`None`) that there is none any more.
    pub(super) fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        let prefix = key.iter().chain(std::iter::repeat(&0)).take(size_of::<u128>());
        let prefix = prefix.fold(0, |prefix, byte| prefix << 8 | u128::from(*byte));
        self.entries.push(Entry { prefix, start: self.bytes.len() });
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(GONE);
        self.bytes.extend_from_slice(&length(key).to_le_bytes());
        self.bytes.extend_from_slice(&value.map_or(GONE, length).to_le_bytes());
        let content = value.unwrap_or_default();
        self.bytes.extend_from_slice(&checksum(key, content));
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(content);
    }

    /// Returns whether nothing was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.places.is_empty()
    }

    /// Returns whether what was collected should be written, where so many bytes may be used.
    pub(super) fn is_run_due(&self, budget: usize) -> bool {
        run_bytes(budget) <= self.bytes.len() + self.entries.len() * size_of::<Entry>()
    }

    /// Writes what was collected as a run.
    ///
    /// # Errors
    ///
    /// The disk refuses, and nothing is lost by that.
    pub(super) fn write_run(&mut self) -> io::Result<()> {
        let Self { folder, bytes, entries, file, places, .. } = self;
        let (file, length) = match file {
            Some(file) => file,
            None => file.insert((Arc::new(unnamed(folder)?), 0)),
        };
        // Of one key's, the last one taken comes last.
        entries.sort_unstable_by(|one, other| {
            let keys = || key_at(bytes, one.start).cmp(key_at(bytes, other.start));
            one.prefix.cmp(&other.prefix).then_with(keys).then(one.start.cmp(&other.start))
        });
        let mut writer = BufWriter::with_capacity(1 << 20, At { file, next: *length });
        let mut rest = entries.iter().peekable();
        while let Some(entry) = rest.next() {
            let key = key_at(bytes, entry.start);
            let again =
                |next: &&Entry| next.prefix == entry.prefix && key_at(bytes, next.start) == key;
            if !rest.peek().is_some_and(again) {
                writer.write_all(record_at(bytes, entry.start))?;
            }
        }
        writer.flush()?;
        let end = writer.get_ref().next;
        drop(writer);
        places.push(*length..end);
        *length = end;
        bytes.clear();
        entries.clear();
        Ok(())
    }

    /// Returns the next records that are not gone, at most `limit`, in the order of keys: the same ones
    /// again until [`Runs::done`] is called. None is left when there are fewer. Nothing may be taken
    /// any more; `budget` is how many bytes may be used.
    ///
    /// # Errors
    ///
    /// The disk refuses, or what it gives back is not what was written.
    pub(super) fn next(&mut self, limit: usize, budget: usize) -> Result<&Records, DiskFailure> {
        if !self.entries.is_empty() {
            self.write_run()?;
        }
        let merge = match (&mut self.merge, &self.file) {
            (Some(merge), _) => merge,
            (none @ None, file) => {
                // The merge needs the memory now.
                self.bytes = Vec::new();
                self.entries = Vec::new();
                let file = file.as_ref().map(|(file, _)| file);
                none.insert(Merge::begin(file, &self.places, run_bytes(budget))?)
            }
        };
        merge.fill(limit)?;
        Ok(&merge.records)
    }

    /// The records that [`Runs::next`] returned are where they belong.
    pub(super) fn done(&mut self) {
        if let Some(merge) = &mut self.merge {
            merge.records.bytes.clear();
            merge.records.places.clear();
        }
    }
}

#[cfg(test)]
impl Runs {
    /// What a disk that fails may do.
    pub(super) fn flip_a_bit(&self, at: u64) {
        let (file, _) = self.file.as_ref().unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 4], at).unwrap();
    }
}

fn run_bytes(budget: usize) -> usize {
    (budget / 2).clamp(RUN_BYTES_MIN, RUN_BYTES_MAX)
}

/// Creates a file that nobody else finds, and that is gone when it is closed.
fn unnamed(folder: &Path) -> io::Result<File> {
    let path = folder.join("runs");
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    fs::remove_file(path)?;
    Ok(file)
}

/// Returns the lengths of a record's key and value.
fn lengths(header: &[u8]) -> Option<(usize, Option<usize>)> {
    let (key, rest) = header.split_first_chunk::<4>()?;
    let (value, _) = rest.split_first_chunk::<4>()?;
    let value = u32::from_le_bytes(*value);
    let size = |length: u32| usize::try_from(length).ok();
    Some((size(u32::from_le_bytes(*key))?, if value == GONE { None } else { Some(size(value)?) }))
}

fn record_at(bytes: &[u8], start: usize) -> &[u8] {
    let rest = bytes.get(start..).unwrap_or_default();
    let (key, value) = lengths(rest).unwrap_or_default();
    rest.get(..HEADER_BYTES + key + value.unwrap_or(0)).unwrap_or_default()
}

fn key_at(bytes: &[u8], start: usize) -> &[u8] {
    let rest = bytes.get(start..).unwrap_or_default();
    let (key, _) = lengths(rest).unwrap_or_default();
    rest.get(HEADER_BYTES..HEADER_BYTES + key).unwrap_or_default()
}

/// A place in the file where writing or reading goes on.
#[derive(Debug)]
struct At<F> {
    file: F,
    next: u64,
}

impl<F: AsRef<File>> Write for At<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.as_ref().write_at(bytes, self.next)?;
        self.next += u64::try_from(count).unwrap_or(0);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<F: AsRef<File>> Read for At<F> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.file.as_ref().read_at(bytes, self.next)?;
        self.next += u64::try_from(count).unwrap_or(0);
        Ok(count)
    }
}

/// Some records in the order of keys.
#[derive(Debug, Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
    /// Where each key and each value is.
    places: Vec<(Range<usize>, Range<usize>)>,
}

impl Records {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        let part = |range: &Range<usize>| self.bytes.get(range.clone());
        self.places.iter().filter_map(move |(key, value)| Some((part(key)?, part(value)?)))
    }

    fn push(&mut self, key: &[u8], value: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        let middle = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.places.push((start..middle, middle..self.bytes.len()));
    }
}

/// All runs, read side by side.
#[derive(Debug)]
struct Merge {
    runs: BinaryHeap<Run>,
    records: Records,
    /// Of the last record taken; older ones of the same key follow it.
    last: Option<Vec<u8>>,
}

/// One run, at one of its records.
#[derive(Debug)]
struct Run {
    /// The higher, the newer.
    number: usize,
    reader: BufReader<io::Take<At<Arc<File>>>>,
    key: Vec<u8>,
    value: Vec<u8>,
    is_gone: bool,
}

impl Merge {
    fn begin(
        file: Option<&Arc<File>>,
        places: &[Range<u64>],
        bytes: usize,
    ) -> Result<Self, DiskFailure> {
        let chunk = bytes / places.len().max(1);
        let chunk = chunk.clamp(*CHUNK_BYTES.start(), *CHUNK_BYTES.end());
        let mut heap = BinaryHeap::with_capacity(places.len());
        for (number, range) in places.iter().enumerate() {
            let Some(file) = file else { continue };
            let at = At { file: Arc::clone(file), next: range.start };
            let reader = BufReader::with_capacity(chunk, at.take(range.end - range.start));
            let (key, value) = (Vec::new(), Vec::new());
            let mut run = Run { number, reader, key, value, is_gone: false };
            if run.advance()? {
                heap.push(run);
            }
        }
        Ok(Self { runs: heap, records: Records::default(), last: None })
    }

    fn fill(&mut self, limit: usize) -> Result<(), DiskFailure> {
        while self.records.len() < limit
            && let Some(mut run) = self.runs.peek_mut()
        {
            if self.last.as_ref() != Some(&run.key) {
                self.last.get_or_insert_default().clone_from(&run.key);
                if !run.is_gone {
                    self.records.push(&run.key, &run.value);
                }
            }
            if !run.advance()? {
                PeekMut::pop(run);
            }
        }
        Ok(())
    }
}

impl Run {
    /// Goes to the next record; `false` if there is none.
    fn advance(&mut self) -> Result<bool, DiskFailure> {
        if self.reader.buffer().is_empty() && self.reader.get_ref().limit() == 0 {
            return Ok(false);
        }
        let mut header = [0; HEADER_BYTES];
        self.reader.read_exact(&mut header).map_err(|error| lost(&error))?;
        let (key, value) = lengths(&header).unwrap_or_default();
        self.is_gone = value.is_none();
        for (part, length) in [(&mut self.key, key), (&mut self.value, value.unwrap_or(0))] {
            part.clear();
            let length = u64::try_from(length).unwrap_or(u64::MAX);
            self.reader.by_ref().take(length).read_to_end(part).map_err(|error| lost(&error))?;
        }
        match header.last_chunk::<CHECKSUM_BYTES>() {
            Some(sum) if *sum == checksum(&self.key, &self.value) => Ok(true),
            Some(_) | None => {
                Err(DiskFailure::Damaged("a record that was put aside is not whole".to_owned()))
            }
        }
    }
}

/// What cannot be read back is lost, whatever the reason: the changelog has it.
fn lost(error: &io::Error) -> DiskFailure {
    DiskFailure::Damaged(format!("records that were put aside cannot be read: {error}"))
}

impl Ord for Run {
    /// The greatest is the one to go on with: the first key, of the newest run that has it.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key).then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for Run {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Run {}
