//! One key under watch: when evidence is enough, and when it is none.

use crate::engine::spike::{
    key::Numerator,
    minute::{Leaf, Pain},
    watched::{Bar, News, Run, Tally, Watched},
};

/// With an expectation of a half a minute, that is 720 a day, an evidence of 13 is enough.
fn bar() -> Bar {
    Bar { keys: 1, alarms_a_day: 720.0 / 13.0_f64.exp() }
}

fn pains(minute: i64, count: u64) -> Vec<Pain> {
    let leaf = Leaf { channel: "app".into(), event: "x".into(), actor: 0 };
    (0..count)
        .map(|number| Pain {
            at: minute * 60_000,
            id: u64::try_from(minute).unwrap() * 1000 + number,
            customer: u64::try_from(minute).unwrap() * 1000 + number,
            leaf: leaf.clone(),
            groups: Vec::new(),
            reason: "app_crash".into(),
            stage: 2,
            severity: 2,
            event_id: None,
        })
        .collect()
}

fn step(watched: &mut Watched, minute: i64, observed: u32) {
    let pains = pains(minute, u64::from(observed));
    let tally = Tally {
        observed: f64::from(observed),
        expected: 0.5,
        cautious: 0.5,
        touchpoints: 10.0,
        plain: 0.0,
        pains: pains.iter().collect(),
    };
    watched.step(Numerator::Pain, minute, &tally, bar());
}

#[test]
fn three_times_as_much_for_a_while_is_enough_and_the_onset_is_where_it_began() {
    let mut watched = Watched::starting_at(0);
    for minute in 0..100 {
        step(&mut watched, minute, u32::from(minute % 2 == 0));
    }
    assert!(!watched.crosses(Numerator::Pain, 99, bar()));
    let found = (100..160).find(|&minute| {
        step(&mut watched, minute, 2);
        watched.crosses(Numerator::Pain, minute, bar())
    });
    assert!(found.is_some_and(|minute| minute < 120), "{found:?}");
    assert!((98..=101).contains(&watched.run.onset), "{}", watched.run.onset);
}

#[test]
fn one_customer_alone_is_no_spike() {
    let mut watched = Watched::starting_at(0);
    for minute in 0..60 {
        let mut pains = pains(minute, 3);
        for pain in &mut pains {
            pain.customer = 7;
        }
        let pains = pains.iter().collect();
        let tally = Tally {
            observed: 3.0,
            expected: 0.5,
            cautious: 0.5,
            touchpoints: 10.0,
            plain: 0.0,
            pains,
        };
        watched.step(Numerator::Pain, minute, &tally, bar());
    }
    assert!(13.0 < watched.evidence);
    assert!(!watched.crosses(Numerator::Pain, 59, bar()));
}

#[test]
fn a_spike_closes_when_it_is_over_and_opens_again_under_its_id() {
    let mut watched = Watched::starting_at(0);
    for minute in 0..40 {
        step(&mut watched, minute, 3);
    }
    watched.open(40, 0, |onset| format!("{onset}").into());
    let closed = (41..200).find(|&minute| {
        step(&mut watched, minute, 0);
        watched.news(minute) == Some(News::Close)
    });
    let closed = closed.unwrap();
    assert!((55..90).contains(&closed), "{closed}");
    let (id, sequence) = watched.spike.as_ref().map(|one| (one.id.clone(), one.sequence)).unwrap();
    watched.open(closed + 10, 0, |_| "another".into());
    let again = watched.spike.as_ref().unwrap();
    assert_eq!((&again.id, again.sequence), (&id, sequence + 1));
}

#[test]
fn what_is_taken_back_is_no_evidence() {
    let mut watched = Watched::starting_at(0);
    for minute in 0..20 {
        step(&mut watched, minute, 3);
    }
    let before = watched.evidence;
    for pain in (0..20).flat_map(|minute| pains(minute, 3)) {
        watched.take_back(&pain);
    }
    assert!(13.0 < before);
    assert!(watched.evidence <= 0.0 && watched.run.observed <= 0.0);
    assert!(watched.run.reasons.is_empty());
}

#[test]
fn the_lower_bound_is_below_the_ratio_and_close_for_many() {
    let run = |observed, expected| Run { observed, expected, ..Run::default() };
    assert!(run(5.0, 1.0).ratio_lower(1.0) < 2.5);
    assert!(2.8 < run(3000.0, 1000.0).ratio_lower(1.0));
    assert!(run(3000.0, 1000.0).ratio_lower(25.0) < run(3000.0, 1000.0).ratio_lower(1.0));
}

/// Lives through days of chance alone: `events` a minute.
fn quiet(expected: f64) -> Watched {
    let mut dice = crate::engine::spike::tests::Dice(17);
    let mut watched = Watched::starting_at(0);
    for minute in 0..7 * 1440 {
        let observed = f64::from(dice.poisson(expected));
        let tally =
            Tally { observed, expected, cautious: expected, touchpoints: 1.0, ..Tally::default() };
        watched.step(Numerator::Pain, minute, &tally, bar());
    }
    watched
}

#[test]
fn what_seldom_hurts_needs_less_evidence_and_not_less_than_for_one_chance_an_hour() {
    let height = |expected| {
        let watched = quiet(expected);
        watched.threshold(Numerator::Pain, 7 * 1440, bar())
    };
    let often = height(3.0);
    assert!((often - (13.0 + 2.0_f64.ln())).abs() < 0.01, "{often}");
    let seldom = height(0.1);
    assert!((often - seldom - 10.0_f64.ln()).abs() < 0.05, "{seldom}");
    let hardly = height(0.001);
    assert!((often - hardly - 60.0_f64.ln()).abs() < 0.05, "{hardly}");
}

#[test]
fn chance_alone_does_not_blunt_it() {
    let phi = quiet(0.5).phi();
    assert!((1.0..1.25).contains(&phi), "{phi}");
}
