//! The packs that come with Rega, inside the binary: nobody has to find a folder first.

/// A pack inside the binary.
#[derive(Debug)]
pub struct ShippedPack {
    /// What `rules` calls it.
    pub name: &'static str,
    /// File name and text of each of its files, in name order.
    pub files: &'static [(&'static str, &'static str)],
}

/// A file of the repository: its name and its text.
macro_rules! file {
    ($pack:literal, $name:literal) => {
        ($name, include_str!(concat!("../../config/rules/", $pack, "/", $name)))
    };
}

/// Every pack. A test holds this against the folder `config/rules`.
pub const PACKS: &[ShippedPack] = &[
    ShippedPack {
        name: "commerce",
        files: &[
            file!("commerce", "00-pack.yaml"),
            file!("commerce", "01-names.yaml"),
            file!("commerce", "02-guesses.yaml"),
            file!("commerce", "10-history.yaml"),
            file!("commerce", "20-discovery.yaml"),
            file!("commerce", "30-product.yaml"),
            file!("commerce", "40-cart-and-checkout.yaml"),
            file!("commerce", "50-order-and-delivery.yaml"),
            file!("commerce", "60-service.yaml"),
            file!("commerce", "66-markets-and-groceries.yaml"),
            file!("commerce", "70-feedback.yaml"),
            file!("commerce", "80-community.yaml"),
            file!("commerce", "90-marketing.yaml"),
            file!("commerce", "92-states.yaml"),
            file!("commerce", "94-everywhere.yaml"),
            file!("commerce", "95-standard.yaml"),
            file!("commerce", "96-told-by-tools.yaml"),
            file!("commerce", "97-borders.yaml"),
        ],
    },
    ShippedPack {
        name: "hospitality",
        files: &[
            file!("hospitality", "00-pack.yaml"),
            file!("hospitality", "01-names.yaml"),
            file!("hospitality", "02-guesses.yaml"),
            file!("hospitality", "10-history.yaml"),
            file!("hospitality", "20-deciding.yaml"),
            file!("hospitality", "30-at-the-house.yaml"),
            file!("hospitality", "35-travel.yaml"),
            file!("hospitality", "40-brought-and-asked.yaml"),
            file!("hospitality", "70-said-and-sent.yaml"),
            file!("hospitality", "80-standard.yaml"),
            file!("hospitality", "92-states.yaml"),
            file!("hospitality", "94-everywhere.yaml"),
            file!("hospitality", "96-told-by-tools.yaml"),
            file!("hospitality", "97-borders.yaml"),
        ],
    },
    ShippedPack {
        name: "saas",
        files: &[
            file!("saas", "00-pack.yaml"),
            file!("saas", "01-names.yaml"),
            file!("saas", "02-guesses.yaml"),
            file!("saas", "10-before.yaml"),
            file!("saas", "20-using.yaml"),
            file!("saas", "30-service.yaml"),
            file!("saas", "40-together.yaml"),
            file!("saas", "50-standard.yaml"),
            file!("saas", "92-states.yaml"),
            file!("saas", "94-everywhere.yaml"),
            file!("saas", "96-told-by-tools.yaml"),
            file!("saas", "97-borders.yaml"),
        ],
    },
    ShippedPack {
        name: "service",
        files: &[
            file!("service", "00-pack.yaml"),
            file!("service", "01-names.yaml"),
            file!("service", "02-guesses.yaml"),
            file!("service", "10-history.yaml"),
            file!("service", "20-before-and-ordering.yaml"),
            file!("service", "30-visits.yaml"),
            file!("service", "40-outages.yaml"),
            file!("service", "50-bill-and-contract.yaml"),
            file!("service", "55-money-and-health.yaml"),
            file!("service", "60-asking.yaml"),
            file!("service", "70-said-and-sent.yaml"),
            file!("service", "80-standard.yaml"),
            file!("service", "92-states.yaml"),
            file!("service", "94-everywhere.yaml"),
            file!("service", "96-told-by-tools.yaml"),
            file!("service", "97-borders.yaml"),
        ],
    },
];

/// A file of words.
macro_rules! words {
    ($name:literal) => {
        ($name, include_str!(concat!("../../config/words/", $name)))
    };
}

/// The word lists, in order of rank: where a text could be in two languages, it is in the first.
pub const WORDS: &[(&str, &str)] = &[
    words!("en.yaml"),
    words!("es.yaml"),
    words!("pt.yaml"),
    words!("de.yaml"),
    words!("fr.yaml"),
    words!("it.yaml"),
    words!("nl.yaml"),
    words!("tr.yaml"),
    words!("he.yaml"),
    words!("fa.yaml"),
    words!("ar.yaml"),
    words!("any.yaml"),
];

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
    fn every_word_list_is_in_the_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/words");
        let mut lists: Vec<_> = WORDS.iter().map(|(name, _)| *name).collect();
        lists.sort_unstable();
        assert_eq!(lists, names(&folder));
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
