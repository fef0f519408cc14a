//! What a commit costs besides Kafka, and what reading rows back costs.

use std::hint::black_box;

use criterion::{BatchSize, Criterion};
use rega::{
    engine::{engagement_record, inspect_row},
    store::MemoryStore,
};

use crate::{
    worker::Worker,
    workload::{engine, group, size, touchpoints},
};

/// Measures, per customer: sealing, applying, inspecting, reading.
pub(crate) fn benches(criterion: &mut Criterion) {
    let engine = engine(&[]);
    let count = size(50_000);
    let all = touchpoints(10_000, count + size(5_000));
    let (past, present) = all.split_at(count);
    // Never commits by itself: what is present stays to be sealed.
    let changed = || {
        let mut worker = Worker::new(&engine, usize::MAX).after(past);
        worker.run(present);
        worker
    };
    let mut sealed = changed();
    sealed.commit();
    let rows: Vec<(String, Vec<u8>)> =
        sealed.store.in_order().map(|(id, row)| (id.to_owned(), row.to_vec())).collect();
    let bytes: usize = rows.iter().map(|(_, row)| row.len()).sum();
    println!("commit: {} customers, {} bytes a row", rows.len(), bytes / rows.len());

    let mut seals = group(criterion, "commit", sealed.sealed.customers.len());
    seals.bench_function("seal", |bencher| {
        bencher.iter_batched(
            changed,
            |mut worker| {
                worker.sealed.clear();
                worker.partition.seal(worker.engine, &mut worker.sealed);
                worker
            },
            BatchSize::PerIteration,
        );
    });
    seals.bench_function("apply", |bencher| {
        bencher.iter_batched_ref(
            || Worker::new(&engine, usize::MAX).after(past).store,
            |store: &mut MemoryStore| store.apply(&sealed.sealed),
            BatchSize::PerIteration,
        );
    });
    seals.finish();

    let mut reads = group(criterion, "rows", rows.len());
    reads.bench_function("inspect", |bencher| {
        bencher.iter(|| rows.iter().filter(|(_, row)| inspect_row(black_box(row)).is_ok()).count());
    });
    reads.bench_function("read", |bencher| {
        bencher.iter(|| {
            let records = rows.iter().map(|(id, row)| engagement_record(&engine, id, row, None));
            records.map(|record| record.unwrap().len()).sum::<usize>()
        });
    });
    reads.finish();
}
