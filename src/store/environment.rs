//! The two calls of LMDB that Rust cannot check.
//!
//! Opening a memory map is unsafe because the file under it could be changed by somebody else, and
//! growing the map because a transaction could still be looking into the old one. Both are ruled out
//! by who calls: the state folder is locked by this process, a partition's folder is open once
//! within it ([`super::Shelf`]), and [`super::disk::Disk`] ends its transactions before it grows.
#![expect(unsafe_code, reason = "a memory map that nobody else changes, and that grows unwatched")]

use std::path::Path;

use heed::{Env, EnvFlags, EnvOpenOptions, WithoutTls};

/// Rows, deadlines, and the head.
const TABLE_COUNT: u32 = 3;

/// Opens a folder as an environment, with a map of so many bytes (a multiple of the page size; a
/// larger file gets the map that it needs).
///
/// Nothing is synced to the device at a commit: a killed process loses nothing by that, and after a
/// crash of the machine the folder is not believed ([`super::marker`]).
pub(super) fn open(folder: &Path, map_bytes: usize) -> heed::Result<Env<WithoutTls>> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options.map_size(map_bytes).max_dbs(TABLE_COUNT).max_readers(4);
    // SAFETY: NO_SYNC gives up durability over a crash of the machine and nothing else, and who
    // opens the folder after one throws it away. The file is changed by nobody but this process,
    // which opens it once.
    unsafe {
        options.flags(EnvFlags::NO_SYNC);
        options.open(folder)
    }
}

/// Makes the map larger. No transaction of this environment may be open: [`super::disk::Disk`], the
/// only owner, has ended its own.
pub(super) fn grow(env: &Env<WithoutTls>, map_bytes: usize) -> heed::Result<()> {
    // SAFETY: the caller owns every transaction of this environment and has ended them.
    unsafe { env.resize(map_bytes) }
}
