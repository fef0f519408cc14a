//! Why a request has no answer.

use std::error::Error;

use super::{ANSWER_BYTES_MAX, HOPS_MAX};

/// Why there is no answer. Says what it is about, and not where: that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// Not an address that can be asked.
    #[error("the address is not HTTP's")]
    NoAddress,
    /// What is to be shown, or a key, cannot stand in a header.
    #[error("the token or the key is not HTTP's")]
    NoHeader,
    /// Nobody listens there, or not in that language.
    #[error("no connection: {0}")]
    NoConnection(String),
    /// Somebody listens and does not speak HTTP.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// The time was over.
    #[error("no answer in time")]
    TooLate,
    /// The connection ended before the answer did.
    #[error("an answer that ends after {found} bytes, before it is whole")]
    Cut {
        /// What has come.
        found: usize,
    },
    /// More than anything that is asked for.
    #[error("an answer longer than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
    /// It sends us to what is no address.
    #[error("it sends on to what is not an address")]
    SentAstray,
    /// One instance sends us to the next.
    #[error("it sends on to another instance, and so do {HOPS_MAX} others")]
    RoundAndRound,
}

impl Unanswered {
    /// Says what lies at the bottom of an error.
    pub(super) fn of(error: &dyn Error, is_connect: bool) -> Self {
        let mut cause = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        if is_connect {
            Self::NoConnection(cause.to_string())
        } else {
            Self::NoAnswer(cause.to_string())
        }
    }

    /// Returns whether it will be the same however often it is tried.
    pub fn is_for_good(&self) -> bool {
        match self {
            Self::NoAddress | Self::NoHeader => true,
            Self::NoConnection(_)
            | Self::NoAnswer(_)
            | Self::TooLate
            | Self::Cut { .. }
            | Self::TooLong
            | Self::SentAstray
            | Self::RoundAndRound => false,
        }
    }
}
