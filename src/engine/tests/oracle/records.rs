//! What the oracle says, in the form of the records.

use serde_json::{Map, Value, json};

use super::{Item, Open, Oracle, labels::Said, story::Consequences};
use crate::model::{Channels, EventTime, Span, Track};

/// How far ahead a fall is looked for.
pub(in crate::engine::tests) const TWO_YEARS: Span = 730 * 86_400_000;

fn time(at: Option<EventTime>) -> Value {
    at.map_or(Value::Null, |at| json!(at.to_string()))
}

fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

impl Oracle<'_> {
    /// Without revision, scores and version of the rules.
    pub(super) fn say(&mut self, item: &Item, matched: &[usize], said: &Said, came: &Consequences) {
        let names: Vec<&str> =
            matched.iter().map(|&rule| self.pack.rules[rule].name.value.as_str()).collect();
        let points: Map<String, Value> = Track::ALL
            .iter()
            .filter(|track| came.points[track.index()] != 0.0)
            .map(|track| (track.as_str().to_owned(), json!(hundredths(came.points[track.index()]))))
            .collect();
        let mut moment = json!({
            "event_id": item.event_id,
            "customer_id": self.customer,
            "ts": item.ts.to_string(),
            "channel": item.channel,
            "actor": item.actor.as_str(),
            "event": item.event,
            "micro_moment": said.micro_moment.as_str(),
            "moment_of_truth": said.moment_of_truth.as_str(),
            "stage": said.stage.as_str(),
            "valence": said.valence.as_str(),
            "reason": said.reason,
            "severity": said.severity.map(crate::model::Severity::weight),
            "evidence": said.evidence.map(crate::model::Evidence::as_str),
            "labelled_by": said.labelled_by,
            "rules": names,
            "points": points,
        });
        if item.derived.is_some() {
            moment["derived"] = json!(true);
        }
        if let Some(pain) = &came.same_pain_as {
            moment["same_pain_as"] = json!(pain);
        }
        if let Some((kind, key)) = &came.episode {
            moment["episode"] = json!({ "kind": kind, "key": key });
        }
        if let Some((from, to, kind)) = came.transition {
            let (from, to) = (from.as_str(), to.as_str());
            moment["transition"] = json!({ "from": from, "to": to, "kind": kind });
        }
        if let Some(code) = &came.referral {
            moment["referral"] = json!(code);
        }
        let known = self.moments.insert(item.event_id.clone(), moment);
        assert!(known.is_none(), "the oracle repeats itself: {known:?}");
    }

    pub(super) fn engagement(&self) -> Value {
        let as_of = self.as_of.unwrap_or_default();
        let standing = self.standing(as_of);
        let mut scores: Map<String, Value> = Track::ALL
            .iter()
            .map(|track| (track.as_str().to_owned(), json!(standing.tracks[track.index()])))
            .collect();
        scores.insert("overall".to_owned(), json!(standing.overall));
        scores.insert("band".to_owned(), json!(self.band_of(standing.overall).as_str()));
        scores.insert("balance".to_owned(), json!(self.balance()));
        let mut channels: Map<String, Value> = Map::new();
        for lived in self.counted() {
            let channel = &lived.item.channel;
            let known = self.settings.channels.get(channel).is_some();
            let name = if known { channel } else { Channels::OTHER };
            let count = channels.get(name).and_then(Value::as_u64).unwrap_or(0);
            channels.insert(name.to_owned(), json!(count + 1));
        }
        let seen = || self.counted().map(|lived| lived.item.ts);
        let (stages, intents) = self.counts_of_stages();
        json!({
            "customer_id": self.customer,
            "account_id": self.account,
            "as_of": as_of.to_string(),
            "stage": self.stage.as_str(),
            "deepest_stage": self.deepest.as_str(),
            "stage_since": time(self.stage_since),
            "engagement": scores,
            "next_band_at": time(self.next_fall(as_of.plus(TWO_YEARS))),
            "touchpoints": self.counted().count(),
            "pains": self.pains,
            "glories": self.glories,
            "recovered": self.recovered,
            "open_episodes": self.open_episodes(),
            "channels": channels,
            "first_seen": time(seen().min()),
            "last_seen": time(seen().max()),
            "stages": stages[1..],
            "micro_moments": intents[1..],
        })
    }

    fn open_episodes(&self) -> Vec<Value> {
        let mut open: Vec<&Open> = self.open.iter().filter(|open| !open.resolved).collect();
        open.sort_by_key(|open| (open.opened_at, &open.opened_by));
        open.into_iter()
            .map(|open| {
                let mut said = json!({
                    "kind": open.kind,
                    "key": open.key,
                    "opened_at": open.opened_at.to_string(),
                    "deadline": time(open.deadline),
                });
                if open.overdue.is_some() {
                    said["overdue"] = json!(true);
                }
                if let Some((reason, severity)) = &open.pain {
                    said["reason"] = json!(reason);
                    said["severity"] = json!(severity.weight());
                }
                said
            })
            .collect()
    }
}
