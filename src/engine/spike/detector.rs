//! The detector: minutes come from partitions, are closed in order, and may be a spike.
//!
//! # Invariants
//!
//! - A minute is judged once, when every partition that is not idle has passed it. What comes later
//!   corrects evidence that is still under way, and teaches nothing.
//! - The same minutes give the same spikes, wherever the process died in between.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use jiff::{Timestamp, civil::Weekday, tz::TimeZone};

use super::{
    baseline::{Baseline, SLOTS, winsorised},
    gather::{Gathered, LeafRate, Rates, Recent, gather},
    key::{Key, Numerator},
    minute::{Leaf, Minute, Pain, read, start_of},
    watched::{News, Tally, Watched, threshold},
};
use crate::{
    engine::encode::{SpikeSaid, write_spike},
    model::{EventTime, Span, StableHash, stable_hash},
};

/// Keys under watch, all numerators together. Beyond it a new one is not watched, and counted.
const KEYS_MAX: usize = 2000;

/// Judged minutes that are kept for corrections: as long as a partition corrects them, and the
/// quarter of an hour in which a customer counts once.
const KEPT: i64 = 75;

/// Minutes after which a name that nobody used is forgotten: 60 days.
const FORGOTTEN_AFTER: i64 = 60 * 1440;

/// The most minutes without any touchpoint that are judged one by one: a day. A longer silence is
/// stepped over.
const EMPTY_MAX: i64 = 1440;

/// A spike of which half of the pains belong to one that is open already is the same spike, seen
/// from elsewhere.
const SAME_SHARE: f64 = 0.5;

/// What an operator may choose about the detector.
#[derive(Clone, Debug)]
pub struct DetectorSettings {
    /// Where hours and weekends begin.
    pub timezone: TimeZone,
    /// What is watched.
    pub watch: Vec<Numerator>,
    /// The budget of false alarms, all keys together.
    pub alarms_a_day: f64,
    /// A spike found so long after it happened is marked `backfill`; `None` never marks.
    pub backfill_after: Option<Span>,
}

impl Default for DetectorSettings {
    /// One false alarm a week for everything.
    fn default() -> Self {
        Self {
            timezone: TimeZone::UTC,
            watch: vec![Numerator::Pain, Numerator::Interest],
            alarms_a_day: 1.0 / 7.0,
            backfill_after: None,
        }
    }
}

/// Whether a spike goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpikeState {
    /// It was found.
    Open,
    /// It goes on.
    Update,
    /// It is over.
    Closed,
}

impl SpikeState {
    /// Every variant.
    pub const ALL: [Self; 3] = [Self::Open, Self::Update, Self::Closed];

    /// The name used in records and metric labels alike.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Update => "update",
            Self::Closed => "closed",
        }
    }
}

/// A record of `pain-spikes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidSpike {
    /// The spike's id: the record's key.
    pub spike_id: Box<str>,
    /// The record's JSON.
    pub value: Vec<u8>,
    /// Whether it goes on.
    pub state: SpikeState,
    /// Of what.
    pub numerator: Numerator,
    /// Where, in a few words.
    pub key: String,
}

/// What judging some minutes found.
#[derive(Debug, Default)]
pub struct Found {
    /// Records to publish, in order.
    pub said: Vec<SaidSpike>,
    /// Pains observed and expected, by channel.
    pub pains: BTreeMap<Box<str>, (f64, f64)>,
    /// How many minutes were judged.
    pub minutes: u64,
    /// Corrections of minutes that were judged already, and minutes that came too late for them.
    pub corrections: u64,
}

/// How far one partition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    /// Everything up to this minute was said.
    pub(super) passed: i64,
    /// When it was last heard of, by the wall clock.
    heard_at: EventTime,
}

