//! Settings, right and wrong.

use std::time::Duration;

use insta::assert_snapshot;

use super::{said, said_in_full, settings_of};
use crate::{
    config::settings::{Partitioner, Start},
    engine::{self, spike::Numerator},
    model::EventTime,
};

#[test]
fn several_problems_are_told_at_once() {
    let text = "\
app: my shop
kafka:
  broker: [kafka-1:9092]
input: { keyed: nearly, start: yesterday }
time: { tolerence: 5m }
rules: [comerce]
workers: 900
state: { retention: 5y }
timezone: Europe/Berln
";
    assert_snapshot!(said_in_full(text), @r#"
        rega.yaml:1:6: "my shop" is not a name that Kafka accepts
        1 | app: my shop
          |      ^^^^^^^
          = use letters, digits, ".", "_" and "-", at most 100 of them

        rega.yaml:3:3: "kafka" has no field "broker"
        3 |   broker: …
          |   ^^^^^^
          = did you mean "brokers"?

        rega.yaml:4:17: expected true or false, found "nearly"
        4 | input: { keyed: nearly, start: yesterday }
          |                 ^^^^^^

        rega.yaml:4:32: expected earliest, latest or a time, found "yesterday"
        4 | input: { keyed: nearly, start: yesterday }
          |                                ^^^^^^^^^

        rega.yaml:5:9: "time" has no field "tolerence"
        5 | time: { tolerence: 5m }
          |         ^^^^^^^^^
          = did you mean "tolerance"?

        rega.yaml:6:9: there is no pack "comerce"
        6 | rules: [comerce]
          |         ^^^^^^^
          = did you mean "commerce"?

        rega.yaml:7:10: expected a whole number from 1 to 64, found "900"
        7 | workers: 900
          |          ^^^

        rega.yaml:8:21: expected a length of time, found "5y"
        8 | state: { retention: 5y }
          |                     ^^
          = write a number and a unit, largest first: 45d, 24h, 1d12h, 10m, 30s, 500ms

        rega.yaml:9:11: "Europe/Berln" is not a time zone
        9 | timezone: Europe/Berln
          |           ^^^^^^^^^^^^
          = did you mean "Europe/Berlin"?
        "#);
}

#[test]
fn a_field_that_does_not_exist_is_named_with_those_that_do() {
    assert_snapshot!(said("commit: { interval: 100ms, every: 5 }\n"), @r#"
        rega.yaml:1:28: "commit" has no field "every"
        1 | commit: { interval: 100ms, every: 5 }
          |                            ^^^^^
          = allowed: interval, max_touchpoints
        "#);
    assert_snapshot!(said("kafka.brokers: a:9092\n"), @r#"
        rega.yaml:1:1: the configuration has no field "kafka.brokers"
        1 | kafka.brokers: a:9092
          | ^^^^^^^^^^^^^
          = write "kafka:", and "brokers:" below it
        "#);
}

#[test]
fn a_value_of_the_wrong_kind_says_what_was_expected() {
    assert_snapshot!(said("moments: { properties: yes }\n"), @r#"
        rega.yaml:1:24: expected true or false, found "yes"
        1 | moments: { properties: yes }
          |                        ^^^
        "#);
    assert_snapshot!(said("workers: many\n"), @r#"
        rega.yaml:1:10: expected a whole number from 1 to 64, found "many"
        1 | workers: many
          |          ^^^^
        "#);
    assert_snapshot!(said("topics: [a, b]\n"), @r#"
        rega.yaml:1:9: "topics" must be "name: value" lines
        1 | topics: [a, b]
          |         ^
        "#);
    assert_snapshot!(said("app: [a]\n"), @r#"
        rega.yaml:1:6: expected text, found a list
        1 | app: [a]
          |      ^
        "#);
    assert_snapshot!(said("text_fields: { a: b }\n"), @r#"
        rega.yaml:1:16: expected a list, found a mapping
        1 | text_fields: { a: b }
          |                ^
          = write [one, two], or one "- item" a line
        "#);
}

#[test]
fn a_word_of_a_closed_set_is_listed() {
    assert_snapshot!(said("input: { partitioner: java }\n"), @r#"
        rega.yaml:1:23: "java" is not a partitioner
        1 | input: { partitioner: java }
          |                       ^^^^
          = allowed: auto, murmur2, crc32
        "#);
    assert_snapshot!(said("log: { format: jsno }\n"), @r#"
        rega.yaml:1:16: "jsno" is not a log format
        1 | log: { format: jsno }
          |                ^^^^
          = did you mean "json"?
        "#);
}

#[test]
fn a_length_of_time_has_a_unit_and_bounds() {
    assert_snapshot!(said("drain: { timeout: 10 }\n"), @r#"
        rega.yaml:1:19: expected a length of time, found "10"
        1 | drain: { timeout: 10 }
          |                   ^^
          = write a number and a unit, largest first: 45d, 24h, 1d12h, 10m, 30s, 500ms
        "#);
    assert_snapshot!(said("commit: { interval: 1m }\n"), @r#"
        rega.yaml:1:21: expected 10ms to 5s, found 1m
        1 | commit: { interval: 1m }
          |                     ^^
        "#);
}

#[test]
fn addresses_are_checked() {
    assert_snapshot!(said("http: { listen: localhost, advertise: me }\n"), @r#"
        rega.yaml:1:17: expected an address, found "localhost"
        1 | http: { listen: localhost, advertise: me }
          |                 ^^^^^^^^^
          = write ip:port: 127.0.0.1:8080 (this machine alone) or 0.0.0.0:8080 (everybody)

        rega.yaml:1:39: expected a URL, found "me"
        1 | http: { listen: localhost, advertise: me }
          |                                       ^^
          = write http://host:port, as other instances reach it
        "#);
    assert_snapshot!(said("kafka: { brokers: ['http://a:9092', b, ':1', 'c:0'] }\n"), @r#"
        rega.yaml:1:20: "http://a:9092" is not the address of a broker
        1 | kafka: …
          |         ^
          = write host:port, such as kafka-1:9092

        rega.yaml:1:37: "b" is not the address of a broker
        1 | kafka: …
          |         ^
          = write host:port, such as kafka-1:9092

        rega.yaml:1:40: ":1" is not the address of a broker
        1 | kafka: …
          |         ^
          = write host:port, such as kafka-1:9092

        rega.yaml:1:46: "c:0" is not the address of a broker
        1 | kafka: …
          |         ^
          = write host:port, such as kafka-1:9092
        "#);
}

#[test]
fn several_topics_are_routed() {
    let config = settings_of("topics: { touchpoints: [web, shop] }\n");
    assert_eq!(config.topics.inputs().collect::<Vec<_>>(), ["web", "shop"]);
    assert!(config.is_routed());
    assert!(settings_of("input: { keyed: false }\n").is_routed());
    assert!(!settings_of("topics: { touchpoints: web }\n").is_routed());
    assert_snapshot!(said("topics: { touchpoints: [web, web, a b], moments: web }\n"), @r#"
        rega.yaml:1:30: "web" stands twice
        1 | topics: { touchpoints: [web, web, a b], moments: web }
          |                              ^^^

        rega.yaml:1:35: "a b" is not a name that Kafka accepts
        1 | topics: { touchpoints: [web, web, a b], moments: web }
          |                                   ^^^
          = use letters, digits, ".", "_" and "-", at most 249 of them
        "#);
    assert_snapshot!(said("topics: { touchpoints: [web, shop], moments: shop }\n"), @r#"
        rega.yaml:1:46: "topics.moments" and "topics.touchpoints" are both "shop"
        1 | topics: { touchpoints: [web, shop], moments: shop }
          |                                              ^^^^
          = each needs a topic of its own
        "#);
}

#[test]
fn topics_have_names_of_their_own() {
    assert_snapshot!(said("topics: { moments: a b, rejects: touchpoints }\n"), @r#"
        rega.yaml:1:20: "a b" is not a name that Kafka accepts
        1 | topics: { moments: a b, rejects: touchpoints }
          |                    ^^^
          = use letters, digits, ".", "_" and "-", at most 249 of them

        rega.yaml:1:34: "topics.rejects" and "topics.touchpoints" are both "touchpoints"
        1 | topics: { moments: a b, rejects: touchpoints }
          |                                  ^^^^^^^^^^^
          = each needs a topic of its own
        "#);
    assert_snapshot!(said("app: x\ntopics: { moments: x-state }\n"), @r#"
        rega.yaml:2:20: "topics.moments" is "x-state", a topic of Rega's own
        2 | topics: { moments: x-state }
          |                    ^^^^^^^
          = choose another name
        "#);
}

#[test]
fn what_is_late_must_fit_the_window() {
    assert_snapshot!(said("time: { tolerance: 20m }\n"), @r#"
        rega.yaml:1:20: "time.tolerance" (20m) is longer than "order.window" (10m)
        1 | time: { tolerance: 20m }
          |                    ^^^
          = what may come late must still be put in order: make the window at least as long
        "#);
    assert_snapshot!(said("order: { window: 1m }\n"), @r#"
        rega.yaml:1:18: "time.tolerance" (5m) is longer than "order.window" (1m)
        1 | order: { window: 1m }
          |                  ^^
          = what may come late must still be put in order: make the window at least as long
        "#);
    // One of them could not be read: nothing is said of both together.
    assert!(!said("order: { window: 1x }\ntime: { tolerance: 20m }\n").contains("longer"));
}

#[test]
fn librdkafka_and_rega_must_agree() {
    let text = "\
commit: { interval: 4s }
output: { max_bytes: 5000000 }
kafka:
  properties:
    group.id: mine
    transactional.id: mine
    transaction.timeout.ms: 6000
    heartbeat.interval.ms: 20000
    Session.Timeout: 3
    linger.ms: [5]
";
    assert_snapshot!(said(text), @r#"
        rega.yaml:2:22: "output.max_bytes" (5000000) does not fit "message.max.bytes" (1048576)
        2 | output: { max_bytes: 5000000 }
          |                      ^^^^^^^
          = set "message.max.bytes" under "kafka.properties" to at least 5016384 (key and headers come on top), and "max.message.bytes" of the topics too

        rega.yaml:5:5: "group.id" is set by Rega
        5 |     group.id: …
          |     ^^^^^^^^
          = write "app" instead

        rega.yaml:6:5: "transactional.id" is set by Rega
        6 |     transactional.id: …
          |     ^^^^^^^^^^^^^^^^
          = it is app.instance.worker, so that a zombie is fenced

        rega.yaml:7:5: "transaction.timeout.ms" (6000) is less than twice "commit.interval" (4s)
        7 |     transaction.timeout.ms: …
          |     ^^^^^^^^^^^^^^^^^^^^^^
          = the broker would end transactions that are still being written

        rega.yaml:8:5: "heartbeat.interval.ms" (20000) is not below "session.timeout.ms" (10000)
        8 |     heartbeat.interval.ms: …
          |     ^^^^^^^^^^^^^^^^^^^^^
          = the broker would take a living worker for dead: keep them apart

        rega.yaml:9:5: not the name of a librdkafka setting
        9 |     Session.Timeout: …
          |     ^^^^^^^^^^^^^^^
          = names have lower case letters and dots, such as security.protocol

        rega.yaml:10:5: expected one value for "linger.ms"
        10 |     linger.ms: …
           |     ^^^^^^^^^
        "#);
}

#[test]
fn a_record_smaller_than_the_smallest_is_refused() {
    assert_snapshot!(said("output: { max_bytes: 100 }\n"), @r#"
        rega.yaml:1:22: expected a whole number from 10000 to 100000000, found "100"
        1 | output: { max_bytes: 100 }
          |                      ^^^
        "#);
}

#[test]
fn times_and_zones_are_checked() {
    assert_snapshot!(said("history: { since: 2026-01-31 }\ntimezone: Berlin\n"), @r#"
        rega.yaml:1:19: expected a time, found "2026-01-31"
        1 | history: { since: 2026-01-31 }
          |                   ^^^^^^^^^^
          = write it with its zone: 2026-01-31T08:00:00Z

        rega.yaml:2:11: "Berlin" is not a time zone
        2 | timezone: Berlin
          |           ^^^^^^
          = write a name of the IANA database: UTC, Europe/Berlin, Asia/Tehran
        "#);
}

#[test]
fn channels_are_labels_of_metrics() {
    assert_snapshot!(said("channels: [Kiosk, web]\n"), @r#"
        rega.yaml:1:12: "Kiosk" is not the name of a channel
        1 | channels: [Kiosk, web]
          |            ^^^^^
          = use lower case letters, digits and "_", beginning with a letter

        rega.yaml:1:19: the channel "web" is built in
        1 | channels: [Kiosk, web]
          |                   ^^^
          = remove it here
        "#);
    let many: Vec<String> = (0..20).map(|number| format!("c{number}")).collect();
    assert_snapshot!(said(&format!("channels: [{}]\n", many.join(","))), @r#"
        rega.yaml:1:11: 20 channels, and there is room for 15
        1 | channels: [c0,c1,c2,c3,c4,c5,c6,c7,c8,c9,c10,c11,c12,c13,c14,c15,c16,c17,c18,c19]
          |           ^
          = each is a label of several metrics; the rest is counted as "other"
        "#);
}

#[test]
fn packs_and_mappings_must_be_there() {
    assert_snapshot!(said_in_full("rules: [comerce, ./mine]\n"), @r#"
        rega.yaml:1:9: there is no pack "comerce"
        1 | rules: [comerce, ./mine]
          |         ^^^^^^^
          = did you mean "commerce"?

        rega.yaml:1:18: cannot read "nowhere/mine": No such file or directory (os error 2)
        1 | rules: [comerce, ./mine]
          |                  ^^^^^^
        "#);
    assert_snapshot!(said("rules: []\n"), @r#"
        rega.yaml:1:8: no pack
        1 | rules: []
          |        ^
          = write [commerce], or remove the line
        "#);
    assert_snapshot!(said_in_full("input: { mappings: { touchpoints: shop.yaml } }\n"), @r#"
        rega.yaml:1:35: cannot read "nowhere/shop.yaml": No such file or directory (os error 2)
        1 | input: { mappings: { touchpoints: shop.yaml } }
          |                                   ^^^^^^^^^
        "#);
}

#[test]
fn a_mapping_is_for_the_topic_that_is_read() {
    assert_snapshot!(said("input: { mappings: { shop: shop.yaml } }\n"), @r#"
        rega.yaml:1:28: nothing is read from "shop"
        1 | input: { mappings: { shop: shop.yaml } }
          |                            ^^^^^^^^^
          = "topics.touchpoints" is "touchpoints": map that, or read the other
        "#);
    let topic = "topics: { touchpoints: shop }\ninput: { mappings: { shop: shop.yaml } }\n";
    assert_eq!(settings_of(topic).input.mappings["shop"].value, "shop.yaml");
}

#[test]
fn a_full_file_is_read_as_it_is_written() {
    let text = "\
app: shop
instance: one
kafka: { brokers: 'SASL_SSL://[::1]:9092', properties: { linger.ms: 7, sasl.username: me } }
input: { keyed: true, partitioner: murmur2, start: 2026-01-31T08:00:00+01:00, dialect: native, max_bytes: 30000 }
topics: { touchpoints: t, moments: m, engagement: e, pain_spikes: p, rejects: r }
state: { dir: /var/lib/rega, retention: 90d }
workers: 3
http: { listen: '0.0.0.0:80', advertise: 'http://me:80/' }
rules: [saas]
commit: { interval: 1s, max_touchpoints: 9 }
deadlines: { per_commit: 8 }
timezone: America/Sao_Paulo
time: { tolerance: 1m }
order: { window: 2m }
history: { since: 2026-01-01T00:00:00Z, complete_after: 1d }
visit: { gap: 1h }
notify: { max_age: 2h, alertmanager: { url: 'http://am:9093/' }, webhook: { url: 'https://h/x', token: hush }, customers_per_hour: 7 }
spikes: { properties: [store], watch: [pain, silence], false_alarms_per_week: 3.5 }
channels: [kiosk]
moments: { properties: true }
text_fields: [words]
output: { max_bytes: 20000 }
drain: { timeout: 3s }
log: { format: json }
";
    let config = settings_of(text);
    assert_eq!(config.input.partitioner, Partitioner::Murmur2);
    let start = EventTime::from_millis(1_769_842_800_000).unwrap();
    assert_eq!(config.input.start, Start::At(start));
    assert_eq!(config.http.advertise.as_deref(), Some("http://me:80"));
    assert_eq!(config.drain_timeout, Duration::from_secs(3));
    assert_eq!(config.commit.interval, Duration::from_secs(1));
    let engine = config.engine();
    assert_eq!((engine.tolerance, engine.order_window), (60_000, 120_000));
    assert_eq!((engine.retention, engine.visit_gap), (90 * 86_400_000, 3_600_000));
    assert_eq!(engine.timezone.iana_name(), Some("America/Sao_Paulo"));
    assert_eq!(engine.history_since, EventTime::from_millis(1_767_225_600_000));
    assert_eq!(engine.history_complete_after, 86_400_000);
    assert_eq!(engine.backfill_after, Some(7_200_000));
    assert!(engine.carry_properties && engine.channels.get("kiosk").is_some());
    assert_eq!((engine.max_output_bytes, engine.max_input_bytes), (20_000, 30_000));
    assert_eq!(engine.text_fields, ["words"]);
    assert_eq!(engine.deadlines_per_commit, 8);
    assert_eq!(engine.spike_properties, ["store"]);
    let detector = config.detector();
    assert_eq!(detector.watch, [Numerator::Pain, Numerator::Silence]);
    assert!((detector.alarms_a_day - 0.5).abs() < 1e-9);
    assert_eq!(config.notify.alertmanager.as_deref(), Some("http://am:9093"));
    assert_eq!(config.notify.webhook.as_deref(), Some("https://h/x"));
    assert_eq!(config.notify.customers_per_hour, 7);
    assert!(!format!("{config:?}").contains("hush"), "a token is shown");
}

#[test]
fn the_defaults_are_the_engine_s() {
    let (ours, usual) = (settings_of("").engine(), engine::Settings::default());
    // Only `run` knows of backfill and of keys, and only who commits of a commit's bounds.
    assert_eq!((ours.backfill_after, ours.expects_keys), (Some(3_600_000), true));
    assert_eq!(ours.deadlines_per_commit, 10_000);
    let ours = engine::Settings { backfill_after: None, expects_keys: false, ..ours };
    let ours = engine::Settings { deadlines_per_commit: usize::MAX, ..ours };
    assert_eq!(format!("{ours:?}"), format!("{usual:?}"));
}

#[test]
fn librdkafka_must_know_its_settings() {
    let text = "kafka:\n  properties:\n    foo.bar: 1\n    linger.msec: 5\n    linger.ms: 5\n";
    assert_snapshot!(said(text), @r#"
        rega.yaml:3:5: librdkafka has no setting "foo.bar"
        3 |     foo.bar: …
          |     ^^^^^^^
          = its settings stand in librdkafka's CONFIGURATION.md

        rega.yaml:4:5: librdkafka has no setting "linger.msec"
        4 |     linger.msec: …
          |     ^^^^^^^^^^^
          = did you mean "linger.ms"?
        "#);
}
