//! Touchpoints that arrive at any age: pains and episodes stay exact within their bounds.

use serde_json::{Value, json};

use super::{
    journey::{Touch, start},
    pack::{DAY, HOUR},
    permutations::{run, settings},
    shop::shop,
    world::World,
};

/// An order told of twice, with its promise on the fourth day; between the visits, which make
/// whatever comes after them too late for the order window.
fn order(delivered_on: i64) -> Vec<Touch> {
    let touch = |number, day, event, properties| at(number, 24 * day, event, properties);
    let promise =
        json!({"order_id": "o1", "estimated_delivery": start().plus(4 * DAY).to_string()});
    vec![
        touch(0, 1, "order_placed", promise.clone()),
        touch(1, 2, "order_placed", promise),
        touch(2, delivered_on, "order_delivered", json!({"order_id": "o1"})),
        touch(3, delivered_on + 1, "page_viewed", json!({})),
        touch(4, delivered_on + 2, "order_delivered", json!({"order_id": "o1"})),
    ]
}

fn permutations(touches: Vec<Touch>) -> Vec<Vec<Touch>> {
    if touches.len() < 2 {
        return vec![touches];
    }
    let mut all = Vec::new();
    for first in 0..touches.len() {
        let mut others = touches.clone();
        let one = others.remove(first);
        all.extend(permutations(others).into_iter().map(|mut rest| {
            rest.insert(0, one.clone());
            rest
        }));
    }
    all
}

fn check(delivered_on: i64, pains: u64) {
    for arriving in permutations(order(delivered_on)) {
        let mut world = World::new(&shop(), &settings());
        run(&mut world, &arriving, 60 * DAY);
        let engagement = world.engagement("customer-0");
        assert_eq!(engagement["pains"], pains, "{arriving:#?}");
        let open = &engagement["open_episodes"];
        assert!(!open.to_string().contains("delivery"), "{open} after {arriving:#?}");
        let moments = world.last_editions("customer-0");
        let overdue = moments.values().filter(|one| one["event"] == "episode_overdue");
        assert_eq!(u64::try_from(overdue.count()).unwrap(), pains, "{arriving:#?}");
    }
}

fn at(number: i64, hour: i64, event: &str, properties: Value) -> Touch {
    Touch {
        customer: "customer-0".to_owned(),
        event_id: format!("event-{number}"),
        ts: start().plus(hour * HOUR),
        channel: "web".to_owned(),
        event: event.to_owned(),
        account: None,
        properties: properties.as_object().unwrap().clone(),
    }
}

/// A payment that failed, is told again, and is mended within the day.
#[track_caller]
fn check_pain(story: Vec<Touch>, pains: u64, recovered: u64) {
    for arriving in permutations(story) {
        let mut world = World::new(&shop(), &settings());
        run(&mut world, &arriving, 60 * DAY);
        let engagement = world.engagement("customer-0");
        assert_eq!(engagement["open_episodes"], json!([]), "{arriving:#?}");
        assert_eq!(engagement["recovered"], recovered, "{arriving:#?}");
        assert_eq!(engagement["pains"], pains, "{arriving:#?}");
        let moments = world.last_editions("customer-0");
        let told = moments.values().filter(|one| one["event"] == "unrecovered_pain").count();
        assert_eq!(told, 0, "{arriving:#?}");
    }
}

#[test]
fn a_pain_that_is_over_is_not_opened_again_by_what_is_heard_of_it_later() {
    let order = json!({"order_id": "o1"});
    check_pain(
        vec![
            at(0, 0, "payment_failed", order.clone()),
            at(1, 2, "payment_failed", order.clone()),
            at(2, 4, "payment_approved", order),
            at(3, 60, "page_viewed", json!({})),
        ],
        1,
        0,
    );
}

#[test]
fn a_parcel_that_came_in_time_is_never_overdue_whatever_is_heard_of_it_later() {
    check(3, 0);
}

#[test]
fn a_parcel_that_came_late_is_overdue_once_whatever_is_heard_of_it_later() {
    check(6, 1);
}
