//! Rega names every moment between customers and a brand.
//!
//! It reads touchpoints (what a customer did, or what was done to them), says of each which moment
//! it is, and keeps every customer's engagement. *Rega* is Hebrew for *moment*.
//!
//! # The flow
//!
//! ```text
//! touchpoints ─► decode ─► dedupe ─► classify ─► score ─► encode ─► moments      one per touchpoint and revision
//!    (Kafka)      │                  (rules ×    (ledger,           engagement   compacted, per customer
//!                 ▼                   history)    episodes)         state        compacted, internal
//!              rejects                               │              pulse        what each minute brought, internal
//!                                                deadlines            │
//!                                                                     ▼
//!                       one of all instances:             spike detector ─► pain-spikes   opened, going on, over
//! ```
//!
//! A record's bytes become touchpoints or rejects ([`engine::decode`]); a touchpoint is put into its
//! place on its customer's time line, evaluated by the rules ([`engine::rules`]), and what the engine
//! wants done comes back as [`engine::Effects`]. The [`service`] makes it true, with the customers'
//! new state and the offsets, in one Kafka transaction. What every partition's minutes brought is the
//! pulse; one instance reads it, and says where pain is more frequent than usual ([`engine::spike`]).
//!
//! # The modules
//!
//! From the inside out; a module names only those before it, and adapters do not name each other.
//!
//! - [`model`] — nouns.
//! - [`engine`] — verbs, pure. The same input gives the same output, byte for byte.
//! - [`clock`] — the only wall clock; [`backoff`] — how long to wait before trying again;
//!   [`http_client`] — the one HTTP client.
//! - [`config`], [`kafka`], [`store`], [`http`], [`notify`], [`telemetry`], [`simulation`] — adapters.
//! - [`service`] — the only layer that waits.
//! - [`trial`] — the tests that stand beside rules, run.
//! - [`cli`] — what one types.
//!
//! # Invariants
//!
//! - The engine never waits, logs, reads a clock or does I/O. Replay and crash tests rest on it.
//! - Bad input is a value with a stable reason, never a panic, never dropped in silence.
//! - Everything since the last commit becomes true at once, or nothing of it.
//! - A customer's score is the sum of the lines of their ledger; there is no other bookkeeping.
//! - Everything that can grow has a bound, and its comment says what happens there.
//!
//! `ARCHITECTURE.md` names the test that holds each.

pub mod backoff;
pub mod cli;
pub mod clock;
pub mod config;
pub mod engine;
pub mod http;
pub mod http_client;
pub mod kafka;
pub mod model;
pub mod notify;
pub mod service;
pub mod simulation;
pub mod store;
pub mod telemetry;
pub mod trial;
