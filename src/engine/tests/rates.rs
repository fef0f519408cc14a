//! What adds to pain rates.

use serde_json::json;

use super::{
    journey::{Touch, start},
    pack::{DAY, Rule, event, rule},
    permutations::{run, settings},
    shop::shop,
    world::World,
};
use crate::engine::rules::spec::ScaleKind;

/// Relational NPS is a pain of its customer, and none of the channel (DOMAIN.md, Scales).
#[test]
fn a_low_nps_is_a_pain_of_the_customer_and_in_no_rate() {
    let mut pack = shop();
    let nps = rule("nps", event("nps_answered")).scale(ScaleKind::Nps, "score", 0.0, 10.0);
    let stars = rule("stars", event("stars_given")).scale(ScaleKind::Stars, "stars", 1.0, 5.0);
    pack.rules.extend([nps, stars]);
    let touch = |number: u8, event: &str, property: &str| Touch {
        customer: "customer-0".to_owned(),
        event_id: format!("event-{number}"),
        ts: start().plus(i64::from(number) * DAY),
        channel: "web".to_owned(),
        event: event.to_owned(),
        account: None,
        properties: json!({property: 1}).as_object().unwrap().clone(),
    };
    let mut world = World::new(&pack, &settings());
    let arriving = [touch(1, "nps_answered", "score"), touch(2, "stars_given", "stars")];
    run(&mut world, &arriving, DAY);
    let said = |event: &str| {
        world.moments.iter().find(|one| one["event"] == event).unwrap()["valence"].clone()
    };
    assert_eq!((said("nps_answered"), said("stars_given")), (json!("pain"), json!("pain")));
    assert_eq!(world.engagement("customer-0")["pains"], 2);
    let counted =
        |event: &str| world.log.lines().any(|line| line.contains(&format!("}} {event} true ")));
    assert!(!counted("nps_answered"), "{}", world.log);
    assert!(counted("stars_given"), "{}", world.log);
}
