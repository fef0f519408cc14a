//! How long a customer base is without its service: killed, restored, drained; and a long dull run.
//!
//! `cargo bench --bench restore` starts a native broker, gives a million customers a state by letting
//! `rega run` work through their touchpoints, and then, while touchpoints go on coming:
//!
//! - takes commit latency from Rega's own metric;
//! - kills it with -9 and starts it at once, on the disk as it was and on an empty one, and stops the
//!   time until a reader of committed moments sees the first new one, and one of every partition;
//! - asks it to end, and stops the time until it has.
//!
//! `-- dull` lets it run at a steady rate for long, and compares the last tenth of that time with the
//! first: memory, files, threads, CPU a touchpoint. `-- --test` does both once, on little.
#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    reason = "a bench measures by the clock and waits for others"
)]

#[expect(dead_code, reason = "the pipeline asks it for more")]
#[path = "../pipeline/broker.rs"]
mod broker;
mod dull;
mod figures;
mod instance;
mod load;
mod metrics;
mod moments;
mod options;
#[path = "../pipeline/process.rs"]
mod process;

use options::Options;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = Options::parse(&arguments);
    let folder = tempfile::Builder::new().prefix("rega-bench-").tempdir().unwrap();
    let Some(broker) = broker::Broker::start(&folder.path().join("broker")) else { return };
    if !options.dull || options.small {
        figures::run(&options, &broker, folder.path());
    }
    if options.dull || options.small {
        dull::run(&options, &broker, folder.path());
    }
}
