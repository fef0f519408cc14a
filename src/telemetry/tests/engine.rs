//! The counts of a real engine over real records: what it says of them is what is shown.

use std::{borrow::Cow, sync::Arc};

use super::{commit, shown};
use crate::{
    engine::{
        Customers, Effects, Engine, Partition, PartitionRow, Record, Sealed, Settings,
        decode::Dialect,
        rules::{
            RuleSet,
            spec::{At, Condition, LabelSpec, Located, PackSpec, RuleSpec, ValenceSpec},
        },
    },
    model::{EventTime, Stage, Valence},
    telemetry::{Names, Telemetry},
};

/// A store in which nothing was ever committed.
struct Nobody;

impl Customers for Nobody {
    fn row(&self, _customer_id: &str) -> Option<Cow<'_, [u8]>> {
        None
    }

    fn due(
        &self,
        _after: Option<(EventTime, &str)>,
        _until: EventTime,
    ) -> Option<(EventTime, Cow<'_, str>)> {
        None
    }
}

fn located(text: &str) -> Located<String> {
    Located { value: text.to_owned(), at: At(0) }
}

fn rule(event: &str, label: LabelSpec) -> RuleSpec {
    RuleSpec {
        at: At(0),
        name: located(&format!("rule of {event}")),
        was: Vec::new(),
        when: Condition::Event(vec![located(event)]),
        label,
        points: Vec::new(),
        opens: None,
        closes: None,
        reversible: None,
        reverses: None,
        recover_within: None,
        acquires: None,
        ignore: false,
        alert: false,
    }
}

fn engine() -> Engine {
    let placed = LabelSpec { stage: Some(Stage::Purchase), ..LabelSpec::default() };
    let failed = LabelSpec {
        valence: Some(ValenceSpec::Is(Valence::Pain)),
        reason: Some(located("payment_failed")),
        ..placed.clone()
    };
    let rules = vec![rule("order_placed", placed), rule("payment_failed", failed)];
    let rules = RuleSet::compile(PackSpec { rules, ..PackSpec::default() }).unwrap();
    Engine::new(Arc::new(rules), Settings::default(), Dialect::Native)
}

fn touchpoint(number: u32, event: &str) -> String {
    format!(
        r#"{{"event_id":"e{number}","customer_id":"c1","ts":{},"channel":"web","event":"{event}"}}"#,
        1_750_000_000_000_i64 + i64::from(number)
    )
}

#[test]
fn the_counts_are_those_of_what_the_engine_published() {
    let engine = engine();
    let names = Names::new(
        &engine.settings().channels,
        engine.rules().rule_names(),
        engine.rules().kind_names(),
    );
    let telemetry = Telemetry::new().unwrap();
    let mut tally = telemetry.tally(Arc::new(names));
    let mut partition = Partition::new(PartitionRow::default());
    telemetry.partitions_assigned(0, &[0]);
    let (mut effects, mut sealed) = (Effects::default(), Sealed::default());
    let values = [
        touchpoint(1, "order_placed"),
        touchpoint(1, "order_placed"),
        touchpoint(2, "payment_failed"),
        touchpoint(3, "banner_wobbled"),
        "no json".to_owned(),
    ];
    let now = EventTime::from_millis(1_750_000_060_000).unwrap();
    for (offset, value) in (0..).zip(&values) {
        let record = Record {
            value: Some(value.as_bytes()),
            key: Some(b"c1"),
            headers: &[],
            topic: "touchpoints",
            partition: 0,
            offset,
            timestamp: None,
        };
        partition.process(&engine, &record, now, &Nobody, &mut effects);
        tally.read(record.timestamp);
    }
    tally.effects(&effects);
    partition.seal(&engine, &mut sealed);
    tally.sealed(0, &sealed);
    commit(&telemetry, &mut tally);
    let text = shown(&telemetry);
    let counts: Vec<&str> = text.lines().filter(|line| !line.contains("_seconds")).collect();
    insta::assert_snapshot!(counts.join("\n"), @r#"
    rega_accepted_total 3
    rega_commits_total 1
    rega_customers{stage="purchase"} 1
    rega_customers_by_band{band="dormant"} 1
    rega_duplicates_total 1
    rega_episodes_opened_total{kind="pain"} 1
    rega_labelled_total{labelled_by="none"} 1
    rega_labelled_total{labelled_by="rule"} 2
    rega_moments_of_truth_total{channel="web",moment_of_truth="none",valence="neutral"} 2
    rega_moments_of_truth_total{channel="web",moment_of_truth="none",valence="pain"} 1
    rega_moments_total{micro_moment="none",stage="none"} 1
    rega_moments_total{micro_moment="none",stage="purchase"} 2
    rega_pain_total{channel="web",event="payment_failed",reason="payment_failed",stage="purchase"} 1
    rega_partitions_assigned 1
    rega_records_produced_total{output="engagement"} 1
    rega_records_produced_total{output="moments"} 3
    rega_records_produced_total{output="rejects"} 1
    rega_records_produced_total{output="state"} 3
    rega_records_read_total 5
    rega_rejects_total{reason="not_an_object"} 1
    rega_rule_hits_total{rule="rule of order_placed"} 1
    rega_rule_hits_total{rule="rule of payment_failed"} 1
    rega_touchpoints_total{actor="customer",channel="web",valence="neutral"} 2
    rega_touchpoints_total{actor="customer",channel="web",valence="pain"} 1
    rega_transitions_total{from="none",kind="enter",to="purchase"} 1
    rega_unlabelled_events_total{event="banner_wobbled"} 1
    "#);
}
