//! When an idle partition's time moves on by itself.
//!
//! A deadline falls due by event time, and event time comes with records. In a partition that
//! receives none it would stand still, and a late parcel would never be noticed. So where the broker
//! has confirmed for `idle_after` that there is nothing more to read, event time moves on by the
//! wall time that passed since, never past the wall clock itself.
//!
//! It does not move while the connection is lost, and not while the whole input is silent: then it
//! is the input that is broken, not the customers who are quiet. A process knows of its own
//! partitions only. So "the whole input" is: no record in any partition of this process for
//! `idle_after`.
//!
//! # Invariants
//!
//! - Time that the broker did not confirm never counts.

use crate::model::{EventTime, Span};

/// How often, within `idle_after`, the broker is asked again whether the end is still the end.
const CONFIRMATIONS: Span = 10;

/// One partition's idleness.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IdleClock {
    /// The client has read everything that the broker had.
    at_end: bool,
    end: Option<End>,
}

#[derive(Clone, Copy, Debug)]
struct End {
    /// Where the broker's log ends. May lie behind our position: transaction markers have offsets.
    offset: i64,
    /// When the broker first said so, by the wall clock.
    since: EventTime,
    /// When it said so last.
    confirmed_at: EventTime,
    /// The partition's event time then.
    latest: Option<EventTime>,
}

impl IdleClock {
    /// A record arrived.
    pub(super) fn record(&mut self) {
        *self = Self::default();
    }

    /// The client has reached the end.
    pub(super) fn end_reached(&mut self) {
        self.at_end = true;
    }

    /// Returns whether everything that can be read has been read.
    pub(super) fn is_at_end(&self) -> bool {
        self.at_end
    }

    /// The broker cannot be asked: what was waited so far proves nothing.
    pub(super) fn lost_touch(&mut self) {
        self.end = None;
    }

    /// Returns whether the broker should be asked where its log ends.
    pub(super) fn wants_answer(&self, now: EventTime, idle_after: Span) -> bool {
        let due = |end: End| idle_after / CONFIRMATIONS <= now.since(end.confirmed_at);
        self.at_end && self.end.is_none_or(due)
    }

    /// The broker says at `now` that its log ends at `offset`. If it has grown, the wait begins
    /// anew.
    pub(super) fn answer(&mut self, offset: i64, now: EventTime, latest: Option<EventTime>) {
        match &mut self.end {
            Some(end) if end.offset == offset => end.confirmed_at = end.confirmed_at.max(now),
            _ => self.end = Some(End { offset, since: now, confirmed_at: now, latest }),
        }
    }

    /// Returns how far event time has come by waiting; `None` while it stands.
    pub(super) fn event_time(&self, idle_after: Span) -> Option<EventTime> {
        let end = self.end?;
        let waited = end.confirmed_at.since(end.since);
        if waited < idle_after {
            return None;
        }
        Some(end.latest?.plus(waited).min(end.confirmed_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Span = 60_000;
    const IDLE_AFTER: Span = 5 * MINUTE;

    fn minute(minutes: i64) -> EventTime {
        EventTime::from_millis(minutes * MINUTE).unwrap()
    }

    fn idle_since(since: i64, latest: i64, confirmed_at: i64) -> IdleClock {
        let mut clock = IdleClock::default();
        clock.end_reached();
        clock.answer(7, minute(since), Some(minute(latest)));
        clock.answer(7, minute(confirmed_at), Some(minute(latest)));
        clock
    }

    #[test]
    fn time_stands_until_the_end_is_confirmed_for_long_enough() {
        assert_eq!(idle_since(100, 90, 104).event_time(IDLE_AFTER), None);
        assert_eq!(idle_since(100, 90, 105).event_time(IDLE_AFTER), Some(minute(95)));
    }

    #[test]
    fn time_moves_by_what_was_waited_and_not_past_the_wall_clock() {
        assert_eq!(idle_since(100, 20, 160).event_time(IDLE_AFTER), Some(minute(80)));
        assert_eq!(idle_since(100, 104, 110).event_time(IDLE_AFTER), Some(minute(110)));
    }

    #[test]
    fn a_lost_connection_starts_the_wait_anew() {
        let mut clock = idle_since(100, 90, 160);
        clock.lost_touch();
        clock.answer(7, minute(200), Some(minute(90)));
        assert_eq!(clock.event_time(IDLE_AFTER), None);
    }

    #[test]
    fn a_log_that_grew_is_not_idle() {
        let mut clock = idle_since(100, 90, 160);
        clock.answer(8, minute(161), Some(minute(90)));
        assert_eq!(clock.event_time(IDLE_AFTER), None);
    }

    #[test]
    fn a_partition_that_never_saw_a_record_has_no_time_to_move() {
        let mut clock = IdleClock::default();
        clock.end_reached();
        clock.answer(0, minute(0), None);
        clock.answer(0, minute(60), None);
        assert_eq!(clock.event_time(IDLE_AFTER), None);
    }

    #[test]
    fn the_broker_is_asked_at_the_end_and_then_ten_times_within_the_wait() {
        let mut clock = IdleClock::default();
        assert!(!clock.wants_answer(minute(100), IDLE_AFTER));
        clock.end_reached();
        assert!(clock.wants_answer(minute(100), IDLE_AFTER));
        clock.answer(7, minute(100), None);
        let half_a_minute = minute(100).plus(MINUTE / 2);
        assert!(!clock.wants_answer(half_a_minute.minus(1), IDLE_AFTER));
        assert!(clock.wants_answer(half_a_minute, IDLE_AFTER));
        clock.record();
        assert!(!clock.wants_answer(half_a_minute, IDLE_AFTER));
    }
}
