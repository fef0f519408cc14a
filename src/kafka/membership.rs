//! As whom a group knows a consumer, and whether that is still who took its partitions up.
//!
//! A member that is expelled while it rejoins (its process was paused) gets a new id, and keeps what it
//! was assigned, without being told that it had lost it meanwhile: librdkafka 2.12 forgets to say so
//! (`JoinGroup` answered with `UNKNOWN_MEMBER_ID`, cooperative). Its generation is then a valid one, so
//! the broker would take the offsets of work that others have done since.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, ConsumerGroupMetadata};

use super::{Class, KafkaFailure, native};

/// Under which id partitions were taken up.
#[derive(Debug, Default)]
pub(super) struct Membership {
    /// A lock because consumers are shared by reference; nobody ever waits for it.
    noted: Mutex<Option<String>>,
}

impl Membership {
    /// Takes note of whom the group knows the consumer as: partitions are taken up under this id.
    pub(super) fn note<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>) {
        self.note_id(native::member_id(consumer.client()));
    }

    /// Returns whether the group knows the consumer by another id than the one that was noted.
    pub(super) fn is_replaced<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>) -> bool {
        native::member_id(consumer.client()).is_some_and(|now| self.is_another(&now))
    }

    /// Returns what a transaction must present for our offsets to count, read now.
    ///
    /// # Errors
    ///
    /// We are no member of the group at the moment: the transaction has to be aborted. Or we are
    /// another one than when partitions were taken up: the clients are of no more use. Without these
    /// checks the broker would take the offsets from a stranger.
    pub(super) fn metadata<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
    ) -> Result<ConsumerGroupMetadata, KafkaFailure> {
        let doing = "reading the group's metadata";
        let missing = |reason| KafkaFailure::own(doing, Class::Abortable, reason);
        let metadata = consumer.group_metadata().ok_or_else(|| missing("there is no group"))?;
        // After the metadata was read: an id never comes back, so what we had then is what we have
        // now.
        match native::member_id(consumer.client()) {
            None => Err(missing("not a member of the group at the moment")),
            Some(now) if self.is_another(&now) => Err(KafkaFailure::expelled()),
            Some(_) => Ok(metadata),
        }
    }

    /// Who is no member at the moment leaves what was noted: they come back as somebody else.
    fn note_id(&self, now: Option<String>) {
        if now.is_some() {
            *self.noted() = now;
        }
    }

    fn is_another(&self, now: &str) -> bool {
        self.noted().as_ref().is_some_and(|noted| noted != now)
    }

    fn noted(&self) -> MutexGuard<'_, Option<String>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_another_id_than_was_noted_is_another() {
        let membership = Membership::default();
        assert!(!membership.is_another("a"), "nothing was taken up yet");
        membership.note_id(Some("a".to_owned()));
        assert!(!membership.is_another("a"));
        assert!(membership.is_another("b"));
        membership.note_id(None);
        assert!(membership.is_another("b"), "between two memberships nothing is forgotten");
        membership.note_id(Some("b".to_owned()));
        assert!(!membership.is_another("b"));
    }
}
