//! Pain as an episode: opened by a pain of severity 2 or more, ended by a fix or by being made
//! good, and due to be made good within a time.

use super::{Episode, Overdue, PainCase, PastClose, close::remember, open::insert};
use crate::{
    engine::{
        effects::{Fact, Facts},
        rules::kind,
        state::Engagement,
    },
    model::{EpisodeOutcome, EventTime, Severity, Span, StableHash, stable_hash},
};

/// How long an open pain is remembered after it hurt; then it is closed as `unrecovered`. Longer
/// than the half-life of `balance` (60 days), so that it never fades before its weight does.
const REMEMBERED: Span = 90 * 86_400_000;

/// A pain that opens an episode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PainNews<'a> {
    pub(crate) key: Option<&'a str>,
    pub(crate) at: EventTime,
    pub(crate) event_id: &'a str,
    pub(crate) channel_name: &'a str,
    pub(crate) severity: Severity,
    pub(crate) reason: Option<&'a str>,
    /// How long it may wait for recovery.
    pub(crate) within: Span,
}

/// Opens a pain episode.
pub(crate) fn note_pain(engagement: &mut Engagement, news: PainNews<'_>, facts: &mut Facts) {
    let deadline = Some(news.at.plus(news.within));
    let pain =
        PainCase { severity: news.severity, reason: news.reason.map(Box::from), resolved: false };
    facts.push(Fact::EpisodeOpened(kind::PAIN));
    let episode = Episode {
        kind: kind::PAIN,
        key: news.key.map(Box::from),
        opened_at: news.at,
        opened_by: news.event_id.into(),
        channel_name: news.channel_name.into(),
        deadline,
        fires_at: deadline,
        overdue: None,
        pain: Some(pain),
    };
    insert(engagement, episode, facts);
}

/// Ends pains by a plain fix: those that `is_meant` picks. Until their deadline they are kept, so
/// that a recovering act may still make them good. Returns what deadlines claimed, and when, though
/// the fix was in time.
pub(crate) fn end_pain(
    engagement: &mut Engagement,
    at: EventTime,
    facts: &mut Facts,
    is_meant: impl Fn(&Episode) -> bool,
) -> Vec<(Overdue, EventTime)> {
    let mut wrong = Vec::new();
    engagement.episodes.retain_mut(|episode| {
        if episode.kind != kind::PAIN || !episode.hurts() || !is_meant(episode) {
            return true;
        }
        facts.push(Fact::EpisodeEnded(kind::PAIN, EpisodeOutcome::Resolved));
        episode.fires_at = None;
        if let Some(pain) = &mut episode.pain {
            pain.resolved = true;
        }
        let in_time = episode.deadline.filter(|&deadline| at <= deadline);
        wrong.extend(in_time.and_then(|deadline| Some((episode.overdue.take()?, deadline))));
        in_time.is_some()
    });
    wrong
}

/// Which pains a fix means: those under a key, for a reason; `None` is every one.
type Meant<'a> = (Option<&'a str>, Option<&'a str>);

/// Remembers until when pains like these are over: a word about one of them may come later than the
/// order window, and would open it anew, with nobody left to close it.
pub(crate) fn remember_end(
    engagement: &mut Engagement,
    meant: Meant<'_>,
    at: EventTime,
    facts: &mut Facts,
) {
    let close = PastClose { kind: kind::PAIN, key: hash_of(meant), at, early: false };
    remember(engagement, close, facts);
}

/// Returns when a pain that hurt at that time was ended, if it is known.
pub(crate) fn ended_at(
    engagement: &Engagement,
    (key, reason): Meant<'_>,
    at: EventTime,
) -> Option<EventTime> {
    let meant = [(key, reason), (key, None), (None, reason), (None, None)].map(hash_of);
    let ends = engagement
        .past_closes
        .iter()
        .filter(|close| close.kind == kind::PAIN && at < close.at && meant.contains(&close.key));
    ends.map(|close| close.at).min()
}

fn hash_of((key, reason): Meant<'_>) -> StableHash {
    let mut hashed = Vec::with_capacity(64);
    for part in [key, reason] {
        hashed.push(u8::from(part.is_some()));
        hashed.extend_from_slice(part.unwrap_or_default().as_bytes());
        hashed.push(0);
    }
    stable_hash(&hashed)
}

/// Makes a pain good: of those whose reason is meant the one with that key, or the newest. Returns
/// it.
pub(crate) fn recover(
    engagement: &mut Engagement,
    (key, means): (Option<&str>, impl Fn(Option<&str>) -> bool),
    at: EventTime,
    facts: &mut Facts,
) -> Option<Episode> {
    let may = |episode: &Episode| {
        let in_time = episode.deadline.is_none_or(|deadline| at <= deadline);
        let may = (episode.hurts() || in_time) && episode.opened_at <= at;
        episode.kind == kind::PAIN && may && means(episode.reason())
    };
    let keyed = key.and_then(|key| {
        engagement.episodes.iter().rposition(|one| may(one) && one.key.as_deref() == Some(key))
    });
    let position = keyed.or_else(|| engagement.episodes.iter().rposition(may))?;
    let episode = engagement.episodes.remove(position);
    facts.push(Fact::EpisodeEnded(kind::PAIN, EpisodeOutcome::Recovered));
    Some(episode)
}

/// Forgets pains that lie too far back, and resolved ones past their deadline.
pub(crate) fn prune_pains(engagement: &mut Engagement, at: EventTime, facts: &mut Facts) {
    engagement.episodes.retain(|episode| {
        if episode.kind != kind::PAIN {
            return true;
        }
        if !episode.hurts() {
            return episode.deadline.is_some_and(|deadline| at <= deadline);
        }
        let remembered = at.since(episode.opened_at) <= REMEMBERED;
        if !remembered {
            facts.push(Fact::EpisodeEnded(kind::PAIN, EpisodeOutcome::Unrecovered));
        }
        remembered
    });
}
