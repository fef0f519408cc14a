//! One key under watch: the evidence so far, and the spike that it may have become.
//!
//! The evidence is a one-sided CUSUM: the log likelihood ratio of "three times as much as normal"
//! against "normal", never below nothing. What is normal is an expectation that was computed from
//! the exposure, so a crowd is no spike.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::{
    baseline::{
        Baseline, LEARNT_AFTER, LEARNT_ANYWAY, LEARNT_TOUCHPOINTS, Sums, faded_span, to_f64,
    },
    key::Numerator,
    minute::{OTHER, Pain},
};
use crate::model::{Span, StableHash};

/// A spike has at least so many customers: one who complains ten times is no spike.
const CUSTOMERS_MIN: usize = 5;
/// And so many touchpoints since its onset.
const TOUCHPOINTS_MIN: f64 = 20.0;
/// And its rate is with 95 % probability at least half as high again as normal.
const RATIO_MIN: f64 = 1.5;
/// One-sided 95 %.
const Z95: f64 = 1.645;

/// Minutes below half the threshold after which a spike is over.
const CLOSED_AFTER: u32 = 15;
/// Minutes without anything to count after which it is over too: nothing speaks for it any more.
const SILENT_AFTER: u32 = 60;
/// Minutes within which what closed opens again under the same id.
const COOL_DOWN: i64 = 30;
/// Minutes for which the pains of a closed spike count as told: a day. What hurts seldom leaves its
/// evidence slowly, and the wider key that it adds up in as well would tell of them again.
const TOLD_FOR: i64 = 1440;
/// Minutes between two updates of an open spike.
const UPDATE_EVERY: i64 = 5;
/// Minutes after which an open spike's level is learnt as the new normal, or it would stay open
/// for good.
const FROZEN_FOR: i64 = 1440;

/// Evidence from which on a key is suspected, in thresholds, and the minutes after the onset for which
/// that lasts: what is likely a spike is not learnt either, or a rare pain would become normal within
/// the hour in which it is looked for.
const SUSPECTED: f64 = 0.5;
const SUSPECTED_FOR: i64 = 360;

/// The evidence of a spike is capped at so many thresholds, or a big one would stay open for hours
/// after its end.
const CAP: f64 = 1.25;

/// How fast the over-dispersion is learnt: half of it in 70 blocks, half a day.
const PHI_LEARNT: f64 = 0.01;
/// Before anything is known of it.
const PHI_START: f64 = 1.5;
const PHI_MAX: f64 = 25.0;
/// What one block can teach at most, in over-dispersions: a spike must not blunt the detector.
const PHI_BLOCK_MAX: f64 = 4.0;
/// A block is closed after so many minutes, when it has had two events to expect.
const BLOCK_MINUTES: u32 = 10;
const BLOCK_EXPECTED: f64 = 2.0;

/// Minutes of a day: the chances of what hurts in every minute.
const DAY: f64 = 1440.0;

/// Chances of a false alarm a day that a key has at least: one an hour. What hurts less often than
/// that is known too little for less evidence.
const CHANCES_MIN: f64 = 24.0;

/// Pains of a run that are remembered one by one, the newest.
const RUN_MAX: usize = 512;
/// Reasons and stages told apart, then `other`.
const NAMES_MAX: usize = 16;
/// Examples in a record.
const EXAMPLES_MAX: usize = 5;

/// What one minute brought a key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally<'m> {
    pub(crate) observed: f64,
    pub(crate) expected: f64,
    /// The same, raised where the rate is young.
    pub(crate) cautious: f64,
    pub(crate) touchpoints: f64,
    /// Of a group: expected if it were like everybody.
    pub(crate) plain: f64,
    pub(crate) pains: Vec<&'m Pain>,
}

/// A pain of the run under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Member {
    id: StableHash,
    customer: StableHash,
    severity: u8,
}

/// What has added up since the evidence was last nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) onset: i64,
    pub(crate) observed: f64,
    pub(crate) expected: f64,
    pub(crate) touchpoints: f64,
    pub(crate) members: VecDeque<Member>,
    pub(crate) reasons: BTreeMap<Box<str>, u32>,
    pub(crate) stages: BTreeMap<u8, u32>,
    pub(crate) examples: Vec<Box<str>>,
}

/// A spike, open or closed a while ago.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spike {
    pub(crate) id: Box<str>,
    pub(crate) sequence: u32,
    pub(crate) open: bool,
    pub(crate) onset: i64,
    /// Wall time in milliseconds.
    pub(crate) opened_at: i64,
    opened_minute: i64,
    said_minute: i64,
    pub(crate) closed_minute: Option<i64>,
    quiet: u32,
    silent: u32,
    /// What it was when it closed: the run goes on without it.
    pub(crate) at_close: Option<Run>,
}

