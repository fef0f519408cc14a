//! Counting what the demo shows, from the records that any consumer would read.
//!
//! Nothing comes from inside the service: what the picture says is what the topics say. Everything
//! is bounded: past [`CUSTOMERS_MAX`] further customers are counted and not followed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    records::{EngagementV1, MomentV1},
    snapshot::{Engaged, Flow, Notable, NotableKind, Situation, Snapshot, StageRow},
};
use crate::model::{Band, EventTime, MicroMoment, MomentOfTruth, Stage, TransitionKind, Valence};

/// How many customers are followed. A demo has a few thousand; this bounds memory at some 10 MB.
const CUSTOMERS_MAX: usize = 50_000;

/// How many notable moments of a kind are kept: more than any terminal has lines.
const NOTABLES_MAX: usize = 64;

/// How many notable moments wait to be printed as lines. The newest go when it is full: a reader
/// of plain lines wants a few of each, not all.
const UNTOLD_MAX: usize = 64;

/// How many reasons are told apart; the rest is counted as `other`. Packs have some thirty.
const REASONS_MAX: usize = 64;

/// How many names a list of the snapshot has.
const ENGAGED_MAX: usize = 10;

/// The steps that count as going back.
const BACKWARD: [TransitionKind; 1] = [TransitionKind::Regress];

/// Everything counted since the demo began.
#[derive(Debug, Default)]
pub(super) struct DemoStats {
    moment_count: u64,
    unreadable_count: u64,
    micro_moments: BTreeMap<MicroMoment, u64>,
    moments_of_truth: BTreeMap<MomentOfTruth, u64>,
    flows: BTreeMap<(Stage, Stage, TransitionKind), u64>,
    pain_count: u64,
    reasons: BTreeMap<String, u64>,
    recovered_count: u64,
    unrecovered_count: u64,
    glory_count: u64,
    taken_back_count: u64,
    pains: VecDeque<Notable>,
    recoveries: VecDeque<Notable>,
    regressions: VecDeque<Notable>,
    untold: VecDeque<Notable>,
    customers: BTreeMap<String, Standing>,
    stages: BTreeMap<Stage, u64>,
    unfollowed_count: u64,
    /// Most engaged last; a set, because ten of thousands are asked for twice a second.
    ranking: BTreeSet<(u64, String)>,
    interesting: Option<(String, &'static str)>,
}

/// What is known of a customer.
#[derive(Clone, Debug)]
struct Standing {
    stage: Stage,
    band: Option<Band>,
    overall: f64,
    tracks: [f64; 5],
}

impl DemoStats {
    /// Takes a record of `moments` into account.
    pub(super) fn observe_moment(&mut self, record: &[u8]) {
        let Ok(moment) = serde_json::from_slice::<MomentV1<'_>>(record) else {
            self.unreadable_count += 1;
            return;
        };
        if moment.retracted {
            self.take_back(&moment);
        } else if moment.revision == 0 {
            self.count(&moment);
        }
    }

