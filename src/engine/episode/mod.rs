//! Intervals that matter: opened by a touchpoint, closed by another, perhaps with a deadline.
//!
//! When a deadline passes the engine emits a touchpoint of its own, which goes through the rules
//! like any other; no event from outside is needed. A claim that turns out to be wrong, because
//! the closing touchpoint was only late on its way, is taken back.

mod close;
mod open;
mod pain;

use xxhash_rust::xxh3::xxh3_128;

pub(crate) use self::{
    close::{Closing, close},
    open::{Opening, open},
    pain::{PainNews, end_pain, ended_at, note_pain, prune_pains, recover, remember_end},
};
use crate::{
    engine::{in_place::clone_if_other, rules::KindIx},
    model::{EventTime, Severity, StableHash, Track, stable_hash},
};

/// An open episode.
#[derive(Debug, PartialEq)]
pub(crate) struct Episode {
    pub(crate) kind: KindIx,
    pub(crate) key: Option<Box<str>>,
    pub(crate) opened_at: EventTime,
    /// The event id that opened it.
    pub(crate) opened_by: Box<str>,
    pub(crate) channel_name: Box<str>,
    pub(crate) deadline: Option<EventTime>,
    /// When the deadline is acted on: the deadline itself, or one tolerance after opening where it
    /// was past already. `None` without a deadline, and after it fired.
    pub(crate) fires_at: Option<EventTime>,
    pub(crate) overdue: Option<Overdue>,
    /// Only for episodes of the kind `pain`.
    pub(crate) pain: Option<PainCase>,
}

/// What the deadline said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Overdue {
    /// The derived touchpoint's event id.
    pub(crate) event_id: Box<str>,
    /// The pain it was, if the rules said so: its reason and severity.
    pub(crate) pain: Option<(Option<Box<str>>, Severity)>,
    /// The event that had shown this pain already: then it was counted there.
    pub(crate) same_pain_as: Option<Box<str>>,
    /// The points that it gave.
    pub(crate) points: Vec<(StableHash, Track, f64)>,
}

/// How a pain stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PainCase {
    pub(crate) severity: Severity,
    pub(crate) reason: Option<Box<str>>,
    /// A plain fix ended it. Until the deadline a recovering act may still make it good.
    pub(crate) resolved: bool,
}

/// A close that is remembered for an open that may still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PastClose {
    pub(crate) kind: KindIx,
    /// Hash of the key; of a pain, of the key and the reason.
    pub(crate) key: StableHash,
    pub(crate) at: EventTime,
    /// It found nothing to close: whatever opens next under this key is over. One that did close
    /// something ends only what says that it was opened before.
    pub(crate) early: bool,
}

clone_if_other!(Episode {
    kind,
    key,
    opened_at,
    opened_by,
    channel_name,
    deadline,
    fires_at,
    overdue,
    pain,
});

impl PastClose {
    /// Returns whether it would have closed this episode.
    pub(crate) fn is_of(&self, episode: &Episode) -> bool {
        let key = episode.key.as_deref().map(|key| stable_hash(key.as_bytes()));
        self.kind == episode.kind && key == Some(self.key)
    }
}

impl Overdue {
    /// Returns the event that showed this pain first.
    pub(crate) fn pain_id(&self) -> &str {
        self.same_pain_as.as_deref().unwrap_or(&self.event_id)
    }
}

impl Episode {
    /// Open episodes per customer (DOMAIN.md, Order, repetition, time). At the bound the one
    /// opened first is closed as `evicted`, and counted.
    pub(crate) const MAX_OPEN: usize = 32;

    /// Remembered closes per customer. At the bound the oldest that found its open goes; where none
    /// did, the oldest, and is counted.
    pub(crate) const MAX_PAST_CLOSES: usize = 16;

    /// Returns the event id of the touchpoint that its deadline emitted.
    pub(crate) fn claim_id(&self) -> Option<&str> {
        self.overdue.as_ref().map(|overdue| &*overdue.event_id)
    }

    /// Returns the reason of a pain.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.pain.as_ref()?.reason.as_deref()
    }

    /// A pain that nobody has ended.
    pub(crate) fn hurts(&self) -> bool {
        self.pain.as_ref().is_some_and(|pain| !pain.resolved)
    }
}

/// Returns the event id of a derived touchpoint: the same wherever and whenever it is computed.
pub(crate) fn derived_id(
    customer_id: &str,
    kind: &str,
    key: Option<&str>,
    opened_by: &str,
    deadline: EventTime,
) -> Box<str> {
    let mut hashed = Vec::with_capacity(128);
    for part in [customer_id, kind, key.unwrap_or_default(), opened_by] {
        hashed.extend_from_slice(part.as_bytes());
        hashed.push(0);
    }
    hashed.extend_from_slice(&deadline.as_millis().to_be_bytes());
    format!("{:032x}", xxh3_128(&hashed)).into()
}