/// A key under watch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Watched {
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) evidence: f64,
    phi: f64,
    block: (f64, f64, u32),
    pub(crate) run: Run,
    /// Chances of evidence to begin, faded.
    chances: Sums,
    /// All touchpoints that were ever seen: how much is known.
    pub(crate) seen: f64,
    pub(crate) spike: Option<Spike>,
    /// There is enough evidence for not learning from it.
    suspected: bool,
    /// Of a group: how its rate stands to that of the leaves it is made of.
    pub(crate) factor: Sums,
    /// Of what is judged by its number: the number itself.
    pub(crate) own: Option<Baseline>,
}

/// What an open spike has to say after a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Update,
    Close,
}

impl Watched {
    pub(crate) fn starting_at(minute: i64) -> Self {
        Self {
            first: minute,
            last: minute,
            evidence: 0.0,
            phi: PHI_START,
            block: (0.0, 0.0, 0),
            run: Run { onset: minute, ..Run::default() },
            chances: Sums::default(),
            seen: 0.0,
            spike: None,
            suspected: false,
            factor: Sums::default(),
            own: None,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.spike.as_ref().is_some_and(|spike| spike.open)
    }

    /// Returns whether learning pauses: an open spike is not the normal.
    pub(crate) fn is_frozen(&self, minute: i64) -> bool {
        self.spike
            .as_ref()
            .is_some_and(|spike| spike.open && minute < spike.opened_minute + FROZEN_FOR)
    }

    /// Returns whether a minute without anything changes nothing.
    pub(crate) fn is_at_rest(&self) -> bool {
        !self.is_open() && self.evidence <= 0.0
    }

    /// Returns the pains of a spike that closed not long ago: they were told.
    pub(crate) fn closed_members(&self, minute: i64) -> impl Iterator<Item = StableHash> {
        let spike = self.spike.as_ref();
        let recent = spike
            .filter(|spike| spike.closed_minute.is_some_and(|closed| minute <= closed + TOLD_FOR));
        let run = recent.and_then(|spike| spike.at_close.as_ref());
        run.into_iter().flat_map(|run| run.members.iter().map(|member| member.id))
    }

    /// Returns whether it may become a spike soon.
    pub(crate) fn is_suspected(&self) -> bool {
        self.suspected
    }

    /// Returns the evidence that is enough for this key. Evidence leaves nothing only when something
    /// hurts, so what seldom hurts has few chances for a false alarm, and needs less to be believed.
    pub(crate) fn threshold(&self, numerator: Numerator, minute: i64, bar: Bar) -> f64 {
        let chances = match numerator {
            Numerator::Pain | Numerator::Interest => {
                let age = to_f64(minute - self.first + 1);
                let minutes = faded_span(age);
                DAY * self.chances.at(minute).events / minutes.max(1.0)
            }
            // Every minute in which nothing comes is one.
            Numerator::Silence => DAY,
        };
        bar.height(chances.clamp(CHANCES_MIN, DAY))
    }

    /// Adds a minute to the evidence.
    pub(crate) fn step(&mut self, numerator: Numerator, minute: i64, tally: &Tally<'_>, bar: Bar) {
        self.last = minute;
        self.chances.add(minute, tally.expected.min(1.0), 0.0);
        let cap = self.threshold(numerator, minute, bar);
        if self.evidence <= 0.0 {
            self.run = Run { onset: minute, ..Run::default() };
        }
        let ratio = numerator.ratio();
        let gain = tally.observed.mul_add(ratio.ln(), -(ratio - 1.0) * tally.cautious) / self.phi();
        self.evidence = (self.evidence + gain).clamp(0.0, cap * CAP);
        self.suspected =
            cap * SUSPECTED <= self.evidence && minute < self.run.onset + SUSPECTED_FOR;
        self.seen += tally.touchpoints;
        self.run.add(tally);
        self.learn_dispersion(tally);
        if let Some(spike) = self.spike.as_mut().filter(|spike| spike.open) {
            let is_quiet = self.evidence < cap / 2.0;
            spike.quiet = if is_quiet { spike.quiet + 1 } else { 0 };
            let nothing = match numerator {
                Numerator::Pain | Numerator::Interest => tally.observed <= 0.0,
                Numerator::Silence => tally.cautious <= 0.0,
            };
            spike.silent = if nothing { spike.silent + 1 } else { 0 };
        }
    }

    /// Learns by how much minutes vary beyond chance. Not from what is far from normal: that is
    /// what is looked for.
    fn learn_dispersion(&mut self, tally: &Tally<'_>) {
        if self.is_open() {
            self.block = (0.0, 0.0, 0);
            return;
        }
        let (observed, expected, minutes) = &mut self.block;
        *observed += tally.observed;
        *expected += tally.expected;
        *minutes += 1;
        if BLOCK_MINUTES <= *minutes && BLOCK_EXPECTED <= *expected {
            let off = *observed - *expected;
            let varied = (off * off / *expected).min(PHI_BLOCK_MAX * self.phi());
            self.phi = PHI_LEARNT.mul_add(varied - self.phi, self.phi).min(PHI_MAX);
            self.block = (0.0, 0.0, 0);
        }
    }

    /// Returns by how much minutes vary beyond chance. What was learnt swings around the truth, also
    /// below 1; held at 1 while it is learnt, it would stay above where nothing varies beyond chance.
    pub(crate) fn phi(&self) -> f64 {
        self.phi.max(1.0)
    }

    /// Returns whether enough was seen for a spike to be believed.
    pub(crate) fn is_learnt(&self, minute: i64) -> bool {
        let age = minute - self.first;
        LEARNT_AFTER <= age && (LEARNT_TOUCHPOINTS <= self.seen || LEARNT_ANYWAY <= age)
    }

    /// Returns whether the evidence is enough, and not that of a few.
    pub(crate) fn crosses(&self, numerator: Numerator, minute: i64, bar: Bar) -> bool {
        if self.is_open() || self.evidence < self.threshold(numerator, minute, bar) {
            return false;
        }
        match numerator {
            Numerator::Pain => {
                CUSTOMERS_MIN <= self.run.customers()
                    && TOUCHPOINTS_MIN <= self.run.touchpoints
                    && RATIO_MIN <= self.ratio_lower()
            }
            Numerator::Interest => {
                TOUCHPOINTS_MIN <= self.run.touchpoints && RATIO_MIN <= self.ratio_lower()
            }
            Numerator::Silence => {
                TOUCHPOINTS_MIN <= self.run.expected && self.ratio() <= 1.0 / RATIO_MIN
            }
        }
    }

    pub(crate) fn ratio(&self) -> f64 {
        self.run.ratio()
    }

    /// Returns the lower 95 % bound of the rate ratio, as wide as minutes vary here.
    pub(crate) fn ratio_lower(&self) -> f64 {
        self.run.ratio_lower(self.phi())
    }

    /// Opens a spike, or again the one that closed a short while ago.
    pub(crate) fn open(&mut self, minute: i64, opened_at: i64, id: impl FnOnce(i64) -> Box<str>) {
        let recent = self
            .spike
            .take()
            .filter(|spike| spike.closed_minute.is_some_and(|closed| minute <= closed + COOL_DOWN));
        let spike = match recent {
            Some(closed) => {
                self.run.onset = closed.onset;
                Spike { sequence: closed.sequence + 1, ..closed }
            }
            None => Spike {
                id: id(self.run.onset),
                sequence: 0,
                open: true,
                onset: self.run.onset,
                opened_at,
                opened_minute: minute,
                said_minute: minute,
                closed_minute: None,
                quiet: 0,
                silent: 0,
                at_close: None,
            },
        };
        self.spike = Some(Spike {
            open: true,
            said_minute: minute,
            closed_minute: None,
            quiet: 0,
            silent: 0,
            at_close: None,
            ..spike
        });
    }

    /// Returns what an open spike has to say after this minute, and notes that it was said.
    pub(crate) fn news(&mut self, minute: i64) -> Option<News> {
        let run = &self.run;
        let spike = self.spike.as_mut().filter(|spike| spike.open)?;
        if CLOSED_AFTER <= spike.quiet || SILENT_AFTER <= spike.silent {
            spike.open = false;
            spike.closed_minute = Some(minute);
            spike.at_close = Some(run.clone());
            spike.sequence += 1;
            // What is left of the evidence is the old spike's.
            self.evidence = 0.0;
            return Some(News::Close);
        }
        if spike.said_minute + UPDATE_EVERY <= minute {
            spike.said_minute = minute;
            spike.sequence += 1;
            return Some(News::Update);
        }
        None
    }

    /// Returns what share of this run's pains are also another's.
    pub(crate) fn share_in(&self, others: &BTreeSet<StableHash>) -> f64 {
        let (all, shared) =
            self.run.members.iter().fold((0_u32, 0_u32), |(all, shared), member| {
                (all + 1, shared + u32::from(others.contains(&member.id)))
            });
        if all == 0 { 0.0 } else { f64::from(shared) / f64::from(all) }
    }

    /// Returns the pains of the run.
    pub(crate) fn members(&self) -> impl Iterator<Item = StableHash> {
        self.run.members.iter().map(|member| member.id)
    }

    /// A pain of a minute that is judged already was taken back.
    pub(crate) fn take_back(&mut self, pain: &Pain) {
        let run = &mut self.run;
        let Some(position) = run.members.iter().position(|one| one.id == pain.id) else { return };
        run.members.remove(position);
        run.observed = (run.observed - 1.0).max(0.0);
        if let Some(count) = run.reasons.get_mut(&pain.reason) {
            *count = count.saturating_sub(1);
        }
        run.reasons.retain(|_, count| 0 < *count);
        if let Some(count) = run.stages.get_mut(&pain.stage) {
            *count = count.saturating_sub(1);
        }
        run.stages.retain(|_, count| 0 < *count);
        self.evidence = (self.evidence - Numerator::Pain.ratio().ln() / self.phi()).max(0.0);
    }

    /// A pain of a minute that is judged already came late.
    pub(crate) fn come_late(&mut self, pain: &Pain, minute: i64, bar: Bar) {
        if self.evidence <= 0.0 || minute < self.run.onset {
            return;
        }
        self.run.observed += 1.0;
        self.run.note(pain);
        let gain = Numerator::Pain.ratio().ln() / self.phi();
        let cap = self.threshold(Numerator::Pain, self.last, bar);
        self.evidence = (self.evidence + gain).min(cap * CAP);
    }
}

impl Run {
    fn add(&mut self, tally: &Tally<'_>) {
        self.observed += tally.observed;
        self.expected += tally.expected;
        self.touchpoints += tally.touchpoints;
        for pain in &tally.pains {
            self.note(pain);
        }
    }

