//! The only clock.
//!
//! The service reads it once per batch and hands the result on; the engine never reads it. A test
//! or the demo brings its own: one that runs faster, or from another day.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::EventTime;

/// What the machine's clock says.
#[expect(clippy::disallowed_methods, reason = "this module is the one exception to the ban")]
pub fn wall_clock() -> EventTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
    EventTime::from_millis(millis).unwrap_or(EventTime::MAX)
}

/// What "now" means to a running service: the machine's time, or a faster one.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// `None`: the machine's clock, which may be set; otherwise counted from here.
    origin: Option<EventTime>,
    speed: f64,
    started: Stopwatch,
}

impl Clock {
    /// The machine's clock.
    pub fn wall() -> Self {
        Self { origin: None, speed: 1.0, started: Stopwatch::start() }
    }

    /// A clock that shows `origin` now and runs `speed` times as fast as the machine's.
    pub fn accelerated(origin: EventTime, speed: f64) -> Self {
        Self { origin: Some(origin), speed, started: Stopwatch::start() }
    }

    /// Returns what it is now.
    pub fn now(&self) -> EventTime {
        match self.origin {
            None => wall_clock(),
            Some(origin) => {
                let elapsed = self.started.elapsed().mul_f64(self.speed.max(0.0));
                origin.plus(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
            }
        }
    }
}

/// Measures how long something takes. Cannot run backwards when the machine's time is set.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to measure.
    #[expect(clippy::disallowed_methods, reason = "this module is the one exception to the ban")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns the time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Returns what is left of `limit`; zero when it is over.
    pub fn left_of(&self, limit: Duration) -> Duration {
        limit.saturating_sub(self.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accelerated_clock_starts_where_it_was_told_and_runs_ahead() {
        let origin = EventTime::from_millis(1_000_000).unwrap();
        let clock = Clock::accelerated(origin, 1e9);
        let first = clock.now();
        assert!(origin <= first);
        while clock.now() == first {}
        assert!(first < clock.now());
    }
}
