//! What the demo reads of `moments` and `engagement` records.
//!
//! Tolerant, as every consumer should be: a field that is missing, or new, or of another type in a
//! later version makes the picture poorer and never stops it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use crate::model::{Band, EventTime, MicroMoment, MomentOfTruth, Stage, TransitionKind, Valence};

/// A record of `moments`, as far as the demo shows it.
#[derive(Debug, Deserialize)]
pub(super) struct MomentV1<'a> {
    #[serde(borrow, default)]
    pub(super) event_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) customer_id: Cow<'a, str>,
    #[serde(borrow, default)]
    ts: Option<TimeV1<'a>>,
    #[serde(default)]
    pub(super) revision: u32,
    #[serde(borrow, default)]
    pub(super) channel: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) event: Cow<'a, str>,
    #[serde(borrow, default)]
    micro_moment: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    moment_of_truth: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    valence: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) rules: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) same_pain_as: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) retracted: bool,
    #[serde(borrow, default)]
    transition: Option<TransitionV1<'a>>,
}

/// A step in the funnel.
#[derive(Debug, Deserialize)]
struct TransitionV1<'a> {
    #[serde(borrow)]
    from: Cow<'a, str>,
    #[serde(borrow)]
    to: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
}

/// A record of `engagement`, as far as the demo shows it.
#[derive(Debug, Deserialize)]
pub(super) struct EngagementV1<'a> {
    #[serde(borrow)]
    pub(super) customer_id: Cow<'a, str>,
    #[serde(borrow, default)]
    stage: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    engagement: Option<ScoresV1<'a>>,
}

/// The scores of a customer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ScoresV1<'a> {
    access: f64,
    engage: f64,
    customize: f64,
    connect: f64,
    collaborate: f64,
    overall: f64,
    #[serde(borrow)]
    band: Option<Cow<'a, str>>,
}

/// A time as text or as milliseconds.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum TimeV1<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Millis(i64),
}

impl MomentV1<'_> {
    pub(super) fn ts(&self) -> Option<EventTime> {
        match self.ts.as_ref()? {
            TimeV1::Text(text) => {
                EventTime::from_millis(text.parse::<Timestamp>().ok()?.as_millisecond())
            }
            TimeV1::Millis(millis) => EventTime::from_millis(*millis),
        }
    }

    pub(super) fn micro_moment(&self) -> Option<MicroMoment> {
        MicroMoment::parse(self.micro_moment.as_deref()?)
    }

    pub(super) fn moment_of_truth(&self) -> Option<MomentOfTruth> {
        MomentOfTruth::parse(self.moment_of_truth.as_deref()?)
    }

    pub(super) fn valence(&self) -> Option<Valence> {
        Valence::parse(self.valence.as_deref()?)
    }

    pub(super) fn transition(&self) -> Option<(Stage, Stage, TransitionKind)> {
        let TransitionV1 { from, to, kind } = self.transition.as_ref()?;
        Some((Stage::parse(from)?, Stage::parse(to)?, TransitionKind::parse(kind)?))
    }
}

impl EngagementV1<'_> {
    pub(super) fn stage(&self) -> Stage {
        self.stage.as_deref().and_then(Stage::parse).unwrap_or(Stage::None)
    }

    pub(super) fn band(&self) -> Option<Band> {
        Band::parse(self.engagement.as_ref()?.band.as_deref()?)
    }

    pub(super) fn overall(&self) -> f64 {
        self.engagement.as_ref().map_or(0.0, |scores| scores.overall)
    }

    /// Returns the tracks in their order.
    pub(super) fn tracks(&self) -> [f64; 5] {
        self.engagement.as_ref().map_or([0.0; 5], |scores| {
            [scores.access, scores.engage, scores.customize, scores.connect, scores.collaborate]
        })
    }
}
