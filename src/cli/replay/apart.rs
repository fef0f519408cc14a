//! Whether what is written and what is read are different files.
//!
//! An output is emptied when it is opened. Were it also an input, the very records that were to be
//! replayed would be gone, and the replay of nothing would end well.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::Failure;

/// As many as Linux follows before it calls them a circle.
const LINKS_MAX: usize = 40;

/// What a path leads to, however it is written.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// A file that is there: device and inode, so that hard links are one.
    File(u64, u64),
    /// One that would be made.
    New(PathBuf),
}

/// Makes sure that no output is an input or another output. Nothing is opened.
///
/// What is no ordinary file (`/dev/null`, a pipe, a terminal) may be written to by several, and so
/// may standard output, whatever it leads to.
pub(super) fn check<'p>(
    inputs: impl IntoIterator<Item = &'p Path>,
    outputs: &[(&str, Option<&Path>)],
) -> Result<(), Failure> {
    let read: Vec<Place> =
        inputs.into_iter().filter_map(|path| place(path, "/dev/stdin")).collect();
    let mut written: Vec<(&str, &Path, Place)> = Vec::new();
    for (option, path) in outputs {
        let Some(path) = *path else { continue };
        let Some(place) = place(path, "/dev/stdout") else { continue };
        let shown = path.display();
        if read.contains(&place) {
            let message = format!(
                "\"{option}\" would overwrite \"{shown}\", which is read: name another file"
            );
            return Err(Failure::Usage(message));
        }
        let same = |(_, other, taken): &&(&str, &Path, Place)| {
            *taken == place && (path != Path::new("-") || *other != path)
        };
        if let Some((other, _, _)) = written.iter().find(same) {
            let message = format!(
                "\"{other}\" and \"{option}\" are both written to \"{shown}\": name two files"
            );
            return Err(Failure::Usage(message));
        }
        written.push((option, path, place));
    }
    Ok(())
}

/// Returns what a path leads to; `None`: nothing that two could not share. What cannot be looked at
/// is told when it is opened.
fn place(path: &Path, standard: &str) -> Option<Place> {
    let path = if path == Path::new("-") { Path::new(standard) } else { path };
    match fs::metadata(path) {
        Ok(found) => found.is_file().then(|| Place::File(found.dev(), found.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => new_place(path).map(Place::New),
        Err(_) => None,
    }
}

/// Returns where a file would be made: links that lead to nothing yet are followed.
fn new_place(path: &Path) -> Option<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
        path = folder.join(path.file_name()?);
        match fs::read_link(&path) {
            Ok(target) => path = folder.join(target),
            Err(_) => return Some(path),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Says what is wrong, without the folder's own name.
    #[track_caller]
    fn checked(folder: &Path, inputs: &[&str], outputs: &[&str]) -> Option<String> {
        let path = |name: &str| match name {
            "-" => PathBuf::from("-"),
            name => folder.join(name),
        };
        let inputs: Vec<_> = inputs.iter().copied().map(path).collect();
        let outputs: Vec<_> = outputs.iter().copied().map(path).collect();
        let options = ["--moments", "--rejects"].into_iter();
        let named: Vec<_> = options.zip(outputs.iter().map(|path| Some(path.as_path()))).collect();
        let failure = check(inputs.iter().map(PathBuf::as_path), &named).err()?;
        let Failure::Usage(message) = failure else { panic!("{failure:?}") };
        Some(message.replace(folder.to_str().unwrap(), "…"))
    }

    #[test]
    fn one_file_is_told_however_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let path = |name: &str| folder.join(name);
        fs::write(path("in"), "x").unwrap();
        fs::create_dir(path("sub")).unwrap();
        fs::hard_link(path("in"), path("hard")).unwrap();
        symlink("in", path("soft")).unwrap();
        symlink("new", path("ahead")).unwrap();
        for output in ["in", "sub/../in", "hard", "soft"] {
            let expected = format!(
                "\"--moments\" would overwrite \"…/{output}\", which is read: name another file"
            );
            assert_eq!(checked(folder, &["other", "in"], &[output]), Some(expected));
        }
        for output in ["new", "sub/../new", "ahead"] {
            let expected = format!(
                "\"--moments\" and \"--rejects\" are both written to \"…/{output}\": name two files"
            );
            assert_eq!(checked(folder, &["in"], &["new", output]), Some(expected));
        }
        assert_eq!(checked(folder, &["in"], &["new", "newer"]), None);
        assert_eq!(fs::read(path("in")).unwrap(), b"x");
        assert!(!path("new").exists());
    }

    #[test]
    fn what_is_no_ordinary_file_may_be_shared() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(checked(folder.path(), &["-"], &["-", "-"]), None);
        assert_eq!(checked(folder.path(), &["/dev/null"], &["/dev/null", "/dev/null"]), None);
    }
}