    /// Takes a record of `engagement` into account.
    pub(super) fn observe_engagement(&mut self, record: &[u8]) {
        let Ok(engagement) = serde_json::from_slice::<EngagementV1<'_>>(record) else {
            self.unreadable_count += 1;
            return;
        };
        let standing = Standing {
            stage: engagement.stage(),
            band: engagement.band(),
            overall: engagement.overall(),
            tracks: engagement.tracks(),
        };
        let id = engagement.customer_id.into_owned();
        if let Some(before) = self.customers.get(&id) {
            self.ranking.remove(&(rank(before.overall), id.clone()));
            let count = self.stages.entry(before.stage).or_default();
            *count = count.saturating_sub(1);
        } else if CUSTOMERS_MAX <= self.customers.len() {
            self.unfollowed_count += 1;
            return;
        }
        *self.stages.entry(standing.stage).or_default() += 1;
        self.ranking.insert((rank(standing.overall), id.clone()));
        self.customers.insert(id, standing);
    }

    /// Returns the notable moments that were not told yet.
    pub(super) fn untold(&mut self) -> impl Iterator<Item = Notable> {
        std::mem::take(&mut self.untold).into_iter()
    }

    /// Returns what there is to show.
    pub(super) fn snapshot(&self, situation: Situation) -> Snapshot {
        let newest = |notables: &VecDeque<Notable>| notables.iter().rev().cloned().collect();
        Snapshot {
            situation,
            moment_count: self.moment_count,
            micro_moments: tally(&self.micro_moments, MicroMoment::ALL, MicroMoment::None),
            moments_of_truth: tally(&self.moments_of_truth, MomentOfTruth::ALL, MomentOfTruth::None),
            stages: self.stage_rows(),
            flows: self.ranked_flows(),
            pain_count: self.pain_count,
            reasons: ranked(&self.reasons),
            recovered_count: self.recovered_count,
            unrecovered_count: self.unrecovered_count,
            glory_count: self.glory_count,
            regress_count: self.regress_count(),
            taken_back_count: self.taken_back_count,
            pains: newest(&self.pains),
            recoveries: newest(&self.recoveries),
            regressions: newest(&self.regressions),
            customer_count: u64::try_from(self.customers.len()).unwrap_or(u64::MAX)
                + self.unfollowed_count,
            engaged: self.most_engaged(),
            interesting: self.interesting.clone(),
            unreadable_count: self.unreadable_count,
        }
    }

    fn count(&mut self, moment: &MomentV1<'_>) {
        self.moment_count += 1;
        if let Some(micro_moment) = moment.micro_moment() {
            *self.micro_moments.entry(micro_moment).or_default() += 1;
        }
        if let Some(moment_of_truth) = moment.moment_of_truth() {
            *self.moments_of_truth.entry(moment_of_truth).or_default() += 1;
        }
        self.count_valence(moment);
        if let Some((from, to, kind)) = moment.transition() {
            *self.flows.entry((from, to, kind)).or_default() += 1;
            if BACKWARD.contains(&kind) {
                let step = format!("{} → {}", from.as_str(), to.as_str());
                let notable = notable(NotableKind::Regress, moment, step);
                remember(&mut self.regressions, &mut self.untold, notable);
            }
        }
    }

    fn count_valence(&mut self, moment: &MomentV1<'_>) {
        match moment.valence() {
            Some(Valence::Pain) if moment.event == "unrecovered_pain" => {
                self.unrecovered_count += 1;
                let notable = notable(NotableKind::Unrecovered, moment, reason(moment));
                remember(&mut self.pains, &mut self.untold, notable);
            }
            Some(Valence::Pain) if moment.same_pain_as.is_none() => {
                self.pain_count += 1;
                *self.reason_count(reason(moment)) += 1;
                let notable = notable(NotableKind::Pain, moment, reason(moment));
                self.note_interesting(&notable, "in pain right now");
                remember(&mut self.pains, &mut self.untold, notable);
            }
            Some(Valence::Recovered) => {
                self.recovered_count += 1;
                let what = readable(&moment.event);
                let notable = notable(NotableKind::Recovered, moment, what);
                self.note_interesting(&notable, "a pain made good");
                remember(&mut self.recoveries, &mut self.untold, notable);
            }
            Some(Valence::Glory) => self.glory_count += 1,
            Some(Valence::Pain | Valence::Neutral | Valence::Unknown) | None => {}
        }
    }

    fn take_back(&mut self, moment: &MomentV1<'_>) {
        self.taken_back_count += 1;
        let notable = notable(NotableKind::TakenBack, moment, reason(moment));
        let counted = self.pains.iter().any(|pain| {
            pain.kind == NotableKind::Pain
                && pain.customer_id == notable.customer_id
                && pain.at == notable.at
        });
        if counted || moment.valence() == Some(Valence::Pain) {
            self.pain_count = self.pain_count.saturating_sub(1);
            let count = self.reason_count(reason(moment));
            *count = count.saturating_sub(1);
        }
        self.pains
            .retain(|pain| pain.customer_id != notable.customer_id || pain.at != notable.at);
        tell(&mut self.untold, notable);
    }

    /// Somebody whose pain was made good is worth more of a look than somebody in pain.
    fn note_interesting(&mut self, notable: &Notable, why: &'static str) {
        let better = match &self.interesting {
            None => true,
            Some(_) if notable.kind == NotableKind::Recovered => true,
            Some((id, _)) => *id == notable.customer_id,
        };
        if better {
            self.interesting = Some((notable.customer_id.clone(), why));
        }
    }

    fn reason_count(&mut self, reason: String) -> &mut u64 {
        let known = self.reasons.contains_key(&reason) || self.reasons.len() < REASONS_MAX;
        self.reasons.entry(if known { reason } else { "other".to_owned() }).or_default()
    }

    fn regress_count(&self) -> u64 {
        let back = self.flows.iter().filter(|((_, _, kind), _)| BACKWARD.contains(kind));
        back.map(|(_, count)| count).sum()
    }

    fn stage_rows(&self) -> Vec<StageRow> {
        let funnel = Stage::ALL.iter().filter(|stage| **stage != Stage::None);
        funnel
            .map(|&stage| {
                let steps = |forward: bool| {
                    let leaving = self.flows.iter().filter(|((from, to, _), _)| {
                        *from == stage && *to != Stage::None && (stage < *to) == forward
                    });
                    leaving.map(|(_, count)| count).sum()
                };
                StageRow {
                    stage,
                    customer_count: self.stages.get(&stage).copied().unwrap_or(0),
                    onward_count: steps(true),
                    backward_count: steps(false),
                }
            })
            .collect()
    }

    fn ranked_flows(&self) -> Vec<Flow> {
        let mut flows: Vec<Flow> = self
            .flows
            .iter()
            .map(|(&(from, to, kind), &count)| Flow { from, to, kind, count })
            .collect();
        flows.sort_by_key(|flow| std::cmp::Reverse(flow.count));
        flows
    }

    fn most_engaged(&self) -> Vec<Engaged> {
        let best = self.ranking.iter().rev().take(ENGAGED_MAX);
        best.filter_map(|(_, id)| {
            let Standing { band, overall, tracks, .. } = self.customers.get(id)?;
            let (band, overall, tracks) = (*band, *overall, *tracks);
            Some(Engaged { customer_id: id.clone(), band, overall, tracks })
        })
        .collect()
    }
}

