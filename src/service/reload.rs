//! Rules that change while the service runs.
//!
//! Files are looked at every few seconds, and at once on SIGHUP. What compiles is swapped in whole;
//! workers take it up between two transactions, so that one transaction is one rule set's work. What
//! does not compile changes nothing but a gauge, a line in the log and a warning at `/readyz`: a
//! slip in an editor must not stop a service. Of the settings only `rules` is read again; the others
//! hold until the next start.

use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::Duration,
};

use super::{
    shared::{Ruling, Shared},
    spawn::{Farewell, spawn_named},
};
use crate::{
    config::{self, Environment, Loaded, Report},
    engine::rules::RuleSet,
    telemetry::log,
};

/// How often files are looked at. Who cannot wait sends SIGHUP.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Makes what workers work with of new rules, under the settings of the start.
type Make = Box<dyn Fn(RuleSet) -> Ruling + Send>;

/// Where rules came from, so that they can be read again.
pub struct RuleFiles {
    /// The settings that name them.
    pub settings: PathBuf,
    /// The environment of the start.
    pub environment: Environment,
}

impl fmt::Debug for RuleFiles {
    /// Leaves the environment out: it may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RuleFiles")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// What is needed to go on under other rules.
pub(super) struct Reload {
    files: RuleFiles,
    watched: Vec<PathBuf>,
    seen: u64,
    make: Make,
}

impl Reload {
    /// `loaded` is what the files said at the start.
    pub(super) fn new(files: RuleFiles, loaded: &Loaded, make: Make) -> Self {
        let watched = watched(&files, loaded);
        Self { files, seen: config::fingerprint(&watched), watched, make }
    }

    /// Watches on a thread of its own, because reading files waits. It ends when the sender that is
    /// returned is dropped; a message makes it look at once.
    pub(super) fn start(
        self,
        shared: Arc<Shared>,
        farewell: Farewell,
    ) -> std::io::Result<SyncSender<()>> {
        // One message is enough: whoever asks twice before it looks sees what they asked for.
        let (sender, asked) = sync_channel(1);
        spawn_named("rega-rules", farewell, move || {
            self.watch(&shared, &asked);
            Ok(())
        })?;
        Ok(sender)
    }

    fn watch(mut self, shared: &Shared, asked: &Receiver<()>) {
        loop {
            match asked.recv_timeout(LOOK_EVERY) {
                Ok(()) => self.look(shared, true),
                Err(RecvTimeoutError::Timeout) => self.look(shared, false),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn look(&mut self, shared: &Shared, asked: bool) {
        let now = config::fingerprint(&self.watched);
        if now == self.seen && !asked {
            return;
        }
        self.seen = now;
        match config::load(Some(&self.files.settings), &self.files.environment) {
            Ok(loaded) => self.take(loaded, shared),
            Err(report) => refuse(&report, shared),
        }
    }

    fn take(&mut self, loaded: Loaded, shared: &Shared) {
        self.watched = watched(&self.files, &loaded);
        self.seen = config::fingerprint(&self.watched);
        shared.board.rules_refused(None);
        shared.telemetry.rules_refused(0);
        if shared.ruling.load().engine.rules().version() == loaded.rules.version() {
            return;
        }
        let ruling = (self.make)(loaded.rules);
        let names = Arc::clone(&ruling.names);
        let version = ruling.engine.rules().version().to_owned();
        shared.ruling.store(Arc::new(ruling));
        shared.telemetry.rules_reloaded();
        shared.telemetry.rules_loaded(&version, &names);
    }
}

fn watched(files: &RuleFiles, loaded: &Loaded) -> Vec<PathBuf> {
    let mut watched = loaded.pack_paths.clone();
    watched.push(files.settings.clone());
    watched
}

fn refuse(report: &Report, shared: &Shared) {
    let count = report.problems().len();
    let first = report.to_string();
    let first = first.lines().next().unwrap_or_default();
    shared.telemetry.rules_refused(count);
    shared.board.rules_refused(Some(format!(
        "the rules on disk have {count} problems, the ones before stay in force: {first}"
    )));
    // Last, so that whoever reads the line finds it at `/readyz` too.
    log::rules_refused(count, &first);
}
