//! What one transaction writes besides its effects: rows and engagement records, one per customer.

use super::Slice;
use crate::model::{Band, EventTime, Stage};

/// One customer's change in a transaction.
#[derive(Clone, Copy, Debug)]
pub struct CustomerChange {
    /// The customer id: key in `engagement`; in the state topic, after [`super::CUSTOMER_PREFIX`].
    pub customer: Slice,
    /// The new state row; `None` is a tombstone.
    pub row: Option<Slice>,
    /// The `engagement` record; `None` is a tombstone.
    pub engagement: Option<Slice>,
    /// When this customer falls due next.
    pub due: Option<EventTime>,
    /// Stage and band before (`None`: a new customer), for gauges.
    pub was: Option<(Stage, Band)>,
    /// Stage and band now (`None`: forgotten).
    pub is: Option<(Stage, Band)>,
}

/// Coalesced changes, sorted by customer id.
#[derive(Debug, Default)]
pub struct Sealed {
    bytes: Vec<u8>,
    /// The customers that changed.
    pub customers: Vec<CustomerChange>,
    /// Customers who were to be forgotten and of whom `customers` writes no tombstone: nobody knew them,
    /// or they are back already. Their tombstones come before everything else.
    pub erased: Vec<Slice>,
    /// Rows of the partition's open minutes (state topic): key, and row or tombstone.
    pub pulse: Vec<(Slice, Option<Slice>)>,
    /// The encoded partition row (state topic, key [`super::PARTITION_KEY`]).
    pub partition_row: Option<Slice>,
}

impl Sealed {
    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.customers.clear();
        self.erased.clear();
        self.pulse.clear();
        self.partition_row = None;
    }

    /// Returns the bytes of a slice; empty for a slice of another buffer.
    pub fn bytes(&self, slice: Slice) -> &[u8] {
        self.bytes.get(slice.start..slice.end).unwrap_or_default()
    }

    /// Returns a slice as text; empty where it is none.
    pub fn text(&self, slice: Slice) -> &str {
        str::from_utf8(self.bytes(slice)).unwrap_or_default()
    }

    pub(super) fn keep(&mut self, bytes: &[u8]) -> Slice {
        self.write(|out| out.extend_from_slice(bytes))
    }

    pub(super) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Slice {
        let start = self.bytes.len();
        write(&mut self.bytes);
        Slice { start, end: self.bytes.len() }
    }
}
