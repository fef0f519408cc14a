//! Affect beside engagement: glories and recoveries against pains.
//!
//! −100 to 100: faded, severity-weighted (glory + recovered − pain) over their sum (DOMAIN.md, The
//! score). Both sums fade alike, so only a touchpoint changes the balance, never time.

use super::Fading;
use crate::{
    engine::{in_place::clone_in_place, rules::spec::HalfLifeSpec},
    model::{EventTime, StableHash},
};

/// The two sums.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Balance {
    pub(crate) good: f64,
    pub(crate) bad: f64,
    pub(crate) as_of: Option<EventTime>,
    pub(crate) moments: u32,
    /// When each reason (its hash) was last made good: no reason is twice within 90 days.
    pub(crate) recovered: Vec<(StableHash, EventTime)>,
}

const DAY: i64 = 86_400_000;
const FADING: Fading = Fading(HalfLifeSpec::After(60 * DAY));
const ONCE_PER_REASON: i64 = 90 * DAY;

/// A glory weighs as much as a failure: DOMAIN.md gives severities to pains alone.
pub(crate) const GLORY_WEIGHT: f64 = 2.0;

clone_in_place!(Balance { good, bad, as_of, moments, recovered });

impl Balance {
    /// Reasons remembered; the one made good longest ago goes.
    const MAX_REASONS: usize = 16;

    /// Adds a moment (a negative weight is a pain). `count` is −1 to take one back.
    pub(crate) fn add(&mut self, weight: f64, at: EventTime, count: i32) {
        let as_of = self.as_of.unwrap_or(at);
        let share = if as_of < at {
            let factor = FADING.factor(as_of, at);
            self.good *= factor;
            self.bad *= factor;
            self.as_of = Some(at);
            1.0
        } else {
            self.as_of = Some(as_of);
            FADING.factor(at, as_of)
        };
        let signed = weight * share * f64::from(count);
        if weight < 0.0 {
            self.bad = (self.bad - signed).max(0.0);
        } else {
            self.good = (self.good + signed).max(0.0);
        }
        self.moments = self.moments.saturating_add_signed(count);
    }

    /// Returns whether a recovery for that reason may weigh, and remembers it if so.
    pub(crate) fn may_recover(&mut self, reason: StableHash, at: EventTime) -> bool {
        let known = self.recovered.iter_mut().find(|(one, _)| *one == reason);
        if let Some((_, last)) = known {
            let may = ONCE_PER_REASON <= at.since(*last).abs();
            if may {
                *last = at.max(*last);
            }
            return may;
        }
        if Self::MAX_REASONS <= self.recovered.len() {
            let oldest = self.recovered.iter().enumerate().min_by_key(|(_, (_, last))| *last);
            if let Some((position, _)) = oldest {
                self.recovered.remove(position);
            }
        }
        self.recovered.push((reason, at));
        true
    }

    /// Returns −100 to 100; `None` under two moments.
    pub(crate) fn value(&self) -> Option<f64> {
        let sum = self.good + self.bad;
        (2 <= self.moments && 0.0 < sum).then(|| 100.0 * (self.good - self.bad) / sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> EventTime {
        EventTime::from_millis(day * DAY).unwrap()
    }

    #[test]
    fn one_moment_is_no_balance() {
        let mut balance = Balance::default();
        balance.add(-2.0, at(0), 1);
        assert_eq!(balance.value(), None);
        balance.add(2.0, at(0), 1);
        assert_eq!(balance.value(), Some(0.0));
    }

    #[test]
    fn what_is_taken_back_leaves_no_trace() {
        let mut balance = Balance::default();
        balance.add(2.0, at(0), 1);
        balance.add(2.0, at(3), 1);
        let before = balance.value();
        balance.add(-3.0, at(2), 1);
        balance.add(-3.0, at(2), -1);
        assert_eq!(balance.value(), before);
    }

    #[test]
    fn one_reason_is_made_good_once_in_ninety_days() {
        let mut balance = Balance::default();
        assert!(balance.may_recover(1, at(0)));
        assert!(!balance.may_recover(1, at(89)));
        assert!(balance.may_recover(2, at(89)));
        assert!(balance.may_recover(1, at(90)));
    }
}
