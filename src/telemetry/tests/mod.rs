//! What `/metrics` shows after the engine said this or that.
#![expect(clippy::float_cmp, reason = "sums of whole numbers are exact")]

mod bounds;
mod engine;
mod flood;

use std::{sync::Arc, time::Duration};

use self::flood::flood;
use super::*;
use crate::{
    engine::{CustomerChange, Fact, Moment, Sealed, Slice},
    model::{
        Actor, Band, Channel, Channels, EpisodeOutcome, EventTime, LabelledBy, MicroMoment,
        MomentOfTruth, Stage, TransitionKind, Valence,
    },
};

const NOTHING: Slice = Slice { start: 0, end: 0 };

fn at(millis: i64) -> EventTime {
    EventTime::from_millis(millis).unwrap()
}

fn names() -> Arc<Names> {
    Arc::new(Names::new(&Channels::default(), ["order placed", "late parcel"], ["delivery"]))
}

fn moment() -> Moment {
    Moment {
        key: NOTHING,
        value: NOTHING,
        revision: 0,
        retracted: false,
        derived: false,
        counted: true,
        alert: false,
        ts: at(0),
        event: NOTHING,
        channel: Channel::named("web"),
        actor: Actor::Customer,
        micro_moment: MicroMoment::Buy,
        moment_of_truth: MomentOfTruth::First,
        stage: Stage::Purchase,
        valence: Valence::Neutral,
        reason: None,
        labelled_by: LabelledBy::Rule,
    }
}

fn pain() -> Moment {
    Moment { valence: Valence::Pain, ..moment() }
}

fn change(was: Option<(Stage, Band)>, is: Option<(Stage, Band)>) -> CustomerChange {
    CustomerChange { customer: NOTHING, row: None, engagement: None, due: None, was, is }
}

fn sealed(customers: impl IntoIterator<Item = CustomerChange>) -> Sealed {
    let mut sealed = Sealed::default();
    sealed.customers.extend(customers);
    sealed
}

fn commit(telemetry: &Telemetry, tally: &mut Tally) {
    telemetry.committed(tally, at(1000), Duration::from_millis(20));
}

