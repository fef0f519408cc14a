//! The shipped packs and the examples of the rule reference keep what their tests promise.
#![cfg(test)]

mod expect;
mod journey;
mod reference;
mod shipped;
