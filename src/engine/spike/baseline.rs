//! What is normal: a rate per hour of a weekday or weekend day, learnt and slowly forgotten.
//!
//! A slot of an hour has little to go by, so it is drawn towards the mean of all hours, and that
//! towards the parent's rate, each as strongly as if so many events had been seen there. What was
//! seen outweighs it as it grows. Hours differ little and kinds of contact by factors of a hundred,
//! so a mean that is above its parent's rate is averaged with it by factors.

use serde::{Deserialize, Serialize};

/// Slots: 24 hours of a weekday, 24 of a weekend day.
pub(super) const SLOTS: usize = 48;

/// Minutes in which half of what was learnt is forgotten: 14 days. A slot sees ten weekdays in it,
/// and a new normal is half learnt within a fortnight.
const HALF_LIFE: f64 = 14.0 * 1440.0;

/// As many events as a slot's prior counts for: a season has to show in so many before it is
/// believed as much as the mean.
const SLOT_PRIOR: f64 = 10.0;

/// The same for the mean against the parent.
const MEAN_PRIOR: f64 = 3.0;

/// Minutes and touchpoints that have to be seen before a rate counts; after a week the number no
/// longer matters, or what is rare would never count.
pub(super) const LEARNT_AFTER: i64 = 1440;
pub(super) const LEARNT_TOUCHPOINTS: f64 = 200.0;
pub(super) const LEARNT_ANYWAY: i64 = 7 * 1440;

/// Events and exposure, faded to a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sums {
    pub(super) events: f64,
    pub(super) exposure: f64,
    as_of: i64,
}

impl Sums {
    pub(super) fn at(self, minute: i64) -> Self {
        let fade = (-to_f64(minute.saturating_sub(self.as_of).max(0)) / HALF_LIFE).exp2();
        Self { events: self.events * fade, exposure: self.exposure * fade, as_of: minute }
    }

    pub(super) fn add(&mut self, minute: i64, events: f64, exposure: f64) {
        *self = self.at(minute);
        self.events += events;
        self.exposure += exposure;
    }

    /// Returns the rate, drawn towards `prior` as if `weight` events had been seen at it.
    pub(super) fn rate(self, prior: f64, weight: f64) -> f64 {
        if prior <= 0.0 {
            return if 0.0 < self.exposure { self.events / self.exposure } else { 0.0 };
        }
        (self.events + weight) / (self.exposure + weight / prior)
    }

    /// Returns the rate, drawn towards `prior` by factors where it is above: the mean of the
    /// logarithms, weighted by events. As numbers three events at a rate of 0.5 % are 600 touchpoints,
    /// and whatever hurts every second time would for months be expected to hurt every tenth.
    fn rate_by_factors(self, prior: f64, weight: f64) -> f64 {
        let own = if 0.0 < self.exposure { self.events / self.exposure } else { 0.0 };
        if prior <= 0.0 || own <= prior {
            return self.rate(prior, weight);
        }
        let share = self.events / (self.events + weight);
        own.powf(share) * prior.powf(1.0 - share)
    }
}

/// One rate with its season.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baseline {
    first: i64,
    pub(super) last: i64,
    /// All that was ever seen, never faded: how much is known.
    seen: f64,
    mean: Sums,
    slots: Vec<Sums>,
}

impl Baseline {
    pub(super) fn starting_at(minute: i64) -> Self {
        let slots = vec![Sums::default(); SLOTS];
        Self { first: minute, last: minute, seen: 0.0, mean: Sums::default(), slots }
    }

    /// Returns whether enough was seen for the rate to count.
    pub(super) fn is_learnt(&self, minute: i64) -> bool {
        let age = minute - self.first;
        LEARNT_AFTER <= age && (LEARNT_TOUCHPOINTS <= self.seen || LEARNT_ANYWAY <= age)
    }

    /// Returns whether this very slot was seen for two hours or more, and a week has passed: what
    /// is judged by its number alone differs more by the hour than a mean can say.
    pub(super) fn knows_slot(&self, minute: i64, slot: usize) -> bool {
        LEARNT_ANYWAY <= minute - self.first
            && self.slots.get(slot).is_some_and(|sums| 90.0 <= sums.at(minute).exposure)
    }

