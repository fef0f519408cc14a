//! From what was configured to a running service.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use arc_swap::ArcSwap;

use super::{
    Exit, InputStart, Launch, Ruling, Settings, StartFailure, StateFolder, StateSettings, run,
};
use crate::{
    clock::Clock,
    config::{
        self, Config, Loaded,
        settings::{Start, Topics},
    },
    engine::Engine,
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
    adopt_offsets: bool,
    until: impl Future<Output = ()>,
) -> Result<Exit, StartFailure> {
    let Loaded { config, rules, dialects } = loaded;
    // Held until the end: two processes on one folder would fence each other out for ever.
    let folder = StateFolder::lock(&config.state.dir)?;
    let instance = folder.instance(config.instance.as_deref())?;
    let settings = settings(&config, instance, adopt_offsets)?;
    let topics = ensure(&settings.connection, &settings.topics)?;
    let names = Names::new(&config.engine().channels, rules.rule_names(), rules.kind_names());
    let telemetry = Arc::new(Telemetry::new()?);
    telemetry.rules_loaded(rules.version(), &names);
    let dialect = dialects.of(&config.topics.touchpoints);
    let engine = Engine::new(Arc::new(rules), config.engine(), dialect);
    let ruling = Ruling { engine, names: Arc::new(names) };
    let launch = Launch {
        settings,
        topics,
        ruling: Arc::new(ArcSwap::from_pointee(ruling)),
        telemetry,
        http: Some(config.http.listen.to_string()),
    };
    run(launch, until)
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
