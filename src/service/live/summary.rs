//! The summary as JSON: what `/v1/summary` answers and every frame of `/v1/stream` shows.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    record::Shown,
    window::{Counts, Place, Second, Window},
};
use crate::{
    model::{EventTime, MicroMoment, MomentOfTruth, Stage, TransitionKind},
    telemetry::CustomerCounts,
};

/// How many places of pain are told, the most painful first.
const PLACES_TOLD_MAX: usize = 60;

/// How this instance stands, apart from what was seen of moments.
#[derive(Clone, Debug, Default)]
pub(super) struct Here {
    pub(super) customers: CustomerCounts,
    pub(super) partition_count: usize,
    pub(super) partition_count_of_all: usize,
    /// Records of spikes that are open or closed lately.
    pub(super) spikes: Vec<Box<RawValue>>,
    /// Since when somebody has been watching.
    pub(super) since: Option<EventTime>,
    pub(super) now: EventTime,
}

#[derive(Serialize)]
struct SummaryV1<'a> {
    now: String,
    as_of: Option<String>,
    watching: bool,
    window: WindowV1,
    here: HereV1,
    moments: i64,
    pains: i64,
    glories: i64,
    recovered: i64,
    stages: Vec<(&'static str, i64)>,
    micro_moments: Vec<(&'static str, i64)>,
    moments_of_truth: Vec<(&'static str, i64)>,
    transitions: Vec<StepV1>,
    pain: Vec<PlaceV1<'a>>,
    seconds: Vec<(u32, u32)>,
    recent: Vec<&'a Shown>,
    unshown: u64,
    spikes: Vec<&'a RawValue>,
}

#[derive(Serialize)]
struct WindowV1 {
    since: Option<String>,
    seconds: usize,
}

#[derive(Serialize)]
struct HereV1 {
    partitions: usize,
    partitions_of_all: usize,
    stages: Vec<(&'static str, i64)>,
    bands: Vec<(&'static str, i64)>,
}

#[derive(Serialize)]
struct StepV1 {
    kind: &'static str,
    from: &'static str,
    to: &'static str,
    count: i64,
}

#[derive(Serialize)]
struct PlaceV1<'a> {
    channel: &'a str,
    event: &'a str,
    stage: &'static str,
    reason: &'a str,
    count: i64,
}

/// Writes the summary.
pub(super) fn write(window: &Window, here: &Here) -> Vec<u8> {
    let sum = window.sum();
    let summary = SummaryV1 {
        now: written(here.now),
        as_of: window.latest.map(written),
        watching: here.since.is_some(),
        window: WindowV1 { since: here.since.map(written), seconds: window.seconds_count() },
        here: HereV1 {
            partitions: here.partition_count,
            partitions_of_all: here.partition_count_of_all,
            stages: here.customers.by_stage().map(|(stage, n)| (stage.as_str(), n)).collect(),
            bands: here.customers.by_band().map(|(band, n)| (band.as_str(), n)).collect(),
        },
        moments: sum.moments,
        pains: sum.pains,
        glories: sum.glories,
        recovered: sum.recovered,
        stages: counted(Stage::ALL, &sum.stages, Stage::as_str),
        micro_moments: counted(MicroMoment::ALL, &sum.micro_moments, MicroMoment::as_str),
        moments_of_truth: counted(MomentOfTruth::ALL, &sum.moments_of_truth, MomentOfTruth::as_str),
        transitions: sum.transitions.iter().map(step).collect(),
        pain: places(&sum),
        seconds: window
            .seconds
            .iter()
            .map(|Second { moments, pains }| (*moments, *pains))
            .collect(),
        recent: window.recent.iter().collect(),
        unshown: window.unshown,
        spikes: here.spikes.iter().map(|record| &**record).collect(),
    };
    // Nothing in it can refuse to be written.
    serde_json::to_vec(&summary).unwrap_or_else(|_never| b"{}".to_vec())
}

fn written(time: EventTime) -> String {
    jiff::Timestamp::from_millisecond(time.as_millis()).unwrap_or_default().to_string()
}

fn counted<K: Copy + Ord>(
    all: &[K],
    counts: &std::collections::BTreeMap<K, i64>,
    name: fn(K) -> &'static str,
) -> Vec<(&'static str, i64)> {
    all.iter().map(|key| (name(*key), counts.get(key).copied().unwrap_or(0))).collect()
}

fn step((&(kind, from, to), &count): (&(TransitionKind, Stage, Stage), &i64)) -> StepV1 {
    StepV1 { kind: kind.as_str(), from: from.as_str(), to: to.as_str(), count }
}

fn places(sum: &Counts) -> Vec<PlaceV1<'_>> {
    let mut places: Vec<(&Place, i64)> =
        sum.places.iter().map(|(place, count)| (place, *count)).filter(|(_, n)| 0 < *n).collect();
    places.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    places.truncate(PLACES_TOLD_MAX);
    places
        .into_iter()
        .map(|(Place { channel, event, stage, reason }, count)| PlaceV1 {
            channel,
            event,
            stage: stage.as_str(),
            reason,
            count,
        })
        .collect()
}