/// Returns the series that are not zero, but for buckets and what every instance has.
fn shown(telemetry: &Telemetry) -> String {
    let text = telemetry.render();
    let lines = text.lines().filter(|line| {
        !line.starts_with('#')
            && !line.ends_with(" 0")
            && !line.contains("_bucket")
            && !line.starts_with("rega_build_info")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_committed_transaction_is_counted() {
    let telemetry = Telemetry::new().unwrap();
    let mut tally = telemetry.tally(names());
    telemetry.partitions_assigned(0, &[3]);
    tally.read(Some(at(900)));
    tally.read(Some(at(990)));
    tally.processed(2, Duration::from_micros(8));
    tally.fact(Fact::Accepted { late: 0 });
    tally.fact(Fact::Accepted { late: 90_000 });
    tally.fact(Fact::RuleHit(0));
    tally.fact(Fact::EpisodeOpened(0));
    tally.fact(Fact::EpisodeEnded(0, EpisodeOutcome::ClosedLate));
    tally.fact(Fact::Transition {
        kind: TransitionKind::Enter,
        from: Stage::None,
        to: Stage::Purchase,
    });
    tally.unlabelled("page_scrolled");
    tally.moment(&moment(), "order_placed", NONE);
    tally.moment(&pain(), "order_delivered", "late_delivery");
    tally.reject("no_time");
    let mut sealed = sealed([change(None, Some((Stage::Purchase, Band::Casual)))]);
    sealed.partition_row = Some(NOTHING);
    tally.sealed(3, &sealed);
    assert_eq!(telemetry.sum("rega_touchpoints_total"), 0.0, "nothing counts before the commit");
    commit(&telemetry, &mut tally);
    insta::assert_snapshot!(shown(&telemetry), @r#"
    rega_accepted_total 2
    rega_commit_seconds_sum 0.02
    rega_commit_seconds_count 1
    rega_commits_total 1
    rega_customers{stage="purchase"} 1
    rega_customers_by_band{band="casual"} 1
    rega_end_to_end_seconds_sum 0.11
    rega_end_to_end_seconds_count 2
    rega_episodes_ended_total{kind="delivery",outcome="closed_late"} 1
    rega_episodes_opened_total{kind="delivery"} 1
    rega_labelled_total{labelled_by="rule"} 2
    rega_lateness_seconds_sum 90
    rega_lateness_seconds_count 2
    rega_moments_of_truth_total{channel="web",moment_of_truth="first",valence="neutral"} 1
    rega_moments_of_truth_total{channel="web",moment_of_truth="first",valence="pain"} 1
    rega_moments_total{micro_moment="buy",stage="purchase"} 2
    rega_pain_total{channel="web",event="order_delivered",reason="late_delivery",stage="purchase"} 1
    rega_partitions_assigned 1
    rega_processing_seconds_sum 0.000008
    rega_processing_seconds_count 2
    rega_records_produced_total{output="engagement"} 1
    rega_records_produced_total{output="moments"} 2
    rega_records_produced_total{output="rejects"} 1
    rega_records_produced_total{output="state"} 2
    rega_records_read_total 2
    rega_rejects_total{reason="no_time"} 1
    rega_rule_hits_total{rule="order placed"} 1
    rega_touchpoints_total{actor="customer",channel="web",valence="neutral"} 1
    rega_touchpoints_total{actor="customer",channel="web",valence="pain"} 1
    rega_transitions_total{from="none",kind="enter",to="purchase"} 1
    rega_unlabelled_events_total{event="page_scrolled"} 1
    "#);
}

#[test]
fn an_aborted_transaction_leaves_no_trace_but_the_abort() {
    let telemetry = Telemetry::new().unwrap();
    let mut tally = telemetry.tally(names());
    telemetry.partitions_assigned(0, &[0]);
    let before = telemetry.render();
    flood(&mut tally, 0);
    telemetry.aborted(&mut tally, 0, AbortClass::Fenced, "somebody took over");
    let after = telemetry.render();
    let changed: Vec<(&str, &str)> =
        before.lines().zip(after.lines()).filter(|(one, other)| one != other).collect();
    assert_eq!(
        changed,
        [(r#"rega_aborts_total{class="fenced"} 0"#, r#"rega_aborts_total{class="fenced"} 1"#)]
    );
    // Nor does it come back with the next commit.
    commit(&telemetry, &mut tally);
    for metric in METRICS.iter().filter(|metric| metric.kind == Kind::Counter) {
        let expected = if ["rega_aborts_total", "rega_commits_total"].contains(&metric.name) {
            1.0
        } else {
            0.0
        };
        assert_eq!(telemetry.sum(metric.name), expected, "{}", metric.name);
    }
    let text = telemetry.render();
    for silent in ["rega_lateness", "rega_end_to_end", "rega_processing"] {
        assert!(text.contains(&format!("{silent}_seconds_count 0\n")), "{silent}");
    }
}

#[test]
fn a_transaction_is_counted_once() {
    let telemetry = Telemetry::new().unwrap();
    let mut tally = telemetry.tally(names());
    flood(&mut tally, 0);
    commit(&telemetry, &mut tally);
    let sums = || METRICS.iter().map(|metric| telemetry.sum(metric.name)).collect::<Vec<_>>();
    let before = sums();
    commit(&telemetry, &mut tally);
    let commits = METRICS.iter().position(|metric| metric.name == "rega_commits_total").unwrap();
    let mut expected = before;
    expected[commits] += 1.0;
    assert_eq!(sums(), expected);
}

#[test]
fn what_is_published_again_changes_no_count_but_says_so() {
    let telemetry = Telemetry::new().unwrap();
    let mut tally = telemetry.tally(names());
    tally.moment(&pain(), "order_overdue", "late_delivery");
    tally.moment(&Moment { revision: 1, ..moment() }, "order_overdue", NONE);
    tally.moment(&Moment { revision: 2, retracted: true, ..pain() }, "order_overdue", NONE);
    commit(&telemetry, &mut tally);
    insta::assert_snapshot!(shown(&telemetry), @r#"
    rega_commit_seconds_sum 0.02
    rega_commit_seconds_count 1
    rega_commits_total 1
    rega_labelled_total{labelled_by="rule"} 1
    rega_moments_of_truth_total{channel="web",moment_of_truth="first",valence="pain"} 1
    rega_moments_total{micro_moment="buy",stage="purchase"} 1
    rega_pain_total{channel="web",event="order_overdue",reason="late_delivery",stage="purchase"} 1
    rega_records_produced_total{output="moments"} 3
    rega_retractions_total{valence="pain"} 1
    rega_revisions_total{valence="neutral"} 1
    rega_touchpoints_total{actor="customer",channel="web",valence="pain"} 1
    "#);
}

#[test]
fn a_pain_that_another_touchpoint_showed_is_not_counted_again() {
    let telemetry = Telemetry::new().unwrap();
    let mut tally = telemetry.tally(names());
    tally.moment(&pain(), "order_overdue", "late_delivery");
    tally.moment(&Moment { counted: false, ..pain() }, "order_delivered", "late_delivery");
    commit(&telemetry, &mut tally);
    assert_eq!(telemetry.sum("rega_pain_total"), 1.0);
    assert_eq!(telemetry.sum("rega_touchpoints_total"), 2.0);
}

#[test]
fn a_derived_moment_is_no_touchpoint() {
    let telemetry = Telemetry::new().unwrap();
    let mut tally = telemetry.tally(names());
    tally.moment(&Moment { derived: true, actor: Actor::System, ..pain() }, "episode_overdue", "x");
    commit(&telemetry, &mut tally);
    assert_eq!(telemetry.sum("rega_touchpoints_total"), 0.0);
    assert_eq!(telemetry.sum("rega_labelled_total"), 0.0);
    assert_eq!(telemetry.sum("rega_moments_total"), 1.0);
    assert_eq!(telemetry.sum("rega_pain_total"), 1.0);
}

#[test]
fn customers_come_and_go_with_their_partition() {
    let telemetry = Telemetry::new().unwrap();
    let mut tally = telemetry.tally(names());
    let stages = || {
        let sums = telemetry.sums_by("rega_customers", "stage");
        [sums["purchase"], sums["loyalty"]]
    };
    telemetry.partitions_assigned(0, &[0, 1]);
    let mut restored = CustomerCounts::default();
    restored.add(Stage::Purchase, Band::Active, 10);
    telemetry.partition_ready(0, 0, restored.clone(), 12);
    telemetry.partition_ready(0, 1, restored, 12);
    assert_eq!(stages(), [20.0, 0.0]);
    let step = (Some((Stage::Purchase, Band::Active)), Some((Stage::Loyalty, Band::Champion)));
    tally.sealed(0, &sealed([change(step.0, step.1), change(step.0, None)]));
    commit(&telemetry, &mut tally);
    assert_eq!(stages(), [18.0, 1.0]);
    assert_eq!(telemetry.sums_by("rega_customers_by_band", "band")["champion"], 1.0);
    telemetry.partitions_revoked(0, &[0], false);
    assert_eq!(stages(), [10.0, 0.0]);
    telemetry.lag(0, 5, Duration::from_secs(1));
    assert_eq!(telemetry.sum("rega_lag_records"), 0.0, "a revoked partition has no lag here");
    assert_eq!(telemetry.sum("rega_partitions_assigned"), 1.0);
}

#[test]
fn new_rules_are_counted_under_their_own_names() {
    let telemetry = Telemetry::new().unwrap();
    let mut old = telemetry.tally(names());
    let renamed = Arc::new(Names::new(&Channels::default(), ["late parcel", "order placed"], []));
    let mut new = telemetry.tally(Arc::clone(&renamed));
    telemetry.rules_loaded("v1", &names());
    telemetry.rules_loaded("v2", &renamed);
    old.fact(Fact::RuleHit(0));
    new.fact(Fact::RuleHit(0));
    new.fact(Fact::RuleHit(0));
    new.fact(Fact::RuleHit(7));
    commit(&telemetry, &mut old);
    commit(&telemetry, &mut new);
    let hits = telemetry.sums_by("rega_rule_hits_total", "rule");
    let expected = [("late parcel", 2.0), ("order placed", 1.0), ("other", 1.0)];
    assert_eq!(hits, expected.map(|(name, count)| (name.to_owned(), count)).into());
    let versions = telemetry.sums_by("rega_rules_info", "version");
    assert_eq!(versions.keys().collect::<Vec<_>>(), ["v2"]);
}

#[test]
fn a_build_is_told_with_its_commit_or_that_none_is_known() {
    let telemetry = Telemetry::new().unwrap();
    let revisions = telemetry.sums_by("rega_build_info", "revision");
    let expected = option_env!("REGA_COMMIT").filter(|one| !one.is_empty()).unwrap_or("unknown");
    assert_eq!(revisions.keys().collect::<Vec<_>>(), [expected]);
}

#[test]
fn lags_beyond_the_bound_are_summed_and_the_oldest_is_shown() {
    let telemetry = Telemetry::new().unwrap();
    let partitions: Vec<i32> = (0..131).collect();
    telemetry.partitions_assigned(0, &partitions);
    for &partition in &partitions {
        telemetry.lag(partition, 10, Duration::from_secs(partition.unsigned_abs().into()));
    }
    assert_eq!(telemetry.sums_by("rega_lag_records", "partition")["other"], 30.0);
    assert_eq!(telemetry.sums_by("rega_lag_seconds", "partition")["other"], 130.0);
    assert_eq!(telemetry.sums_by("rega_lag_records", "partition")["127"], 10.0);
}

#[test]
fn a_scrape_shows_whole_transactions() {
    let telemetry = Telemetry::new().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut tally = telemetry.tally(names());
                for _ in 0..200 {
                    tally.fact(Fact::Accepted { late: 0 });
                    tally.moment(&moment(), "order_placed", NONE);
                    commit(&telemetry, &mut tally);
                }
            });
        }
        for _ in 0..50 {
            let text = telemetry.render();
            let sum = |start: &str| -> f64 {
                let lines = text.lines().filter(|line| line.starts_with(start));
                lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
            };
            assert_eq!(sum("rega_accepted_total"), sum("rega_touchpoints_total"));
            assert_eq!(sum("rega_accepted_total"), sum("rega_lateness_seconds_count"));
        }
    });
    assert_eq!(telemetry.sum("rega_accepted_total"), 400.0);
}

#[test]
fn a_stopped_source_counts_for_as_long_as_its_router_has_it() {
    let telemetry = Telemetry::new().unwrap();
    let stopped = || telemetry.sum("rega_partitions_stopped");
    telemetry.source_stopped(0, "web/1".to_owned(), StopReason::OutOfRange, &"gone");
    telemetry.source_stopped(0, "web/2".to_owned(), StopReason::OutOfRange, &"gone");
    assert_eq!(stopped(), 2.0);
    telemetry.source_left(0, "web/1");
    telemetry.source_left(1, "web/2");
    assert_eq!(stopped(), 1.0);
}
