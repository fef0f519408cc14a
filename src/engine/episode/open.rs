//! Opening an episode.

use super::Episode;
use crate::{
    engine::{
        effects::{Bounded, Fact, Facts},
        rules::KindIx,
        state::Engagement,
    },
    model::{EpisodeOutcome, EventTime, Span},
};

/// What opens an episode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening<'a> {
    pub(crate) kind: KindIx,
    pub(crate) key: Option<&'a str>,
    pub(crate) at: EventTime,
    pub(crate) event_id: &'a str,
    pub(crate) channel_name: &'a str,
    pub(crate) deadline: Option<EventTime>,
}

/// Opens an episode, or moves the deadline of the one that is open already: a promise renewed.
///
/// Where its close came first and in time, it is over at once. Where that close was late, it stays
/// for the caller to end, after its deadline has spoken. Where it was opened before a close that has
/// found its episode, this is a late word about what is over.
pub(crate) fn open(
    engagement: &mut Engagement,
    opening: Opening<'_>,
    tolerance: Span,
    facts: &mut Facts,
) {
    let fires_at = opening
        .deadline
        .map(|deadline| if deadline < opening.at { opening.at.plus(tolerance) } else { deadline });
    let exactly = |episode: &&mut Episode| {
        episode.kind == opening.kind && episode.key.as_deref() == opening.key
    };
    if let Some(known) = engagement.episodes.iter_mut().find(exactly) {
        if known.overdue.is_none() && opening.deadline.is_some() {
            known.deadline = opening.deadline;
            known.fires_at = fires_at;
        }
        return;
    }
    match engagement.past_close(opening.kind, opening.key) {
        Some(close) if !close.early && opening.at < close.at => return,
        Some(close)
            if close.early && opening.deadline.is_none_or(|deadline| close.at <= deadline) =>
        {
            close.early = false;
            facts.push(Fact::EpisodeOpened(opening.kind));
            facts.push(Fact::EpisodeEnded(opening.kind, EpisodeOutcome::Closed));
            return;
        }
        Some(_) | None => {}
    }
    facts.push(Fact::EpisodeOpened(opening.kind));
    let episode = Episode {
        kind: opening.kind,
        key: opening.key.map(Box::from),
        opened_at: opening.at,
        opened_by: opening.event_id.into(),
        channel_name: opening.channel_name.into(),
        deadline: opening.deadline,
        fires_at,
        overdue: None,
        pain: None,
    };
    insert(engagement, episode, facts);
}

/// Adds an open episode; at the bound the one opened first gives way.
pub(super) fn insert(engagement: &mut Engagement, episode: Episode, facts: &mut Facts) {
    let position = engagement.episodes.partition_point(|one| {
        (one.opened_at, &one.opened_by) <= (episode.opened_at, &episode.opened_by)
    });
    if engagement.episodes.is_empty() {
        // Mostly there is one at a time: no room for four.
        engagement.episodes.reserve_exact(1);
    }
    engagement.episodes.insert(position, episode);
    if Episode::MAX_OPEN < engagement.episodes.len() {
        let oldest = engagement.episodes.remove(0);
        facts.push(Fact::Evicted(Bounded::Episodes));
        facts.push(Fact::EpisodeEnded(oldest.kind, EpisodeOutcome::Evicted));
    }
}
