//! From the tree to [`Config`]: each part by itself, then what must fit together.

use std::{
    collections::BTreeMap, net::SocketAddr, ops::RangeInclusive, path::PathBuf, time::Duration,
};

use jiff::tz::TimeZone;

use super::{
    Commit, Config, History, Http, Input, Kafka, LogFormat, Partitioner, Properties, Secret, Start,
    State, Topics, alarms, kafka, names,
    secret::token_of,
    together::{self, Marks},
};
use crate::{
    config::{
        dialect::{WrittenDialects, written},
        fields::{Fields, entries, read_fields},
        problem::Problems,
        values::{
            Vocabulary, flag, instant, located, names as list_of_names, span_within, text, whole,
            word, zone,
        },
        yaml::{Node, Value},
    },
    engine::{
        self,
        rules::spec::{At, Located},
    },
    model::Span,
};

const SECOND: Span = 1000;
const MINUTE: Span = 60 * SECOND;
const HOUR: Span = 60 * MINUTE;
const DAY: Span = 24 * HOUR;

/// Longer than any relation with a customer: a bound against typing errors.
const RETENTION_MAX: Span = 36_500 * DAY;

/// The topic of touchpoints where none is named.
const DEFAULT_INPUT: &str = "touchpoints";

/// A transaction that stays open longer hides everybody's records behind it, and 10 s is when the
/// broker ends it.
const COMMIT_MAX: Span = 5 * SECOND;

/// What one worker can hold between two commits in a few hundred megabytes.
const TOUCHPOINTS_MAX: u64 = 1_000_000;

/// Viewers hold a connection each, and there are 128 in all: half is left to those who ask.
const VIEWERS_MAX: u64 = 64;

/// A reject must have room for its headers and a readable part of the item; a batch is no smaller.
const BYTES_MIN: u64 = 10_000;

/// More than any broker is told to accept.
const BYTES_MAX: u64 = 100_000_000;

/// A day less room: see `state.keep`.
const KEEP_MAX: Span = 23 * HOUR;

/// What the rows of one transaction of the usual size take.
const MEMORY_MIN: u64 = 1 << 20;

/// More than machines have.
const MEMORY_MAX: u64 = 1 << 44;

/// Some 4 GB a partition.
const DECODED_MAX: u64 = 1_000_000;

/// More threads than that in one process mean that several processes are wanted.
const WORKERS_MAX: u64 = 64;

impl Vocabulary for Partitioner {
    const WHAT: &'static str = "a partitioner";
    const WORDS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("murmur2", Self::Murmur2), ("crc32", Self::Crc32)];
}

impl Vocabulary for LogFormat {
    const WHAT: &'static str = "a log format";
    const WORDS: &'static [(&'static str, Self)] = &[("text", Self::Text), ("json", Self::Json)];
}

/// Reads the settings. The problems decide whether they may be used.
pub(in crate::config) fn read(root: &Node, problems: &mut Problems) -> Option<Config> {
    let mut marks = Marks::default();
    let config = read_fields(root, "the configuration", problems, |fields| {
        Some(config(fields, &mut marks))
    })?;
    together::check(&config, &marks, problems);
    Some(config)
}

/// Reads one setting, and marks it.
pub(super) fn setting<T>(
    fields: &mut Fields<'_, '_>,
    marks: &mut Marks,
    key: &'static str,
    read: impl FnOnce(&Node, &mut Problems) -> Option<T>,
    default: T,
) -> T {
    let full = fields.full_name(key);
    let (given, at) = (fields.has(key), fields.at_of(key));
    let value = fields.get(key, read);
    if value.is_some() || !given {
        marks.add(full, at);
    }
    value.unwrap_or(default)
}

