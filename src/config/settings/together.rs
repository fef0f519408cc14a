//! What must fit together: settings that are right by themselves and wrong beside one another.

use std::{collections::BTreeMap, time::Duration};

use super::{Config, Input, Topics};
use crate::{
    config::{problem::Problems, span},
    engine::rules::spec::At,
    model::span_of,
};

/// What the producer adds to a value: key, headers, and the batch's own.
const RECORD_BYTES_BESIDES: u64 = 16_384;

/// What `kafka.properties` has where nothing is written (see `kafka::client`).
const PROPERTY_DEFAULTS: [(&str, u64); 5] = [
    ("transaction.timeout.ms", 10_000),
    ("session.timeout.ms", 10_000),
    ("heartbeat.interval.ms", 2_000),
    ("max.poll.interval.ms", 300_000),
    ("message.max.bytes", 1_048_576),
];

/// Where each setting that could be read stands (nowhere for a default). One that could not be
/// read is missing, so that nothing more is said of it.
#[derive(Debug, Default)]
pub(super) struct Marks(BTreeMap<String, At>);

impl Marks {
    /// Notes a setting that could be read.
    pub(super) fn add(&mut self, key: String, at: At) {
        self.0.insert(key, at);
    }

    /// Returns where to point at when these do not fit together: at the first one that was
    /// written. `None` when one of them could not be read.
    fn both(&self, one: &str, other: &str) -> Option<At> {
        let (one, other) = (*self.0.get(one)?, *self.0.get(other)?);
        Some(if one == At::default() { other } else { one })
    }
}

/// Tells what does not fit together.
pub(super) fn check(config: &Config, marks: &Marks, problems: &mut Problems) {
    times(config, marks, problems);
    topics(config, marks, problems);
    if let Some(at) = marks
        .both("http.token", "http.token_file")
        .filter(|_| config.http.token.is_some() && config.http.token_file.is_some())
    {
        problems.add(at, "both \"http.token\" and \"http.token_file\": write one of them");
    }
    mappings(config, marks, problems);
    for (small, large) in [
        ("heartbeat.interval.ms", "session.timeout.ms"),
        ("session.timeout.ms", "max.poll.interval.ms"),
    ] {
        properties_in_order(config, marks, problems, small, large);
    }
    transaction(config, marks, problems);
    output(config, marks, problems);
}

fn times(config: &Config, marks: &Marks, problems: &mut Problems) {
    let at = marks.both("time.tolerance", "order.window");
    if let Some(at) = at.filter(|_| config.order_window < config.tolerance) {
        let (tolerance, window) =
            (span::display(config.tolerance), span::display(config.order_window));
        problems.add_with_help(
            at,
            format!("\"time.tolerance\" ({tolerance}) is longer than \"order.window\" ({window})"),
            "what may come late must still be put in order: make the window at least as long",
        );
    }
}

/// Topics that were given the same name, by each other or by Rega itself.
fn topics(config: &Config, marks: &Marks, problems: &mut Problems) {
    let Topics { touchpoints: _, more_touchpoints: _, moments, engagement, pain_spikes, rejects } =
        &config.topics;
    let mut given: Vec<(&str, &str)> =
        config.topics.inputs().map(|topic| ("topics.touchpoints", topic)).collect();
    given.extend([
        ("topics.moments", moments.as_str()),
        ("topics.engagement", engagement),
        ("topics.pain_spikes", pain_spikes),
        ("topics.rejects", rejects),
    ]);
    for (index, (key, topic)) in given.iter().enumerate() {
        let earlier =
            given.iter().take(index).find(|(other, earlier)| earlier == topic && other != key);
        let at = earlier.and_then(|(other, _)| marks.both(key, other));
        if let Some((at, (other, _))) = at.zip(earlier) {
            problems.add_with_help(
                at,
                format!("\"{key}\" and \"{other}\" are both \"{topic}\""),
                "each needs a topic of its own",
            );
        }
        let internal = ["state", "pulse", "detector", "owners", "routed", "alerts"];
        let taken = internal.iter().any(|name| *topic == format!("{}-{name}", config.app));
        if let Some(at) = marks.both(key, "app").filter(|_| taken) {
            problems.add_with_help(
                at,
                format!("\"{key}\" is \"{topic}\", a topic of Rega's own"),
                "choose another name",
            );
        }
    }
}

