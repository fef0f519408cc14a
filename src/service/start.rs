//! From what was configured to a running service.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use arc_swap::ArcSwap;

use super::{
    Exit, InputStart, Launch, RuleFiles, Ruling, Settings, StartFailure, StateFolder,
    StateSettings, reload::Reload, run::run_reloading, shared::SourceEngines,
};
use crate::{
    clock::Clock,
    config::{
        self, Config, Loaded, TopicDialects,
        settings::{Partitioner as Written, Secret, Start, Topics},
    },
    engine::{self, Engine, decode::Dialect, rules::RuleSet},
    http::Token,
    kafka::{Connection, FixedProperty, Role, TopicPlan, ensure},
    model::Partitioner,
    notify,
    telemetry::{Names, Telemetry},
};

/// Starts what was configured, and runs it until a signal asks to end, or `until` is over.
///
/// # Errors
///
/// The operator has to act: see [`StartFailure`].
pub fn start(
    loaded: Loaded,
    files: RuleFiles,
    adopt_offsets: bool,
    until: impl Future<Output = ()>,
) -> Result<Exit, StartFailure> {
    let config = &loaded.config;
    // Held until the end: two processes on one folder would fence each other out for ever.
    let folder = StateFolder::lock(&config.state.dir)?;
    let instance = folder.instance(config.instance.as_deref())?;
    let settings = settings(config, instance, adopt_offsets)?;
    let topics = ensure(&settings.connection, &settings.topics)?;
    let telemetry = Arc::new(Telemetry::new()?);
    let make = {
        let reading = Reading::of(config, &loaded.dialects);
        move |rules| reading.ruling(rules)
    };
    let http = Some(config.http.listen.to_string());
    let reload = Reload::new(files, &loaded, Box::new(make.clone()));
    let ruling = make(loaded.rules);
    telemetry.rules_loaded(ruling.engine.rules().version(), &ruling.names);
    let ruling = Arc::new(ArcSwap::from_pointee(ruling));
    run_reloading(Launch { settings, topics, ruling, telemetry, http }, Some(reload), until)
}

/// How records are read and judged, whatever the rules.
#[derive(Clone)]
struct Reading {
    settings: engine::Settings,
    dialect: Dialect,
    /// Where the input is routed: how each source is read.
    sources: Vec<(String, Dialect)>,
}

impl Reading {
    fn of(config: &Config, dialects: &TopicDialects) -> Self {
        let routed = config.topics.inputs().filter(|_| config.is_routed());
        Self {
            settings: config.engine(),
            dialect: dialects.of(&config.topics.touchpoints),
            sources: routed.map(|topic| (topic.to_owned(), dialects.of(topic))).collect(),
        }
    }

    /// Returns what workers work with.
    fn ruling(&self, rules: RuleSet) -> Ruling {
        let names = Names::new(&self.settings.channels, rules.rule_names(), rules.kind_names());
        let rules = Arc::new(rules);
        let engine = |dialect| Engine::new(Arc::clone(&rules), self.settings.clone(), dialect);
        let sources = self.sources.iter().map(|(topic, dialect)| {
            let items = engine(dialect.of_items());
            (topic.clone(), SourceEngines { records: engine(dialect.clone()), items })
        });
        Ruling {
            sources: sources.collect(),
            engine: engine(self.dialect.clone()),
            names: Arc::new(names),
        }
    }
}

/// Returns who is told of spikes; `None` for nobody.
fn notify(config: &Config) -> Option<notify::Settings> {
    let config::settings::Notify { max_age, alertmanager, webhook, token, customers_per_hour } =
        &config.notify;
    if alertmanager.is_none() && webhook.is_none() {
        return None;
    }
    let advertised = config.http.advertise.clone();
    Some(notify::Settings {
        alertmanager: alertmanager.clone(),
        webhook: webhook.clone(),
        authorization: token.as_ref().map(|Secret(token)| format!("Bearer {token}")),
        max_age: *max_age,
        customers_per_hour: *customers_per_hour,
        app: config.app.clone(),
        site: advertised.unwrap_or_else(|| format!("http://{}", config.http.listen)),
    })
}

/// Returns how Kafka is reached, as configured.
///
/// # Errors
///
/// A property that is Rega's to set. Configuration refuses it before.
pub fn connection(config: &Config) -> Result<Connection, FixedProperty> {
    let properties = config.kafka.properties.iter();
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Connection::new(&config.kafka.brokers.join(","), properties)
}

fn settings(
    config: &Config,
    instance: String,
    adopt_offsets: bool,
) -> Result<Settings, StartFailure> {
    let connection = connection(config)?;
    let topics = plan(config);
    Ok(Settings {
        app: config.app.clone(),
        instance,
        connection,
        topics,
        advertise: config.http.advertise.clone(),
        token: config.http.token.as_ref().map(|Secret(token)| Token::new(token.clone())),
        worker_count: u16::try_from(config.workers).unwrap_or(u16::MAX),
        commit_interval: config.commit.interval,
        max_records_per_commit: config.commit.max_touchpoints,
        drain_timeout: config.drain_timeout,
        partitioner: match config.input.partitioner {
            Written::Auto => None,
            Written::Murmur2 => Some(Partitioner::Murmur2),
            Written::Crc32 => Some(Partitioner::Crc32),
        },
        state: StateSettings {
            dir: config.state.dir.clone(),
            checkpoint_interval: config.state.checkpoint,
            memory_bytes: config.state.memory_bytes,
            keep: config.state.keep,
        },
        input_start: match config.input.start {
            Start::Earliest => InputStart::Earliest,
            Start::Latest => InputStart::Latest,
            Start::At(time) => InputStart::At(time),
        },
        adopt_offsets,
        idle_after: Settings::IDLE_AFTER,
        clock: Clock::wall(),
        detector: config.detector(),
        notify: notify(config),
        viewers_max: config.http.viewers_max,
    })
}

/// Returns which topics an application has.
pub fn plan(config: &Config) -> TopicPlan {
    let app = &config.app;
    let routed = config.is_routed();
    let sources =
        if routed { config.topics.inputs().map(str::to_owned).collect() } else { Vec::new() };
    let Topics { touchpoints, more_touchpoints: _, moments, engagement, pain_spikes, rejects } =
        config.topics.clone();
    TopicPlan {
        names: BTreeMap::from([
            (Role::Input, if routed { format!("{app}-routed") } else { touchpoints }),
            (Role::Moments, moments),
            (Role::Engagement, engagement),
            (Role::Rejects, rejects),
            (Role::State, format!("{app}-state")),
            (Role::Owners, format!("{app}-owners")),
            (Role::PainSpikes, pain_spikes),
            (Role::Pulse, format!("{app}-pulse")),
            (Role::Detector, format!("{app}-detector")),
            (Role::Alerts, format!("{app}-alerts")),
        ]),
        sources,
        app: app.clone(),
        max_output_bytes: config.max_output_bytes,
    }
}
