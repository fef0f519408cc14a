//! Everything that can happen, with more names than anybody should have.

use std::{sync::Arc, time::Duration};

use super::{at, change, commit, moment, names, pain, sealed};
use crate::{
    engine::{Bounded, Fact, Moment, spike::Found},
    model::{
        Actor, Band, Channel, Channels, EpisodeOutcome, LabelledBy, MicroMoment, MomentOfTruth,
        Stage, TransitionKind, Valence,
    },
    telemetry::{AbortClass, NONE, Names, Tally, Telemetry, WorkerStanding},
};

/// Counts everything that can be counted, with far more names than are told apart, and with names
/// that nobody would choose.
pub(super) fn flood(tally: &mut Tally, version: usize) {
    let channels: Vec<String> = (0..60).map(|index| format!("channel {index}")).collect();
    let every_channel =
        Channels::BUILT_IN.into_iter().chain(["event"]).chain(channels.iter().map(String::as_str));
    let mut number = 0;
    for channel in every_channel {
        for &stage in Stage::ALL {
            for &valence in Valence::ALL {
                for (&promise, &actor) in MomentOfTruth::ALL.iter().zip(Actor::ALL.iter().cycle()) {
                    number += 1;
                    let intent = MicroMoment::from_index(number % 8).unwrap();
                    let labelled_by = LabelledBy::from_index(number % 3).unwrap();
                    let channel = Channel::named(channel);
                    let moment = Moment {
                        channel,
                        actor,
                        micro_moment: intent,
                        moment_of_truth: promise,
                        stage,
                        valence,
                        labelled_by,
                        ..moment()
                    };
                    tally.moment(&moment, &format!("event {version} {number}"), "reason");
                    tally.moment(&moment, "event", &format!("reason {number}"));
                    tally.moment(&Moment { revision: 1, ..moment }, "event", NONE);
                    tally.moment(&Moment { retracted: true, ..moment }, "event", NONE);
                }
            }
        }
    }
    for name in ["quo\"te\\ and\nline", "\u{0}\u{7f}", "قیمت", &"n".repeat(10_000)] {
        tally.moment(&pain(), name, name);
        tally.unlabelled(name);
    }
    for index in 0..5000_u16 {
        tally.unlabelled(&format!("unlabelled {version} {index}"));
        tally.reject(Box::leak(format!("reason {index}").into_boxed_str()));
        tally.fact(Fact::RuleHit(index));
        tally.read(Some(at(index.into())));
    }
    tally.processed(10, Duration::from_micros(30));
    flood_facts(tally);
}

fn flood_facts(tally: &mut Tally) {
    for kind in 0..=u8::MAX {
        tally.fact(Fact::EpisodeOpened(kind));
        tally.fact(Fact::DeadlineFired(kind));
        tally.fact(Fact::TakenBack(kind));
        for &outcome in EpisodeOutcome::ALL {
            tally.fact(Fact::EpisodeEnded(kind, outcome));
        }
    }
    for &kind in TransitionKind::ALL {
        for &from in Stage::ALL {
            for &to in Stage::ALL {
                tally.fact(Fact::Transition { kind, from, to });
            }
        }
    }
    for bounded in Bounded::ALL {
        tally.fact(Fact::Evicted(bounded));
    }
    for fact in [
        Fact::Accepted { late: 7 },
        Fact::Duplicate,
        Fact::DedupeUnverifiable,
        Fact::BeyondOrderWindow,
        Fact::OncePerUnverifiable,
        Fact::HistoryUnknown,
        Fact::TsAssumed,
        Fact::EventIdAssumed,
        Fact::PromiseUnreadable,
        Fact::KeyMismatch,
        Fact::Ignored,
        Fact::MomentTrimmed,
        Fact::ReversalUnknown,
        Fact::RowUnreadable,
        Fact::Retired,
        Fact::Erased,
        Fact::Referred(TransitionKind::Enter),
        Fact::Referred(TransitionKind::ReEnter),
    ] {
        tally.fact(fact);
    }
    let customers = Stage::ALL
        .iter()
        .flat_map(|&stage| Band::ALL.iter().map(move |&band| change(None, Some((stage, band)))));
    tally.sealed(0, &sealed(customers));
}

/// Returns the telemetry of an instance to which everything happened that can happen.
pub(super) fn flooded() -> Telemetry {
    let telemetry = Telemetry::new().unwrap();
    let added: Vec<String> = (0..60).map(|index| format!("channel {index}")).collect();
    let channels = Channels::new(added.iter().map(String::as_str));
    let partitions: Vec<i32> = (0..1000).collect();
    telemetry.partitions_assigned(0, &partitions);
    for &partition in &partitions {
        telemetry.lag(partition, 1, Duration::from_secs(1));
    }
    // Four rule sets, none of whose names the others know.
    for version in 0..4 {
        let rules: Vec<String> = (0..1000).map(|rule| format!("rule {version} {rule}")).collect();
        let kinds: Vec<String> = (0..100).map(|kind| format!("kind {version} {kind}")).collect();
        let (rules, kinds) = (rules.iter().map(String::as_str), kinds.iter().map(String::as_str));
        let names = Arc::new(Names::new(&channels, rules, kinds));
        telemetry.rules_loaded(&format!("version {version}"), &names);
        let mut tally = telemetry.tally(names);
        flood(&mut tally, version);
        commit(&telemetry, &mut tally);
    }
    for worker in 0..64 {
        telemetry.worker(worker, WorkerStanding { fetched: 1, ..WorkerStanding::default() });
    }
    for &class in AbortClass::ALL {
        telemetry.aborted(&mut telemetry.tally(names()), 0, class, "error");
    }
    telemetry.worker_rebuilt(0, "error");
    telemetry.restored(5);
    let pains = channels.names().map(|channel| (Box::from(channel), (1.0, 0.5))).collect();
    telemetry.judged(&Found { pains, ..Found::default() });
    telemetry
}
