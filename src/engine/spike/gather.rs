//! What one minute brought each key, over all partitions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

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

/// A leaf of which so many touchpoints hurt is a symptom: a crash is not an occasion for pain but
/// the pain. It is measured against everything else that happens on its channel, or ten times as
/// many crashes would be ten times the exposure.
const SYMPTOM_SHARE: f64 = 0.5;

/// Touchpoints of a leaf before that is believed.
const SYMPTOM_SEEN: f64 = 5.0;

/// A channel on which less than this happens, besides symptoms, is measured against all channels.
const CHANNEL_SEEN: f64 = 200.0;

/// Position of [`crate::model::Actor::Customer`].
const CUSTOMER: u8 = 0;

/// The rates of one leaf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LeafRate {
    /// Among its own touchpoints.
    pub(super) own: Baseline,
    /// Of a symptom: among the other touchpoints, as many as there are on all channels. See [`Among`].
    pub(super) among: Baseline,
}

/// What a symptom is measured against.
///
/// That is its channel's touchpoints where there are enough, else those of all channels. A channel
/// may come to have enough, or cease to; so that a rate that was learnt before holds after,
/// `exposure` is always so many as there would be on all channels: a channel's touchpoints divided by
/// its usual share. Otherwise what a small channel suffers every day would be a hundred times too
/// much from the day on which it is measured against itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Among {
    /// As counted.
    pub(super) touchpoints: f64,
    /// As learnt and judged.
    pub(super) exposure: f64,
}

impl LeafRate {
    pub(super) fn starting_at(minute: i64) -> Self {
        Self { own: Baseline::starting_at(minute), among: Baseline::starting_at(minute) }
    }

    fn is_symptom(&self, minute: i64) -> bool {
        let Sums { events, exposure, .. } = self.own.mean_at(minute);
        SYMPTOM_SEEN <= exposure && SYMPTOM_SHARE * exposure <= events
    }
}

/// The rates of everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rates {
    pub(super) leaves: BTreeMap<Leaf, LeafRate>,
    pub(super) channels: BTreeMap<Box<str>, ChannelRate>,
    pub(super) total: ChannelRate,
}

/// The rates of a channel, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ChannelRate {
    /// Pains among all touchpoints.
    pub(super) all: Sums,
    /// Symptoms among the other touchpoints of customers.
    pub(super) symptoms: Sums,
}

/// Touchpoints of customers that are no symptoms, by channel and in all.
#[derive(Clone, Debug, Default)]
pub(super) struct Plain {
    pub(super) channels: BTreeMap<Box<str>, f64>,
    pub(super) total: f64,
}

impl Plain {
    fn add(&mut self, leaf: &Leaf, count: Count) {
        if leaf.actor == CUSTOMER {
            let exposure = f64::from(count.exposure);
            *self.channels.entry(leaf.channel.clone()).or_default() += exposure;
            self.total += exposure;
        }
    }
}

/// One leaf's minute.
#[derive(Clone, Debug, Default)]
pub(super) struct LeafMinute {
    pub(super) count: Count,
    pub(super) pains: f64,
    /// What it is measured against, if it is a symptom.
    pub(super) among: Option<Among>,
    /// Expected pains, and the same raised where the rate is young; `None` while it is learnt.
    pub(super) expected: Option<(f64, f64)>,
}

/// Everything of one minute.
#[derive(Debug, Default)]
pub(super) struct Gathered<'m> {
    pub(super) leaves: BTreeMap<Leaf, LeafMinute>,
    pub(super) plain: Plain,
    pub(super) tallies: BTreeMap<Key, Tally<'m>>,
    /// Touchpoints of interest by property, and touchpoints by leaf's keys.
    pub(super) interest: BTreeMap<Key, f64>,
    pub(super) volume: BTreeMap<Key, f64>,
}

impl Rates {
    /// Returns the rate of pain among everything that happens on a channel.
    fn prior(&self, minute: i64, channel: &str) -> f64 {
        let total = self.total.all.at(minute).rate(0.0, 0.0);
        let channel = self.channels.get(channel).map(|rate| rate.all).unwrap_or_default();
        channel.at(minute).rate(total, CHANNEL_PRIOR)
    }

    /// Returns the rate of a channel's symptoms among what happens on all channels.
    fn symptoms_prior(&self, minute: i64, channel: &str) -> f64 {
        let total = self.total.symptoms.at(minute);
        let mut own = total;
        own.events = self.symptoms_of(channel, minute).events;
        own.rate(total.rate(0.0, 0.0), CHANNEL_PRIOR)
    }

