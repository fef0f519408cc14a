//! Other rules change what is said from then on, never what was given before.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    journey::{Touch, journeys, start},
    pack::{DAY, MINUTE, Rule, event, pack, rule, text},
    permutations::settings,
    seeds,
    shop::shop,
    world::{Input, Then, World},
};
use crate::{
    engine::rules::spec::{HalfLifeSpec, OncePer, PackSpec},
    model::{Span, Track},
};

/// The shop with a rule that nothing hits: other rules that say the same.
fn same_shop() -> PackSpec {
    let mut same = shop();
    same.rules.push(rule("nobody does that", event("never")));
    same
}

/// Without versions of rules, and without what a reload settles early.
fn said(world: &World, customer: &str) -> (Vec<Value>, Value) {
    let mut moments: Vec<Value> = world.last_editions(customer).into_values().collect();
    let mut engagement = world.engagement(customer);
    for record in moments.iter_mut().chain([&mut engagement]) {
        record.as_object_mut().unwrap().remove("rules_version");
    }
    (moments, engagement)
}

/// At a quiet moment: a deadline of the visit under way that has not spoken yet would speak after
/// what is settled by the reload, and no more before it.
#[test]
fn rules_that_say_the_same_change_nothing() {
    let given = (journeys(60), prop::collection::vec(prop::bool::weighted(0.3), 1..40));
    seeds::holds(60, &given, |(mut touches, reloads)| {
        touches.sort_by(|one, other| (one.ts, &one.event_id).cmp(&(other.ts, &other.event_id)));
        let (mut still, mut moving) =
            (World::new(&shop(), &settings()), World::new(&shop(), &settings()));
        let mut packs = [same_shop(), shop()].into_iter().cycle();
        let later = touches.iter().skip(1).map(|touch| Some(touch.ts)).chain([None]);
        for ((touch, next), reload) in touches.iter().zip(later).zip(reloads.iter().cycle()) {
            still.feed(Input::Record(touch.json()));
            moving.feed(Input::Record(touch.json()));
            if *reload && next.is_none_or(|next| touch.ts < next) {
                let quiet = touch.ts.plus(still.engine.settings().tolerance);
                still.feed(Input::Idle(quiet));
                moving.feed(Input::Idle(quiet));
                moving.reload(&packs.next().unwrap());
            }
        }
        still.commit();
        moving.commit();
        for touch in &touches {
            if still.store.rows.contains_key(&touch.customer) {
                prop_assert_eq!(said(&still, &touch.customer), said(&moving, &touch.customer));
            }
        }
        Ok(())
    });
}

fn kept(world: &World, customer: &str) -> Value {
    let view = world.view(customer);
    let mut ledger: Vec<Value> = view["ledger"].as_array().unwrap().clone();
    for line in &mut ledger {
        // Faded to the latest change, which the late touchpoint may have moved: not its worth, but
        // since when and for which rule.
        let line = line.as_object_mut().unwrap();
        line.remove("points");
        line.remove("counted");
    }
    json!({ "ledger": ledger, "open": view["open_episodes"], "pains": view["pains"] })
}

#[test]
fn a_rule_that_goes_and_comes_back_leaves_every_line_and_promise() {
    let gone = prop::collection::vec(any::<prop::sample::Index>(), 1..12);
    let given = (journeys(50), gone, any::<bool>());
    seeds::holds(80, &given, |(touches, gone, without_kinds)| {
        let mut world = World::new(&shop(), &settings());
        for touch in &touches {
            world.feed(Input::Record(touch.json()));
        }
        world.commit();
        let mut fewer = shop();
        for index in gone {
            fewer.rules.remove(index.index(fewer.rules.len()));
        }
        if without_kinds {
            // What opens, closes or asks for them goes too, or nothing would compile.
            fewer.rules.retain(|rule| !format!("{rule:?}").contains("delivery"));
            fewer.episodes.remove("delivery");
        }
        let latest = touches.last().unwrap();
        let before = kept(&world, &latest.customer);
        world.reload(&fewer);
        // A late one, so that the row is read, changed and written under the other rules.
        let late = Touch {
            event_id: "late".to_owned(),
            ts: latest.ts.minus(MINUTE),
            event: "something_else".to_owned(),
            ..latest.clone()
        };
        world.feed(Input::Record(late.json()));
        world.then(Then::CommitAndRestart);
        world.reload(&shop());
        prop_assert_eq!(before, kept(&world, &latest.customer));
        Ok(())
    });
}

