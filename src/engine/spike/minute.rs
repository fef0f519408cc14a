//! One minute of one partition: how much happened, and what of it hurt.
//!
//! Exposure is counted per cell, pains are kept one by one: a pain that is taken back later has to
//! be found again, and a customer who is counted once per quarter of an hour has to be known.
//!
//! # Invariants
//!
//! - A minute is encoded in the order of its names and times, so that the same counts are the same
//!   bytes, however they came about.

use std::{borrow::Cow, collections::BTreeMap};

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::model::{Band, EventTime, Span, StableHash, stable_hash};

/// Milliseconds in a minute.
pub const MINUTE: Span = 60_000;

/// Names of events and values beyond it are cut off; nobody reads longer ones in an alert.
const NAME_BYTES_MAX: usize = 100;

/// Cells of one minute and partition. Beyond it an event is counted under `other` of its channel,
/// and a group is not counted: a flood of names costs precision, not memory.
const CELLS_MAX: usize = 1000;

/// Pains of one minute and partition that are kept one by one. Beyond it they are numbers only,
/// and cannot be taken back any more.
const PAINS_MAX: usize = 1000;

/// Pains of one minute that keep their event id, to be shown as examples.
const EXAMPLES_MAX: usize = 20;

/// Where names beyond a bound are counted.
pub(crate) const OTHER: &str = "other";

/// Returns the number of the minute that an instant lies in, since 1970.
pub fn minute_of(at: EventTime) -> i64 {
    at.as_millis().div_euclid(MINUTE)
}

/// Returns the instant at which a minute begins.
pub(crate) fn start_of(minute: i64) -> EventTime {
    EventTime::from_millis(minute.saturating_mul(MINUTE)).unwrap_or(EventTime::MAX)
}

/// What has a pain rate of its own: one kind of contact. A newsletter that goes out must not dilute
/// what customers live through, so actors are apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Leaf {
    pub(crate) channel: Box<str>,
    pub(crate) event: Box<str>,
    /// Position in [`crate::model::Actor::ALL`].
    pub(crate) actor: u8,
}

/// A slice across leaves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Group {
    /// A property that the user chose, and its value.
    Property(Box<str>, Box<str>),
    /// A band of engagement.
    Band(Cow<'static, str>),
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Count {
    /// Touchpoints, or deadlines that fell due.
    pub(crate) exposure: u32,
    /// Those with the intent of ideas, know or go.
    pub(crate) interest: u32,
    /// Pains beyond those that are kept one by one.
    pub(crate) pains: u32,
}

impl Count {
    pub(crate) fn add(&mut self, other: Self) {
        self.exposure = self.exposure.saturating_add(other.exposure);
        self.interest = self.interest.saturating_add(other.interest);
        self.pains = self.pains.saturating_add(other.pains);
    }
}

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub(crate) leaf: Leaf,
    pub(crate) group: Option<Group>,
}

/// A pain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pain {
    /// Event time in milliseconds.
    pub(crate) at: i64,
    /// Hash of the event id.
    pub(crate) id: StableHash,
    /// Hash of the customer id.
    pub(crate) customer: StableHash,
    pub(crate) leaf: Leaf,
    pub(crate) groups: Vec<Group>,
    pub(crate) reason: Box<str>,
    /// Position in [`crate::model::Stage::ALL`].
    pub(crate) stage: u8,
    /// 1 to 3.
    pub(crate) severity: u8,
    pub(crate) event_id: Option<Box<str>>,
}

impl Pain {
    pub(crate) fn order(&self) -> (i64, StableHash) {
        (self.at, self.id)
    }
}

/// A minute as it is written and read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Minute {
    /// Corrected since it was last said.
    pub(crate) corrected: bool,
    pub(crate) cells: Vec<(Cell, Count)>,
    /// In order of time.
    pub(crate) pains: Vec<Pain>,
}

