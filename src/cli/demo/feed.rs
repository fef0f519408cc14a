//! The simulated customers' side: hands touchpoints to the broker when their time has come.

use std::{iter::Peekable, time::Duration};

use super::{SPEED_IN_WORDS, latencies::Latencies, party::fatal, snapshot::Situation};
use crate::{
    cli::Failure,
    kafka::Feeder,
    model::EventTime,
    simulation::{Simulated, Simulation},
};

/// How many touchpoints may be on their way while history is read. The embedded broker keeps 5 MiB
/// a partition and forgets the rest: this is a tenth of that.
const AHEAD_MAX: u64 = 8000;

/// How many touchpoints are handed over before somebody looks at what came back.
const AT_ONCE_MAX: usize = 2000;

/// How many seconds the course of the rate shows.
const RATES_MAX: usize = 24;

const SECOND: Duration = Duration::from_secs(1);

/// How far the service is, and where it can be asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whereabouts<'a> {
    /// How far event time has come.
    pub(super) watermark: Option<EventTime>,
    /// Where it answers.
    pub(super) address: &'a str,
}

/// The simulation, and what was made of it.
#[derive(Debug)]
pub(super) struct Feed {
    simulation: Peekable<Simulation>,
    feeder: Feeder,
    /// History is being read, and what happened meanwhile.
    catching_up: bool,
    /// When the latest touchpoint reached the wire.
    fed_until: EventTime,
    fed_count: u64,
    latencies: Latencies,
    rates: Vec<f64>,
    second_began: Duration,
    second_count: u32,
}

impl Feed {
    pub(super) fn new(simulation: Simulation, feeder: Feeder) -> Self {
        Self {
            simulation: simulation.peekable(),
            feeder,
            catching_up: true,
            fed_until: EventTime::MIN,
            fed_count: 0,
            latencies: Latencies::new(),
            rates: Vec::new(),
            second_began: Duration::ZERO,
            second_count: 0,
        }
    }

    /// Hands over what is due: all that reaches the wire until `now`, but never more than the
    /// broker can keep until it is read (`moment_count` says how far that is).
    pub(super) fn feed(
        &mut self,
        now: EventTime,
        moment_count: u64,
        elapsed: Duration,
    ) -> Result<(), Failure> {
        for _ in 0..AT_ONCE_MAX {
            // A repeat gives no moment, so that some hundredths never come back.
            let ahead = self.fed_count.saturating_sub(moment_count + self.fed_count / 50);
            if self.catching_up && AHEAD_MAX < ahead {
                break;
            }
            let Some(touchpoint) = self.simulation.next_if(|next| next.emitted_at <= now) else {
                self.caught_up(elapsed);
                break;
            };
            self.send(&touchpoint, elapsed)?;
        }
        self.tell_rate(elapsed);
        Ok(())
    }

    fn send(&mut self, touchpoint: &Simulated, elapsed: Duration) -> Result<(), Failure> {
        self.feeder.send(touchpoint.customer_id.as_bytes(), &touchpoint.line).map_err(fatal)?;
        self.fed_until = touchpoint.emitted_at;
        self.fed_count += 1;
        self.second_count += 1;
        if !self.catching_up {
            self.latencies.sent(&touchpoint.line, elapsed);
        }
        Ok(())
    }

    /// Nothing is due any more: from now on things are shown as they happen.
    fn caught_up(&mut self, elapsed: Duration) {
        if self.catching_up {
            self.catching_up = false;
            self.rates.clear();
            self.second_began = elapsed;
            self.second_count = 0;
        }
    }

    fn tell_rate(&mut self, elapsed: Duration) {
        let passed = elapsed.saturating_sub(self.second_began);
        if passed < SECOND {
            return;
        }
        self.latencies.forget_old(elapsed);
        if RATES_MAX <= self.rates.len() {
            self.rates.remove(0);
        }
        if self.catching_up {
            // History comes as fast as it can be read, which would dwarf every day after it.
            self.rates.clear();
        }
        self.rates.push(f64::from(self.second_count) / passed.as_secs_f64());
        self.second_began = elapsed;
        self.second_count = 0;
    }

    /// Notes that a moment was read.
    pub(super) fn arrived(&mut self, event_id: &str, elapsed: Duration) {
        self.latencies.arrived(event_id, elapsed);
    }

    /// Returns what the moments do not tell.
    pub(super) fn situation(
        &self,
        clock: EventTime,
        elapsed: Duration,
        service: Whereabouts<'_>,
    ) -> Situation {
        Situation {
            // While history is read, the time that passes is the history's.
            clock: if self.catching_up { self.fed_until } else { clock },
            watermark: service.watermark,
            speed: SPEED_IN_WORDS.to_owned(),
            elapsed,
            touchpoint_count: self.fed_count,
            rates: self.rates.clone(),
            latency: self.latencies.measured(),
            address: service.address.to_owned(),
            catching_up: self.catching_up,
        }
    }
}
