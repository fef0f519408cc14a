//! A reader of committed records that watches while everything breaks, and questions to the broker.

use std::{
    collections::BTreeMap,
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::client::{self, Reader};

/// What it saw: the values by partition and offset.
type Log = BTreeMap<(i32, i64), String>;

pub(super) struct Witness {
    enough: SyncSender<()>,
    thread: JoinHandle<Log>,
}

impl Witness {
    pub(super) fn begin(brokers: &str, topic: &str, partitions: i32) -> Self {
        let (enough, done) = sync_channel::<()>(1);
        let reader = Reader::new(brokers, topic, partitions);
        let thread = thread::spawn(move || {
            let mut log = Log::new();
            while done.recv_timeout(Duration::ZERO) == Err(RecvTimeoutError::Timeout) {
                if let Some(record) = reader.poll(Duration::from_millis(100)) {
                    let value = record.value.unwrap_or_default();
                    log.insert((record.partition, record.offset), value);
                }
            }
            log
        });
        Self { enough, thread }
    }

    /// Compares what was seen with what is there at the end: no record of an aborted transaction was
    /// among it. Returns how many records were seen.
    pub(super) fn end(self, brokers: &str, topic: &str) -> usize {
        self.enough.send(()).unwrap();
        let seen = self.thread.join().unwrap();
        let end: Log = client::read(brokers, topic)
            .into_iter()
            .map(|record| ((record.partition, record.offset), record.value.unwrap_or_default()))
            .collect();
        for (place, value) in &seen {
            assert_eq!(end.get(place), Some(value), "{place:?}");
        }
        seen.len()
    }
}

/// Returns whether a transaction is open in any partition.
pub(super) fn is_open(brokers: &str, topic: &str, partitions: i32) -> bool {
    // In this order: what is decided in between must not look open.
    let ends = client::ends(brokers, topic, partitions, "read_uncommitted");
    let stable = client::ends(brokers, topic, partitions, "read_committed");
    ends.iter().any(|(partition, end)| stable[partition] < *end)
}

/// Lets others go on for a while.
pub(super) fn pause(time: Duration) {
    let (_nobody, never) = sync_channel::<()>(1);
    assert_eq!(never.recv_timeout(time), Err(RecvTimeoutError::Timeout));
}
