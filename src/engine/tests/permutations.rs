//! Order of arrival leaves no trace, within the order window.

use proptest::prelude::*;

use super::{
    grammar::packs,
    journey::{Touch, journeys, start},
    pack::{DAY, HOUR, MINUTE, Rule, derived_from, rule},
    seeds,
    shop::shop,
    told::as_the_oracle_says,
    world::{Input, Then, World},
};
use crate::{
    engine::Settings,
    model::{EventTime, Span},
};

pub(super) fn settings() -> Settings {
    Settings {
        history_since: Some(start().minus(29 * DAY)),
        timezone: jiff::tz::TimeZone::get("America/Sao_Paulo").unwrap(),
        ..Settings::default()
    }
}

/// In the order in which they arrive: each within ten minutes of its time, and every customer with
/// a delay of their own.
pub(super) fn shuffled(touches: &[Touch], jitter: &[Span], delays: [Span; 3]) -> Vec<Touch> {
    let mut arriving: Vec<(EventTime, &Touch)> = touches
        .iter()
        .zip(jitter.iter().cycle())
        .map(|(touch, jitter)| {
            let number = usize::from(touch.customer.as_bytes()["customer-".len()] - b'0');
            (touch.ts.plus(*jitter).plus(delays[number]), touch)
        })
        .collect();
    arriving.sort_by_key(|(at, _)| *at);
    arriving.into_iter().map(|(_, touch)| touch.clone()).collect()
}

/// Runs to `idle` after the last touchpoint; returns the watermark too.
pub(super) fn run(world: &mut World, arriving: &[Touch], idle: Span) -> EventTime {
    for touch in arriving {
        world.feed(Input::Record(touch.json()));
        world.then(Then::Commit);
    }
    let mut latest = arriving.iter().map(|touch| touch.ts).max().unwrap();
    if 0 < idle {
        latest = latest.plus(idle);
        world.feed(Input::Idle(latest));
    }
    world.commit();
    latest.minus(world.engine.settings().tolerance)
}

fn idle() -> impl Strategy<Value = Span> {
    prop_oneof![Just(0), Just(HOUR), Just(3 * DAY), Just(100 * DAY)]
}

#[test]
fn in_order_the_engine_says_what_the_oracle_says() {
    let (pack, settings) = (shop(), settings());
    seeds::holds(100, &(journeys(60), idle()), |(touches, idle)| {
        let mut world = World::new(&pack, &settings);
        let watermark = run(&mut world, &touches, idle);
        as_the_oracle_says(&world, (&pack, &settings), &touches, watermark)
    });
}

#[test]
fn in_any_order_within_the_window_the_engine_says_what_the_oracle_says() {
    let (pack, settings) = (shop(), settings());
    let delay =
        || prop_oneof![2 => Just(0), 1 => 0..20 * MINUTE, 1 => 0..3 * DAY, 1 => 0..90 * DAY];
    let jitter = prop::collection::vec(0..10 * MINUTE, 1..50);
    let given = (journeys(60), jitter, [delay(), delay(), delay()], idle());
    seeds::holds(200, &given, |(touches, jitter, delays, idle)| {
        let arriving = shuffled(&touches, &jitter, delays);
        let mut world = World::new(&pack, &settings);
        let watermark = run(&mut world, &arriving, idle);
        as_the_oracle_says(&world, (&pack, &settings), &touches, watermark)
    });
}

#[test]
fn under_any_rules_the_engine_says_what_the_oracle_says() {
    let settings = settings();
    let jitter = prop::collection::vec(0..10 * MINUTE, 1..50);
    let delay = || prop_oneof![2 => Just(0), 1 => 0..20 * MINUTE, 1 => 0..3 * DAY];
    let given = (packs(), journeys(40), jitter, [delay(), delay(), delay()]);
    seeds::holds(200, &given, |(pack, touches, jitter, delays)| {
        let arriving = shuffled(&touches, &jitter, delays);
        let mut world = World::new(&pack, &settings);
        let watermark = run(&mut world, &arriving, HOUR);
        as_the_oracle_says(&world, (&pack, &settings), &touches, watermark)
    });
}

#[test]
fn who_stays_away_lapses_and_falls_even_where_rules_ignore_it() {
    let (mut pack, settings) = (shop(), settings());
    for kind in ["absence", "band"] {
        pack.rules.insert(0, rule(kind, derived_from(kind)).ignored());
    }
    seeds::holds(50, &(journeys(40), 0..200 * DAY), |(touches, idle)| {
        let mut world = World::new(&pack, &settings);
        let watermark = run(&mut world, &touches, idle);
        as_the_oracle_says(&world, (&pack, &settings), &touches, watermark)
    });
}
