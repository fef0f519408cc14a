//! A plain webhook: every record as a `CloudEvent`, in order, again until it is taken.

use serde_json::json;

use super::{
    Delivery, Outcome, Receiver, Settings,
    letter::Letter,
    post::{Post, Poster},
};
use crate::model::{EventTime, Span, stable_hash};

/// The pause after the first failure; it doubles with each.
const FIRST_PAUSE: Span = 1000;
/// The longest pause.
const LONGEST_PAUSE: Span = 60_000;

/// How the delivery of the first record in the queue stands.
#[derive(Debug, Default)]
pub(super) struct Webhook {
    failures: u32,
    due: Option<EventTime>,
}

impl Webhook {
    /// Posts a letter, if that is due.
    pub(super) fn turn(
        &mut self,
        letter: &Letter,
        now: EventTime,
        (poster, url, settings): (&Poster, &str, &Settings),
    ) -> Option<Outcome> {
        if self.due.is_some_and(|due| now < due) {
            return None;
        }
        let event = json!({
            "specversion": "1.0",
            "id": letter.id,
            "source": format!("rega/{}", settings.app),
            "type": letter.kind,
            "subject": letter.subject,
            "time": letter.as_of.to_string(),
            "datacontenttype": "application/json",
            "data": letter.whole,
        });
        let answer = poster.post(Post {
            url,
            content_type: "application/cloudevents+json",
            token: settings.token.as_deref(),
            idempotency_key: Some(&letter.id),
            body: event.to_string(),
        });
        let (result, problem) = match answer {
            Ok(()) => (Delivery::Delivered, None),
            Err(not_taken) if not_taken.for_good => (Delivery::Refused, Some(not_taken.problem)),
            Err(not_taken) => {
                self.failures += 1;
                self.due = Some(now.plus(pause(self.failures, &letter.id)));
                let receiver = Receiver::Webhook;
                let problem = Some(not_taken.problem);
                return Some(Outcome { receiver, result: Delivery::Failed, problem });
            }
        };
        *self = Self::default();
        Some(Outcome { receiver: Receiver::Webhook, result, problem })
    }

    /// The first record has become too old.
    pub(super) fn give_up(&mut self) -> Outcome {
        *self = Self::default();
        Outcome { receiver: Receiver::Webhook, result: Delivery::TooOld, problem: None }
    }
}

/// Returns how long to wait: doubled with each failure, and spread by a quarter, so that what failed
/// together does not come back together. The spread is a hash of the letter's id and the number of
/// failures: nothing random, so that a test can repeat it.
fn pause(failures: u32, id: &str) -> Span {
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let pause = doubled.min(LONGEST_PAUSE);
    let spread = stable_hash(format!("{id}/{failures}").as_bytes()) % 501;
    let spread = Span::try_from(spread).unwrap_or(0) - 250;
    pause + pause * spread / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_are_spread_and_end_at_a_minute() {
        for (failures, usual) in [(1, 1000), (2, 2000), (5, 16_000), (7, 60_000), (60, 60_000)] {
            let paused = pause(failures, "a-1");
            assert!((usual * 3 / 4..=usual * 5 / 4).contains(&paused), "{failures}: {paused}");
        }
        assert_ne!(pause(1, "a-1"), pause(1, "a-2"));
    }
}
