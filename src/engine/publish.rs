//! Saying it: first editions, revisions of what turned out otherwise, and retractions.

use super::{
    effects::{Effect, Effects, Fact, Moment},
    encode::{Said as Record, write_moment},
    evaluate::Outcome,
    place::{Said, Story},
    rules::{KindIx, kind},
    score::{Standing, standing_at},
    spike::{Named, Note, Pulse},
    state::{Claim, Customer, Digest, Origin, Published},
    timeline::{Context, Fired},
};
use crate::model::{
    Actor, Band, Channel, Channels, EventTime, Evidence, LabelledBy, Labels, MicroMoment, Points,
    Severity, StableHash, Valence, stable_hash,
};

/// What is no longer true.
#[derive(Clone, Copy)]
struct Retraction<'r> {
    event_id: &'r str,
    revision: u32,
    ts: EventTime,
    channel_name: &'r str,
    actor: Actor,
    event: &'r str,
    labels: &'r Labels,
    episode: Option<(KindIx, Option<&'r str>)>,
    derived: bool,
}

/// Publishes what an evaluation said and had not been said before, in order.
pub(crate) struct Publisher<'p> {
    pub(crate) effects: &'p mut Effects,
    pub(crate) context: Context<'p>,
    pub(crate) now: EventTime,
    /// The touchpoint that has just come.
    pub(crate) fresh: Option<Fresh<'p>>,
    /// The partition's minutes.
    pub(crate) pulse: &'p mut Pulse,
}

/// A touchpoint whose record is at hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fresh<'p> {
    pub(crate) event_id: &'p str,
    /// Where they are carried through.
    pub(crate) properties: Option<&'p str>,
}

