//! Noticing that files have changed.
//!
//! By what stands in them, not by when they were written: an editor, a deployment and a mounted
//! Kubernetes volume (which swaps a link) each touch times in their own way, and rules are some
//! hundred kilobytes.

use std::path::{Path, PathBuf};

use super::load::{bounded, is_yaml};
use crate::model::stable_hash;

/// Returns a hash of what stands in some files, and in the YAML files of some folders.
pub fn fingerprint(paths: &[PathBuf]) -> u64 {
    let mut all = Vec::new();
    for path in paths {
        for file in files_of(path) {
            all.extend_from_slice(file.as_os_str().as_encoded_bytes());
            // A file that cannot be read now, or is too large to be, is a change when it can.
            let content = bounded(&file).map(|text| stable_hash(&text));
            all.extend_from_slice(&content.unwrap_or_default().to_le_bytes());
        }
    }
    stable_hash(&all)
}

fn files_of(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|file| is_yaml(file)).collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_change_a_new_file_and_one_that_is_gone_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().to_owned(), folder.path().join("alone.txt")];
        let mut seen = vec![fingerprint(&paths)];
        let mut note = |changed: bool| {
            let now = fingerprint(&paths);
            assert_eq!(seen.last() != Some(&now), changed);
            seen.push(now);
        };
        note(false);
        fs::write(folder.path().join("a.yaml"), "a").unwrap();
        note(true);
        fs::write(folder.path().join("a.yaml"), "b").unwrap();
        note(true);
        fs::write(folder.path().join("notes.txt"), "b").unwrap();
        note(false);
        fs::rename(folder.path().join("a.yaml"), folder.path().join("b.yaml")).unwrap();
        note(true);
        fs::write(folder.path().join("alone.txt"), "c").unwrap();
        note(true);
        fs::remove_file(folder.path().join("b.yaml")).unwrap();
        note(true);
        // Larger than anything that is read: what stands in it is not looked at.
        let large = |last: u8| fs::write(&paths[1], [vec![b'x'; 4 << 20], vec![last]].concat());
        large(b'a').unwrap();
        note(true);
        large(b'b').unwrap();
        note(false);
    }
}
