//! Writing an engagement, section by section.
//!
//! A row holds two of them: the settled one whole, and of the head the sections in which it differs.
//! The head is what was decided and published. Without it a row could only be read by evaluating
//! the tail again, and under other rules that would decide otherwise about what is long told.

use super::write::{index, put, put_all, put_at, put_hash, put_time};
use crate::{
    engine::{
        episode::{Episode, Overdue, PastClose},
        rules::{KindIx, RuleSet},
        score::{Balance, Ledger, Reversals},
        state::{Engagement, Journey, SeenGroups},
    },
    model::{EventTime, StableHash, Stage},
};

/// A part of an engagement that is written whole or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Counts,
    Times,
    Origin,
    Journey,
    Ledger,
    Periods,
    Reversals,
    Seen,
    Owned,
    Balance,
    Episodes,
}

impl Section {
    /// Every section, in the order in which rows have them.
    pub(super) const ALL: [Self; 11] = [
        Self::Counts,
        Self::Times,
        Self::Origin,
        Self::Journey,
        Self::Ledger,
        Self::Periods,
        Self::Reversals,
        Self::Seen,
        Self::Owned,
        Self::Balance,
        Self::Episodes,
    ];

    /// Returns its bit in what says which sections follow.
    pub(super) fn bit(self) -> u16 {
        Self::ALL.iter().position(|one| *one == self).map_or(0, |position| 1 << position)
    }
}

/// Writes an engagement.
pub(super) fn put_engagement(out: &mut Vec<u8>, engagement: &Engagement, rules: &RuleSet) {
    for section in Section::ALL {
        put_section(out, section, engagement, rules);
    }
}

/// Writes the sections in which the second of two engagements differs from the first.
pub(super) fn put_change(
    out: &mut Vec<u8>,
    (from, to): (&Engagement, &Engagement),
    rules: &RuleSet,
) {
    let changed = |section: &Section| differs(*section, from, to);
    let bits = Section::ALL.into_iter().filter(changed).map(Section::bit);
    put(out, &bits.fold(0_u16, |bits, bit| bits | bit));
    for section in Section::ALL.into_iter().filter(changed) {
        put_section(out, section, to, rules);
    }
}

fn differs(section: Section, from: &Engagement, to: &Engagement) -> bool {
    let times = |one: &Engagement| {
        let Engagement { first_seen, last_seen, last_customer_at, as_of, .. } = *one;
        let Engagement { band_check_at, absence_at, history_complete, band, .. } = *one;
        let seen = (first_seen, last_seen, last_customer_at, as_of);
        (seen, band_check_at, absence_at, history_complete, band)
    };
    let counts = |one: &Engagement| {
        let Engagement { touchpoints, customer_touchpoints, visits, .. } = *one;
        (touchpoints, customer_touchpoints, visits, one.pains, one.glories, one.recovered)
    };
    match section {
        Section::Counts => counts(from) != counts(to) || from.channels != to.channels,
        Section::Times => times(from) != times(to) || from.lapse != to.lapse,
        Section::Origin => from.referral != to.referral,
        Section::Journey => from.journey != to.journey,
        Section::Ledger => from.ledger != to.ledger,
        Section::Periods => from.periods != to.periods,
        Section::Reversals => from.reversals != to.reversals,
        Section::Seen => from.seen != to.seen,
        Section::Owned => from.owned != to.owned,
        Section::Balance => from.balance != to.balance,
        Section::Episodes => {
            from.episodes != to.episodes
                || from.past_closes != to.past_closes
                || from.dormant != to.dormant
        }
    }
}

fn put_section(out: &mut Vec<u8>, section: Section, engagement: &Engagement, rules: &RuleSet) {
    // Taken apart whole, so that a new field is not forgotten here. (Then also in `differs`.)
    let Engagement {
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
    } = engagement;
    match section {
        Section::Counts => {
            put(out, &(touchpoints, customer_touchpoints, visits, pains, glories, recovered));
            put_all(out, channels.iter(), |out, (channel, count)| {
                put_hash(out, channel.as_hash());
                put(out, count);
            });
        }
        Section::Times => {
            for &at in [first_seen, last_seen, last_customer_at, as_of, band_check_at, absence_at] {
                put_time(out, at);
            }
            put(out, &(history_complete, band.map(|band| index(band.index()))));
            put_time(out, lapse.as_ref().map(|(at, _)| *at));
            if let Some((_, overdue)) = lapse {
                put_overdue(out, overdue);
            }
        }
        Section::Origin => put(out, referral),
        Section::Journey => put_journey(out, journey),
        Section::Ledger => put_ledger(out, ledger),
        Section::Periods => {
            put_all(out, periods.0.iter(), |out, line| {
                put_hash(out, line.rule);
                put(out, &(index(line.track.index()), &line.periods, line.full));
            });
        }
        Section::Reversals => put_reversals(out, reversals),
        Section::Seen => put_seen(out, seen),
        Section::Owned => {
            put_all(out, owned.iter(), |out, one| put_dated(out, (one.value, one.at)));
        }
        Section::Balance => put_balance(out, balance),
        Section::Episodes => put_episodes(out, (episodes, dormant, past_closes), rules),
    }
}

