//! From what was configured to a running service.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use arc_swap::ArcSwap;

use super::{
    Exit, InputStart, Launch, RuleFiles, Ruling, Settings, StartFailure, StateFolder,
    StateSettings, reload::Reload, run::run_reloading,
};
use crate::{
    clock::Clock,
    config::{
        self, Config, Loaded,
        settings::{Start, Topics},
    },
    engine::{self, Engine, decode::Dialect, rules::RuleSet},
    kafka::{Connection, Role, TopicPlan, ensure},
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
        let dialect = loaded.dialects.of(&config.topics.touchpoints);
        let engine = config.engine();
        move |rules| ruling(rules, engine.clone(), dialect.clone())
    };
    let http = Some(config.http.listen.to_string());
    let reload = Reload::new(files, &loaded, Box::new(make.clone()));
    let ruling = make(loaded.rules);
    telemetry.rules_loaded(ruling.engine.rules().version(), &ruling.names);
    let ruling = Arc::new(ArcSwap::from_pointee(ruling));
    run_reloading(Launch { settings, topics, ruling, telemetry, http }, Some(reload), until)
}

/// Returns what workers work with.
fn ruling(rules: RuleSet, settings: engine::Settings, dialect: Dialect) -> Ruling {
    let names = Names::new(&settings.channels, rules.rule_names(), rules.kind_names());
    Ruling { engine: Engine::new(Arc::new(rules), settings, dialect), names: Arc::new(names) }
}

/// Returns who is told of spikes; `None` for nobody.
fn notify(config: &Config) -> Option<notify::Settings> {
    let config::settings::Notify { max_age, alertmanager, webhook, token } = &config.notify;
    if alertmanager.is_none() && webhook.is_none() {
        return None;
    }
    let advertised = config.http.advertise.clone();
    Some(notify::Settings {
        alertmanager: alertmanager.clone(),
        webhook: webhook.clone(),
        token: token.as_ref().map(|config::settings::Secret(token)| token.clone()),
        max_age: *max_age,
        app: config.app.clone(),
        site: advertised.unwrap_or_else(|| format!("http://{}", config.http.listen)),
    })
}

fn settings(
    config: &Config,
    instance: String,
    adopt_offsets: bool,
) -> Result<Settings, StartFailure> {
    let properties = config.kafka.properties.iter();
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let connection = Connection::new(&config.kafka.brokers.join(","), properties)?;
    let topics = plan(&config.app, &config.topics, config.max_output_bytes);
    Ok(Settings {
        app: config.app.clone(),
        instance,
        connection,
        topics,
        worker_count: u16::try_from(config.workers).unwrap_or(u16::MAX),
        commit_interval: config.commit.interval,
        max_records_per_commit: config.commit.max_touchpoints,
        drain_timeout: config.drain_timeout,
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
pub fn plan(app: &str, topics: &Topics, max_output_bytes: usize) -> TopicPlan {
    let Topics { touchpoints, moments, engagement, pain_spikes, rejects } = topics.clone();
    TopicPlan {
        names: BTreeMap::from([
            (Role::Input, touchpoints),
            (Role::Moments, moments),
            (Role::Engagement, engagement),
            (Role::Rejects, rejects),
            (Role::State, format!("{app}-state")),
            (Role::PainSpikes, pain_spikes),
            (Role::Pulse, format!("{app}-pulse")),
            (Role::Detector, format!("{app}-detector")),
        ]),
        app: app.to_owned(),
        max_output_bytes,
    }
}
