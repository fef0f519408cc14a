//! What an operator may choose about the engine. Checked in `config`; plain values here.

use jiff::tz::TimeZone;

use crate::model::{Channels, EventTime, Span};

/// The engine's settings. Spans are milliseconds.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `time.tolerance`: how late a touchpoint may be before a deadline stops waiting for it, and
    /// how far in the future one may be. Never longer than `order_window`.
    pub tolerance: Span,
    /// `order.window`: how far back a customer's touchpoints are re-evaluated in order.
    pub order_window: Span,
    /// `state.retention`: a customer without touchpoints for so long is forgotten.
    pub retention: Span,
    /// `state.decoded`: so many customers of a partition are kept decoded between transactions. Beyond
    /// it those are dropped after a commit who were not met since the last time, and read from their
    /// rows again when they come.
    pub decoded: usize,
    /// `history.since`: the stream is known to be complete since then.
    pub history_since: Option<EventTime>,
    /// `history.complete_after`: so long after the first touchpoint of a partition, "first" can be
    /// believed.
    pub history_complete_after: Span,
    /// `visit.gap`: a customer's silence of this length ends a visit.
    pub visit_gap: Span,
    /// `timezone`: where a day begins, and what a bare date means.
    pub timezone: TimeZone,
    /// `notify.max_age`: a moment older than this against the wall clock is marked `backfill`.
    /// `None` never marks (replay).
    pub backfill_after: Option<Span>,
    /// Count records whose key is not their customer's id. Files have no keys: replay does not.
    pub expects_keys: bool,
    /// `moments.properties`: carry the properties through to `moments`.
    pub carry_properties: bool,
    /// `text_fields`: where the customer's words are looked for when `text` is absent.
    pub text_fields: Vec<String>,
    /// A larger input record is a reject.
    pub max_input_bytes: usize,
    /// `output.max_bytes`: no record that is produced is larger than this.
    pub max_output_bytes: usize,
    /// `deadlines.per_commit`: one transaction takes so many deadlines of a partition, and what the
    /// customer whose turn it is then still has due; the others go on in the next. No bound where
    /// nothing is ever committed.
    pub deadlines_per_commit: usize,
    /// The channels that have a name of their own.
    pub channels: Channels,
    /// `spikes.properties`: properties whose values are watched for spikes, each by itself.
    pub spike_properties: Vec<String>,
}

const SECOND: Span = 1000;
const MINUTE: Span = 60 * SECOND;
const DAY: Span = 24 * 60 * MINUTE;

impl Default for Settings {
    /// The defaults of DOMAIN.md.
    fn default() -> Self {
        Self {
            tolerance: 5 * MINUTE,
            order_window: 10 * MINUTE,
            retention: 400 * DAY,
            decoded: 1_000,
            history_since: None,
            history_complete_after: 30 * DAY,
            visit_gap: 30 * MINUTE,
            timezone: TimeZone::UTC,
            backfill_after: None,
            expects_keys: false,
            carry_properties: false,
            // Titles last: they are read where the customer wrote nothing else.
            text_fields: [
                "text",
                "comment",
                "review_body",
                "message",
                "feedback",
                "review_title",
                "comment_title",
                "title",
            ]
            .map(str::to_owned)
            .to_vec(),
            // Kafka's default `max.message.bytes` is 1,048,588 with the batch's own 61 + 27 bytes.
            max_output_bytes: 1_000_000,
            max_input_bytes: 1_000_000,
            deadlines_per_commit: usize::MAX,
            channels: Channels::default(),
            spike_properties: Vec::new(),
        }
    }
}
