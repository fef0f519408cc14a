//! Rules: written ([`spec`]), checked and compiled ([`RuleSet`]), run in `classify`.

pub mod spec;

/// Placeholder until compile lands.
#[derive(Debug)]
pub struct RuleSet {}
