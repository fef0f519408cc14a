//! A partition's minutes: counted while they are open, said when the watermark has passed them,
//! and said again when something turned out otherwise.
//!
//! A deadline's pain needs the deadlines that fall due as its exposure, also those that are met.
//! They are counted when the promise is made, in the minute in which it will fall due, and for no
//! group: who will be in a band then is not known.
//!
//! # Invariants
//!
//! - What is said depends on the records alone: a minute is said when a touchpoint moves the
//!   watermark past it, a correction when the next minute is said. Where batches are cut, and where
//!   a process dies, leaves no trace.

use std::collections::BTreeMap;

use super::{
    minute::{
        Count, Counting, Group, Leaf, Minute, Named, OTHER, Pain, cut, minute_of, read, write,
    },
    rows::Rows,
};
use crate::{
    engine::effects::{Effect, Effects, Fact, PulseMinute},
    model::{Band, EventTime, StableHash},
};

/// How long after it was passed a minute can be corrected. A late delivery report that proves a
/// deadline wrong comes within the hour, or the spike is over anyway.
const CORRECTED_FOR: i64 = 60;

/// Hours ahead in which promised deadlines are counted: 400 days. A promise beyond has no exposure.
const HOURS_MAX: usize = 9600;

/// Minutes and leaves with promised deadlines within one hour. Beyond, they have no exposure.
const DUE_MAX: usize = 2000;

/// Promised deadlines of one hour: minute and leaf, and how many.
#[derive(Clone, Debug, Default)]
struct Due(BTreeMap<(i64, Leaf), u32>);

/// The first letter of a row's key in the state topic: minutes, and hours with promises.
const MINUTE_ROW: u8 = b'm';
const DUE_ROW: u8 = b'd';

/// A partition's minutes.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    minutes: Rows<Counting>,
    due: Rows<Due>,
    /// Everything up to this minute has been said.
    passed: Option<i64>,
}

/// What is noted of one touchpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note<'n> {
    pub(crate) ts: EventTime,
    pub(crate) named: Named<'n>,
    pub(crate) groups: &'n [Group],
    pub(crate) band: Band,
    pub(crate) customer: StableHash,
    pub(crate) event_id: &'n str,
    /// Hash of the event id.
    pub(crate) id: StableHash,
    /// Said for the first time, and its exposure was not counted before.
    pub(crate) exposure: bool,
    pub(crate) interest: bool,
    /// Reason, stage and severity.
    pub(crate) pain: Option<(&'n str, u8, u8)>,
}

impl Pulse {
    /// Notes what was said of a touchpoint: the first time, or anew.
    pub(crate) fn note(&mut self, note: &Note<'_>, effects: &mut Effects) {
        let minute = minute_of(note.ts);
        if note.pain.is_none() && !note.exposure && !self.has(minute, note.id) {
            return;
        }
        let Some(counting) = self.open(minute, effects) else { return };
        let band = Group::of_band(note.band);
        let groups = note.groups.iter().chain([&band]);
        if note.exposure {
            let interest = u32::from(note.interest);
            let count = Count { exposure: 1, interest, pains: 0 };
            counting.count(note.named, None, count);
            for group in groups.clone() {
                counting.count(note.named, Some(group), count);
            }
        }
        let Some((reason, stage, severity)) = note.pain else {
            counting.heal(note.id);
            return;
        };
        // Deadlines are promised without groups, so a group has none of their exposure: all parcels that
        // are late at midnight would be a spike among whoever they were promised to.
        let groups = groups.filter(|group| counting.counts(note.named, group));
        let groups = groups.cloned().collect();
        counting.hurt(Pain {
            at: note.ts.as_millis(),
            id: note.id,
            customer: note.customer,
            leaf: note.named.leaf(),
            groups,
            reason: cut(reason),
            stage,
            severity,
            event_id: Some(cut(note.event_id)),
        });
    }

