//! What is measured: simulated touchpoints, and the engine they run through.

use std::sync::Arc;

use criterion::{Criterion, Throughput};
use rega::{
    config::load_packs,
    engine::{Engine, Record, Settings, decode::Dialect},
    model::EventTime,
    simulation::{Simulated, Simulation, SimulationSpec},
};

/// 2026-01-05T00:00:00Z, a Monday.
const START_MILLIS: i64 = 1_767_571_200_000;

/// `notify.max_age` as `rega run` has it by default: an hour.
const BACKFILL_AFTER: i64 = 3_600_000;

/// How much there is to do: all of it, or (`--test`) just enough to go everywhere once.
pub(crate) fn size(full: usize) -> usize {
    if std::env::args().any(|argument| argument == "--test") { full / 100 } else { full }
}

/// Returns the first touchpoints of a population that has one per customer in a mean day.
pub(crate) fn touchpoints(customers: u32, count: usize) -> Vec<Simulated> {
    let spec = SimulationSpec {
        customers,
        seed: 7,
        start: EventTime::from_millis(START_MILLIS).unwrap(),
        touchpoints_per_day: f64::from(customers),
        spikes: Vec::new(),
    };
    Simulation::new(spec).take(count).collect()
}

/// Returns an engine as `rega run` has it, with the commerce pack and other packs.
pub(crate) fn engine(more_packs: &[&str]) -> Engine {
    engine_for(more_packs, Dialect::Native)
}

/// The same for records of another dialect.
pub(crate) fn engine_for(more_packs: &[&str], dialect: Dialect) -> Engine {
    let packs = ["commerce"].into_iter().chain(more_packs.iter().copied());
    let rules = load_packs(packs).unwrap_or_else(|report| panic!("{report}")).rules;
    let settings = Settings {
        expects_keys: true,
        backfill_after: Some(BACKFILL_AFTER),
        ..Settings::default()
    };
    Engine::new(Arc::new(rules), settings, dialect)
}

/// Returns a touchpoint as Kafka would deliver it.
pub(crate) fn record(touchpoint: &Simulated, offset: i64) -> Record<'_> {
    Record {
        value: Some(&touchpoint.line),
        key: Some(touchpoint.customer_id.as_bytes()),
        headers: &[],
        topic: "touchpoints",
        partition: 0,
        offset,
        timestamp: Some(touchpoint.emitted_at),
    }
}

/// Begins a group of benches that count so many things per iteration.
pub(crate) fn group<'c>(
    criterion: &'c mut Criterion,
    name: &str,
    count: usize,
) -> criterion::BenchmarkGroup<'c, criterion::measurement::WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(u64::try_from(count).unwrap()));
    group
}
