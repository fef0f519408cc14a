//! Rule files become a [`PackSpec`] and the tests that stand beside the rules.
//!
//! What is checked here is what a file may not say: fields, words, shapes, ranges. What rules may
//! not mean (a reason that nobody declared, a cycle of episodes) is found when they are compiled.

mod journey;
mod pack;
mod rule;
mod when;

pub(super) use self::pack::PackReader;
pub use self::{
    journey::{Expectation, PackTest, Step},
    pack::Pack,
};
