//! Files and environment become checked settings, rules and mappings; every problem at once.
//!
//! Reading goes in three steps that share one table of places ([`Sources`]): text becomes a tree
//! ([`yaml`]), a tree becomes plain data, plain data is checked as a whole. Each step goes on
//! after a problem, so that one run tells everything that is wrong.

mod check;
mod conceal;
mod dialect;
mod environment;
mod fields;
mod load;
mod mapping;
mod near;
mod problem;
mod report;
pub mod rules;
pub mod schemas;
pub mod settings;
pub mod shipped;
mod source;
mod span;
mod suites;
#[cfg(test)]
mod tests;
mod values;
mod watch;
mod words;
pub mod yaml;

pub use self::{
    check::{Checked, check},
    dialect::{TopicDialects, dialect},
    environment::Environment,
    load::{Loaded, LoadedPack, load, load_dialect, load_mapping, load_packs, mapping_of},
    problem::Problems,
    report::{Colour, Report},
    rules::{Expectation, Lineage, Pack, PackTest, Step},
    settings::Config,
    source::{Place, Source, SourceId, SourceKind, Sources},
    span::display as display_span,
    suites::{Suite, load_suites},
    watch::fingerprint,
};
