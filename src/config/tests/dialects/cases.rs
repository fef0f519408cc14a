//! The cases of `tests/cases/dialects/*.ndjson`: one line each, so that anybody can add one.
//!
//! A case gives a record as `json` (byte for byte), `text`, or `columns` of Snowplow's TSV, and
//! record `headers` where these say something. It expects one outcome for each item: a reject with
//! its code and a part of its detail, or a touchpoint with some of its fields. `same_as` names a
//! case before it that must come out equal, whatever the ids.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{super::read_mapping, *};
use crate::config::dialect::mapped;

const FILES: [(&str, &str); 6] = [
    ("segment", include_str!("../../../../tests/cases/dialects/segment.ndjson")),
    ("cloudevents", include_str!("../../../../tests/cases/dialects/cloudevents.ndjson")),
    ("snowplow", include_str!("../../../../tests/cases/dialects/snowplow.ndjson")),
    ("posthog", include_str!("../../../../tests/cases/dialects/posthog.ndjson")),
    ("ga4", include_str!("../../../../tests/cases/dialects/ga4.ndjson")),
    ("auto", include_str!("../../../../tests/cases/dialects/auto.ndjson")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case<'a> {
    name: String,
    #[serde(borrow)]
    json: Option<&'a RawValue>,
    text: Option<String>,
    columns: Option<BTreeMap<String, String>>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// A mapping that stands on the dialect.
    mapping: Option<String>,
    same_as: Option<String>,
    #[serde(default)]
    expect: Vec<Expected>,
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
        if let Some(json) = self.json {
            return Some(json.get().as_bytes().to_vec());
        }
        if let Some(columns) = &self.columns {
            return Some(row(columns).into_bytes());
        }
        self.text.as_ref().map(|text| text.clone().into_bytes())
    }
}

/// Returns a row of TSV; the names of the columns are those of Snowplow's own header.
fn row(columns: &BTreeMap<String, String>) -> String {
    let header = include_str!("../../../../tests/cases/dialects/snowplow_columns.txt");
    let header: Vec<&str> = header.trim_end().split('\t').collect();
    assert!(columns.keys().all(|name| header.contains(&&**name)), "{columns:?}");
    let values = header.iter().map(|name| columns.get(*name).map_or("", String::as_str));
    values.collect::<Vec<_>>().join("\t")
}

fn as_json(accepted: &Accepted) -> Value {
    json!({
        "event_id": accepted.event_id,
        "event_id_assumed": accepted.event_id_assumed,
        "customer_id": accepted.customer_id,
        "account_id": accepted.account_id,
        "ts": accepted.ts.to_string(),
        "ts_assumed": accepted.ts_assumed,
        "channel": accepted.channel,
        "event": accepted.event,
        "actor": accepted.actor.map(Actor::as_str),
        "text": accepted.text,
        "properties": serde_json::from_str::<Value>(&accepted.properties).unwrap_or_default(),
        "asked": accepted.asked,
    })
}

/// Returns what is not as expected.
fn difference(outcome: &Outcome, expected: &Expected) -> Option<String> {
    match (outcome, &expected.reject, &expected.accept) {
        (Err(reject), Some(code), None) => {
            let detail = expected.detail.as_deref().unwrap_or_default();
            let (found, text) = (reject.code(), reject.to_string());
            let same = found == code && text.contains(detail);
            (!same).then(|| format!("rejected as {found}: {text}"))
        }
        (Ok(accepted), None, Some(fields)) => {
            let found = as_json(accepted);
            let other = fields.iter().find(|(field, value)| found.get(*field) != Some(*value));
            other.map(|(field, _)| format!("{field} is {}", found[field]))
        }
        (found, _, _) => Some(format!("{found:?}")),
    }
}

#[test]
fn every_case_of_every_dialect_is_read_or_refused_as_stated() {
    let (mut codes, mut wrong) = (BTreeSet::new(), Vec::new());
    for (dialect, cases) in FILES {
        let mut before: BTreeMap<String, Vec<Outcome>> = BTreeMap::new();
        for line in cases.lines() {
            let case: Case<'_> =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
            let name = format!("{dialect}: {}", case.name);
            let read_by = match &case.mapping {
                Some(mapping) => mapped(read_mapping(mapping).unwrap()),
                None => named(dialect),
            };
            let bytes = case.bytes();
            let headers: Vec<(&str, &[u8])> =
                case.headers.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
            let outcomes = read(read_by, &record(bytes.as_deref(), &headers));
            if let Some(other) = &case.same_as {
                if without_ids(&outcomes) != without_ids(&before[other]) {
                    wrong.push(format!("{name}: not the same: {outcomes:?}"));
                }
            } else if outcomes.len() != case.expect.len() {
                wrong.push(format!("{name}: {outcomes:?}"));
            }
            for (outcome, expected) in outcomes.iter().zip(&case.expect) {
                wrong.extend(difference(outcome, expected).map(|what| format!("{name}: {what}")));
                codes.extend(outcome.as_ref().err().map(Reject::code));
            }
            assert!(before.insert(case.name.clone(), outcomes).is_none(), "twice: {name}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let own = |code: &&str| code.starts_with("invalid_") || *code == "unknown_dialect";
    let missing: Vec<_> =
        Reject::CODES.into_iter().filter(own).filter(|code| !codes.contains(code)).collect();
    assert_eq!(missing, [""; 0]);
}

fn without_ids(outcomes: &[Outcome]) -> Vec<Outcome> {
    let mut outcomes = outcomes.to_vec();
    for accepted in outcomes.iter_mut().flatten() {
        accepted.event_id.clear();
        accepted.properties.clear();
    }
    outcomes
}