impl Publisher<'_> {
    /// Publishes a story.
    pub(crate) fn publish(&mut self, customer: &mut Customer, story: Story) {
        for fact in story.facts {
            self.effects.fact(fact);
        }
        let mut repeated: Vec<Box<str>> = Vec::new();
        for said in story.said {
            match said {
                Said::InTail(position, outcome) if outcome.ignored => {
                    self.ignored(customer, position, &outcome);
                }
                Said::InTail(position, outcome) => {
                    let account_id = customer.account_id.as_deref();
                    if let Some(digest) = customer.tail.get_mut(position) {
                        self.touchpoint(account_id, digest, &outcome);
                    }
                }
                Said::Beyond(_, outcome) if outcome.ignored => self.effects.fact(Fact::Ignored),
                Said::Beyond(mut digest, outcome) => {
                    self.touchpoint(customer.account_id.as_deref(), &mut digest, &outcome);
                    let wrong = &outcome.takes_back;
                    self.retract(customer, |claim| wrong.contains(&claim.event_id));
                }
                Said::Derived(fired) if fired.outcome.ignored => {}
                Said::Derived(fired) => {
                    repeated.push(fired.digest.event_id.clone());
                    self.derived(customer, *fired);
                }
            }
        }
        if story.whole {
            self.retract(customer, |claim| !claim.settled && !repeated.contains(&claim.event_id));
            customer.claims.retain(|claim| !claim.retracted || !claim.settled);
        }
    }

    fn touchpoint(&mut self, account: Option<&str>, digest: &mut Digest, outcome: &Outcome) {
        let verdict = verdict_hash(outcome, &mut self.effects.bytes);
        let known = digest.published.as_ref();
        if known.is_some_and(|known| known.verdict == verdict) {
            return;
        }
        let revision = known.map_or(0, |known| known.revision.saturating_add(1));
        self.moment(account, digest, outcome, revision);
        self.beat(digest, outcome, revision == 0);
        if revision == 0 {
            self.promise(digest, outcome);
        }
        digest.published = Some(Published { revision, verdict, labels: outcome.labels.clone() });
    }

    fn derived(&mut self, customer: &mut Customer, fired: Fired) {
        let Fired { settled, digest, outcome, .. } = fired;
        let verdict = verdict_hash(&outcome, &mut self.effects.bytes);
        let Origin::Deadline { kind, key, .. } = &digest.origin else { return };
        let known = customer.claims.iter().position(|claim| claim.event_id == digest.event_id);
        let revision = match known.and_then(|position| customer.claims.get(position)) {
            Some(claim) if claim.published.verdict == verdict && !claim.retracted => return,
            Some(claim) => claim.published.revision.saturating_add(1),
            None => 0,
        };
        if revision == 0 {
            self.effects.fact(Fact::DeadlineFired(*kind));
        }
        self.moment(customer.account_id.as_deref(), &digest, &outcome, revision);
        // Of the others the promise was counted.
        let promised = !matches!(*kind, kind::ABSENCE | kind::BAND);
        self.beat(&digest, &outcome, revision == 0 && !promised);
        let claim = Claim {
            ts: digest.ts,
            event_id: digest.event_id.clone(),
            kind: *kind,
            key: key.clone(),
            channel_name: digest.channel_name.clone(),
            published: Published { revision, verdict, labels: outcome.labels },
            retracted: false,
            settled,
        };
        match known.and_then(|position| customer.claims.get_mut(position)) {
            Some(slot) => *slot = claim,
            None => customer.claims.push(claim),
        }
    }

    /// Notes for the spike detector what was said.
    fn beat(&mut self, digest: &Digest, outcome: &Outcome, exposure: bool) {
        let labels = &outcome.labels;
        let reason = labels.reason.as_deref().unwrap_or("none");
        let severity = labels.severity.unwrap_or(Severity::Failure);
        let stage = u8::try_from(labels.stage.index()).unwrap_or(0);
        let counted = outcome.adds_to_rates(self.context.rules);
        let pain = counted.then_some((reason, stage, severity.weight()));
        let note = Note {
            ts: digest.ts,
            named: named(self.context, digest.channel, &digest.event, digest.actor),
            groups: &digest.groups,
            band: outcome.band,
            customer: stable_hash(self.context.customer_id.as_bytes()),
            event_id: &digest.event_id,
            id: stable_hash(digest.event_id.as_bytes()),
            exposure,
            interest: matches!(
                labels.micro_moment,
                MicroMoment::Ideas | MicroMoment::Know | MicroMoment::Go
            ),
            pain,
        };
        self.pulse.note(&note, self.effects);
    }

    /// Counts the deadlines that this touchpoint promised: what could hurt when they fall due.
    fn promise(&mut self, digest: &Digest, outcome: &Outcome) {
        for &(kind, deadline) in &outcome.promises {
            let Some(known) = self.context.rules.kind(kind) else { continue };
            let channel = known.channel.as_deref().unwrap_or(&digest.channel_name);
            let channel = self.context.settings.channels.get(channel);
            let channel = channel.unwrap_or_else(|| Channel::named(Channels::OTHER));
            let named = named(self.context, channel, known.derived, Actor::System);
            self.pulse.promise(deadline, named, self.effects);
        }
    }

    fn moment(
        &mut self,
        account_id: Option<&str>,
        digest: &Digest,
        outcome: &Outcome,
        revision: u32,
    ) {
        if revision == 0 {
            for &rule in &outcome.rules {
                self.effects.fact(Fact::RuleHit(rule));
            }
            for fact in &outcome.facts {
                self.effects.fact(*fact);
            }
            if outcome.labels.labelled_by != LabelledBy::Rule && !digest.is_derived() {
                let event = self.effects.keep(digest.event.as_bytes());
                self.effects.fact(Fact::Unlabelled(event));
            }
        }
        let is_fresh = |fresh: &Fresh<'_>| *fresh.event_id == *digest.event_id;
        let record = Record {
            event_id: &digest.event_id,
            revision,
            account_id,
            ts: digest.ts,
            channel: &digest.channel_name,
            actor: digest.actor,
            event: &digest.event,
            labels: &outcome.labels,
            rules: &[],
            points: Points::default(),
            standing: outcome.standing,
            band: outcome.band,
            balance: None,
            derived: digest.is_derived(),
            retracted: false,
            backfill: self.backfill(digest.ts),
            same_pain_as: None,
            episode: None,
            transition: None,
            referral: None,
            properties: self.fresh.filter(is_fresh).and_then(|fresh| fresh.properties),
        }
        .with_outcome(outcome);
        let alert = self.context.rules.alerts(&outcome.rules);
        let counted = outcome.adds_to_rates(self.context.rules);
        self.emit(&record, digest.channel, (counted, alert));
    }

    /// A rule says `ignore`: nothing is published. What was published before history showed it is
    /// taken back.
    fn ignored(&mut self, customer: &mut Customer, position: usize, outcome: &Outcome) {
        let (standing, band) = (self.standing(customer), customer.standing().1);
        let Customer { account_id, head, tail, .. } = customer;
        let Some(digest) = tail.get_mut(position) else { return };
        if self.fresh.is_some_and(|fresh| *fresh.event_id == *digest.event_id) {
            self.effects.fact(Fact::Ignored);
        }
        let verdict = verdict_hash(outcome, &mut self.effects.bytes);
        let Some(known) = digest.published.take_if(|known| known.verdict != verdict) else {
            return;
        };
        let revision = known.revision.saturating_add(1);
        let said = Retraction {
            event_id: &digest.event_id,
            revision,
            ts: digest.ts,
            channel_name: &digest.channel_name,
            actor: digest.actor,
            event: &digest.event,
            labels: &known.labels,
            episode: None,
            derived: false,
        };
        self.retraction(said, account_id.as_deref(), (standing, band, head.balance.value()));
        let named = named(self.context, digest.channel, &digest.event, digest.actor);
        let id = stable_hash(digest.event_id.as_bytes());
        self.pulse.take_back((digest.ts, id), Some(named), self.effects);
        digest.published = Some(Published { revision, verdict, labels: known.labels });
    }

    /// Takes claims back.
    fn retract(&mut self, customer: &mut Customer, is_wrong: impl Fn(&Claim) -> bool) {
        let now = (self.standing(customer), customer.standing().1, customer.head.balance.value());
        let Customer { account_id, claims, .. } = customer;
        for claim in claims.iter_mut().filter(|claim| !claim.retracted && is_wrong(claim)) {
            claim.retracted = true;
            claim.published.revision = claim.published.revision.saturating_add(1);
            self.effects.fact(Fact::TakenBack(claim.kind));
            let said = Retraction {
                event_id: &claim.event_id,
                revision: claim.published.revision,
                ts: claim.ts,
                channel_name: &claim.channel_name,
                actor: Actor::System,
                event: self.context.rules.kind(claim.kind).map_or("", |kind| kind.derived),
                labels: &claim.published.labels,
                episode: Some((claim.kind, claim.key.as_deref())),
                derived: true,
            };
            self.retraction(said, account_id.as_deref(), now);
            let id = stable_hash(claim.event_id.as_bytes());
            self.pulse.take_back((claim.ts, id), None, self.effects);
        }
    }

    fn standing(&self, customer: &Customer) -> Standing {
        let as_of = customer.head.as_of.unwrap_or_default();
        standing_at(&customer.head, self.context.rules, as_of)
    }

    fn retraction(
        &mut self,
        said: Retraction<'_>,
        account_id: Option<&str>,
        (standing, band, balance): (Standing, Band, Option<f64>),
    ) {
        let record = Record {
            event_id: said.event_id,
            revision: said.revision,
            account_id,
            ts: said.ts,
            channel: said.channel_name,
            actor: said.actor,
            event: said.event,
            labels: said.labels,
            rules: &[],
            points: Points::default(),
            standing,
            band,
            balance,
            derived: said.derived,
            retracted: true,
            backfill: self.backfill(said.ts),
            same_pain_as: None,
            episode: said.episode,
            transition: None,
            referral: None,
            properties: None,
        };
        let known = self.context.settings.channels.get(said.channel_name);
        let channel = known.unwrap_or_else(|| Channel::named(Channels::OTHER));
        let counted = said.labels.valence == Valence::Pain;
        // Which rules said it is not known any more; who was told of nothing is told of no end.
        let alert = counted && self.context.rules.alerts_at_all();
        self.emit(&record, channel, (counted, alert));
    }

    fn backfill(&self, ts: EventTime) -> bool {
        self.context.settings.backfill_after.is_some_and(|age| age < self.now.since(ts))
    }

    fn emit(&mut self, record: &Record<'_>, channel: Channel, (counted, alert): (bool, bool)) {
        let key = self.effects.keep(self.context.customer_id.as_bytes());
        let event = self.effects.keep(record.event.as_bytes());
        let Labels { reason, .. } = record.labels;
        let reason = reason.as_ref().map(|reason| self.effects.keep(reason.as_bytes()));
        let start = self.effects.bytes.len();
        write_moment(&mut self.effects.bytes, record, self.context);
        let too_large = |effects: &Effects| {
            self.context.settings.max_output_bytes < effects.bytes.len() - start
        };
        if record.properties.is_some() && too_large(self.effects) {
            self.effects.bytes.truncate(start);
            let trimmed = Record { properties: None, ..*record };
            write_moment(&mut self.effects.bytes, &trimmed, self.context);
            self.effects.fact(Fact::MomentTrimmed);
        }
        let value = super::effects::Slice { start, end: self.effects.bytes.len() };
        let labels = record.labels;
        self.effects.push(Effect::Moment(Moment {
            key,
            value,
            revision: record.revision,
            retracted: record.retracted,
            derived: record.derived,
            counted,
            alert: alert && !record.backfill,
            ts: record.ts,
            event,
            channel,
            actor: record.actor,
            micro_moment: labels.micro_moment,
            moment_of_truth: labels.moment_of_truth,
            stage: labels.stage,
            valence: labels.valence,
            reason,
            labelled_by: labels.labelled_by,
        }));
    }
}

