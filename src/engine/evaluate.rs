//! Evaluating one touchpoint against one engagement: classify, score, episode, in that order.

use super::{
    classify::{History, RuleIxs, group_of, label, matching},
    effects::{Bounded, Fact, Facts},
    episode::{
        Closing, Episode, Opening, Overdue, PainNews, close, end_pain, ended_at, note_pain, open,
        recover, remember_end,
    },
    give::{fading, give_points},
    rules::{Closes, Due, KindIx, Rule, RuleSet, kind, spec::ScaleKind},
    score::{GLORY_WEIGHT, Standing},
    state::{Candidate, Digest, Engagement, Origin, SeenEntry, Transition},
    timeline::Context,
};
use crate::model::{
    Actor, Band, EventTime, Labels, Points, Severity, Span, StableHash, Stage, Track, Valence,
    stable_hash,
};

/// How long a pain may wait for recovery where its rule does not say (DOMAIN.md, Episodes).
const RECOVER_WITHIN: Span = 72 * 3_600_000;

/// What came of a touchpoint.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) labels: Labels,
    /// The rules that matched, in order.
    pub(crate) rules: RuleIxs,
    pub(crate) points: Points,
    /// The same by rule, for taking them back.
    pub(crate) given: Vec<(StableHash, Track, f64)>,
    pub(crate) points_taken: bool,
    pub(crate) standing: Standing,
    pub(crate) band: Band,
    pub(crate) balance: Option<f64>,
    pub(crate) episode: Option<(KindIx, Option<Box<str>>)>,
    pub(crate) same_pain_as: Option<Box<str>>,
    pub(crate) transition: Option<Transition>,
    pub(crate) referral: Option<Box<str>>,
    pub(crate) facts: Facts,
    /// Deadlines that it set, by kind of episode.
    pub(crate) promises: Vec<(KindIx, EventTime)>,
    /// A rule said `ignore`.
    pub(crate) ignored: bool,
    /// Event ids of what deadlines claimed and this touchpoint proves wrong.
    pub(crate) takes_back: Vec<Box<str>>,
}

impl Outcome {
    /// A deadline's claim was wrong: undoes what it did.
    fn take_back(
        &mut self,
        engagement: &mut Engagement,
        overdue: Overdue,
        deadline: EventTime,
        context: Context<'_>,
    ) {
        self.takes_back.extend(take_back(engagement, overdue, deadline, context));
        self.points_taken = true;
    }

    /// A pain that adds to pain rates: one that happened, and that no other
    /// touchpoint showed already. Relational NPS says what somebody thinks of the
    /// brand (DOMAIN.md, Scales); a survey sent to many would look like a spike.
    pub(crate) fn adds_to_rates(&self, rules: &RuleSet) -> bool {
        let matched = || self.rules.iter().filter_map(|rule| rules.rule(*rule));
        let is_nps = |rule: &&Rule| {
            rule.label.scale.as_ref().is_some_and(|scale| scale.kind == ScaleKind::Nps)
        };
        // Of one case, if a rule says of which.
        let is_relational = matched().any(|rule| is_nps(&rule))
            && matched().filter(is_nps).all(|rule| rule.pain_key.is_none());
        self.labels.valence == Valence::Pain && self.same_pain_as.is_none() && !is_relational
    }
}

