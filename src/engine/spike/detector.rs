//! The detector: minutes come from partitions, are closed in order, and may be a spike.
//!
//! # Invariants
//!
//! - A minute is judged once, when every partition that is not idle has passed it. What comes later
//!   corrects evidence that is still under way, and teaches nothing.
//! - The same minutes give the same spikes, wherever the process died in between.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use super::{
    gather::{Rates, Recent},
    key::{Key, Numerator},
    minute::{Leaf, Minute, Pain, read, start_of},
    watched::{Bar, Watched},
};
use crate::model::{EventTime, Span, StableHash};

/// Judged minutes that are kept for corrections: as long as a partition corrects them, and the
/// quarter of an hour in which a customer counts once.
const KEPT: i64 = 75;

/// The most minutes without any touchpoint that are judged one by one: a day. A longer silence is
/// stepped over.
const EMPTY_MAX: i64 = 1440;

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
    /// How often a key found no place and was not watched in a minute.
    pub unwatched: u64,
}

/// How far one partition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    /// Everything up to this minute was said.
    pub(super) passed: i64,
    /// When it was last heard of.
    heard_at: EventTime,
}

/// How long a partition is waited for that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Now, by the clock that [`PulseRecord::heard_at`] was read from. It measures how long somebody
    /// has waited, so it runs as fast as time passes, also where the wall clock is simulated.
    pub now: EventTime,
    /// Who was not heard of for so long is idle.
    pub idle_after: Span,
}

/// The detector's whole state.
#[derive(Debug)]
pub struct Detector {
    pub(super) settings: DetectorSettings,
    pub(super) rates: Rates,
    pub(super) keys: BTreeMap<(Numerator, Key), Watched>,
    pub(super) shards: BTreeMap<i32, Shard>,
    /// Minutes not judged yet, and those judged a short while ago.
    pub(super) minutes: BTreeMap<i64, BTreeMap<i32, Minute>>,
    /// Where in the pulse topic each of them begins.
    offsets: BTreeMap<i64, i64>,
    pub(super) judged_through: Option<i64>,
    pub(super) recent: Recent,
    pub(super) changed: Changed,
    /// Minutes come again that were taken in before.
    recalling: bool,
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
        let bar = self.bar();
        for pain in &gone {
            self.each_of(pain, |watched| watched.take_back(pain));
        }
        for pain in &come {
            if self.recent.counts(pain) {
                self.each_of(pain, |watched| watched.come_late(pain, minute, bar));
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

    /// Judges every minute that all partitions have passed. Those that are idle are not waited for;
    /// without `patience`, those that were never heard of. `now` is the wall clock; where there is
    /// none, spikes open at event time.
    pub fn judge(&mut self, now: Option<EventTime>, patience: Option<Patience>, found: &mut Found) {
        let Some(through) = self.passed_by_all(patience) else { return };
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

    fn passed_by_all(&self, patience: Option<Patience>) -> Option<i64> {
        let is_idle = |shard: &Shard| {
            patience
                .is_some_and(|Patience { now, idle_after }| idle_after <= now.since(shard.heard_at))
        };
        let awake = self.shards.values().filter(|shard| !is_idle(shard)).map(|shard| shard.passed);
        // Where all are idle, the one that came farthest says how far time is.
        awake
            .min()
            .or_else(|| self.shards.values().map(|shard| shard.passed).max())
            .filter(|passed| *passed != i64::MIN)
    }

    /// Returns how much evidence is enough.
    pub(super) fn bar(&self) -> Bar {
        Bar { keys: self.keys.len(), alarms_a_day: self.settings.alarms_a_day }
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

    /// Returns the end of the last judged minute.
    pub fn judged_until(&self) -> Option<EventTime> {
        self.judged_through.map(|minute| start_of(minute + 1))
    }

    /// Returns from where the pulse topic has to be read to know everything that is not in the
    /// state: the first record of a minute that may still be judged or corrected.
    pub(super) fn recall_from(&self, next_offset: i64) -> i64 {
        self.offsets.values().copied().min().unwrap_or(next_offset).min(next_offset)
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
    /// When it was read, by the clock of [`Patience`].
    pub heard_at: EventTime,
}
