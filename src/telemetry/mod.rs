//! What operators see: every metric declared once, and one function per fact.
//!
//! ```text
//! engine effects ─► Tally (per worker, plain integers) ─ after the commit ─► Telemetry ─► /metrics
//! service facts ──► Telemetry's functions (count and log) or `log` (log alone)
//! ```
//!
//! # Invariants
//!
//! - No customer id is ever a label or part of a log line.
//! - A counter shows committed work only, so it agrees with what consumers of the outputs read.
//! - No lock is taken per touchpoint: one per transaction, and one per scrape.

mod alarms;
mod book;
mod build;
mod customer_counts;
mod declared;
mod distribution;
mod grid;
mod labels;
pub mod log;
mod logging;
mod metrics;
mod names;
mod roster;
mod standing;
mod tally;
#[cfg(test)]
mod tests;
mod text_counts;

pub use self::{
    alarms::DetectorStanding,
    book::{Latency, Telemetry, TelemetryError},
    build::version,
    customer_counts::CustomerCounts,
    declared::{ALL as METRICS, Declared, Kind, SERIES_MAX},
    labels::{AbortClass, Caveat, Output, Queue, StopReason, StorePart},
    logging::{LogFormat, LoggingError, init_logging},
    names::Names,
    standing::WorkerStanding,
    tally::Tally,
};

/// Where names beyond a bound are counted.
const OTHER: &str = "other";

/// A label that does not apply.
const NONE: &str = "none";
