//! Telling people of spikes: Alertmanager, and a plain webhook.
//!
//! Alertmanager is told the state, again and again: which spikes are open. So it may restart, and a
//! message may be lost. The webhook is told the events: each record once and in order, again until it
//! is taken.

mod alertmanager;
mod post;
mod record;
mod webhook;

use std::collections::VecDeque;

use self::{
    alertmanager::Alerts,
    post::Poster,
    record::{Record, is_stale},
    webhook::Webhook,
};
use crate::model::{EventTime, Span};

/// Who is told, and how.
#[derive(Clone)]
pub struct Settings {
    /// Alertmanager's address.
    pub alertmanager: Option<String>,
    /// Where records are posted.
    pub webhook: Option<String>,
    /// The webhook's bearer token.
    pub token: Option<String>,
    /// Nobody is told of what is older.
    pub max_age: Span,
    /// The application: a label of alerts.
    pub app: String,
    /// Where this instance can be looked at.
    pub site: String,
}

impl std::fmt::Debug for Settings {
    /// Without addresses and token, which may be secrets.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("alertmanager", &self.alertmanager.is_some())
            .field("webhook", &self.webhook.is_some())
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

/// Who was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// Alertmanager.
    Alertmanager,
    /// The webhook.
    Webhook,
}

impl Receiver {
    /// Every variant.
    pub const ALL: [Self; 2] = [Self::Alertmanager, Self::Webhook];

    /// The name used as a metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::Webhook => "webhook",
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It was taken.
    Delivered,
    /// It was not taken, and is tried again.
    Failed,
    /// The receiver will never take it.
    Refused,
    /// Nobody could act on it any more.
    TooOld,
}

impl Delivery {
    /// Every variant.
    pub const ALL: [Self; 4] = [Self::Delivered, Self::Failed, Self::Refused, Self::TooOld];

    /// The name used as a metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::TooOld => "too_old",
        }
    }
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Who.
    pub receiver: Receiver,
    /// What came of it.
    pub result: Delivery,
    /// What went wrong, without addresses.
    pub problem: Option<String>,
}

/// There is no client to post with.
#[derive(Debug, thiserror::Error)]
#[error("no notification can be sent: {0}")]
pub struct NotifyFailure(String);

/// Records that wait for the webhook. When there are so many, no more are read from the topic.
const QUEUE_MAX: usize = 256;

/// Tells what it is given.
#[derive(Debug)]
pub struct Notifier {
    settings: Settings,
    poster: Poster,
    alerts: Option<Alerts>,
    webhook: Option<Webhook>,
    /// Offset and record, in order.
    queue: VecDeque<(i64, Record)>,
    next_offset: i64,
}

impl Notifier {
    /// Begins with the record at `offset`.
    ///
    /// # Errors
    ///
    /// The system gives no client.
    pub fn new(settings: Settings, offset: i64) -> Result<Self, NotifyFailure> {
        Ok(Self {
            poster: Poster::new().map_err(NotifyFailure)?,
            alerts: settings.alertmanager.is_some().then(Alerts::default),
            webhook: settings.webhook.is_some().then(Webhook::default),
            settings,
            queue: VecDeque::new(),
            next_offset: offset,
        })
    }

    /// Returns whether no record should be given for now.
    pub fn is_full(&self) -> bool {
        QUEUE_MAX <= self.queue.len()
    }

    /// Returns how many records wait.
    pub fn queued_count(&self) -> usize {
        self.queue.len()
    }

    /// Returns the offset before which everything is settled.
    pub fn settled_offset(&self) -> i64 {
        self.queue.front().map_or(self.next_offset, |(offset, _)| *offset)
    }

    /// Takes a record of `pain-spikes`. `now` is the wall clock.
    pub fn take(&mut self, offset: i64, record: &[u8], now: EventTime) {
        self.next_offset = offset + 1;
        let Some(record) = Record::read(record) else { return };
        if let Some(alerts) = &mut self.alerts {
            alerts.take(&record, now, self.settings.max_age);
        }
        if self.webhook.is_some() {
            self.queue.push_back((offset, record));
        }
    }

    /// Says what is due. `open`: the last records of the open spikes. `now` is the wall clock.
    pub fn turn(&mut self, open: &[Vec<u8>], now: EventTime) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let Self { settings, poster, alerts, webhook, queue, .. } = self;
        if let (Some(alerts), Some(url)) = (alerts, &settings.alertmanager) {
            outcomes.extend(alerts.turn(open, now, (poster, url, settings)));
        }
        if let (Some(webhook), Some(url)) = (webhook, &settings.webhook) {
            while let Some((_, record)) = queue.front() {
                let outcome = if is_stale(record, now, settings.max_age) {
                    webhook.give_up()
                } else {
                    match webhook.turn(record, now, (poster, url, settings)) {
                        Some(outcome) => outcome,
                        None => break,
                    }
                };
                let failed = outcome.result == Delivery::Failed;
                outcomes.push(outcome);
                if failed {
                    break;
                }
                queue.pop_front();
            }
        }
        outcomes
    }
}
