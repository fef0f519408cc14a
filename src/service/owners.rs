//! Which instance has which partition, and where it can be reached.
//!
//! Written by the worker that takes a partition up, into a compacted topic of one partition, in the same
//! transaction as that partition's first commit. There the broker checks the group's generation, so a
//! worker that was paused while its partition went elsewhere cannot come back and say that it is still
//! the owner: the last record of a partition is the truth, and needs no epoch of its own. Every instance
//! follows the topic.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{
    persist::{persist, read_along},
    shared::Shared,
    watchdog::Task,
};
use crate::{
    kafka::{KafkaFailure, Role},
    telemetry::log,
};

/// Who has a partition, as it is written to the topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) partition: i32,
    pub(super) instance: String,
    /// Where its HTTP can be reached; `None` where it does not say so.
    pub(super) address: Option<String>,
}

/// The owners as far as they are known.
#[derive(Debug)]
pub(super) struct Owners {
    instance: String,
    address: Option<String>,
    /// Written when a partition changes hands, read by look-ups that cannot be answered here.
    known: Mutex<BTreeMap<i32, Owner>>,
}

impl Owners {
    /// Returns an empty list, kept by this instance, which is reached there.
    pub(super) fn new(instance: &str, address: Option<String>) -> Self {
        Self { instance: instance.to_owned(), address, known: Mutex::default() }
    }

    /// Returns what this instance says when it takes a partition up.
    pub(super) fn claim(&self, partition: i32) -> Vec<u8> {
        let Self { instance, address, .. } = self;
        let owner = Owner { partition, instance: instance.clone(), address: address.clone() };
        // A map of a number and two strings can be written.
        serde_json::to_vec(&owner).unwrap_or_default()
    }

    /// Returns who has a partition.
    pub(super) fn of(&self, partition: i32) -> Option<Owner> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&partition).cloned()
    }

    /// Returns whether that is this instance.
    pub(super) fn is_own(&self, owner: &Owner) -> bool {
        owner.instance == self.instance
    }

    /// Returns the owners of all partitions but these, each instance once.
    pub(super) fn but(&self, partitions: &BTreeSet<i32>) -> Vec<Owner> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = BTreeSet::new();
        let others = known.values().filter(|owner| {
            !partitions.contains(&owner.partition)
                && !self.is_own(owner)
                && seen.insert(owner.instance.clone())
        });
        others.cloned().collect()
    }

    /// Takes note of one record of the topic. What cannot be read is somebody else's.
    fn hear(&self, value: &[u8]) {
        if let Ok(owner) = serde_json::from_slice::<Owner>(value) {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(owner.partition, owner);
        }
    }
}

/// Follows the topic until asked to stop. Goes on trying where the broker does not permit it: whoever has
/// no owners to look up can still do the work.
pub(super) fn follow(shared: &Arc<Shared>) -> Result<(), KafkaFailure> {
    persist(
        shared,
        Task::Owners,
        || read_along(shared, Task::Owners, Role::Owners, |record| shared.owners.hear(record)),
        |failure| {
            log::owners_unread(&failure);
            Ok(())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_about_a_partition_counts() {
        let blue = Owners::new("blue", Some("http://blue:8080".to_owned()));
        let green = Owners::new("green", None);
        blue.hear(&blue.claim(3));
        blue.hear(&green.claim(3));
        blue.hear(&green.claim(4));
        blue.hear(b"noise");
        let owner = blue.of(3).unwrap();
        assert_eq!((owner.instance.as_str(), owner.address.clone()), ("green", None));
        assert!(!blue.is_own(&owner) && green.is_own(&owner));
        assert_eq!(blue.of(5), None);
        assert_eq!(blue.but(&BTreeSet::new()).len(), 1, "each instance once");
        assert_eq!(blue.but(&BTreeSet::from([3, 4])).len(), 0);
    }
}
