//! One customer's engagement: everything that evaluating a touchpoint reads and changes.

use super::{Journey, SeenGroups};
use crate::{
    engine::{
        episode::{Episode, Overdue, PastClose},
        in_place::clone_in_place,
        rules::{KindIx, RuleSet},
        score::{Balance, Ledger, Periods, Reversals},
    },
    model::{Band, Channel, EventTime, StableHash, stable_hash},
};

/// What a customer owns, as [`crate::engine::rules::spec::RuleSpec::acquires`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Acquired {
    pub(crate) value: StableHash,
    pub(crate) at: EventTime,
}

/// A customer's engagement at one point of event-time order.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Engagement {
    pub(crate) touchpoints: u64,
    pub(crate) customer_touchpoints: u64,
    pub(crate) visits: u32,
    pub(crate) pains: u32,
    pub(crate) glories: u32,
    pub(crate) recovered: u32,
    pub(crate) first_seen: Option<EventTime>,
    pub(crate) last_seen: Option<EventTime>,
    pub(crate) last_customer_at: Option<EventTime>,
    /// The latest event time that changed anything, derived touchpoints included.
    pub(crate) as_of: Option<EventTime>,
    /// Sorted by channel.
    pub(crate) channels: Vec<(Channel, u32)>,
    pub(crate) journey: Journey,
    pub(crate) ledger: Ledger,
    pub(crate) periods: Periods,
    pub(crate) reversals: Reversals,
    pub(crate) seen: SeenGroups,
    pub(crate) owned: Vec<Acquired>,
    pub(crate) balance: Balance,
    /// In order of opening.
    pub(crate) episodes: Vec<Episode>,
    /// Those of kinds that are not loaded, by the hash of the kind: a typo in a rule file, or a
    /// rolling deploy, must not make a promise forgotten. They do nothing until their kind is back.
    pub(crate) dormant: Vec<(StableHash, Episode)>,
    pub(crate) past_closes: Vec<PastClose>,
    pub(crate) band: Option<Band>,
    /// The band cannot fall before this instant.
    pub(crate) band_check_at: Option<EventTime>,
    pub(crate) absence_at: Option<EventTime>,
    /// When absence ended in `lapsed` and what that said, until the customer returns.
    pub(crate) lapse: Option<(EventTime, Overdue)>,
    /// "First" could be believed at the latest touchpoint.
    pub(crate) history_complete: bool,
    /// The referral code that this customer came with.
    pub(crate) referral: Option<Box<str>>,
}

clone_in_place!(Engagement {
    touchpoints,
    customer_touchpoints,
    visits,
    pains,
    glories,
    recovered,
    first_seen,
    last_seen,
    last_customer_at,
    as_of,
    channels,
    journey,
    ledger,
    periods,
    reversals,
    seen,
    owned,
    balance,
    episodes,
    dormant,
    past_closes,
    band,
    band_check_at,
    absence_at,
    lapse,
    history_complete,
    referral,
});

impl Engagement {
    /// Things a customer may own before the oldest is forgotten.
    pub(crate) const MAX_OWNED: usize = 64;

    /// Moves what former rule names gave to the present ones.
    pub(crate) fn rename(&mut self, rules: &RuleSet) {
        self.ledger.rename(rules);
        self.periods.rename(rules);
        self.reversals.rename(rules);
        let dormant = self.dormant.iter_mut().map(|(_, episode)| episode);
        let episodes = self.episodes.iter_mut().chain(dormant);
        let overdue = episodes.filter_map(|episode| episode.overdue.as_mut());
        for overdue in overdue.chain(self.lapse.as_mut().map(|(_, overdue)| overdue)) {
            for (hash, _, _) in &mut overdue.points {
                *hash = rules.rule_by_hash(*hash).map_or(*hash, |(_, rule)| rule.hash);
            }
        }
    }

    /// Takes in an episode that was read from a row: by its kind, or as one that waits for it.
    pub(crate) fn keep_episode(&mut self, kind: StableHash, episode: Episode, rules: &RuleSet) {
        if rules.kind_by_hash(kind).is_some() {
            let after = |one: &Episode| {
                (one.opened_at, &one.opened_by) <= (episode.opened_at, &episode.opened_by)
            };
            let position = self.episodes.partition_point(after);
            self.episodes.insert(position, episode);
        } else {
            self.dormant.push((kind, episode));
            if Episode::MAX_OPEN < self.dormant.len() {
                self.dormant.remove(0);
            }
        }
    }

    /// Returns the open episode of that kind and key. Without a key it is the one opened first that has
    /// none either, and if all have one, the one opened first.
    pub(crate) fn open_episode(&self, kind: KindIx, key: Option<&str>) -> Option<usize> {
        let exactly = self
            .episodes
            .iter()
            .position(|episode| episode.kind == kind && episode.key.as_deref() == key);
        let any = || self.episodes.iter().position(|episode| episode.kind == kind);
        exactly.or_else(|| key.is_none().then(any).flatten())
    }

    /// Returns the close that is remembered of that kind and key.
    pub(crate) fn past_close(&mut self, kind: KindIx, key: Option<&str>) -> Option<&mut PastClose> {
        let key = stable_hash(key?.as_bytes());
        self.past_closes.iter_mut().find(|close| close.kind == kind && close.key == key)
    }

    /// Adds to the count of a channel.
    pub(crate) fn count_channel(&mut self, channel: Channel) {
        match self.channels.binary_search_by_key(&channel, |(one, _)| *one) {
            Ok(position) => {
                if let Some((_, count)) = self.channels.get_mut(position) {
                    *count = count.saturating_add(1);
                }
            }
            Err(position) => self.channels.insert(position, (channel, 1)),
        }
    }

    /// Takes note of an acquisition.
    pub(crate) fn acquire(&mut self, acquired: Acquired) {
        if let Some(known) = self.owned.iter_mut().find(|known| known.value == acquired.value) {
            known.at = known.at.min(acquired.at);
            return;
        }
        self.owned.push(acquired);
        if Self::MAX_OWNED < self.owned.len() {
            let oldest = self.owned.iter().enumerate().min_by_key(|(_, one)| (one.at, one.value));
            if let Some((position, _)) = oldest {
                self.owned.remove(position);
            }
        }
    }
}
