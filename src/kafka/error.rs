//! What a failed call means for the worker: say it again, undo, or start over.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// What kind of trouble it was, for whoever counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No answer in time.
    TimedOut,
    /// Somebody else has our name.
    Fenced,
    /// The group went on without us.
    StaleGeneration,
    /// Our partitions were given away before the commit.
    Lost,
    /// Anything else.
    Other,
}

const KEEPING: &str = "keeping partitions";

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The same call may be made again.
    Retriable,
    /// The transaction has to be aborted; the clients stay usable.
    Abortable,
    /// The clients are of no more use: new ones, and everything restored. Also where nobody knows
    /// whether a commit succeeded: the next producer's start settles that.
    Fatal,
}

/// A call of the Kafka client that failed.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {reason}")]
pub struct KafkaFailure {
    /// What was being done.
    pub doing: &'static str,
    /// What to do about it.
    pub class: Class,
    /// What the client or the broker said, without secrets.
    pub reason: String,
    /// The client's own code, where there is one.
    code: Option<RDKafkaErrorCode>,
}

impl KafkaFailure {
    /// Classifies an error of the client library.
    pub(super) fn new(doing: &'static str, error: &KafkaError) -> Self {
        Self {
            doing,
            class: class_of(error),
            reason: text(error),
            code: error.rdkafka_error_code(),
        }
    }

    /// Makes a failure of our own.
    pub(super) fn own(doing: &'static str, class: Class, reason: impl Into<String>) -> Self {
        Self { doing, class, reason: reason.into(), code: None }
    }

    /// A record that the broker did not take.
    pub(super) fn undelivered(doing: &'static str, code: RDKafkaErrorCode, topic: &str) -> Self {
        let reason = format!("topic \"{topic}\": {code}");
        Self { doing, class: Class::Abortable, reason, code: Some(code) }
    }

    /// The same failure, where the transaction itself knows what it failed of.
    #[must_use]
    pub(super) fn because(self, error: &KafkaError, denied: Option<String>) -> Self {
        let KafkaError::Transaction(error) = error else { return self };
        let code = error.code();
        if code == RDKafkaErrorCode::State {
            return self;
        }
        let class = if error.is_fatal() { Class::Fatal } else { Class::Abortable };
        // Records that were purged with the others name topics that have nothing to do with it.
        let reason = denied.unwrap_or_else(|| error.string());
        Self { doing: self.doing, class, reason, code: Some(code) }
    }

    /// The same failure, when repeating the call is no longer worth it: what a timed-out call did
    /// is unknown.
    #[must_use]
    pub(super) fn given_up(mut self) -> Self {
        self.class = Class::Fatal;
        self
    }

    /// The same failure, when it can be undone and not waited out.
    #[must_use]
    pub(super) fn abortable(mut self) -> Self {
        self.class = Class::Abortable;
        self
    }

    /// The broker gave our partitions to somebody else before we could commit.
    pub fn lost_partitions() -> Self {
        Self::own(KEEPING, Class::Abortable, "the group has moved them elsewhere")
    }

    /// The group took us for dead, gave our partitions away, and has let us in again as somebody new.
    pub fn expelled() -> Self {
        Self::own(KEEPING, Class::Fatal, "the group had expelled this member in between")
    }

    /// What is on this machine's disk is not to be believed, so nothing that rests on it is committed.
    pub fn local_state(reason: impl Into<String>) -> Self {
        Self::own("reading this machine's state", Class::Fatal, reason)
    }

    /// The same failure, when undoing has not helped.
    #[must_use]
    pub fn as_fatal(&self) -> Self {
        Self {
            doing: self.doing,
            class: Class::Fatal,
            reason: self.reason.clone(),
            code: self.code,
        }
    }