/// Evaluates a touchpoint: what it is, and what it changes.
pub(crate) fn evaluate(
    engagement: &mut Engagement,
    digest: &mut Digest,
    context: Context<'_>,
) -> Outcome {
    let mut facts = Facts::new();
    remember_seen(engagement, digest, context, &mut facts);
    let visit_gap = context.settings.visit_gap;
    let history = History { engagement, digest, rules: context.rules, visit_gap };
    let seen = context.watch.and_then(|watch| watch.ask(history));
    let matched = matching(history);
    for candidate in &mut digest.candidates {
        candidate.matched = matched.rules.contains(&candidate.rule);
    }
    if matched.history_unknown {
        facts.push(Fact::HistoryUnknown);
    }
    let digest = &*digest;
    let mut outcome = Outcome {
        labels: label(context.rules, digest, &self::matched(digest), true),
        ignored: matched
            .rules
            .iter()
            .any(|&index| context.rules.rule(index).is_some_and(|rule| rule.ignore)),
        rules: matched.rules,
        points: Points::default(),
        given: Vec::new(),
        points_taken: false,
        standing: Standing { tracks: [0.0; 5], overall: 0.0 },
        band: Band::Dormant,
        balance: None,
        episode: None,
        same_pain_as: None,
        transition: None,
        referral: None,
        facts,
        promises: Vec::new(),
        takes_back: Vec::new(),
    };
    if !outcome.ignored {
        let pain_key = run_episodes(engagement, digest, context, &mut outcome);
        feel(engagement, digest, context, &mut outcome, pain_key.as_deref());
        give_points(engagement, digest, context, &mut outcome);
        travel(engagement, digest, context, &mut outcome);
    }
    if let Some(watch) = context.watch {
        watch.conclude(seen, (digest, &outcome), context);
    }
    outcome
}

/// Adds the touchpoint to what `seen` predicates remember: it counts itself.
fn remember_seen(
    engagement: &mut Engagement,
    digest: &Digest,
    context: Context<'_>,
    facts: &mut Facts,
) {
    let Some(memories) = context.rules.seen.get(&*digest.event) else { return };
    let id = stable_hash(digest.event_id.as_bytes());
    for memory in memories {
        let Some(group) = group_of(digest, memory.same) else { continue };
        let lone = memory.distinct.is_none().then_some(0);
        let values = memory.distinct.into_iter().flat_map(|path| digest.values_of(path));
        for value in lone.into_iter().chain(values.map(|value| stable_hash(value.as_bytes()))) {
            let entry = SeenEntry { ts: digest.ts, id, value };
            if engagement.seen.insert((memory.memory, group), entry, memory.at_least) {
                facts.push(Fact::Evicted(Bounded::SeenGroups));
            }
        }
    }
}

/// Closes and opens episodes. Returns the key under which a pain of this touchpoint is kept.
fn run_episodes(
    engagement: &mut Engagement,
    digest: &Digest,
    context: Context<'_>,
    outcome: &mut Outcome,
) -> Option<Box<str>> {
    let mut pain_key = match &digest.origin {
        Origin::Deadline { kind, key, same_pain_as } => {
            outcome.episode = Some((*kind, key.clone()));
            outcome.same_pain_as.clone_from(same_pain_as);
            key.clone()
        }
        Origin::Record => None,
    };
    for candidate in digest.candidates.iter().filter(|candidate| candidate.matched) {
        let Some(rule) = context.rules.rule(candidate.rule) else { continue };
        if let Some(closes) = &rule.closes {
            let key = closes.key.and_then(|path| digest.value(path));
            if closes.kind == kind::PAIN {
                fix_pain(engagement, digest, context, (closes, key), outcome);
            } else if let Some(closing) =
                close(engagement, (closes.kind, key), digest.ts, &mut outcome.facts)
            {
                pain_key = pain_key.or_else(|| closing.episode.key.clone());
                outcome.episode = Some((closing.episode.kind, closing.episode.key.clone()));
                conclude(engagement, digest, context, closing, outcome);
            }
        }
        open_for(engagement, digest, context, (candidate, rule), outcome);
        if let Some(path) = rule.pain_key {
            pain_key = pain_key.or_else(|| digest.value(path).map(Box::from));
        }
    }
    pain_key
}

