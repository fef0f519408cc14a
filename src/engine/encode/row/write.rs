//! Writing a customer's row: every value in a fixed order.

use serde::Serialize;

use super::VERSION;
use crate::{
    engine::{
        Engine,
        episode::{Episode, Overdue},
        rules::{KindIx, RuleSet},
        score::{Ledger, Reversals},
        state::{Claim, Customer, DedupeRing, Digest, Engagement, Journey, Published},
    },
    model::{EventTime, Labels, StableHash, Stage},
};

/// Writes a customer's row.
pub(crate) fn write_row(out: &mut Vec<u8>, customer: &Customer, engine: &Engine) {
    let rules = &*engine.rules;
    let (stage, band) = customer.standing();
    out.push(VERSION);
    put(out, &customer.offset);
    put(out, &customer.tick);
    put_time(out, customer.due(engine.settings.retention));
    put(out, &(index(stage.index()), index(band.index())));
    put_time(out, customer.fired_through);
    put(out, &customer.account_id);
    put_time(out, customer.account_at);
    put_ring(out, &customer.ring);
    put_time(out, customer.settled_before);
    put_engagement(out, &customer.settled, rules);
    put(out, &customer.rules_version);
    put(out, &customer.tail.len());
    for digest in &customer.tail {
        put_digest(out, digest, rules);
    }
    put(out, &customer.claims.len());
    for claim in &customer.claims {
        put_claim(out, claim, rules);
    }
}

pub(super) fn put<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let written = postcard::to_extend(value, std::mem::take(out));
    // Serialising plain values into memory cannot fail; if it did, the reader would say "damaged".
    *out = written.unwrap_or_default();
}

fn index(position: usize) -> u8 {
    u8::try_from(position).unwrap_or(u8::MAX)
}

pub(super) fn put_time(out: &mut Vec<u8>, at: Option<EventTime>) {
    put(out, &at.map(EventTime::as_millis));
}

fn put_at(out: &mut Vec<u8>, at: EventTime) {
    put(out, &at.as_millis());
}

fn put_ring(out: &mut Vec<u8>, ring: &DedupeRing) {
    put_time(out, ring.evicted_through);
    put(out, &ring.entries.len());
    let mut before = 0;
    for entry in &ring.entries {
        put(out, &(entry.ts.as_millis() - before, entry.id.to_le_bytes(), entry.content));
        before = entry.ts.as_millis();
    }
}

fn put_engagement(out: &mut Vec<u8>, engagement: &Engagement, rules: &RuleSet) {
    let Engagement {
        touchpoints,
        customer_touchpoints,
        visits,
        pains,
        glories,
        recovered,
        first_seen,
        last_seen,
        last_customer_at,
        as_of,
        channels,
        journey,
        ledger,
        periods,
        reversals,
        seen,
        owned,
        balance,
        episodes,
        early_closes,
        band,
        band_check_at,
        absence_at,
        lapse,
        history_complete,
        referral,
    } = engagement;
    put(out, &(touchpoints, customer_touchpoints, visits, pains, glories, recovered));
    for &at in [first_seen, last_seen, last_customer_at, as_of, band_check_at, absence_at] {
        put_time(out, at);
    }
    put(out, history_complete);
    put_time(out, lapse.as_ref().map(|(at, _)| *at));
    if let Some((_, overdue)) = lapse {
        put_overdue(out, overdue);
    }
    put(out, &(band.map(|band| index(band.index())), referral));
    put(out, &channels.iter().map(|(one, count)| (one.as_hash(), count)).collect::<Vec<_>>());
    put_journey(out, journey);
    put_ledger(out, ledger);
    put(out, &periods.0.len());
    for line in &periods.0 {
        put(out, &(line.rule, index(line.track.index()), &line.periods, line.full));
    }
    put_reversals(out, reversals);
    put(out, &seen.0.len());
    for group in &seen.0 {
        put(out, &(group.memory, group.group, group.entries.len()));
        for entry in &group.entries {
            put(out, &(entry.ts.as_millis(), entry.id, entry.value));
        }
    }
    put(out, &owned.iter().map(|one| (one.value, one.at.as_millis())).collect::<Vec<_>>());
    put(out, &(balance.good, balance.bad, balance.moments));
    put_time(out, balance.as_of);
    let reasons = balance.recovered.iter().map(|(reason, at)| (*reason, at.as_millis()));
    put(out, &reasons.collect::<Vec<_>>());
    put(out, &episodes.len());
    for episode in episodes {
        put_episode(out, episode, rules);
    }
    put(out, &early_closes.len());
    for early in early_closes {
        put(out, &(kind_hash(rules, early.kind), early.key, early.at.as_millis()));
    }
}

