//! The ids of topics: a topic that was deleted and made again has its name, and not its id.
//!
//! The safe wrapper does not ask for them. Brokers before 2.8 have none, and a broker that is asked
//! too early does not know a new topic: then an id is unknown, and nothing is concluded from it.
#![expect(unsafe_code, reason = "an administrative call that the safe wrapper does not offer")]

use std::{ffi::CString, ptr, slice, time::Duration};

use rdkafka::{
    ClientContext,
    bindings::{self, rd_kafka_admin_op_t},
    client::Client,
    types::RDKafkaRespErr,
};

/// A topic's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicId(i64, i64);

impl std::fmt::Display for TopicId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:016x}{:016x}", self.0, self.1)
    }
}

/// Asks for the id of a topic; `None` where it cannot be known within `limit`.
pub(super) fn topic_id<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    limit: Duration,
) -> Option<TopicId> {
    let name = CString::new(topic).ok()?;
    let mut names = [name.as_ptr()];
    let millis = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: every handle that is made here is checked for null before it is used (and what destroys
    // one is given none), used while `client` lives, and destroyed once, in the reverse order. The
    // library copies the names. What the answer points to is read before the answer is destroyed, and
    // its length is the library's.
    unsafe {
        let handle = client.native_ptr();
        let queue = bindings::rd_kafka_queue_new(handle);
        let asked =
            bindings::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
        let options = bindings::rd_kafka_AdminOptions_new(
            handle,
            rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
        );
        let mut id = None;
        if !queue.is_null() && !asked.is_null() && !options.is_null() {
            bindings::rd_kafka_AdminOptions_set_request_timeout(
                options,
                millis,
                ptr::null_mut(),
                0,
            );
            bindings::rd_kafka_DescribeTopics(handle, asked, options, queue);
            let answer = bindings::rd_kafka_queue_poll(queue, millis);
            if !answer.is_null() {
                id = read(answer);
                bindings::rd_kafka_event_destroy(answer);
            }
        }
        if !options.is_null() {
            bindings::rd_kafka_AdminOptions_destroy(options);
        }
        if !asked.is_null() {
            bindings::rd_kafka_TopicCollection_destroy(asked);
        }
        if !queue.is_null() {
            bindings::rd_kafka_queue_destroy(queue);
        }
        id
    }
}

/// Reads the answer's only id.
///
/// # Safety
///
/// The event must be a live one.
unsafe fn read(answer: *mut bindings::rd_kafka_event_t) -> Option<TopicId> {
    // SAFETY: the caller keeps the event alive; each pointer out of it is checked before use.
    unsafe {
        if bindings::rd_kafka_event_error(answer) != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        let result = bindings::rd_kafka_event_DescribeTopics_result(answer);
        if result.is_null() {
            return None;
        }
        let mut count = 0;
        let topics = bindings::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        if topics.is_null() {
            return None;
        }
        let topic = *slice::from_raw_parts(topics, count).first()?;
        let error = bindings::rd_kafka_TopicDescription_error(topic);
        if !error.is_null()
            && bindings::rd_kafka_error_code(error) != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR
        {
            return None;
        }
        let id = bindings::rd_kafka_TopicDescription_topic_id(topic);
        if id.is_null() {
            return None;
        }
        let id = TopicId(
            bindings::rd_kafka_Uuid_most_significant_bits(id),
            bindings::rd_kafka_Uuid_least_significant_bits(id),
        );
        // What brokers without ids say.
        (id != TopicId(0, 0)).then_some(id)
    }
}