/// A plain fix: ends the pains with that key and reason; without a key, the pains of the customer.
fn fix_pain(
    engagement: &mut Engagement,
    digest: &Digest,
    context: Context<'_>,
    (closes, key): (&Closes, Option<&str>),
    outcome: &mut Outcome,
) {
    if outcome.labels.valence == Valence::Recovered || (closes.key.is_some() && key.is_none()) {
        return;
    }
    let wrong = end_pain(engagement, digest.ts, &mut outcome.facts, |pain| {
        (key.is_none() || pain.key.as_deref() == key) && closes.means(pain.reason())
    });
    let every = closes.reasons.is_empty().then_some(None);
    for reason in every.into_iter().chain(closes.reasons.iter().map(|one| Some(&**one))) {
        remember_end(engagement, (key, reason), digest.ts, &mut outcome.facts);
    }
    for (overdue, at) in wrong {
        outcome.take_back(engagement, overdue, at, context);
    }
}

fn open_for(
    engagement: &mut Engagement,
    digest: &Digest,
    context: Context<'_>,
    (candidate, rule): (&Candidate, &Rule),
    outcome: &mut Outcome,
) {
    let Some(opens) = &rule.opens else { return };
    let key = opens.key.and_then(|path| digest.value(path));
    if opens.key.is_some() && key.is_none() {
        // Without its key nothing could ever close it but by accident.
        return;
    }
    let deadline = match opens.due {
        Due::Never => None,
        Due::After(span) => Some(digest.ts.plus(span)),
        Due::Field { .. } => candidate.due,
    };
    outcome.episode = Some((opens.kind, key.map(Box::from)));
    outcome.promises.extend(deadline.map(|at| (opens.kind, at)));
    let opening = Opening {
        kind: opens.kind,
        key,
        at: digest.ts,
        event_id: &digest.event_id,
        channel_name: &digest.channel_name,
        deadline,
    };
    open(engagement, opening, context.settings.tolerance, &mut outcome.facts);
}

/// What the end of an episode means for the touchpoint that ended it.
fn conclude(
    engagement: &mut Engagement,
    digest: &Digest,
    context: Context<'_>,
    closing: Closing,
    outcome: &mut Outcome,
) {
    let Some(overdue) = closing.episode.overdue else { return };
    if !closing.late {
        // The deadline had fired, but this close is in time: the claim was wrong.
        if let Some(at) = closing.episode.deadline {
            outcome.take_back(engagement, overdue, at, context);
        }
        return;
    }
    let shown_by = Box::from(overdue.pain_id());
    let Some((reason, severity)) = overdue.pain else { return };
    // The close carries the same pain; it was counted when the deadline passed.
    outcome.labels.valence = Valence::Pain;
    outcome.labels.reason = reason;
    outcome.labels.severity = Some(severity);
    outcome.labels.evidence = Some(crate::model::Evidence::Operational);
    end_pain(engagement, digest.ts, &mut outcome.facts, |pain| pain.opened_by == shown_by);
    outcome.same_pain_as = Some(shown_by);
}

/// Undoes what a deadline's touchpoint did to a settled engagement, and what came of the pain that
/// it was. Returns the claims that were wrong.
pub(crate) fn take_back(
    engagement: &mut Engagement,
    overdue: Overdue,
    deadline: EventTime,
    context: Context<'_>,
) -> Vec<Box<str>> {
    for &(rule, track, points) in &overdue.points {
        engagement.ledger.add((rule, track), -points, deadline, fading(context, rule, track));
    }
    if let (Some((_, severity)), None) = (&overdue.pain, &overdue.same_pain_as) {
        engagement.pains = engagement.pains.saturating_sub(1);
        engagement.balance.add(-f64::from(severity.weight()), deadline, -1);
    }
    let its_pain = engagement
        .episodes
        .iter()
        .position(|one| one.kind == kind::PAIN && one.opened_by == overdue.event_id);
    let mut wrong = vec![overdue.event_id];
    if let Some(position) = its_pain {
        let pain = engagement.episodes.remove(position);
        if let (Some(unrecovered), Some(at)) = (pain.overdue, pain.deadline) {
            wrong.extend(take_back(engagement, unrecovered, at, context));
        }
    }
    wrong
}

