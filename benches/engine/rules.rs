//! What rules cost: compiling them, and having many of them for other events.

use std::{fmt::Write, path::Path};

use criterion::{BatchSize, Criterion};
use rega::config::load_packs;

use crate::{
    worker::Worker,
    workload::{engine, group, size, touchpoints},
};

/// Measures both.
pub(crate) fn benches(criterion: &mut Criterion) {
    criterion.bench_function("rules/read and compile commerce", |bencher| {
        bencher.iter(|| load_packs(["commerce"]).unwrap());
    });
    let folder = tempfile::tempdir().unwrap();
    let count = size(20_000);
    let touchpoints = touchpoints(10_000, 2 * count);
    let (past, present) = touchpoints.split_at(count);
    let mut group = group(criterion, "rules", count);
    for more in [0, 50, 1_000] {
        let file = write_rules(folder.path(), more);
        let engine = engine(&[&file]);
        group.bench_function(format!("process with {more} more"), |bencher| {
            bencher.iter_batched(
                || Worker::new(&engine, 5_000).after(past),
                |mut worker| {
                    worker.run(present);
                    worker
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// Writes a pack of rules, each for an event of its own; returns its path.
fn write_rules(folder: &Path, count: usize) -> String {
    let mut text = String::from("pack: extra\n");
    text.push_str(if count == 0 { "rules: []\n" } else { "rules:\n" });
    for number in 0..count {
        write!(
            text,
            "  - name: extra {number}\n    \
               when: {{ event: extra_event_{number}, properties: {{ level: {{ min: 3 }} }} }}\n    \
               label: {{ micro_moment: do, stage: loyalty }}\n    \
               points: {{ engage: 1 }}\n"
        )
        .unwrap();
    }
    let file = folder.join(format!("extra-{count}.yaml"));
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}
