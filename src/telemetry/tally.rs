//! What one worker counted since its last commit.
//!
//! A touchpoint that is processed is not yet a fact: its transaction may be aborted, and then it is
//! processed again. So each worker counts into plain integers of its own, and hands them over once
//! per transaction, after the commit. An abort drops them.
//!
//! # Invariants
//!
//! - Counters count what was published first (revision 0) and never fall; what was corrected later
//!   is told by the revisions and retractions.
//! - Nothing here allocates for a name that this worker has met before.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    CustomerCounts, Names, OTHER,
    declared::{PAINS_MAX, REJECTS_MAX, UNLABELLED_MAX},
    distribution::Distribution,
    grid::Grid,
    labels::{Caveat, Output},
    text_counts::TextCounts,
};
use crate::{
    engine::{Bounded, Effect, Effects, Fact, Moment, Sealed},
    model::{
        Actor, Channel, EpisodeOutcome, EventTime, LabelledBy, MicroMoment, MomentOfTruth, Span,
        StableHash, Stage, TransitionKind, Valence, stable_hash,
    },
};

/// How many records of one transaction are timed to their commit; the rest of a larger one is not.
/// A transaction is closed long before by its own limits.
const TIMED_MAX: usize = 100_000;

/// Where and why it hurt: channel, stage, and hashes of event and reason.
pub(super) type PainKey = (Channel, Stage, StableHash, StableHash);

/// The text of a pain's event and reason.
pub(super) type PainText = (Box<str>, Box<str>);

/// Counts without labels.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Singles {
    pub(super) records: u64,
    pub(super) accepted: u64,
    pub(super) duplicates: u64,
    pub(super) ignored: u64,
    pub(super) retired: u64,
    pub(super) erased: u64,
    pub(super) referred: u64,
    pub(super) referred_back: u64,
    key_mismatches: u64,
}

/// One worker's counts since its last commit.
///
/// Made by [`super::Telemetry::tally`], for one rule set: a worker that takes up new rules, between
/// two transactions, takes a new tally too.
#[derive(Debug)]
pub struct Tally {
    pub(super) names: Arc<Names>,
    pub(super) touchpoints: Grid<3>,
    pub(super) moments: Grid<2>,
    pub(super) moments_of_truth: Grid<3>,
    pub(super) pains: TextCounts<PainKey, PainText>,
    pub(super) labelled: Grid<1>,
    pub(super) unlabelled: TextCounts<StableHash, Box<str>>,
    pub(super) rule_hits: Grid<1>,
    pub(super) revisions: Grid<1>,
    pub(super) retractions: Grid<1>,
    pub(super) transitions: Grid<3>,
    pub(super) opened: Grid<1>,
    pub(super) ended: Grid<2>,
    pub(super) fired: Grid<1>,
    pub(super) taken_back: Grid<1>,
    pub(super) caveats: Grid<1>,
    pub(super) evictions: Grid<1>,
    pub(super) outputs: Grid<1>,
    pub(super) rejects: TextCounts<&'static str, ()>,
    pub(super) singles: Singles,
    pub(super) lateness: Distribution,
    pub(super) processing: Distribution,
    /// Timestamps of the records read: how long they took is known at the commit.
    pub(super) timestamps: Vec<EventTime>,
    /// By partition, because a partition takes its customers along when it leaves.
    pub(super) customers: BTreeMap<i32, CustomerCounts>,
}

impl Tally {
    /// Returns zeros; `lateness` and `processing` are empty.
    pub(super) fn new(names: Arc<Names>, lateness: Distribution, processing: Distribution) -> Self {
        let (channels, valences) = (names.channel_count(), Valence::ALL.len());
        // One more: what a rule set does not name is counted as `other`.
        let (rules, kinds) = (names.rule_count() + 1, names.episode_count() + 1);
        Self {
            touchpoints: Grid::new([channels, Actor::ALL.len(), valences]),
            moments: Grid::new([MicroMoment::ALL.len(), Stage::ALL.len()]),
            moments_of_truth: Grid::new([MomentOfTruth::ALL.len(), channels, valences]),
            pains: TextCounts::new(PAINS_MAX),
            labelled: Grid::new([LabelledBy::ALL.len()]),
            unlabelled: TextCounts::new(UNLABELLED_MAX),
            rule_hits: Grid::new([rules]),
            revisions: Grid::new([valences]),
            retractions: Grid::new([valences]),
            transitions: Grid::new([TransitionKind::ALL.len(), Stage::ALL.len(), Stage::ALL.len()]),
            opened: Grid::new([kinds]),
            ended: Grid::new([kinds, EpisodeOutcome::ALL.len()]),
            fired: Grid::new([kinds]),
            taken_back: Grid::new([kinds]),
            caveats: Grid::new([Caveat::ALL.len()]),
            evictions: Grid::new([Bounded::ALL.len()]),
            outputs: Grid::new([Output::ALL.len()]),
            rejects: TextCounts::new(REJECTS_MAX),
            singles: Singles::default(),
            lateness,
            processing,
            timestamps: Vec::new(),
            customers: BTreeMap::new(),
            names,
        }
    }

