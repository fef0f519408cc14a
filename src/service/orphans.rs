//! Partitions that nobody has are noticed, and the group made to share out anew
//! (see [`crate::kafka::Ownership`]).

use std::{thread, time::Duration};

use super::shared::Shared;
use crate::{
    clock::Stopwatch,
    kafka::{GroupConsumer, Place, Rebalance, Role},
    telemetry::log,
};

/// How often a member looks. Two looks in a row must find the same: a group that has just shared out
/// may have its second round ahead.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long the broker may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// How long a guest may take to be let in; then it goes, and another may come.
const GUEST_LIMIT: Duration = Duration::from_secs(30);

/// What a member of a group of several partitions knows of it.
#[derive(Debug)]
pub(super) struct OrphanWatch {
    group: String,
    /// The member's own name in the group.
    name: String,
    looked: Stopwatch,
    found: Vec<Place>,
    guest: Option<(GroupConsumer, Stopwatch)>,
}

impl OrphanWatch {
    pub(super) fn new(group: String, name: String) -> Self {
        let looked = Stopwatch::start();
        Self { group, name, looked, found: Vec::new(), guest: None }
    }

    /// Looks at times whether every partition has an owner, and sees to it.
    pub(super) fn look(&mut self, shared: &Shared, member: &GroupConsumer) {
        self.entertain();
        if self.guest.is_some() || self.looked.elapsed() < LOOK_EVERY {
            return;
        }
        self.looked = Stopwatch::start();
        let ownership = match member.ownership(ANSWER_LIMIT) {
            Ok(Some(ownership)) => ownership,
            Ok(None) => return self.found.clear(),
            Err(error) => {
                tracing::debug!(%error, "the group could not be looked at");
                return self.found.clear();
            }
        };
        let again = !ownership.orphans.is_empty() && ownership.orphans == self.found;
        self.found = ownership.orphans;
        if !again || ownership.spokesman != self.name {
            return;
        }
        let found: Vec<String> = self.found.iter().map(Place::to_string).collect();
        log::partitions_orphaned(&self.group, &found);
        let settings = &shared.settings;
        let topic = settings.topics.name(Role::State);
        match GroupConsumer::open_guest(&settings.connection, &self.group, topic) {
            Ok(guest) => self.guest = Some((guest, Stopwatch::start())),
            Err(error) => log::no_guest(&error),
        }
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
#[expect(clippy::disallowed_methods, reason = "it does nothing that anybody would miss")]
fn see_off(guest: GroupConsumer) {
    let leaving = thread::Builder::new().name("rega-guest".to_owned()).spawn(move || drop(guest));
    if let Err(error) = leaving {
        tracing::debug!(%error, "no thread for a guest that leaves");
    }
}
