//! The ledger: one line per rule and track that gave this customer points.
//!
//! A line is "so many points at such an instant", faded only when it is read. A customer who never
//! returns costs nothing: no timer visits them, and no sweep rewrites them. Because fading is
//! exponential (forward decay; Cormode et al., *Forward Decay*, ICDE 2009), points may be added in
//! any order and the sum is the same.
//!
//! # Invariants
//!
//! - Fading in two steps equals fading in one, up to rounding.
//! - Adding in any order gives the same sum, up to rounding.
//! - Lines of a rule that is not loaded count nothing and are kept: how fast they fade is not known,
//!   so what bounds them is what bounds all lines.

use crate::{
    engine::rules::{PointsRule, RuleSet, spec::HalfLifeSpec},
    model::{EventTime, StableHash, Track, span_as_f64},
};

/// Exponential fading.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fading(pub(crate) HalfLifeSpec);

impl Fading {
    /// Returns what is left of 1 at `to` when it was 1 at `from`; more than 1 backwards.
    pub(crate) fn factor(self, from: EventTime, to: EventTime) -> f64 {
        match self.0 {
            HalfLifeSpec::Never => 1.0,
            HalfLifeSpec::After(_) if from == to => 1.0,
            HalfLifeSpec::After(half_life) => {
                (-(span_as_f64(to.since(from)) / span_as_f64(half_life.max(1)))).exp2()
            }
        }
    }
}

/// Points that one rule gave on one track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) rule: StableHash,
    pub(crate) track: Track,
    /// Worth so much at `as_of`.
    pub(crate) value: f64,
    pub(crate) as_of: EventTime,
}

impl Line {
    /// Returns what the line is worth at `at`, whatever the cap.
    pub(crate) fn worth(&self, points: &PointsRule, at: EventTime) -> f64 {
        self.value * Fading(points.half_life).factor(self.as_of, at)
    }
}

/// A customer's lines, sorted by (rule, track).
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Ledger(pub(crate) Vec<Line>);

impl Clone for Ledger {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }

    fn clone_from(&mut self, source: &Self) {
        self.0.clone_from(&source.0);
    }
}

impl Ledger {
    /// Lines per customer. At the bound the line worth least goes, and is counted.
    pub(crate) const MAX_LINES: usize = 128;

    /// Adds points given at `at`; returns whether a line was pushed out.
    pub(crate) fn add(
        &mut self,
        (rule, track): (StableHash, Track),
        points: f64,
        at: EventTime,
        fading: Fading,
    ) -> bool {
        let found = self.0.binary_search_by_key(&(rule, track), |line| (line.rule, line.track));
        match found {
            Ok(position) => {
                if let Some(line) = self.0.get_mut(position) {
                    if line.as_of < at {
                        line.value = line.value * fading.factor(line.as_of, at) + points;
                        line.as_of = at;
                    } else {
                        line.value += points * fading.factor(at, line.as_of);
                    }
                }
                false
            }
            Err(position) => {
                self.0.insert(position, Line { rule, track, value: points, as_of: at });
                Self::MAX_LINES < self.0.len() && self.evict()
            }
        }
    }

    fn evict(&mut self) -> bool {
        let least = self.0.iter().enumerate().min_by(|(_, left), (_, right)| {
            left.value.abs().total_cmp(&right.value.abs()).then(left.as_of.cmp(&right.as_of))
        });
        if let Some((position, _)) = least {
            self.0.remove(position);
        }
        true
    }

    /// Moves lines of former rule names to the present ones.
    pub(crate) fn rename(&mut self, rules: &RuleSet) {
        let renamed = self.0.iter().any(|line| {
            rules.rule_by_hash(line.rule).is_some_and(|(_, rule)| rule.hash != line.rule)
        });
        if !renamed {
            return;
        }
        for line in std::mem::take(&mut self.0) {
            let known = rules.rule_by_hash(line.rule);
            let (hash, fading) =
                known.map_or((line.rule, Fading(HalfLifeSpec::Never)), |(_, rule)| {
                    let points = rule.points_on(line.track);
                    (
                        rule.hash,
                        Fading(points.map_or(HalfLifeSpec::Never, |points| points.half_life)),
                    )
                });
            self.add((hash, line.track), line.value, line.as_of, fading);
        }
    }

    /// Returns every line that counts, and what it counts by.
    pub(crate) fn counting<'a>(
        &'a self,
        rules: &'a RuleSet,
    ) -> impl Iterator<Item = (&'a Line, &'a PointsRule)> {
        self.0.iter().filter_map(|line| {
            let (_, rule) = rules.rule_by_hash(line.rule)?;
            Some((line, rule.points_on(line.track)?))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = 86_400_000;

    fn at(day: i64) -> EventTime {
        EventTime::from_millis(day * DAY).unwrap()
    }

    proptest! {
        #[test]
        fn adding_in_any_order_gives_the_same_sum(
            mut given in prop::collection::vec((0_i64..400, -50.0_f64..50.0), 1..20),
        ) {
            let fading = Fading(HalfLifeSpec::After(45 * DAY));
            let naive: f64 = given
                .iter()
                .map(|(day, points)| points * 0.5_f64.powf(f64::from(u16::try_from(400 - day).unwrap()) / 45.0))
                .sum();
            for _ in 0..2 {
                let mut ledger = Ledger::default();
                for &(day, points) in &given {
                    ledger.add((1, Track::Engage), points, at(day), fading);
                }
                let line = ledger.0[0];
                let sum = line.value * fading.factor(line.as_of, at(400));
                prop_assert!((sum - naive).abs() < 1e-9, "{sum} is not {naive}");
                given.reverse();
            }
        }
    }
}