    fn symptoms_of(&self, channel: &str, minute: i64) -> Sums {
        let symptoms = self.channels.get(channel).map(|rate| rate.symptoms);
        symptoms.unwrap_or_default().at(minute)
    }

    fn is_symptom(&self, leaf: &Leaf, minute: i64) -> bool {
        self.leaves.get(leaf).is_some_and(|rate| rate.is_symptom(minute))
    }

    /// Returns the rate of a leaf among its own touchpoints, and its caution; `None` while it is
    /// learnt.
    fn own(&self, leaf: &Leaf, minute: i64, slot: usize) -> Option<(f64, f64)> {
        let own = &self.leaves.get(leaf)?.own;
        let prior = || self.prior(minute, &leaf.channel);
        own.is_learnt(minute).then(|| {
            let rate = own.rate(minute, slot, prior());
            (rate, rate * own.caution(minute))
        })
    }

    /// Returns the rate of a symptom among what else happens. A young one borrows that of all
    /// symptoms of its channel.
    fn among(&self, leaf: &Leaf, minute: i64, slot: usize) -> Option<(f64, f64)> {
        let among = &self.leaves.get(leaf)?.among;
        // Before anything is known of the channel, nothing can be more than usual.
        let known = self.total.all.at(minute).exposure;
        let prior = self.symptoms_prior(minute, &leaf.channel);
        let rate = among.rate(minute, slot, prior);
        let old = self.leaves.values().any(|rate| rate.own.is_learnt(minute));
        (old && CHANNEL_SEEN <= known && 0.0 < rate).then(|| (rate, rate * among.caution(minute)))
    }

    /// Returns what a symptom of this channel is measured against.
    fn base(&self, minute: i64, channel: &str, plain: &Plain) -> Among {
        let seen = self.symptoms_of(channel, minute).exposure;
        if seen < CHANNEL_SEEN {
            return Among { touchpoints: plain.total, exposure: plain.total };
        }
        let touchpoints = plain.channels.get(channel).copied().unwrap_or(0.0);
        let all = self.total.symptoms.at(minute).exposure;
        Among { touchpoints, exposure: touchpoints * (all / seen).max(1.0) }
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
    for leaf in rates.leaves.keys().filter(|leaf| rates.is_symptom(leaf, minute)) {
        // Also a minute without a crash is a minute in which there could have been one.
        gathered.leaves.entry(leaf.clone()).or_default();
    }
    for (leaf, found) in &gathered.leaves {
        if !rates.is_symptom(leaf, minute) {
            gathered.plain.add(leaf, found.count);
        }
    }
    for (leaf, found) in &mut gathered.leaves {
        found.pains += f64::from(found.count.pains);
        let (rate, exposure) = if rates.is_symptom(leaf, minute) {
            let base = rates.base(minute, &leaf.channel, &gathered.plain);
            found.among = Some(base);
            (rates.among(leaf, minute, slot), base.exposure)
        } else {
            (rates.own(leaf, minute, slot), f64::from(found.count.exposure))
        };
        found.expected = rate.map(|(rate, cautious)| (rate * exposure, cautious * exposure));
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
                let closest = matches!(key, Key::Event(..));
                let tally = self.tallies.entry(key).or_default();
                tally.observed += found.pains;
                tally.expected += expected;
                tally.cautious += cautious;
                tally.touchpoints += exposure;
                if closest {
                    tally.touchpoints += found.among.unwrap_or_default().touchpoints;
                }
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
            let mut plain = Plain::default();
            for (leaf, count) in leaves {
                if matches!(key, Key::Property(..)) {
                    let interest = f64::from(count.interest);
                    *self.interest.entry(key.clone()).or_default() += interest;
                }
                tally.touchpoints += f64::from(count.exposure);
                if rates.is_symptom(leaf, minute) {
                    tally.observed += f64::from(count.pains);
                    continue;
                }
                plain.add(leaf, *count);
                let Some((rate, cautious)) = rates.own(leaf, minute, slot) else { continue };
                let exposure = f64::from(count.exposure);
                tally.observed += f64::from(count.pains);
                tally.expected += rate * exposure;
                tally.cautious += cautious * exposure;
            }
            for (leaf, found) in self.leaves.iter().filter(|(_, found)| found.among.is_some()) {
                let Some((rate, cautious)) = rates.among(leaf, minute, slot) else { continue };
                if found.expected.is_none() {
                    continue;
                }
                let base = rates.base(minute, &leaf.channel, &plain);
                tally.expected += rate * base.exposure;
                tally.cautious += cautious * base.exposure;
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
