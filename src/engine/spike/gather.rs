//! What one minute brought each key, over all partitions.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    baseline::{Baseline, Sums},
    key::Key,
    minute::{Count, Group, Leaf, Minute, OTHER, Pain},
    watched::{COUNTED_ONCE_WITHIN, Tally},
};
use crate::model::{StableHash, stable_hash};

/// Leaves with a rate of their own. Beyond it an event is `other` of its channel.
pub(super) const LEAVES_MAX: usize = 1000;

/// As many events as the prior of a channel's rate, and of a group's factor, count for.
const CHANNEL_PRIOR: f64 = 3.0;
const FACTOR_PRIOR: f64 = 10.0;

/// The rates of everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rates {
    pub(super) leaves: BTreeMap<Leaf, Baseline>,
    pub(super) channels: BTreeMap<Box<str>, Sums>,
    pub(super) total: Sums,
}

/// One leaf's minute.
#[derive(Clone, Debug, Default)]
pub(super) struct LeafMinute {
    pub(super) count: Count,
    pub(super) pains: f64,
    /// Expected pains, and the same raised where the rate is young; `None` while it is learnt.
    pub(super) expected: Option<(f64, f64)>,
}

/// Everything of one minute.
#[derive(Debug, Default)]
pub(super) struct Gathered<'m> {
    pub(super) leaves: BTreeMap<Leaf, LeafMinute>,
    pub(super) tallies: BTreeMap<Key, Tally<'m>>,
    /// Touchpoints of interest by property, and touchpoints by leaf's keys.
    pub(super) interest: BTreeMap<Key, f64>,
    pub(super) volume: BTreeMap<Key, f64>,
}

impl Rates {
    fn prior(&self, minute: i64, channel: &str) -> f64 {
        let total = self.total.at(minute).rate(0.0, 0.0);
        let channel = self.channels.get(channel).copied().unwrap_or_default();
        channel.at(minute).rate(total, CHANNEL_PRIOR)
    }

    /// Returns the rate of a leaf, and its caution; `None` while it is learnt.
    fn rate(&self, leaf: &Leaf, minute: i64, slot: usize) -> Option<(f64, f64)> {
        let baseline = self.leaves.get(leaf).filter(|baseline| baseline.is_learnt(minute))?;
        let rate = baseline.rate(minute, slot, self.prior(minute, &leaf.channel));
        Some((rate, rate * baseline.caution(minute)))
    }

    /// Returns the leaf that is counted for a name: `other` of its channel where all places are
    /// taken.
    fn place(&self, leaf: &Leaf) -> Leaf {
        if self.leaves.len() < LEAVES_MAX || self.leaves.contains_key(leaf) {
            return leaf.clone();
        }
        Leaf { event: OTHER.into(), ..leaf.clone() }
    }
}

/// Customers and reasons that were counted a short while ago, with when.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Recent(BTreeMap<(StableHash, StableHash), i64>);

impl Recent {
    /// Returns whether a pain counts: a customer hurts once for a reason in a quarter of an hour.
    pub(super) fn counts(&mut self, pain: &Pain) -> bool {
        let key = (pain.customer, stable_hash(pain.reason.as_bytes()));
        if let Some(before) = self.0.get(&key)
            && pain.at < *before + COUNTED_ONCE_WITHIN
        {
            return false;
        }
        self.0.insert(key, pain.at);
        true
    }

    /// Forgets what is older than it can matter at `now`.
    pub(super) fn forget(&mut self, now: i64) {
        self.0.retain(|_, at| now < *at + COUNTED_ONCE_WITHIN);
    }
}

/// Gathers one minute of all partitions.
pub(super) fn gather<'m>(
    minutes: &'m BTreeMap<i32, Minute>,
    rates: &Rates,
    recent: &mut Recent,
    (minute, slot): (i64, usize),
    factor: impl Fn(&Key) -> Sums,
) -> Gathered<'m> {
    let mut gathered = Gathered::default();
    let mut groups: BTreeMap<&Group, BTreeMap<Leaf, Count>> = BTreeMap::new();
    for (cell, count) in minutes.values().flat_map(|minute| &minute.cells) {
        let leaf = rates.place(&cell.leaf);
        match &cell.group {
            None => gathered.leaves.entry(leaf).or_default().count.add(*count),
            Some(group) => {
                groups.entry(group).or_default().entry(leaf).or_default().add(*count);
            }
        }
    }
    let mut pains: Vec<&Pain> = minutes.values().flat_map(|minute| &minute.pains).collect();
    pains.sort_unstable_by_key(|pain| pain.order());
    pains.retain(|pain| recent.counts(pain));
    for pain in &pains {
        gathered.leaves.entry(rates.place(&pain.leaf)).or_default().pains += 1.0;
    }
    for (leaf, found) in &mut gathered.leaves {
        found.pains += f64::from(found.count.pains);
        let exposure = f64::from(found.count.exposure);
        found.expected = rates
            .rate(leaf, minute, slot)
            .map(|(rate, cautious)| (rate * exposure, cautious * exposure));
    }
    gathered.tally_leaves();
    gathered.tally_groups(&groups, rates, (minute, slot), factor);
    gathered.tally_pains(&pains, rates);
    gathered
}

impl<'m> Gathered<'m> {
    fn tally_leaves(&mut self) {
        for (leaf, found) in &self.leaves {
            let exposure = f64::from(found.count.exposure);
            for key in Key::of_leaf(leaf) {
                *self.volume.entry(key.clone()).or_default() += exposure;
                let Some((expected, cautious)) = found.expected else { continue };
                let tally = self.tallies.entry(key).or_default();
                tally.observed += found.pains;
                tally.expected += expected;
                tally.cautious += cautious;
                tally.touchpoints += exposure;
            }
        }
    }

    fn tally_groups(
        &mut self,
        groups: &BTreeMap<&Group, BTreeMap<Leaf, Count>>,
        rates: &Rates,
        (minute, slot): (i64, usize),
        factor: impl Fn(&Key) -> Sums,
    ) {
        for (group, leaves) in groups {
            let key = Key::of_group(group);
            let mut tally = Tally::default();
            for (leaf, count) in leaves {
                if matches!(key, Key::Property(..)) {
                    let interest = f64::from(count.interest);
                    *self.interest.entry(key.clone()).or_default() += interest;
                }
                let Some((rate, cautious)) = rates.rate(leaf, minute, slot) else { continue };
                let exposure = f64::from(count.exposure);
                tally.observed += f64::from(count.pains);
                tally.expected += rate * exposure;
                tally.cautious += cautious * exposure;
                tally.touchpoints += exposure;
            }
            tally.plain = tally.expected;
            let factor = factor(&key).at(minute).rate(1.0, FACTOR_PRIOR);
            tally.expected *= factor;
            tally.cautious *= factor;
            self.tallies.insert(key, tally);
        }
    }

    fn tally_pains(&mut self, pains: &[&'m Pain], rates: &Rates) {
        for pain in pains {
            let leaf = rates.place(&pain.leaf);
            let learnt = self.leaves.get(&leaf).is_some_and(|found| found.expected.is_some());
            if !learnt {
                continue;
            }
            // The numbers of leaves are summed already; a group's pains are only here.
            for key in Key::of_leaf(&leaf) {
                self.tallies.entry(key).or_default().pains.push(pain);
            }
            let groups: BTreeSet<Key> = pain.groups.iter().map(Key::of_group).collect();
            for key in groups {
                let tally = self.tallies.entry(key).or_default();
                tally.observed += 1.0;
                tally.pains.push(pain);
            }
        }
    }
}
