//! The shipped packs and the examples of the rule reference keep what their tests promise.

mod expect;
mod journey;
mod reference;
mod shipped;
