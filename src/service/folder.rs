//! The state folder: locked by one process, and the keeper of the instance's name.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::{clock::wall_clock, model::stable_hash};

const LOCK_FILE: &str = "lock";
const INSTANCE_FILE: &str = "instance";

/// Why the state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderFailure {
    /// Somebody else has it.
    #[error(
        "another rega process uses the state folder \"{}\": give this one its own `state.dir`",
        .0.display()
    )]
    InUse(PathBuf),
    /// It cannot be made, read or written.
    #[error("the state folder \"{}\" cannot be used: {cause}", .path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

/// The state folder, locked for as long as this value lives.
#[derive(Debug)]
pub struct StateFolder {
    path: PathBuf,
    /// The lock goes when the file is closed, even by a crash.
    _lock: File,
}

impl StateFolder {
    /// Makes the folder if needed, and locks it.
    ///
    /// # Errors
    ///
    /// The operator has to give another folder, or the rights to this one.
    pub fn lock(path: &Path) -> Result<Self, FolderFailure> {
        let unusable = |cause| FolderFailure::Unusable { path: path.to_owned(), cause };
        fs::create_dir_all(path).map_err(unusable)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK_FILE))
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: file }),
            Err(TryLockError::WouldBlock) => Err(FolderFailure::InUse(path.to_owned())),
            Err(TryLockError::Error(cause)) => Err(unusable(cause)),
        }
    }

    /// Returns the instance's name: the configured one, else the one this folder keeps, else a new
    /// one that it will keep. A name that changed at every start would cost each restart a session
    /// timeout, since the broker would wait for the old one.
    ///
    /// # Errors
    ///
    /// The folder cannot be read or written.
    pub fn instance(&self, configured: Option<&str>) -> Result<String, FolderFailure> {
        if let Some(configured) = configured {
            return Ok(configured.to_owned());
        }
        let file = self.path.join(INSTANCE_FILE);
        match fs::read_to_string(&file) {
            Ok(kept) if !kept.trim().is_empty() => return Ok(kept.trim().to_owned()),
            Ok(_) => {}
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(self.unusable(cause)),
        }
        let name = fresh_name(&self.path);
        fs::write(&file, format!("{name}\n")).map_err(|cause| self.unusable(cause))?;
        Ok(name)
    }

    fn unusable(&self, cause: io::Error) -> FolderFailure {
        FolderFailure::Unusable { path: self.path.clone(), cause }
    }
}

/// Differs between machines, folders and times, without a random number.
fn fresh_name(path: &Path) -> String {
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let seed = format!(
        "{machine}{boot}{}{}{}",
        path.display(),
        std::process::id(),
        wall_clock().as_millis()
    );
    format!("{:016x}", stable_hash(seed.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_is_told_whose_folder_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let first = StateFolder::lock(folder.path()).unwrap();
        let refused = StateFolder::lock(folder.path()).unwrap_err();
        assert!(matches!(refused, FolderFailure::InUse(_)), "{refused}");
        drop(first);
        StateFolder::lock(folder.path()).unwrap();
    }

    #[test]
    fn the_name_is_kept_over_restarts_and_a_configured_one_wins() {
        let folder = tempfile::tempdir().unwrap();
        let first = StateFolder::lock(folder.path()).unwrap().instance(None).unwrap();
        let locked = StateFolder::lock(folder.path()).unwrap();
        assert_eq!(locked.instance(None).unwrap(), first);
        assert_eq!(locked.instance(Some("blue")).unwrap(), "blue");
        assert_eq!(first.len(), 16);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("taken");
        fs::write(&file, "").unwrap();
        let refused = StateFolder::lock(&file).unwrap_err().to_string();
        assert!(refused.contains("taken"), "{refused}");
    }
}
