//! The settings of a running Rega: checked, with a default and its reason for each.
//!
//! Reading never stops at a problem: it goes on with the default, so that one run tells
//! everything. What was read is handed out only when there was none.

mod alarms;
mod kafka;
mod names;
mod read;
mod secret;
mod together;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use jiff::tz::TimeZone;

pub use self::{
    alarms::{Notify, Secret, Spikes},
    kafka::Properties,
};
pub(super) use self::{
    read::read,
    secret::{add_properties, token_of},
};
use super::dialect::WrittenDialects;
use crate::{
    engine::{self, rules::spec::Located},
    model::{Channels, EventTime, Span},
};

/// Every setting, as it is written in a file: the environment variable is the same name in
/// capitals with `REGA_` before it and `__` for a dot.
pub(super) const KEYS: [&str; 52] = [
    "app",
    "instance",
    "kafka.brokers",
    "kafka.properties",
    "kafka.properties_file",
    "input.keyed",
    "input.partitioner",
    "input.start",
    "input.dialect",
    "input.mappings",
    "input.max_bytes",
    "topics.touchpoints",
    "topics.moments",
    "topics.engagement",
    "topics.pain_spikes",
    "topics.rejects",
    "state.dir",
    "state.checkpoint",
    "state.memory_bytes",
    "state.decoded",
    "state.keep",
    "state.retention",
    "workers",
    "http.listen",
    "http.advertise",
    "http.token",
    "http.token_file",
    "http.viewers_max",
    "rules",
    "commit.interval",
    "commit.max_touchpoints",
    "deadlines.per_commit",
    "timezone",
    "time.tolerance",
    "order.window",
    "history.since",
    "history.complete_after",
    "visit.gap",
    "spikes.properties",
    "spikes.watch",
    "spikes.false_alarms_per_week",
    "notify.max_age",
    "notify.alertmanager.url",
    "notify.webhook.url",
    "notify.webhook.token",
    "notify.customers_per_hour",
    "channels",
    "moments.properties",
    "text_fields",
    "output.max_bytes",
    "drain.timeout",
    "log.format",
];

/// The checked settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// `app`: the consumer group, and the beginning of the names of internal topics. Default
    /// `rega`: one Rega in a cluster needs no other name.
    pub app: String,
    /// `instance`: which process of the app this is. `None`: the service writes one into
    /// `state.dir` at its first start, so that a restart is recognised as one.
    pub instance: Option<String>,
    /// Where the brokers are.
    pub kafka: Kafka,
    /// What is read.
    pub input: Input,
    /// The topics' names.
    pub topics: Topics,
    /// What is kept.
    pub state: State,
    /// `workers`: how many threads read, each with its own partitions. Default: one a core, since
    /// a worker keeps a core busy; at most 64.
    pub workers: usize,
    /// What is served.
    pub http: Http,
    /// `rules`: the packs, merged in this order. Default `commerce`.
    pub rules: Vec<Located<String>>,
    /// How often is committed.
    pub commit: Commit,
    /// `deadlines.per_commit`: so many deadlines that fall due together fire in one transaction, of
    /// each partition; the others go on in the next, in their order. Default 10,000: half of what a
    /// transaction takes of touchpoints, since a deadline reads its customer from the store.
    pub deadlines_per_commit: usize,
    /// `timezone`: where a day begins, and what a bare date means. Default `UTC`: any other would
    /// be a guess about the customers.
    pub timezone: TimeZone,
    /// `time.tolerance`: how late a touchpoint may be before a deadline stops waiting for it, and
    /// how far in the future one may be. Default 5m: clocks and mobile uploads differ by that
    /// much, and an alert may be that late.
    pub tolerance: Span,
    /// `order.window`: how far back a customer's touchpoints are put in order. Default 10m: twice
    /// the tolerance, and a row stays small.
    pub order_window: Span,
    /// Since when "first" can be believed.
    pub history: History,
    /// `visit.gap`: a customer's silence of this length ends a visit. Default 30m, as web
    /// analytics has it.
    pub visit_gap: Span,
    /// What is watched for spikes.
    pub spikes: Spikes,
    /// Who is told.
    pub notify: Notify,
    /// `channels`: names besides the built-in ones. Each is a label of several metrics, so there
    /// is a bound ([`Channels::MAX`]).
    pub channels: Vec<String>,
    /// `moments.properties`: carry a touchpoint's properties through to `moments`. Default false:
    /// records of a third of the size, and no personal data in one more topic.
    pub carry_properties: bool,
    /// `text_fields`: where the customer's words are looked for when `text` is absent.
    pub text_fields: Vec<String>,
    /// `output.max_bytes`: no record that is produced is larger. Default 1,000,000: what brokers
    /// accept by default (1,048,588), less key, headers and the batch's own.
    pub max_output_bytes: usize,
    /// `drain.timeout`: how long a stop may take. Default 10s: a third of what Kubernetes grants
    /// before it kills.
    pub drain_timeout: Duration,
    /// `log.format`. Default text: a person starts it first.
    pub log_format: LogFormat,
}

