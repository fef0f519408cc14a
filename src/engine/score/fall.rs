//! When a score will fall into a lower band by itself.
//!
//! Who stays away must not stay champion in every downstream table, so the next downward crossing
//! is computed and kept as a deadline. Asked for every `engagement` record, so it is found with few looks at the score: between an
//! instant above the threshold and one below it, by a line through their logarithms, which for
//! points that fade alike is the answer.

use smallvec::SmallVec;

use super::{
    Line,
    band::{Standing, THRESHOLDS, standing_of},
};
use crate::{
    engine::{
        rules::{PointsRule, RuleSet},
        state::Engagement,
    },
    model::{EventTime, Span, span_as_f64},
};

const DAY: Span = 86_400_000;
/// A score that has not fallen in forty years is held up by points that never fade.
const HORIZON: Span = 40 * 365 * DAY;
/// The first step; scores that fall at all mostly do so within it.
const FIRST_STEP: Span = 16 * DAY;
const MAX_STEPS: usize = 2000;
/// So many guesses are enough for any mix of half-lives and caps; beyond them the interval is
/// halved.
const MAX_GUESSES: usize = 32;

/// Returns the first instant after `from` at which the overall score is below the threshold that
/// it is at or above now; `None` if it never falls. Exact to the millisecond.
pub(crate) fn next_fall(
    engagement: &Engagement,
    rules: &RuleSet,
    from: EventTime,
) -> Option<EventTime> {
    let score = Score { lines: engagement.ledger.counting(rules).collect(), rules };
    let overall = score.at(from);
    let (threshold, _) = THRESHOLDS.iter().find(|(threshold, _)| *threshold <= overall)?;
    if score.only_falls() {
        score.crossing(*threshold, from)
    } else {
        score.first_below(*threshold, from)
    }
}

/// The lines that count, looked up once.
struct Score<'a> {
    lines: SmallVec<[(&'a Line, &'a PointsRule); 16]>,
    rules: &'a RuleSet,
}

/// One end of the interval that the crossing lies in.
#[derive(Clone, Copy)]
struct End {
    /// How long after the beginning.
    after: Span,
    /// Logarithm of score by threshold: a guide for the next guess, no more.
    height: f64,
}

impl Score<'_> {
    fn at(&self, at: EventTime) -> f64 {
        self.with(|_| at).overall
    }

    fn with(&self, moment: impl Fn(&Line) -> EventTime) -> Standing {
        standing_of(self.lines.iter().copied(), self.rules, moment)
    }

    /// No line is negative: such a one would rise.
    fn only_falls(&self) -> bool {
        self.lines.iter().all(|(line, _)| 0.0 <= line.value)
    }

    /// Finds the fall of a score that never rises.
    fn crossing(&self, threshold: f64, from: EventTime) -> Option<EventTime> {
        let look = |after: Span| {
            let overall = self.at(from.plus(after));
            (overall < threshold, End { after, height: (overall / threshold).log2() })
        };
        let (mut above, mut step) = (look(0).1, FIRST_STEP);
        let mut below = loop {
            let (fallen, end) = look(above.after.saturating_add(step).min(HORIZON + 1));
            if fallen {
                break end;
            }
            if HORIZON < end.after {
                return None;
            }
            (above, step) = (end, step.saturating_mul(2));
        };
        let (mut guesses, mut last) = (0, None);
        while 1 < below.after - above.after {
            let (fallen, end) = look(between(above, below, guesses));
            guesses += 1;
            // An end that stays put twice counts for half (the Illinois rule): else the guesses
            // would creep up from one side.
            let again = last == Some(fallen);
            if fallen {
                below = end;
                above.height /= if again { 2.0 } else { 1.0 };
            } else {
                above = end;
                below.height /= if again { 2.0 } else { 1.0 };
            }
            last = Some(fallen);
        }
        Some(from.plus(below.after))
    }

    /// Finds the first fall of a score with negative lines, which rise as they fade.
    ///
    /// Every positive line only falls and every negative line only rises, so over a step of `s`
    /// the score cannot fall below "positive lines faded by `s`, negative lines as they are".
    /// Steps are doubled while that bound stays above the threshold, then halved down to 1 ms.
    fn first_below(&self, threshold: f64, from: EventTime) -> Option<EventTime> {
        let mut at = from;
        let (mut step, mut growing) = (FIRST_STEP, true);
        // About 40 steps. Only lines of opposite signs that nearly cancel take more; at the bound
        // an instant before the fall is returned, which the caller treats as a check.
        for _ in 0..MAX_STEPS {
            if HORIZON < at.since(from) {
                return None;
            }
            if threshold <= self.lowest_within(at, step) {
                at = at.plus(step);
                step = if growing { step.saturating_mul(2) } else { step };
            } else if 1 < step {
                (step, growing) = (step / 2, false);
            } else {
                at = at.plus(1);
                if self.at(at) < threshold {
                    return Some(at);
                }
                (step, growing) = (DAY, true);
            }
        }
        Some(at.plus(1))
    }

    /// Returns a lower bound of the overall score in the `step` after `at`.
    fn lowest_within(&self, at: EventTime, step: Span) -> f64 {
        let until = at.plus(step);
        self.with(|line| if 0.0 < line.value { until } else { at }).overall
    }
}

/// Returns the next guess, strictly between two ends.
fn between(above: End, below: End, guesses: usize) -> Span {
    let width = below.after - above.after;
    let share = above.height / (above.height - below.height);
    let guess = if guesses < MAX_GUESSES && (0.0..=1.0).contains(&share) {
        whole(share * span_as_f64(width))
    } else {
        width / 2
    };
    above.after + guess.clamp(1, width - 1)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a span of at most forty years, and a guess: `as` saturates"
)]
fn whole(number: f64) -> Span {
    number as Span
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        engine::rules::spec::{HalfLifeSpec, OncePer},
        model::Track,
    };

    fn no_rules() -> RuleSet {
        RuleSet::compile(crate::engine::rules::spec::PackSpec::default()).unwrap()
    }

    proptest! {
        /// Where both can be used, both find the same millisecond.
        #[test]
        fn the_guesses_find_what_halving_finds(
            given in prop::collection::vec(
                (0.0_f64..300.0, prop::option::of(1_i64..400), 1.0_f64..200.0, 0_i64..200), 1..12),
            from in 200_i64..220,
        ) {
            let day = |day: i64| EventTime::from_millis(1_700_000_000_000 + day * DAY).unwrap();
            let made: Vec<(Line, PointsRule)> = given
                .iter()
                .zip(Track::ALL.iter().cycle())
                .map(|(&(value, half_life, cap, as_of), &track)| {
                    let half_life =
                        half_life.map_or(HalfLifeSpec::Never, |days| HalfLifeSpec::After(days * DAY));
                    let (once_per, add) = (OncePer::Touchpoint, 1.0);
                    (
                        Line { rule: 0, track, value, as_of: day(as_of) },
                        PointsRule { track, add, cap, once_per, half_life },
                    )
                })
                .collect();
            let mut rules = no_rules();
            for (track, weight) in rules.tracks.iter_mut().zip([0.3, 0.4, 0.2, 0.05, 0.05]) {
                track.weight = weight;
            }
            let lines = made.iter().map(|(line, points)| (line, points)).collect();
            let score = Score { lines, rules: &rules };
            for (threshold, _) in THRESHOLDS {
                if threshold <= score.at(day(from)) {
                    prop_assert_eq!(
                        score.crossing(threshold, day(from)),
                        score.first_below(threshold, day(from))
                    );
                }
            }
        }
    }
}
