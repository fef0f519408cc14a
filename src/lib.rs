//! Rega reads customer touchpoints, names the moment each one is, and keeps every customer's
//! engagement.

pub mod cli;
pub mod config;
pub mod engine;
pub mod http;
pub mod model;
pub mod telemetry;
