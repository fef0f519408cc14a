//! Tracks, overall score and band at an instant; and when the band will fall by itself.
//!
//! Who stays away must not stay champion in every downstream table, so the next downward crossing
//! is computed and kept as a deadline.

use super::Line;
use crate::{
    engine::{
        episode::Episode,
        rules::{RuleSet, kind},
        state::Engagement,
    },
    model::{Band, EventTime, Span, Track},
};

/// Scores at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Standing {
    /// In [`Track::ALL`] order, each 0 to 100.
    pub(crate) tracks: [f64; 5],
    /// 0 to 100.
    pub(crate) overall: f64,
}

impl Standing {
    /// Returns one track's score.
    pub(crate) fn track(&self, track: Track) -> f64 {
        self.tracks.get(track.index()).copied().unwrap_or(0.0)
    }

    /// Returns the track with the highest score; `None` when all are 0.
    pub(crate) fn dominant(&self) -> Option<Track> {
        Track::ALL.iter().copied().filter(|&track| 0.0 < self.track(track)).max_by(
            |&left, &right| self.track(left).total_cmp(&self.track(right)).then(right.cmp(&left)),
        )
    }
}

/// Where each band begins (DOMAIN.md, The score).
const THRESHOLDS: [(f64, Band); 3] =
    [(65.0, Band::Champion), (35.0, Band::Active), (10.0, Band::Casual)];

/// Returns the scores at `at`.
pub(crate) fn standing_at(engagement: &Engagement, rules: &RuleSet, at: EventTime) -> Standing {
    standing_with(engagement, rules, |_| at)
}

/// Returns the scores with each line faded to its own instant.
fn standing_with(
    engagement: &Engagement,
    rules: &RuleSet,
    moment: impl Fn(&Line) -> EventTime,
) -> Standing {
    let mut tracks = [0.0; 5];
    engagement.ledger.each(rules, moment, &mut |line, _, counted| {
        if let Some(sum) = tracks.get_mut(line.track.index()) {
            *sum += counted;
        }
    });
    let (mut overall, mut weights) = (0.0, 0.0);
    for (sum, track) in tracks.iter_mut().zip(&rules.tracks) {
        *sum = sum.clamp(0.0, 100.0);
        overall += *sum * track.weight;
        weights += track.weight;
    }
    Standing { tracks, overall: if 0.0 < weights { overall / weights } else { 0.0 } }
}

/// Returns the band of a score; a champion in pain is at risk.
pub(crate) fn band_at(engagement: &Engagement, overall: f64) -> Band {
    let band = THRESHOLDS
        .iter()
        .find(|(threshold, _)| *threshold <= overall)
        .map_or(Band::Dormant, |(_, band)| *band);
    let in_pain = || {
        engagement.episodes.iter().any(|one| one.kind == kind::PAIN && Episode::hurts(one))
            || engagement.balance.value().is_some_and(|balance| balance < 0.0)
    };
    if band == Band::Champion && in_pain() { Band::AtRisk } else { band }
}

/// Returns the first instant after `from` at which the overall score is below the threshold that
/// it is at or above now; `None` if it never falls. Exact to the millisecond.
///
/// Every positive line only falls and every negative line only rises, so over a step of `s` the
/// score cannot fall below "positive lines faded by `s`, negative lines as they are". Steps are
/// doubled while that bound stays above the threshold, then halved down to 1 ms. Without negative
/// lines the bound is the score itself, and this is a bisection.
pub(crate) fn next_fall(
    engagement: &Engagement,
    rules: &RuleSet,
    from: EventTime,
) -> Option<EventTime> {
    let overall = standing_at(engagement, rules, from).overall;
    let (threshold, _) = THRESHOLDS.iter().find(|(threshold, _)| *threshold <= overall)?;
    let mut at = from;
    let (mut step, mut growing) = (16 * DAY, true);
    // A bisection takes about 40 steps. Only lines of opposite signs that nearly cancel take more;
    // at the bound an instant before the fall is returned, which the caller treats as a check.
    for _ in 0..MAX_STEPS {
        if HORIZON < at.since(from) {
            return None;
        }
        if *threshold <= lowest_within(engagement, rules, at, step) {
            at = at.plus(step);
            step = if growing { step.saturating_mul(2) } else { step };
        } else if 1 < step {
            (step, growing) = (step / 2, false);
        } else {
            at = at.plus(1);
            if standing_at(engagement, rules, at).overall < *threshold {
                return Some(at);
            }
            (step, growing) = (DAY, true);
        }
    }
    Some(at.plus(1))
}

const DAY: Span = 86_400_000;
/// A score that has not fallen in forty years is held up by points that never fade.
const HORIZON: Span = 40 * 365 * DAY;
const MAX_STEPS: usize = 2000;

/// Returns a lower bound of the overall score in the `step` after `at`.
fn lowest_within(engagement: &Engagement, rules: &RuleSet, at: EventTime, step: Span) -> f64 {
    let until = at.plus(step);
    let moment = |line: &Line| if 0.0 < line.value { until } else { at };
    standing_with(engagement, rules, moment).overall
}
