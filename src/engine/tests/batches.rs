//! Where batches are cut, and where the process dies, leaves no trace: not a byte.

use proptest::prelude::*;

use super::{
    grammar::packs,
    journey::{journeys, start},
    pack::{DAY, HOUR, MINUTE},
    seeds,
    shop::shop,
    world::{Input, Then, World},
};
use crate::{
    engine::{Settings, rules::spec::PackSpec},
    model::{EventTime, Span},
};

/// Inputs in order of arrival: some late, some much too late, some twice, some idle time between.
pub(super) fn arrivals(length: usize) -> impl Strategy<Value = Vec<Input>> {
    let lateness = prop_oneof![
        6 => Just(0),
        3 => (0_i64..10).prop_map(|minutes| minutes * MINUTE),
        2 => (0_i64..72).prop_map(|hours| hours * HOUR),
        1 => (0_i64..90).prop_map(|days| days * DAY),
    ];
    let fate = (lateness, prop::option::weighted(0.1, 0_i64..3), prop::bool::weighted(0.08));
    journeys(length)
        .prop_flat_map(move |touches| {
            let count = touches.len();
            (Just(touches), prop::collection::vec(fate.clone(), count))
        })
        .prop_map(|(touches, fates)| {
            let mut arriving: Vec<(EventTime, usize, Input)> = Vec::new();
            for (touch, (late, again, idle)) in touches.iter().zip(fates) {
                let at = touch.ts.plus(late);
                arriving.push((at, arriving.len(), Input::Record(touch.json())));
                if let Some(hours) = again {
                    let repeated = Input::Record(touch.json());
                    arriving.push((at.plus(hours * HOUR), arriving.len(), repeated));
                }
                if idle {
                    arriving.push((at, arriving.len(), Input::Idle(touch.ts.plus(HOUR))));
                }
            }
            arriving.sort_by_key(|(at, number, _)| (*at, *number));
            arriving.into_iter().map(|(_, _, input)| input).collect()
        })
}

pub(super) fn cut() -> impl Strategy<Value = Then> {
    prop_oneof![
        4 => Just(Then::Nothing),
        3 => Just(Then::Commit),
        2 => Just(Then::CommitAndRestart),
        2 => Just(Then::Crash),
        1 => Just(Then::Abandon),
    ]
}

pub(super) fn settings(retention: Span) -> Settings {
    let history_since = Some(start().minus(20 * DAY));
    // With so few in memory nearly every commit drops somebody.
    Settings { retention, history_since, decoded: 2, ..Settings::default() }
}

fn run(pack: &PackSpec, inputs: &[Input], cuts: impl Fn(usize) -> Then, retention: Span) -> World {
    let mut world = World::new(pack, &settings(retention));
    for (number, input) in inputs.iter().enumerate() {
        world.feed(input.clone());
        world.then(cuts(number));
    }
    world.commit();
    world
}

pub(super) fn same(one: &World, other: &World) -> Result<(), TestCaseError> {
    let differ = one.log.lines().zip(other.log.lines()).find(|(left, right)| left != right);
    prop_assert_eq!(differ, None, "effects");
    prop_assert_eq!(one.log.len(), other.log.len(), "number of effects");
    prop_assert_eq!(&one.store.partition, &other.store.partition, "partition row");
    for (id, engagement) in &one.store.engagement {
        let text = String::from_utf8_lossy(engagement);
        let found = other.store.engagement.get(id).map(|one| String::from_utf8_lossy(one));
        prop_assert_eq!(Some(text), found, "engagement of {}", id);
    }
    prop_assert_eq!(&one.store.rows, &other.store.rows, "rows");
    prop_assert_eq!(&one.store.pulse, &other.store.pulse, "minutes");
    Ok(())
}

pub(super) fn retention() -> impl Strategy<Value = Span> {
    prop_oneof![Just(400 * DAY), Just(15 * DAY)]
}

#[test]
fn any_cuts_give_the_bytes_that_no_cut_gives() {
    let given = (arrivals(60), prop::collection::vec(cut(), 1..40), retention());
    seeds::holds(120, &given, |(inputs, cuts, retention)| {
        let whole = run(&shop(), &inputs, |_| Then::Nothing, retention);
        let pieces = run(&shop(), &inputs, |number| cuts[number % cuts.len()], retention);
        same(&whole, &pieces)
    });
}

#[test]
fn a_restart_after_every_record_gives_the_bytes_that_no_restart_gives() {
    seeds::holds(60, &(arrivals(60), retention()), |(inputs, retention)| {
        let whole = run(&shop(), &inputs, |_| Then::Nothing, retention);
        same(&whole, &run(&shop(), &inputs, |_| Then::CommitAndRestart, retention))
    });
}

#[test]
fn under_any_rules_cuts_leave_no_trace() {
    let given = (packs(), arrivals(30), prop::collection::vec(cut(), 1..30), retention());
    seeds::holds(100, &given, |(pack, inputs, cuts, retention)| {
        let whole = run(&pack, &inputs, |_| Then::Nothing, retention);
        same(&whole, &run(&pack, &inputs, |number| cuts[number % cuts.len()], retention))
    });
}
