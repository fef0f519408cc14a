//! Closing an episode: in time, late, or before it was opened.

use super::{Episode, PastClose};
use crate::{
    engine::{
        effects::{Bounded, Fact, Facts},
        rules::KindIx,
        state::Engagement,
    },
    model::{EpisodeOutcome, EventTime, stable_hash},
};

/// How an episode ended.
#[derive(Debug)]
pub(crate) struct Closing {
    pub(crate) episode: Episode,
    /// The close came after the deadline.
    pub(crate) late: bool,
}

/// Closes the episode of that kind and key (without a key: one that has none either, else the one
/// opened first). One with a key is remembered: its open, or another touchpoint that opens the same,
/// may still come.
pub(crate) fn close(
    engagement: &mut Engagement,
    (kind, key): (KindIx, Option<&str>),
    at: EventTime,
    facts: &mut Facts,
) -> Option<Closing> {
    let position = engagement.open_episode(kind, key);
    let episode = position.map(|position| engagement.episodes.remove(position));
    if let Some(key) = key.or(episode.as_ref().and_then(|episode| episode.key.as_deref())) {
        let key = stable_hash(key.as_bytes());
        remember(engagement, PastClose { kind, key, at, early: episode.is_none() }, facts);
    }
    let episode = episode?;
    let late = episode.deadline.is_some_and(|deadline| deadline < at);
    let outcome = if late { EpisodeOutcome::ClosedLate } else { EpisodeOutcome::Closed };
    facts.push(Fact::EpisodeEnded(episode.kind, outcome));
    Some(Closing { episode, late })
}

/// Of several the first is early: it says whether a deadline was kept. Of those that found something
/// the last counts.
pub(super) fn remember(engagement: &mut Engagement, close: PastClose, facts: &mut Facts) {
    let closes = &mut engagement.past_closes;
    let same = |one: &&mut PastClose| one.kind == close.kind && one.key == close.key;
    if let Some(known) = closes.iter_mut().find(same) {
        known.at = if known.early && close.early {
            known.at.min(close.at)
        } else {
            known.at.max(close.at)
        };
        known.early &= close.early;
        return;
    }
    closes.push(close);
    if Episode::MAX_PAST_CLOSES < closes.len() {
        let least = closes.iter().enumerate().min_by_key(|(_, one)| (one.early, one.at, one.key));
        let evicted = least.map(|(position, _)| position).map(|position| closes.remove(position));
        if evicted.is_some_and(|one| one.early) {
            facts.push(Fact::Evicted(Bounded::EarlyCloses));
        }
    }
}
