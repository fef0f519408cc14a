//! One input partition: its clock, and the customers changed since the last commit.

use std::sync::Arc;

use super::{Customers, Effects, Record, Settings, Slice, rules::RuleSet};
use crate::model::{Band, EventTime, Stage};

/// What every partition shares: rules, decoder, settings. Immutable; a reload swaps it whole.
#[derive(Debug)]
pub struct Engine {
    pub(super) rules: Arc<RuleSet>,
    pub(super) settings: Settings,
}

/// The partition row: written with every transaction, read at every start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionRow {
    /// The offset of the next input record.
    pub next_offset: i64,
    /// The latest event time seen; the watermark is this less the tolerance.
    pub latest: Option<EventTime>,
    /// The earliest event time seen: since when the stream is known.
    pub known_since: Option<EventTime>,
    /// How many times idleness moved the clock.
    pub ticks: u64,
    /// The input topic's id, as text.
    pub topic_id: String,
    /// The input topic's partition count.
    pub partition_count: i32,
}

/// One customer's change in a transaction.
#[derive(Clone, Copy, Debug)]
pub struct CustomerChange {
    /// The customer id: key in `engagement`; in the state topic the key is [`super::customer_key`].
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

/// What one transaction writes besides its effects: coalesced per customer, sorted by id.
#[derive(Debug, Default)]
pub struct Sealed {
    pub(super) bytes: Vec<u8>,
    /// The customers that changed.
    pub customers: Vec<CustomerChange>,
    /// The encoded partition row (state topic, key [`super::PARTITION_KEY`]).
    pub partition_row: Option<Slice>,
}

impl Sealed {
    /// Returns the bytes of a slice.
    pub fn bytes(&self, slice: Slice) -> &[u8] {
        self.bytes.get(slice.start..slice.end).unwrap_or_default()
    }
}

/// One input partition's mutable half.
#[derive(Debug)]
pub struct Partition {}

impl Partition {
    /// Continues from a partition row (or from nothing).
    pub fn new(_row: PartitionRow) -> Self {
        Self {}
    }

    /// Runs one record through decode, dedupe, classify, score, episode and encode, after firing
    /// every deadline that its times make due. Effects are appended.
    pub fn process<C: Customers>(
        &mut self,
        _engine: &Engine,
        _record: &Record<'_>,
        _now: EventTime,
        _customers: &C,
        _effects: &mut Effects,
    ) {
    }

    /// Moves event time forward in an idle partition to `event_time` (never back), and fires what
    /// falls due. `now` is the wall clock.
    pub fn tick<C: Customers>(
        &mut self,
        _engine: &Engine,
        _event_time: EventTime,
        _now: EventTime,
        _customers: &C,
        _effects: &mut Effects,
    ) {
    }

    /// Returns the earliest deadline of any customer.
    pub fn next_deadline<C: Customers>(&self, _customers: &C) -> Option<EventTime> {
        None
    }

    /// Returns the row as the next seal would write it.
    pub fn row(&self) -> &PartitionRow {
        static NONE: PartitionRow = PartitionRow {
            next_offset: 0,
            latest: None,
            known_since: None,
            ticks: 0,
            topic_id: String::new(),
            partition_count: 0,
        };
        &NONE
    }

    /// Writes what the transaction must contain besides the effects. Changes nothing: call
    /// [`Self::committed`] after the commit, or [`Self::abandon`] after an abort.
    pub fn seal(&mut self, _engine: &Engine, _sealed: &mut Sealed) {}

    /// The transaction was committed: the store has (or is about to have) the sealed rows.
    pub fn committed(&mut self) {}

    /// The transaction was aborted: forgets everything since the last commit. The caller seeks
    /// back to [`Self::row`]`().next_offset`.
    pub fn abandon(&mut self) {}
}
