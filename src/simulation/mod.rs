//! Simulated people: believable touchpoints for `rega generate` and for the demo.
//!
//! A population follows from a seed; what a person is like is computed and never stored, so that
//! ten million customers cost no more than the errands that run at one time. Each errand is a small
//! state machine ([`journeys`]) with dice of its own. The steps of all errands happen in the order
//! of event time; a simulated wire then delays, reorders and repeats them.
//!
//! ```text
//! rhythm ──► errands begin ──► agenda (by event time) ──► steps ──► wire (by arrival) ──► records
//! ```
//!
//! # Invariants
//!
//! - The same [`SimulationSpec`] gives the same bytes on every machine: whole numbers and IEEE
//!   basic operations only, no clock, no iteration over hash tables.
//! - What reaches the wire does so in the order of `emitted_at`.

mod acts;
mod agenda;
mod catalog;
mod dice;
mod journeys;
mod line;
mod misfortune;
mod people;
mod phrases;
mod rhythm;
mod run;
mod scene;
mod spike;
mod translate;
mod wire;

pub use self::{
    misfortune::PAIN_KEYS,
    run::{Simulation, SimulationSpec},
    spike::{Spike, SpikeProblem},
    translate::Translator,
    wire::Simulated,
};
