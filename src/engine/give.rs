//! Points: every matching rule gives its own, once in its period, and some can be taken back.

use super::{
    effects::{Bounded, Fact},
    evaluate::Outcome,
    rules::spec::HalfLifeSpec,
    score::{Fading, PeriodVerdict, period_of},
    state::{Acquired, Digest, Engagement},
    timeline::Context,
};
use crate::model::{Actor, StableHash, Track, stable_hash};

/// Returns how fast a rule's points on a track fade.
pub(super) fn fading(context: Context<'_>, rule: StableHash, track: Track) -> Fading {
    let half_life = context
        .rules
        .rule_by_hash(rule)
        .and_then(|(_, rule)| rule.points_on(track))
        .map_or(HalfLifeSpec::Never, |points| points.half_life);
    Fading(half_life)
}

/// Writes points to the ledger: every matching rule gives its own.
pub(super) fn give_points(
    engagement: &mut Engagement,
    digest: &Digest,
    context: Context<'_>,
    outcome: &mut Outcome,
) {
    for candidate in digest.candidates.iter().filter(|candidate| candidate.matched) {
        let Some(rule) = context.rules.rule(candidate.rule) else { continue };
        let key = rule.reversible.and_then(|path| digest.value(path));
        let key = key.map(|key| stable_hash(key.as_bytes()));
        for points in &rule.points {
            if 0.0 < points.add && digest.actor != Actor::Customer {
                continue;
            }
            let line = (rule.hash, points.track);
            let period = period_of(digest.ts, points.once_per, &context.settings.timezone);
            match period.map(|period| engagement.periods.note(line, period)) {
                None | Some(PeriodVerdict::First) => {}
                Some(PeriodVerdict::Again) => continue,
                Some(PeriodVerdict::Unverifiable) => {
                    outcome.facts.push(Fact::OncePerUnverifiable);
                    continue;
                }
            }
            if let Some(key) = key {
                let fading = Fading(points.half_life);
                let (counts, evicted) =
                    engagement.reversals.give((key, line), points.add, digest.ts, fading);
                if evicted {
                    outcome.facts.push(Fact::Evicted(Bounded::ReversalKeys));
                }
                if !counts {
                    continue;
                }
            }
            let fading = Fading(points.half_life);
            if engagement.ledger.add(line, points.add, digest.ts, fading) {
                outcome.facts.push(Fact::Evicted(Bounded::LedgerLines));
            }
            outcome.points.add(points.track, points.add);
            if digest.is_derived() || context.watch.is_some() {
                // Only what a deadline says is ever taken back; and somebody may want to know.
                outcome.given.push((rule.hash, points.track, points.add));
            }
            outcome.points_taken |= points.add < 0.0;
        }
        let reversed = rule.reverses.and_then(|path| digest.value(path));
        if let Some(key) = reversed.map(|key| stable_hash(key.as_bytes())) {
            let Engagement { reversals, ledger, .. } = engagement;
            let known =
                reversals.take(key, digest.ts, ledger, |rule, track| fading(context, rule, track));
            outcome.points_taken = true;
            if !known {
                outcome.facts.push(Fact::ReversalUnknown);
            }
        }
        let acquired = rule.acquires.map(|path| digest.values_of(path));
        for value in acquired.into_iter().flatten() {
            let value = stable_hash(value.as_bytes());
            engagement.acquire(Acquired { value, at: digest.ts });
        }
    }
}
