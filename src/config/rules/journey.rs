//! The tests beside the rules: a journey, and what is expected of it. Plain data for the runner.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::{Number, Value as Json};

use crate::{
    config::{
        fields::{entries, found, read_fields},
        problem::Problems,
        span,
        values::{
            any_scalar, flag, instant, list, located, number, one_or_more, span as read_span, text,
            word, word_of, zone,
        },
        yaml::{Node, Value},
    },
    engine::rules::spec::{At, Located, Scalar},
    model::{
        Actor, Band, EventTime, Evidence, MicroMoment, MomentOfTruth, Severity, Span, Stage, Track,
        TransitionKind, Valence,
    },
};

/// A test of a pack.
#[derive(Clone, Debug, PartialEq)]
pub struct PackTest {
    /// What it promises, as a sentence.
    pub name: Located<String>,
    /// When it begins.
    pub start: EventTime,
    /// Where a day begins; `None`: where the settings say.
    pub zone: Option<TimeZone>,
    /// The stream is known since long before: "first" can be believed. Otherwise it begins with
    /// the test.
    pub history_complete: bool,
    /// What happens, in the order in which it arrives.
    pub journey: Vec<Step>,
    /// What is expected of it.
    pub expect: Vec<Expectation>,
}

impl PackTest {
    /// When a test begins that does not say: a Monday, so that "once a week" can be counted on
    /// fingers. 2026-01-05T00:00:00Z.
    pub fn usual_start() -> EventTime {
        EventTime::from_millis(1_767_571_200_000).unwrap_or_default()
    }
}

/// One touchpoint of a journey.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// So long after [`PackTest::start`].
    pub at: Span,
    /// So long after the start it is received, where clocks differ; `None`: long after.
    pub received: Option<Span>,
    /// Where it stands in the file.
    pub place: At,
    /// The event name.
    pub event: String,
    /// The channel; `web` where nothing is said.
    pub channel: String,
    /// Who acts; `None`: the pack decides.
    pub actor: Option<Actor>,
    /// What the customer writes.
    pub text: Option<String>,
    /// The customer, where the test has several.
    pub customer: Option<String>,
    /// The event id, where repetition is tested.
    pub event_id: Option<String>,
    /// The properties. `+5d` has become that instant in RFC 3339.
    pub properties: serde_json::Map<String, Json>,
}

/// What one moment must look like. Matches a moment by `at` and, if given, `event`; what is `None`
/// (or empty) is not asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// So long after [`PackTest::start`].
    pub at: Span,
    /// The moment stands somewhere from `at` until then: when a score falls is for nobody's head.
    pub until: Option<Span>,
    /// Where it stands in the file.
    pub place: At,
    /// The event name.
    pub event: Option<String>,
    /// The customer.
    pub customer: Option<String>,
    /// Who acts.
    pub actor: Option<Actor>,
    /// The intent.
    pub micro_moment: Option<MicroMoment>,
    /// The promise tested.
    pub moment_of_truth: Option<MomentOfTruth>,
    /// The stage.
    pub stage: Option<Stage>,
    /// How it was.
    pub valence: Option<Valence>,
    /// Why.
    pub reason: Option<String>,
    /// How bad.
    pub severity: Option<Severity>,
    /// What the valence rests on.
    pub evidence: Option<Evidence>,
    /// Rules that must be among those that matched.
    pub rules: Vec<Located<String>>,
    /// No such moment may stand there; nothing else is asked then.
    pub absent: bool,
    /// The moment is (or is not) the same pain as an earlier one.
    pub same_pain: Option<bool>,
    /// Points by track.
    pub points: BTreeMap<Track, f64>,
    /// The moment is (or is not) derived.
    pub derived: Option<bool>,
    /// The kind of its episode.
    pub episode: Option<String>,
    /// The step in the funnel.
    pub transition: Option<TransitionKind>,
    /// The band.
    pub band: Option<Band>,
    /// Scores by track, with two decimals.
    pub scores: BTreeMap<Track, f64>,
    /// The overall score, with two decimals.
    pub overall: Option<f64>,
    /// The balance, with two decimals.
    pub balance: Option<f64>,
    /// The step is set aside for this reason; nothing else is asked then.
    pub rejected: Option<String>,
}

/// Reads a test.
pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<PackTest> {
    read_fields(node, "the test", problems, |fields| {
        let name = fields.need("name", located);
        let start = fields.get("start", instant).unwrap_or_else(PackTest::usual_start);
        let zone = fields.get("timezone", zone);
        let history_complete = fields.get("history", history).unwrap_or(true);
        let journey = fields.need("journey", list(|node, problems| step(node, start, problems)));
        let expect = fields.need("expect", list(expectation));
        let (name, journey, expect) = (name?, journey?, expect?);
        Some(PackTest { name, start, zone, history_complete, journey, expect })
    })
}

