//! Deadlines that fall due together, more of them than one commit may hold.
//!
//! A clock that jumps (a partition that slept, a backfill that begins where the last one ended) makes
//! a million promises due at once. They fire in their order, but a transaction takes only
//! `deadlines.per_commit` of them. The rest waits for the next one, and whatever moved the clock waits
//! with it: a touchpoint is judged after every deadline before it, also when that takes many commits.
//!
//! # Invariants
//!
//! - Other bounds give the same moments in the same order, in more or fewer commits.
//! - Where it stopped is part of the partition's row: who takes the partition over goes on from there.

use super::run::Run;
use crate::{engine::Customers, model::EventTime};

/// A herd that is not through yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Herd {
    /// What the latest event time will be when it is.
    pub latest: EventTime,
    /// So many items of the next record are done, where it is a record that moved the clock; `None`
    /// where time moved by itself.
    pub items_done: Option<u32>,
}

impl<C: Customers> Run<'_, C> {
    /// Fires what an earlier transaction has left; returns whether nothing is left now. `offset` is
    /// that of the record at hand: those of its items that are done already will be skipped.
    pub(super) fn catch_up(&mut self, offset: Option<i64>) -> bool {
        let Some(herd) = self.live.row.herd else { return true };
        let tolerance = self.engine.settings.tolerance;
        self.live.resume_pulse(tolerance);
        if !self.fire_due(herd.latest.minus(tolerance)) {
            return false;
        }
        let row = &mut self.live.row;
        row.herd = None;
        row.latest = row.latest.max(Some(herd.latest));
        if offset == Some(row.next_offset) {
            self.items.done = herd.items_done.unwrap_or(0);
        }
        self.live.beat(tolerance, self.effects);
        true
    }

    /// Fires every deadline that an instant makes due; returns whether all have. Otherwise it is noted
    /// that they wait for the next transaction.
    pub(super) fn make_way(&mut self, ts: EventTime, items_done: Option<u32>) -> bool {
        let latest = self.live.row.latest.map_or(ts, |latest| latest.max(ts));
        let through = self.fire_due(latest.minus(self.engine.settings.tolerance));
        if !through {
            self.live.row.herd = Some(Herd { latest, items_done });
        }
        through
    }
}
