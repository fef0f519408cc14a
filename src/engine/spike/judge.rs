//! Judging a minute: evidence, openings, news, learning; in that order, so that a minute is judged
//! by what was normal before it.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use jiff::{Timestamp, civil::Weekday};

use super::{
    baseline::{Baseline, SLOTS, winsorised},
    detector::{Detector, Found, SaidSpike, SpikeState},
    gather::{Gathered, LeafRate, gather},
    key::{Key, Numerator},
    minute::{Leaf, start_of},
    watched::{News, Tally, Watched},
};
use crate::{
    engine::encode::{SpikeSaid, write_spike},
    model::{EventTime, stable_hash},
};

/// Keys under watch, all numerators together. Beyond it a new one is not watched.
const KEYS_MAX: usize = 2000;

/// Minutes after which a name that nobody used is forgotten: 60 days.
const FORGOTTEN_AFTER: i64 = 60 * 1440;

/// A spike of which half of the pains belong to one that is open already is the same spike, seen
/// from elsewhere.
const SAME_SHARE: f64 = 0.5;

impl Detector {
    fn slot_of(&self, minute: i64) -> usize {
        let at = Timestamp::from_millisecond(start_of(minute).as_millis()).unwrap_or_default();
        let local = at.to_zoned(self.settings.timezone.clone());
        let weekend = matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday);
        let hour = usize::try_from(local.hour()).unwrap_or(0);
        (usize::from(weekend) * 24 + hour).min(SLOTS - 1)
    }

    pub(super) fn judge_minute(&mut self, minute: i64, now: Option<EventTime>, found: &mut Found) {
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
        found.unwatched += self.watch_pain(minute, &gathered)
            + self.watch_numbers(Numerator::Interest, (minute, slot), &gathered.interest)
            + self.watch_numbers(Numerator::Silence, (minute, slot), &gathered.volume);
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

    /// Brings keys under watch; returns how many found no place.
    fn watch_keys<'k>(
        &mut self,
        numerator: Numerator,
        minute: i64,
        keys: impl Iterator<Item = &'k Key>,
    ) -> u64 {
        let mut unwatched = 0;
        for key in keys.map(|key| (numerator, key.clone())) {
            if self.keys.contains_key(&key) {
                continue;
            }
            if KEYS_MAX <= self.keys.len() {
                unwatched += 1;
                continue;
            }
            self.keys.insert(key, Watched::starting_at(minute));
        }
        unwatched
    }

    fn watch_pain(&mut self, minute: i64, gathered: &Gathered<'_>) -> u64 {
        if !self.settings.watch.contains(&Numerator::Pain) {
            return 0;
        }
        let unwatched = self.watch_keys(Numerator::Pain, minute, gathered.tallies.keys());
        let bar = self.bar();
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
            watched.step(*numerator, minute, tally.unwrap_or(&nothing), bar);
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
        unwatched
    }

    /// Watches what is judged by its number: it has the time that passes as exposure.
    fn watch_numbers(
        &mut self,
        numerator: Numerator,
        (minute, slot): (i64, usize),
        counts: &BTreeMap<Key, f64>,
    ) -> u64 {
        if !self.settings.watch.contains(&numerator) {
            return 0;
        }
        let unwatched = self.watch_keys(numerator, minute, counts.keys());
        let bar = self.bar();
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
                watched.step(numerator, minute, &tally, bar);
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
        unwatched
    }

    /// Opens what crosses, and says what open spikes have to say.
    fn tell(&mut self, minute: i64, now: Option<EventTime>, found: &mut Found) {
        let bar = self.bar();
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
            if counts && watched.crosses(key.0, minute, bar) {
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
            .filter(|((numerator, key), watched)| {
                let suspected = matches!(key, Key::Event(..)) && watched.is_suspected();
                *numerator == Numerator::Pain && (suspected || watched.is_frozen(minute))
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
                rate.among.learn(minute, slot, bounded, base.exposure);
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

/// Returns the id of a spike: the same for the same key and onset, whoever finds it.
fn spike_id((numerator, key): &(Numerator, Key), onset: i64) -> Box<str> {
    let named = format!("{}\n{}\n{}\n{onset}", numerator.as_str(), key.kind(), key.text());
    format!("{:016x}", stable_hash(named.as_bytes())).into()
}
