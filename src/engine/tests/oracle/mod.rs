//! A naive oracle: one customer's story from the sorted list of all their touchpoints.
//!
//! Written from DOMAIN.md, for certainty instead of speed. It keeps lists of what happened and
//! sums over them at every question; nothing is faded in steps, forgotten, settled or revised. The
//! bounds of the engine (32 open episodes, 16 early closes, 64 keys, …) are not imitated:
//! generated journeys stay within them.

mod episodes;
mod labels;
mod questions;
mod records;
mod score;
mod story;

pub(super) use self::records::TWO_YEARS;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::journey::Touch;
use crate::{
    engine::{Settings, rules::spec::PackSpec},
    model::{Actor, EventTime, MicroMoment, Severity, Stage, Track},
};

/// What the oracle says of a customer.
pub(super) struct Told {
    /// By event id, as `moments` has them, without revision and scores.
    pub(super) moments: BTreeMap<String, Value>,
    /// As `engagement` has it.
    pub(super) engagement: Value,
}

/// Tells the story of one customer; `watermark` is how far event time has come in the partition.
pub(super) fn tell(
    (pack, settings): (&PackSpec, &Settings),
    touches: &[&Touch],
    watermark: EventTime,
) -> Told {
    let mut sorted = touches.to_vec();
    sorted.sort_by(|one, other| (one.ts, &one.event_id).cmp(&(other.ts, &other.event_id)));
    let mut oracle = Oracle::new(pack, settings, watermark);
    for touch in sorted {
        oracle.account = touch.account.clone().or(oracle.account);
        oracle.live_through(touch);
    }
    oracle.let_time_pass(None);
    let engagement = oracle.engagement();
    Told { moments: oracle.moments, engagement }
}

/// What is evaluated: a touchpoint, or what a deadline says.
#[derive(Clone, Debug)]
struct Item {
    ts: EventTime,
    event_id: String,
    event: String,
    channel: String,
    actor: Actor,
    properties: Value,
    /// The episode whose deadline it is.
    derived: Option<Derived>,
    /// "First" may be believed.
    history_complete: bool,
}

#[derive(Clone, Debug)]
struct Derived {
    kind: String,
    key: Option<String>,
    same_pain_as: Option<String>,
}

/// Something that happened, as later questions ask for it.
#[derive(Clone, Debug)]
struct Lived {
    item: Item,
    stage: Stage,
    micro_moment: MicroMoment,
    ignored: bool,
}

/// Points that a rule gave; refunded ones are struck out.
#[derive(Clone, Debug)]
struct Gift {
    rule: usize,
    track: Track,
    points: f64,
    ts: EventTime,
    key: Option<String>,
    refunded: bool,
}

#[derive(Clone, Debug)]
struct Open {
    kind: String,
    key: Option<String>,
    opened_at: EventTime,
    opened_by: String,
    channel: String,
    deadline: Option<EventTime>,
    /// `None` once it has fired, or will not any more.
    fires_at: Option<EventTime>,
    /// The derived touchpoint, the pain that it was, and the event that showed this pain first.
    overdue: Option<(String, Option<(Option<String>, Severity)>, String)>,
    /// Reason and severity of a pain episode.
    pain: Option<(Option<String>, Severity)>,
    resolved: bool,
}

struct Oracle<'p> {
    pack: &'p PackSpec,
    settings: &'p Settings,
    watermark: EventTime,
    customer: String,
    account: Option<String>,
    lived: Vec<Lived>,
    gifts: Vec<Gift>,
    /// Of every rule and track, the periods in which points counted.
    periods: Vec<(usize, Track, String)>,
    refunds: Vec<String>,
    owned: Vec<String>,
    open: Vec<Open>,
    early: Vec<(String, String, EventTime)>,
    /// Kind and key of what a close has ended.
    ended: BTreeSet<(String, String)>,
    /// Time and weight of glories and recoveries, and of pains (negative).
    felt: Vec<(EventTime, f64)>,
    made_good: Vec<(Option<String>, EventTime)>,
    pains: u32,
    glories: u32,
    recovered: u32,
    stage: Stage,
    stage_since: Option<EventTime>,
    deepest: Stage,
    lapsed: bool,
    absence_at: Option<EventTime>,
    /// The latest event time that changed anything.
    as_of: Option<EventTime>,
    moments: BTreeMap<String, Value>,
}

impl<'p> Oracle<'p> {
    fn new(pack: &'p PackSpec, settings: &'p Settings, watermark: EventTime) -> Self {
        Self {
            pack,
            settings,
            watermark,
            customer: String::new(),
            account: None,
            lived: Vec::new(),
            gifts: Vec::new(),
            periods: Vec::new(),
            refunds: Vec::new(),
            owned: Vec::new(),
            open: Vec::new(),
            early: Vec::new(),
            ended: BTreeSet::new(),
            felt: Vec::new(),
            made_good: Vec::new(),
            pains: 0,
            glories: 0,
            recovered: 0,
            stage: Stage::None,
            stage_since: None,
            deepest: Stage::None,
            lapsed: false,
            absence_at: None,
            as_of: None,
            moments: BTreeMap::new(),
        }
    }

    /// The customer's own touchpoints so far, that count.
    fn own(&self) -> impl DoubleEndedIterator<Item = &Lived> {
        self.counted().filter(|lived| lived.item.actor == Actor::Customer)
    }

    /// Touchpoints so far, that count.
    fn counted(&self) -> impl DoubleEndedIterator<Item = &Lived> {
        self.lived.iter().filter(|lived| lived.item.derived.is_none() && !lived.ignored)
    }
}