#[test]
fn a_misspelt_rule_takes_nothing_of_the_visit_under_way() {
    let mut world = World::new(&shop(), &settings());
    let touch = |id: &str, minute: i64, event: &str| Touch {
        customer: "customer-0".to_owned(),
        event_id: id.to_owned(),
        ts: start().plus(minute * MINUTE),
        channel: "web".to_owned(),
        event: event.to_owned(),
        account: None,
        properties:
            json!({ "order_id": "o1", "estimated_delivery": start().plus(DAY).as_millis() })
                .as_object()
                .unwrap()
                .clone(),
    };
    world.feed(Input::Record(touch("a", 5, "order_placed").json()));
    world.commit();
    let before = kept(&world, "customer-0");
    assert_eq!(before["open"].as_array().map(Vec::len), Some(1), "{before}");
    let mut misspelt = shop();
    for rule in misspelt.rules.iter_mut().filter(|rule| rule.name.value == "order") {
        rule.name.value = "ordre".to_owned();
        rule.when = event("ordre_placed");
    }
    world.reload(&misspelt);
    world.feed(Input::Record(touch("b", 4, "something_else").json()));
    world.commit();
    let standing = world.engagement("customer-0");
    let engage = standing["engagement"]["engage"].as_f64();
    assert_eq!(engage, Some(0.0), "a rule that is gone counts nothing");
    world.reload(&shop());
    assert_eq!(kept(&world, "customer-0"), before);
    // The promise is still one: its deadline speaks.
    world.feed(Input::Idle(start().plus(2 * DAY)));
    world.commit();
    let overdue = world.last_editions("customer-0");
    assert!(overdue.values().any(|moment| moment["reason"] == "late_delivery"), "{overdue:?}");
}

#[test]
fn a_customer_who_is_ignored_in_everything_is_forgotten_in_time() {
    let mut world = World::new(&shop(), &settings());
    let bot = json!({
        "event_id": "a", "customer_id": "bot", "ts": start().as_millis(), "channel": "web",
        "event": "product_viewed", "properties": { "agent": "bot" },
    });
    world.feed(Input::Record(bot.to_string()));
    world.then(Then::CommitAndRestart);
    assert!(world.store.rows.contains_key("bot"), "repetitions are recognised until then");
    world.feed(Input::Idle(start().plus(401 * DAY)));
    world.commit();
    assert!(!world.store.rows.contains_key("bot"));
}

/// A pack of one rule: who looks gets points under that name.
fn looking(name: &str, was: &[&str], add: f64, half_life: Option<Span>) -> PackSpec {
    let looked = rule(name, event("page_viewed"));
    let mut looked = looked.gives(Track::Access, add, 100.0, OncePer::Touchpoint);
    looked.was = was.iter().map(|name| text(name)).collect();
    if let Some(half_life) = half_life {
        looked = looked.half_life(HalfLifeSpec::After(half_life));
    }
    pack(vec![looked])
}

#[test]
fn a_rule_that_is_renamed_or_changed_keeps_what_it_gave() {
    let mut world = World::new(&looking("visit", &[], 8.0, None), &settings());
    let at = |world: &mut World, ms: i64, name: &str| {
        let ts = start().plus(ms).as_millis();
        world.feed(Input::Record(
            json!({ "event_id": ms.to_string(), "customer_id": "ada", "ts": ts, "channel": "web", "event": name })
                .to_string(),
        ));
        world.commit();
        world.engagement("ada")["engagement"]["access"].as_f64().unwrap()
    };
    let same = |found: f64, expected: f64| assert!((found - expected).abs() < 0.02, "{found}");
    same(at(&mut world, 0, "page_viewed"), 8.0);
    world.reload(&looking("look", &["visit"], 8.0, None));
    same(at(&mut world, 1, "nothing"), 8.0);
    // Without its former name it would be another rule, and the old line counts nothing.
    world.reload(&looking("glance", &[], 8.0, None));
    same(at(&mut world, 2, "nothing"), 0.0);
    world.reload(&looking("look", &["visit"], 3.0, None));
    same(at(&mut world, 3, "page_viewed"), 11.0);
    // It fades by the half-life that is in force.
    world.reload(&looking("look", &["visit"], 3.0, Some(DAY)));
    same(at(&mut world, 3 + DAY, "nothing"), 5.5);
}
