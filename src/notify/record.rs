//! A record of `pain-spikes`, as far as receivers are told of it.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::letter::Letter;
use crate::model::{EventTime, Span};

/// What is read of a record; the rest is passed on as it is.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) head: Head,
    pub(super) whole: Value,
    pub(super) as_of: EventTime,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Head {
    pub(super) spike_id: String,
    pub(super) sequence: u64,
    pub(super) state: String,
    pub(super) numerator: String,
    pub(super) key: Map<String, Value>,
    pub(super) onset: String,
    pub(super) opened_at: String,
    as_of: String,
    pub(super) observed: f64,
    pub(super) expected: f64,
    pub(super) ratio: f64,
    pub(super) customers: u64,
    pub(super) reasons: Map<String, Value>,
    #[serde(default)]
    backfill: bool,
}

impl Record {
    /// Returns `None` for something else.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let whole: Value = serde_json::from_slice(bytes).ok()?;
        let head = Head::deserialize(&whole).ok()?;
        let as_of: jiff::Timestamp = head.as_of.parse().ok()?;
        let as_of = EventTime::from_millis(as_of.as_millisecond())?;
        Some(Self { head, whole, as_of })
    }

    /// Returns it as the webhook is told it.
    pub(super) fn into_letter(self) -> Letter {
        let head = &self.head;
        Letter {
            id: format!("{}-{}", head.spike_id, head.sequence),
            kind: format!("rega.{}_spike.{}", head.numerator, head.state),
            subject: self.place(),
            as_of: self.as_of,
            backfill: head.backfill,
            whole: self.whole,
        }
    }

    /// Returns where it is, in a few words.
    pub(super) fn place(&self) -> String {
        if self.head.key.is_empty() {
            return "everywhere".to_owned();
        }
        let parts = self.head.key.values().filter_map(Value::as_str);
        parts.collect::<Vec<_>>().join(" ")
    }
}

/// Returns whether nobody could act on it any more.
pub(super) fn is_stale(record: &Record, now: EventTime, max_age: Span) -> bool {
    record.head.backfill || max_age < now.since(record.as_of)
}
