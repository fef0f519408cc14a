//! What the console needs of `moments` records.
//!
//! Read as any consumer should: a field that is missing, or new, or of another type in a later
//! version makes the picture poorer and never stops it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::model::{EventTime, MicroMoment, MomentOfTruth, Stage, TransitionKind, Valence};

/// A record of `moments`.
#[derive(Debug, Deserialize)]
pub(super) struct MomentV1<'a> {
    #[serde(borrow, default)]
    ts: Cow<'a, str>,
    #[serde(default)]
    pub(super) revision: u32,
    #[serde(borrow)]
    customer_id: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) channel: Cow<'a, str>,
    #[serde(borrow, default)]
    actor: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) event: Cow<'a, str>,
    #[serde(borrow, default)]
    micro_moment: Cow<'a, str>,
    #[serde(borrow, default)]
    moment_of_truth: Cow<'a, str>,
    #[serde(borrow, default)]
    stage: Cow<'a, str>,
    #[serde(borrow, default)]
    valence: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) reason: Option<Cow<'a, str>>,
    #[serde(default)]
    severity: Option<u8>,
    #[serde(default)]
    pub(super) derived: bool,
    #[serde(default)]
    pub(super) retracted: bool,
    #[serde(borrow, default)]
    pub(super) same_pain_as: Option<Cow<'a, str>>,
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

/// A moment as the stream of moments shows it: the fields of the record under their own names.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shown {
    ts: String,
    customer_id: String,
    channel: String,
    actor: String,
    event: String,
    micro_moment: String,
    moment_of_truth: String,
    stage: String,
    pub(super) valence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<u8>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    derived: bool,
}

impl MomentV1<'_> {
    pub(super) fn ts(&self) -> Option<EventTime> {
        let ts: jiff::Timestamp = self.ts.parse().ok()?;
        EventTime::from_millis(ts.as_millisecond())
    }

    pub(super) fn micro_moment(&self) -> MicroMoment {
        MicroMoment::parse(&self.micro_moment).unwrap_or(MicroMoment::None)
    }

    pub(super) fn moment_of_truth(&self) -> MomentOfTruth {
        MomentOfTruth::parse(&self.moment_of_truth).unwrap_or(MomentOfTruth::None)
    }

    pub(super) fn stage(&self) -> Stage {
        Stage::parse(&self.stage).unwrap_or(Stage::None)
    }

    pub(super) fn valence(&self) -> Valence {
        Valence::parse(&self.valence).unwrap_or(Valence::Unknown)
    }

    pub(super) fn transition(&self) -> Option<(TransitionKind, Stage, Stage)> {
        let TransitionV1 { from, to, kind } = self.transition.as_ref()?;
        Some((TransitionKind::parse(kind)?, Stage::parse(from)?, Stage::parse(to)?))
    }

    pub(super) fn shown(&self) -> Shown {
        Shown {
            ts: self.ts.to_string(),
            customer_id: self.customer_id.to_string(),
            channel: self.channel.to_string(),
            actor: self.actor.to_string(),
            event: self.event.to_string(),
            micro_moment: self.micro_moment.to_string(),
            moment_of_truth: self.moment_of_truth.to_string(),
            stage: self.stage.to_string(),
            valence: self.valence.to_string(),
            reason: self.reason.as_ref().map(ToString::to_string),
            severity: self.severity,
            derived: self.derived,
        }
    }
}
