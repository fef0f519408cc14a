//! What a touchpoint costs in the engine, step by step and as a whole: time and allocations.
//!
//! One binary, because linking it once is cheaper than once per step; name a step to measure it
//! alone: `cargo bench -- process`. `cargo bench -- --test` runs everything once, on less.
//! Touchpoints are simulated from fixed seeds, so every run measures the same work.
#![cfg(test)]

mod allocations;
mod commit;
mod decode;
mod detector;
mod process;
mod rules;
mod store;
mod worker;
mod workload;

use criterion::Criterion;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() {
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    decode::benches(&mut criterion);
    process::benches(&mut criterion);
    commit::benches(&mut criterion);
    rules::benches(&mut criterion);
    store::benches(&mut criterion);
    detector::benches(&mut criterion);
    criterion.final_summary();
}
