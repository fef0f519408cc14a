//! How engaged a customer is: a ledger of faded points per rule, five tracks, and a band.
//!
//! The ledger *is* the score: a track is the sum of its lines, each within its rule's cap, and
//! that sum within 0 to 100. An explanation lists these same lines, so it cannot disagree.

mod balance;
mod band;
mod fall;
mod ledger;
mod periods;
mod reversals;

pub(crate) use self::{
    balance::{Balance, GLORY_WEIGHT},
    band::{Standing, band_at, standing_at},
    fall::next_fall,
    ledger::{Fading, Ledger, Line},
    periods::{PeriodLine, PeriodVerdict, Periods, period_of},
    reversals::{Given, Reversals, Taken},
};
