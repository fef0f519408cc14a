//! The demo's stage: the embedded broker, the service on it, and the ways to both.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::PathBuf,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::oneshot;

use super::{feed, stats::DemoStats};
use crate::{
    cli::Failure,
    clock::Clock,
    config::{self, Environment, Loaded},
    engine::{Engine, decode::Dialect, spike::DetectorSettings},
    kafka::{Connection, EmbeddedBroker, Feeder, Follower, Role, TopicPlan, TopicSet},
    model::{EventTime, Partitioner, Span},
    service::{self, Exit, InputStart, Launch, Ruling, Settings, StartFailure, StateSettings},
    telemetry::{Names, Telemetry},
};

/// How many partitions every topic has. The embedded broker keeps 5 MiB of each.
const PARTITION_COUNT: i32 = 4;

/// One worker is enough for a demo, and the first commit comes sooner than with two.
const WORKER_COUNT: u16 = 1;

/// Where HTTP answers unless told otherwise: as `rega run` does.
const ADDRESS: &str = "127.0.0.1:8080";

/// How long one look at the topics may take before the picture is drawn again.
const RECORDS_AT_ONCE_MAX: usize = 20_000;

/// How long to wait for a record where there is none.
const TURN: Duration = Duration::from_millis(5);

/// The running service and its broker. The broker ends with this value, and after the service.
#[derive(Debug)]
pub(super) struct Party {
    service: JoinHandle<Result<Exit, StartFailure>>,
    /// Dropped to ask the service to end.
    until: oneshot::Sender<()>,
    connection: Connection,
    plan: TopicPlan,
    address: String,
    tolerance: Span,
    _held: (EmbeddedBroker, ScratchFolder),
}

/// Readers of what the service publishes, as any consumer would be. Spikes have a topic with another
/// number of partitions.
#[derive(Debug)]
pub(super) struct Readers {
    moments: Follower,
    spikes: Follower,
}

/// Where the demo's checkpoints are while it lasts.
#[derive(Debug)]
struct ScratchFolder(PathBuf);

impl ScratchFolder {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("rega-demo-{}", std::process::id())))
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // Where it cannot be removed, the system does so in its time.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Makes a failure of the demo out of whatever went wrong.
pub(super) fn fatal(failure: impl std::fmt::Display) -> Failure {
    Failure::Fatal(format!("the demo cannot go on: {failure}"))
}

impl Party {
    /// Starts broker and service. `since`: the simulated history is complete since then.
    pub(super) fn begin(
        clock: Clock,
        since: EventTime,
        address: Option<&str>,
    ) -> Result<Self, Failure> {
        // The demo is the same everywhere: no file, and nothing of the environment.
        let loaded = config::load(None, &Environment::from_iter([]))?;
        let plan = plan(&loaded);
        let broker = EmbeddedBroker::start(&plan, PARTITION_COUNT).map_err(fatal)?;
        let connection = Connection::new(&broker.brokers(), BTreeMap::new()).map_err(fatal)?;
        let address = address.map_or_else(free_address, ToOwned::to_owned);
        let tolerance = loaded.config.tolerance;
        let folder = ScratchFolder::new();
        let launch = Launch {
            settings: settings(&loaded, &folder, clock, (connection.clone(), plan.clone())),
            topics: TopicSet {
                partition_count: PARTITION_COUNT,
                reject_partition_count: PARTITION_COUNT,
            },
            telemetry: Arc::new(Telemetry::new().map_err(fatal)?),
            ruling: Arc::new(ArcSwap::from_pointee(ruling(loaded, since))),
            http: Some(address.clone()),
        };
        let (until, ended) = oneshot::channel::<()>();
        #[expect(clippy::disallowed_methods, reason = "it is joined, and a panic is told then")]
        let service = thread::Builder::new()
            .name("rega-service".to_owned())
            .spawn(move || service::run(launch, async { drop(ended.await) }))
            .map_err(fatal)?;
        let address = format!("http://{address}");
        Ok(Self { service, until, connection, plan, address, tolerance, _held: (broker, folder) })
    }

