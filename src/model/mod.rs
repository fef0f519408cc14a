//! Nouns: what a touchpoint is, and the closed vocabulary that it is labelled with.
//!
//! Everything here is plain data with checked constructors. Nothing waits, logs, or reads a clock,
//! so that the engine above can be run over history as well as over the present.

mod channel;
mod hash;
mod labels;
mod partitioner;
mod time;
mod touchpoint;
mod verdict;

pub(crate) use self::labels::vocabulary;
pub use self::{
    channel::{Channel, Channels},
    hash::{StableHash, stable_hash},
    labels::{
        Actor, Band, EpisodeOutcome, Evidence, LabelledBy, MicroMoment, MomentOfTruth, Severity,
        Stage, Track, TransitionKind, Valence,
    },
    partitioner::Partitioner,
    time::{EventTime, Span, span_as_f64, span_of},
    touchpoint::{Property, Touchpoint},
    verdict::{Labels, Points},
};
