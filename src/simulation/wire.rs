//! The way to the broker: late, out of order, and sometimes twice.
//!
//! Phones lose their network, queues back up, producers retry. Every consumer of a real stream must
//! live with that, so every simulated stream has it.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

use super::{
    dice::Dice,
    rhythm::{HOUR, MINUTE, SECOND},
};
use crate::model::{EventTime, Span};

/// One touchpoint as it reaches the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulated {
    /// The record key.
    pub customer_id: String,
    /// The touchpoint's JSON, without a line break.
    pub line: Vec<u8>,
    /// When it happened.
    pub ts: EventTime,
    /// When it reaches the wire: never before `ts`, and never before the one returned before it.
    pub emitted_at: EventTime,
}

/// Touchpoints on their way. As many as happen within the usual delay, and those few that take
/// hours.
#[derive(Debug, Default)]
pub(super) struct Wire {
    waiting: BinaryHeap<Reverse<Waiting>>,
    sent_count: u64,
}

/// A touchpoint on its way, ordered by when it arrives, then by when it was sent.
#[derive(Debug)]
struct Waiting {
    touchpoint: Simulated,
    order: u64,
}

impl Wire {
    /// Sends a touchpoint on its way. One in two hundred arrives twice.
    pub(super) fn send(&mut self, mut touchpoint: Simulated, dice: &mut Dice) {
        touchpoint.emitted_at = touchpoint.ts.plus(delay(dice));
        if dice.chance(0.005) {
            let mut again = touchpoint.clone();
            again.emitted_at = again.emitted_at.plus(dice.between(SECOND, 10 * MINUTE));
            self.push(again);
        }
        self.push(touchpoint);
    }

    /// Returns the next touchpoint that arrives not after `until`.
    pub(super) fn receive(&mut self, until: EventTime) -> Option<Simulated> {
        let Reverse(first) = self.waiting.peek()?;
        if until < first.touchpoint.emitted_at {
            return None;
        }
        self.waiting.pop().map(|Reverse(waiting)| waiting.touchpoint)
    }

    fn push(&mut self, touchpoint: Simulated) {
        self.waiting.push(Reverse(Waiting { touchpoint, order: self.sent_count }));
        self.sent_count += 1;
    }
}

/// Returns how long a touchpoint takes: nearly all below two seconds, some minutes, few hours.
fn delay(dice: &mut Dice) -> Span {
    match dice.below(1000) {
        0..900 => dice.between(30, 2 * SECOND),
        900..985 => dice.between(2 * SECOND, 40 * SECOND),
        985..998 => dice.between(40 * SECOND, 9 * MINUTE),
        _ => dice.between(9 * MINUTE, 6 * HOUR),
    }
}

impl Waiting {
    fn rank(&self) -> (EventTime, u64) {
        (self.touchpoint.emitted_at, self.order)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}
