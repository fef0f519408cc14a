//! Rega reads customer touchpoints, names the moment each one is, and keeps every customer's
//! engagement.

pub mod engine;
pub mod model;
pub mod simulation;
