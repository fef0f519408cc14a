//! The calls that the safe wrapper does not offer.
//!
//! `rd_kafka_flush` with a timeout drains the producer without waiting out `linger.ms`; the
//! wrapper's own flush polls in steps of 100 ms, which made a commit take 114 ms instead of 18. And
//! the wrapper keeps the generation of a group's member to itself, although an offset sent with
//! generation −1 is accepted from anybody and overwrites another member's. And a partition's end, which
//! every fetch brings along, would have to be asked for over the network. And how much was fetched
//! ahead, a bound that should be seen, it tells only in statistics that have to be parsed.
#![expect(unsafe_code, reason = "library calls that the safe wrapper does not offer")]

use std::{ffi::CStr, time::Duration};

use rdkafka::{
    ClientContext, bindings,
    client::Client,
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};

/// Waits until every record is delivered or `timeout` is over; returns whether all are delivered.
pub(super) fn flush<C: ClientContext>(client: &Client<C>, timeout: Duration) -> KafkaResult<bool> {
    let millis = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the pointer is the live handle of `client`, which outlives the call. Any thread may
    // call this.
    let answer = unsafe { bindings::rd_kafka_flush(client.native_ptr(), millis) };
    if answer == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
        Ok(true)
    } else if answer == RDKafkaRespErr::RD_KAFKA_RESP_ERR__TIMED_OUT {
        Ok(false)
    } else {
        Err(KafkaError::Flush(answer.into()))
    }
}

/// Returns the generation in which the consumer is a member; −1 while it is none.
pub(super) fn generation<C: ClientContext>(client: &Client<C>) -> i32 {
    // SAFETY: the pointer is the live handle of `client`. The metadata is a copy that we own: it is
    // read once and destroyed, and null is checked before either.
    unsafe {
        let metadata = bindings::rd_kafka_consumer_group_metadata(client.native_ptr());
        if metadata.is_null() {
            return -1;
        }
        let generation = bindings::rd_kafka_consumer_group_metadata_generation_id(metadata);
        bindings::rd_kafka_consumer_group_metadata_destroy(metadata);
        generation
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

/// Returns how many records (and other events) a consumer has fetched and not handed out.
pub(super) fn fetched<C: ClientContext>(client: &Client<C>) -> usize {
    // SAFETY: the pointer is the live handle of `client`. The queue is a reference that we own: it is
    // asked once and given back, and null (no consumer) is checked before either.
    unsafe {
        let queue = bindings::rd_kafka_queue_get_consumer(client.native_ptr());
        if queue.is_null() {
            return 0;
        }
        let length = bindings::rd_kafka_queue_length(queue);
        bindings::rd_kafka_queue_destroy(queue);
        length
    }
}
