//! What is counted of spikes, and of telling people.

use std::{collections::BTreeMap, time::Duration};

use prometheus::{CounterVec, GaugeVec, IntCounterVec, IntGaugeVec, Opts, Registry};

use super::{
    declared::{self, Declared},
    metrics::add,
};
use crate::engine::spike::{Found, Numerator, SpikeState};

/// The receivers of notifications.
const RECEIVERS: [&str; 2] = ["alertmanager", "webhook"];

/// What comes of a notification.
const RESULTS: [&str; 5] = ["delivered", "failed", "refused", "too_old", "over_limit"];

/// What people are told of.
const MATTERS: [&str; 2] = ["spikes", "customers"];

/// The kinds of key.
const KEY_KINDS: [&str; 5] = ["all", "channel", "event", "property", "band"];

/// How the detector stands, where this instance has it.
#[derive(Clone, Debug, Default)]
pub struct DetectorStanding {
    /// Open spikes, by numerator in the order of [`Numerator::ALL`].
    pub open: [u32; 3],
    /// How far the last judged minute lies behind the wall clock.
    pub lag: Duration,
    /// Keys under watch, by kind.
    pub keys: BTreeMap<&'static str, u64>,
}

/// The metrics, each registered under its declaration.
#[derive(Debug)]
pub(super) struct Alarms {
    observed: CounterVec,
    expected: CounterVec,
    spikes: IntCounterVec,
    minutes: IntCounterVec,
    corrections: IntCounterVec,
    unwatched: IntCounterVec,
    notifications: IntCounterVec,
    open: IntGaugeVec,
    lag: GaugeVec,
    keys: IntGaugeVec,
    queue: IntGaugeVec,
}

impl Alarms {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let options = |declared: &Declared| Opts::new(declared.name, declared.help);
        let whole = |declared: &Declared| -> prometheus::Result<IntCounterVec> {
            let counter = IntCounterVec::new(options(declared), declared.labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let broken = |declared: &Declared| -> prometheus::Result<CounterVec> {
            let counter = CounterVec::new(options(declared), declared.labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let gauge = |declared: &Declared| -> prometheus::Result<IntGaugeVec> {
            let gauge = IntGaugeVec::new(options(declared), declared.labels)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let lag = &declared::DETECTOR_LAG_SECONDS;
        let lag = GaugeVec::new(options(lag), lag.labels)?;
        registry.register(Box::new(lag.clone()))?;
        let alarms = Self {
            observed: broken(&declared::PAIN_OBSERVED)?,
            expected: broken(&declared::PAIN_EXPECTED)?,
            spikes: whole(&declared::SPIKES)?,
            minutes: whole(&declared::DETECTOR_MINUTES)?,
            corrections: whole(&declared::DETECTOR_CORRECTIONS)?,
            unwatched: whole(&declared::DETECTOR_UNWATCHED)?,
            notifications: whole(&declared::NOTIFICATIONS)?,
            open: gauge(&declared::SPIKES_OPEN)?,
            keys: gauge(&declared::DETECTOR_KEYS)?,
            queue: gauge(&declared::NOTIFY_QUEUE)?,
            lag,
        };
        alarms.show_zeros();
        Ok(alarms)
    }

    /// Shows closed label sets from the start, so that `rate` sees their first event.
    fn show_zeros(&self) {
        for numerator in Numerator::ALL {
            for state in SpikeState::ALL {
                add(&self.spikes, &[numerator.as_str(), state.as_str()], 0);
            }
        }
        for receiver in RECEIVERS {
            for result in RESULTS {
                add(&self.notifications, &[receiver, result], 0);
            }
        }
        add(&self.minutes, &[], 0);
        add(&self.corrections, &[], 0);
        add(&self.unwatched, &[], 0);
        for matter in MATTERS {
            self.queue(matter, 0);
        }
        self.stand(&DetectorStanding::default());
    }

    /// Counts what a committed transaction found.
    pub(super) fn judged(&self, found: &Found) {
        for said in &found.said {
            add(&self.spikes, &[said.numerator.as_str(), said.state.as_str()], 1);
        }
        for (channel, (observed, expected)) in &found.pains {
            for (counter, count) in [(&self.observed, observed), (&self.expected, expected)] {
                if let Ok(series) = counter.get_metric_with_label_values(&[&**channel]) {
                    series.inc_by(*count);
                }
            }
        }
        add(&self.minutes, &[], found.minutes);
        add(&self.corrections, &[], found.corrections);
        add(&self.unwatched, &[], found.unwatched);
    }

    pub(super) fn stand(&self, standing: &DetectorStanding) {
        for (numerator, count) in Numerator::ALL.iter().zip(standing.open) {
            set(&self.open, &[numerator.as_str()], count.into());
        }
        for kind in KEY_KINDS {
            let count = standing.keys.get(kind).copied().unwrap_or(0);
            set(&self.keys, &[kind], i64::try_from(count).unwrap_or(i64::MAX));
        }
        let none: &[&str] = &[];
        if let Ok(series) = self.lag.get_metric_with_label_values(none) {
            series.set(standing.lag.as_secs_f64());
        }
    }

    pub(super) fn notified(&self, receiver: &str, result: &str) {
        add(&self.notifications, &[receiver, result], 1);
    }

    pub(super) fn queue(&self, matter: &str, count: usize) {
        set(&self.queue, &[matter], i64::try_from(count).unwrap_or(i64::MAX));
    }
}

fn set(gauge: &IntGaugeVec, labels: &[&str], value: i64) {
    if let Ok(series) = gauge.get_metric_with_label_values(labels) {
        series.set(value);
    }
}
