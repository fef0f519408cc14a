//! One customer's time line: touchpoints and deadlines, evaluated in order of event time.
//!
//! Evaluating is a function of an engagement and a digest. Everything that order can change goes
//! through here, so that a touchpoint that came late is put in its place by evaluating the tail
//! again, and a deadline fires at the same point of a journey whether it was noticed at once or
//! found on the way.

use super::{
    classify::{Subject, Values, Words, examine},
    effects::{Fact, Facts},
    episode::{Overdue, derived_id, end_pain, prune_pains},
    evaluate::{Outcome, evaluate, take_back},
    explain::Watch,
    rules::{KindIx, PathIx, Rule, RuleSet, kind},
    score::{band_at, next_fall, standing_at},
    settings::Settings,
    state::{Digest, Engagement, Origin},
};
use crate::model::{
    Actor, Channel, Channels, EpisodeOutcome, EventTime, Labels, Property, Valence,
};

/// What evaluating needs besides the customer's own state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'e> {
    pub(crate) rules: &'e RuleSet,
    pub(crate) settings: &'e Settings,
    pub(crate) customer_id: &'e str,
    /// How far event time has come in the partition: deadlines up to here have passed.
    pub(crate) watermark: EventTime,
    /// Who wants to know why.
    pub(crate) watch: Option<&'e Watch>,
}

/// A deadline that fired: its touchpoint, and what came of it.
#[derive(Debug)]
pub(crate) struct Fired {
    /// The settled engagement contains it: evaluating the tail again will not repeat it.
    pub(crate) settled: bool,
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
    let mut facts = Facts::new();
    prune_pains(engagement, digest.ts, &mut facts);
    let mut outcome = with_deadlines(engagement, digest, context, fired);
    outcome.facts.append(&mut facts);
    outcome
}

/// Evaluates a touchpoint that is older than everything in the tail: once, against the settled
/// engagement as it stands now. Deadlines that it makes due `before` that engagement's end fire.
pub(crate) fn evaluate_late(
    settled: &mut Engagement,
    digest: &mut Digest,
    before: EventTime,
    context: Context<'_>,
    fired: &mut Vec<Fired>,
) -> Outcome {
    let returned = undo_lapse(settled, digest, context);
    let mut outcome = with_deadlines(settled, digest, context, fired);
    outcome.takes_back.extend(returned);
    fire(settled, Until::Settled(before), context, fired);
    outcome
}

