//! The calls that the safe wrapper does not offer, or makes dear.
//!
//! `rd_kafka_flush` with a timeout drains the producer without waiting out `linger.ms`; the
//! wrapper's own flush polls in steps of 100 ms, which made a commit take 114 ms instead of 18. The
//! wrapper keeps a group's member's id and generation to itself, although an offset sent with
//! generation −1 is accepted from anybody and overwrites another member's. A partition's end, which
//! every fetch brings along, would have to be asked for over the network.
//!
//! Naming the topic of every record that is produced is a good part of what a touchpoint costs in
//! Kafka's name: [`Topic`] looks its topic up once.
#![expect(unsafe_code, reason = "library calls that the safe wrapper does not offer")]

use std::{
    ffi::{CStr, c_void},
    ptr::{self, NonNull},
    time::Duration,
};

use rdkafka::{
    ClientContext, bindings,
    client::Client,
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    types::RDKafkaRespErr,
};

/// Waits until every record is delivered or `timeout` is over; returns whether all are delivered.
pub(super) fn flush<C: ClientContext>(client: &Client<C>, timeout: Duration) -> KafkaResult<bool> {
    // SAFETY: the pointer is the live handle of `client`, which outlives the call. Any thread may
    // call this.
    let answer = unsafe { bindings::rd_kafka_flush(client.native_ptr(), millis(timeout)) };
    if answer == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
        Ok(true)
    } else if answer == RDKafkaRespErr::RD_KAFKA_RESP_ERR__TIMED_OUT {
        Ok(false)
    } else {
        Err(KafkaError::Flush(answer.into()))
    }
}

/// As what the consumer is known to its group; `None` while it is no member.
pub(super) fn member_id<C: ClientContext>(client: &Client<C>) -> Option<String> {
    // SAFETY: the pointer is the live handle of `client`. The metadata is a copy that we own: it is
    // read once and destroyed, and null is checked before either. The text lives as long as the
    // metadata, ends in NUL, and is copied.
    unsafe {
        let metadata = bindings::rd_kafka_consumer_group_metadata(client.native_ptr());
        if metadata.is_null() {
            return None;
        }
        let generation = bindings::rd_kafka_consumer_group_metadata_generation_id(metadata);
        let id = bindings::rd_kafka_consumer_group_metadata_member_id(metadata);
        let known = 0 <= generation && !id.is_null();
        let id = known.then(|| CStr::from_ptr(id).to_string_lossy().into_owned());
        bindings::rd_kafka_consumer_group_metadata_destroy(metadata);
        id.filter(|id| !id.is_empty())
    }
}

/// Returns the end of a partition as of the last fetch from it; `None` before the first.
pub(super) fn known_end<C: ClientContext>(
    client: &Client<C>,
    topic: &CStr,
    partition: i32,
) -> Option<i64> {
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the pointer is the live handle of `client`, the name ends in NUL and is only read, and
    // both numbers outlive the call, which returns at once.
    let answer = unsafe {
        bindings::rd_kafka_get_watermark_offsets(
            client.native_ptr(),
            topic.as_ptr(),
            partition,
            &raw mut low,
            &raw mut high,
        )
    };
    (answer == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR && 0 <= high).then_some(high)
}

/// Returns how many records (and other events) a consumer has fetched that nobody has polled yet.
pub(super) fn waiting<C: ClientContext>(client: &Client<C>) -> usize {
    // SAFETY: the pointer is the live handle of `client`. The queue is a reference of ours, null is
    // checked, and it is given back once.
    unsafe {
        let queue = bindings::rd_kafka_queue_get_consumer(client.native_ptr());
        if queue.is_null() {
            return 0;
        }
        let count = bindings::rd_kafka_queue_length(queue);
        bindings::rd_kafka_queue_destroy(queue);
        count
    }
}

fn millis(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
}

// === impl Topic ===

/// A topic to produce to, looked up once. Destroyed before its producer.
#[derive(Debug)]
pub(super) struct Topic(NonNull<bindings::rd_kafka_topic_t>);

// SAFETY: the library's handles may be used from any thread, one after the other or at once.
unsafe impl Send for Topic {}

impl Topic {
    /// Looks a topic up; its settings are the producer's.
    pub(super) fn new<C: ClientContext>(client: &Client<C>, name: &CStr) -> KafkaResult<Self> {
        // SAFETY: the pointer is the live handle of `client`; the name is copied; without settings
        // of its own a topic takes the producer's.
        let topic = unsafe {
            bindings::rd_kafka_topic_new(client.native_ptr(), name.as_ptr(), ptr::null_mut())
        };
        NonNull::new(topic).map(Self).ok_or_else(|| KafkaError::MessageProduction(last_error()))
    }

    /// Hands a record to the library, which copies it. A negative partition lets the producer's
    /// partitioner choose.
    pub(super) fn produce(
        &self,
        partition: i32,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> KafkaResult<()> {
        let (key_start, key_length) = parts(key);
        let (start, length) = parts(value);
        // SAFETY: the topic is live; key and value are only read, and copied before the call
        // returns (`F_COPY`), so that the cast to a mutable pointer promises nothing.
        let answer = unsafe {
            bindings::rd_kafka_produce(
                self.0.as_ptr(),
                partition,
                bindings::RD_KAFKA_MSG_F_COPY,
                start.cast_mut(),
                length,
                key_start,
                key_length,
                ptr::null_mut(),
            )
        };
        if answer == 0 { Ok(()) } else { Err(KafkaError::MessageProduction(last_error())) }
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: made by `rd_kafka_topic_new`, and given back once.
        unsafe { bindings::rd_kafka_topic_destroy(self.0.as_ptr()) };
    }
}

/// What the last call of this thread failed of.
fn last_error() -> RDKafkaErrorCode {
    // SAFETY: reads a number of this thread.
    unsafe { bindings::rd_kafka_last_error() }.into()
}

/// Returns where bytes start and how many there are; null where there are none at all.
fn parts(bytes: Option<&[u8]>) -> (*const c_void, usize) {
    bytes.map_or((ptr::null(), 0), |bytes| (bytes.as_ptr().cast(), bytes.len()))
}
