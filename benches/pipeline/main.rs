//! What the whole job costs on a real broker, beside a bare client and a Kafka Streams application.
//!
//! One command: `cargo bench --bench pipeline`. It starts a native broker, fills a topic with
//! simulated touchpoints, and lets the contestants work through it in turn, several times:
//!
//! - `floor`: a bare client that consumes, parses and produces as much, with the same library;
//! - `rega`: `rega run` with the commerce pack;
//! - `reference`: `rega run` with the reference job's 30 rules (`reference.tsv`);
//! - `streams`: the reference job as a Kafka Streams application (`java/`, Maven);
//! - `loop`: the same job as a loop written by hand, with its states in memory alone (`java/`).
//!
//! What these two put out is compared with what `reference` puts out. CPU is the process's, all
//! threads, without the broker's.
//!
//! `cargo bench --bench pipeline -- latency` measures from produce to a committed read at a fixed
//! rate; `-- --test` does everything once, on little.
#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a bench measures by the clock and waits for others; order never leaks from its maps"
)]

mod broker;
mod contestant;
mod equal;
mod floor;
mod latency;
mod options;
mod process;
mod race;
mod report;
mod runners;
mod sample;

use options::Options;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(place) = floor::Place::parse(&arguments) {
        floor::run(&place);
    }
    let options = Options::parse(&arguments);
    let folder = tempfile::Builder::new().prefix("rega-bench-").tempdir().unwrap();
    let Some(broker) = broker::Broker::start(&folder.path().join("broker")) else { return };
    let bench = race::Bench::prepare(&options, broker, folder.path());
    if options.latency {
        latency::run(&bench, &options);
    } else {
        race::run(&bench, &options);
    }
}