/// Reads whether "first" can be believed.
fn history(node: &Node, problems: &mut Problems) -> Option<bool> {
    match &node.value {
        Value::Scalar(scalar) if scalar.text == "complete" => Some(true),
        Value::Scalar(scalar) if scalar.text == "begins" => Some(false),
        Value::Nothing | Value::Scalar(_) | Value::Sequence(_) | Value::Mapping(_) => {
            problems.add(node.at, format!("expected complete or begins, found {}", found(node)));
            None
        }
    }
}

fn step(node: &Node, start: EventTime, problems: &mut Problems) -> Option<Step> {
    read_fields(node, "the step", problems, |fields| {
        let place = fields.at();
        let at = fields.need("at", read_span);
        let received = fields.get("received", read_span);
        let event = fields.need("event", text);
        let channel = fields.get("channel", text).unwrap_or_else(|| "web".to_owned());
        let actor = fields.get("actor", word);
        let words = fields.get("text", text);
        let customer = fields.get("customer", text);
        let event_id = fields.get("event_id", text);
        let object = |node: &Node, problems: &mut Problems| json_object(node, start, problems);
        let properties = fields.get("properties", object).unwrap_or_default();
        let (at, event) = (at?, event?);
        let text = words;
        Some(Step {
            at,
            received,
            place,
            event,
            channel,
            actor,
            text,
            customer,
            event_id,
            properties,
        })
    })
}

fn expectation(node: &Node, problems: &mut Problems) -> Option<Expectation> {
    read_fields(node, "the expectation", problems, |fields| {
        let place = fields.at();
        let at = fields.need("at", read_span);
        let expectation = Expectation {
            at: at.unwrap_or_default(),
            until: fields.get("until", read_span),
            place,
            event: fields.get("event", text),
            customer: fields.get("customer", text),
            actor: fields.get("actor", word),
            micro_moment: fields.get("micro_moment", word),
            moment_of_truth: fields.get("moment_of_truth", word),
            stage: fields.get("stage", word),
            valence: fields.get("valence", word),
            reason: fields.get("reason", text),
            severity: fields.get("severity", word),
            evidence: fields.get("evidence", word),
            rules: fields.get("rules", one_or_more(located)).unwrap_or_default(),
            absent: fields.get("absent", flag).unwrap_or(false),
            same_pain: fields.get("same_pain", flag),
            points: fields.get("points", points).unwrap_or_default(),
            derived: fields.get("derived", flag),
            episode: fields.get("episode", text),
            transition: fields.get("transition", word),
            band: fields.get("band", word),
            scores: fields.get("scores", points).unwrap_or_default(),
            overall: fields.get("overall", number),
            balance: fields.get("balance", number),
            rejected: fields.get("rejected", text),
        };
        at.map(|_| expectation)
    })
}

fn points(node: &Node, problems: &mut Problems) -> Option<BTreeMap<Track, f64>> {
    let entries = entries(node, "points", problems)?.iter();
    let points = entries.filter_map(|entry| {
        let track = word_of(&entry.key.value, entry.key.at, problems);
        track.zip(number(&entry.value, problems))
    });
    Some(points.collect())
}

fn json_object(
    node: &Node,
    start: EventTime,
    problems: &mut Problems,
) -> Option<serde_json::Map<String, Json>> {
    match json(node, start, problems) {
        Some(Json::Object(object)) => Some(object),
        Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_)) => {
            problems.add(node.at, format!("expected properties, found {}", found(node)));
            None
        }
        None => None,
    }
}

/// Reads any value as the JSON that an event would carry.
fn json(node: &Node, start: EventTime, problems: &mut Problems) -> Option<Json> {
    Some(match &node.value {
        Value::Nothing => Json::Null,
        Value::Sequence(items) => {
            let items: Vec<_> = items.iter().map(|item| json(item, start, problems)).collect();
            Json::Array(items.into_iter().collect::<Option<_>>()?)
        }
        Value::Mapping(entries) => {
            let fields: Vec<_> = entries
                .iter()
                .map(|entry| Some((entry.key.value.clone(), json(&entry.value, start, problems)?)))
                .collect();
            Json::Object(fields.into_iter().collect::<Option<_>>()?)
        }
        Value::Scalar(written) => {
            let relative = written.text.strip_prefix('+').filter(|_| written.plain);
            if let Some(span) = relative.and_then(span::parse) {
                return Some(Json::String(start.plus(span).to_string()));
            }
            match any_scalar(node, problems)? {
                Scalar::Flag(flag) => Json::Bool(flag),
                Scalar::Text(text) => Json::String(text),
                Scalar::Number(number) => whole_or_not(&written.text, number),
            }
        }
    })
}

/// Returns a number as JSON would have it written: `5` stays `5` and does not become `5.0`.
fn whole_or_not(text: &str, number: f64) -> Json {
    let whole = text.parse::<i64>().ok().map(Number::from);
    whole.or_else(|| Number::from_f64(number)).map_or(Json::Null, Json::Number)
}
