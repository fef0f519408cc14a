//! What the store on disk costs: rows read back onto an empty one, and rows read from it.

use std::{hint::black_box, path::Path, sync::Arc, time::Duration};

use criterion::{BatchSize, Criterion};
use rega::{
    engine::Customers,
    model::EventTime,
    store::{Identity, PartitionStore, Shelf},
};

use crate::{
    worker::Worker,
    workload::{engine, group, size, touchpoints},
};

/// A partition's share of `state.memory_bytes`, with four of them.
const BUDGET: usize = 128 << 20;

/// How many rows a restore writes at once.
const AT_ONCE: usize = 20_000;

/// Measures both, a row each.
pub(crate) fn benches(criterion: &mut Criterion) {
    let engine = engine(&[]);
    let worker = Worker::new(&engine, 5_000).after(&touchpoints(10_000, size(20_000)));
    let rows: Vec<&[u8]> = worker.store.in_order().map(|(_, row)| row).collect();
    // In the order of commits, which is none of ids.
    let scattered = |number: usize| number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
    let count = size(300_000);
    let all: Vec<(String, &[u8])> = (0..count)
        .map(|number| (format!("cus_{:016x}", scattered(number)), rows[number % rows.len()]))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let mut group = group(criterion, "store", count);
    group.bench_function("restore onto an empty disk", |bencher| {
        bencher.iter_batched(
            || (),
            |()| restored(&tempfile::tempdir_in(folder.path()).unwrap().keep(), &all),
            BatchSize::PerIteration,
        );
    });
    let store = restored(&folder.path().join("read"), &all);
    group.bench_function("read from disk", |bencher| {
        bencher.iter(|| all.iter().filter(|(id, _)| black_box(store.row(id)).is_some()).count());
    });
    group.finish();
}

fn restored(dir: &Path, rows: &[(String, &[u8])]) -> PartitionStore {
    let shelf = Arc::new(Shelf::new(dir.to_owned(), Duration::from_hours(1)));
    let now = EventTime::from_millis(1_767_571_200_000).unwrap();
    let mut store = shelf.open(Identity::default(), now).unwrap().store;
    store.set_budget(BUDGET);
    let mut intake = store.intake().unwrap();
    for (id, row) in rows {
        intake.put(id, Some(row)).unwrap();
        if store.is_run_due(&intake) {
            store.write_run(&mut intake).unwrap();
        }
    }
    while !store.take_in(&mut intake, AT_ONCE, 1, now).unwrap() {}
    store.restored();
    store
}