fn config(fields: &mut Fields<'_, '_>, marks: &mut Marks) -> Config {
    let usual = engine::Settings::default();
    let day = |default| (span_within(0, DAY), default);
    let (tolerance_of, tolerance) = day(usual.tolerance);
    let (window_of, window) = day(usual.order_window);
    let gap_of = span_within(MINUTE, DAY);
    Config {
        app: setting(fields, marks, "app", names::app, "rega".to_owned()),
        instance: optional(fields, marks, "instance", names::app),
        kafka: fields.section("kafka", |fields| kafka_section(fields, marks)),
        input: fields.section("input", |fields| input(fields, marks)),
        topics: fields.section("topics", |fields| topics(fields, marks)),
        state: fields.section("state", |fields| state(fields, marks)),
        workers: setting(fields, marks, "workers", count(1..=WORKERS_MAX), cores()),
        http: fields.section("http", |fields| http(fields, marks)),
        rules: setting(fields, marks, "rules", names::packs, default_packs()),
        commit: fields.section("commit", |fields| commit(fields, marks)),
        deadlines_per_commit: fields.section("deadlines", |fields| {
            setting(fields, marks, "per_commit", count(1..=TOUCHPOINTS_MAX), 10_000)
        }),
        timezone: setting(fields, marks, "timezone", zone, TimeZone::UTC),
        tolerance: fields
            .section("time", |fields| setting(fields, marks, "tolerance", tolerance_of, tolerance)),
        order_window: fields
            .section("order", |fields| setting(fields, marks, "window", window_of, window)),
        history: fields.section("history", |fields| history(fields, marks)),
        visit_gap: fields
            .section("visit", |fields| setting(fields, marks, "gap", gap_of, usual.visit_gap)),
        spikes: fields.section("spikes", |fields| alarms::spikes(fields, marks)),
        notify: fields.section("notify", |fields| alarms::notify(fields, marks)),
        channels: setting(fields, marks, "channels", names::channels, Vec::new()),
        carry_properties: fields.section("moments", |fields| {
            setting(fields, marks, "properties", flag, usual.carry_properties)
        }),
        text_fields: setting(fields, marks, "text_fields", text_fields, usual.text_fields),
        max_output_bytes: fields.section("output", |fields| {
            setting(
                fields,
                marks,
                "max_bytes",
                count(BYTES_MIN..=BYTES_MAX),
                usual.max_output_bytes,
            )
        }),
        drain_timeout: fields.section("drain", |fields| {
            let read = duration(SECOND, 10 * MINUTE);
            setting(fields, marks, "timeout", read, Duration::from_secs(10))
        }),
        log_format: fields
            .section("log", |fields| setting(fields, marks, "format", word, LogFormat::Text)),
    }
}

fn kafka_section(fields: &mut Fields<'_, '_>, marks: &mut Marks) -> Kafka {
    let local = vec!["localhost:9092".to_owned()];
    let brokers = setting(fields, marks, "brokers", names::brokers, local);
    let nothing = (Properties::default(), BTreeMap::new());
    let (properties, places) = setting(fields, marks, "properties", kafka::properties, nothing);
    for (name, at) in places {
        marks.add(format!("kafka.properties.{name}"), at);
    }
    let properties_file = optional(fields, marks, "properties_file", located);
    Kafka { brokers, properties, properties_file }
}

fn input(fields: &mut Fields<'_, '_>, marks: &mut Marks) -> Input {
    let usual = engine::Settings::default().max_input_bytes;
    Input {
        keyed: setting(fields, marks, "keyed", flag, true),
        partitioner: setting(fields, marks, "partitioner", word, Partitioner::Auto),
        start: setting(fields, marks, "start", start, Start::Earliest),
        dialect: setting(fields, marks, "dialect", written, WrittenDialects::default()),
        mappings: setting(fields, marks, "mappings", mappings, BTreeMap::new()),
        max_bytes: setting(fields, marks, "max_bytes", count(BYTES_MIN..=BYTES_MAX), usual),
    }
}

fn topics(fields: &mut Fields<'_, '_>, marks: &mut Marks) -> Topics {
    let one = (DEFAULT_INPUT.to_owned(), Vec::new());
    let (touchpoints, more_touchpoints) = setting(fields, marks, "touchpoints", names::topics, one);
    let mut topic = |key: &'static str, default: &str| {
        setting(fields, marks, key, names::topic, default.to_owned())
    };
    Topics {
        touchpoints,
        more_touchpoints,
        moments: topic("moments", "moments"),
        engagement: topic("engagement", "engagement"),
        pain_spikes: topic("pain_spikes", "pain-spikes"),
        rejects: topic("rejects", "rejects"),
    }
}

fn state(fields: &mut Fields<'_, '_>, marks: &mut Marks) -> State {
    let usual = engine::Settings::default().retention;
    let checkpoint = duration(100, 10 * MINUTE);
    let keep = duration(MINUTE, KEEP_MAX);
    let retention = span_within(DAY, RETENTION_MAX);
    let (memory, decoded) = (count(MEMORY_MIN..=MEMORY_MAX), count(1..=DECODED_MAX));
    State {
        dir: setting(fields, marks, "dir", folder, PathBuf::from("state")),
        checkpoint: setting(fields, marks, "checkpoint", checkpoint, Duration::from_secs(5)),
        memory_bytes: setting(fields, marks, "memory_bytes", memory, 512 << 20),
        decoded: setting(fields, marks, "decoded", decoded, engine::Settings::default().decoded),
        keep: setting(fields, marks, "keep", keep, Duration::from_hours(12)),
        retention: setting(fields, marks, "retention", retention, usual),
    }
}

