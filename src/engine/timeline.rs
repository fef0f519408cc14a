//! One customer's time line: touchpoints and deadlines, evaluated in order of event time.
//!
//! Evaluating is a function of an engagement and a digest. Everything that order can change goes
//! through here, so that a touchpoint that came late is put in its place by evaluating the tail
//! again, and a deadline fires at the same point of a journey whether it was noticed at once or
//! found on the way.

use super::{
    classify::{Subject, Values, examine},
    effects::Fact,
    episode::{Overdue, derived_id, prune_pains},
    evaluate::{Outcome, evaluate},
    rules::{KindIx, PathIx, RuleSet, kind},
    score::{band_at, next_fall, standing_at},
    settings::Settings,
    state::{Digest, Engagement, Origin},
};
use crate::model::{Actor, Channel, Channels, EventTime, Property, Valence};

/// What evaluating needs besides the customer's own state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'e> {
    pub(crate) rules: &'e RuleSet,
    pub(crate) settings: &'e Settings,
    pub(crate) customer_id: &'e str,
    /// How far event time has come in the partition: deadlines up to here have passed.
    pub(crate) watermark: EventTime,
    /// The tail was examined by other rules: what they decided stands.
    pub(crate) remembered: bool,
}

/// A deadline that fired: its touchpoint, and what came of it.
#[derive(Debug)]
pub(crate) struct Fired {
    /// Its place in order: the deadline, or later where that was past when the episode opened.
    pub(crate) at: EventTime,
    pub(crate) digest: Digest,
    pub(crate) outcome: Outcome,
}

/// Evaluates a touchpoint in its place, after every deadline before it. Those that fired are
/// appended to `fired`.
pub(crate) fn step(
    engagement: &mut Engagement,
    digest: &mut Digest,
    context: Context<'_>,
    fired: &mut Vec<Fired>,
) -> Outcome {
    let by_customer = digest.actor == Actor::Customer;
    fire(engagement, Until::Before { at: digest.ts, by_customer }, context, fired);
    let mut facts = Vec::new();
    prune_pains(engagement, digest.ts, &mut facts);
    while let Some(position) = overdue_close(engagement, digest, context) {
        fire_episode(engagement, position, context, fired);
    }
    let mut outcome = evaluate(engagement, digest, context);
    outcome.facts.append(&mut facts);
    after(engagement, digest.ts, &mut outcome, context);
    outcome
}

/// Evaluates a touchpoint that is older than everything in the tail: once, against the settled
/// engagement as it stands now.
pub(crate) fn evaluate_late(
    settled: &mut Engagement,
    digest: &mut Digest,
    context: Context<'_>,
) -> Outcome {
    let mut outcome = evaluate(settled, digest, context);
    after(settled, digest.ts, &mut outcome, context);
    outcome
}

/// How far deadlines fire.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// Before a touchpoint. Absence ends with a customer's touchpoint and bands are read by every
    /// one, so these fire even ahead of the watermark.
    Before { at: EventTime, by_customer: bool },
    /// Before an instant, as far as the watermark has come.
    Settled(EventTime),
    /// Up to the watermark.
    Watermark,
}

enum Next {
    Episode(usize),
    Absence,
    Band,
}

