//! Verbs: decode, dedupe, classify, score, episode, encode. Pure and synchronous.
//!
//! `(state, record, now) → (state', effects)`. The engine never waits, logs, reads a clock or a
//! random number: the same input gives the same output, byte for byte, however batches are cut.
//! Replay, backtests and crash tests rest on it.

mod classify;
mod customers;
pub mod decode;
mod effects;
mod encode;
mod episode;
mod evaluate;
mod explain;
mod give;
mod in_place;
mod partition;
mod place;
mod publish;
mod record;
pub mod rules;
mod score;
mod sealed;
mod settings;
pub mod spike;
mod split;
mod state;
mod subject;
#[cfg(test)]
mod tests;
pub mod text;
mod timeline;

pub use self::{
    customers::Customers,
    effects::{Bounded, Effect, Effects, Fact, Moment, PulseMinute, RejectedItem, Slice},
    encode::{
        RestoredRow, RowError, customer_explanation, customer_view, engagement_record, inspect_row,
        read_partition_row,
    },
    explain::{LabelGiven, RuleSeen, TouchpointExplained},
    partition::{Engine, Herd, Partition, PartitionRow},
    record::Record,
    sealed::{CustomerChange, Sealed},
    settings::Settings,
    split::{Piece, Splitter},
};

/// The key of the partition row in the state topic. Customer keys start with [`CUSTOMER_PREFIX`].
pub const PARTITION_KEY: &[u8] = b"p";

/// The event that has its customer forgotten: state, tail, dedupe ring, `engagement`, everything. It is
/// not published, since that would be one more record about somebody who is to be forgotten; it is
/// counted. What comes after it begins anew.
pub const ERASURE: &str = "customer_deleted";

/// What a customer's key in the state topic starts with, before the customer id.
pub const CUSTOMER_PREFIX: u8 = b'c';
