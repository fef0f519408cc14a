//! A reader of committed moments, which notes when the first new one is there.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rdkafka::{
    Message, Offset,
    consumer::{BaseConsumer, Consumer},
};

use crate::broker::Broker;

const PATIENCE: Duration = Duration::from_mins(5);

/// What is waited for.
#[derive(Debug, Default)]
struct Awaited {
    /// By partition: only records from here on are new.
    from: Vec<i64>,
    /// By partition: when the first of them came.
    seen: Vec<Option<Instant>>,
}

/// Reads until dropped.
pub(crate) struct Moments {
    topic: String,
    asking: BaseConsumer,
    awaited: Arc<Mutex<Awaited>>,
    enough: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Moments {
    pub(crate) fn watch(broker: &Broker, topic: &str, partitions: i32) -> Self {
        let reader = broker.reader(topic, partitions, Offset::End);
        // Where a topic ends depends on who asks: also what no transaction has committed counts.
        let mut client = broker.client();
        client.set("group.id", "ends").set("isolation.level", "read_uncommitted");
        let asking = client.create().unwrap();
        let count = usize::try_from(partitions).unwrap();
        let nothing = Awaited { from: vec![i64::MAX; count], seen: vec![None; count] };
        let (awaited, enough) = (Arc::new(Mutex::new(nothing)), Arc::new(AtomicBool::new(false)));
        let (shared, end) = (Arc::clone(&awaited), Arc::clone(&enough));
        let thread = thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                let Some(Ok(record)) = reader.poll(Duration::from_millis(20)) else { continue };
                let partition = usize::try_from(record.partition()).unwrap();
                let mut awaited = shared.lock().unwrap();
                if awaited.from[partition] <= record.offset() {
                    awaited.seen[partition].get_or_insert_with(Instant::now);
                }
            }
        });
        let topic = topic.to_owned();
        Self { topic, asking, awaited, enough, thread: Some(thread) }
    }

    /// From now on, what stands behind everything that was ever written is new. Asked a moment after a
    /// kill, nothing of it is the killed one's, nor already its successor's.
    pub(crate) fn await_new(&self) {
        let mut awaited = self.awaited.lock().unwrap();
        for partition in 0..awaited.from.len() {
            let number = i32::try_from(partition).unwrap();
            let ends = self.asking.fetch_watermarks(&self.topic, number, PATIENCE).unwrap();
            awaited.from[partition] = ends.1;
            awaited.seen[partition] = None;
        }
    }

    /// Waits until every partition has something new; returns when the first and the last had.
    pub(crate) fn first_and_last(&self) -> (Instant, Instant) {
        let began = Instant::now();
        loop {
            let seen: Option<Vec<Instant>> =
                self.awaited.lock().unwrap().seen.iter().copied().collect();
            if let Some(seen) = seen {
                return (*seen.iter().min().unwrap(), *seen.iter().max().unwrap());
            }
            assert!(began.elapsed() < PATIENCE, "a partition has no new moments");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Moments {
    fn drop(&mut self) {
        self.enough.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
