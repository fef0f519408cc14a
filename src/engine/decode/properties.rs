//! The properties that rules ask for: which they are, and what a touchpoint has under them.

use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::path::Path;
use crate::model::{Property, StableHash, stable_hash};

/// A property that some rule asks for, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(u16);

/// Every property that some rule asks for.
#[derive(Clone, Debug, Default)]
pub struct PropertyPaths {
    root: Node,
    /// Other names of top-level properties → canonical ones, as hashes.
    synonyms: HashMap<StableHash, StableHash, FixedState>,
    count: u16,
}

/// A key on the way to a property. Children are found by the hash of their key, which the scan
/// needs anyway for the content hash.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) id: Option<PathId>,
    /// Where not 0: what stands here counts only where nothing of a lower rank does.
    pub(super) rank: usize,
    children: HashMap<StableHash, Node, FixedState>,
}

/// The rank of a dialect's own place for a property: after the property itself, and before what
/// packs take for the same. Those synonyms are for any sender, and some are loose.
pub(super) const STANDS_IN: usize = 1;

impl Node {
    pub(super) fn child(&self, key: StableHash) -> Option<&Self> {
        self.children.get(&key)
    }
}

impl PropertyPaths {
    /// Takes the paths that rules ask for (see [`Path`]), and other → canonical names of top-level
    /// properties. What is no path gets no id.
    pub fn new<'p>(
        paths: impl IntoIterator<Item = &'p str>,
        synonyms: impl IntoIterator<Item = (&'p str, &'p str)>,
    ) -> Self {
        let mut all = Self::default();
        for path in paths {
            all.add(path);
        }
        for (other, canonical) in synonyms {
            let (other, canonical) =
                (stable_hash(other.as_bytes()), stable_hash(canonical.as_bytes()));
            all.synonyms.insert(other, canonical);
        }
        all
    }

    /// Returns the id of a path; `None` if it is none, or was not asked for.
    pub fn id(&self, path: &str) -> Option<PathId> {
        let path = Path::parse(path).ok()?;
        path.keys().try_fold(&self.root, |node, key| node.child(stable_hash(key.as_bytes())))?.id
    }

    /// Adds a path, or finds it; ids given before stay as they are. `None` if it is no path, or
    /// the 65,536th.
    pub(super) fn add(&mut self, path: &str) -> Option<PathId> {
        let path = Path::parse(path).ok()?;
        let node = path.keys().fold(&mut self.root, |node, key| {
            node.children.entry(stable_hash(key.as_bytes())).or_default()
        });
        if node.id.is_none() {
            let next = self.count.checked_add(1)?;
            node.id = Some(PathId(self.count));
            self.count = next;
        }
        node.id
    }

    /// Lets values at other paths stand for properties that rules ask for: path → property.
    pub(super) fn stand_for(&mut self, others: &BTreeMap<String, String>) {
        for (path, property) in others {
            let Some(id) = self.id(property) else { continue };
            let Ok(path) = Path::parse(path) else { continue };
            self.keep_synonym(&path);
            let node = path.keys().fold(&mut self.root, |node, key| {
                node.children.entry(stable_hash(key.as_bytes())).or_default()
            });
            // A path that rules ask for by itself stays what it is.
            if node.id.is_none() {
                node.id = Some(id);
                node.rank = STANDS_IN;
            }
        }
    }

    /// Makes sure that a synonym stays one when a path goes through it.
    fn keep_synonym(&mut self, path: &Path) {
        let Some(first) = path.keys().next().map(|key| stable_hash(key.as_bytes())) else { return };
        let Some(canonical) = self.synonyms.get(&first) else { return };
        let id = self.root.child(*canonical).and_then(|node| node.id);
        let node = self.root.children.entry(first).or_default();
        if node.id.is_none() && id.is_some() {
            node.id = id;
            node.rank = usize::MAX;
        }
    }

    /// Returns where the search goes on below a top-level key, and whether the key is canonical.
    pub(super) fn top(&self, key: StableHash) -> Option<(&Node, bool)> {
        if let Some(node) = self.root.child(key) {
            return Some((node, true));
        }
        let canonical = self.synonyms.get(&key)?;
        Some((self.root.child(*canonical)?, false))
    }
}

/// What one touchpoint has under the properties that rules ask for.
#[derive(Clone, Debug, Default)]
pub struct Properties<'a> {
    /// Sorted; one for each value.
    pub(super) ids: Vec<PathId>,
    pub(super) values: Vec<Property<'a>>,
}

impl<'a> Properties<'a> {
    /// How many values of one property are kept: the first ones.
    pub const VALUES_MAX: usize = 64;

    /// Returns the values of a property, in the order in which they stand: several where its path
    /// leads through arrays, none where it is absent, null, or an object.
    pub fn get(&self, id: PathId) -> &[Property<'a>] {
        let start = self.ids.partition_point(|&other| other < id);
        let end = self.ids.partition_point(|&other| other <= id);
        self.values.get(start..end).unwrap_or_default()
    }
}
