//! What the engine needs from a store: committed rows, and who falls due next.
//!
//! The engine only reads. What changed is handed to the service when a transaction is sealed, and
//! the store learns of it after Kafka has committed.

use std::borrow::Cow;

use crate::model::EventTime;

/// One partition's customers, as of the last commit.
pub trait Customers {
    /// Returns the committed row of a customer.
    fn row(&self, customer_id: &str) -> Option<Cow<'_, [u8]>>;

    /// Returns the first committed deadline in (time, customer id) order that lies after `after`
    /// and not after `until`.
    fn due(
        &self,
        after: Option<(EventTime, &str)>,
        until: EventTime,
    ) -> Option<(EventTime, Cow<'_, str>)>;
}
