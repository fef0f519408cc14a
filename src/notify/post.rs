//! One letter to a receiver, and what they make of it.

use std::time::Duration;

use crate::http_client::{Request, WaitingClient};

/// How long a receiver may take. One that is slower is as good as dead while somebody waits.
const LIMIT: Duration = Duration::from_secs(5);

/// Why it was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotTaken {
    /// It never will be.
    pub(super) for_good: bool,
    /// In a few words, without the address.
    pub(super) problem: String,
}

/// Posts once.
pub(super) fn post(client: &WaitingClient, request: Request<'_>) -> Result<(), NotTaken> {
    let status = client.status(request, LIMIT).map_err(|unanswered| NotTaken {
        for_good: unanswered.is_for_good(),
        problem: unanswered.to_string(),
    })?;
    if (200..300).contains(&status) {
        return Ok(());
    }
    // Too many requests (429) and a time-out (408) are a client's errors that go away.
    let for_good = (400..500).contains(&status) && ![408, 429].contains(&status);
    Err(NotTaken { for_good, problem: format!("answered {status}") })
}
