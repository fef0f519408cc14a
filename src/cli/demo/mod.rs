//! `rega demo`: everything in one process, with simulated customers on an embedded broker.

mod records;
mod screen;
mod snapshot;
mod stats;
mod view;
