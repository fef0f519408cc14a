//! How fast records leave: as fast as they can be made, so many a second, or when they happen.

use std::{str::FromStr, time::Duration};

use crate::clock::Stopwatch;

/// What `--pace` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pace {
    /// So many per second of wall time.
    PerSecond(f64),
    /// Each when it reaches the wire: simulated time passes as fast as ours.
    Live,
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "live" {
            return Ok(Self::Live);
        }
        text.parse()
            .ok()
            .filter(|rate: &f64| rate.is_finite() && 0.0 < *rate)
            .map(Self::PerSecond)
            .ok_or_else(|| {
                "expected a number of touchpoints per second above 0, or \"live\"".to_owned()
            })
    }
}

/// Waits shorter than this are not worth the call: at a high pace, records then leave in small
/// groups.
const SHORTEST: Duration = Duration::from_millis(5);

/// Holds records back until their time has come.
#[derive(Debug)]
pub(super) struct Pacer {
    watch: Stopwatch,
}

impl Pacer {
    /// Returns a pacer whose time begins now.
    pub(super) fn start() -> Self {
        Self { watch: Stopwatch::start() }
    }

    /// Returns how long to wait for what is due so long after the start; `None` when it is not
    /// worth waiting.
    pub(super) fn wait_for(&self, due: Duration) -> Option<Duration> {
        let left = due.saturating_sub(self.watch.elapsed());
        (SHORTEST <= left).then_some(left)
    }
}

/// Waits.
#[expect(
    clippy::disallowed_methods,
    reason = "there is nothing else to wait for here: a pace is about time itself"
)]
pub(super) fn pause(length: Duration) {
    std::thread::sleep(length);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_a_number_above_zero_or_live() {
        assert_eq!("500".parse(), Ok(Pace::PerSecond(500.0)));
        assert_eq!("0.5".parse(), Ok(Pace::PerSecond(0.5)));
        assert_eq!("live".parse(), Ok(Pace::Live));
        for text in ["0", "-1", "inf", "NaN", "fast", ""] {
            assert!(text.parse::<Pace>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_due_soon_is_not_waited_for() {
        let pacer = Pacer::start();
        assert_eq!(pacer.wait_for(Duration::ZERO), None);
        assert!(pacer.wait_for(Duration::from_hours(1)).is_some());
    }
}
