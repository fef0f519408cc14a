//! Somebody's own JSON, read by a mapping.

pub mod spec;