/// Returns under which names the spike detector counts it.
fn named<'n>(context: Context<'n>, channel: Channel, event: &'n str, actor: Actor) -> Named<'n> {
    let actor = u8::try_from(actor.index()).unwrap_or(0);
    Named { channel: context.settings.channels.name(channel), event, actor }
}

/// Hashes what a revision would correct: everything said but the scores, which every later
/// touchpoint moves anyway.
///
/// `scratch` is memory to write to, and is left as it was.
fn verdict_hash(outcome: &Outcome, scratch: &mut Vec<u8>) -> StableHash {
    let start = scratch.len();
    let said = &mut *scratch;
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
    } = &outcome.labels;
    for position in [
        micro_moment.index(),
        moment_of_truth.index(),
        stage.index(),
        valence.index(),
        labelled_by.index(),
        severity.map_or(9, Severity::index),
        evidence.map_or(9, Evidence::index),
        usize::from(outcome.ignored),
    ] {
        said.push(u8::try_from(position).unwrap_or(u8::MAX));
    }
    for rule in &outcome.rules {
        said.extend_from_slice(&rule.to_le_bytes());
    }
    for (track, points) in outcome.points.iter() {
        said.push(u8::try_from(track.index()).unwrap_or(u8::MAX));
        said.extend_from_slice(&points.to_le_bytes());
    }
    let (kind, key) =
        outcome.episode.as_ref().map_or((KindIx::MAX, None), |(kind, key)| (*kind, key.as_deref()));
    said.push(kind);
    let texts =
        [reason.as_deref(), key, outcome.same_pain_as.as_deref(), outcome.referral.as_deref()];
    for text in texts {
        said.push(u8::from(text.is_some()));
        said.extend_from_slice(text.unwrap_or_default().as_bytes());
    }
    for word in words {
        said.extend_from_slice(word.as_bytes());
        said.push(0);
    }
    if let Some(step) = outcome.transition {
        for position in [step.from.index(), step.to.index(), step.kind.index()] {
            said.push(u8::try_from(position).unwrap_or(u8::MAX));
        }
    }
    let hash = stable_hash(said.get(start..).unwrap_or_default());
    scratch.truncate(start);
    hash
}
