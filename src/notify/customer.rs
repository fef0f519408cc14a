//! One customer of whom a rule wants somebody to be told.
//!
//! # Invariants
//!
//! - Of no more customers somebody is told than the limit says, in any hour; an end and a correction
//!   are told of those only of whom the beginning was.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::Value;

use super::letter::Letter;
use crate::model::{EventTime, Span};

/// The span of the limit.
const HOUR: Span = 3_600_000;

/// Customers that are remembered as told, so that their corrections follow: beyond it the oldest is
/// forgotten, and what turns out otherwise about it is not told.
const TOLD_MAX: usize = 4096;

/// What is read of a moment; the rest is passed on as it is.
#[derive(Debug, Deserialize)]
struct Head {
    event_id: String,
    revision: u32,
    customer_id: String,
    ts: String,
    #[serde(default)]
    retracted: bool,
    #[serde(default)]
    backfill: bool,
}

/// A moment of which somebody is to be told.
#[derive(Debug)]
pub(super) struct Customer {
    /// The moment's event id: what belongs together.
    event_id: String,
    /// Said for the first time.
    pub(super) is_new: bool,
    pub(super) letter: Letter,
}

impl Customer {
    /// Returns `None` for something else.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let whole: Value = serde_json::from_slice(bytes).ok()?;
        let head = Head::deserialize(&whole).ok()?;
        let ts: jiff::Timestamp = head.ts.parse().ok()?;
        let state = match head {
            Head { retracted: true, .. } => "closed",
            Head { revision: 0, .. } => "open",
            Head { .. } => "update",
        };
        let letter = Letter {
            id: format!("{}-{}", head.event_id, head.revision),
            kind: format!("rega.customer_alert.{state}"),
            subject: head.customer_id,
            as_of: EventTime::from_millis(ts.as_millisecond())?,
            backfill: head.backfill,
            whole,
        };
        Some(Self { event_id: head.event_id, is_new: state == "open", letter })
    }
}

/// How many more customers somebody may be told of.
#[derive(Debug)]
pub(super) struct Limit {
    per_hour: usize,
    /// Who was told of within the hour and before, with when; the newest last.
    told: VecDeque<(EventTime, String)>,
}

impl Limit {
    pub(super) fn new(per_hour: u32) -> Self {
        Self { per_hour: usize::try_from(per_hour).unwrap_or(usize::MAX), told: VecDeque::new() }
    }

    /// Returns whether somebody may be told, and counts it.
    pub(super) fn allows(&mut self, customer: &Customer, now: EventTime) -> bool {
        let known = self.told.iter().any(|(_, event_id)| *event_id == customer.event_id);
        // After a restart nothing is known of whom was told; an end too many is better than none.
        let is_end = !customer.is_new && self.told.is_empty();
        if known || is_end {
            return true;
        }
        let within = self.told.iter().rev().take_while(|(at, _)| now.since(*at) < HOUR).count();
        if self.per_hour <= within || !customer.is_new {
            return false;
        }
        if TOLD_MAX <= self.told.len() {
            self.told.pop_front();
        }
        self.told.push_back((now, customer.event_id.clone()));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(event_id: &str, revision: u32, retracted: bool) -> Customer {
        let text = format!(
            r#"{{"event_id":"{event_id}","revision":{revision},"customer_id":"ann","ts":"2026-01-05T10:00:00.000Z","retracted":{retracted}}}"#
        );
        Customer::read(text.as_bytes()).unwrap()
    }

    fn at(minutes: i64) -> EventTime {
        EventTime::from_millis(minutes * 60_000).unwrap()
    }

    #[test]
    fn of_no_more_than_the_limit_in_any_hour() {
        let mut limit = Limit::new(2);
        assert!(limit.allows(&moment("a", 0, false), at(0)));
        assert!(limit.allows(&moment("b", 0, false), at(50)));
        assert!(!limit.allows(&moment("c", 0, false), at(59)));
        // The first is an hour ago, the second is not.
        assert!(limit.allows(&moment("d", 0, false), at(60)));
        assert!(!limit.allows(&moment("e", 0, false), at(61)));
    }

    #[test]
    fn an_end_follows_its_beginning_and_no_other() {
        let mut limit = Limit::new(1);
        assert!(limit.allows(&moment("a", 0, false), at(0)));
        assert!(!limit.allows(&moment("b", 0, false), at(1)));
        assert!(limit.allows(&moment("a", 1, true), at(2)));
        assert!(!limit.allows(&moment("b", 1, true), at(3)));
    }

    #[test]
    fn it_says_who_and_whether_it_is_so() {
        let letter = moment("a", 0, false).letter;
        assert_eq!((&*letter.id, &*letter.kind), ("a-0", "rega.customer_alert.open"));
        assert_eq!(letter.subject, "ann");
        assert_eq!(moment("a", 1, false).letter.kind, "rega.customer_alert.update");
        assert_eq!(moment("a", 2, true).letter.kind, "rega.customer_alert.closed");
        assert!(Customer::read(b"{\"spike_id\":1}").is_none());
    }
}
