//! How long it takes from handing a touchpoint to the broker until its moment can be read.
//!
//! A sample is followed, not every touchpoint: a few a second tell as much.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use serde::Deserialize;

use super::snapshot::Latency;

/// One touchpoint in so many is followed.
const FOLLOWED_EVERY: u64 = 16;

/// What has not arrived by then was a repeat, which gives no second moment.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

/// How many are followed at once; further ones are not.
const FOLLOWED_MAX: usize = 4096;

/// Longer ones count as this.
const LONGEST_MICROS: u64 = 60_000_000;

/// The touchpoints on their way, and how long the others took.
#[derive(Debug)]
pub(super) struct Latencies {
    sent: BTreeMap<String, Duration>,
    count: u64,
    micros: Option<Histogram<u64>>,
}

#[derive(Deserialize)]
struct IdV1<'a> {
    event_id: &'a str,
}

impl Latencies {
    pub(super) fn new() -> Self {
        // Two digits are more than a demo's figures deserve.
        let micros = Histogram::new_with_bounds(1, LONGEST_MICROS, 2).ok();
        Self { sent: BTreeMap::new(), count: 0, micros }
    }

    /// Notes that a touchpoint was sent, if it is one of those followed.
    pub(super) fn sent(&mut self, line: &[u8], at: Duration) {
        self.count += 1;
        if !self.count.is_multiple_of(FOLLOWED_EVERY) || FOLLOWED_MAX <= self.sent.len() {
            return;
        }
        if let Ok(IdV1 { event_id }) = serde_json::from_slice(line) {
            self.sent.insert(event_id.to_owned(), at);
        }
    }

    /// Notes that a moment was read.
    pub(super) fn arrived(&mut self, event_id: &str, at: Duration) {
        if let Some(sent_at) = self.sent.remove(event_id)
            && let Some(micros) = &mut self.micros
        {
            let taken = at.saturating_sub(sent_at).as_micros();
            micros.saturating_record(u64::try_from(taken).unwrap_or(LONGEST_MICROS));
        }
    }

    /// Gives up on what will not arrive.
    pub(super) fn forget_old(&mut self, now: Duration) {
        self.sent.retain(|_, sent_at| now.saturating_sub(*sent_at) < FORGOTTEN_AFTER);
    }

    /// Returns what was measured so far.
    pub(super) fn measured(&self) -> Option<Latency> {
        let micros = self.micros.as_ref().filter(|micros| !micros.is_empty())?;
        let at = |quantile| Duration::from_micros(micros.value_at_quantile(quantile));
        Some(Latency { p50: at(0.5), p99: at(0.99) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_and_arrived_is_measured_and_repeats_are_forgotten() {
        let mut latencies = Latencies::new();
        for index in 0..FOLLOWED_EVERY * 3 {
            let line = format!(r#"{{"event_id":"e{index}","ts":0}}"#);
            latencies.sent(line.as_bytes(), Duration::from_secs(1));
        }
        assert_eq!(latencies.sent.len(), 3);
        assert!(latencies.measured().is_none());
        latencies.arrived("e15", Duration::from_millis(1040));
        latencies.arrived("e15", Duration::from_secs(9));
        latencies.arrived("never sent", Duration::from_millis(1040));
        let p99 = latencies.measured().unwrap().p99;
        assert!((Duration::from_millis(39)..Duration::from_millis(41)).contains(&p99), "{p99:?}");
        latencies.forget_old(Duration::from_secs(12));
        assert!(latencies.sent.is_empty());
    }
}
