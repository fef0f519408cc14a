//! What a replay tells at its end.

use std::{collections::BTreeMap, fmt::Write};

use crate::{
    cli::words::counted,
    engine::{
        Effects, Engine, Fact, Moment, RejectedItem,
        spike::{SaidSpike, SpikeState},
    },
    model::{EpisodeOutcome, EventTime, LabelledBy, MomentOfTruth, Stage, Valence},
};

/// Counts of everything that happened.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) lines: u64,
    pub(super) customers: usize,
    accepted: u64,
    duplicates: u64,
    ignored: u64,
    rejects: BTreeMap<&'static str, u64>,
    /// First editions of what came from a line.
    labelled_by: BTreeMap<LabelledBy, u64>,
    moments: u64,
    derived: u64,
    revisions: u64,
    retractions: u64,
    stages: BTreeMap<Stage, u64>,
    moments_of_truth: BTreeMap<MomentOfTruth, u64>,
    valences: BTreeMap<Valence, u64>,
    pains: BTreeMap<String, u64>,
    deadlines: BTreeMap<u8, u64>,
    taken_back: BTreeMap<u8, u64>,
    ended: BTreeMap<(u8, &'static str), u64>,
    unlabelled: BTreeMap<String, u64>,
    notes: BTreeMap<&'static str, u64>,
    /// Spikes that opened, by what they are about.
    spikes: BTreeMap<String, u64>,
    first: Option<EventTime>,
    last: Option<EventTime>,
}

/// Unknown event names that are told one by one; further ones are summed.
const UNLABELLED_MAX: usize = 1000;

impl Summary {
    pub(super) fn moment(&mut self, moment: &Moment, effects: &Effects) {
        if moment.retracted {
            self.retractions += 1;
            return;
        }
        if 0 < moment.revision {
            self.revisions += 1;
            return;
        }
        self.moments += 1;
        self.first = Some(self.first.map_or(moment.ts, |first| first.min(moment.ts)));
        self.last = self.last.max(Some(moment.ts));
        *self.stages.entry(moment.stage).or_default() += 1;
        *self.moments_of_truth.entry(moment.moment_of_truth).or_default() += 1;
        *self.valences.entry(moment.valence).or_default() += 1;
        if moment.counted {
            let reason = moment.reason.map_or("no reason", |reason| effects.text(reason));
            *self.pains.entry(reason.to_owned()).or_default() += 1;
        }
        if moment.derived {
            self.derived += 1;
        } else {
            *self.labelled_by.entry(moment.labelled_by).or_default() += 1;
        }
    }

    pub(super) fn spike(&mut self, said: &SaidSpike) {
        if said.state == SpikeState::Open {
            let name = format!("{} of {}", said.key, said.numerator.as_str());
            *self.spikes.entry(name).or_default() += 1;
        }
    }

    pub(super) fn reject(&mut self, rejected: &RejectedItem) {
        *self.rejects.entry(rejected.reason).or_default() += 1;
    }

    pub(super) fn fact(&mut self, fact: Fact, effects: &Effects) {
        match fact {
            Fact::Accepted { late } => {
                self.accepted += 1;
                if 0 < late {
                    self.note("out of order");
                }
            }
            Fact::Duplicate => self.duplicates += 1,
            Fact::Ignored => self.ignored += 1,
            Fact::Unlabelled(event) => {
                let name = if self.unlabelled.len() < UNLABELLED_MAX {
                    effects.text(event)
                } else {
                    "(others)"
                };
                *self.unlabelled.entry(name.to_owned()).or_default() += 1;
            }
            Fact::DeadlineFired(kind) => *self.deadlines.entry(kind).or_default() += 1,
            Fact::TakenBack(kind) => *self.taken_back.entry(kind).or_default() += 1,
            Fact::EpisodeEnded(kind, outcome) => {
                *self.ended.entry((kind, EpisodeOutcome::as_str(outcome))).or_default() += 1;
            }
            Fact::DedupeUnverifiable => self.note("older than the dedupe ring"),
            Fact::BeyondOrderWindow => self.note("older than the order window"),
            Fact::OncePerUnverifiable => self.note("older than the periods of once_per"),
            Fact::HistoryUnknown => self.note("first or not: not known yet"),
            Fact::TsAssumed => self.note("without a time of their own"),
            Fact::EventIdAssumed => self.note("without an event id"),
            Fact::PromiseUnreadable => self.note("promises that cannot be read"),
            Fact::ReversalUnknown => self.note("reversals of nothing known"),
            Fact::Retired => self.note("customers past their retention"),
            Fact::Erased => self.note("customers erased"),
            Fact::Referred(_) => self.note("entries with somebody's referral code"),
            Fact::MomentTrimmed => self.note("published without properties: too large"),
            Fact::PulseTooLate => self.note("too late for spikes"),
            Fact::RowUnreadable => self.note("state rows that could not be read"),
            Fact::Evicted(bounded) => self.note(bounded.as_str()),
            Fact::KeyMismatch
            | Fact::RuleHit(_)
            | Fact::EpisodeOpened(_)
            | Fact::Transition { .. } => {}
        }
    }

