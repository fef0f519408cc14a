//! A record of `moments`: one touchpoint and what Rega says of it.

use super::{super::timeline::Context, engagement::write_scores, json::Json};
use crate::{
    engine::{
        evaluate::Outcome,
        rules::{KindIx, RuleIx},
        score::Standing,
        state::Transition,
    },
    model::{Actor, Band, EventTime, Evidence, Labels, Points},
};

/// What is said of one touchpoint, for one record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub(crate) event_id: &'a str,
    pub(crate) revision: u32,
    pub(crate) account_id: Option<&'a str>,
    pub(crate) ts: EventTime,
    pub(crate) channel: &'a str,
    pub(crate) actor: Actor,
    pub(crate) event: &'a str,
    pub(crate) labels: &'a Labels,
    pub(crate) rules: &'a [RuleIx],
    pub(crate) points: Points,
    pub(crate) standing: Standing,
    pub(crate) band: Band,
    pub(crate) balance: Option<f64>,
    pub(crate) derived: bool,
    pub(crate) retracted: bool,
    pub(crate) backfill: bool,
    pub(crate) same_pain_as: Option<&'a str>,
    pub(crate) episode: Option<(KindIx, Option<&'a str>)>,
    pub(crate) transition: Option<Transition>,
    pub(crate) referral: Option<&'a str>,
    pub(crate) properties: Option<&'a str>,
}

impl<'a> Said<'a> {
    /// Fills in what an evaluation found.
    pub(crate) fn with_outcome(mut self, outcome: &'a Outcome) -> Self {
        self.labels = &outcome.labels;
        self.rules = &outcome.rules;
        self.points = outcome.points;
        self.standing = outcome.standing;
        self.band = outcome.band;
        self.balance = outcome.balance;
        self.same_pain_as = outcome.same_pain_as.as_deref();
        self.episode = outcome.episode.as_ref().map(|(kind, key)| (*kind, key.as_deref()));
        self.transition = outcome.transition;
        self.referral = outcome.referral.as_deref();
        self
    }
}

/// Writes a record of `moments`.
pub(crate) fn write_moment(out: &mut Vec<u8>, said: &Said<'_>, context: Context<'_>) {
    let labels = said.labels;
    let mut json = Json::object(out);
    json.text("event_id", said.event_id);
    json.count("revision", said.revision.into());
    json.text("customer_id", context.customer_id);
    json.optional_text("account_id", said.account_id);
    json.time("ts", Some(said.ts));
    json.text("channel", said.channel);
    json.text("actor", said.actor.as_str());
    json.text("event", said.event);
    json.text("micro_moment", labels.micro_moment.as_str());
    json.text("moment_of_truth", labels.moment_of_truth.as_str());
    json.text("stage", labels.stage.as_str());
    json.text("valence", labels.valence.as_str());
    json.optional_text("reason", labels.reason.as_deref());
    match labels.severity {
        Some(severity) => json.count("severity", severity.weight().into()),
        None => json.raw("severity", b"null"),
    }
    json.optional_text("evidence", labels.evidence.map(Evidence::as_str));
    if !labels.words.is_empty() {
        json.array("words", |words| {
            for word in &labels.words {
                words.element_text(word);
            }
        });
    }
    json.text("labelled_by", labels.labelled_by.as_str());
    json.array("rules", |names| {
        for &index in said.rules {
            if let Some(rule) = context.rules.rule(index) {
                names.element_text(&rule.name);
            }
        }
    });
    json.nested("points", |points| {
        for (track, given) in said.points.iter() {
            points.decimal(track.as_str(), given);
        }
    });
    json.nested("engagement", |scores| {
        write_scores(scores, &said.standing, said.band, said.balance);
    });
    json.text("rules_version", context.rules.version());
    write_where_they_apply(&mut json, said, context);
    json.end();
}

fn write_where_they_apply(json: &mut Json<'_>, said: &Said<'_>, context: Context<'_>) {
    let flags =
        [("derived", said.derived), ("retracted", said.retracted), ("backfill", said.backfill)];
    for (name, _) in flags.into_iter().filter(|(_, applies)| *applies) {
        json.flag(name);
    }
    if let Some(event_id) = said.same_pain_as {
        json.text("same_pain_as", event_id);
    }
    if let Some((kind, key)) = said.episode
        && let Some(kind) = context.rules.kind(kind)
    {
        json.nested("episode", |episode| {
            episode.text("kind", &kind.name);
            episode.optional_text("key", key);
        });
    }
    if let Some(step) = said.transition {
        json.nested("transition", |transition| {
            transition.text("from", step.from.as_str());
            transition.text("to", step.to.as_str());
            transition.text("kind", step.kind.as_str());
        });
    }
    if let Some(code) = said.referral {
        json.text("referral", code);
    }
    if let Some(properties) = said.properties.filter(|properties| !properties.is_empty()) {
        json.raw("properties", properties.as_bytes());
    }
}
