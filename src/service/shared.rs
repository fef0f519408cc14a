//! What the workers of one process share: settings, rules, telemetry, and the wish to stop.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;

use super::{
    Settings, board::Board, owners::Owners, placement::Placement, route::Sources,
    spikes::SpikeBoard, watchdog::Rounds,
};
use crate::{
    engine::Engine,
    kafka::TopicSet,
    model::{EventTime, Span, span_of},
    store::Shelf,
    telemetry::{Names, Telemetry},
};

/// The rules in force, with the names that telemetry counts them under. A reload swaps it whole.
#[derive(Debug)]
pub struct Ruling {
    /// Rules, decoder and settings of the engine.
    pub engine: Engine,
    /// Where the input is routed: how the records of each source are read. The same rules and
    /// settings, another decoder.
    pub sources: BTreeMap<String, SourceEngines>,
    /// Names behind its indices.
    pub names: Arc<Names>,
}

/// How the records of one source are read.
#[derive(Debug)]
pub struct SourceEngines {
    /// As they come, batches and all.
    pub records: Engine,
    /// Items that were taken out of their record.
    pub items: Engine,
}

impl Ruling {
    /// Returns what reads the records of a source.
    pub(super) fn source_engine(&self, topic: &str) -> &Engine {
        self.sources.get(topic).map_or(&self.engine, |source| &source.records)
    }

    /// Returns what reads the routed items of a source.
    pub(super) fn item_engine(&self, topic: &str) -> &Engine {
        self.sources.get(topic).map_or(&self.engine, |source| &source.items)
    }
}

/// Everything that more than one worker needs.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) topics: TopicSet,
    /// Read by workers once per batch, written by a reload.
    pub(super) ruling: Arc<ArcSwap<Ruling>>,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) board: Board,
    pub(super) shelf: Arc<Shelf>,
    pub(super) stop: Stop,
    pub(super) input: InputPulse,
    /// When each worker last came round.
    pub(super) rounds: Rounds,
    /// Who has which partition.
    pub(super) owners: Arc<Owners>,
    /// Which partition a customer is in.
    pub(super) placement: Arc<Placement>,
    /// What routers read; `None` where nothing is routed.
    pub(super) sources: Option<Sources>,
    pub(super) spikes: SpikeBoard,
}

/// When any worker of this process last received a record. Says whether the whole input is silent,
/// as far as one process can know: it sees its own partitions only.
#[derive(Debug)]
pub(super) struct InputPulse {
    /// Milliseconds. An atomic, because it is written per batch and order among writers is of no
    /// matter.
    last_record_at: AtomicI64,
}

impl InputPulse {
    pub(super) fn new() -> Self {
        Self { last_record_at: AtomicI64::new(EventTime::MIN.as_millis()) }
    }

    pub(super) fn beat(&self, now: EventTime) {
        self.last_record_at.fetch_max(now.as_millis(), Ordering::Relaxed);
    }

    /// Returns whether a record arrived within the last `idle_after`.
    pub(super) fn is_alive(&self, now: EventTime, idle_after: Span) -> bool {
        now.as_millis().saturating_sub(self.last_record_at.load(Ordering::Relaxed)) < idle_after
    }
}

impl Shared {
    pub(super) fn idle_after(&self) -> Span {
        span_of(self.settings.idle_after)
    }

    /// Returns whether quiet partitions may be believed to be quiet.
    pub(super) fn is_input_alive(&self, now: EventTime) -> bool {
        let routing = self.sources.as_ref().is_some_and(Sources::is_behind);
        !routing && self.input.is_alive(now, self.idle_after())
    }
}

/// The wish to stop, and a wait that it cuts short.
#[derive(Debug, Default)]
pub(super) struct Stop {
    /// A lock rather than an atomic, so that a waiting worker can be woken.
    asked: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    pub(super) fn ask(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    pub(super) fn is_asked(&self) -> bool {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `pause`, or until somebody asks to stop.
    pub(super) fn wait(&self, pause: Duration) {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        // Poisoned or not: whoever waited looks at `is_asked` next.
        let _unused = self
            .changed
            .wait_timeout_while(asked, pause, |asked| !*asked)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_when_somebody_asks_to_stop() {
        let stop = Stop::default();
        std::thread::scope(|scope| {
            scope.spawn(|| stop.ask());
            // Without the wake-up this test would hang, and be noticed.
            stop.wait(Duration::from_hours(1));
        });
        assert!(stop.is_asked());
    }

    #[test]
    fn an_input_without_records_is_silent() {
        let pulse = InputPulse::new();
        let now = EventTime::from_millis(1_000_000).unwrap();
        assert!(!pulse.is_alive(now, 1000));
        pulse.beat(now);
        assert!(pulse.is_alive(now.plus(999), 1000));
        assert!(!pulse.is_alive(now.plus(1000), 1000));
    }
}
