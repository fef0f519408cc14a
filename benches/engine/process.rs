//! The whole pure path, as a worker runs it: decode to encode, seal, store.
//!
//! Measured over days of a population's life. `known customers` is what a service does after its
//! first days; `from nothing` is a first start.

use criterion::{BatchSize, Criterion};
use rega::{engine::Engine, simulation::Simulated};

use crate::{
    allocations::print_per_touchpoint,
    worker::Worker,
    workload::{engine, group, size, touchpoints},
};

/// As many as one transaction holds under load.
const COMMIT_EVERY: usize = 5_000;

/// As many as one transaction holds at 5,000 touchpoints a second and 100 ms.
const COMMIT_OFTEN: usize = 500;

/// Measures the whole path.
pub(crate) fn benches(criterion: &mut Criterion) {
    let engine = engine(&[]);
    let count = size(50_000);
    let few = touchpoints(10_000, 2 * count);
    let many = touchpoints(100_000, 2 * count);
    let (past, present) = few.split_at(count);
    let mut group = group(criterion, "process", count);
    print_per_touchpoint("process/from nothing", count, || {
        Worker::new(&engine, COMMIT_EVERY).run(past);
    });
    group.bench_function("from nothing", |bencher| {
        bencher.iter(|| Worker::new(&engine, COMMIT_EVERY).run(past));
    });
    let mut worker = Worker::new(&engine, COMMIT_EVERY).after(past);
    print_per_touchpoint("process/known customers", count, || worker.run(present));
    let cases = [
        ("known customers", &few, COMMIT_EVERY),
        ("known customers, small commits", &few, COMMIT_OFTEN),
        ("100,000 customers", &many, COMMIT_EVERY),
    ];
    for (name, touchpoints, commit_every) in cases {
        let (past, present) = touchpoints.split_at(count);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || Worker::new(&engine, commit_every).after(past),
                |worker| present_day(worker, present),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
    hot_customer(criterion, &engine, &few);
}

/// The worker is returned so that dropping it is not measured.
fn present_day<'e>(mut worker: Worker<'e>, touchpoints: &[Simulated]) -> Worker<'e> {
    worker.run(touchpoints);
    worker
}

/// Everything is done by one customer: the tail is always full.
fn hot_customer(criterion: &mut Criterion, engine: &Engine, touchpoints: &[Simulated]) {
    let count = size(5_000);
    let one: Vec<Simulated> = touchpoints.iter().take(count).map(as_one_customer).collect();
    let mut group = group(criterion, "process", count);
    group.bench_function("one hot customer", |bencher| {
        bencher.iter(|| Worker::new(engine, COMMIT_EVERY).run(&one));
    });
    group.finish();
}

fn as_one_customer(touchpoint: &Simulated) -> Simulated {
    let mut json: serde_json::Value = serde_json::from_slice(&touchpoint.line).unwrap();
    json["customer_id"] = "hot".into();
    let line = serde_json::to_vec(&json).unwrap();
    Simulated { customer_id: "hot".to_owned(), line, ..touchpoint.clone() }
}
