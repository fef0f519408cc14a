//! How long things took: precise inside, fixed buckets outside.
//!
//! An HDR histogram keeps every duration within one per cent at a fixed size, so that a quantile
//! can be read at any time. Prometheus gets fixed buckets counted from it, because only those add
//! up across instances.

use std::{fmt, time::Duration};

use hdrhistogram::{CreationError, Histogram};
use prometheus::proto;

use super::declared::Declared;

/// Durations up to a year are told apart; longer ones count as a year (in ticks of the finest kind
/// used, nanoseconds, this still costs only some 50 kB).
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// Two digits: one per cent, finer than any bucket.
const DIGITS: u8 = 2;

/// A distribution of durations.
#[derive(Clone)]
pub(super) struct Distribution {
    ticks: Histogram<u64>,
    tick: Duration,
    sum_secs: f64,
}

impl Distribution {
    /// Returns an empty distribution that resolves `tick`, which is not zero.
    pub(super) fn new(tick: Duration) -> Result<Self, CreationError> {
        let highest = ticks_in(LONGEST, tick).max(2);
        Ok(Self { ticks: Histogram::new_with_bounds(1, highest, DIGITS)?, tick, sum_secs: 0.0 })
    }

    /// Counts `duration` as often as `times` says.
    pub(super) fn record(&mut self, duration: Duration, times: u32) {
        self.ticks.saturating_record_n(ticks_in(duration, self.tick), times.into());
        self.sum_secs += duration.as_secs_f64() * f64::from(times);
    }

    /// Adds what another of the same tick holds.
    pub(super) fn absorb(&mut self, other: &Self) {
        // Only a histogram of other bounds is refused, and all are made by `new`.
        if self.ticks.add(&other.ticks).is_ok() {
            self.sum_secs += other.sum_secs;
        }
    }

    /// Forgets everything and keeps the memory.
    pub(super) fn clear(&mut self) {
        if !self.ticks.is_empty() {
            self.ticks.reset();
        }
        self.sum_secs = 0.0;
    }

    /// Returns the duration that `quantile` (0 to 1) of those recorded do not exceed.
    pub(super) fn quantile(&self, quantile: f64) -> Option<Duration> {
        let ticks = self.ticks.value_at_quantile(quantile);
        (!self.ticks.is_empty()).then(|| duration_of(ticks, self.tick))
    }

    /// Returns the histogram in the buckets of `declared`, as Prometheus reads it.
    pub(super) fn family(&self, declared: &Declared) -> proto::MetricFamily {
        let mut histogram = proto::Histogram::default();
        histogram.set_sample_count(self.ticks.len());
        histogram.set_sample_sum(self.sum_secs);
        histogram.set_bucket(
            declared
                .buckets
                .iter()
                .map(|&bound| {
                    let mut bucket = proto::Bucket::default();
                    bucket.set_upper_bound(bound);
                    bucket.set_cumulative_count(self.count_up_to(bound));
                    bucket
                })
                .collect(),
        );
        let mut metric = proto::Metric::default();
        metric.set_histogram(histogram);
        let mut family = proto::MetricFamily::default();
        family.set_name(declared.name.to_owned());
        family.set_help(declared.help.to_owned());
        family.set_field_type(proto::MetricType::HISTOGRAM);
        family.set_metric(vec![metric]);
        family
    }

    fn count_up_to(&self, bound_secs: f64) -> u64 {
        let bound = Duration::try_from_secs_f64(bound_secs).unwrap_or(LONGEST);
        self.ticks.count_between(0, ticks_in(bound, self.tick))
    }
}

impl fmt::Debug for Distribution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Distribution")
            .field("count", &self.ticks.len())
            .field("sum_secs", &self.sum_secs)
            .finish_non_exhaustive()
    }
}

fn ticks_in(duration: Duration, tick: Duration) -> u64 {
    let ticks = duration.as_nanos().checked_div(tick.as_nanos()).unwrap_or(0);
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

fn duration_of(ticks: u64, tick: Duration) -> Duration {
    let nanos = tick.as_nanos().saturating_mul(ticks.into());
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::declared::COMMIT_SECONDS;

    fn of_millis(millis: &[u64]) -> Distribution {
        let mut distribution = Distribution::new(Duration::from_nanos(1)).unwrap();
        for &each in millis {
            distribution.record(Duration::from_millis(each), 1);
        }
        distribution
    }

    #[test]
    fn every_bucket_holds_what_is_not_above_its_bound() {
        let family = of_millis(&[0, 4, 5, 40, 99, 2000, 60_000]).family(&COMMIT_SECONDS);
        let histogram = family.get_metric()[0].get_histogram();
        let counts: Vec<(f64, u64)> = histogram
            .get_bucket()
            .iter()
            .map(|bucket| (bucket.upper_bound(), bucket.cumulative_count()))
            .collect();
        let bounds = COMMIT_SECONDS.buckets.iter().copied();
        let expected = bounds.zip([3, 3, 3, 3, 4, 5, 5, 5, 5, 6, 6, 6]).collect::<Vec<_>>();
        assert_eq!(counts, expected);
        assert_eq!(histogram.get_sample_count(), 7);
        assert!((histogram.get_sample_sum() - 62.148).abs() < 1e-9);
    }

    #[test]
    fn a_quantile_is_right_within_one_per_cent() {
        let all: Vec<u64> = (1..=1000).collect();
        let median = of_millis(&all).quantile(0.5).unwrap().as_secs_f64();
        assert!((median - 0.5).abs() < 0.005, "{median}");
        assert_eq!(of_millis(&[]).quantile(0.5), None);
    }

    #[test]
    fn adding_two_is_recording_both() {
        let mut sum = of_millis(&[125, 250]);
        sum.absorb(&of_millis(&[500, 50_000]));
        let (sum, both) = (sum.family(&COMMIT_SECONDS), of_millis(&[125, 250, 500, 50_000]));
        assert_eq!(sum, both.family(&COMMIT_SECONDS));
    }

    #[test]
    fn the_longest_duration_is_counted_and_not_refused() {
        let mut distribution = Distribution::new(Duration::from_nanos(1)).unwrap();
        distribution.record(Duration::MAX, 2);
        let family = distribution.family(&COMMIT_SECONDS);
        let histogram = family.get_metric()[0].get_histogram();
        assert_eq!(histogram.get_sample_count(), 2);
        assert_eq!(histogram.get_bucket().last().unwrap().cumulative_count(), 0);
    }
}
