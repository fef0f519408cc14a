//! Who is to be forgotten is: whatever was known of them, wherever transactions are cut.

use serde_json::{Map, json};

use super::{
    journey::{Touch, start},
    pack::{HOUR, MINUTE},
    shop::shop,
    world::{Input, Then, World},
};
use crate::{
    engine::{ERASURE, Fact, Settings},
    model::Span,
};

fn touch(customer: &str, event: &str, at: Span) -> Input {
    let touch = Touch {
        customer: customer.to_owned(),
        event_id: format!("{event}-{at}"),
        ts: start().plus(at),
        channel: "web".to_owned(),
        event: event.to_owned(),
        account: None,
        properties: Map::from_iter([("product_id".to_owned(), json!("p1"))]),
    };
    Input::Record(touch.json())
}

fn run(inputs: &[Input], cut: Then) -> World {
    let mut world = World::new(&shop(), &Settings::default());
    for input in inputs {
        world.feed(input.clone());
        world.then(cut);
    }
    world.commit();
    world
}

const CUTS: [Then; 5] =
    [Then::Nothing, Then::Commit, Then::CommitAndRestart, Then::Crash, Then::Abandon];

#[test]
fn nothing_is_left_of_who_was_erased_and_others_stay() {
    let inputs = [
        touch("ada", "product_viewed", 0),
        touch("bob", "product_viewed", MINUTE),
        touch("ada", "order_placed", 2 * MINUTE),
        touch("ada", ERASURE, HOUR),
    ];
    for cut in CUTS {
        let world = run(&inputs, cut);
        assert_eq!(world.store.rows.keys().collect::<Vec<_>>(), ["bob"], "{cut:?}");
        assert_eq!(world.store.engagement.keys().collect::<Vec<_>>(), ["bob"], "{cut:?}");
        assert_eq!(world.moments.len(), 3, "{cut:?}: it is not published");
        assert!(world.facts.contains(&Fact::Erased), "{cut:?}");
    }
}

/// Also the very touchpoint that was counted before: the ring that would know it is gone.
#[test]
fn a_straggler_begins_anew() {
    let inputs = [
        touch("ada", "product_viewed", 0),
        touch("ada", "order_placed", MINUTE),
        touch("ada", ERASURE, HOUR),
        touch("ada", "product_viewed", 0),
    ];
    let first = run(&inputs, Then::Nothing).engagement("ada");
    assert_eq!((&first["touchpoints"], &first["pains"]), (&json!(1), &json!(0)));
    for cut in CUTS {
        assert_eq!(run(&inputs, cut).engagement("ada"), first, "{cut:?}");
    }
}

/// However late it says that it is: nobody else's deadline comes nearer.
#[test]
fn the_clock_stays_where_it_is() {
    let before = [touch("ada", "product_viewed", 0), touch("bob", "order_placed", MINUTE)];
    let after = [before.as_slice(), &[touch("ada", ERASURE, 10_000 * HOUR)]].concat();
    let (before, after) = (run(&before, Then::Nothing), run(&after, Then::Nothing));
    assert_eq!(before.store.engagement["bob"], after.store.engagement["bob"]);
    assert_eq!(before.moments, after.moments);
}

/// Nobody by that name, and once more: no harm is done.
#[test]
fn a_stranger_can_be_erased() {
    let inputs = [touch("eve", ERASURE, 0), touch("eve", ERASURE, MINUTE)];
    for cut in CUTS {
        let world = run(&inputs, cut);
        assert!(world.store.rows.is_empty() && world.moments.is_empty(), "{cut:?}");
    }
}
