//! Questions about one customer, asked from outside and answered by the workers.
//!
//! A worker alone may touch its partitions, so a question is put into its mailbox and answered
//! between two batches, from committed state. Nothing is shared and nothing is locked.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use tokio::sync::oneshot;

/// How many questions may wait at one worker. Beyond it the asker is told to come back: a queue
/// that grows would answer questions whose askers have left.
const MAILBOX_SIZE: usize = 64;

/// A question, and where the answer goes.
#[derive(Debug)]
pub struct Lookup {
    /// Who is asked about.
    pub customer_id: String,
    /// Where to answer. An asker who has left is no failure.
    pub reply: oneshot::Sender<Answer>,
}

/// What one worker knows about a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The committed state row.
    Found {
        /// The partition it belongs to.
        partition: i32,
        /// The row, encoded.
        row: Vec<u8>,
    },
    /// None of this worker's partitions knows the customer.
    Unknown {
        /// The partitions that were asked.
        asked: Vec<i32>,
        /// Partitions of this worker that cannot answer yet.
        restoring: Vec<i32>,
    },
}

/// A worker's mailbox is full, or the service is ending. Without its answer nobody can say that a
/// customer is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the workers are too busy to answer")]
pub struct Busy;

/// Where questions are asked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LookupDesk {
    mailboxes: Vec<SyncSender<Lookup>>,
}

impl LookupDesk {
    /// Makes the desk and one mailbox for each worker.
    pub(super) fn open(worker_count: u16) -> (Self, Vec<Receiver<Lookup>>) {
        let (mailboxes, receivers) = (0..worker_count).map(|_| sync_channel(MAILBOX_SIZE)).unzip();
        (Self { mailboxes }, receivers)
    }

    /// Asks every worker of this process.
    ///
    /// # Errors
    ///
    /// A mailbox is full: ask again later (503).
    pub async fn ask(&self, customer_id: &str) -> Result<Vec<Answer>, Busy> {
        let mut waiting = Vec::with_capacity(self.mailboxes.len());
        for mailbox in &self.mailboxes {
            let (reply, answer) = oneshot::channel();
            let lookup = Lookup { customer_id: customer_id.to_owned(), reply };
            match mailbox.try_send(lookup) {
                Ok(()) => waiting.push(answer),
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => return Err(Busy),
            }
        }
        let mut answers = Vec::with_capacity(waiting.len());
        for answer in waiting {
            // A worker that ends in between drops its mailbox.
            answers.push(answer.await.map_err(|_closed| Busy)?);
        }
        Ok(answers)
    }
}

/// Takes the questions that wait now.
pub(super) fn waiting(mailbox: &Receiver<Lookup>) -> impl Iterator<Item = Lookup> {
    mailbox.try_iter().take(MAILBOX_SIZE)
}