/// The detector's whole state.
#[derive(Debug)]
pub struct Detector {
    settings: DetectorSettings,
    pub(super) rates: Rates,
    pub(super) keys: BTreeMap<(Numerator, Key), Watched>,
    pub(super) shards: BTreeMap<i32, Shard>,
    /// Minutes not judged yet, and those judged a short while ago.
    minutes: BTreeMap<i64, BTreeMap<i32, Minute>>,
    /// Where in the pulse topic each of them begins.
    offsets: BTreeMap<i64, i64>,
    pub(super) judged_through: Option<i64>,
    recent: Recent,
    pub(super) changed: Changed,
    /// Minutes come again that were taken in before.
    recalling: bool,
    /// Keys that found no place.
    overflow: u64,
}

/// What differs from the last commit.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) leaves: BTreeSet<Leaf>,
    pub(super) channels: BTreeSet<Box<str>>,
    pub(super) keys: BTreeSet<(Numerator, Key)>,
}

impl Detector {
    /// Returns a detector that knows nothing.
    pub fn new(settings: DetectorSettings) -> Self {
        Self {
            settings,
            rates: Rates::default(),
            keys: BTreeMap::new(),
            shards: BTreeMap::new(),
            minutes: BTreeMap::new(),
            offsets: BTreeMap::new(),
            judged_through: None,
            recent: Recent::default(),
            changed: Changed::default(),
            recalling: false,
            overflow: 0,
        }
    }

    /// Waits for these partitions as long as they are not idle.
    pub fn expect(&mut self, partitions: impl IntoIterator<Item = i32>, now: EventTime) {
        for partition in partitions {
            let fresh = Shard { passed: i64::MIN, heard_at: now };
            self.shards.entry(partition).or_insert(fresh).heard_at = now;
        }
    }

    pub(super) fn shard_at(&mut self, partition: i32, passed: i64, heard_at: EventTime) {
        self.shards.insert(partition, Shard { passed, heard_at });
    }

    /// From here on come minutes that were taken in before, until [`Self::recalled`].
    pub fn recall(&mut self) {
        self.recalling = true;
    }

    /// Everything that was taken in before has come again.
    pub fn recalled(&mut self) {
        self.recalling = false;
        let judged = self.judged_through.unwrap_or(i64::MIN);
        for minutes in self.minutes.range(..=judged).map(|(_, minutes)| minutes) {
            let mut pains: Vec<&Pain> = minutes.values().flat_map(|minute| &minute.pains).collect();
            pains.sort_unstable_by_key(|pain| pain.order());
            for pain in pains {
                self.recent.counts(pain);
            }
        }
    }

    /// Takes a minute of a partition; returns whether it could be read.
    pub fn note(&mut self, pulse: &PulseRecord<'_>, found: &mut Found) -> bool {
        let PulseRecord { partition, minute, value, offset, heard_at } = *pulse;
        let Some(new) = read::<Minute>(value) else { return false };
        let known = self.shards.get(&partition).map_or(i64::MIN, |shard| shard.passed);
        let passed = if new.corrected { known } else { known.max(minute) };
        self.shards.insert(partition, Shard { passed, heard_at });
        let judged = self.judged_through.is_some_and(|judged| minute <= judged);
        if judged && self.judged_through.is_some_and(|judged| minute <= judged - KEPT) {
            found.corrections += u64::from(!self.recalling);
            return true;
        }
        self.offsets.entry(minute).or_insert(offset);
        let old = self.minutes.entry(minute).or_default().insert(partition, new);
        if judged && !self.recalling {
            found.corrections += 1;
            self.correct(minute, partition, &old.unwrap_or_default());
        }
        true
    }

    /// A judged minute turned out otherwise: what it said of evidence under way is put right.
    fn correct(&mut self, minute: i64, partition: i32, old: &Minute) {
        let empty = Minute::default();
        let new = self.minutes.get(&minute).and_then(|minutes| minutes.get(&partition));
        let new = new.unwrap_or(&empty);
        let ids = |minute: &Minute| -> BTreeSet<StableHash> {
            minute.pains.iter().map(|pain| pain.id).collect()
        };
        let (before, after) = (ids(old), ids(new));
        let gone: Vec<Pain> =
            old.pains.iter().filter(|pain| !after.contains(&pain.id)).cloned().collect();
        let come: Vec<Pain> =
            new.pains.iter().filter(|pain| !before.contains(&pain.id)).cloned().collect();
        let cap = self.threshold();
        for pain in &gone {
            self.each_of(pain, |watched| watched.take_back(pain));
        }
        for pain in &come {
            if self.recent.counts(pain) {
                self.each_of(pain, |watched| watched.come_late(pain, minute, cap));
            }
        }
    }

