//! The packs that come with Rega, inside the binary: nobody has to find a folder first.

/// A pack inside the binary.
#[derive(Debug)]
pub struct ShippedPack {
    /// What `rules` calls it.
    pub name: &'static str,
    /// File name and text of each of its files, in name order.
    pub files: &'static [(&'static str, &'static str)],
}

/// Every pack. A test holds this against the folder `config/rules`.
pub const PACKS: &[ShippedPack] = &[];

/// Returns the shipped pack of that name.
pub fn pack(name: &str) -> Option<&'static ShippedPack> {
    PACKS.iter().find(|pack| pack.name == name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Returns the names of what is in a folder of the repository, sorted.
    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn every_file_of_every_pack_is_in_the_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/rules");
        let packs: Vec<_> = PACKS.iter().map(|pack| pack.name).collect();
        assert_eq!(packs, names(&folder));
        for pack in PACKS {
            let files: Vec<_> = pack.files.iter().map(|(name, _)| *name).collect();
            assert_eq!(files, names(&folder.join(pack.name)), "{}", pack.name);
        }
    }
}