    fn note(&mut self, what: &'static str) {
        *self.notes.entry(what).or_default() += 1;
    }

    /// Returns the summary as text for a person.
    pub(super) fn render(&self, engine: &Engine) -> String {
        let mut text = String::new();
        self.render_into(&mut text, engine).unwrap_or_default();
        text
    }

    fn render_into(&self, text: &mut String, engine: &Engine) -> std::fmt::Result {
        let rejected: u64 = self.rejects.values().sum();
        writeln!(
            text,
            "{} = {} accepted + {} + {}; {}",
            counted(self.lines, "line"),
            self.accepted,
            counted(self.duplicates, "duplicate"),
            counted(rejected, "reject"),
            counted(self.customers, "customer")
        )?;
        let by = |by| self.labelled_by.get(&by).copied().unwrap_or(0);
        let labelled: u64 = self.labelled_by.values().sum();
        writeln!(
            text,
            "labelled  by rule {}, by guess {}, not at all {}, ignored {}",
            share(by(LabelledBy::Rule), labelled),
            share(by(LabelledBy::Guess), labelled),
            share(by(LabelledBy::None), labelled),
            self.ignored
        )?;
        writeln!(
            text,
            "moments   {} ({} from deadlines), {}, {}",
            counted(self.moments, "first edition"),
            self.derived,
            counted(self.revisions, "revision"),
            counted(self.retractions, "retraction")
        )?;
        if let (Some(first), Some(last)) = (self.first, self.last) {
            writeln!(text, "from      {first} to {last}")?;
        }
        list(text, "stage", self.stages.iter().map(|(stage, count)| (stage.as_str(), count)))?;
        let truths = self.moments_of_truth.iter();
        list(text, "truth", truths.map(|(truth, count)| (truth.as_str(), count)))?;
        list(text, "valence", self.valences.iter().map(|(one, count)| (one.as_str(), count)))?;
        list(text, "pain", self.pains.iter().map(|(reason, count)| (&**reason, count)))?;
        let kinds: Vec<&str> = engine.rules().kind_names().collect();
        let kind = |index: &u8| kinds.get(usize::from(*index)).copied().unwrap_or("?");
        list(text, "deadlines", self.deadlines.iter().map(|(one, count)| (kind(one), count)))?;
        list(text, "taken back", self.taken_back.iter().map(|(one, count)| (kind(one), count)))?;
        let ended: Vec<(String, &u64)> = self
            .ended
            .iter()
            .map(|((one, outcome), count)| (format!("{} {outcome}", kind(one)), count))
            .collect();
        list(text, "ended", ended.iter().map(|(name, count)| (name.as_str(), *count)))?;
        list(text, "unknown", self.unlabelled.iter().map(|(name, count)| (&**name, count)))?;
        list(text, "rejects", self.rejects.iter().map(|(reason, count)| (*reason, count)))?;
        list(text, "spikes", self.spikes.iter().map(|(name, count)| (name.as_str(), count)))?;
        list(text, "noted", self.notes.iter().map(|(what, count)| (*what, count)))
    }
}

fn share(part: u64, whole: u64) -> String {
    let tenths = (part * 1000).checked_div(whole).unwrap_or(0);
    format!("{part} ({}.{} %)", tenths / 10, tenths % 10)
}

fn list<'a>(
    text: &mut String,
    what: &str,
    entries: impl Iterator<Item = (&'a str, &'a u64)>,
) -> std::fmt::Result {
    let mut entries: Vec<(&str, &u64)> = entries.collect();
    entries.sort_by(|left, right| right.1.cmp(left.1).then(left.0.cmp(right.0)));
    if entries.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> =
        entries.iter().take(12).map(|(name, count)| format!("{name} {count}")).collect();
    let more = entries.len().saturating_sub(12);
    let rest = if 0 < more { format!(", and {more} more") } else { String::new() };
    writeln!(text, "{what:<10}{}{rest}", shown.join(", "))
}
