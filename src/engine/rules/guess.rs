//! What channel and name words suggest for events that no rule knows.
//!
//! A guess is marked as one, and never gives pain, glory or points: it keeps an unknown stream
//! readable without letting words decide what somebody felt.

use super::spec::GuessSpec;
use crate::model::{MicroMoment, MomentOfTruth, Stage};

/// The pack's guesses, in order.
#[derive(Debug)]
pub(super) struct Guesses(Box<[GuessSpec]>);

impl Guesses {
    pub(super) fn new(specs: Vec<GuessSpec>) -> Self {
        Self(specs.into())
    }

    /// Returns the labels of the first guess that gives each; `None` when no word is known.
    pub(super) fn guess(
        &self,
        event: &str,
        channel: &str,
    ) -> Option<(MicroMoment, MomentOfTruth, Stage)> {
        let (mut micro_moment, mut moment_of_truth, mut stage) = (None, None, None);
        for guess in &self.0 {
            let on_channel =
                guess.channels.is_empty() || guess.channels.iter().any(|one| one == channel);
            let by_word = guess.words.is_empty()
                || event.split('_').any(|word| guess.words.iter().any(|one| one == word));
            if on_channel && by_word {
                micro_moment = micro_moment.or(guess.micro_moment);
                moment_of_truth = moment_of_truth.or(guess.moment_of_truth);
                stage = stage.or(guess.stage);
            }
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