/// Fires the deadlines that have passed, earliest first.
pub(crate) fn fire(
    engagement: &mut Engagement,
    until: Until,
    context: Context<'_>,
    fired: &mut Vec<Fired>,
) {
    let watermark = context.watermark;
    // Every deadline that fires is gone or moves forward, and at most a few dozen are open.
    for _ in 0..1024 {
        let passed = |at: EventTime, forced: bool| match until {
            Until::Before { at: before, .. } => at < before && (at <= watermark || forced),
            Until::Settled(before) => at < before && at <= watermark,
            Until::Watermark => at <= watermark,
        };
        let forced_absence = matches!(until, Until::Before { by_customer: true, .. });
        let forced_band = matches!(until, Until::Before { .. });
        let episodes = engagement.episodes.iter().enumerate().filter_map(|(position, episode)| {
            let at = episode.fires_at.filter(|&at| passed(at, false))?;
            Some((at, 0_u8, Next::Episode(position)))
        });
        let absence = engagement.absence_at.filter(|&at| passed(at, forced_absence));
        let band = engagement.band_check_at.filter(|&at| passed(at, forced_band));
        let next = episodes
            .chain(absence.map(|at| (at, 1, Next::Absence)))
            .chain(band.map(|at| (at, 2, Next::Band)))
            .min_by_key(|(at, order, _)| (*at, *order));
        let Some((at, _, next)) = next else { return };
        match next {
            Next::Episode(position) => fire_episode(engagement, position, context, fired),
            Next::Absence => fire_absence(engagement, at, context, fired),
            Next::Band => fire_band(engagement, at, context, fired),
        }
    }
}

/// Returns an episode that this touchpoint closes after its deadline, which has not fired yet.
fn overdue_close(engagement: &Engagement, digest: &Digest, context: Context<'_>) -> Option<usize> {
    digest.candidates.iter().find_map(|candidate| {
        let closes = context.rules.rule(candidate.rule)?.closes.as_ref()?;
        let key = closes.key.and_then(|path| digest.value(path));
        let position = engagement.open_episode(closes.kind, key)?;
        let episode = engagement.episodes.get(position)?;
        let due = closes.kind != kind::PAIN
            && episode.fires_at.is_some()
            && episode.deadline.is_some_and(|deadline| deadline < digest.ts);
        due.then_some(position)
    })
}

fn fire_episode(
    engagement: &mut Engagement,
    position: usize,
    context: Context<'_>,
    fired: &mut Vec<Fired>,
) {
    let Some(episode) = engagement.episodes.get_mut(position) else { return };
    let Some(at) = episode.fires_at.take() else { return };
    let Some(deadline) = episode.deadline else { return };
    let Some(known) = context.rules.kind(episode.kind) else { return };
    let key = episode.key.clone();
    let opened_by = episode.opened_by.clone();
    let same_pain_as = (episode.kind == kind::PAIN).then(|| opened_by.clone());
    let channel_name = known.channel.clone().unwrap_or_else(|| episode.channel_name.clone());
    let origin = Origin::Deadline { kind: episode.kind, key: key.clone(), same_pain_as };
    let event_id =
        derived_id(context.customer_id, &known.name, key.as_deref(), &opened_by, deadline);
    let claimed = (episode.kind, opened_by);
    let mut digest = derive(context, (known.derived, event_id), &channel_name, deadline, origin);
    let mut outcome = evaluate(engagement, &mut digest, context);
    let pain = (outcome.labels.valence == Valence::Pain)
        .then(|| Some((outcome.labels.reason.clone(), outcome.labels.severity?)))
        .flatten();
    let found = engagement
        .episodes
        .iter_mut()
        .find(|one| one.kind == claimed.0 && one.opened_by == claimed.1 && one.key == key);
    if let Some(episode) = found {
        episode.overdue = Some(Overdue {
            event_id: digest.event_id.clone(),
            pain,
            points: outcome.given.clone(),
        });
    }
    after(engagement, deadline, &mut outcome, context);
    fired.push(Fired { at, digest, outcome });
}

fn fire_absence(
    engagement: &mut Engagement,
    at: EventTime,
    context: Context<'_>,
    fired: &mut Vec<Fired>,
) {
    engagement.absence_at = None;
    let Some(known) = context.rules.kind(kind::ABSENCE) else { return };
    let event_id = derived_id(context.customer_id, &known.name, None, "", at);
    let origin = Origin::Deadline { kind: kind::ABSENCE, key: None, same_pain_as: None };
    let mut digest = derive(context, (known.derived, event_id), Channels::OTHER, at, origin);
    let mut outcome = evaluate(engagement, &mut digest, context);
    outcome.transition = engagement.journey.lapse(at);
    if let Some(step) = outcome.transition {
        outcome.facts.push(Fact::Transition { kind: step.kind, from: step.from, to: step.to });
    }
    after(engagement, at, &mut outcome, context);
    fired.push(Fired { at, digest, outcome });
}

