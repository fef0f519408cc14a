//! What waits for its commit, of a worker or a router: how much, since when, and how often in a row it
//! had to be undone.

use super::Settings;
use crate::{
    clock::Stopwatch,
    kafka::{Class, KafkaFailure, Trouble},
    telemetry::AbortClass,
};

/// After so many aborts without a commit in between, the clients are built anew: whatever is wrong
/// does not go away by trying the same again.
const ABORTS_MAX: u32 = 5;

/// The transaction under way.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) since: Stopwatch,
    pub(super) record_count: usize,
    /// The last look at the input found more than a batch takes.
    pub(super) is_behind: bool,
    aborts_in_a_row: u32,
}

impl Transaction {
    pub(super) fn starting_now() -> Self {
        Self { since: Stopwatch::start(), record_count: 0, is_behind: false, aborts_in_a_row: 0 }
    }

    /// Returns how many records it still takes: no more than it may, also where much has been fetched
    /// ahead, and at least one.
    pub(super) fn room(&self, settings: &Settings) -> usize {
        settings.max_records_per_commit.saturating_sub(self.record_count).max(1)
    }

    /// Returns whether it is full, or has waited for as long as it may.
    pub(super) fn is_due(&self, settings: &Settings) -> bool {
        settings.max_records_per_commit <= self.record_count
            || settings.commit_after(self.is_behind) <= self.since.elapsed()
    }

    /// It was committed: the next one begins.
    pub(super) fn committed(&mut self) {
        *self = Self::starting_now();
    }

    /// It is undone: the next one begins.
    ///
    /// # Errors
    ///
    /// Undoing does not help any more.
    pub(super) fn aborted(&mut self, cause: &KafkaFailure) -> Result<(), KafkaFailure> {
        let aborts_in_a_row = self.aborts_in_a_row + 1;
        *self = Self { aborts_in_a_row, ..Self::starting_now() };
        if ABORTS_MAX < aborts_in_a_row { Err(cause.as_fatal()) } else { Ok(()) }
    }
}

/// Returns under which name an abort is counted.
pub(super) fn abort_class(cause: &KafkaFailure) -> AbortClass {
    match (cause.trouble(), cause.class) {
        (Trouble::TimedOut, _) => AbortClass::TimedOut,
        (Trouble::Fenced, _) => AbortClass::Fenced,
        (Trouble::StaleGeneration, _) => AbortClass::StaleGeneration,
        (Trouble::Lost, _) => AbortClass::Lost,
        (Trouble::Other, Class::Retriable | Class::Abortable) => AbortClass::Abortable,
        (Trouble::Other, Class::Fatal) => AbortClass::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_again_and_again_is_not_undone_for_ever() {
        let lost = KafkaFailure::lost_partitions();
        let mut transaction = Transaction::starting_now();
        for _ in 0..2 {
            for _ in 0..ABORTS_MAX {
                transaction.record_count = 7;
                transaction.aborted(&lost).unwrap();
                assert_eq!(transaction.record_count, 0, "it begins anew");
            }
            transaction.committed();
        }
        for _ in 0..ABORTS_MAX {
            transaction.aborted(&lost).unwrap();
        }
        assert_eq!(transaction.aborted(&lost).unwrap_err().class, Class::Fatal);
    }
}
