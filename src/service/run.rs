//! From settings to a running service, and to its end.

use std::{
    convert::Infallible,
    future::Future,
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{
    FolderFailure, Settings,
    board::Board,
    customers::Customers,
    detect, live,
    lookup::LookupDesk,
    notify,
    owners::{self, Owners},
    placement::Placement,
    reload::Reload,
    route::{Router, Sources},
    shared::{InputPulse, Ruling, Shared, Stop},
    spawn::{End, Farewell, spawn_named},
    spikes::{self, SpikeBoard},
    watchdog::{self, Rounds},
    worker::Worker,
};
use crate::{
    clock::Stopwatch,
    http::{BindError, Limits, OpenSpikes, Site, SummaryJson, Token, Viewers, bind, serve},
    http_client::HttpClient,
    kafka::{FixedProperty, KafkaFailure, TopicFailure, TopicSet},
    notify::Matter,
    store::Shelf,
    telemetry::{Telemetry, TelemetryError, log},
};

/// Why a service did not start, or could not go on. Each says in one sentence what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartFailure {
    /// Somebody else has the state folder, or it cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderFailure),
    /// A setting of the client that is Rega's. Configuration refuses it before.
    #[error(transparent)]
    Property(#[from] FixedProperty),
    /// A defect of Rega's.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The HTTP address cannot be had.
    #[error(transparent)]
    Http(#[from] BindError),
    /// The topics are not as they must be, or nobody answers.
    #[error(transparent)]
    Topics(#[from] TopicFailure),
    /// Nobody says how far the sources have been read.
    #[error("Rega cannot look at what it is to route: {0}")]
    Sources(#[source] KafkaFailure),
    /// The broker refuses something that only shows when a worker works.
    #[error("the Kafka broker does not permit what Rega needs: {failure}; {remedy}")]
    Refused {
        /// What was refused.
        failure: KafkaFailure,
        /// The commands that help.
        remedy: String,
    },
    /// The system gives no threads, sockets or signals.
    #[error("the operating system refuses {what}: {cause}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A defect of Rega's.
    #[error("a thread panicked; what it had not committed is done again at the next start")]
    Panicked,
}

/// How a service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything processed was committed.
    Drained,
    /// The time was up, or somebody insisted. Open transactions are left for the broker to end:
    /// nothing is lost, and the work is done again.
    CutShort,
}

/// Everything that a service needs besides its settings.
pub struct Launch {
    /// The settings.
    pub settings: Settings,
    /// The topics, as [`crate::kafka::ensure`] has found them.
    pub topics: TopicSet,
    /// The rules; whoever reloads them keeps a clone.
    pub ruling: Arc<ArcSwap<Ruling>>,
    /// Where everything is counted.
    pub telemetry: Arc<Telemetry>,
    /// `host:port` for HTTP; `None` for none.
    pub http: Option<String>,
}

impl std::fmt::Debug for Launch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Launch").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Runs until a signal asks to end, or `until` is over.
///
/// # Errors
///
/// The operator has to act: see [`StartFailure`].
pub fn run(launch: Launch, until: impl Future<Output = ()>) -> Result<Exit, StartFailure> {
    run_reloading(launch, None, until)
}

/// As [`run`], watching the files that the rules came from.
pub(super) fn run_reloading(
    launch: Launch,
    reload: Option<Reload>,
    until: impl Future<Output = ()>,
) -> Result<Exit, StartFailure> {
    // Two threads: HTTP must answer while something else is computed for it.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("rega-http")
        .enable_all()
        .build()
        .map_err(|cause| StartFailure::System { what: "threads", cause })?;
    let ended = runtime.block_on(serve_until(launch, reload, until));
    // Whatever still runs there must not keep the process.
    runtime.shutdown_timeout(Duration::from_millis(100));
    ended
}

async fn serve_until(
    launch: Launch,
    reload: Option<Reload>,
    until: impl Future<Output = ()>,
) -> Result<Exit, StartFailure> {
    let mut signals = Signals::listen()?;
    let listener = match &launch.http {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let shared = share(launch, listener.as_ref())?;
    let settings = &shared.settings;
    log::service_started(&settings.app, &settings.instance, settings.worker_count.into());
    let drain_timeout = settings.drain_timeout;
    let remedy = settings.topics.remedy(settings.connection.brokers());
    let (desk, mailboxes) = LookupDesk::open(settings.worker_count);
    let mut workers = Workers::none_yet(settings.worker_count);
    let watching = live::start(&shared, workers.of_a_panic())
        .map_err(|cause| StartFailure::System { what: "threads", cause })?;
    let client = HttpClient::new()
        .map_err(|cause| StartFailure::System { what: "an HTTP client", cause })?;
    let (page_stop, page_stopping) = oneshot::channel::<()>();
    let page = listener
        .map(|listener| spawn_page(listener, site(&shared, desk, watching, client), page_stopping));
    workers.start(&shared, mailboxes)?;
    let mut hangups = Hangups::listen(reload, &shared, workers.of_a_panic())?;
    let ended = tokio::select! {
        () = signals.next() => Ok(()),
        () = until => Ok(()),
        never = hangups.forward() => match never {},
        failure = workers.first_failure(&remedy) => Err(failure),
    };
    shared.board.draining();
    shared.stop.ask();
    log::draining(drain_timeout);
    let watch = Stopwatch::start();
    let all = workers.all_ended();
    let drained = tokio::select! {
        drained = timeout(drain_timeout, all) => drained.is_ok(),
        () = signals.again(watch) => false,
    };
    drop(page_stop);
    if let Some(page) = page {
        close(page).await;
    }
    ended?;
    if drained {
        log::drained(watch.elapsed());
        Ok(Exit::Drained)
    } else {
        log::drain_cut_short(workers.running_count);
        Ok(Exit::CutShort)
    }
}

/// Puts together what all workers need.
fn share(launch: Launch, listener: Option<&TcpListener>) -> Result<Arc<Shared>, StartFailure> {
    let Launch { settings, topics, ruling, telemetry, http: _ } = launch;
    let sources = Sources::look(&settings).map_err(StartFailure::Sources)?;
    // A routed copy is placed by Rega itself.
    let placed = sources.as_ref().map(|sources| sources.partitioner).or(settings.partitioner);
    Ok(Arc::new(Shared {
        board: Board::new(settings.worker_count),
        rounds: Rounds::new(settings.worker_count, sources.is_some(), &notify::matters(&settings)),
        shelf: Arc::new(Shelf::new(settings.state.dir.clone(), settings.state.keep)),
        owners: Arc::new(Owners::new(&settings.instance, address(&settings, listener))),
        placement: Arc::new(Placement::new(topics.partition_count, placed)),
        settings,
        topics,
        ruling,
        telemetry,
        stop: Stop::default(),
        input: InputPulse::new(),
        spikes: SpikeBoard::default(),
        sources,
    }))
}

/// Returns what the pages are lent.
fn site(
    shared: &Arc<Shared>,
    desk: LookupDesk,
    (viewers, summary): (Arc<Viewers>, SummaryJson),
    client: HttpClient,
) -> Site {
    let telemetry = Arc::clone(&shared.telemetry);
    let token = shared.settings.token.clone();
    let customers = Customers {
        desk,
        ruling: Arc::clone(&shared.ruling),
        clock: shared.settings.clock,
        owners: Arc::clone(&shared.owners),
        placement: Arc::clone(&shared.placement),
        client,
        authorization: token.as_ref().map(Token::header),
    };
    Site {
        metrics: Arc::new(move || telemetry.render()),
        readiness: shared.board.watch(),
        customers: Arc::new(customers),
        token,
        spikes: Arc::new(Spikes(Arc::clone(shared))),
        summary,
        viewers,
        limits: Limits::default(),
    }
}

/// Returns where other instances reach this one: as configured, else where it listens, unless that
/// is everywhere and therefore nowhere in particular.
fn address(settings: &Settings, listener: Option<&TcpListener>) -> Option<String> {
    let listening = || listener?.local_addr().ok().filter(|address| !address.ip().is_unspecified());
    settings.advertise.clone().or_else(|| Some(format!("http://{}", listening()?)))
}

/// Waits for the page to end, which has its own, shorter limit.
async fn close(page: tokio::task::JoinHandle<()>) {
    if let Err(error) = page.await {
        log::page_ended_badly(&error);
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that spawns; its end is awaited")]
fn spawn_page(
    listener: TcpListener,
    site: Site,
    stopping: oneshot::Receiver<()>,
) -> tokio::task::JoinHandle<()> {
    if let Ok(address) = listener.local_addr() {
        log::listening(address);
    }
    tokio::spawn(serve(listener, site, async move {
        // The sender is dropped, never used: both mean the same.
        drop(stopping.await);
    }))
}

/// A second signal within so long is the first one: `timeout` sends it to the process, and then to
/// the group that it belongs to.
const SAME_SIGNAL: Duration = Duration::from_secs(1);

/// The two signals that ask to end. Listening from the start, so that none is missed.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, StartFailure> {
        let refused = |cause| StartFailure::System { what: "signals", cause };
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(refused)?,
            interrupt: signal(SignalKind::interrupt()).map_err(refused)?,
        })
    }

    /// Waits for another signal than the one that came when `first` was started.
    async fn again(&mut self, first: Stopwatch) {
        loop {
            self.next().await;
            if SAME_SIGNAL < first.elapsed() {
                return;
            }
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The signal that asks to look at the rules' files at once. Where there are none it keeps its usual
/// meaning: the terminal is gone.
struct Hangups {
    listening: Option<(Signal, SyncSender<()>)>,
}

impl Hangups {
    fn listen(
        reload: Option<Reload>,
        shared: &Arc<Shared>,
        farewell: Farewell,
    ) -> Result<Self, StartFailure> {
        let Some(reload) = reload else { return Ok(Self { listening: None }) };
        let refused = |what| move |cause| StartFailure::System { what, cause };
        let hangup = signal(SignalKind::hangup()).map_err(refused("signals"))?;
        let looking = reload.start(Arc::clone(shared), farewell).map_err(refused("threads"))?;
        Ok(Self { listening: Some((hangup, looking)) })
    }

    /// Passes the signal on for as long as it is polled.
    async fn forward(&mut self) -> Infallible {
        while let Some((hangup, looking)) = &mut self.listening {
            // Full: it has not looked since it was last asked. Gone: it panicked, which ends all.
            if hangup.recv().await.is_none() || looking.try_send(()) == Err(GONE) {
                break;
            }
        }
        std::future::pending().await
    }
}

/// Nobody looks any more.
const GONE: TrySendError<()> = TrySendError::Disconnected(());

/// What a thread does until it is asked to stop.
type Work = fn(&Arc<Shared>) -> Result<(), KafkaFailure>;

/// Lends the open spikes to the pages.
struct Spikes(Arc<Shared>);

impl OpenSpikes for Spikes {
    fn to_json(&self) -> Vec<u8> {
        self.0.spikes.to_json()
    }
}

/// Threads beside the workers and their routers: the most there are.
const BESIDES_MAX: usize = 8;

/// The threads that run, and word of their ends.
struct Workers {
    /// One message per thread: its bound is their number.
    sender: mpsc::Sender<End>,
    ends: mpsc::Receiver<End>,
    /// Of those that are waited for.
    running_count: usize,
}

impl Workers {
    /// Makes room for word of every thread's end.
    fn none_yet(worker_count: u16) -> Self {
        // A worker has at most one router beside it.
        let (sender, ends) = mpsc::channel(usize::from(worker_count) * 2 + BESIDES_MAX);
        Self { sender, ends, running_count: 0 }
    }

    /// Returns what a thread says that nobody waits for.
    fn of_a_panic(&self) -> Farewell {
        Farewell::of_a_panic(&self.sender)
    }

    /// Starts a thread that is waited for.
    fn spawn(
        &mut self,
        name: impl Into<String>,
        work: impl FnOnce() -> Result<(), KafkaFailure> + Send + 'static,
    ) -> Result<(), StartFailure> {
        spawn_named(name, Farewell::awaited(&self.sender), work)
            .map_err(|cause| StartFailure::System { what: "threads", cause })?;
        self.running_count += 1;
        Ok(())
    }

    fn start(
        &mut self,
        shared: &Arc<Shared>,
        mailboxes: Vec<std::sync::mpsc::Receiver<super::Lookup>>,
    ) -> Result<(), StartFailure> {
        let router_count = if shared.sources.is_some() { shared.settings.worker_count } else { 0 };
        for index in 0..router_count {
            let router = Router { index, shared: Arc::clone(shared) };
            self.spawn(format!("rega-route-{index}"), move || router.run())?;
        }
        for (index, mailbox) in (0_u16..).zip(mailboxes) {
            let worker = Worker { index, shared: Arc::clone(shared), mailbox };
            self.spawn(format!("rega-worker-{index}"), move || worker.run())?;
        }
        for (name, work) in Self::besides(shared) {
            let shared = Arc::clone(shared);
            self.spawn(name, move || work(&shared))?;
        }
        Ok(())
    }

    /// Returns what has a thread of its own beside the workers.
    fn besides(shared: &Shared) -> Vec<(&'static str, Work)> {
        let mut besides: Vec<(&'static str, Work)> = vec![
            ("rega-watchdog", |shared| {
                watchdog::watch(shared);
                Ok(())
            }),
            ("rega-owners", owners::follow),
            ("rega-detector", detect::detect),
            ("rega-spikes", spikes::follow),
        ];
        for matter in notify::matters(&shared.settings) {
            besides.push(match matter {
                Matter::Spikes => ("rega-notify", notify::notify_of_spikes),
                Matter::Customers => ("rega-alerts", notify::notify_of_customers),
            });
        }
        besides
    }

    /// Waits for somebody who cannot go on.
    async fn first_failure(&mut self, remedy: &str) -> StartFailure {
        loop {
            match self.ends.recv().await {
                Some(End::Done(Ok(()))) => self.running_count -= 1,
                Some(End::Done(Err(failure))) => {
                    self.running_count -= 1;
                    return StartFailure::Refused { failure, remedy: remedy.to_owned() };
                }
                Some(End::Panicked) | None => return StartFailure::Panicked,
            }
        }
    }

    /// Waits until everybody who is waited for has ended, or one of all has panicked: who knows then
    /// what is still to come.
    async fn all_ended(&mut self) {
        while 0 < self.running_count {
            match self.ends.recv().await {
                Some(End::Done(_)) => self.running_count -= 1,
                Some(End::Panicked) | None => std::future::pending().await,
            }
        }
    }
}
