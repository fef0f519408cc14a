//! What `/metrics` shows after the engine said this or that.
#![expect(clippy::float_cmp, reason = "sums of whole numbers are exact")]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use regex::Regex;

use super::*;
use crate::{
    engine::{Bounded, CustomerChange, Fact, Moment, Sealed, Slice},
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

/// Counts everything that can be counted, with far more names than are told apart, and with names
/// that nobody would choose.
fn flood(tally: &mut Tally, version: usize) {
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
        Fact::KeyMismatch,
        Fact::Ignored,
        Fact::MomentTrimmed,
        Fact::ReversalUnknown,
        Fact::Retired,
    ] {
        tally.fact(fact);
    }
    let customers = Stage::ALL
        .iter()
        .flat_map(|&stage| Band::ALL.iter().map(move |&band| change(None, Some((stage, band)))));
    tally.sealed(0, &sealed(customers));
}

/// Returns the telemetry of an instance to which everything happened that can happen.
fn flooded() -> Telemetry {
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
    telemetry
}

/// What an exposition shows of one metric.
#[derive(Debug, Default, PartialEq, Eq)]
struct Exposed {
    kind: String,
    labels: BTreeSet<String>,
    series_count: usize,
}

fn exposed(text: &str) -> BTreeMap<String, Exposed> {
    let label = Regex::new(r#"([a-z_]+)="(?:[^"\\]|\\.)*""#).unwrap();
    let mut metrics: BTreeMap<String, Exposed> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').unwrap();
            current = name.to_owned();
            metrics.entry(current.clone()).or_default().kind = kind.to_owned();
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&current), "{line:?} stands under {current}");
            let metric = metrics.get_mut(&current).unwrap();
            let labels = label.captures_iter(line).map(|found| found[1].to_owned());
            metric.labels.extend(labels.filter(|label| label != "le"));
            metric.series_count += 1;
        }
    }
    metrics
}

#[test]
fn a_flood_of_names_stays_within_every_bound() {
    let metrics = exposed(&flooded().render());
    let sum: usize = metrics.values().map(|metric| metric.series_count).sum();
    assert!(sum <= SERIES_MAX, "{sum} series");
    for declared in METRICS {
        let series_count = metrics[declared.name].series_count;
        let max = declared.series_max;
        assert!(series_count <= max, "{}: {series_count} series, {max} declared", declared.name);
    }
    // The bounds were reached, or this test would not have tried them.
    for full in ["rega_pain_total", "rega_rule_hits_total", "rega_unlabelled_events_total"] {
        let declared = METRICS.iter().find(|metric| metric.name == full).unwrap();
        assert_eq!(metrics[full].series_count, declared.series_max, "{full}");
    }
}

#[test]
fn beyond_a_bound_nothing_is_lost_but_the_name() {
    let telemetry = flooded();
    let once = {
        let telemetry = Telemetry::new().unwrap();
        let mut tally = telemetry.tally(names());
        flood(&mut tally, 0);
        commit(&telemetry, &mut tally);
        telemetry
    };
    for name in [
        "rega_touchpoints_total",
        "rega_pain_total",
        "rega_rule_hits_total",
        "rega_unlabelled_events_total",
        "rega_rejects_total",
        "rega_episodes_ended_total",
    ] {
        assert!(once.sum(name) >= 1500.0, "{name}");
        assert_eq!(telemetry.sum(name), 4.0 * once.sum(name), "{name}");
    }
}

/// Returns a metric's row in the docs.
fn row(declared: &Declared) -> String {
    let labels: Vec<String> = declared.labels.iter().map(|label| format!("`{label}`")).collect();
    let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(" ") };
    format!(
        "| `{}` | {} | {labels} | {} | {} |",
        declared.name,
        declared.kind.as_str(),
        declared.series_max,
        declared.help
    )
}

#[test]
fn the_docs_list_what_the_registry_has_and_nothing_else() {
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md"));
    let docs = docs.unwrap();
    let rows: BTreeSet<&str> = docs.lines().filter(|line| line.starts_with("| `rega_")).collect();
    let expected: Vec<String> = METRICS.iter().map(row).collect();
    for row in &expected {
        assert!(rows.contains(row.as_str()), "docs/metrics.md lacks this row:\n{row}");
    }
    assert_eq!(rows.len(), expected.len(), "docs/metrics.md lists a metric that does not exist");

    // What is declared is also what is really there, label by label.
    let declared: BTreeMap<String, (String, BTreeSet<String>)> = METRICS
        .iter()
        .map(|metric| {
            let labels = metric.labels.iter().map(|&label| label.to_owned()).collect();
            (metric.name.to_owned(), (metric.kind.as_str().to_owned(), labels))
        })
        .collect();
    let real: BTreeMap<String, (String, BTreeSet<String>)> = exposed(&flooded().render())
        .into_iter()
        .map(|(name, metric)| (name, (metric.kind, metric.labels)))
        .collect();
    assert_eq!(real, declared);
}

/// Whether the machine that runs the tests promises to have `part`.
#[expect(clippy::disallowed_methods, reason = "a test asks its machine, not the product")]
fn is_required(part: &str) -> bool {
    std::env::var("REGA_REQUIRE").is_ok_and(|parts| parts.split(',').any(|name| name == part))
}

/// Has Prometheus' own linter read `text`; `None` when the linter is not there.
fn promtool(text: &str) -> Option<(bool, String)> {
    let child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.ok()?;
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn promtool_finds_nothing_to_complain_about() {
    for telemetry in [Telemetry::new().unwrap(), flooded()] {
        let Some((success, said)) = promtool(&telemetry.render()) else {
            assert!(!is_required("prometheus"), "promtool is required and not installed");
            eprintln!("SKIPPED: promtool is not installed (Debian package `prometheus`)");
            return;
        };
        assert!(success && said.is_empty(), "{said}");
    }
}
