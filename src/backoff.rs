//! How long to wait before something that failed is tried again.
//!
//! Doubled with each failure in a row, up to a bound, and spread by a quarter, so that what failed
//! together does not come back together. The spread is a hash of who waits and of how often it has
//! failed: nothing random, so that a test can repeat it.

use std::time::Duration;

use crate::model::stable_hash;

/// By how much a wait is spread to either side, in thousandths.
const SPREAD: u64 = 250;

/// More doublings change nothing: the bound is reached long before.
const DOUBLINGS_MAX: u32 = 16;

/// How something that is tried again and again stands.
#[derive(Clone, Debug)]
pub struct Backoff {
    /// The wait after the first failure.
    first: Duration,
    /// The longest wait, before it is spread.
    longest: Duration,
    /// Failures in a row.
    failures: u32,
}

impl Backoff {
    /// For new clients of Kafka. The longest wait is as long as somebody would wait for a broker that
    /// is back to be noticed.
    pub const fn of_clients() -> Self {
        let (first, longest) = (Duration::from_millis(250), Duration::from_secs(5));
        Self { first, longest, failures: 0 }
    }

    /// For who receives something of ours. The longest wait is as long as a minute's news may be late
    /// once they take it again.
    pub const fn of_receivers() -> Self {
        let (first, longest) = (Duration::from_secs(1), Duration::from_mins(1));
        Self { first, longest, failures: 0 }
    }

    /// Takes note of a failure, and returns how long to wait. Whoever waits under another name waits a
    /// little shorter or longer.
    pub fn failed(&mut self, who: &str) -> Duration {
        let doubled = self.first.saturating_mul(1 << self.failures.min(DOUBLINGS_MAX));
        let usual = doubled.min(self.longest);
        self.failures = self.failures.saturating_add(1);
        let hash = stable_hash(format!("{who}/{}", self.failures).as_bytes());
        let share = u32::try_from(1000 - SPREAD + hash % (2 * SPREAD + 1)).unwrap_or(1000);
        usual * share / 1000
    }

    /// It has gone well: the next wait is the first again.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_are_spread_and_end_at_the_bound() {
        let mut backoff = Backoff::of_receivers();
        for usual in [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000] {
            let wait = backoff.failed("a").as_millis();
            assert!((usual * 3 / 4..=usual * 5 / 4).contains(&wait), "{usual}: {wait}");
        }
        backoff.failures = u32::MAX;
        assert!(backoff.failed("a") <= backoff.longest * 5 / 4);
    }

    #[test]
    fn after_a_success_the_wait_is_the_first_again() {
        let mut backoff = Backoff::of_clients();
        let first = backoff.failed("a");
        assert!(first < backoff.failed("a"));
        backoff.succeeded();
        assert_eq!(backoff.failed("a"), first);
    }

    #[test]
    fn who_failed_together_does_not_come_back_together() {
        let waits: std::collections::BTreeSet<_> =
            (0..8).map(|index| Backoff::of_clients().failed(&format!("worker {index}"))).collect();
        assert_eq!(waits.len(), 8);
    }
}