    /// Returns the service's side of the situation. `latest`: the latest event time seen.
    pub(super) fn service(&self, latest: Option<EventTime>) -> feed::Whereabouts<'_> {
        let watermark = latest.map(|latest| latest.minus(self.tolerance));
        feed::Whereabouts { watermark, address: &self.address }
    }

    /// Returns whether nobody has ended it: a signal ends the service first.
    pub(super) fn is_going_on(&self) -> bool {
        !self.service.is_finished()
    }

    /// Returns a producer of touchpoints.
    pub(super) fn feeder(&self) -> Result<Feeder, Failure> {
        Feeder::open(&self.connection, self.plan.name(Role::Input)).map_err(fatal)
    }

    /// Returns readers of what the service publishes.
    pub(super) fn readers(&self) -> Result<Readers, Failure> {
        let open = |topics: &[&str], partition_count| {
            Follower::open(&self.connection, topics, partition_count).map_err(fatal)
        };
        let topics = [self.plan.name(Role::Moments), self.plan.name(Role::Engagement)];
        let spikes = Role::PainSpikes;
        Ok(Readers {
            moments: open(&topics, PARTITION_COUNT)?,
            spikes: open(&[self.plan.name(spikes)], spikes.partition_count(PARTITION_COUNT))?,
        })
    }

    /// Reads what there is to read, and tells `arrived` the event id of every first revision.
    pub(super) fn read(
        &self,
        readers: &Readers,
        stats: &mut DemoStats,
        mut arrived: impl FnMut(&str),
    ) -> Result<(), Failure> {
        let moments = self.plan.name(Role::Moments);
        for _ in 0..RECORDS_AT_ONCE_MAX {
            let read = readers.moments.poll(TURN, |topic, value| {
                if topic != moments {
                    stats.observe_engagement(value);
                } else if let Some(event_id) = stats.observe_moment(value) {
                    arrived(&event_id);
                }
            });
            if !read.map_err(fatal)? {
                break;
            }
        }
        let spikes = &readers.spikes;
        while spikes.poll(Duration::ZERO, |_, value| stats.observe_spike(value)).map_err(fatal)? {}
        Ok(())
    }

    /// Asks the service to end, and waits for it.
    pub(super) fn end(self) -> Result<(), Failure> {
        drop(self.until);
        match self.service.join() {
            // Cut short or not: there is nothing to come back to.
            Ok(Ok(Exit::Drained | Exit::CutShort)) => Ok(()),
            Ok(Err(failure)) => Err(Failure::Fatal(failure.to_string())),
            Err(_panic) => Err(fatal("the service panicked")),
        }
    }
}

fn plan(loaded: &Loaded) -> TopicPlan {
    let mut config = loaded.config.clone();
    "demo".clone_into(&mut config.app);
    service::plan(&config)
}

fn settings(
    loaded: &Loaded,
    folder: &ScratchFolder,
    clock: Clock,
    (connection, topics): (Connection, TopicPlan),
) -> Settings {
    let config = &loaded.config;
    Settings {
        app: "demo".to_owned(),
        instance: "demo".to_owned(),
        connection,
        topics,
        advertise: None,
        token: None,
        worker_count: WORKER_COUNT,
        commit_interval: config.commit.interval,
        max_records_per_commit: config.commit.max_touchpoints,
        drain_timeout: config.drain_timeout,
        partitioner: Some(Partitioner::Murmur2),
        state: StateSettings {
            dir: folder.0.clone(),
            checkpoint_interval: config.state.checkpoint,
            memory_bytes: config.state.memory_bytes,
            keep: config.state.keep,
        },
        input_start: InputStart::Earliest,
        adopt_offsets: false,
        idle_after: Settings::IDLE_AFTER,
        clock,
        detector: DetectorSettings { backfill_after: None, ..config.detector() },
        notify: None,
        viewers_max: config.http.viewers_max,
    }
}

fn ruling(loaded: Loaded, since: EventTime) -> Ruling {
    let mut settings = loaded.config.engine();
    settings.history_since = Some(since);
    // Two weeks of history are no backfill here: they are what the picture begins with.
    settings.backfill_after = None;
    let rules = loaded.rules;
    let names = Names::new(&settings.channels, rules.rule_names(), rules.kind_names());
    let engine = Engine::new(Arc::new(rules), settings, Dialect::Native);
    Ruling { engine, sources: BTreeMap::new(), names: Arc::new(names) }
}

/// Returns the usual address, or one with a free port where that is taken. Somebody else may take
/// it in between; then the service says so.
fn free_address() -> String {
    if TcpListener::bind(ADDRESS).is_ok() {
        return ADDRESS.to_owned();
    }
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.map_or_else(|_| ADDRESS.to_owned(), |address| address.to_string())
}