fn http(fields: &mut Fields<'_, '_>, marks: &mut Marks) -> Http {
    let local = SocketAddr::from(([127, 0, 0, 1], 8080));
    Http {
        listen: setting(fields, marks, "listen", names::listen, local),
        advertise: optional(fields, marks, "advertise", names::advertise),
        token: optional(fields, marks, "token", token),
        token_file: optional(fields, marks, "token_file", located),
        viewers_max: setting(fields, marks, "viewers_max", count(0..=VIEWERS_MAX), 16),
    }
}

fn token(node: &Node, problems: &mut Problems) -> Option<Secret> {
    let Value::Scalar(written) = &node.value else {
        problems.add(node.at, "expected a token");
        return None;
    };
    token_of(&written.text).map_err(|what| problems.add(node.at, what)).ok()
}

fn commit(fields: &mut Fields<'_, '_>, marks: &mut Marks) -> Commit {
    let interval = duration(10, COMMIT_MAX);
    Commit {
        interval: setting(fields, marks, "interval", interval, Duration::from_millis(50)),
        max_touchpoints: setting(
            fields,
            marks,
            "max_touchpoints",
            count(1..=TOUCHPOINTS_MAX),
            20_000,
        ),
    }
}

fn history(fields: &mut Fields<'_, '_>, marks: &mut Marks) -> History {
    let usual = engine::Settings::default().history_complete_after;
    let complete_after = span_within(0, RETENTION_MAX);
    History {
        since: optional(fields, marks, "since", instant),
        complete_after: setting(fields, marks, "complete_after", complete_after, usual),
    }
}

/// Reads one setting that has no default, and marks it.
pub(super) fn optional<T>(
    fields: &mut Fields<'_, '_>,
    marks: &mut Marks,
    key: &'static str,
    read: impl Fn(&Node, &mut Problems) -> Option<T>,
) -> Option<T> {
    setting(fields, marks, key, |node, problems| read(node, problems).map(Some), None)
}

fn duration(least: Span, most: Span) -> impl Fn(&Node, &mut Problems) -> Option<Duration> {
    move |node, problems| {
        let span = span_within(least, most)(node, problems)?;
        u64::try_from(span).ok().map(Duration::from_millis)
    }
}

fn folder(node: &Node, problems: &mut Problems) -> Option<PathBuf> {
    text(node, problems).map(PathBuf::from)
}

/// Reads how many there are of something, within bounds.
fn count(range: RangeInclusive<u64>) -> impl Fn(&Node, &mut Problems) -> Option<usize> {
    let number = whole(range);
    move |node, problems| usize::try_from(number(node, problems)?).ok()
}

/// Returns how many cores there are, within the bounds of `workers`.
fn cores() -> usize {
    let most = usize::try_from(WORKERS_MAX).unwrap_or(usize::MAX);
    std::thread::available_parallelism().map_or(1, |cores| cores.get().min(most))
}

fn default_packs() -> Vec<Located<String>> {
    vec![Located { value: "commerce".to_owned(), at: At::default() }]
}

fn text_fields(node: &Node, problems: &mut Problems) -> Option<Vec<String>> {
    Some(list_of_names(node, problems)?.into_iter().map(|name| name.value).collect())
}

fn start(node: &Node, problems: &mut Problems) -> Option<Start> {
    match &node.value {
        Value::Scalar(scalar) if scalar.text == "earliest" => Some(Start::Earliest),
        Value::Scalar(scalar) if scalar.text == "latest" => Some(Start::Latest),
        Value::Scalar(scalar) if scalar.text.starts_with(|first: char| first.is_alphabetic()) => {
            let message = format!("expected earliest, latest or a time, found \"{}\"", scalar.text);
            problems.add(node.at, message);
            None
        }
        Value::Nothing | Value::Scalar(_) | Value::Sequence(_) | Value::Mapping(_) => {
            instant(node, problems).map(Start::At)
        }
    }
}

fn mappings(node: &Node, problems: &mut Problems) -> Option<BTreeMap<String, Located<String>>> {
    let entries = entries(node, "mappings by topic", problems)?.iter();
    let files = entries
        .filter_map(|entry| Some((entry.key.value.clone(), located(&entry.value, problems)?)));
    Some(files.collect())
}