/// A minute that is being counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counting {
    pub(crate) corrected: bool,
    /// By hash of the cell, so that nothing is allocated for one that is known; never iterated but
    /// to be sorted.
    cells: HashMap<u64, (Cell, Count), foldhash::fast::FixedState>,
    pains: BTreeMap<StableHash, Pain>,
    examples: usize,
}

/// A leaf by its borrowed names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'n> {
    pub(crate) channel: &'n str,
    pub(crate) event: &'n str,
    pub(crate) actor: u8,
}

impl Named<'_> {
    fn hash(&self) -> u64 {
        let event = stable_hash(self.event.as_bytes());
        let channel = stable_hash(self.channel.as_bytes());
        mix(mix(event, channel), u64::from(self.actor))
    }

    pub(crate) fn leaf(&self) -> Leaf {
        Leaf { channel: cut(self.channel), event: cut(self.event), actor: self.actor }
    }
}

impl Group {
    /// Returns the slice of everybody in a band.
    pub(crate) const fn of_band(band: Band) -> Self {
        Self::Band(Cow::Borrowed(band.as_str()))
    }

    fn hash(&self) -> u64 {
        match self {
            Self::Property(name, value) => {
                mix(stable_hash(name.as_bytes()), stable_hash(value.as_bytes()))
            }
            Self::Band(band) => mix(1, stable_hash(band.as_bytes())),
        }
    }
}

impl Counting {
    /// Counts in a cell.
    pub(crate) fn count(&mut self, named: Named<'_>, group: Option<&Group>, count: Count) {
        let leaf = named.hash();
        let hash = group.map_or(leaf, |group| mix(leaf, group.hash()));
        if let Some((_, known)) = self.cells.get_mut(&hash) {
            known.add(count);
            return;
        }
        if CELLS_MAX <= self.cells.len() {
            if group.is_none() && named.event != OTHER {
                self.count_beyond(Named { event: OTHER, ..named }, count);
            }
            return;
        }
        let cell = Cell { leaf: named.leaf(), group: group.cloned() };
        self.cells.insert(hash, (cell, count));
    }

    /// `other` has a place also where the minute is full: at most one more a channel and actor.
    fn count_beyond(&mut self, named: Named<'_>, count: Count) {
        let cell = || Cell { leaf: named.leaf(), group: None };
        self.cells.entry(named.hash()).or_insert_with(|| (cell(), Count::default())).1.add(count);
    }

    /// Returns whether a group has touchpoints of that name in this minute.
    pub(crate) fn counts(&self, named: Named<'_>, group: &Group) -> bool {
        self.cells.contains_key(&mix(named.hash(), group.hash()))
    }

    /// Takes an exposure back.
    pub(crate) fn uncount(&mut self, named: Named<'_>) {
        if let Some((_, count)) = self.cells.get_mut(&named.hash()) {
            count.exposure = count.exposure.saturating_sub(1);
        }
    }

    /// Notes a pain, or what is now known of it.
    pub(crate) fn hurt(&mut self, mut pain: Pain) {
        if PAINS_MAX <= self.pains.len() && !self.pains.contains_key(&pain.id) {
            let Leaf { channel, event, actor } = &pain.leaf;
            let named = Named { channel, event, actor: *actor };
            let beyond = Count { pains: 1, ..Count::default() };
            self.count(named, None, beyond);
            for group in &pain.groups {
                self.count(named, Some(group), beyond);
            }
            return;
        }
        self.heal(pain.id);
        if EXAMPLES_MAX <= self.examples {
            pain.event_id = None;
        }
        self.examples += usize::from(pain.event_id.is_some());
        self.pains.insert(pain.id, pain);
    }

    /// Takes a pain back; returns whether it was there.
    pub(crate) fn heal(&mut self, id: StableHash) -> bool {
        let Some(pain) = self.pains.remove(&id) else { return false };
        self.examples -= usize::from(pain.event_id.is_some());
        true
    }

    /// Returns whether a pain is noted.
    pub(crate) fn has(&self, id: StableHash) -> bool {
        self.pains.contains_key(&id)
    }

