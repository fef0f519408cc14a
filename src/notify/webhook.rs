//! A plain webhook: every record as a `CloudEvent`, in order, again until it is taken.

use serde_json::json;

use super::{Delivery, Outcome, Receiver, Settings, letter::Letter, post::post};
use crate::{
    backoff::Backoff,
    http_client::{Posted, Request, WaitingClient},
    model::{EventTime, span_of},
};

/// How the delivery of the first record in the queue stands.
#[derive(Debug)]
pub(super) struct Webhook {
    backoff: Backoff,
    due: Option<EventTime>,
}

impl Default for Webhook {
    fn default() -> Self {
        Self { backoff: Backoff::of_receivers(), due: None }
    }
}

impl Webhook {
    /// Posts a letter, if that is due.
    pub(super) fn turn(
        &mut self,
        letter: &Letter,
        now: EventTime,
        (client, url, settings): (&WaitingClient, &str, &Settings),
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
        let posted = Posted {
            content_type: "application/cloudevents+json",
            idempotency_key: Some(&letter.id),
            body: &event.to_string(),
        };
        let authorization = settings.authorization.as_deref();
        let answer = post(client, Request { url, authorization, posted: Some(posted) });
        let (result, problem) = match answer {
            Ok(()) => (Delivery::Delivered, None),
            Err(not_taken) if not_taken.for_good => (Delivery::Refused, Some(not_taken.problem)),
            Err(not_taken) => {
                self.due = Some(now.plus(span_of(self.backoff.failed(&letter.id))));
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
