//! The three calls that the safe wrapper does not offer.
//!
//! `rd_kafka_flush` with a timeout drains the producer without waiting out `linger.ms`; the
//! wrapper's own flush polls in steps of 100 ms, which made a commit take 114 ms instead of 18. And
//! the wrapper keeps a group's member's id and generation to itself, although an offset sent with
//! generation −1 is accepted from anybody and overwrites another member's. And a partition's end, which
//! every fetch brings along, would have to be asked for over the network.
#![expect(unsafe_code, reason = "three library calls that the safe wrapper does not offer")]

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