/// Evaluates a touchpoint, and the deadlines that it proves to have passed.
fn with_deadlines(
    engagement: &mut Engagement,
    digest: &mut Digest,
    context: Context<'_>,
    fired: &mut Vec<Fired>,
) -> Outcome {
    while let Some(position) = overdue_close(engagement, digest, context)
        .or_else(|| overdue_pain(engagement, digest, context))
    {
        fire_episode(engagement, position, context, fired);
    }
    let mut outcome = evaluate(engagement, digest, context);
    after(engagement, digest.ts, &mut outcome, context);
    if let Some(position) = closed_late_already(engagement, &digest.event_id) {
        fire_episode(engagement, position, context, fired);
        end_closed_late(engagement, digest, &mut outcome.facts);
    }
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

/// More deadlines never pass at once: each that fires is gone or moves forward, and a few dozen are
/// open. Were one to come back for ever, the others would stay due until they are looked at again,
/// and the partition would not stand still.
const FIRED_MAX: usize = 1024;

/// Fires the deadlines that have passed, earliest first.
pub(crate) fn fire(
    engagement: &mut Engagement,
    until: Until,
    context: Context<'_>,
    fired: &mut Vec<Fired>,
) {
    let watermark = context.watermark;
    for _ in 0..FIRED_MAX {
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

/// Returns the episode that this touchpoint opened, where its close came before, but was late.
fn closed_late_already(engagement: &Engagement, event_id: &str) -> Option<usize> {
    engagement.episodes.iter().position(|episode| {
        *episode.opened_by == *event_id
            && episode.pain.is_none()
            && engagement.past_closes.iter().any(|close| close.early && close.is_of(episode))
    })
}

/// Ends it, after its deadline has spoken.
fn end_closed_late(engagement: &mut Engagement, opened_by: &Digest, facts: &mut Facts) {
    let Some(position) = closed_late_already(engagement, &opened_by.event_id) else { return };
    let episode = engagement.episodes.remove(position);
    if let Some(close) = engagement.past_close(episode.kind, episode.key.as_deref()) {
        close.early = false;
    }
    facts.push(Fact::EpisodeEnded(episode.kind, EpisodeOutcome::ClosedLate));
    let shown_by = episode.overdue.as_ref().map(Overdue::pain_id);
    end_pain(engagement, opened_by.ts, facts, |pain| shown_by == Some(&*pain.opened_by));
}

/// Returns a pain whose deadline has not fired though it lies before this touchpoint, which may end
/// pains: the deadline speaks first, or it would depend on the watermark whether it speaks at all.
fn overdue_pain(engagement: &Engagement, digest: &Digest, context: Context<'_>) -> Option<usize> {
    let pending = engagement.episodes.iter().enumerate().filter_map(|(position, episode)| {
        let at = episode.fires_at.filter(|&at| episode.kind == kind::PAIN && at < digest.ts)?;
        Some((at, position))
    });
    let (_, position) = pending.min()?;
    let ends_pain = |rule: &Rule| {
        let closes = rule.closes.as_ref();
        let ends_overdue = |kind: KindIx| {
            engagement.episodes.iter().any(|one| one.kind == kind && one.overdue.is_some())
        };
        rule.label.valence == Some(Valence::Recovered)
            || closes.is_some_and(|one| one.kind == kind::PAIN || ends_overdue(one.kind))
    };
    let mut rules = digest.candidates.iter().filter_map(|one| context.rules.rule(one.rule));
    rules.any(ends_pain).then_some(position)
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
    digest.history_complete = engagement.history_complete;
    let mut outcome = evaluate(engagement, &mut digest, context);
    let found = engagement
        .episodes
        .iter_mut()
        .find(|one| one.kind == claimed.0 && one.opened_by == claimed.1 && one.key == key);
    if let Some(episode) = found {
        episode.overdue = Some(overdue_of(&digest, &outcome));
    }
    after(engagement, deadline, &mut outcome, context);
    fired.push(Fired { settled: false, at, digest, outcome });
}

/// Returns what a deadline said, as it may have to be taken back.
fn overdue_of(digest: &Digest, outcome: &Outcome) -> Overdue {
    let Labels { valence, reason, severity, .. } = &outcome.labels;
    let pain = severity.filter(|_| *valence == Valence::Pain);
    Overdue {
        event_id: digest.event_id.clone(),
        pain: pain.map(|severity| (reason.clone(), severity)),
        same_pain_as: outcome.same_pain_as.clone(),
        points: outcome.given.clone(),
    }
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
    digest.history_complete = engagement.history_complete;
    let mut outcome = evaluate(engagement, &mut digest, context);
    has_come(engagement, at);
    outcome.transition = engagement.journey.lapse(at);
    if let Some(step) = outcome.transition {
        outcome.facts.push(Fact::Transition { kind: step.kind, from: step.from, to: step.to });
    }
    engagement.lapse = Some((at, overdue_of(&digest, &outcome)));
    after(engagement, at, &mut outcome, context);
    fired.push(Fired { settled: false, at, digest, outcome });
}

/// A touchpoint of before the lapse, that came later than the order window: nobody was absent.
/// Returns the claims that were wrong.
fn undo_lapse(settled: &mut Engagement, digest: &Digest, context: Context<'_>) -> Vec<Box<str>> {
    let returned = digest.actor == Actor::Customer && settled.last_customer_at < Some(digest.ts);
    match settled.lapse.take() {
        Some((at, overdue)) if returned && digest.ts <= at => {
            settled.journey.unlapse(at);
            take_back(settled, overdue, at, context)
        }
        kept => {
            settled.lapse = kept;
            Vec::new()
        }
    }
}

/// The band can fall no earlier than its check; whether it does is computed only then.
fn fire_band(
    engagement: &mut Engagement,
    at: EventTime,
    context: Context<'_>,
    fired: &mut Vec<Fired>,
) {
    let as_of = engagement.as_of.unwrap_or(at.minus(1));
    let falls = next_fall(engagement, context.rules, as_of);
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
    digest.history_complete = engagement.history_complete;
    let mut outcome = evaluate(engagement, &mut digest, context);
    has_come(engagement, at);
    after(engagement, at, &mut outcome, context);
    fired.push(Fired { settled: false, at, digest, outcome });
}

/// Who stayed away is absent and has fallen, whether or not a rule ignores what is said of it.
fn has_come(engagement: &mut Engagement, at: EventTime) {
    engagement.as_of = engagement.as_of.max(Some(at));
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
        channel_name,
        channel_known: known.is_some(),
        actor: Actor::System,
        episode,
        words: &Words::new(None, &context.rules.lexicon),
        values: &NoValues,
    };
    let mut candidates = Vec::new();
    examine(context.rules, &subject, &mut candidates);
    if let Some(watch) = context.watch {
        watch.examine(&event_id, &subject, context.rules);
    }
    Digest {
        ts,
        event_id,
        event: event.into(),
        channel_name: channel_name.into(),
        channel,
        actor: Actor::System,
        origin,
        history_complete: false,
        values: key_values(context.rules, episode, key.as_deref()),
        groups: Vec::new(),
        candidates,
        heard: None,
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

/// Under other rules the same points may be another band, and fall at another instant.
pub(crate) fn stand_anew(engagement: &mut Engagement, context: Context<'_>) {
    let Some(as_of) = engagement.as_of else { return };
    let overall = standing_at(engagement, context.rules, as_of).overall;
    engagement.band = Some(band_at(engagement, overall));
    engagement.band_check_at = next_fall(engagement, context.rules, as_of);
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
