//! Rega reads customer touchpoints, names the moment each one is, and keeps every customer's
//! engagement.

pub mod cli;
pub mod clock;
pub mod config;
pub mod engine;
pub mod http;
pub mod kafka;
pub mod model;
pub mod service;
pub mod simulation;
pub mod store;
pub mod telemetry;