    /// Takes note of an input record. Call it once per record that was handed to the engine.
    pub fn read(&mut self, timestamp: Option<EventTime>) {
        self.singles.records += 1;
        if let Some(timestamp) = timestamp
            && self.timestamps.len() < TIMED_MAX
        {
            self.timestamps.push(timestamp);
        }
    }

    /// Takes note that the engine took `took` for `records` records.
    pub fn processed(&mut self, records: u32, took: Duration) {
        if let Some(each) = took.checked_div(records) {
            self.processing.record(each, records);
        }
    }

    /// Counts what the engine wanted done. Call it once before each [`Effects::clear`].
    pub fn effects(&mut self, effects: &Effects) {
        for effect in effects.iter() {
            match effect {
                Effect::Moment(moment) => {
                    let reason = moment.reason.map_or(super::NONE, |reason| effects.text(reason));
                    self.moment(moment, effects.text(moment.event), reason);
                }
                Effect::Reject(item) => self.reject(item.reason),
                Effect::Pulse(_) => self.outputs.add([Output::Pulse.index()]),
                Effect::Fact(Fact::Unlabelled(event)) => self.unlabelled(effects.text(*event)),
                Effect::Fact(fact) => self.fact(*fact),
            }
        }
    }

    /// Counts a record that is neither an effect nor sealed.
    pub fn produced(&mut self, output: Output) {
        self.outputs.add([output.index()]);
    }

    /// Counts the customers that a transaction changes, and the records that it writes about them.
    pub fn sealed(&mut self, partition: i32, sealed: &Sealed) {
        let counts = self.customers.entry(partition).or_default();
        for change in &sealed.customers {
            if let Some((stage, band)) = change.was {
                counts.add(stage, band, -1);
            }
            if let Some((stage, band)) = change.is {
                counts.add(stage, band, 1);
            }
            self.outputs.add([Output::Engagement.index()]);
            self.outputs.add([Output::State.index()]);
        }
        for _ in &sealed.erased {
            self.outputs.add([Output::Engagement.index()]);
            self.outputs.add([Output::State.index()]);
        }
        for _ in &sealed.pulse {
            self.outputs.add([Output::State.index()]);
        }
        if sealed.partition_row.is_some() {
            self.outputs.add([Output::State.index()]);
        }
    }

    /// Forgets everything: the transaction was aborted, or its counts were handed over.
    pub fn clear(&mut self) {
        let parts: [&mut dyn Clear; 23] = [
            &mut self.touchpoints,
            &mut self.moments,
            &mut self.moments_of_truth,
            &mut self.pains,
            &mut self.labelled,
            &mut self.unlabelled,
            &mut self.rule_hits,
            &mut self.revisions,
            &mut self.retractions,
            &mut self.transitions,
            &mut self.opened,
            &mut self.ended,
            &mut self.fired,
            &mut self.taken_back,
            &mut self.caveats,
            &mut self.evictions,
            &mut self.outputs,
            &mut self.rejects,
            &mut self.lateness,
            &mut self.processing,
            &mut self.singles,
            &mut self.timestamps,
            &mut self.customers,
        ];
        for part in parts {
            part.clear();
        }
    }

    /// Returns how many touchpoints the open transaction accepted, and how many of them had
    /// another record key than their customer's id.
    pub fn key_counts(&self) -> (u64, u64) {
        (self.singles.accepted, self.singles.key_mismatches)
    }

    pub(super) fn moment(&mut self, moment: &Moment, event: &str, reason: &str) {
        self.outputs.add([Output::Moments.index()]);
        let valence = moment.valence.index();
        if moment.retracted {
            self.retractions.add([valence]);
            return;
        }
        if moment.revision > 0 {
            self.revisions.add([valence]);
            return;
        }
        let channel = self.names.channel_index(moment.channel);
        if !moment.derived {
            self.touchpoints.add([channel, moment.actor.index(), valence]);
            self.labelled.add([moment.labelled_by.index()]);
        }
        self.moments.add([moment.micro_moment.index(), moment.stage.index()]);
        self.moments_of_truth.add([moment.moment_of_truth.index(), channel, valence]);
        if moment.valence == Valence::Pain && moment.counted {
            self.pain(channel, moment.stage, event, reason);
        }
    }

