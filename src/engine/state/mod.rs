//! One customer, as the engine keeps them between touchpoints.
//!
//! A customer is a **settled** engagement plus a **tail** of digests: the touchpoints of the last
//! `order.window`, which may still turn out to have come in another order. The **head** is the
//! settled engagement with the tail evaluated over it, and is what look-ups and outputs show.

mod customer;
mod dedupe;
mod digest;
mod engagement;
mod journey;
mod order;
mod seen;

pub(crate) use self::{
    customer::{Claim, Customer},
    dedupe::{DedupeRing, Repetition, RingEntry},
    digest::{Candidate, Digest, Origin, Published},
    engagement::{Acquired, Engagement},
    journey::{Journey, StageRecord, Transition},
    order::Order,
    seen::{SeenEntry, SeenGroup, SeenGroups},
};