/// Counts pain, glory and recovery, and opens or ends pains accordingly.
fn feel(
    engagement: &mut Engagement,
    digest: &Digest,
    context: Context<'_>,
    outcome: &mut Outcome,
    pain_key: Option<&str>,
) {
    match outcome.labels.valence {
        Valence::Neutral | Valence::Unknown => {}
        Valence::Glory => {
            engagement.glories = engagement.glories.saturating_add(1);
            engagement.balance.add(GLORY_WEIGHT, digest.ts, 1);
        }
        Valence::Recovered => {
            let (key, closes) = recovery_key(digest, context);
            let means = |reason: Option<&str>| closes.is_none_or(|closes| closes.means(reason));
            let recovered = recover(engagement, (key, means), digest.ts, &mut outcome.facts);
            let Some(Episode { pain: Some(pain), key, overdue, deadline, .. }) = recovered else {
                // Made good needs something that was bad: the rules after it have the word.
                outcome.labels = label(context.rules, digest, &matched(digest), false);
                feel(engagement, digest, context, outcome, pain_key);
                return;
            };
            if let (Some(overdue), Some(at)) = (overdue, deadline.filter(|&at| digest.ts <= at)) {
                outcome.take_back(engagement, overdue, at, context);
            }
            if key.is_some() {
                let which = (key.as_deref(), pain.reason.as_deref());
                remember_end(engagement, which, digest.ts, &mut outcome.facts);
            }
            engagement.recovered = engagement.recovered.saturating_add(1);
            outcome.labels.reason.clone_from(&pain.reason);
            let reason = stable_hash(pain.reason.as_deref().unwrap_or_default().as_bytes());
            if engagement.balance.may_recover(reason, digest.ts) {
                engagement.balance.add(f64::from(pain.severity.weight()), digest.ts, 1);
            }
        }
        Valence::Pain => {
            let severity = outcome.labels.severity.unwrap_or(Severity::Failure);
            if outcome.same_pain_as.is_some() {
                return;
            }
            let same = same_pain(engagement, pain_key, outcome.labels.reason.as_deref());
            let ended = pain_over(engagement, digest, outcome, pain_key);
            let known = same.or(ended.as_ref().and_then(|(_, shown_by)| shown_by.as_deref()));
            if let Some(opened_by) = known {
                outcome.same_pain_as = Some(opened_by.into());
                return;
            }
            engagement.pains = engagement.pains.saturating_add(1);
            engagement.balance.add(-f64::from(severity.weight()), digest.ts, 1);
            if Severity::Failure <= severity {
                let within = digest
                    .candidates
                    .iter()
                    .filter(|candidate| candidate.matched)
                    .find_map(|one| context.rules.rule(one.rule)?.recover_within);
                let news = PainNews {
                    key: pain_key,
                    at: digest.ts,
                    event_id: &digest.event_id,
                    channel_name: &digest.channel_name,
                    severity,
                    reason: outcome.labels.reason.as_deref(),
                    within: within.unwrap_or(RECOVER_WITHIN),
                };
                note_pain(engagement, news, &mut outcome.facts);
                if let Some((at, _)) = ended {
                    let mine = |pain: &Episode| pain.opened_by == digest.event_id;
                    end_pain(engagement, at, &mut outcome.facts, mine);
                }
            }
        }
    }
}

/// Returns when this pain was over, if it lies before its end and is heard of only now; and the event that
/// showed it first, where that is still known.
fn pain_over(
    engagement: &Engagement,
    digest: &Digest,
    outcome: &Outcome,
    key: Option<&str>,
) -> Option<(EventTime, Option<Box<str>>)> {
    if digest.is_derived() {
        // A deadline speaks when it is due, and is not heard of late.
        return None;
    }
    let reason = outcome.labels.reason.as_deref();
    let at = ended_at(engagement, (key, reason), digest.ts)?;
    let shown = engagement.episodes.iter().find(|one| {
        key.is_some()
            && one.pain.as_ref().is_some_and(|pain| pain.resolved)
            && (one.key.as_deref(), one.reason()) == (key, reason)
    });
    Some((at, shown.map(|one| one.opened_by.clone())))
}