/// A mapping of a topic that nobody reads is a slip of the pen.
fn mappings(config: &Config, marks: &Marks, problems: &mut Problems) {
    let read: Vec<&str> = config.topics.inputs().collect();
    if !marks.0.contains_key("topics.touchpoints") {
        return;
    }
    let Input { mappings, dialect, .. } = &config.input;
    for (topic, file) in mappings
        .iter()
        .chain(&dialect.by_topic)
        .filter(|(topic, _)| !read.contains(&topic.as_str()))
    {
        problems.add_with_help(
            file.at,
            format!("nothing is read from \"{topic}\""),
            format!(
                "\"topics.touchpoints\" is \"{}\": map that, or read the other",
                read.join("\", \"")
            ),
        );
    }
}

/// Returns a librdkafka setting as a number: as written, or Rega's default. Anything else than a
/// number is for librdkafka to refuse.
fn property(config: &Config, name: &str) -> Option<u64> {
    let default = PROPERTY_DEFAULTS.iter().find(|(known, _)| *known == name);
    match config.kafka.properties.get(name) {
        Some(written) => written.parse().ok(),
        None => default.map(|(_, value)| *value),
    }
}

/// Returns where to point at for two settings of librdkafka; `None` when neither is written.
fn place(marks: &Marks, one: &str, other: &str) -> Option<At> {
    let at = |name: &str| marks.0.get(&format!("kafka.properties.{name}")).copied();
    at(one).or_else(|| at(other))
}

fn properties_in_order(
    config: &Config,
    marks: &Marks,
    problems: &mut Problems,
    small: &str,
    large: &str,
) {
    let both = property(config, small).zip(property(config, large));
    let wrong = both.filter(|(small, large)| large <= small);
    if let Some((at, (less, more))) = place(marks, small, large).zip(wrong) {
        problems.add_with_help(
            at,
            format!("\"{small}\" ({less}) is not below \"{large}\" ({more})"),
            "the broker would take a living worker for dead: keep them apart",
        );
    }
}

/// A transaction must be over, its drain included, before the broker gives it up.
fn transaction(config: &Config, marks: &Marks, problems: &mut Problems) {
    let Some(timeout) = property(config, "transaction.timeout.ms") else { return };
    let interval = config.commit.interval;
    let written = place(marks, "transaction.timeout.ms", "transaction.timeout.ms");
    let at = written.or_else(|| marks.0.get("commit.interval").copied());
    let too_long = Duration::from_millis(timeout) < interval.saturating_mul(2);
    if let Some(at) = at.filter(|_| too_long) {
        let interval = span::display(span_of(interval));
        problems.add_with_help(
            at,
            format!(
                "\"transaction.timeout.ms\" ({timeout}) is less than twice \"commit.interval\" \
                 ({interval})"
            ),
            "the broker would end transactions that are still being written",
        );
    }
}

/// The producer must accept the largest record that may be written.
fn output(config: &Config, marks: &Marks, problems: &mut Problems) {
    let Some(most) = property(config, "message.max.bytes") else { return };
    let value = u64::try_from(config.max_output_bytes).unwrap_or(u64::MAX);
    let at = place(marks, "message.max.bytes", "message.max.bytes")
        .or_else(|| marks.0.get("output.max_bytes").copied());
    if let Some(at) = at.filter(|_| most < value.saturating_add(RECORD_BYTES_BESIDES)) {
        problems.add_with_help(
            at,
            format!("\"output.max_bytes\" ({value}) does not fit \"message.max.bytes\" ({most})"),
            format!(
                "set \"message.max.bytes\" under \"kafka.properties\" to at least {} (key and \
                 headers come on top), and \"max.message.bytes\" of the topics too",
                value.saturating_add(RECORD_BYTES_BESIDES)
            ),
        );
    }
}
