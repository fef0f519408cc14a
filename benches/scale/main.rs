//! How the cost of a touchpoint grows: with customers, rules, properties, history, and time.
//!
//! `cargo bench --bench scale` runs the pure path and the store (decode to encode, seal, apply,
//! checkpoint to disk), prints one table, and draws it to `docs/scale.svg`. CPU is that of the one
//! thread that does the work, so that a busy machine blurs it less than a clock would.
//! `-- --test` goes everywhere once, on little, and draws nothing.
#![cfg(test)]

mod cpu;
mod curves;
mod plot;
mod worker;

use curves::Curve;
use mimalloc::MiMalloc;

/// As `rega` has it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let small = arguments.iter().any(|argument| argument == "--test");
    let only: Vec<&String> =
        arguments.iter().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let mut drawn = Vec::new();
    println!("| varied | value | CPU µs a touchpoint | to the first | rows MiB in memory |");
    println!("|---|---|---|---|---|");
    for curve in Curve::ALL {
        if !only.is_empty() && !only.iter().any(|name| **name == curve.name()) {
            continue;
        }
        for (name, points) in curve.measure(small) {
            for point in &points {
                println!(
                    "| {name} | {} | {:.2} | {:.2} | {:.0} |",
                    point.value,
                    point.micros,
                    point.micros / points[0].micros,
                    point.memory_mib,
                );
            }
            drawn.push((name, points));
        }
    }
    if !small && only.is_empty() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scale.svg");
        std::fs::write(file, plot::draw(&drawn)).unwrap();
        println!("drawn to docs/scale.svg");
    }
}
