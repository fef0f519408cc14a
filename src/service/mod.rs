//! The only layer that waits: workers, drain, signals.
//!
//! ```text
//! Kafka ──poll──► worker (thread) ──► engine::Partition ──effects──► transaction ──commit──► store
//!                   ▲ mailbox: look-ups, answered between batches from committed state
//! ```
//!
//! N identical workers, each with a consumer, a transactional producer and its partitions' stores.
//! Nothing is shared between them but what [`shared`] names.

mod board;
mod checkpoint;
mod commit;
mod customers;
mod detect;
mod failpoint;
mod folder;
mod group;
mod held;
mod idle;
mod live;
mod lookup;
mod notify;
mod orphans;
mod owners;
mod persist;
mod placement;
mod position;
mod publish;
mod reload;
mod route;
mod run;
mod session;
mod settings;
mod shared;
mod spawn;
mod spikes;
mod start;
mod transaction;
mod watchdog;
mod work;
mod worker;

pub use self::{
    folder::{FolderFailure, StateFolder},
    lookup::{Answer, Busy, Lookup, LookupDesk},
    reload::RuleFiles,
    run::{Exit, Launch, StartFailure, run},
    settings::{InputStart, Settings, StateSettings},
    shared::{Ruling, SourceEngines},
    start::{connection, plan, start},
};
