//! What the demo shows at one instant: plain data between what was counted and how it is drawn.

use std::time::Duration;

use super::spikes::OpenSpike;
use crate::model::{Band, EventTime, MicroMoment, MomentOfTruth, Stage, TransitionKind};

/// Everything that the view shows.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) situation: Situation,
    /// Records of `moments`, first revisions.
    pub(super) moment_count: u64,
    /// By intent, in the vocabulary's order, without `none`.
    pub(super) micro_moments: Vec<(MicroMoment, u64)>,
    /// By promise, in the vocabulary's order, without `none`.
    pub(super) moments_of_truth: Vec<(MomentOfTruth, u64)>,
    /// The funnel from top to bottom.
    pub(super) stages: Vec<StageRow>,
    /// Steps between stages, most frequent first.
    pub(super) flows: Vec<Flow>,
    /// Spikes that are open, the one that began last first.
    pub(super) spikes: Vec<OpenSpike>,
    pub(super) pain_count: u64,
    /// Reasons of pain, most frequent first.
    pub(super) reasons: Vec<(String, u64)>,
    pub(super) recovered_count: u64,
    pub(super) unrecovered_count: u64,
    pub(super) glory_count: u64,
    pub(super) regress_count: u64,
    pub(super) taken_back_count: u64,
    /// Newest first.
    pub(super) pains: Vec<Notable>,
    /// Newest first.
    pub(super) recoveries: Vec<Notable>,
    /// Newest first.
    pub(super) regressions: Vec<Notable>,
    /// How many customers are known.
    pub(super) customer_count: u64,
    /// Most engaged first.
    pub(super) engaged: Vec<Engaged>,
    /// Somebody whose story is worth a look, and why.
    pub(super) interesting: Option<(String, &'static str)>,
    /// Records that could not be read.
    pub(super) unreadable_count: u64,
}

/// What the moments do not tell: clocks, rates, addresses.
#[derive(Clone, Debug, Default)]
pub(super) struct Situation {
    /// What the simulated clock shows.
    pub(super) clock: EventTime,
    /// How far event time has come, where it is known.
    pub(super) watermark: Option<EventTime>,
    /// How fast the clock runs, in words: `1 s = 1 h`.
    pub(super) speed: String,
    /// How long the demo has been running.
    pub(super) elapsed: Duration,
    /// Touchpoints handed to the broker.
    pub(super) touchpoint_count: u64,
    /// Touchpoints per second of wall time, one a second, newest last.
    pub(super) rates: Vec<f64>,
    /// From produce to read, where something was measured.
    pub(super) latency: Option<Latency>,
    /// Where the service answers: `http://127.0.0.1:8080`.
    pub(super) address: String,
    /// The two weeks of history are still being read.
    pub(super) catching_up: bool,
}

/// How long it takes until a touchpoint's moment can be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latency {
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

/// One stage of the funnel.
#[derive(Clone, Copy, Debug)]
pub(super) struct StageRow {
    pub(super) stage: Stage,
    /// How many customers stand there.
    pub(super) customer_count: u64,
    /// How many steps led from there to a deeper stage.
    pub(super) onward_count: u64,
    /// How many steps led from there to an earlier stage.
    pub(super) backward_count: u64,
}

/// Steps from one stage to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    pub(super) from: Stage,
    pub(super) to: Stage,
    pub(super) kind: TransitionKind,
    pub(super) count: u64,
}

/// A moment that is worth a line of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notable {
    pub(super) kind: NotableKind,
    pub(super) at: EventTime,
    pub(super) customer_id: String,
    /// What it is: the reason of a pain, the step in the funnel.
    pub(super) what: String,
    /// Why it was seen so: event, channel, rule.
    pub(super) why: String,
}

/// Which kind of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotableKind {
    Pain,
    Recovered,
    Unrecovered,
    Regress,
    TakenBack,
}

impl NotableKind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Pain => "pain",
            Self::Recovered => "recovered",
            Self::Unrecovered => "unrecovered",
            Self::Regress => "regress",
            Self::TakenBack => "taken back",
        }
    }
}

/// A customer with a high score.
#[derive(Clone, Debug)]
pub(super) struct Engaged {
    pub(super) customer_id: String,
    pub(super) band: Option<Band>,
    pub(super) overall: f64,
    /// In the tracks' order.
    pub(super) tracks: [f64; 5],
}
