//! One partition's committed customers.
//!
//! The engine reads them through [`crate::engine::Customers`]; the service tells them of a
//! transaction only after Kafka has committed it. A crash in between leaves the store one step
//! behind, and the changelog brings it forward. The other order would leave it one step ahead of a
//! transaction that never happened.
//!
//! [`PartitionStore`] is the service's: what fits in memory, and a checkpoint on disk. [`MemoryStore`]
//! is for whoever has no changelog to come back to: replay, tests of rules, benches.

mod disk;
mod environment;
mod intake;
mod map;
mod marker;
mod memory;
mod partition;
mod runs;
mod shelf;
#[cfg(test)]
mod tests;

pub use self::{
    disk::DiskFailure,
    intake::Intake,
    memory::{Change, MemoryStore},
    partition::PartitionStore,
    shelf::{Identity, Opened, Shelf},
};