fn put_journey(out: &mut Vec<u8>, journey: &Journey) {
    let stage = |stage: Option<Stage>| stage.map(|stage| index(stage.index()));
    put(out, &(stage(journey.stage), stage(journey.deepest), journey.lapsed));
    put_time(out, journey.stage_ts);
    put_time(out, journey.since);
    for record in journey.stages.iter().chain(&journey.micro_moments) {
        put(out, &record.count);
        if 0 < record.count {
            put_time(out, record.last);
        }
    }
    put(out, &journey.transitions.len());
    for step in &journey.transitions {
        let labels = (index(step.from.index()), index(step.to.index()), index(step.kind.index()));
        put(out, &(step.at.as_millis(), labels));
    }
}

fn put_ledger(out: &mut Vec<u8>, ledger: &Ledger) {
    put(out, &ledger.0.len());
    for line in &ledger.0 {
        put(out, &(line.rule, index(line.track.index()), line.value, line.as_of.as_millis()));
    }
}

fn put_reversals(out: &mut Vec<u8>, reversals: &Reversals) {
    put(out, &(reversals.forgotten, reversals.given.len()));
    for given in &reversals.given {
        put(out, &(given.key, given.at.as_millis()));
        put_ledger(out, &given.points);
    }
    let taken = reversals.taken.iter().map(|taken| (taken.key, taken.at.as_millis()));
    put(out, &taken.collect::<Vec<_>>());
}

fn kind_hash(rules: &RuleSet, kind: KindIx) -> StableHash {
    rules.kind(kind).map_or(0, |kind| kind.hash)
}

fn put_episode(out: &mut Vec<u8>, episode: &Episode, rules: &RuleSet) {
    put(out, &(kind_hash(rules, episode.kind), &episode.key, &episode.opened_by));
    put(out, &episode.channel_name);
    put_at(out, episode.opened_at);
    put_time(out, episode.deadline);
    put_time(out, episode.fires_at);
    put(out, &episode.overdue.is_some());
    if let Some(overdue) = &episode.overdue {
        put_overdue(out, overdue);
    }
    let pain = episode.pain.as_ref();
    put(out, &pain.map(|pain| (index(pain.severity.index()), &pain.reason, pain.resolved)));
}

fn put_overdue(out: &mut Vec<u8>, overdue: &Overdue) {
    let Overdue { event_id, pain, points } = overdue;
    let pain = pain.as_ref().map(|(reason, severity)| (reason, index(severity.index())));
    put(out, &(event_id, pain));
    let points = points.iter().map(|(rule, track, points)| (rule, index(track.index()), points));
    put(out, &points.collect::<Vec<_>>());
}

fn put_labels(out: &mut Vec<u8>, labels: &Labels) {
    let Labels {
        micro_moment,
        moment_of_truth,
        stage,
        valence,
        reason,
        severity,
        evidence,
        labelled_by,
        words,
    } = labels;
    let what = (index(micro_moment.index()), index(moment_of_truth.index()), index(stage.index()));
    let how = (
        index(valence.index()),
        reason,
        severity.map(|severity| index(severity.index())),
        evidence.map(|evidence| index(evidence.index())),
    );
    put(out, &(what, how, index(labelled_by.index())));
    put(out, words);
}

fn put_published(out: &mut Vec<u8>, published: &Published) {
    put(out, &(published.revision, published.verdict));
    put_labels(out, &published.labels);
}

fn put_digest(out: &mut Vec<u8>, digest: &Digest, rules: &RuleSet) {
    put_at(out, digest.ts);
    put(out, &(&digest.event_id, &digest.event, &digest.channel_name));
    put(out, &(digest.channel.as_hash(), index(digest.actor.index()), digest.history_complete));
    put(out, &digest.candidates.len());
    for candidate in &digest.candidates {
        let rule = rules.rule(candidate.rule).map_or(0, |rule| rule.hash);
        let scale = candidate.scale.map(|valence| index(valence.index()));
        put(out, &(rule, candidate.leaves, scale, candidate.matched));
        put_time(out, candidate.due);
    }
    let values = digest.values.iter().map(|(path, value)| (rules.path_hash(*path), value));
    put(out, &values.collect::<Vec<_>>());
    let heard = digest.heard.as_ref();
    put(out, &heard.map(|one| (index(one.valence.index()), &one.reason, &one.words)));
    put(out, &digest.groups);
    let guess = digest.guess.map(|(micro_moment, moment_of_truth, stage)| {
        (index(micro_moment.index()), index(moment_of_truth.index()), index(stage.index()))
    });
    put(out, &(guess, digest.published.is_some()));
    if let Some(published) = &digest.published {
        put_published(out, published);
    }
}

fn put_claim(out: &mut Vec<u8>, claim: &Claim, rules: &RuleSet) {
    put_at(out, claim.ts);
    put(out, &(&claim.event_id, kind_hash(rules, claim.kind), &claim.key, &claim.channel_name));
    put(out, &(claim.retracted, claim.settled));
    put_published(out, &claim.published);
}
