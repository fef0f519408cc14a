//! Everything that can happen to processes and the broker, over and over, while touchpoints come.
//!
//! A few processes share six partitions. At random they are killed, paused beyond the session's
//! timeout, drained, started on an empty disk, or one joins or leaves; the broker is killed too. At
//! the end every partition's moments must be exactly, and in the order, that an oracle makes of the
//! input: a program of its own that links nothing of Rega's engine.
//!
//! `REGA_CHAOS_MINUTES=20 cargo test --test it chaos -- --nocapture` is the long form.
//! `REGA_CHAOS_SEED` repeats a run's choices (not its timing).

mod elastic;
mod members;
mod offer;
mod oracle;
mod watch;

use std::{collections::BTreeMap, time::Duration};

use rega::clock::Stopwatch;
use serde_json::Value;

use self::{
    members::{Members, Outcome},
    offer::{Dice, Offer},
    oracle::Oracle,
    watch::Witness,
};
use crate::{
    broker::{Broker, unique},
    client,
};

pub(crate) const PARTITIONS: i32 = 6;

/// How long the work may take that is left when everything has calmed down.
const CALM_LIMIT: Duration = Duration::from_mins(3);

/// Without a number of minutes: so many blows.
const BLOWS: usize = 14;

/// How many touchpoints a second are offered.
const RATE: u64 = 300;

struct Plan {
    minutes: Option<u64>,
    seed: u64,
}

fn number(name: &str) -> Option<u64> {
    std::env::var_os(name)?.to_str()?.parse().ok()
}

#[test]
fn whatever_is_killed_nothing_is_lost_repeated_or_out_of_order() {
    let Some(broker) = Broker::start() else { return };
    let seed = number("REGA_CHAOS_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let plan = Plan { minutes: number("REGA_CHAOS_MINUTES"), seed };
    println!("chaos with REGA_CHAOS_SEED={seed}");
    let app = unique("chaos");
    let input = format!("{app}-touchpoints");
    client::create_topic(&broker, &input, PARTITIONS, &[]);
    let mut members = Members::start(&broker, &app, 3);
    let offer = Offer::begin(&broker.address(), &input, seed, RATE);
    let moments = format!("{app}-moments");
    members.wait_for_topic(&moments);
    let witness = Witness::begin(&broker.address(), &moments, PARTITIONS);
    storm(&plan, &broker, &mut members, &moments);
    let outcome = members.calm_down();
    let offered = offer.end();
    println!("{outcome}, {offered} touchpoints offered");
    wait_until_all_is_read(&broker, &app, &input);
    check(&broker, &app, &input, &members);
    let witnessed = witness.end(&broker.address(), &moments);
    println!("a reader of committed records saw {witnessed} of them on the way, and no other");
    assert!(0 < outcome.kills && 0 < witnessed, "{outcome}");
    members.check_logs();
}

/// Strikes until time or blows are over.
fn storm(plan: &Plan, broker: &Broker, members: &mut Members<'_>, moments: &str) {
    let mut dice = Dice::new(plan.seed);
    let watch = Stopwatch::start();
    let limit = plan.minutes.map(|minutes| Duration::from_secs(minutes * 60));
    let mut blow = 0;
    let mut broker_crashes = 0;
    loop {
        let progress = match limit {
            Some(limit) => watch.elapsed().as_secs_f64() / limit.as_secs_f64(),
            None => {
                f64::from(u32::try_from(blow).unwrap()) / f64::from(u32::try_from(BLOWS).unwrap())
            }
        };
        if 1.0 <= progress {
            return;
        }
        blow += 1;
        // The broker goes down a third and two thirds on the way (once in the short form).
        let due = if limit.is_some() { progress * 3.0 } else { progress * 2.0 };
        if f64::from(broker_crashes) + 1.0 <= due {
            broker_crashes += 1;
            members.outcome.broker_crashes += 1;
            broker.crash_and_restart();
        }
        members.strike(&mut dice, moments);
        if blow % 50 == 0 {
            println!("{:.0} s: {}", watch.elapsed().as_secs_f64(), members.outcome);
        }
    }
}

fn wait_until_all_is_read(broker: &Broker, app: &str, input: &str) {
    let watch = Stopwatch::start();
    let ends = client::ends(&broker.address(), input, PARTITIONS, "read_uncommitted");
    loop {
        let committed = client::committed(broker, app, input, PARTITIONS);
        if committed == ends {
            return;
        }
        assert!(
            !watch.left_of(CALM_LIMIT).is_zero(),
            "not everything was read in time: committed {committed:?} of {ends:?}"
        );
        watch::pause(Duration::from_millis(300));
    }
}

/// Compares what came out with what the oracle makes of what went in.
fn check(broker: &Broker, app: &str, input: &str, members: &Members<'_>) {
    let mut oracle = Oracle::new(PARTITIONS);
    for record in client::read(&broker.address(), input) {
        oracle.observe(record.partition, &record.value.unwrap());
    }
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in client::read(&broker.address(), &format!("{app}-moments")) {
        let moment: Value = serde_json::from_str(&record.value.unwrap()).unwrap();
        told.entry(record.key.unwrap()).or_default().push(oracle::line(&moment));
    }
    for (customer, expected) in oracle.told() {
        let told = told.remove(customer).unwrap_or_default();
        if told != *expected {
            let at = expected.iter().zip(&told).position(|(one, other)| one != other);
            let at = at.unwrap_or_else(|| expected.len().min(told.len()));
            let around = |lines: &[String]| {
                let part = lines.iter().skip(at.saturating_sub(3)).take(8);
                part.cloned().collect::<Vec<_>>().join("\n  ")
            };
            panic!(
                "{customer}: {} moments expected, {} told; they differ at {at}\n\
                 expected\n  {}\ntold\n  {}",
                expected.len(),
                told.len(),
                around(expected),
                around(&told)
            );
        }
    }
    assert_eq!(told.len(), 0, "moments of nobody");
    let mut standings = BTreeMap::new();
    for record in client::read(&broker.address(), &format!("{app}-engagement")) {
        standings.insert(record.key.unwrap(), record.value);
    }
    oracle.check_engagement(&standings);
    members.check_explanations(oracle.customers());
    let (moments, fired, taken_back) = oracle.counts();
    println!("{moments} moments as expected, {fired} deadlines, {taken_back} taken back");
    assert!(0 < fired && 0 < taken_back);
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kills, in_transaction, empty_disks, pauses, drains, joins, broker_crashes } =
            self;
        write!(
            formatter,
            "{kills} kills ({in_transaction} inside a transaction, {empty_disks} with the disk \
             emptied), {pauses} pauses, {drains} drains, {joins} joined and left, \
             {broker_crashes} broker crashes"
        )
    }
}
