//! Route: a copy of the input in which every record is one customer's, in that customer's partition.
//!
//! ```text
//! touchpoints, keyed as they like, ─► route ─► <app>-routed ─► workers, as with any keyed input
//! any topics, batches of several        │       key = customer id
//!                                       ▼
//!                                    rejects
//! ```
//!
//! State is right only if one customer's records share one partition. Where the input does not see to
//! that, this does: a router beside every worker reads the sources with a group of its own
//! (`<app>-route`), takes records apart, and writes every item under its customer's id, with the offsets
//! in the same transaction. So nothing is lost or repeated on the way, whatever is killed.
//!
//! The copy's partition count is chosen once, and the sources may be widened at any time: their
//! partitions mean nothing to the state.
//!
//! # Invariants
//!
//! - An item's bytes are copied untouched, and items of one source partition stay in order.
//! - A copy says where it came from ([`Origin`]), so that a reject names the source, and an assumed
//!   time is the source's.

mod copying;
mod origin;
mod position;
mod session;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

pub(super) use self::origin::{ORIGIN_HEADER, Origin};
use self::session::RouterSession;
use super::{persist::persist, shared::Shared, worker::broken};
use crate::{
    kafka::{KafkaFailure, Role, Source, has_records, survey},
    model::Partitioner,
    service::{Settings, watchdog::Task},
};

/// What routers need to know, as it was when the process started.
#[derive(Debug)]
pub(super) struct Sources {
    /// What is read.
    pub(super) known: Vec<Source>,
    /// How a customer's partition is chosen.
    pub(super) partitioner: Partitioner,
    /// By router: there are records that it has not copied yet. Written a few times a second.
    behind: Vec<AtomicBool>,
    /// The copy had records already.
    pub(super) copied: bool,
}

impl Sources {
    /// Looks at the sources; `None` where nothing is routed.
    pub(super) fn look(settings: &Settings) -> Result<Option<Self>, KafkaFailure> {
        let plan = &settings.topics;
        if !plan.is_routed() {
            return Ok(None);
        }
        // Before the offsets: where somebody else begins meanwhile, there are then offsets as well.
        let copied = has_records(&settings.connection, plan.name(Role::Input))?;
        let known = survey(&settings.connection, &plan.route_group(), &plan.sources)?;
        Ok(Some(Self {
            known,
            // Java consumers can join with the copy, unless the state was begun otherwise.
            partitioner: settings.partitioner.unwrap_or(Partitioner::Murmur2),
            behind: (0..settings.worker_count).map(|_| AtomicBool::new(true)).collect(),
            copied,
        }))
    }

    fn set_behind(&self, router: u16, behind: bool) {
        if let Some(flag) = self.behind.get(usize::from(router)) {
            flag.store(behind, Ordering::Relaxed);
        }
    }

    /// Whether any router of this process has records to copy. While it has, a partition of the copy
    /// that is at its end is no quiet one: its touchpoints may be on their way.
    pub(super) fn is_behind(&self) -> bool {
        self.behind.iter().any(|flag| flag.load(Ordering::Relaxed))
    }
}

/// A router: one thread beside each worker.
#[derive(Debug)]
pub(super) struct Router {
    pub(super) index: u16,
    pub(super) shared: Arc<Shared>,
}

impl Router {
    /// Copies until asked to stop.
    ///
    /// # Errors
    ///
    /// The broker does not permit what is needed: that does not get better by trying.
    pub(super) fn run(&self) -> Result<(), KafkaFailure> {
        let Some(sources) = &self.shared.sources else { return Ok(()) };
        let session = || RouterSession::open(self.index, &self.shared, sources)?.run();
        persist(&self.shared, Task::Router(self.index), session, |failure| {
            broken(&self.shared, self.index, failure)
        })
    }
}
