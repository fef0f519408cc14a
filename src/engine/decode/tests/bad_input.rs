//! The cases of `tests/cases/bad_input.ndjson`: one line each, so that anybody can add one.
//!
//! A case gives the record as `json` (byte for byte as it stands in the line), `text`, `hex`,
//! `repeat`, or `value: none`, and expects one outcome for each item: a reject with its code and a
//! part of its detail, or a touchpoint with some of its fields.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::*;

const CASES: &str = include_str!("../../../../tests/cases/bad_input.ndjson");

/// Codes that no single record of the native form can give.
const ELSEWHERE: [&str; 8] = [
    "no_items",
    "conflicting_duplicate",
    "unknown_dialect",
    "invalid_segment",
    "invalid_cloudevents",
    "invalid_snowplow",
    "invalid_posthog",
    "invalid_ga4",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case<'a> {
    name: String,
    value: Option<String>,
    #[serde(borrow)]
    json: Option<&'a RawValue>,
    text: Option<String>,
    hex: Option<String>,
    repeat: Option<Repeat>,
    /// The record's timestamp.
    timestamp: Option<i64>,
    expect: Vec<Expected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeat {
    #[serde(default)]
    before: String,
    part: String,
    times: usize,
    #[serde(default)]
    after: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    reject: Option<String>,
    detail: Option<String>,
    accept: Option<Map<String, Value>>,
}

impl Case<'_> {
    fn bytes(&self) -> Option<Vec<u8>> {
        let Self { value, json, text, hex, repeat, .. } = self;
        let given = [value.is_some(), json.is_some(), text.is_some(), hex.is_some()];
        let given = given.into_iter().filter(|&given| given).count();
        assert_eq!(given + usize::from(repeat.is_some()), 1, "{}: one record", self.name);
        if let Some(json) = json {
            return Some(json.get().as_bytes().to_vec());
        }
        if let Some(hex) = hex {
            let digits = hex.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
            return Some(digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect());
        }
        if let Some(Repeat { before, part, times, after }) = repeat {
            return Some(format!("{before}{}{after}", part.repeat(*times)).into_bytes());
        }
        text.as_ref().map(|text| text.clone().into_bytes())
    }
}

fn as_json(accepted: &Accepted) -> Value {
    json!({
        "event_id": accepted.event_id,
        "event_id_assumed": accepted.event_id_assumed,
        "customer_id": accepted.customer_id,
        "ts": accepted.ts.to_string(),
        "ts_assumed": accepted.ts_assumed,
        "channel": accepted.channel,
        "event": accepted.event,
        "actor": accepted.actor.map(crate::model::Actor::as_str),
        "text": accepted.text,
        "properties": accepted.properties,
    })
}

#[track_caller]
fn check(name: &str, outcome: &Outcome, expected: &Expected) {
    match (outcome, &expected.reject, &expected.accept) {
        (Outcome::Rejected(reject), Some(code), None) => {
            assert_eq!(reject.code(), code, "{name}: {reject}");
            let detail = expected.detail.as_deref().unwrap_or_default();
            assert!(reject.to_string().contains(detail), "{name}: {reject}");
        }
        (Outcome::Accepted(accepted), None, Some(fields)) => {
            let found = as_json(accepted);
            for (field, value) in fields {
                assert_eq!(found.get(field), Some(value), "{name}: {field}");
            }
        }
        (found, _, _) => panic!("{name}: {found:?}"),
    }
}

#[test]
fn every_case_is_rejected_for_its_reason_or_read_as_stated() {
    let mut codes = BTreeSet::new();
    let mut names = BTreeSet::new();
    for line in CASES.lines() {
        let case: Case<'_> = serde_json::from_str(line).unwrap_or_else(|error| {
            panic!("{error} in {line}");
        });
        assert!(names.insert(case.name.clone()), "twice: {}", case.name);
        let bytes = case.bytes();
        let record = Record {
            timestamp: case.timestamp.and_then(EventTime::from_millis),
            ..record(bytes.as_deref())
        };
        let outcomes = outcomes(Dialect::Native, &[], &record);
        assert_eq!(outcomes.len(), case.expect.len(), "{}: {outcomes:?}", case.name);
        for (outcome, expected) in outcomes.iter().zip(&case.expect) {
            check(&case.name, outcome, expected);
            codes.extend(outcome.code());
        }
    }
    let missing: Vec<_> = Reject::CODES.iter().filter(|code| !codes.contains(*code)).collect();
    assert_eq!(missing, ELSEWHERE.iter().collect::<Vec<_>>());
}

#[test]
fn a_reject_carries_the_bytes_of_its_item() {
    let decoder = Decoder::new(spec(Dialect::Native, &[]));
    let bytes = br#"[ {"event":"x"} , 5 ]"#;
    let mut found = Vec::new();
    decoder.decode(&record(Some(bytes)), now(), &mut Scratch::default(), &mut |item| {
        let Item::Reject(Rejected { item, index, .. }) = item else { panic!() };
        found.push((item.unwrap(), index));
    });
    assert_eq!(found, [(&br#"{"event":"x"}"#[..], 0), (b"5", 1)]);
}
