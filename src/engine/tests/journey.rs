//! Generated journeys: a handful of customers who search, buy, wait, complain and come back.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::pack::{DAY, HOUR, MINUTE, SECOND};
use crate::model::{EventTime, Span};

/// A touchpoint as the outside world knows it.
#[derive(Clone, PartialEq)]
pub(super) struct Touch {
    pub(super) customer: String,
    pub(super) event_id: String,
    pub(super) ts: EventTime,
    pub(super) channel: String,
    pub(super) event: String,
    pub(super) account: Option<String>,
    pub(super) properties: Map<String, Value>,
}

impl Touch {
    /// Returns the record that says it.
    pub(super) fn json(&self) -> String {
        let mut said = json!({
            "event_id": self.event_id, "customer_id": self.customer, "ts": self.ts.as_millis(),
            "channel": self.channel, "event": self.event, "properties": self.properties,
        });
        if let Some(account) = &self.account {
            said["account_id"] = json!(account);
        }
        said.to_string()
    }
}

impl std::fmt::Debug for Touch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { customer, event_id, ts, channel, event, properties, .. } = self;
        let properties = Value::Object(properties.clone());
        write!(formatter, "{ts} {customer} {event_id} {event} on {channel} {properties}")
    }
}

/// 2026-01-05T00:00:00Z, a Monday.
pub(super) const START: i64 = 1_767_571_200_000;

pub(super) fn start() -> EventTime {
    EventTime::from_millis(START).unwrap()
}

/// What happens next, and how long after what happened before.
#[derive(Clone, Copy, Debug)]
struct Step {
    customer: u8,
    wait: Wait,
    what: u8,
    first: u8,
    second: u8,
}

#[derive(Clone, Copy, Debug)]
struct Wait(Span);

fn wait() -> impl Strategy<Value = Wait> {
    prop_oneof![
        1 => Just(Wait(0)),
        4 => (1_i64..120).prop_map(|seconds| Wait(seconds * SECOND)),
        4 => (1_i64..45).prop_map(|minutes| Wait(minutes * MINUTE)),
        3 => (1_i64..40).prop_map(|hours| Wait(hours * HOUR)),
        2 => (1_i64..12).prop_map(|days| Wait(days * DAY)),
        1 => (20_i64..75).prop_map(|days| Wait(days * DAY + 1)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    (0_u8..3, wait(), 0_u8..40, 0_u8..4, 0_u8..8).prop_map(
        |(customer, wait, what, first, second)| Step { customer, wait, what, first, second },
    )
}

/// Journeys of up to `length` touchpoints in order of event time.
pub(super) fn journeys(length: usize) -> impl Strategy<Value = Vec<Touch>> {
    prop::collection::vec(step(), 1..length).prop_map(|steps| {
        let mut ts = start();
        (0..)
            .zip(steps)
            .map(|(number, step)| {
                ts = ts.plus(step.wait.0);
                touch(number, ts, step)
            })
            .collect()
    })
}

fn touch(number: usize, ts: EventTime, step: Step) -> Touch {
    let (event, channel, properties) = what_happens(ts, step);
    let Value::Object(properties) = properties else { unreachable!("written as objects") };
    Touch {
        customer: format!("customer-{}", step.customer),
        // Ids of the same instant are not in the order of the numbers.
        event_id: format!("{:x}-{number}", (number * 7 + 3) % 16),
        ts,
        channel: channel.to_owned(),
        event: event.to_owned(),
        account: None,
        properties,
    }
}

fn promise(ts: EventTime, kind: u8) -> Value {
    let date = |at: EventTime| json!(at.to_string().split('T').next());
    match kind {
        0 => json!(null),
        1 => json!(ts.minus(DAY).to_string()),
        2 => json!(ts.plus(3 * MINUTE).to_string()),
        3 => json!(ts.plus(HOUR).as_millis()),
        4 => date(ts.plus(2 * DAY)),
        5 => json!(ts.plus(DAY).to_string()),
        6 => date(ts),
        _ => json!(ts.plus(5 * DAY).to_string()),
    }
}

fn what_happens(ts: EventTime, step: Step) -> (&'static str, &'static str, Value) {
    let Step { what, first, second, .. } = step;
    let product = format!("p{first}");
    let order = if first < 3 { json!(format!("o{first}")) } else { json!(17) };
    let ordered = |properties: Value| properties;
    match what {
        0..=4 => ("product_viewed", "web", json!({ "product_id": product })),
        5..=7 => ("search", "app", json!({ "product_id": product })),
        8..=13 => (
            "order_placed",
            "web",
            ordered(json!({
                "order_id": order, "product_id": product,
                "estimated_delivery": promise(ts, second),
            })),
        ),
        14 => ("order_shipped", "delivery", json!({ "order_id": order })),
        15..=18 if second == 7 => ("order_delivered", "delivery", json!({})),
        15..=18 => ("order_delivered", "delivery", json!({ "order_id": order })),
        19 => ("order_cancelled", "email", json!({ "order_id": order })),
        20 => ("payment_failed", "web", json!({ "order_id": order })),
        21 => ("payment_approved", "web", json!({ "order_id": order })),
        22 => ("refund", "web", json!({ "order_id": order })),
        23 | 24 => ("ticket_opened", "call_center", json!({ "ticket_id": format!("t{first}") })),
        25 => ("ticket_resolved", "call_center", json!({ "ticket_id": format!("t{first}") })),
        26 if second < 4 => ("coupon_issued", "email", json!({})),
        26 => ("coupon_issued", "email", json!({ "order_id": order })),
        27 => ("newsletter_sent", "email", json!({})),
        28 | 29 => {
            let best = (first < 3).then_some(5 + first);
            ("review", "review_site", json!({ "stars": second, "best": best }))
        }
        30 => ("recommended", "social", json!({})),
        31 => ("question_asked", "app", json!({ "order_id": order })),
        32 => ("answer_given", "app", json!({})),
        33 | 34 => ("feature_used", "product", json!({})),
        35 => ("trial_started", "web", json!({ "referral_code": format!("friend-{first}") })),
        36 => ("app_crash", "app", json!({})),
        37 => ("sent_back", "kiosk", json!({})),
        38 if second < 4 => ("all_fixed", "web", json!({})),
        38 => ("product_viewed", "web", json!({ "product_id": product, "agent": "bot" })),
        _ => ("something_else", "web", json!({})),
    }
}
