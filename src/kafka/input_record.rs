//! A record of the input, in the client's memory.

use rdkafka::{
    Message,
    message::{BorrowedMessage, Headers},
};

use crate::model::EventTime;

/// A record of the input, borrowed from the client.
#[derive(Debug)]
pub struct InputRecord<'a>(pub(super) BorrowedMessage<'a>);

impl InputRecord<'_> {
    /// The payload; `None` is a tombstone.
    pub fn value(&self) -> Option<&[u8]> {
        self.0.payload()
    }

    /// The key.
    pub fn key(&self) -> Option<&[u8]> {
        self.0.key()
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        self.0.topic()
    }

    /// The partition.
    pub fn partition(&self) -> i32 {
        self.0.partition()
    }

    /// The offset.
    pub fn offset(&self) -> i64 {
        self.0.offset()
    }

    /// The headers that have a value, in order.
    pub fn headers(&self) -> Vec<(&str, &[u8])> {
        let headers = self.0.headers().into_iter().flat_map(Headers::iter);
        headers.filter_map(|header| Some((header.key, header.value?))).collect()
    }

    /// When it was produced, or appended.
    pub fn timestamp(&self) -> Option<EventTime> {
        self.0.timestamp().to_millis().and_then(EventTime::from_millis)
    }
}
