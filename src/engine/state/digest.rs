//! What is remembered of a touchpoint that may have to be evaluated again.
//!
//! It holds what its record showed by itself (which rules could match, keys, promises) and what
//! was published about it; never the record.

use super::Order;
use crate::{
    engine::{
        rules::{KindIx, PathIx, RuleIx},
        spike::Group,
        text::Reading,
    },
    model::{
        Actor, Channel, EventTime, Labels, MicroMoment, MomentOfTruth, StableHash, Stage, Valence,
    },
};

/// A touchpoint's digest. Ordered by (time, event id).
#[derive(Clone, Debug)]
pub(crate) struct Digest {
    pub(crate) ts: EventTime,
    pub(crate) event_id: Box<str>,
    pub(crate) event: Box<str>,
    /// As it was named.
    pub(crate) channel_name: Box<str>,
    /// As it is counted.
    pub(crate) channel: Channel,
    pub(crate) actor: Actor,
    pub(crate) origin: Origin,
    /// "First" could be believed when it arrived.
    pub(crate) history_complete: bool,
    /// The rules that match, or would if the history agreed; in order.
    pub(crate) candidates: Vec<Candidate>,
    /// Values of the paths that keys and history predicates ask for; several where a path goes
    /// through an array.
    pub(crate) values: Vec<(PathIx, Box<str>)>,
    /// What some rule asked of the customer's words, if they said anything.
    pub(crate) heard: Option<Reading>,
    /// Where it belongs among the slices that are watched for spikes.
    pub(crate) groups: Vec<Group>,
    /// What words suggest if no rule matches.
    pub(crate) guess: Option<(MicroMoment, MomentOfTruth, Stage)>,
    pub(crate) published: Option<Published>,
}

/// Where a touchpoint comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A record.
    Record,
    /// A deadline.
    Deadline {
        kind: KindIx,
        key: Option<Box<str>>,
        /// The event that showed this pain first.
        same_pain_as: Option<Box<str>>,
    },
}

/// A rule that may match.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) rule: RuleIx,
    /// One bit per leaf that the touchpoint decides alone.
    pub(crate) leaves: u64,
    /// Read from the rule's scale.
    pub(crate) scale: Option<Valence>,
    /// The promise that the event holds for the rule's episode.
    pub(crate) due: Option<EventTime>,
    /// What the evaluation under way decided.
    pub(crate) matched: bool,
}

/// What was said of a touchpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) revision: u32,
    /// Hash of everything that a revision would correct.
    pub(crate) verdict: StableHash,
    pub(crate) labels: Labels,
}

impl Digest {
    /// Returns the value of a path; the first where there are several.
    pub(crate) fn value(&self, path: PathIx) -> Option<&str> {
        self.values_of(path).next()
    }

    /// Returns every value of a path.
    pub(crate) fn values_of(&self, path: PathIx) -> impl Iterator<Item = &str> {
        self.values.iter().filter(move |(one, _)| *one == path).map(|(_, value)| &**value)
    }

    /// Returns the place in order.
    pub(crate) fn order(&self) -> Order<'_> {
        Order { ts: self.ts, event_id: &self.event_id }
    }

    /// Emitted by a deadline.
    pub(crate) fn is_derived(&self) -> bool {
        self.origin != Origin::Record
    }
}