/// Returns the event that showed this pain first: the same key and the same reason, and nobody has
/// ended it. A ticket about the parcel that is late is no second pain.
fn same_pain<'e>(
    engagement: &'e Engagement,
    key: Option<&str>,
    reason: Option<&str>,
) -> Option<&'e str> {
    let (key, reason) = (key?, reason?);
    let mut pains = engagement.episodes.iter().filter(|one| one.kind == kind::PAIN && one.hurts());
    let same = pains.find(|one| one.key.as_deref() == Some(key) && one.reason() == Some(reason))?;
    Some(&same.opened_by)
}

/// Returns the candidates that match, in order.
fn matched(digest: &Digest) -> impl Iterator<Item = &Candidate> + Clone {
    digest.candidates.iter().filter(|candidate| candidate.matched)
}

/// Returns the key by which a recovering touchpoint names the pain, and the rule's part that says so.
fn recovery_key<'d, 'r>(
    digest: &'d Digest,
    context: Context<'r>,
) -> (Option<&'d str>, Option<&'r Closes>) {
    let closes = |candidate: &Candidate| {
        let closes = context.rules.rule(candidate.rule)?.closes.as_ref()?;
        (closes.kind == kind::PAIN).then_some(closes)
    };
    let keyed = matched(digest).filter_map(closes).find_map(|closes| {
        let key = digest.value(closes.key?)?;
        Some((Some(key), Some(closes)))
    });
    keyed.unwrap_or_else(|| (None, matched(digest).find_map(closes)))
}

/// Moves the customer on: counts, visits, stage, absence.
fn travel(
    engagement: &mut Engagement,
    digest: &Digest,
    context: Context<'_>,
    outcome: &mut Outcome,
) {
    let ts = digest.ts;
    engagement.as_of = engagement.as_of.max(Some(ts));
    if digest.is_derived() {
        return;
    }
    engagement.history_complete = digest.history_complete;
    engagement.touchpoints += 1;
    engagement.count_channel(digest.channel);
    engagement.first_seen = Some(engagement.first_seen.map_or(ts, |first| first.min(ts)));
    engagement.last_seen = engagement.last_seen.max(Some(ts));
    if digest.actor != Actor::Customer {
        return;
    }
    engagement.customer_touchpoints += 1;
    let gap = context.settings.visit_gap;
    let new_visit = engagement.last_customer_at.is_none_or(|last| gap <= ts.since(last));
    if new_visit {
        engagement.visits = engagement.visits.saturating_add(1);
    }
    let newest = engagement.last_customer_at.is_none_or(|last| last < ts);
    engagement.last_customer_at = engagement.last_customer_at.max(Some(ts));
    if engagement.lapse.as_ref().is_some_and(|(at, _)| *at < ts) {
        engagement.lapse = None;
    }
    // A straggler from before a lapse re-arms nothing: who lapsed has lapsed once.
    let arms = 2 <= engagement.customer_touchpoints && (newest || engagement.lapse.is_none());
    if let Some(absence) = context.rules.absence.filter(|_| arms) {
        engagement.absence_at = engagement.last_customer_at.map(|last| last.plus(absence));
    }
    let Labels { stage, micro_moment, .. } = outcome.labels;
    let step = engagement.journey.advance(ts, stage, micro_moment);
    if let Some(step) = step {
        outcome.facts.push(Fact::Transition { kind: step.kind, from: step.from, to: step.to });
        let entry = step.from == Stage::None;
        let code = context.rules.referral_paths.iter().find_map(|path| digest.value(*path));
        if let (true, Some(code)) = (entry, code) {
            outcome.facts.push(Fact::Referred(step.kind));
            outcome.referral = Some(code.into());
            engagement.referral.get_or_insert_with(|| code.into());
        }
    }
    outcome.transition = step;
}