/// The band can fall no earlier than its check; whether it does is computed only then.
fn fire_band(
    engagement: &mut Engagement,
    at: EventTime,
    context: Context<'_>,
    fired: &mut Vec<Fired>,
) {
    let falls = next_fall(engagement, context.rules, at.minus(1));
    if falls != Some(at) {
        engagement.band_check_at = falls;
        return;
    }
    engagement.band_check_at = None;
    let Some(known) = context.rules.kind(kind::BAND) else { return };
    let left = engagement.band.map(|band| Box::from(band.as_str()));
    let event_id = derived_id(context.customer_id, &known.name, left.as_deref(), "", at);
    let origin = Origin::Deadline { kind: kind::BAND, key: left, same_pain_as: None };
    let mut digest = derive(context, (known.derived, event_id), Channels::OTHER, at, origin);
    let mut outcome = evaluate(engagement, &mut digest, context);
    after(engagement, at, &mut outcome, context);
    fired.push(Fired { at, digest, outcome });
}

/// Properties of a derived touchpoint: it has none.
struct NoValues;

impl Values for NoValues {
    fn values(&self, _: PathIx) -> &[Property<'_>] {
        &[]
    }

    fn promise(&self, _: PathIx, _: bool) -> Option<EventTime> {
        None
    }
}

/// Returns the touchpoint that a deadline emits.
fn derive(
    context: Context<'_>,
    (event, event_id): (&str, Box<str>),
    channel_name: &str,
    ts: EventTime,
    origin: Origin,
) -> Digest {
    let known = context.settings.channels.get(channel_name);
    let channel = known.unwrap_or_else(|| Channel::named(Channels::OTHER));
    let (episode, key) = match &origin {
        Origin::Deadline { kind, key, .. } => (Some(*kind), key.clone()),
        Origin::Record => (None, None),
    };
    let subject = Subject {
        event,
        channel,
        channel_known: known.is_some(),
        actor: Actor::System,
        episode,
        text: None,
        values: &NoValues,
    };
    let mut candidates = Vec::new();
    examine(context.rules, &subject, &mut candidates);
    Digest {
        ts,
        event_id,
        event: event.into(),
        channel_name: channel_name.into(),
        channel,
        actor: Actor::System,
        origin,
        history_complete: true,
        values: key_values(context.rules, episode, key.as_deref()),
        candidates,
        guess: None,
        published: None,
    }
}

/// A derived touchpoint answers for every property that keys an episode of its kind: a rule on it
/// can close or ask for episodes by the same key.
fn key_values(rules: &RuleSet, kind: Option<KindIx>, key: Option<&str>) -> Vec<(PathIx, Box<str>)> {
    let Some(key) = key else { return Vec::new() };
    let mut paths: Vec<PathIx> = rules
        .rules
        .iter()
        .filter_map(|rule| rule.opens.as_ref())
        .filter(|opens| Some(opens.kind) == kind)
        .filter_map(|opens| opens.key)
        .collect();
    paths.sort_unstable();
    paths.dedup();
    paths.into_iter().map(|path| (path, Box::from(key))).collect()
}

/// Brings the band, and the check for its next fall, up to date with what just happened.
fn after(engagement: &mut Engagement, at: EventTime, outcome: &mut Outcome, context: Context<'_>) {
    let as_of = engagement.as_of.unwrap_or(at).max(at);
    outcome.standing = standing_at(engagement, context.rules, as_of);
    let band = band_at(engagement, outcome.standing.overall);
    let kept = engagement.band == Some(band) && engagement.band_check_at.is_some();
    engagement.band = Some(band);
    outcome.band = band;
    outcome.balance = engagement.balance.value();
    // A check that was safe stays safe while points are only added within the same band; points
    // that were taken away may bring the fall forward.
    if !kept || outcome.points_taken {
        engagement.band_check_at = next_fall(engagement, context.rules, as_of);
    }
}
