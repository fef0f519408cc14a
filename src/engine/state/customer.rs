//! A customer: settled engagement, tail, head, and what was published and may be taken back.

use std::collections::VecDeque;

use super::{DedupeRing, Digest, Engagement, Published};
use crate::{
    engine::{
        episode::Episode,
        rules::{KindIx, RuleSet},
    },
    model::{Band, EventTime, Span, StableHash, Stage},
};

/// What a deadline said, while it may still turn out to be wrong.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claim {
    pub(crate) ts: EventTime,
    pub(crate) event_id: Box<str>,
    pub(crate) kind: KindIx,
    pub(crate) key: Option<Box<str>>,
    pub(crate) channel_name: Box<str>,
    pub(crate) published: Published,
    pub(crate) retracted: bool,
    /// The settled engagement contains it: re-evaluating the tail does not emit it again.
    pub(crate) settled: bool,
}

/// One customer in memory.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five facts that have nothing to do with each other"
)]
pub(crate) struct Customer {
    pub(crate) account_id: Option<Box<str>>,
    /// When the account was last named: the latest touchpoint that names one wins.
    pub(crate) account_at: Option<EventTime>,
    pub(crate) ring: DedupeRing,
    /// Everything up to the order window, evaluated for good.
    pub(crate) settled: Engagement,
    /// The event time before which everything is settled.
    pub(crate) settled_before: Option<EventTime>,
    /// Sorted by (time, event id).
    pub(crate) tail: VecDeque<Digest>,
    /// Settled plus tail plus the deadlines that have passed.
    pub(crate) head: Engagement,
    /// When the latest deadline of `head` fired that `settled` does not have.
    pub(crate) head_fired_at: Option<EventTime>,
    /// The watermark up to which deadlines have fired in `head`.
    pub(crate) fired_through: Option<EventTime>,
    pub(crate) claims: Vec<Claim>,
    /// The newest event time of a touchpoint, ignored ones included: retention counts from here.
    pub(crate) touched_at: Option<EventTime>,
    /// The event time up to which other rules evaluated this customer; `None`: these alone did.
    pub(crate) rules_since: Option<EventTime>,
    /// Last input offset and tick that changed this customer.
    pub(crate) offset: i64,
    pub(crate) tick: u64,
    /// Stage and band as of the last commit, for gauges; `None`: not in the store.
    pub(crate) committed: Option<(Stage, Band)>,
    /// A row exists in the changelog, so forgetting this customer takes a tombstone.
    pub(crate) stored: bool,
    /// Changed since the last commit.
    pub(crate) dirty: bool,
    /// Looked for since the partition's memory was last swept.
    pub(crate) met: bool,
    /// Erased or past retention: the seal writes tombstones.
    pub(crate) retired: bool,
    /// The rules that wrote the tail's candidates.
    pub(crate) rules_version: StableHash,
    /// Where the partition's deadline index has this customer.
    pub(crate) indexed_due: Option<EventTime>,
}

impl Customer {
    /// Touchpoints in a tail (DOMAIN.md, Order, repetition, time). At the bound the oldest is
    /// settled early, and counted.
    pub(crate) const MAX_TAIL: usize = 32;

    /// Returns the same customer with nothing behind them.
    pub(crate) fn anew(&self, rules: &RuleSet) -> Self {
        let Self { committed, stored, dirty, .. } = *self;
        let rules_version = rules.version_hash();
        Self { committed, stored, dirty, rules_version, ..Self::default() }
    }

    /// Returns the latest event time of a touchpoint.
    pub(crate) fn latest(&self) -> Option<EventTime> {
        self.head.last_seen
    }

    /// Returns the first moment at which time alone changes something.
    pub(crate) fn due(&self, retention: Span) -> Option<EventTime> {
        let retired = self.touched_at.map(|last| last.plus(retention));
        self.earliest_deadline().into_iter().chain(retired).min()
    }

    /// Returns the first deadline of the head.
    pub(crate) fn earliest_deadline(&self) -> Option<EventTime> {
        let head = &self.head;
        let episodes = head.episodes.iter().filter_map(|episode| episode.fires_at);
        episodes.chain(head.absence_at).chain(head.band_check_at).min()
    }

    /// Returns stage and band, for gauges.
    pub(crate) fn standing(&self) -> (Stage, Band) {
        (self.head.journey.stage.unwrap_or(Stage::None), self.head.band.unwrap_or(Band::Dormant))
    }

    /// Drops claims that can no longer be taken back: settled, and their episode is over.
    pub(crate) fn prune_claims(&mut self, rules: &RuleSet) {
        let Engagement { episodes, lapse, .. } = &self.settled;
        let lapse = lapse.as_ref().map(|(_, overdue)| &*overdue.event_id);
        self.claims.retain(|claim| {
            let still_claimed = || {
                let mut claimed = episodes.iter().map(Episode::claim_id).chain([lapse]);
                claimed.any(|id| id == Some(&*claim.event_id))
            };
            !claim.settled
                || (!claim.retracted && rules.kind(claim.kind).is_some() && still_claimed())
        });
    }
}