    /// Returns the rate in a slot.
    pub(super) fn rate(&self, minute: i64, slot: usize, parent: f64) -> f64 {
        let mean = self.mean.at(minute).rate_by_factors(parent, MEAN_PRIOR);
        let slot = self.slots.get(slot).copied().unwrap_or_default();
        slot.at(minute).rate(mean, SLOT_PRIOR)
    }

    /// Returns what was seen in all hours.
    pub(super) fn mean_at(&self, minute: i64) -> Sums {
        self.mean.at(minute)
    }

    /// Returns by how much a young rate is raised before somebody is woken by it: one standard
    /// error of the events that it rests on.
    pub(super) fn caution(&self, minute: i64) -> f64 {
        1.0 + 1.0 / (self.mean.at(minute).events + 4.0).sqrt()
    }

    /// Learns a minute. `seen` is what counts for being learnt.
    pub(super) fn learn(&mut self, minute: i64, slot: usize, events: f64, exposure: f64) {
        self.last = self.last.max(minute);
        self.seen += exposure;
        self.mean.add(minute, events, exposure);
        if let Some(sums) = self.slots.get_mut(slot) {
            sums.add(minute, events, exposure);
        }
    }
}

/// Returns what a span of minutes that ends now adds up to, faded.
pub(super) fn faded_span(minutes: f64) -> f64 {
    HALF_LIFE / std::f64::consts::LN_2 * (1.0 - (-minutes / HALF_LIFE).exp2())
}

/// Returns how many events of one minute are learnt: a burst teaches no more than a bad minute of
/// the normal would, so that a spike does not become normal before it is noticed.
pub(super) fn winsorised(events: f64, expected: f64) -> f64 {
    events.min(3.0f64.mul_add(expected.sqrt(), expected) + 1.0)
}

/// Exact for numbers of minutes.
pub(super) fn to_f64(number: i64) -> f64 {
    crate::model::span_as_f64(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_that_was_not_seen_has_the_mean_rate_and_one_that_was_its_own() {
        let mut baseline = Baseline::starting_at(0);
        for minute in 0..14 * 1440 {
            let slot = usize::try_from(minute / 60 % 24).unwrap();
            let events = if slot == 20 { 1.0 } else { 0.1 };
            baseline.learn(minute, slot, events, 10.0);
        }
        let rate = |slot| baseline.rate(14 * 1440, slot, 0.02);
        assert!((rate(20) - 0.1).abs() < 0.01, "{}", rate(20));
        assert!((rate(3) - 0.01).abs() < 0.002, "{}", rate(3));
        // (1 + 23 × 0.1) / 24 / 10
        assert!((rate(40) - 0.01375).abs() < 0.002, "{}", rate(40));
    }

    #[test]
    fn a_young_leaf_is_close_to_its_parent() {
        let mut baseline = Baseline::starting_at(0);
        baseline.learn(0, 0, 1.0, 5.0);
        assert!(!baseline.is_learnt(2000));
        assert!(baseline.rate(1, 0, 0.01) < 0.03);
    }

    #[test]
    fn what_hurts_far_more_often_than_its_parent_is_soon_known_by_its_own() {
        let mut baseline = Baseline::starting_at(0);
        baseline.learn(0, 0, 60.0, 120.0);
        let rate = baseline.rate(1, 0, 0.005);
        assert!((0.35..0.5).contains(&rate), "{rate}");
    }

    #[test]
    fn a_new_normal_is_half_learnt_after_a_half_life() {
        let mut baseline = Baseline::starting_at(0);
        for minute in 0..60 * 1440 {
            baseline.learn(minute, 0, 0.1, 10.0);
        }
        for minute in 60 * 1440..74 * 1440 {
            baseline.learn(minute, 0, 0.3, 10.0);
        }
        let rate = baseline.rate(74 * 1440, 0, 0.01);
        assert!((rate - 0.02).abs() < 0.002, "{rate}");
    }

    #[test]
    fn a_burst_teaches_little() {
        assert!((winsorised(1.0, 0.5) - 1.0).abs() < 1e-9);
        assert!(winsorised(500.0, 0.5) < 4.0);
    }
}
