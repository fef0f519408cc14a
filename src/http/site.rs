//! What the pages need from the rest of the program.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{Token, Viewers};

/// Renders all metrics as text.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// What a look-up will answer: the customer's JSON, or `None` for nobody.
pub type LookupFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Vec<u8>>, LookupError>> + Send + 'a>>;

/// Finds customers. The service implements it; the answer's bytes are the engine's.
pub trait CustomerLookup: Send + Sync {
    /// Looks up one customer in committed state.
    fn look_up<'a>(&'a self, customer_id: &'a str, reach: Reach) -> LookupFuture<'a>;

    /// Says why that customer has the score that they have.
    fn explain<'a>(&'a self, customer_id: &'a str, reach: Reach) -> LookupFuture<'a>;
}

/// How far a look-up may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To whichever instance has the customer.
    Everywhere,
    /// To this instance's own state: another instance asks, and must not be sent on.
    Here,
}

/// Why a customer could not be looked up now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The worker's mailbox is full. Ask again.
    #[error("too many look-ups are waiting, ask again")]
    Busy,
    /// The partition is assigned here, but its state has not caught up. Ask again.
    #[error("the customer's state is still being restored, ask again")]
    NotReady,
    /// The partition is not assigned to this instance. Ask another one.
    #[error("the customer's partition is not assigned to this instance, ask another one")]
    Elsewhere,
    /// Another instance has the partition, and answers there.
    #[error("another instance has the customer's partition")]
    At(
        /// `http://host:port`.
        String,
    ),
    /// Another instance has the partition, and does not answer.
    #[error(
        "partition {partition} was last taken up by instance \"{instance}\" at {address}, which does \
         not answer; ask again"
    )]
    OwnerGone {
        /// The partition: the customer's, or one that may be.
        partition: i32,
        /// Who has it, or had it.
        instance: String,
        /// Where.
        address: String,
    },
    /// Nobody has said yet that they have the partition.
    #[error("no instance has taken up partition {partition} yet, ask again")]
    OwnerUnknown {
        /// The partition.
        partition: i32,
    },
}

/// Knows which spikes are open. The service implements it, from the committed topic.
pub trait OpenSpikes: Send + Sync {
    /// Returns `{"spikes": […]}`: the last record of every open spike.
    fn to_json(&self) -> Vec<u8>;
}

/// Whether this instance does its work, and if not, why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// What is still missing; ready when empty. For people: one short sentence each.
    pub reasons: Vec<String>,
    /// What does not keep the instance from working, but should be looked at.
    pub warnings: Vec<String>,
}

impl Readiness {
    /// Returns a readiness that waits for one thing.
    pub fn waiting_for(reason: &str) -> Self {
        Self { reasons: vec![reason.to_owned()], warnings: Vec::new() }
    }

    /// Returns whether nothing is missing.
    pub fn is_ready(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// How much one server takes. What is beyond is refused or cut off, never queued without end.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time. More wait in the operating system's backlog.
    pub connections_max: usize,
    /// Bytes of a request's line and headers; beyond, 431. Not below 8192.
    pub header_bytes_max: usize,
    /// How long a client may take to send them, and may be silent between two requests.
    pub header_time: Duration,
    /// Bytes of a body; beyond, 413. No page reads one yet.
    pub body_bytes_max: u64,
    /// How long a page may take to answer; beyond, 503.
    pub request_time: Duration,
    /// After so long a connection is told to end after its current request, so that clients that
    /// never hang up cannot hold every place.
    pub connection_time: Duration,
    /// How long it may then take to end, before it is cut.
    pub farewell_time: Duration,
}

impl Default for Limits {
    /// Enough for Prometheus, probes and a team of people, and small enough to be of no use to
    /// anybody who wants to hurt the pipeline that runs beside it.
    fn default() -> Self {
        Self {
            connections_max: 128,
            header_bytes_max: 16 * 1024,
            header_time: Duration::from_secs(10),
            body_bytes_max: 64 * 1024,
            request_time: Duration::from_secs(5),
            connection_time: Duration::from_mins(2),
            farewell_time: Duration::from_secs(5),
        }
    }
}

/// Writes the newest summary of what is seen, as JSON.
pub type SummaryJson = Arc<dyn Fn() -> Vec<u8> + Send + Sync>;

/// What is lent to the pages.
#[derive(Clone)]
pub struct Site {
    /// What `/metrics` shows.
    pub metrics: MetricsText,
    /// What `/readyz` shows: written by the service whenever it changes.
    pub readiness: watch::Receiver<Readiness>,
    /// Who answers `/v1/customers/{id}`.
    pub customers: Arc<dyn CustomerLookup>,
    /// What a request for `/v1` must show; `None`: nothing.
    pub token: Option<Token>,
    /// What `/v1/spikes` shows.
    pub spikes: Arc<dyn OpenSpikes>,
    /// What `/v1/summary` shows.
    pub summary: SummaryJson,
    /// Who watches `/v1/stream`.
    pub viewers: Arc<Viewers>,
    /// The bounds.
    pub limits: Limits,
}

impl fmt::Debug for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Site")
            .field("readiness", &*self.readiness.borrow())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
