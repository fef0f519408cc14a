//! Alertmanager's API v2: which spikes are open, said again every minute, and once that one is over.
//!
//! An alert carries the time at which it ends by itself, a few repetitions ahead: if nobody says it
//! again, it is over. So an alert neither outlives Rega nor is lost with Alertmanager's memory.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Delivery, Outcome, Receiver, Settings,
    post::post,
    record::{Record, is_stale},
};
use crate::{
    backoff::Backoff,
    http_client::{Posted, Request, WaitingClient, address_of},
    model::{EventTime, Span, span_of},
};

/// How often open spikes are said again.
const REPEAT_EVERY: Span = 60_000;
/// How long an alert lives without being said again: it survives four lost messages.
const LIVES_FOR: Span = 5 * 60_000;
/// Closed spikes that are remembered.
const CLOSED_MAX: usize = 1000;

/// What Alertmanager has to be told.
#[derive(Debug)]
pub(super) struct Alerts {
    /// The last record of each open spike that came through here.
    open: BTreeMap<String, Record>,
    /// Spikes that closed and were not said to be over yet.
    over: BTreeMap<String, Record>,
    due: Option<EventTime>,
    /// The last word on spikes that closed: a reader elsewhere may be behind.
    closed: BTreeMap<String, u64>,
    backoff: Backoff,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            open: BTreeMap::new(),
            over: BTreeMap::new(),
            due: None,
            closed: BTreeMap::new(),
            backoff: Backoff::of_receivers(),
        }
    }
}

impl Alerts {
    /// Takes a record.
    pub(super) fn take(&mut self, record: &Record, now: EventTime, max_age: Span) {
        let id = record.head.spike_id.clone();
        if record.head.state == "closed" {
            self.open.remove(&id);
            if CLOSED_MAX <= self.closed.len() {
                self.closed.pop_first();
            }
            self.closed.insert(id.clone(), record.head.sequence);
            if !is_stale(record, now, max_age) && is_told(record) {
                self.over.insert(id, record.clone());
                self.due = None;
            }
            return;
        }
        self.over.remove(&id);
        if record.head.state == "open" {
            self.due = None;
        }
        self.open.insert(id, record.clone());
    }

    /// Says what is open and what is over, if that is due.
    pub(super) fn turn(
        &mut self,
        open: &[Vec<u8>],
        now: EventTime,
        (client, url, settings): (&WaitingClient, &str, &Settings),
    ) -> Option<Outcome> {
        if self.due.is_some_and(|due| now < due) {
            return None;
        }
        // Those that opened before this instance became the one that tells.
        for record in open.iter().filter_map(|record| Record::read(record)) {
            let id = &record.head.spike_id;
            let newer =
                self.open.get(id).is_none_or(|known| known.head.sequence < record.head.sequence);
            let closed = self.closed.get(id).is_some_and(|last| record.head.sequence <= *last);
            if newer && !closed {
                self.open.insert(id.clone(), record);
            }
        }
        self.open.retain(|_, record| !is_stale(record, now, settings.max_age));
        let still = self.open.values().filter(|record| is_told(record));
        let mut alerts: Vec<Value> =
            still.map(|record| alert(record, now.plus(LIVES_FOR), settings)).collect();
        alerts.extend(self.over.values().map(|record| alert(record, now, settings)));
        if alerts.is_empty() {
            self.due = Some(now.plus(REPEAT_EVERY));
            return None;
        }
        let posted = Posted {
            content_type: "application/json",
            idempotency_key: None,
            body: &Value::Array(alerts).to_string(),
        };
        let url = address_of(url, "/api/v2/alerts");
        let request = Request { url: &url, authorization: None, posted: Some(posted) };
        let answer = post(client, request);
        let (result, problem) = match answer {
            Ok(()) => {
                self.over.clear();
                self.backoff.succeeded();
                self.due = Some(now.plus(REPEAT_EVERY));
                (Delivery::Delivered, None)
            }
            Err(not_taken) => {
                self.due = Some(now.plus(span_of(self.backoff.failed(&settings.site))));
                (Delivery::Failed, Some(not_taken.problem))
            }
        };
        Some(Outcome { receiver: Receiver::Alertmanager, result, problem })
    }
}

/// A trend is an answer to give, and wakes nobody.
fn is_told(record: &Record) -> bool {
    record.head.numerator != "interest"
}

fn alert(record: &Record, ends_at: EventTime, settings: &Settings) -> Value {
    let head = &record.head;
    let (name, severity) = match head.numerator.as_str() {
        "silence" => ("RegaSilence", "warning"),
        _ => ("RegaPainSpike", "critical"),
    };
    let mut labels = head.key.clone();
    for (label, value) in [
        ("alertname", name),
        ("severity", severity),
        ("numerator", &head.numerator),
        ("app", &settings.app),
    ] {
        labels.insert(label.to_owned(), json!(value));
    }
    let place = record.place();
    let reasons: Vec<&str> = head.reasons.keys().map(String::as_str).collect();
    json!({
        "labels": labels,
        "annotations": {
            "summary": format!("{} spike: {place}, {:.1} times the usual", head.numerator, head.ratio),
            "description": format!(
                "since {}: {} where {} are usual, {} customer{}; {}",
                head.onset,
                head.observed,
                head.expected,
                head.customers,
                if head.customers == 1 { "" } else { "s" },
                reasons.join(", "),
            ),
            "onset": head.onset,
            "spike_id": head.spike_id,
        },
        "startsAt": head.opened_at,
        "endsAt": ends_at.to_string(),
        "generatorURL": format!("{}/v1/spikes", settings.site),
    })
}
