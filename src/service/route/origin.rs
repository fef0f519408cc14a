//! Where a routed item came from, in one header of its copy.
//!
//! One header and not five: it is written and looked for once per touchpoint. A topic's name has no
//! slash, so `topic/partition/offset/item/timestamp` is read without escapes.

use crate::model::EventTime;

/// The header's name.
pub(in crate::service) const ORIGIN_HEADER: &str = "rega-source";

/// Where an item came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::service) struct Origin<'a> {
    pub(in crate::service) topic: &'a str,
    pub(in crate::service) partition: i32,
    pub(in crate::service) offset: i64,
    /// The item's position in its record.
    pub(in crate::service) item: u32,
    /// The record's own time: assumed as event time where the item has none.
    pub(in crate::service) timestamp: Option<EventTime>,
}

impl<'a> Origin<'a> {
    /// Returns the header's value.
    pub(super) fn write(&self) -> String {
        let Self { topic, partition, offset, item, timestamp } = self;
        match timestamp {
            Some(timestamp) => {
                format!("{topic}/{partition}/{offset}/{item}/{}", timestamp.as_millis())
            }
            None => format!("{topic}/{partition}/{offset}/{item}/"),
        }
    }

    /// Reads the header's value; `None` for one that Rega has not written.
    pub(in crate::service) fn read(value: &'a [u8]) -> Option<Self> {
        let mut parts = str::from_utf8(value).ok()?.split('/');
        let (topic, partition, offset) = (parts.next()?, parts.next()?, parts.next()?);
        let (item, timestamp) = (parts.next()?, parts.next()?);
        Some(Self {
            topic,
            partition: partition.parse().ok()?,
            offset: offset.parse().ok()?,
            item: item.parse().ok()?,
            timestamp: timestamp.parse().ok().and_then(EventTime::from_millis),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for timestamp in [EventTime::from_millis(1_750_000_000_000), None] {
            let origin = Origin { topic: "web.eu", partition: 3, offset: 17, item: 2, timestamp };
            assert_eq!(Origin::read(origin.write().as_bytes()), Some(origin));
        }
    }

    #[test]
    fn somebody_elses_header_is_none() {
        for value in [&b"web"[..], b"web/x/1/2/3", b"\xff/1/2/3/4", b""] {
            assert_eq!(Origin::read(value), None);
        }
    }
}