    /// What was said of a touchpoint is taken back; with `exposure`, it never happened.
    pub(crate) fn take_back(
        &mut self,
        (ts, id): (EventTime, StableHash),
        exposure: Option<Named<'_>>,
        effects: &mut Effects,
    ) {
        let minute = minute_of(ts);
        if exposure.is_none() && !self.has(minute, id) {
            return;
        }
        let Some(counting) = self.open(minute, effects) else { return };
        counting.heal(id);
        if let Some(named) = exposure {
            counting.uncount(named);
        }
    }

    /// A deadline was promised.
    pub(crate) fn promise(&mut self, at: EventTime, named: Named<'_>, effects: &mut Effects) {
        let minute = minute_of(at);
        if self.passed.is_some_and(|passed| minute <= passed) {
            if let Some(counting) = self.open(minute, effects) {
                counting.count(named, None, Count { exposure: 1, ..Count::default() });
            }
            return;
        }
        let hour = minute.div_euclid(60);
        if HOURS_MAX <= self.due.all().len() && !self.due.all().contains_key(&hour) {
            return;
        }
        let due = &mut self.due.edit(hour).0;
        let full = DUE_MAX <= due.len();
        let key = (minute, named.leaf());
        match due.get_mut(&key) {
            Some(count) => *count = count.saturating_add(1),
            None if full => {}
            None => {
                due.insert(key, 1);
            }
        }
    }

    fn has(&self, minute: i64, id: StableHash) -> bool {
        self.minutes.all().get(&minute).is_some_and(|counting| counting.has(id))
    }

    /// Returns a minute to change it; `None` where it is too old, which is counted.
    fn open(&mut self, minute: i64, effects: &mut Effects) -> Option<&mut Counting> {
        if let Some(passed) = self.passed
            && minute <= passed
        {
            if minute <= passed - CORRECTED_FOR {
                effects.fact(Fact::PulseTooLate);
                return None;
            }
            let counting = self.minutes.edit(minute);
            counting.corrected = true;
            return Some(counting);
        }
        Some(self.minutes.edit(minute))
    }

    /// The watermark is at `watermark`: says every minute that it has passed, and before them what
    /// was corrected.
    pub(crate) fn advance(&mut self, watermark: EventTime, effects: &mut Effects) {
        let newest = minute_of(watermark) - 1;
        let Some(passed) = self.passed else {
            self.passed = Some(newest);
            return;
        };
        if newest <= passed {
            return;
        }
        let corrected: Vec<i64> = self
            .minutes
            .all()
            .range(..=passed)
            .filter(|(_, counting)| counting.corrected)
            .map(|(minute, _)| *minute)
            .collect();
        for minute in corrected {
            self.minutes.edit(minute).corrected = false;
            self.say(minute, true, effects);
        }
        self.fall_due(newest);
        let open: Vec<i64> =
            self.minutes.all().range(passed + 1..=newest).map(|(minute, _)| *minute).collect();
        for minute in &open {
            self.say(*minute, false, effects);
        }
        if open.last() != Some(&newest) {
            // Nothing happened in it, but everybody must know how far this partition is.
            self.say(newest, false, effects);
        }
        self.passed = Some(newest);
        let old: Vec<i64> = self
            .minutes
            .all()
            .range(..=newest - CORRECTED_FOR)
            .map(|(minute, _)| *minute)
            .collect();
        for minute in old {
            self.minutes.remove(minute);
        }
    }

