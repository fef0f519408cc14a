//! Closing an episode: in time, late, or before it was opened.

use super::{EarlyClose, Episode};
use crate::{
    engine::{
        effects::{Bounded, Fact},
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

/// Closes the episode of that kind and key (without a key: the one opened first). Where none is
/// open, a keyed close is remembered for an open that may still come.
pub(crate) fn close(
    engagement: &mut Engagement,
    (kind, key): (KindIx, Option<&str>),
    at: EventTime,
    facts: &mut Vec<Fact>,
) -> Option<Closing> {
    let Some(position) = engagement.open_episode(kind, key) else {
        if let Some(key) = key {
            remember(engagement, EarlyClose { kind, key: stable_hash(key.as_bytes()), at }, facts);
        }
        return None;
    };
    let episode = engagement.episodes.remove(position);
    let late = episode.deadline.is_some_and(|deadline| deadline < at);
    let outcome = if late { EpisodeOutcome::ClosedLate } else { EpisodeOutcome::Closed };
    facts.push(Fact::EpisodeEnded(episode.kind, outcome));
    Some(Closing { episode, late })
}

fn remember(engagement: &mut Engagement, early: EarlyClose, facts: &mut Vec<Fact>) {
    let closes = &mut engagement.early_closes;
    if let Some(known) =
        closes.iter_mut().find(|one| one.kind == early.kind && one.key == early.key)
    {
        known.at = known.at.min(early.at);
        return;
    }
    closes.push(early);
    if Episode::MAX_EARLY_CLOSES < closes.len() {
        let oldest = closes.iter().enumerate().min_by_key(|(_, one)| (one.at, one.key));
        if let Some((position, _)) = oldest {
            closes.remove(position);
        }
        facts.push(Fact::Evicted(Bounded::EarlyCloses));
    }
}
