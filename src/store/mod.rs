//! One partition's committed customers.
//!
//! The engine reads them through [`crate::engine::Customers`]; the service tells them of a
//! transaction only after Kafka has committed it. A crash in between leaves the store one step
//! behind, and the changelog brings it forward. The other order would leave it one step ahead of a
//! transaction that never happened.

mod memory;

pub use self::memory::{Change, MemoryStore};