/// `kafka`.
#[derive(Clone, Debug)]
pub struct Kafka {
    /// `kafka.brokers`: `host:port`, at least one. Default `localhost:9092`: Kafka's own.
    pub brokers: Vec<String>,
    /// `kafka.properties`: any librdkafka setting that Rega does not own.
    pub properties: Properties,
    /// `kafka.properties_file`: more of them, one `name=value` a line: for secrets that are mounted
    /// as a file. Read when the settings are loaded.
    pub properties_file: Option<Located<String>>,
}

/// `input`.
#[derive(Clone, Debug)]
pub struct Input {
    /// `input.keyed`: a record's key is its customer's id. Default true: a second copy of the
    /// input costs a broker's disk and a few milliseconds.
    pub keyed: bool,
    /// `input.partitioner`. Default auto: learnt from what is read.
    pub partitioner: Partitioner,
    /// `input.start`: where to begin without committed offsets. Default earliest: history makes
    /// moments right, and what is old pages nobody.
    pub start: Start,
    /// `input.dialect`: what the records look like, for every topic or by topic: a name, or a
    /// mapping file. Default native: what is meant for Rega is read fastest, and nothing is
    /// guessed.
    pub dialect: WrittenDialects,
    /// `input.mappings`: topic → mapping file.
    pub mappings: BTreeMap<String, Located<String>>,
    /// `input.max_bytes`: a larger record is a reject. Default 1,000,000: what brokers accept by
    /// default, so nothing is refused that could be produced.
    pub max_bytes: usize,
}

/// `topics`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// In: touchpoints. The first, where there are several.
    pub touchpoints: String,
    /// In: the others. With them the input is routed.
    pub more_touchpoints: Vec<String>,
    /// Out: one record per touchpoint and revision.
    pub moments: String,
    /// Out, compacted: one record per customer.
    pub engagement: String,
    /// Out: spikes of pain.
    pub pain_spikes: String,
    /// Out: what could not be read.
    pub rejects: String,
}

impl Topics {
    /// Returns every topic that touchpoints come from.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.touchpoints).chain(&self.more_touchpoints).map(String::as_str)
    }
}

/// `state`.
#[derive(Clone, Debug)]
pub struct State {
    /// `state.dir`: where checkpoints are kept, relative to the working directory. Default
    /// `state`.
    pub dir: PathBuf,
    /// `state.checkpoint`: so often is written to the disk what has changed. Default 5s: a restart
    /// then reads back seconds of work, and a customer who comes ten times in them is written once.
    pub checkpoint: Duration,
    /// `state.memory_bytes`: how much memory customers' rows may take, of all workers together.
    /// Default 512 MiB: about half a million customers, and what else a small machine runs.
    pub memory_bytes: usize,
    /// `state.decoded`: so many customers of a partition are kept decoded between transactions.
    /// Default 4,000: some 20 MB, and whoever comes again within minutes is not read anew.
    pub decoded: usize,
    /// `state.keep`: how long the state of a partition that went elsewhere stays on the disk.
    /// Default 12h: the state topic forgets after 24 h (`delete.retention.ms`) whom it has
    /// forgotten, and an older checkpoint would remember them for ever.
    pub keep: Duration,
    /// `state.retention`: a customer without touchpoints for so long is forgotten. Default 400d:
    /// who comes once a year is still known.
    pub retention: Span,
}

