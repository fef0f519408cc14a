//! Files and environment become checked settings, rules and mappings; every problem at once.
//!
//! Reading goes in three steps that share one table of places ([`Sources`]): text becomes a tree
//! ([`yaml`]), a tree becomes plain data, plain data is checked as a whole. Each step goes on
//! after a problem, so that one run tells everything that is wrong.

mod conceal;
mod fields;
mod near;
mod problem;
mod report;
pub mod rules;
mod source;
mod span;
mod values;
pub mod yaml;

pub use self::{
    problem::Problems,
    report::{Colour, Report},
    rules::{Expectation, Pack, PackTest, Step},
    source::{Place, Source, SourceId, SourceKind, Sources},
};