    /// Does something with every key whose pain this is.
    fn each_of(&mut self, pain: &Pain, mut change: impl FnMut(&mut Watched)) {
        let groups = pain.groups.iter().map(Key::of_group);
        for key in Key::of_leaf(&pain.leaf).into_iter().chain(groups) {
            let key = (Numerator::Pain, key);
            if let Some(watched) = self.keys.get_mut(&key) {
                change(watched);
                self.changed.keys.insert(key);
            }
        }
    }

    /// Judges every minute that all partitions have passed. Those that were not heard of for
    /// `idle_after` before `now` are not waited for; without it, those that were never heard of.
    /// `now` is the wall clock; where there is none, spikes open at event time.
    pub fn judge(&mut self, now: Option<EventTime>, idle_after: Option<Span>, found: &mut Found) {
        let Some(through) = self.passed_by_all(now, idle_after) else { return };
        let Some(&first) = self.minutes.keys().next() else { return };
        let mut minute = self.judged_through.map_or(first, |judged| judged + 1);
        while minute <= through {
            let empty = !self.minutes.contains_key(&minute);
            if empty && EMPTY_MAX < through - minute {
                let next = self.minutes.range(minute..).next().map(|(next, _)| *next);
                let next = next.unwrap_or(through).min(through);
                if EMPTY_MAX < next - minute {
                    minute = next - EMPTY_MAX;
                }
            }
            self.judge_minute(minute, now, found);
            found.minutes += 1;
            self.judged_through = Some(minute);
            minute += 1;
        }
        let Some(judged) = self.judged_through else { return };
        self.minutes = self.minutes.split_off(&(judged - KEPT + 1));
        self.offsets = self.offsets.split_off(&(judged - KEPT + 1));
    }

    /// Judges everything that there is: nothing more will come.
    pub fn finish(&mut self, found: &mut Found) {
        let last = self.shards.values().map(|shard| shard.passed).max();
        for shard in self.shards.values_mut() {
            shard.passed = shard.passed.max(last.unwrap_or(i64::MIN));
        }
        self.judge(None, None, found);
    }

    fn passed_by_all(&self, now: Option<EventTime>, idle_after: Option<Span>) -> Option<i64> {
        let is_idle = |shard: &Shard| match (now, idle_after) {
            (Some(now), Some(idle_after)) => idle_after <= now.since(shard.heard_at),
            (Some(_) | None, _) => false,
        };
        let awake = self.shards.values().filter(|shard| !is_idle(shard)).map(|shard| shard.passed);
        // Where all are idle, the one that came farthest says how far time is.
        awake
            .min()
            .or_else(|| self.shards.values().map(|shard| shard.passed).max())
            .filter(|passed| *passed != i64::MIN)
    }

    pub(super) fn settings(&self) -> &DetectorSettings {
        &self.settings
    }

    /// Returns the evidence that is enough.
    pub(super) fn threshold(&self) -> f64 {
        threshold(self.keys.len(), self.settings.alarms_a_day)
    }

    /// Returns how many spikes are open.
    pub fn open_count(&self, numerator: Numerator) -> u32 {
        let open =
            self.keys.iter().filter(|((one, _), watched)| *one == numerator && watched.is_open());
        u32::try_from(open.count()).unwrap_or(u32::MAX)
    }