fn put_dated(out: &mut Vec<u8>, (hash, at): (StableHash, EventTime)) {
    put_hash(out, hash);
    put_at(out, at);
}

fn put_episodes(
    out: &mut Vec<u8>,
    (episodes, dormant, past_closes): (&[Episode], &[(StableHash, Episode)], &[PastClose]),
    rules: &RuleSet,
) {
    put(out, &(episodes.len() + dormant.len()));
    for episode in episodes {
        put_episode(out, episode, kind_hash(rules, episode.kind));
    }
    for (kind, episode) in dormant {
        put_episode(out, episode, *kind);
    }
    put_all(out, past_closes.iter(), |out, close| {
        put_hash(out, kind_hash(rules, close.kind));
        put_dated(out, (close.key, close.at));
        put(out, &close.early);
    });
}

fn put_seen(out: &mut Vec<u8>, seen: &SeenGroups) {
    put_all(out, seen.0.iter(), |out, group| {
        put_hash(out, group.memory);
        put_hash(out, group.group);
        put_all(out, group.entries.iter(), |out, entry| {
            put_at(out, entry.ts);
            put_hash(out, entry.id);
            put_hash(out, entry.value);
        });
    });
}

fn put_balance(out: &mut Vec<u8>, balance: &Balance) {
    put(out, &(balance.good, balance.bad, balance.moments));
    put_time(out, balance.as_of);
    put_all(out, balance.recovered.iter(), |out, recovered| put_dated(out, *recovered));
}

fn put_journey(out: &mut Vec<u8>, journey: &Journey) {
    let stage = |stage: Option<Stage>| stage.map(|stage| index(stage.index()));
    put(out, &(stage(journey.stage), stage(journey.deepest), journey.lapsed));
    put_time(out, journey.stage_ts);
    put_time(out, journey.since);
    for record in journey.stages.iter().chain(&journey.micro_moments) {
        put(out, &record.count);
        if 0 < record.count {
            put_time(out, record.last);
        }
    }
    put(out, &journey.transitions.len());
    for step in &journey.transitions {
        let labels = (index(step.from.index()), index(step.to.index()), index(step.kind.index()));
        put(out, &(step.at.as_millis(), labels));
    }
}

fn put_ledger(out: &mut Vec<u8>, ledger: &Ledger) {
    put_all(out, ledger.0.iter(), |out, line| {
        put_hash(out, line.rule);
        out.push(index(line.track.index()));
        put(out, &line.value);
        put_at(out, line.as_of);
    });
}

fn put_reversals(out: &mut Vec<u8>, reversals: &Reversals) {
    put(out, &reversals.forgotten);
    put_all(out, reversals.given.iter(), |out, given| {
        put_dated(out, (given.key, given.at));
        put_ledger(out, &given.points);
    });
    put_all(out, reversals.taken.iter(), |out, taken| put_dated(out, (taken.key, taken.at)));
}

pub(super) fn kind_hash(rules: &RuleSet, kind: KindIx) -> StableHash {
    rules.kind(kind).map_or(0, |kind| kind.hash)
}

fn put_episode(out: &mut Vec<u8>, episode: &Episode, kind: StableHash) {
    put_hash(out, kind);
    put(out, &(&episode.key, &episode.opened_by, &episode.channel_name));
    put_at(out, episode.opened_at);
    put_time(out, episode.deadline);
    put_time(out, episode.fires_at);
    put(out, &episode.overdue.is_some());
    if let Some(overdue) = &episode.overdue {
        put_overdue(out, overdue);
    }
    let pain = episode.pain.as_ref();
    put(out, &pain.map(|pain| (index(pain.severity.index()), &pain.reason, pain.resolved)));
}

fn put_overdue(out: &mut Vec<u8>, overdue: &Overdue) {
    let Overdue { event_id, pain, same_pain_as, points } = overdue;
    let pain = pain.as_ref().map(|(reason, severity)| (reason, index(severity.index())));
    put(out, &(event_id, pain, same_pain_as));
    put_all(out, points.iter(), |out, (rule, track, points)| {
        put_hash(out, *rule);
        put(out, &(index(track.index()), points));
    });
}
