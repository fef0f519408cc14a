//! What Kafka delivered, or what a line of a replayed file would have been.

use crate::model::EventTime;

/// One record: borrowed bytes and where they came from.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The payload; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The record key, if it had one.
    pub key: Option<&'a [u8]>,
    /// The record headers, as far as the dialect asks for them
    /// ([`super::Engine::reads_headers`]); empty otherwise.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The topic (or the file) it came from.
    pub topic: &'a str,
    /// The partition it came from; 0 for a file.
    pub partition: i32,
    /// The offset, or the line (from 1) of a file.
    pub offset: i64,
    /// The record's timestamp: assumed as event time where the payload has none. Replay passes
    /// `--default-ts`, else the line before's.
    pub timestamp: Option<EventTime>,
}