    /// Returns how many keys of a kind are under watch.
    pub fn key_counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for (_, key) in self.keys.keys() {
            *counts.entry(key.kind()).or_default() += 1;
        }
        counts
    }

    /// Returns how often a key found no place.
    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    /// Returns the end of the last judged minute.
    pub fn judged_until(&self) -> Option<EventTime> {
        self.judged_through.map(|minute| start_of(minute + 1))
    }

    /// Returns from where the pulse topic has to be read to know everything that is not in the
    /// state: the first record of a minute that may still be judged or corrected.
    pub(super) fn recall_from(&self, next_offset: i64) -> i64 {
        self.offsets.values().copied().min().unwrap_or(next_offset).min(next_offset)
    }

    fn slot_of(&self, minute: i64) -> usize {
        let at = Timestamp::from_millisecond(start_of(minute).as_millis()).unwrap_or_default();
        let local = at.to_zoned(self.settings.timezone.clone());
        let weekend = matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday);
        let hour = usize::try_from(local.hour()).unwrap_or(0);
        (usize::from(weekend) * 24 + hour).min(SLOTS - 1)
    }

    fn judge_minute(&mut self, minute: i64, now: Option<EventTime>, found: &mut Found) {
        let slot = self.slot_of(minute);
        self.recent.forget(start_of(minute).as_millis());
        let mut recent = std::mem::take(&mut self.recent);
        let none = BTreeMap::new();
        let minutes = std::mem::take(&mut self.minutes);
        let of_minute = minutes.get(&minute).unwrap_or(&none);
        let gathered = gather(of_minute, &self.rates, &mut recent, (minute, slot), |key| {
            let watched = self.keys.get(&(Numerator::Pain, key.clone()));
            watched.map(|watched| watched.factor).unwrap_or_default()
        });
        self.watch_pain(minute, &gathered);
        self.watch_numbers(Numerator::Interest, (minute, slot), &gathered.interest);
        self.watch_numbers(Numerator::Silence, (minute, slot), &gathered.volume);
        self.tell(minute, now, found);
        self.learn(minute, slot, &gathered);
        for (leaf, one) in gathered.leaves.iter().filter(|(_, one)| one.expected.is_some()) {
            let (observed, expected) = found.pains.entry(leaf.channel.clone()).or_default();
            *observed += one.pains;
            *expected += one.expected.map_or(0.0, |(expected, _)| expected);
        }
        drop(gathered);
        self.minutes = minutes;
        self.recent = recent;
        if minute.rem_euclid(1440) == 0 {
            self.forget(minute);
        }
    }

    /// Brings a key under watch; `false` where there is no place.
    fn is_watched(&mut self, key: &(Numerator, Key), minute: i64) -> bool {
        if self.keys.contains_key(key) {
            return true;
        }
        if KEYS_MAX <= self.keys.len() {
            self.overflow += 1;
            return false;
        }
        self.keys.insert(key.clone(), Watched::starting_at(minute));
        true
    }

    fn watch_pain(&mut self, minute: i64, gathered: &Gathered<'_>) {
        if !self.settings.watch.contains(&Numerator::Pain) {
            return;
        }
        for key in gathered.tallies.keys() {
            self.is_watched(&(Numerator::Pain, key.clone()), minute);
        }
        let cap = self.threshold();
        let nothing = Tally::default();
        for ((numerator, key), watched) in &mut self.keys {
            if *numerator != Numerator::Pain {
                continue;
            }
            let tally = gathered.tallies.get(key);
            if tally.is_none() && watched.is_at_rest() {
                continue;
            }
            let last = watched.last;
            watched.step(*numerator, minute, tally.unwrap_or(&nothing), cap);
            match tally {
                Some(tally) if !watched.is_frozen(minute) => {
                    let learnt = winsorised(tally.observed, tally.expected);
                    watched.factor.add(minute, learnt, tally.plain);
                }
                Some(_) => {}
                None => watched.last = last,
            }
            self.changed.keys.insert((*numerator, key.clone()));
        }
    }

    /// Watches what is judged by its number: it has the time that passes as exposure.
    fn watch_numbers(
        &mut self,
        numerator: Numerator,
        (minute, slot): (i64, usize),
        counts: &BTreeMap<Key, f64>,
    ) {
        if !self.settings.watch.contains(&numerator) {
            return;
        }
        for key in counts.keys() {
            self.is_watched(&(numerator, key.clone()), minute);
        }
        let cap = self.threshold();
        for ((one, key), watched) in &mut self.keys {
            if *one != numerator {
                continue;
            }
            let count = counts.get(key).copied().unwrap_or(0.0);
            let own = watched.own.get_or_insert_with(|| Baseline::starting_at(minute));
            let known = own.knows_slot(minute, slot);
            let expected = own.rate(minute, slot, 0.0);
            let caution = own.caution(minute);
            let cautious = match numerator {
                Numerator::Pain | Numerator::Interest => expected * caution,
                Numerator::Silence => expected / caution,
            };
            let frozen = watched.is_frozen(minute);
            if known {
                let touchpoints = count;
                let observed = count;
                let tally = Tally { observed, expected, cautious, touchpoints, ..Tally::default() };
                watched.step(numerator, minute, &tally, cap);
            }
            if 0.0 < count {
                watched.last = minute;
            }
            if let Some(own) = watched.own.as_mut().filter(|_| !frozen) {
                let learnt = if known { winsorised(count, expected) } else { count };
                own.learn(minute, slot, learnt, 1.0);
            }
            self.changed.keys.insert((*one, key.clone()));
        }
    }

    /// Opens what crosses, and says what open spikes have to say.
    fn tell(&mut self, minute: i64, now: Option<EventTime>, found: &mut Found) {
        let threshold = self.threshold();
        let mut said = Vec::new();
        let mut known = BTreeSet::new();
        let mut crossing = Vec::new();
        for (key, watched) in &mut self.keys {
            match watched.news(minute) {
                Some(News::Close) => said.push((key.clone(), SpikeState::Closed)),
                Some(News::Update) => said.push((key.clone(), SpikeState::Update)),
                None => {}
            }
            if watched.is_open() {
                known.extend(watched.members());
            } else {
                known.extend(watched.closed_members(minute));
            }
            // The others are made of leaves that are learnt themselves.
            let is_group = matches!(key.1, Key::Property(..) | Key::Band(_));
            let counts = !is_group || watched.is_learnt(minute);
            if counts && watched.crosses(key.0, threshold) {
                crossing.push((key.clone(), watched.evidence));
            }
        }
        crossing.sort_by(|(one, evidence), (other, more)| {
            let closer = other.1.closeness().cmp(&one.1.closeness());
            let wider = match one.0 {
                Numerator::Pain | Numerator::Interest => Ordering::Equal,
                Numerator::Silence => closer.reverse(),
            };
            wider.then(more.total_cmp(evidence)).then(closer).then(one.cmp(other))
        });
        let wall = now.unwrap_or_else(|| start_of(minute + 1)).as_millis();
        for (key, _) in crossing {
            if self.is_covered(&key) {
                continue;
            }
            let Some(watched) = self.keys.get_mut(&key) else { continue };
            if SAME_SHARE <= watched.share_in(&known) {
                continue;
            }
            watched.open(minute, wall, |onset| spike_id(&key, onset));
            known.extend(watched.members());
            said.push((key, SpikeState::Open));
        }
        for (key, state) in said {
            if let Some(record) = self.record(&key, state, (minute, now)) {
                found.said.push(record);
            }
        }
    }

    /// Silence everywhere is one silence, and not one on each channel.
    fn is_covered(&self, (numerator, key): &(Numerator, Key)) -> bool {
        let wider = match key {
            Key::Event(channel, _) => vec![Key::All, Key::Channel(channel.clone())],
            Key::Channel(_) => vec![Key::All],
            Key::All | Key::Property(..) | Key::Band(_) => Vec::new(),
        };
        let is_open = |key| self.keys.get(&(*numerator, key)).is_some_and(Watched::is_open);
        *numerator == Numerator::Silence && wider.into_iter().any(is_open)
    }

    fn record(
        &self,
        key: &(Numerator, Key),
        state: SpikeState,
        (minute, now): (i64, Option<EventTime>),
    ) -> Option<SaidSpike> {
        let watched = self.keys.get(key)?;
        let spike = watched.spike.as_ref()?;
        let run = spike.at_close.as_ref().unwrap_or(&watched.run);
        let as_of = start_of(minute + 1);
        let backfill =
            self.settings.backfill_after.zip(now).is_some_and(|(age, now)| age < now.since(as_of));
        let mut value = Vec::new();
        let said = SpikeSaid { key, state, watched, spike, run, as_of, backfill };
        write_spike(&mut value, &said);
        let (numerator, key) = (key.0, key.1.text());
        Some(SaidSpike { spike_id: spike.id.clone(), value, state, numerator, key })
    }

    /// Learns the minute, but for what an open spike covers.
    fn learn(&mut self, minute: i64, slot: usize, gathered: &Gathered<'_>) {
        let frozen: Vec<Key> = self
            .keys
            .iter()
            .filter(|((numerator, _), watched)| {
                *numerator == Numerator::Pain && watched.is_frozen(minute)
            })
            .map(|((_, key), _)| key.clone())
            .collect();
        let Self { rates, changed, .. } = self;
        let mut symptoms: BTreeMap<&str, f64> = BTreeMap::new();
        for (leaf, one) in &gathered.leaves {
            if frozen.iter().any(|key| key.covers(leaf)) {
                continue;
            }
            let exposure = f64::from(one.count.exposure);
            let bounded =
                one.expected.map_or(one.pains, |(expected, _)| winsorised(one.pains, expected));
            let rate = rates.leaves.entry(leaf.clone());
            let rate = rate.or_insert_with(|| LeafRate::starting_at(minute));
            let own = if one.among.is_some() { one.pains } else { bounded };
            if 0.0 < exposure || 0.0 < own {
                rate.own.learn(minute, slot, own, exposure);
            }
            if let Some(base) = one.among {
                rate.among.learn(minute, slot, bounded, base);
                *symptoms.entry(&leaf.channel).or_default() += bounded;
            }
            let channel = rates.channels.entry(leaf.channel.clone()).or_default();
            channel.all.add(minute, bounded, exposure);
            rates.total.all.add(minute, bounded, exposure);
            changed.leaves.insert(leaf.clone());
            changed.channels.insert(leaf.channel.clone());
        }
        if frozen.contains(&Key::All) {
            return;
        }
        for (name, exposure) in &gathered.plain.channels {
            let events = symptoms.get(&**name).copied().unwrap_or(0.0);
            let channel = rates.channels.entry(name.clone()).or_default();
            channel.symptoms.add(minute, events, *exposure);
            changed.channels.insert(name.clone());
        }
        let events = symptoms.values().sum();
        rates.total.symptoms.add(minute, events, gathered.plain.total);
    }

    /// Forgets names that nobody has used for a long time.
    fn forget(&mut self, minute: i64) {
        let since = minute - FORGOTTEN_AFTER;
        let Self { rates, keys, changed, .. } = self;
        let old = rates.leaves.iter().filter(|(_, rate)| rate.own.last < since);
        let old: Vec<Leaf> = old.map(|(leaf, _)| leaf.clone()).collect();
        for leaf in old {
            rates.leaves.remove(&leaf);
            changed.leaves.insert(leaf);
        }
        let old = keys.iter().filter(|(_, watched)| watched.last < since && !watched.is_open());
        let old: Vec<(Numerator, Key)> = old.map(|(key, _)| key.clone()).collect();
        for key in old {
            keys.remove(&key);
            changed.keys.insert(key);
        }
    }
}

/// A record of the pulse topic, or what would have been one.
#[derive(Clone, Copy, Debug)]
pub struct PulseRecord<'a> {
    /// The input partition.
    pub partition: i32,
    /// The minute, counted since 1970.
    pub minute: i64,
    /// What [`crate::engine::PulseMinute::value`] held.
    pub value: &'a [u8],
    /// Its place in the pulse topic.
    pub offset: i64,
    /// When it was read, by the wall clock.
    pub heard_at: EventTime,
}

/// Returns the id of a spike: the same for the same key and onset, whoever finds it.
fn spike_id((numerator, key): &(Numerator, Key), onset: i64) -> Box<str> {
    let named = format!("{}\n{}\n{}\n{onset}", numerator.as_str(), key.kind(), key.text());
    format!("{:016x}", stable_hash(named.as_bytes())).into()
}
