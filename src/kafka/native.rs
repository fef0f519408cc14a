//! The calls that the safe wrapper does not offer, or makes dear.
//!
//! `rd_kafka_flush` with a timeout drains the producer without waiting out `linger.ms`; the
//! wrapper's own flush polls in steps of 100 ms, which made a commit take 114 ms instead of 18. The
//! wrapper keeps a group's member's id and generation to itself, although an offset sent with
//! generation −1 is accepted from anybody and overwrites another member's. A partition's end, which
//! every fetch brings along, would have to be asked for over the network.
//!
//! The other calls are about cost. Taking records one by one from the library's queue, and naming
//! the topic of every record that is produced, is most of what a touchpoint costs in Kafka's name:
//! [`Intake`] takes many records at once, [`Topic`] looks its topic up once.
#![expect(unsafe_code, reason = "library calls that the safe wrapper does not offer")]

use std::{
    collections::VecDeque,
    ffi::{CStr, c_void},
    ptr::{self, NonNull},
    slice,
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

// === impl Intake ===

/// A queue of our own that partitions deliver to, so that many records are taken at once: the
/// library's main queue must not be read so, because answers of the group come on it. Destroyed
/// before its consumer.
#[derive(Debug)]
pub(super) struct Intake(NonNull<bindings::rd_kafka_queue_t>);

// SAFETY: as for `Topic`.
unsafe impl Send for Intake {}

impl Intake {
    /// The most records taken at once. More saves nothing: the cost of a call is spread thin.
    const BATCH: usize = 256;

    /// Makes an empty queue.
    pub(super) fn new<C: ClientContext>(client: &Client<C>) -> Option<Self> {
        // SAFETY: the pointer is the live handle of `client`.
        let queue = unsafe { bindings::rd_kafka_queue_new(client.native_ptr()) };
        NonNull::new(queue).map(Self)
    }

    /// Returns how many records (and other events) wait here.
    pub(super) fn waiting(&self) -> usize {
        // SAFETY: the queue is live until `self` is dropped.
        unsafe { bindings::rd_kafka_queue_length(self.0.as_ptr()) }
    }

    /// Lets a partition deliver here. To be called before it is assigned: what was delivered
    /// elsewhere before would come late.
    pub(super) fn take_over<C: ClientContext>(
        &self,
        client: &Client<C>,
        topic: &CStr,
        partition: i32,
    ) {
        // SAFETY: both handles are live, the name is only read. The partition's queue is a
        // reference of ours, given back once; the forwarding outlives it.
        unsafe {
            let queue = bindings::rd_kafka_queue_get_partition(
                client.native_ptr(),
                topic.as_ptr(),
                partition,
            );
            if !queue.is_null() {
                bindings::rd_kafka_queue_forward(queue, self.0.as_ptr());
                bindings::rd_kafka_queue_destroy(queue);
            }
        }
    }

    /// Waits up to `timeout` for the first record, then takes what else has come, up to
    /// [`Self::BATCH`], and appends all of it to `taken`.
    pub(super) fn take(&self, timeout: Duration, taken: &mut VecDeque<Delivery>) {
        // The library would wait until the batch is full, so that the wait is for one record only.
        if !self.fill::<{ Self::BATCH }>(Duration::ZERO, taken) && !timeout.is_zero() {
            self.fill::<1>(timeout, taken);
        }
    }

    /// Returns whether anything came.
    fn fill<const ROOM: usize>(&self, timeout: Duration, taken: &mut VecDeque<Delivery>) -> bool {
        let mut room = [ptr::null_mut(); ROOM];
        // SAFETY: the queue is live, and the library writes at most as many pointers as there is
        // room for. Those it wrote are ours from now on, and each is taken over once.
        let count = unsafe {
            bindings::rd_kafka_consume_batch_queue(
                self.0.as_ptr(),
                millis(timeout),
                room.as_mut_ptr(),
                ROOM,
            )
        };
        let count = usize::try_from(count).unwrap_or(0);
        taken.extend(room.into_iter().take(count).filter_map(NonNull::new).map(Delivery));
        0 < count
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        // SAFETY: made by `rd_kafka_queue_new`, and given back once. What is still in it goes.
        unsafe { bindings::rd_kafka_queue_destroy(self.0.as_ptr()) };
    }
}

// === impl Delivery ===

/// What a partition delivered: a record, or word of its end or of trouble.
#[derive(Debug)]
pub(super) struct Delivery(NonNull<bindings::rd_kafka_message_t>);

// SAFETY: as for `Topic`; a message belongs to whoever took it from the queue.
unsafe impl Send for Delivery {}

impl Delivery {
    fn message(&self) -> &bindings::rd_kafka_message_t {
        // SAFETY: live until this value is dropped, and written by nobody.
        unsafe { self.0.as_ref() }
    }

    /// Returns what went wrong; `None` for a record.
    pub(super) fn error(&self) -> Option<RDKafkaErrorCode> {
        let code = self.message().err;
        (code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| code.into())
    }

    /// Returns the partition.
    pub(super) fn partition(&self) -> i32 {
        self.message().partition
    }

    /// Returns the offset.
    pub(super) fn offset(&self) -> i64 {
        self.message().offset
    }

    /// Returns the key.
    pub(super) fn key(&self) -> Option<&[u8]> {
        let message = self.message();
        // SAFETY: the library's key is that long and lives as long as the message.
        unsafe { bytes(message.key, message.key_len) }
    }

    /// Returns the payload.
    pub(super) fn value(&self) -> Option<&[u8]> {
        let message = self.message();
        // SAFETY: the library's payload is that long and lives as long as the message.
        unsafe { bytes(message.payload, message.len) }
    }

    /// Returns the headers that have a value and a name in UTF-8, in order.
    pub(super) fn headers(&self) -> Vec<(&str, &[u8])> {
        let mut headers = ptr::null_mut();
        // SAFETY: the message is live; what is found belongs to it.
        let answer =
            unsafe { bindings::rd_kafka_message_headers(self.0.as_ptr(), &raw mut headers) };
        if answer != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Vec::new();
        }
        // SAFETY: the headers live as long as the message, which is borrowed for what is returned.
        let all = (0..).map_while(|index| unsafe { header(headers, index) });
        all.filter_map(|(name, value)| name.zip(value)).collect()
    }

    /// Returns the record's own time in milliseconds; negative where it has none.
    pub(super) fn timestamp(&self) -> i64 {
        // SAFETY: the message is live; what kind of time it is, nobody asks (null).
        unsafe { bindings::rd_kafka_message_timestamp(self.0.as_ptr(), ptr::null_mut()) }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        // SAFETY: taken over once, and given back once.
        unsafe { bindings::rd_kafka_message_destroy(self.0.as_ptr()) };
    }
}

/// Returns the name and the value of the header at `index`; `None` behind the last.
///
/// # Safety
///
/// The headers are those of a message that lives for `'m`.
unsafe fn header<'m>(
    headers: *const bindings::rd_kafka_headers_t,
    index: usize,
) -> Option<(Option<&'m str>, Option<&'m [u8]>)> {
    let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
    // SAFETY: the caller's promise; what is found belongs to the message. Names end in NUL.
    unsafe {
        let answer = bindings::rd_kafka_header_get_all(
            headers,
            index,
            &raw mut name,
            &raw mut value,
            &raw mut length,
        );
        if answer != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        let name = CStr::from_ptr(name).to_str().ok();
        Some((name, bytes(value, length)))
    }
}

/// # Safety
///
/// Where `start` is not null, `length` bytes there live as long as `'m` and do not change.
unsafe fn bytes<'m>(start: *const c_void, length: usize) -> Option<&'m [u8]> {
    // SAFETY: the caller's promise.
    (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start.cast(), length) })
}