/// `http`.
#[derive(Clone, Debug)]
pub struct Http {
    /// `http.listen`. Default `127.0.0.1:8080`: nobody else sees it until one says so.
    pub listen: SocketAddr,
    /// `http.advertise`: where other instances reach this one, as `http://host:port`. `None`: the
    /// address it listens on.
    pub advertise: Option<String>,
    /// `http.token`: what a request for customers must show as bearer. `None`: nothing, so nobody
    /// else must reach the port.
    pub token: Option<Secret>,
    /// `http.token_file`: a file that it stands in.
    pub token_file: Option<Located<String>>,
    /// `http.viewers_max`: how many may watch the console's live picture at a time. Default 16: a
    /// team, and far below the connections that there are. 0: nobody may.
    pub viewers_max: usize,
}

/// `commit`.
#[derive(Clone, Debug)]
pub struct Commit {
    /// `commit.interval`: a transaction is committed so often. Default 50ms: a moment is seen within
    /// an eighth of a second. Where more wait than are read, latency is not the transaction's, and it
    /// lasts 100ms at least.
    pub interval: Duration,
    /// `commit.max_touchpoints`: or after so many, whatever comes first. Default 20,000: what a
    /// worker does in the interval at full speed, so it only bounds memory.
    pub max_touchpoints: usize,
}

/// `history`.
#[derive(Clone, Debug)]
pub struct History {
    /// `history.since`: the stream is known to be complete since then.
    pub since: Option<EventTime>,
    /// `history.complete_after`: so long after a partition's first touchpoint "first" can be
    /// believed. Default 30d.
    pub complete_after: Span,
}

/// Whose way of choosing a partition the producers of the input use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partitioner {
    /// Learnt from the pairs of key and partition that are read.
    Auto,
    /// Java's.
    Murmur2,
    /// librdkafka's.
    Crc32,
}

/// Where to begin without committed offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the oldest record.
    Earliest,
    /// With the next record.
    Latest,
    /// With the first record from then on.
    At(EventTime),
}

/// What log lines look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Config {
    /// Returns whether records are first copied to their customer's partition: the input is not
    /// keyed, or there are several topics, whose partitions have nothing to do with each other.
    pub fn is_routed(&self) -> bool {
        !self.input.keyed || !self.topics.more_touchpoints.is_empty()
    }

    /// Returns what of this concerns the spike detector.
    pub fn detector(&self) -> engine::spike::DetectorSettings {
        let Spikes { properties: _, watch, false_alarms_per_week } = &self.spikes;
        engine::spike::DetectorSettings {
            timezone: self.timezone.clone(),
            watch: watch.clone(),
            alarms_a_day: false_alarms_per_week / 7.0,
            backfill_after: Some(self.notify.max_age),
        }
    }

    /// Returns what of this concerns the engine.
    pub fn engine(&self) -> engine::Settings {
        // Destructured, so that a setting that is added cannot be forgotten here.
        let Self {
            app: _,
            instance: _,
            kafka: _,
            input: Input { keyed, partitioner: _, start: _, dialect: _, mappings: _, max_bytes },
            topics: _,
            state: State { dir: _, checkpoint: _, memory_bytes: _, decoded, keep: _, retention },
            workers: _,
            http: _,
            rules: _,
            commit: _,
            deadlines_per_commit,
            timezone,
            tolerance,
            order_window,
            history: History { since, complete_after },
            visit_gap,
            spikes: Spikes { properties, watch: _, false_alarms_per_week: _ },
            notify,
            channels,
            carry_properties,
            text_fields,
            max_output_bytes,
            drain_timeout: _,
            log_format: _,
        } = self;
        engine::Settings {
            tolerance: *tolerance,
            order_window: *order_window,
            retention: *retention,
            decoded: *decoded,
            history_since: *since,
            history_complete_after: *complete_after,
            visit_gap: *visit_gap,
            timezone: timezone.clone(),
            backfill_after: Some(notify.max_age),
            spike_properties: properties.clone(),
            carry_properties: *carry_properties,
            text_fields: text_fields.clone(),
            max_output_bytes: *max_output_bytes,
            expects_keys: *keyed,
            max_input_bytes: *max_bytes,
            deadlines_per_commit: *deadlines_per_commit,
            channels: Channels::new(channels.iter().map(String::as_str)),
        }
    }
}
