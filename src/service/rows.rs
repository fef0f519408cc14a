//! What the service reads in rows that the engine wrote: enough to rebuild a store.

use crate::{
    engine::{Engine, PartitionRow},
    model::{Band, EventTime, Stage},
};

/// What the store and the gauges need to know of a customer's row.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowFacts {
    pub(super) due: Option<EventTime>,
    pub(super) standing: (Stage, Band),
}

/// A row of the state topic that this version cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a row of the state topic was not written by this version of Rega, nor an earlier one")]
pub(super) struct UnreadableRow;

/// Reads a partition row.
pub(super) fn partition_row(_bytes: &[u8]) -> Result<PartitionRow, UnreadableRow> {
    Err(UnreadableRow)
}

/// Reads what must be known of a customer's row.
pub(super) fn customer_row(_bytes: &[u8]) -> Result<RowFacts, UnreadableRow> {
    Err(UnreadableRow)
}

/// Returns what `/v1/customers/{id}` says about a row.
pub(super) fn view(
    _engine: &Engine,
    _customer_id: &str,
    _row: &[u8],
    _now: EventTime,
) -> Option<Vec<u8>> {
    None
}
