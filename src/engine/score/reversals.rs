//! Taking points back: a refund takes what its order gave.

use super::{Fading, Ledger, Line};
use crate::{
    engine::{in_place::clone_in_place, rules::RuleSet},
    model::{EventTime, StableHash, Track},
};

/// Points that a key gave.
#[derive(Debug, PartialEq)]
pub(crate) struct Given {
    pub(crate) key: StableHash,
    /// When it first gave any.
    pub(crate) at: EventTime,
    /// What they are worth, fading as they do in the customer's ledger.
    pub(crate) points: Ledger,
}

/// A key that was reversed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Taken {
    pub(crate) key: StableHash,
    pub(crate) at: EventTime,
}

/// What may be taken back, and what was taken back before it was given.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Reversals {
    pub(crate) given: Vec<Given>,
    pub(crate) taken: Vec<Taken>,
    /// Keys were forgotten: a reversal of an unknown key may be one of these.
    pub(crate) forgotten: bool,
}

clone_in_place!(Given { key, at, points });
clone_in_place!(Reversals { given, taken, forgotten });

impl Reversals {
    /// Keys remembered on either side (DOMAIN.md, The score); the oldest goes, and is counted.
    const MAX_KEYS: usize = 64;

    /// Remembers points under a key. Returns whether they count (they do not when the reversal
    /// came first) and whether a key was pushed out.
    pub(crate) fn give(
        &mut self,
        (key, line): (StableHash, (StableHash, Track)),
        points: f64,
        at: EventTime,
        fading: Fading,
    ) -> (bool, bool) {
        if self.taken.iter().any(|taken| taken.key == key) {
            return (false, false);
        }
        if let Some(given) = self.given.iter_mut().find(|given| given.key == key) {
            given.points.add(line, points, at, fading);
            return (true, false);
        }
        let mut given = Given { key, at, points: Ledger::default() };
        given.points.add(line, points, at, fading);
        self.given.push(given);
        if self.given.len() <= Self::MAX_KEYS {
            return (true, false);
        }
        let oldest = self.given.iter().enumerate().min_by_key(|(_, one)| (one.at, one.key));
        if let Some((position, _)) = oldest {
            self.given.remove(position);
        }
        self.forgotten = true;
        (true, true)
    }

    /// Takes back what a key gave; returns whether there was anything to take or it is remembered
    /// for later.
    pub(crate) fn take(
        &mut self,
        key: StableHash,
        at: EventTime,
        ledger: &mut Ledger,
        fading: impl Fn(StableHash, Track) -> Fading,
    ) -> bool {
        if self.taken.iter().any(|taken| taken.key == key) {
            return true;
        }
        self.taken.push(Taken { key, at });
        if Self::MAX_KEYS < self.taken.len() {
            let oldest = self.taken.iter().enumerate().min_by_key(|(_, one)| (one.at, one.key));
            if let Some((position, _)) = oldest {
                self.taken.remove(position);
            }
        }
        let Some(position) = self.given.iter().position(|given| given.key == key) else {
            return !self.forgotten;
        };
        let given = self.given.remove(position);
        for line in given.points.0 {
            let Line { rule, track, value, as_of } = line;
            ledger.add((rule, track), -value, as_of, fading(rule, track));
        }
        true
    }

    /// Moves points of former rule names to the present ones.
    pub(crate) fn rename(&mut self, rules: &RuleSet) {
        for given in &mut self.given {
            given.points.rename(rules);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::rules::spec::HalfLifeSpec;

    const DAY: i64 = 86_400_000;

    fn at(day: i64) -> EventTime {
        EventTime::from_millis(day * DAY).unwrap()
    }

    #[test]
    fn a_refund_after_fading_takes_back_what_is_left_of_it() {
        let fading = Fading(HalfLifeSpec::After(10 * DAY));
        let mut ledger = Ledger::default();
        let mut reversals = Reversals::default();
        for (key, day) in [(1, 0), (2, 5)] {
            let line = (9, Track::Engage);
            assert_eq!(reversals.give((key, line), 8.0, at(day), fading), (true, false));
            ledger.add(line, 8.0, at(day), fading);
        }
        assert!(reversals.take(1, at(20), &mut ledger, |_, _| fading));
        let line = ledger.0[0];
        assert!((line.value * fading.factor(line.as_of, at(5)) - 8.0).abs() < 1e-9);
    }

    #[test]
    fn a_reversal_that_comes_first_is_remembered() {
        let mut reversals = Reversals::default();
        let mut ledger = Ledger::default();
        let never = Fading(HalfLifeSpec::Never);
        assert!(reversals.take(1, at(1), &mut ledger, |_, _| never));
        let line = (9, Track::Engage);
        assert_eq!(reversals.give((1, line), 8.0, at(0), never), (false, false));
    }
}
