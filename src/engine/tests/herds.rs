//! Deadlines that fall due together fire in the same order however few of them a commit may hold, and
//! a touchpoint after them is never judged before them.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    batches::{arrivals, cut, retention, same, settings},
    journey::start,
    pack::{DAY, HOUR, MINUTE},
    seeds,
    shop::shop,
    world::{Input, Then, World},
};
use crate::{
    engine::{
        Settings,
        decode::{Dialect, DialectSpec, Form},
    },
    model::EventTime,
};

fn bounded(bound: usize, settings: &Settings) -> Settings {
    Settings { deadlines_per_commit: bound, ..settings.clone() }
}

#[test]
fn however_few_deadlines_a_commit_holds_they_fire_in_the_same_order() {
    let bounds = (1_usize..5, any::<bool>());
    let given = (arrivals(60), prop::collection::vec(cut(), 1..40), retention(), bounds);
    let herds = std::cell::Cell::new(0);
    seeds::holds(150, &given, |(inputs, cuts, retention, (bound, dies))| {
        let settings = settings(retention);
        let mut whole = World::new(&shop(), &settings);
        let mut pieces = World::new(&shop(), &bounded(bound, &settings));
        pieces.dies_in_herds = dies;
        for (number, input) in inputs.iter().enumerate() {
            whole.feed(input.clone());
            pieces.feed(input.clone());
            pieces.then(cuts[number % cuts.len()]);
        }
        whole.commit();
        pieces.commit();
        assert_eq!(whole.herd_commits, 0);
        herds.set(herds.get() + pieces.herd_commits);
        same(&whole, &pieces)
    });
    assert!(50 < herds.get(), "{} herds were cut", herds.get());
}

fn order(customer: usize, promised: EventTime) -> String {
    format!(
        r#"{{"event_id":"o{customer}","customer_id":"c{customer}","ts":{},"channel":"web","event":"order_placed","properties":{{"order_id":"o{customer}","estimated_delivery":{}}}}}"#,
        start().as_millis(),
        promised.as_millis()
    )
}

fn visit(customer: usize, ts: EventTime) -> String {
    format!(
        r#"{{"event_id":"v{customer}","customer_id":"c{customer}","ts":{},"channel":"web","event":"page_viewed"}}"#,
        ts.as_millis()
    )
}

/// Twenty promises of one instant, given to the engine with that bound; then what `last` says.
fn herd(bound: usize, last: &Input, dialect: Dialect) -> World {
    let mut world = World::of(&shop(), &bounded(bound, &Settings::default()), dialect);
    for customer in 0..20 {
        world.feed(Input::Record(order(customer, start().plus(DAY))));
    }
    world.commit();
    world.dies_in_herds = true;
    world.feed(last.clone());
    world.commit();
    world
}

fn events(world: &World) -> Vec<String> {
    let told = |moment: &serde_json::Value| {
        format!("{} {}", moment["customer_id"].as_str().unwrap(), moment["event"].as_str().unwrap())
    };
    world.moments.iter().skip(20).map(told).collect()
}

#[test]
fn a_touchpoint_waits_for_every_deadline_before_it() {
    let last = Input::Record(visit(7, start().plus(2 * DAY)));
    let world = herd(3, &last, Dialect::Native);
    let told = events(&world);
    assert_eq!(world.herd_commits, 6, "twenty in sevens of three");
    assert_eq!(told.len(), 21, "{told:?}");
    assert_eq!(told.last().unwrap(), "c7 page_viewed");
    let mut overdue: Vec<_> = (0..20).map(|one| format!("c{one} episode_overdue")).collect();
    overdue.sort();
    assert_eq!(told[..20], overdue);
}

#[test]
fn time_that_moves_by_itself_waits_too() {
    let until = start().plus(2 * DAY);
    let world = herd(3, &Input::Idle(until), Dialect::Native);
    let unbounded = herd(usize::MAX, &Input::Idle(until), Dialect::Native);
    assert_eq!(events(&world).len(), 20);
    assert_eq!(world.herd_commits, 6);
    same(&unbounded, &world).unwrap();
}

/// The items of a batch before the one that moved the clock are done; none is done twice, though they
/// have no ids to know them by.
#[test]
fn a_batch_goes_on_with_the_item_that_moved_the_clock() {
    let item = |name: &str, at: EventTime| {
        let user = r#""userId":"c7","type":"track""#;
        format!(r#"{{{user},"event":"{name}","timestamp":"{at}"}}"#)
    };
    let items = [
        item("Page Viewed", start().plus(HOUR)),
        item("Page Viewed", start().plus(2 * DAY)),
        item("Order Placed", start().plus(2 * DAY).plus(MINUTE)),
    ];
    let batch = Input::Record(format!(r#"{{"batch":[{}]}}"#, items.join(",")));
    let world = herd(3, &batch, native_or_segment());
    let told = events(&world);
    assert_eq!(told.first().unwrap(), "c7 page_viewed");
    assert_eq!(told[21..], ["c7 page_viewed", "c7 order_placed"]);
    assert_eq!(told.len(), 23, "{told:?}");
    assert_eq!(world.herd_commits, 6);
    same(&herd(usize::MAX, &batch, native_or_segment()), &world).unwrap();
}

fn native_or_segment() -> Dialect {
    Dialect::Auto(vec![DialectSpec {
        form: Form::Segment,
        events: BTreeMap::new(),
        words: BTreeMap::new(),
        hints: BTreeMap::new(),
        prefixes: Vec::new(),
        properties: BTreeMap::new(),
    }])
}

#[test]
fn a_bound_is_kept_by_every_commit() {
    let settings = bounded(4, &Settings::default());
    let mut world = World::new(&shop(), &settings);
    for customer in 0..20 {
        world.feed(Input::Record(order(customer, start().plus(DAY))));
    }
    world.then(Then::Commit);
    let before = world.moments.len();
    world.feed(Input::Record(visit(7, start().plus(2 * DAY))));
    // The last commit is still to come: all before it held four each.
    assert_eq!(world.moments.len() - before, 16);
    assert_eq!(world.herd_commits, 4);
}
