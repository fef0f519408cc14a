//! What the webhook is told: a record and what is said around it.

use serde_json::Value;

use crate::model::{EventTime, Span};

/// A record to be posted.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    /// The idempotency key.
    pub(super) id: String,
    /// The `CloudEvent`'s type.
    pub(super) kind: String,
    /// What it is about.
    pub(super) subject: String,
    pub(super) as_of: EventTime,
    pub(super) backfill: bool,
    pub(super) whole: Value,
}

impl Letter {
    /// Returns whether nobody could act on it any more.
    pub(super) fn is_stale(&self, now: EventTime, max_age: Span) -> bool {
        self.backfill || max_age < now.since(self.as_of)
    }
}
