//! As whom a group knows a consumer, and whether that is still who took its partitions up.
//!
//! A member that is expelled while it rejoins (its process was paused) gets a new id, and keeps what it
//! was assigned, without being told that it had lost it meanwhile: librdkafka 2.12 forgets to say so
//! (`JoinGroup` answered with `UNKNOWN_MEMBER_ID`, cooperative). Its generation is then a valid one, so
//! the broker would take the offsets of work that others have done since.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::consumer::{Consumer, ConsumerGroupMetadata};

use super::{Class, GroupConsumer, KafkaFailure, native};

impl GroupConsumer {
    /// Answers an assignment with nothing for now, and takes note of whom the group knows us as: what
    /// is assigned is taken up under this id, each partition when it is ready. `holding`: something that
    /// was taken up before is still in hand.
    ///
    /// # Errors
    ///
    /// As [`Self::check_membership`], or the member has to start over.
    pub fn answer_assignment(&self, holding: bool) -> Result<(), KafkaFailure> {
        self.check_membership(holding)?;
        // Before the answer: until then the client does not join again.
        self.membership.note(native::member_id(self.consumer.client()));
        self.assign(&[])
    }

    /// Looks whether we are still who took up what we are `holding`. Who has lost everything, and was
    /// told so, comes back under a new id with nothing to lose.
    ///
    /// # Errors
    ///
    /// The group has expelled us and let us in again: what we hold may be somebody else's now, also
    /// while the client still shows it as ours. Only new clients know for certain.
    pub fn check_membership(&self, holding: bool) -> Result<(), KafkaFailure> {
        let now = native::member_id(self.consumer.client());
        if holding && now.is_some_and(|now| self.membership.is_another(&now)) {
            return Err(KafkaFailure::expelled());
        }
        Ok(())
    }

    /// Returns what a transaction must present for our offsets to count, read now.
    ///
    /// # Errors
    ///
    /// We are no member of the group at the moment: the transaction has to be aborted. Or we are
    /// another one than when partitions were taken up: the clients are of no more use. Without these
    /// checks the broker would take the offsets from a stranger.
    pub(super) fn metadata(&self) -> Result<ConsumerGroupMetadata, KafkaFailure> {
        let doing = "reading the group's metadata";
        let missing = |reason| KafkaFailure::own(doing, Class::Abortable, reason);
        let metadata =
            self.consumer.group_metadata().ok_or_else(|| missing("there is no group"))?;
        // After the metadata was read: an id never comes back, so what we had then is what we have
        // now.
        match native::member_id(self.consumer.client()) {
            None => Err(missing("not a member of the group at the moment")),
            Some(now) if self.membership.is_another(&now) => Err(KafkaFailure::expelled()),
            Some(_) => Ok(metadata),
        }
    }
}

/// Under which id partitions were taken up.
#[derive(Debug, Default)]
pub(super) struct Membership {
    /// A lock because consumers are shared by reference; nobody ever waits for it.
    noted: Mutex<Option<String>>,
}

impl Membership {
    /// Who is no member at the moment leaves what was noted: they come back as somebody else.
    fn note(&self, now: Option<String>) {
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
        membership.note(Some("a".to_owned()));
        assert!(!membership.is_another("a"));
        assert!(membership.is_another("b"));
        membership.note(None);
        assert!(membership.is_another("b"), "between two memberships nothing is forgotten");
        membership.note(Some("b".to_owned()));
        assert!(!membership.is_another("b"));
    }
}
