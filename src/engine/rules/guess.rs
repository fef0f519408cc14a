//! What channel and name words suggest for events that no rule knows.
//!
//! A guess is marked as one, and never gives pain, glory or points: it keeps an unknown stream
//! readable without letting words decide what somebody felt.

use super::spec::GuessSpec;
use crate::model::{Actor, MicroMoment, MomentOfTruth, Stage};

/// The pack's guesses, in order.
#[derive(Debug)]
pub(super) struct Guesses(Box<[GuessSpec]>);

impl Guesses {
    pub(super) fn new(specs: Vec<GuessSpec>) -> Self {
        Self(specs.into())
    }

    /// Returns who acts, by the first guess that says so: a mail that nobody has described is still no
    /// visit of the customer.
    pub(super) fn actor(&self, event: &str, channel: &str) -> Option<Actor> {
        self.meant(event, channel).find_map(|guess| guess.actor)
    }

    fn meant(&self, event: &str, channel: &str) -> impl Iterator<Item = &GuessSpec> {
        self.0.iter().filter(move |guess| {
            let on_channel =
                guess.channels.is_empty() || guess.channels.iter().any(|one| one == channel);
            on_channel
                && (guess.words.is_empty() || guess.words.iter().any(|one| has_words(event, one)))
        })
    }

    /// Returns the labels of the first guess that gives each; `None` when no word is known.
    pub(super) fn guess(
        &self,
        event: &str,
        channel: &str,
    ) -> Option<(MicroMoment, MomentOfTruth, Stage)> {
        let (mut micro_moment, mut moment_of_truth, mut stage) = (None, None, None);
        for guess in self.meant(event, channel) {
            micro_moment = micro_moment.or(guess.micro_moment);
            moment_of_truth = moment_of_truth.or(guess.moment_of_truth);
            stage = stage.or(guess.stage);
        }
        if micro_moment.is_none() && moment_of_truth.is_none() && stage.is_none() {
            return None;
        }
        Some((
            micro_moment.unwrap_or(MicroMoment::None),
            moment_of_truth.unwrap_or(MomentOfTruth::None),
            stage.unwrap_or(Stage::None),
        ))
    }
}

/// Returns whether a name has these words in a row.
fn has_words(name: &str, words: &str) -> bool {
    name.match_indices(words).any(|(at, _)| {
        let before = name.get(..at).unwrap_or_default();
        let behind = name.get(at + words.len()..).unwrap_or_default();
        (before.is_empty() || before.ends_with('_'))
            && (behind.is_empty() || behind.starts_with('_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_words_of_the_name_in_a_row() {
        assert!(has_words("welcome_email_sent", "email_sent"));
        assert!(has_words("email_sent_again", "email_sent"));
        assert!(has_words("resent_email_sent", "email_sent"));
        assert!(has_words("sent", "sent"));
        for name in ["voicemail_sent", "email_sentiment_read", "email_was_sent", "presents"] {
            assert!(!has_words(name, "email_sent"), "{name}");
        }
        assert!(!has_words("presented", "sent"));
    }
}