    fn note(&mut self, pain: &Pain) {
        if RUN_MAX <= self.members.len() {
            self.members.pop_front();
        }
        let Pain { id, customer, severity, .. } = *pain;
        self.members.push_back(Member { id, customer, severity });
        let full = NAMES_MAX <= self.reasons.len() && !self.reasons.contains_key(&pain.reason);
        let reason = if full { OTHER.into() } else { pain.reason.clone() };
        *self.reasons.entry(reason).or_default() += 1;
        *self.stages.entry(pain.stage).or_default() += 1;
        if let Some(event_id) = &pain.event_id {
            if EXAMPLES_MAX <= self.examples.len() {
                self.examples.remove(0);
            }
            self.examples.push(event_id.clone());
        }
    }

    pub(crate) fn customers(&self) -> usize {
        self.members.iter().map(|member| member.customer).collect::<BTreeSet<_>>().len()
    }

    /// Returns the severity that half of the pains reach.
    pub(crate) fn severity(&self) -> u8 {
        let mut all: Vec<u8> = self.members.iter().map(|member| member.severity).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or(1)
    }

    pub(crate) fn ratio(&self) -> f64 {
        if 0.0 < self.expected { self.observed / self.expected } else { 0.0 }
    }

    /// Returns the lower bound of the ratio (Wilson and Hilferty's approximation of the Poisson's).
    pub(crate) fn ratio_lower(&self, phi: f64) -> f64 {
        let events = self.observed / phi;
        if events <= 0.0 || self.expected <= 0.0 {
            return 0.0;
        }
        let root = 1.0 - 1.0 / (9.0 * events) - Z95 / (3.0 * events.sqrt());
        (root.max(0.0).powi(3) * self.observed) / self.expected
    }
}

/// How much evidence is enough, so that all keys together give so many false alarms a day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bar {
    pub(crate) keys: usize,
    pub(crate) alarms_a_day: f64,
}

impl Bar {
    /// Returns h = ln(keys × chances a day / alarms a day): each key has the same share of the
    /// alarms, and spends it on the chances that it has.
    fn height(self, chances_a_day: f64) -> f64 {
        let keys = f64::from(u32::try_from(self.keys.max(1)).unwrap_or(u32::MAX));
        (keys * chances_a_day / self.alarms_a_day).ln().max(1.0)
    }
}

/// Spans of the watch that others need to know: how long a correction matters.
pub(crate) const COUNTED_ONCE_WITHIN: Span = 15 * super::minute::MINUTE;
