//! Writing a customer's row: every value in a fixed order.

use postcard::ser_flavors::Flavor;
use serde::Serialize;

use super::{
    VERSION,
    sections::{kind_hash, put_change, put_engagement},
};
use crate::{
    engine::{
        Engine,
        rules::RuleSet,
        state::{Claim, Customer, DedupeRing, Digest, Published},
    },
    model::{EventTime, Labels, StableHash},
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
    put_time(out, customer.touched_at);
    put_time(out, customer.rules_since);
    put_ring(out, &customer.ring);
    put_time(out, customer.settled_before);
    put_engagement(out, &customer.settled, rules);
    put(out, &customer.rules_version);
    put_time(out, customer.head_fired_at);
    put_change(out, (&customer.settled, &customer.head), rules);
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
    let written = postcard::serialize_with_flavor(value, Appending(out));
    // Serialising plain values into memory cannot fail; if it did, the reader would say "damaged".
    written.unwrap_or_default();
}

/// Appends to a buffer. The library's own way to do so takes byte after byte.
struct Appending<'o>(&'o mut Vec<u8>);

impl Flavor for Appending<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Writes how many elements there are, and each of them.
pub(super) fn put_all<T>(
    out: &mut Vec<u8>,
    elements: impl ExactSizeIterator<Item = T>,
    mut put_one: impl FnMut(&mut Vec<u8>, T),
) {
    put(out, &elements.len());
    for element in elements {
        put_one(out, element);
    }
}

/// Writes a hash as it is: as a number of variable length it would take ten bytes, and as long again.
/// A row has hundreds.
pub(super) fn put_hash(out: &mut Vec<u8>, hash: StableHash) {
    out.extend_from_slice(&hash.to_le_bytes());
}

pub(super) fn index(position: usize) -> u8 {
    u8::try_from(position).unwrap_or(u8::MAX)
}

pub(super) fn put_time(out: &mut Vec<u8>, at: Option<EventTime>) {
    put(out, &at.map(EventTime::as_millis));
}

pub(super) fn put_at(out: &mut Vec<u8>, at: EventTime) {
    put(out, &at.as_millis());
}

fn put_ring(out: &mut Vec<u8>, ring: &DedupeRing) {
    put_time(out, ring.evicted_through);
    put(out, &ring.entries.len());
    let mut before = 0;
    for entry in &ring.entries {
        put(out, &(entry.ts.as_millis() - before));
        put_hash(out, entry.id);
        out.extend_from_slice(&entry.content.to_le_bytes());
        before = entry.ts.as_millis();
    }
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
    put_hash(out, digest.channel.as_hash());
    put(out, &(index(digest.actor.index()), digest.history_complete));
    put_all(out, digest.candidates.iter(), |out, candidate| {
        put_hash(out, rules.rule(candidate.rule).map_or(0, |rule| rule.hash));
        let scale = candidate.scale.map(|valence| index(valence.index()));
        put(out, &(candidate.leaves, scale));
        put_time(out, candidate.due);
    });
    put_all(out, digest.values.iter(), |out, (path, value)| {
        put_hash(out, rules.path_hash(*path));
        put(out, value);
    });
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
    put_hash(out, kind_hash(rules, claim.kind));
    put(out, &(&claim.event_id, &claim.key, &claim.channel_name));
    put(out, &(claim.retracted, claim.settled));
    put_published(out, &claim.published);
}
