//! A record of the input, wherever the client holds it.

use rdkafka::{
    Message,
    message::{BorrowedMessage, Headers},
};

use super::native::Delivery;
use crate::model::EventTime;

/// A record of the input, in the client's memory.
#[derive(Debug)]
pub struct InputRecord<'a> {
    pub(super) topic: &'a str,
    pub(super) held: HeldRecord<'a>,
}

/// Where it came from.
#[derive(Debug)]
pub(super) enum HeldRecord<'a> {
    /// The queue of our own.
    Taken(Delivery),
    /// The client's main queue, where a partition delivers that we could not take over.
    Polled(BorrowedMessage<'a>),
}

impl InputRecord<'_> {
    /// The payload; `None` is a tombstone.
    pub fn value(&self) -> Option<&[u8]> {
        match &self.held {
            HeldRecord::Taken(delivery) => delivery.value(),
            HeldRecord::Polled(message) => message.payload(),
        }
    }

    /// The key.
    pub fn key(&self) -> Option<&[u8]> {
        match &self.held {
            HeldRecord::Taken(delivery) => delivery.key(),
            HeldRecord::Polled(message) => message.key(),
        }
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        self.topic
    }

    /// The partition.
    pub fn partition(&self) -> i32 {
        match &self.held {
            HeldRecord::Taken(delivery) => delivery.partition(),
            HeldRecord::Polled(message) => message.partition(),
        }
    }

    /// The offset.
    pub fn offset(&self) -> i64 {
        match &self.held {
            HeldRecord::Taken(delivery) => delivery.offset(),
            HeldRecord::Polled(message) => message.offset(),
        }
    }

    /// The headers that have a value, in order.
    pub fn headers(&self) -> Vec<(&str, &[u8])> {
        match &self.held {
            HeldRecord::Taken(delivery) => delivery.headers(),
            HeldRecord::Polled(message) => {
                let headers = message.headers().into_iter().flat_map(Headers::iter);
                headers.filter_map(|header| Some((header.key, header.value?))).collect()
            }
        }
    }

    /// When it was produced, or appended.
    pub fn timestamp(&self) -> Option<EventTime> {
        let millis = match &self.held {
            // −1 stands for "it has none".
            HeldRecord::Taken(delivery) => Some(delivery.timestamp()).filter(|&at| 0 <= at),
            HeldRecord::Polled(message) => message.timestamp().to_millis(),
        };
        millis.and_then(EventTime::from_millis)
    }
}
