//! The shipped packs and the examples of the rule reference keep what their tests promise.

mod expect;
pub(crate) mod journey;
mod journeys;
mod reference;
mod shipped;