    /// Returns what kind of trouble this is.
    pub fn trouble(&self) -> Trouble {
        if self.doing == KEEPING {
            return Trouble::Lost;
        }
        // The library's list grows, and most of it is `Other`.
        match self.code {
            Some(RDKafkaErrorCode::OperationTimedOut) => Trouble::TimedOut,
            Some(
                RDKafkaErrorCode::Fenced
                | RDKafkaErrorCode::ProducerFenced
                | RDKafkaErrorCode::InvalidProducerEpoch
                | RDKafkaErrorCode::FencedInstanceId,
            ) => Trouble::Fenced,
            Some(RDKafkaErrorCode::IllegalGeneration | RDKafkaErrorCode::UnknownMemberId) => {
                Trouble::StaleGeneration
            }
            _ => Trouble::Other,
        }
    }

    /// Returns whether the clients can go on once the transaction is undone. What is not permitted does
    /// not get better by trying.
    pub fn can_be_undone(&self) -> bool {
        self.class != Class::Fatal && !self.is_refusal()
    }

    /// Returns whether nobody answered at all.
    pub fn is_silence(&self) -> bool {
        matches!(
            self.code,
            Some(
                RDKafkaErrorCode::BrokerTransportFailure
                    | RDKafkaErrorCode::AllBrokersDown
                    | RDKafkaErrorCode::Resolve
                    | RDKafkaErrorCode::OperationTimedOut
            )
        )
    }

    /// Returns whether the broker said no rather than nothing.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self.code,
            Some(
                RDKafkaErrorCode::TopicAuthorizationFailed
                    | RDKafkaErrorCode::GroupAuthorizationFailed
                    | RDKafkaErrorCode::ClusterAuthorizationFailed
                    | RDKafkaErrorCode::TransactionalIdAuthorizationFailed
                    | RDKafkaErrorCode::SaslAuthenticationFailed
                    | RDKafkaErrorCode::Authentication
            )
        )
    }
}

fn class_of(error: &KafkaError) -> Class {
    if let KafkaError::Transaction(error) = error {
        return if error.is_fatal() {
            Class::Fatal
        } else if error.txn_requires_abort() {
            Class::Abortable
        } else if error.is_retriable() {
            Class::Retriable
        } else {
            Class::Fatal
        };
    }
    // Everything else (seeks, assignments, refused records) leaves the client in a state that
    // nobody knows, so nothing is built on it.
    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) {
        Class::Retriable
    } else {
        Class::Fatal
    }
}

/// Returns the error's text. A configuration error carries the value, which may be a secret.
fn text(error: &KafkaError) -> String {
    if let KafkaError::ClientConfig(_, _, name, _) = error {
        format!("`kafka.properties` \"{name}\" is unknown or has a value that is not allowed")
    } else if let KafkaError::Transaction(error) = error {
        format!("{} ({})", error.string(), error.name())
    } else {
        error.to_string()
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::types::RDKafkaConfRes;

    use super::*;

    #[test]
    fn a_full_queue_is_tried_again_and_a_refused_record_is_not() {
        let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
        let large = KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge);
        assert_eq!(class_of(&full), Class::Retriable);
        assert_eq!(class_of(&large), Class::Fatal);
    }

    #[test]
    fn what_is_refused_or_fatal_is_not_undone() {
        assert!(KafkaFailure::lost_partitions().can_be_undone());
        assert!(!KafkaFailure::expelled().can_be_undone());
        let refused = RDKafkaErrorCode::TopicAuthorizationFailed;
        assert!(!KafkaFailure::undelivered("producing", refused, "moments").can_be_undone());
        let large = RDKafkaErrorCode::MessageSizeTooLarge;
        assert!(KafkaFailure::undelivered("producing", large, "moments").can_be_undone());
    }

    #[test]
    fn a_configured_value_does_not_reach_the_text() {
        let error = KafkaError::ClientConfig(
            RDKafkaConfRes::RD_KAFKA_CONF_INVALID,
            "bad value hunter2".to_owned(),
            "ssl.key.password".to_owned(),
            "hunter2".to_owned(),
        );
        let failure = KafkaFailure::new("opening the consumer", &error);
        assert!(!failure.to_string().contains("hunter2"));
        assert!(failure.to_string().contains("ssl.key.password"));
    }
}