    /// Returns the minute as it is written.
    pub(crate) fn to_minute(&self) -> Minute {
        let mut cells: Vec<(Cell, Count)> = self.cells.values().cloned().collect();
        cells.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let mut pains: Vec<Pain> = self.pains.values().cloned().collect();
        pains.sort_unstable_by_key(Pain::order);
        Minute { corrected: self.corrected, cells, pains }
    }

    /// Goes on counting.
    pub(crate) fn from_minute(minute: Minute) -> Self {
        let Minute { corrected, cells, pains } = minute;
        let mut counting = Self { corrected, ..Self::default() };
        for (cell, count) in cells {
            let Leaf { channel, event, actor } = &cell.leaf;
            let leaf = Named { channel, event, actor: *actor }.hash();
            let hash = cell.group.as_ref().map_or(leaf, |group| mix(leaf, group.hash()));
            counting.cells.insert(hash, (cell, count));
        }
        counting.examples = pains.iter().filter(|pain| pain.event_id.is_some()).count();
        counting.pains = pains.into_iter().map(|pain| (pain.id, pain)).collect();
        counting
    }
}

/// Returns a name of bearable length.
pub(crate) fn cut(name: &str) -> Box<str> {
    if name.len() <= NAME_BYTES_MAX {
        return name.into();
    }
    let end = (0..=NAME_BYTES_MAX).rev().find(|&at| name.is_char_boundary(at));
    name.get(..end.unwrap_or(0)).unwrap_or_default().into()
}

/// Makes one hash of two.
fn mix(one: u64, other: u64) -> u64 {
    one.rotate_left(23).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ other
}

/// Versions: 1 is the only one.
const VERSION: u8 = 1;

/// Writes a value after a version byte.
pub(crate) fn write<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    out.push(VERSION);
    // Plain values into memory cannot fail; if one did, the reader would say "damaged".
    let written = postcard::to_extend(value, std::mem::take(out));
    *out = written.unwrap_or_default();
}

/// Reads what [`write()`] wrote; `None` where it is something else.
pub(crate) fn read<T: for<'d> Deserialize<'d>>(bytes: &[u8]) -> Option<T> {
    let (&version, rest) = bytes.split_first()?;
    (version == VERSION).then(|| postcard::from_bytes(rest).ok())?
}

/// A minute made by hand: for measurements and tests of the detector without an engine.
#[derive(Debug, Default)]
pub struct Draft(Counting);

impl Draft {
    /// Counts touchpoints of customers, and in which values of properties.
    pub fn count(&mut self, (channel, event): (&str, &str), groups: &[(&str, &str)], count: u32) {
        let named = Named { channel, event, actor: 0 };
        let count = Count { exposure: count, interest: 0, pains: 0 };
        self.0.count(named, None, count);
        for (name, value) in groups {
            self.0.count(named, Some(&super::pulse::property(name, value)), count);
        }
    }

    /// Notes a pain of a customer.
    pub fn hurt(
        &mut self,
        (channel, event): (&str, &str),
        groups: &[(&str, &str)],
        (at, customer, reason): (EventTime, u64, &str),
    ) {
        let id = mix(customer, u64::from_le_bytes(at.as_millis().to_le_bytes()));
        self.0.hurt(Pain {
            at: at.as_millis(),
            id,
            customer,
            leaf: Named { channel, event, actor: 0 }.leaf(),
            groups: groups
                .iter()
                .map(|(name, value)| super::pulse::property(name, value))
                .collect(),
            reason: cut(reason),
            stage: 2,
            severity: 2,
            event_id: Some(format!("e{id:x}").into()),
        });
    }

    /// Returns what the pulse topic would hold if this were said again.
    pub fn to_correction(&self) -> Vec<u8> {
        let mut value = Vec::new();
        write(&mut value, &Minute { corrected: true, ..self.0.to_minute() });
        value
    }

    /// Returns what the pulse topic would hold.
    pub fn to_value(&self) -> Vec<u8> {
        let mut value = Vec::new();
        write(&mut value, &self.0.to_minute());
        value
    }
}
