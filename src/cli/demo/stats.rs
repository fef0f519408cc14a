//! Counting what the demo shows, from the records that any consumer would read.
//!
//! Nothing comes from inside the service: what the picture says is what the topics say. Everything
//! is bounded: past [`CUSTOMERS_MAX`] further customers are counted and not followed.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use super::{
    records::{EngagementV1, MomentV1},
    snapshot::{Engaged, Flow, Notable, NotableKind, Situation, Snapshot, StageRow},
    spikes::OpenSpikes,
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
    latest: Option<EventTime>,
    spikes: OpenSpikes,
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
    /// Returns how many moments were read, first revisions only.
    pub(super) fn moment_count(&self) -> u64 {
        self.moment_count
    }

    /// Returns the latest event time of any moment.
    pub(super) fn latest(&self) -> Option<EventTime> {
        self.latest
    }

    /// Takes a record of `moments` into account, and returns the event id of a first revision.
    pub(super) fn observe_moment<'a>(&mut self, record: &'a [u8]) -> Option<Cow<'a, str>> {
        let Ok(moment) = serde_json::from_slice::<MomentV1<'_>>(record) else {
            self.unreadable_count += 1;
            return None;
        };
        if moment.retracted {
            self.take_back(&moment);
            return None;
        }
        if moment.revision != 0 {
            return None;
        }
        self.count(&moment);
        Some(moment.event_id)
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

    /// Takes a record of `pain-spikes` into account.
    pub(super) fn observe_spike(&mut self, record: &[u8]) {
        self.unreadable_count += u64::from(!self.spikes.observe(record));
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
            moments_of_truth: tally(
                &self.moments_of_truth,
                MomentOfTruth::ALL,
                MomentOfTruth::None,
            ),
            stages: self.stage_rows(),
            flows: self.ranked_flows(),
            spikes: self.spikes.newest(),
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
        self.latest = self.latest.max(moment.ts());
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
        self.pains.retain(|pain| pain.customer_id != notable.customer_id || pain.at != notable.at);
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
    let mut ranked: Vec<(String, u64)> = counts
        .iter()
        .filter(|(_, count)| 0 < **count)
        .map(|(name, count)| (name.clone(), *count))
        .collect();
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
    let seen = moment.rules.first().map_or_else(|| readable(&moment.event), ToString::to_string);
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn moment(stats: &mut DemoStats, more: &Value) {
        let mut moment = json!({
            "event_id": "e1", "revision": 0, "customer_id": "ada", "ts": "2026-01-05T10:00:00.000Z",
            "channel": "web", "actor": "customer", "event": "page_viewed", "micro_moment": "know",
            "moment_of_truth": "zero", "stage": "consideration", "valence": "neutral",
            "labelled_by": "rule", "rules": ["page viewed"], "points": {"engage": 1},
        });
        for (name, value) in more.as_object().unwrap() {
            moment[name] = value.clone();
        }
        stats.observe_moment(moment.to_string().as_bytes());
    }

    fn engagement(stats: &mut DemoStats, customer: &str, stage: &str, overall: f64) {
        let record = json!({
            "customer_id": customer, "stage": stage, "deepest_stage": stage,
            "engagement": {"access": overall, "engage": 1.5, "customize": 0, "connect": 0,
                "collaborate": 0, "overall": overall, "band": "casual", "balance": null},
        });
        stats.observe_engagement(record.to_string().as_bytes());
    }

    fn pain(reason: &str) -> Value {
        json!({"valence": "pain", "reason": reason, "event": "episode_overdue",
            "channel": "delivery", "rules": ["parcel overdue"], "derived": true})
    }

    #[test]
    fn a_pain_is_counted_once_and_told_with_its_reason() {
        let mut stats = DemoStats::default();
        moment(&mut stats, &pain("late_delivery"));
        let mut again = pain("late_delivery");
        again["same_pain_as"] = json!("e1");
        moment(&mut stats, &again);
        let mut revised = pain("late_delivery");
        revised["revision"] = json!(1);
        moment(&mut stats, &revised);
        let snapshot = stats.snapshot(Situation::default());
        assert_eq!(snapshot.moment_count, 2);
        assert_eq!(snapshot.reasons, [("late_delivery".to_owned(), 1)]);
        assert_eq!(snapshot.pains.len(), 1);
        assert_eq!(snapshot.pains[0].why, "parcel overdue (delivery)");
        assert_eq!(snapshot.pains[0].at.to_string(), "2026-01-05T10:00:00.000Z");
        assert_eq!(stats.untold().count(), 1);
        assert_eq!(stats.untold().count(), 0);
    }

    #[test]
    fn a_claim_that_is_taken_back_leaves_the_count() {
        let mut stats = DemoStats::default();
        moment(&mut stats, &pain("late_delivery"));
        let mut back = pain("late_delivery");
        back["retracted"] = json!(true);
        back["revision"] = json!(1);
        moment(&mut stats, &back);
        let snapshot = stats.snapshot(Situation::default());
        assert_eq!((snapshot.pain_count, snapshot.taken_back_count), (0, 1));
        assert!(snapshot.pains.is_empty() && snapshot.reasons.is_empty());
    }

    #[test]
    fn who_was_consoled_is_the_more_interesting() {
        let mut stats = DemoStats::default();
        let recovered = json!({"customer_id": "bo", "valence": "recovered",
            "event": "coupon_issued", "rules": ["pain made good"]});
        moment(&mut stats, &pain("late_delivery"));
        assert_eq!(stats.interesting, Some(("ada".to_owned(), "in pain right now")));
        moment(&mut stats, &recovered);
        moment(&mut stats, &pain("payment_failed"));
        assert_eq!(stats.interesting, Some(("bo".to_owned(), "a pain made good")));
        assert_eq!(stats.snapshot(Situation::default()).recovered_count, 1);
    }

    #[test]
    fn steps_back_are_told_apart_from_steps_on() {
        let mut stats = DemoStats::default();
        let step = |from: &str, to: &str, kind: &str| json!({"transition": {"from": from, "to": to, "kind": kind}});
        moment(&mut stats, &step("consideration", "purchase", "advance"));
        moment(&mut stats, &step("purchase", "consideration", "regress"));
        let snapshot = stats.snapshot(Situation::default());
        assert_eq!(snapshot.regress_count, 1);
        assert_eq!(snapshot.regressions[0].what, "purchase → consideration");
        let row = |stage| *snapshot.stages.iter().find(|row| row.stage == stage).unwrap();
        assert_eq!(row(Stage::Consideration).onward_count, 1);
        assert_eq!(row(Stage::Purchase).backward_count, 1);
    }

    #[test]
    fn a_customer_stands_in_one_stage_and_the_best_come_first() {
        let mut stats = DemoStats::default();
        engagement(&mut stats, "ada", "awareness", 3.0);
        engagement(&mut stats, "bo", "purchase", 12.5);
        engagement(&mut stats, "ada", "purchase", 20.25);
        let snapshot = stats.snapshot(Situation::default());
        let stages: Vec<u64> = snapshot.stages.iter().map(|row| row.customer_count).collect();
        assert_eq!(stages, [0, 0, 2, 0, 0]);
        assert_eq!(snapshot.customer_count, 2);
        let best: Vec<&str> =
            snapshot.engaged.iter().map(|engaged| engaged.customer_id.as_str()).collect();
        assert_eq!(best, ["ada", "bo"]);
        assert_eq!(snapshot.engaged[0].band, Some(Band::Casual));
    }

    #[test]
    fn what_cannot_be_read_is_counted_and_nothing_grows_without_bound() {
        let mut stats = DemoStats::default();
        for record in ["", "{", "[]", "{\"customer_id\":1}", "{\"valence\":\"pain\"}"] {
            stats.observe_moment(record.as_bytes());
            stats.observe_engagement(record.as_bytes());
        }
        assert_eq!(stats.unreadable_count, 10);
        for index in 0..200 {
            moment(&mut stats, &pain(&format!("reason {index}")));
        }
        assert_eq!(stats.pains.len(), NOTABLES_MAX);
        assert_eq!(stats.untold.len(), UNTOLD_MAX);
        assert_eq!(stats.reasons.len(), REASONS_MAX + 1);
        assert_eq!(stats.pain_count, 200);
    }

    #[test]
    fn times_may_be_milliseconds_and_new_fields_may_come() {
        let mut stats = DemoStats::default();
        let mut late = pain("late_delivery");
        late["ts"] = json!(1_767_607_200_000_i64);
        late["something_new"] = json!({"a": [1]});
        moment(&mut stats, &late);
        let at = stats.snapshot(Situation::default()).pains[0].at;
        assert_eq!(at.to_string(), "2026-01-05T10:00:00.000Z");
    }
}
