//! A repetition changes nothing but counters; a conflicting one is set aside.

use proptest::prelude::*;
use serde_json::json;

use super::{
    journey::{Touch, journeys},
    pack::{DAY, HOUR, MINUTE},
    permutations::settings,
    seeds,
    shop::shop,
    world::{Input, Then, World},
};
use crate::model::Span;

/// What comes again: after how long, with which clock error, and whether its content differs.
type Again = Option<(Span, Span, bool)>;

fn again() -> impl Strategy<Value = Again> {
    let delay = prop_oneof![Just(0), 0..10 * MINUTE, 0..40 * HOUR, 0..90 * DAY];
    prop::option::weighted(0.4, (delay, -DAY..DAY, prop::bool::weighted(0.3)))
}

fn repeated(touch: &Touch, (_, clock, conflicting): (Span, Span, bool)) -> Touch {
    let mut touch = touch.clone();
    touch.ts = touch.ts.plus(clock);
    if conflicting {
        touch.properties.insert("note".to_owned(), json!("another"));
    }
    touch
}

fn log_of(arriving: &[Touch]) -> World {
    let mut world = World::new(&shop(), &settings());
    for touch in arriving {
        world.feed(Input::Record(touch.json()));
        world.then(Then::Commit);
    }
    world
}

#[test]
fn repetitions_anywhere_change_nothing_but_counters() {
    let given = (journeys(60), prop::collection::vec(again(), 60));
    seeds::holds(100, &given, |(touches, repetitions)| {
        let mut arriving: Vec<_> =
            touches.iter().map(|touch| (touch.ts, 0, touch.clone())).collect();
        for (touch, again) in touches.iter().zip(repetitions) {
            let Some(again) = again else { continue };
            arriving.push((touch.ts.plus(again.0), 1, repeated(touch, again)));
        }
        arriving.sort_by_key(|(at, order, _)| (*at, *order));
        let expected: Vec<u8> = arriving.iter().map(|(_, order, _)| *order).collect();
        let arriving: Vec<Touch> = arriving.into_iter().map(|(_, _, touch)| touch).collect();
        let (once, twice) = (log_of(&touches), log_of(&arriving));
        let counted = |line: &&str| {
            *line == "Duplicate" || line.starts_with("rejected: conflicting_duplicate")
        };
        let repetitions = twice.log.lines().filter(counted).count();
        prop_assert_eq!(repetitions, expected.iter().filter(|order| **order == 1).count());
        let others: Vec<&str> = twice.log.lines().filter(|line| !counted(line)).collect();
        prop_assert_eq!(once.log.lines().collect::<Vec<_>>(), others);
        prop_assert_eq!(once.store.engagement, twice.store.engagement);
        Ok(())
    });
}
