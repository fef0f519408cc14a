//! Partitions that nobody has are noticed, and the group made to share out anew
//! (see [`crate::kafka::Ownership`]).

use std::{thread, time::Duration};

use super::session::Session;
use crate::{
    clock::Stopwatch,
    kafka::{GroupConsumer, Rebalance, Role},
    telemetry::log,
};

/// How often a member looks. Two looks in a row must find the same: a group that has just shared out
/// may have its second round ahead.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long the broker may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// How long a guest may take to be let in; then it goes, and another may come.
const GUEST_LIMIT: Duration = Duration::from_secs(30);

/// What a worker knows of it.
#[derive(Debug)]
pub(super) struct OrphanWatch {
    looked: Stopwatch,
    found: Vec<i32>,
    guest: Option<(GroupConsumer, Stopwatch)>,
}

impl OrphanWatch {
    pub(super) fn new() -> Self {
        Self { looked: Stopwatch::start(), found: Vec::new(), guest: None }
    }

    /// Goes on with a guest that is under way; drops it once the group has shared out.
    fn entertain(&mut self) {
        let Some((guest, since)) = &self.guest else { return };
        // It has no records to read, only rebalances to hear of.
        drop(guest.poll(Duration::ZERO));
        let let_in = matches!(guest.next_rebalance(), Some(Rebalance::Assigned(_)));
        if let_in || since.left_of(GUEST_LIMIT).is_zero() {
            self.found.clear();
            if let Some((guest, _)) = self.guest.take() {
                see_off(guest);
            }
        }
    }
}

/// Lets a guest go. To leave may take long when the broker is gone, so nobody waits for it.
fn see_off(guest: GroupConsumer) {
    let leaving = thread::Builder::new().name("rega-guest".to_owned()).spawn(move || drop(guest));
    if let Err(error) = leaving {
        tracing::debug!(%error, "no thread for a guest that leaves");
    }
}

impl Session<'_> {
    /// Looks whether every partition has an owner, and sees to it.
    pub(super) fn look_for_orphans(&mut self) {
        self.orphans.entertain();
        if self.orphans.guest.is_some() || self.orphans.looked.elapsed() < LOOK_EVERY {
            return;
        }
        self.orphans.looked = Stopwatch::start();
        let count = self.shared.topics.partition_count;
        let ownership = match self.consumer.ownership(count, ANSWER_LIMIT) {
            Ok(Some(ownership)) => ownership,
            Ok(None) => return self.orphans.found.clear(),
            Err(error) => {
                tracing::debug!(%error, "the group could not be looked at");
                return self.orphans.found.clear();
            }
        };
        let settings = &self.shared.settings;
        let again = !ownership.orphans.is_empty() && ownership.orphans == self.orphans.found;
        self.orphans.found = ownership.orphans;
        if !again || ownership.spokesman != settings.worker_name(self.worker) {
            return;
        }
        log::partitions_orphaned(self.worker, &self.orphans.found);
        let topic = settings.topics.name(Role::State);
        match GroupConsumer::open_guest(&settings.connection, &settings.app, topic) {
            Ok(guest) => self.orphans.guest = Some((guest, Stopwatch::start())),
            Err(error) => log::kafka_trouble(self.worker, &error),
        }
    }
}