    fn pain(&mut self, channel: usize, stage: Stage, event: &str, reason: &str) {
        let channel = self.names.channel_id(channel);
        let key = |event: &str, reason: &str| {
            (channel, stage, stable_hash(event.as_bytes()), stable_hash(reason.as_bytes()))
        };
        if !self.pains.add(key(event, reason), || (event.into(), reason.into())) {
            self.pains.add_beyond(key(OTHER, OTHER), || (OTHER.into(), OTHER.into()));
        }
    }

    pub(super) fn reject(&mut self, reason: &'static str) {
        self.outputs.add([Output::Rejects.index()]);
        if !self.rejects.add(reason, || ()) {
            self.rejects.add_beyond(OTHER, || ());
        }
    }

    pub(super) fn unlabelled(&mut self, event: &str) {
        if !self.unlabelled.add(stable_hash(event.as_bytes()), || event.into()) {
            self.unlabelled.add_beyond(stable_hash(OTHER.as_bytes()), || OTHER.into());
        }
    }

    pub(super) fn fact(&mut self, fact: Fact) {
        match fact {
            Fact::Accepted { late } => self.accepted(late),
            Fact::Duplicate => self.singles.duplicates += 1,
            Fact::DedupeUnverifiable => self.caveat(Caveat::DedupeUnverifiable),
            Fact::BeyondOrderWindow => self.caveat(Caveat::BeyondOrderWindow),
            Fact::OncePerUnverifiable => self.caveat(Caveat::OncePerUnverifiable),
            Fact::HistoryUnknown => self.caveat(Caveat::HistoryUnknown),
            Fact::TsAssumed => self.caveat(Caveat::TsAssumed),
            Fact::EventIdAssumed => self.caveat(Caveat::EventIdAssumed),
            Fact::PromiseUnreadable => self.caveat(Caveat::PromiseUnreadable),
            Fact::KeyMismatch => {
                self.singles.key_mismatches += 1;
                self.caveat(Caveat::KeyMismatch);
            }
            Fact::PulseTooLate => self.caveat(Caveat::PulseTooLate),
            Fact::MomentTrimmed => self.caveat(Caveat::MomentTrimmed),
            Fact::ReversalUnknown => self.caveat(Caveat::ReversalUnknown),
            Fact::RowUnreadable => self.caveat(Caveat::RowUnreadable),
            Fact::Ignored => self.singles.ignored += 1,
            // Counted by name in `effects`, which has the text.
            Fact::Unlabelled(_) => {}
            Fact::RuleHit(rule) => self.rule_hits.add([rule.into()]),
            Fact::EpisodeOpened(kind) => self.opened.add([kind.into()]),
            Fact::EpisodeEnded(kind, outcome) => self.ended.add([kind.into(), outcome.index()]),
            Fact::DeadlineFired(kind) => self.fired.add([kind.into()]),
            Fact::TakenBack(kind) => self.taken_back.add([kind.into()]),
            Fact::Transition { kind, from, to } => {
                self.transitions.add([kind.index(), from.index(), to.index()]);
            }
            Fact::Evicted(bounded) => {
                if let Some(index) = Bounded::ALL.iter().position(|&known| known == bounded) {
                    self.evictions.add([index]);
                }
            }
            Fact::Retired => self.singles.retired += 1,
            Fact::Erased => self.singles.erased += 1,
            Fact::Referred(kind) => match kind {
                TransitionKind::ReEnter => self.singles.referred_back += 1,
                TransitionKind::Enter
                | TransitionKind::Advance
                | TransitionKind::Skip
                | TransitionKind::Regress
                | TransitionKind::Lapse => self.singles.referred += 1,
            },
        }
    }

    fn caveat(&mut self, caveat: Caveat) {
        self.caveats.add([caveat.index()]);
    }

    fn accepted(&mut self, late: Span) {
        self.singles.accepted += 1;
        let late = Duration::from_millis(u64::try_from(late).unwrap_or(0));
        self.lateness.record(late, 1);
    }
}

/// What an abort or a hand-over sets to zero, keeping its memory.
trait Clear {
    fn clear(&mut self);
}

impl<const N: usize> Clear for Grid<N> {
    fn clear(&mut self) {
        Grid::clear(self);
    }
}

impl<K: Ord, T> Clear for TextCounts<K, T> {
    fn clear(&mut self) {
        TextCounts::clear(self);
    }
}

impl Clear for Distribution {
    fn clear(&mut self) {
        Distribution::clear(self);
    }
}

impl Clear for Singles {
    fn clear(&mut self) {
        *self = Self::default();
    }
}

impl<T> Clear for Vec<T> {
    fn clear(&mut self) {
        Vec::clear(self);
    }
}

impl<K, V> Clear for BTreeMap<K, V> {
    fn clear(&mut self) {
        BTreeMap::clear(self);
    }
}
