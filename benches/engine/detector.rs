//! What the spike detector costs, for each minute of a partition that it hears of.

use criterion::{BatchSize, Criterion};
use rega::{
    engine::{
        Effect, Effects, Partition,
        spike::{Detector, DetectorSettings, Found, PulseRecord},
    },
    model::EventTime,
    store::MemoryStore,
};

use crate::workload::{engine, group, record, size, touchpoints};

/// Measures minutes with some 70 touchpoints each.
pub(crate) fn benches(criterion: &mut Criterion) {
    let engine = engine(&[]);
    let (mut partition, mut effects) = (Partition::default(), Effects::default());
    let store = MemoryStore::default();
    let mut minutes: Vec<(i64, Vec<u8>)> = Vec::new();
    for (offset, touchpoint) in (0..).zip(touchpoints(100_000, size(200_000)).iter()) {
        let record = record(touchpoint, offset);
        partition.process(&engine, &record, touchpoint.emitted_at, &store, &mut effects);
        for effect in effects.iter() {
            if let Effect::Pulse(pulse) = effect {
                minutes.push((pulse.minute, effects.bytes(pulse.value).to_vec()));
            }
        }
        effects.clear();
    }
    assert!(!minutes.is_empty(), "nothing to judge");
    let mut group = group(criterion, "detector", minutes.len());
    group.bench_function("a minute", |bencher| {
        bencher.iter_batched_ref(
            || (Detector::new(DetectorSettings::default()), Found::default()),
            |(detector, found)| {
                for (offset, (minute, value)) in (0..).zip(&minutes) {
                    let heard_at = EventTime::from_millis(minute * 60_000).unwrap();
                    let (partition, minute) = (0, *minute);
                    detector
                        .note(&PulseRecord { partition, minute, value, offset, heard_at }, found);
                    detector.judge(None, None, found);
                }
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}