/// Returns counts in the vocabulary's order, without the variant that means none.
fn tally<T: Copy + Ord>(counts: &BTreeMap<T, u64>, all: &[T], none: T) -> Vec<(T, u64)> {
    let named = all.iter().filter(|name| **name != none);
    named.map(|name| (*name, counts.get(name).copied().unwrap_or(0))).collect()
}

/// Returns counts above zero, the highest first.
fn ranked(counts: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut ranked: Vec<(String, u64)> =
        counts.iter().filter(|(_, count)| 0 < **count).map(|(name, count)| (name.clone(), *count)).collect();
    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    ranked
}

/// Returns a score as a whole number of the same order: so are the bits of floats from 0 up.
fn rank(overall: f64) -> u64 {
    overall.max(0.0).to_bits()
}

fn reason(moment: &MomentV1<'_>) -> String {
    moment.reason.as_deref().unwrap_or("no reason given").to_owned()
}

fn readable(name: &str) -> String {
    name.replace('_', " ")
}

fn notable(kind: NotableKind, moment: &MomentV1<'_>, what: String) -> Notable {
    let seen = moment.rules.first().map_or_else(|| readable(&moment.event), |rule| rule.to_string());
    Notable {
        kind,
        at: moment.ts().unwrap_or(EventTime::MIN),
        customer_id: moment.customer_id.to_string(),
        what,
        why: format!("{seen} ({})", moment.channel),
    }
}

fn remember(kept: &mut VecDeque<Notable>, untold: &mut VecDeque<Notable>, notable: Notable) {
    if NOTABLES_MAX <= kept.len() {
        kept.pop_front();
    }
    kept.push_back(notable.clone());
    tell(untold, notable);
}

fn tell(untold: &mut VecDeque<Notable>, notable: Notable) {
    if untold.len() < UNTOLD_MAX {
        untold.push_back(notable);
    }
}
