//! Closed labels that belong to telemetry alone.

use crate::model::vocabulary;

vocabulary! {
    /// With what reservation a touchpoint was accepted.
    Caveat {
        /// Older than the dedupe ring reaches: perhaps a repetition.
        DedupeUnverifiable = "dedupe_unverifiable",
        /// Older than the tail: evaluated once against the settled state.
        BeyondOrderWindow = "beyond_order_window",
        /// Older than the periods that a `once_per` rule remembers: gave no points.
        OncePerUnverifiable = "once_per_unverifiable",
        /// A "first" could not be known yet.
        HistoryUnknown = "history_unknown",
        /// No `ts` of its own.
        TsAssumed = "ts_assumed",
        /// No event id of its own.
        EventIdAssumed = "event_id_assumed",
        /// A promise that cannot be read: no deadline.
        PromiseUnreadable = "promise_unreadable",
        /// The record's key is not its customer's id.
        KeyMismatch = "key_mismatch",
        /// Published without its properties because it was too large.
        MomentTrimmed = "moment_trimmed",
        /// A reversal found nothing to take back.
        ReversalUnknown = "reversal_unknown",
        /// A state row could not be read.
        RowUnreadable = "row_unreadable",
        /// Too late for its minute: the spike detector does not hear of it.
        PulseTooLate = "pulse_too_late",
    }
}

vocabulary! {
    /// Where a record was produced to.
    Output {
        /// The topic `moments`.
        Moments = "moments",
        /// The topic `engagement`.
        Engagement = "engagement",
        /// The topic `rejects`.
        Rejects = "rejects",
        /// The state topic.
        State = "state",
        /// The routed copy of the input.
        Routed = "routed",
        /// The pulse topic.
        Pulse = "pulse",
    }
}

vocabulary! {
    /// Why a transaction was aborted.
    AbortClass {
        /// The broker asked for it; the producer goes on.
        Abortable = "abortable",
        /// A call did not end in time, so nobody knows how it ended: a new producer.
        TimedOut = "timed_out",
        /// Another producer took over this transactional id: a new producer.
        Fenced = "fenced",
        /// The group went on without this member.
        StaleGeneration = "stale_generation",
        /// Its partitions were lost before the commit.
        Lost = "lost",
        /// Anything that the producer cannot survive: a new producer.
        Fatal = "fatal",
    }
}

vocabulary! {
    /// A bounded queue of a worker.
    Queue {
        /// Records fetched and not yet processed.
        Fetched = "fetched",
        /// Records produced and not yet acknowledged.
        Produced = "produced",
        /// Look-ups that wait for the worker.
        LookUps = "look_ups",
    }
}

vocabulary! {
    /// Which part of a store holds memory.
    StorePart {
        /// Rows as of the last commit.
        Committed = "committed",
        /// Rows changed since.
        Overlay = "overlay",
    }
}

vocabulary! {
    /// Why a partition waits for a person's decision.
    StopReason {
        /// State and the group's committed offset disagree.
        Offsets = "offsets",
        /// A committed offset, and no state.
        NoState = "no_state",
        /// The state was written from another topic.
        OtherTopic = "other_topic",
        /// The input had another number of partitions.
        PartitionCount = "partition_count",
        /// The broker does not hold the offset.
        OutOfRange = "out_of_range",
        /// A row of the state cannot be read.
        Unreadable = "unreadable",
        /// The route group's offsets are gone.
        NoOffsets = "no_offsets",
        /// The workers have read this source themselves before.
        ReadBefore = "read_before",
    }
}
