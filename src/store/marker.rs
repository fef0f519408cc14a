//! A small file beside a checkpoint: whether it may be believed after what has happened since.
//!
//! Checkpoints are not synced to the device, so a crash of the machine may leave half of one. The
//! file therefore names the boot in which the checkpoint was last written to; after another boot it
//! is thrown away, unless it was closed in good order and synced. And it counts the starts that ended
//! before anything was written: a checkpoint that kills whoever reads it (a map over damaged pages
//! can do that) is thrown away at the third.

use std::{fs, io, io::Write, path::Path};

const FILE: &str = "marker";

/// Closed in good order, and synced.
const CLEAN: &str = "clean";

/// Starts in a row that may end before anything was written.
const STARTS_MAX: u32 = 3;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    boot: String,
    starts: u32,
}

/// Why a checkpoint is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The machine went down, and what was written last may be lost in part.
    MachineCrashed,
    /// Nobody who opened it lived long enough to write to it.
    KillsItsReader,
    /// The file is missing or says nothing.
    Unknown,
}

impl Marker {
    /// Returns what the folder's file says.
    fn read(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(folder.join(FILE)).ok()?;
        let mut lines = text.lines();
        let boot = lines.next()?.to_owned();
        let starts = lines.next()?.parse().ok()?;
        Some(Self { boot, starts })
    }

    /// Judges a folder that has a checkpoint.
    pub(super) fn doubt(folder: &Path) -> Option<Doubt> {
        let Some(marker) = Self::read(folder) else { return Some(Doubt::Unknown) };
        if marker.boot != CLEAN && this_boot().is_none_or(|boot| marker.boot != boot) {
            return Some(Doubt::MachineCrashed);
        }
        (STARTS_MAX <= marker.starts).then_some(Doubt::KillsItsReader)
    }

    /// Says that the folder is in use, before anything is written to it.
    pub(super) fn opened(folder: &Path) -> io::Result<()> {
        let starts = Self::read(folder).map_or(0, |marker| marker.starts).saturating_add(1);
        Self { boot: this_boot().unwrap_or_default(), starts }.write(folder)
    }

    /// Says that something was written, so that whoever opened it has lived.
    pub(super) fn lived(folder: &Path) -> io::Result<()> {
        Self { boot: this_boot().unwrap_or_default(), starts: 0 }.write(folder)
    }

    /// Says that everything is on the device.
    pub(super) fn closed(folder: &Path) -> io::Result<()> {
        Self { boot: CLEAN.to_owned(), starts: 0 }.write(folder)
    }

    /// Replaces the file as a whole, and waits for the device: before it, nothing else is written.
    fn write(&self, folder: &Path) -> io::Result<()> {
        let (new, file) = (folder.join("marker.new"), folder.join(FILE));
        let mut writing = fs::File::create(&new)?;
        write!(writing, "{}\n{}\n", self.boot, self.starts)?;
        writing.sync_all()?;
        fs::rename(new, file)?;
        fs::File::open(folder)?.sync_all()
    }
}

/// Returns what names this boot of the machine. Where that cannot be known, only a clean end is
/// believed.
fn this_boot() -> Option<String> {
    let named = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(named.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_believed_within_one_boot_and_after_a_clean_end() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Marker::doubt(folder.path()), Some(Doubt::Unknown));
        Marker::opened(folder.path()).unwrap();
        assert_eq!(Marker::doubt(folder.path()), None);
        Marker { boot: "an earlier one".to_owned(), starts: 0 }.write(folder.path()).unwrap();
        assert_eq!(Marker::doubt(folder.path()), Some(Doubt::MachineCrashed));
        Marker::closed(folder.path()).unwrap();
        assert_eq!(Marker::doubt(folder.path()), None);
    }

    #[test]
    fn a_folder_whose_readers_do_not_live_is_not_opened_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            Marker::opened(folder.path()).unwrap();
            assert_eq!(Marker::doubt(folder.path()), None);
        }
        Marker::opened(folder.path()).unwrap();
        assert_eq!(Marker::doubt(folder.path()), Some(Doubt::KillsItsReader));
        Marker::lived(folder.path()).unwrap();
        assert_eq!(Marker::doubt(folder.path()), None);
    }
}
