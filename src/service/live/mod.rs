//! The live picture: what the console shows, from the committed topics.
//!
//! Every instance reads all partitions of `moments`, as any consumer would, so that each shows the
//! whole and not its share. Reading everything costs, so it is only done while somebody watches, and a
//! while longer: whoever comes back finds the picture as it was. At rest this thread asks a few times
//! a second whether somebody has come. Spikes are few and on their board anyway.
//!
//! ```text
//! moments ──► follower ──► window ──┐
//! pain-spikes ──────────► board ────┴─ once a second ──► summary ──► viewers
//! ```

mod record;
mod summary;
mod window;

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use self::{record::MomentV1, summary::Here, window::Window};
use super::{
    Settings,
    persist::persist,
    shared::Shared,
    spawn::{Farewell, spawn_named},
    watchdog::Task,
};
use crate::{
    clock::Stopwatch,
    http::{SummaryJson, Viewers},
    kafka::{Follower, KafkaFailure, Role},
    telemetry::log,
};

/// How long the topics are read on after the last viewer has left or asked.
const LINGER: Duration = Duration::from_mins(10);

/// How often a thread at rest looks whether somebody has come.
const REST: Duration = Duration::from_millis(200);

/// How long one look for a record may take: how late a tick may be.
const TURN: Duration = Duration::from_millis(50);

/// How often a picture is shown.
const TICK: Duration = Duration::from_secs(1);

/// Where reading begins: so many moments before the end of each partition, so that the page is not
/// empty on a quiet day.
const MOMENTS_BACK: i64 = 300;

/// The newest summary, for whoever asks once.
#[derive(Debug, Default)]
struct Picture {
    /// Written once a second by one thread, read by pages.
    json: Arc<Mutex<Vec<u8>>>,
}

impl Picture {
    /// Returns what reads it.
    fn summary(&self) -> SummaryJson {
        let json = Arc::clone(&self.json);
        Arc::new(move || json.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn set(&self, json: Vec<u8>) {
        *self.json.lock().unwrap_or_else(PoisonError::into_inner) = json;
    }
}

/// Starts the thread, and returns who watches and how the newest summary is read. It ends when the
/// service is asked to, and sends the viewers home.
pub(super) fn start(
    shared: &Arc<Shared>,
    farewell: Farewell,
) -> io::Result<(Arc<Viewers>, SummaryJson)> {
    let shared = Arc::clone(shared);
    let viewers = Arc::new(Viewers::new(shared.settings.viewers_max));
    let picture = Picture::default();
    picture.set(summary::write(&Window::new(), &here(&shared)));
    let told = (Arc::clone(&viewers), picture.summary());
    // Nobody waits for it: it holds nothing that must be written.
    spawn_named("rega-live", farewell, move || Watch { shared, viewers, picture }.run())?;
    Ok(told)
}

struct Watch {
    shared: Arc<Shared>,
    viewers: Arc<Viewers>,
    picture: Picture,
}

/// What one stretch of watching has: from the first viewer to a while after the last.
struct Sitting {
    follower: Follower,
    window: Window,
    here: Here,
    ticked: Stopwatch,
}

impl Watch {
    fn run(self) -> Result<(), KafkaFailure> {
        let ended = persist(
            &self.shared,
            Task::Console,
            || self.session(),
            |failure| {
                log::picture_interrupted(&failure);
                Ok(())
            },
        );
        self.viewers.close();
        ended
    }

    /// Sits down whenever somebody watches, until asked to stop.
    fn session(&self) -> Result<(), KafkaFailure> {
        while !self.shared.stop.is_asked() {
            self.shared.rounds.come(Task::Console);
            if self.viewers.are_wanted(LINGER) {
                self.sit(Window::new())?;
            } else {
                self.shared.stop.wait(REST);
            }
        }
        Ok(())
    }

    /// Watches until nobody wants to know any more.
    fn sit(&self, window: Window) -> Result<(), KafkaFailure> {
        let mut sitting = self.open(window)?;
        while self.viewers.are_wanted(LINGER) && !self.shared.stop.is_asked() {
            self.shared.rounds.come(Task::Console);
            Self::read(&mut sitting)?;
            if TICK <= sitting.ticked.elapsed() {
                sitting.ticked = Stopwatch::start();
                sitting.window.tick();
                self.show(&mut sitting);
            }
        }
        self.picture.set(summary::write(&Window::new(), &here(&self.shared)));
        self.shared.telemetry.viewers(0, 0);
        Ok(())
    }

    fn open(&self, window: Window) -> Result<Sitting, KafkaFailure> {
        let Settings { connection, topics, .. } = &self.shared.settings;
        let moments = topics.name(Role::Moments);
        let follower = Follower::near_the_end(connection, [(moments, MOMENTS_BACK)])?;
        let mut here = here(&self.shared);
        here.since = Some(here.now);
        let mut sitting = Sitting { follower, window, here, ticked: Stopwatch::start() };
        self.show(&mut sitting);
        Ok(sitting)
    }

    /// Reads what there is until the next tick.
    fn read(sitting: &mut Sitting) -> Result<(), KafkaFailure> {
        let Sitting { follower, window, ticked, .. } = sitting;
        loop {
            let read = follower.poll(TURN, |_, value| {
                if let Ok(moment) = serde_json::from_slice::<MomentV1<'_>>(value) {
                    window.see(&moment);
                }
            })?;
            if !read || TICK <= ticked.elapsed() {
                return Ok(());
            }
        }
    }

    fn show(&self, sitting: &mut Sitting) {
        let now = here(&self.shared);
        sitting.here = Here { since: sitting.here.since, ..now };
        let json = summary::write(&sitting.window, &sitting.here);
        self.viewers.show("summary", &json);
        self.shared.telemetry.viewers(self.viewers.count(), self.viewers.take_missed());
        self.picture.set(json);
    }
}

fn here(shared: &Shared) -> Here {
    let (customers, partition_count) = shared.telemetry.customers();
    Here {
        customers,
        partition_count,
        partition_count_of_all: usize::try_from(shared.topics.partition_count).unwrap_or(0),
        spikes: shared.spikes.newest(),
        since: None,
        now: shared.settings.clock.now(),
    }
}