    /// Counts the promised deadlines up to a minute as what could have hurt in it.
    fn fall_due(&mut self, newest: i64) {
        let hours: Vec<i64> =
            self.due.all().range(..=newest.div_euclid(60)).map(|(hour, _)| *hour).collect();
        for hour in hours {
            let Some(Due(due)) = self.due.all().get(&hour) else { continue };
            let fallen: Vec<((i64, Leaf), u32)> = due
                .iter()
                .filter(|((minute, _), _)| *minute <= newest)
                .map(|(key, count)| (key.clone(), *count))
                .collect();
            if fallen.len() == due.len() {
                self.due.remove(hour);
            } else {
                let left = &mut self.due.edit(hour).0;
                left.retain(|(minute, _), _| newest < *minute);
            }
            for ((minute, leaf), count) in fallen {
                let Leaf { channel, event, actor } = &leaf;
                let named = Named { channel, event, actor: *actor };
                let count = Count { exposure: count, ..Count::default() };
                self.minutes.edit(minute).count(named, None, count);
            }
        }
    }

    fn say(&self, minute: i64, correction: bool, effects: &mut Effects) {
        let said = self.minutes.all().get(&minute).map(Counting::to_minute).unwrap_or_default();
        let said = Minute { corrected: correction, ..said };
        let start = effects.bytes.len();
        write(&mut effects.bytes, &said);
        let value = crate::engine::effects::Slice { start, end: effects.bytes.len() };
        effects.push(Effect::Pulse(PulseMinute { minute, correction, value }));
    }

    /// Goes on where the watermark is, unless that is known. Call it before the watermark moves.
    pub(crate) fn resume(&mut self, watermark: impl FnOnce() -> Option<EventTime>) {
        if self.passed.is_none() {
            self.passed = watermark().map(|at| minute_of(at) - 1);
        }
    }

    /// Takes a row of the state topic; returns whether it is one of ours and readable.
    pub(crate) fn restore(&mut self, key: &[u8], row: &[u8]) -> bool {
        let Some((kind, number)) = row_number(key) else { return false };
        match kind {
            MINUTE_ROW => match read::<Minute>(row) {
                Some(minute) => self.minutes.restore(number, Counting::from_minute(minute)),
                None => return false,
            },
            _ => match read::<Vec<((i64, Leaf), u32)>>(row) {
                Some(due) => self.due.restore(number, Due(due.into_iter().collect())),
                None => return false,
            },
        }
        true
    }

    /// Hands over what a transaction has to write: key and row, `None` takes it away.
    pub(crate) fn changed(&self, mut write_row: impl FnMut(&[u8], Option<&[u8]>)) {
        let mut bytes = Vec::new();
        for (minute, counting) in self.minutes.changed() {
            bytes.clear();
            let row = counting.map(|counting| write(&mut bytes, &counting.to_minute()));
            write_row(&row_key(MINUTE_ROW, minute), row.map(|()| &*bytes));
        }
        for (hour, due) in self.due.changed() {
            bytes.clear();
            let row = due.map(|Due(due)| write(&mut bytes, &due.iter().collect::<Vec<_>>()));
            write_row(&row_key(DUE_ROW, hour), row.map(|()| &*bytes));
        }
    }

    pub(crate) fn committed(&mut self) {
        self.minutes.committed();
        self.due.committed();
    }

    /// Makes everything as it was at the last commit.
    pub(crate) fn abandon(&mut self) {
        self.minutes.abandon();
        self.due.abandon();
        self.passed = None;
    }
}

fn row_key(kind: u8, number: i64) -> [u8; 9] {
    let mut key = [kind; 9];
    for (place, byte) in key.iter_mut().skip(1).zip(number.to_be_bytes()) {
        *place = byte;
    }
    key
}

fn row_number(key: &[u8]) -> Option<(u8, i64)> {
    let (&kind, number) = key.split_first()?;
    let number = i64::from_be_bytes(number.try_into().ok()?);
    matches!(kind, MINUTE_ROW | DUE_ROW).then_some((kind, number))
}

/// Returns whether a key of the state topic is that of a minute or of promises.
pub fn is_pulse_key(key: &[u8]) -> bool {
    row_number(key).is_some()
}

/// Returns a group for a property's value.
pub(crate) fn property(name: &str, value: &str) -> Group {
    let value = if value.is_empty() { OTHER } else { value };
    Group::Property(cut(name), cut(value))
}
