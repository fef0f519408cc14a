//! Telling people of spikes, and of single customers: Alertmanager, and a plain webhook.
//!
//! Alertmanager is told the state, again and again: which spikes are open. So it may restart, and a
//! message may be lost. The webhook is told the events: each record once and in order, again until it
//! is taken. Of customers only the webhook is told: who answers an alert at night is not who calls a
//! customer back, and Alertmanager's labels are no place for customer ids.

mod alertmanager;
mod customer;
mod letter;
mod post;
mod record;
mod webhook;

use std::collections::VecDeque;

use self::{
    alertmanager::Alerts,
    customer::{Customer, Limit},
    letter::Letter,
    record::Record,
    webhook::Webhook,
};
use crate::{
    http_client::WaitingClient,
    model::{EventTime, Span},
};

/// Who is told, and how.
#[derive(Clone)]
pub struct Settings {
    /// Alertmanager's address.
    pub alertmanager: Option<String>,
    /// Where records are posted.
    pub webhook: Option<String>,
    /// What authorises at the webhook: the value of the header.
    pub authorization: Option<String>,
    /// Nobody is told of what is older.
    pub max_age: Span,
    /// Of so many customers by themselves somebody is told in an hour.
    pub customers_per_hour: u32,
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

/// What people are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matter {
    /// Something is broken for many.
    Spikes,
    /// Somebody waits for an answer.
    Customers,
}

impl Matter {
    /// Every variant.
    pub const ALL: [Self; 2] = [Self::Spikes, Self::Customers];

    /// The name used as a metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spikes => "spikes",
            Self::Customers => "customers",
        }
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
    /// Of too many customers somebody was told in this hour.
    OverLimit,
}

impl Delivery {
    /// Every variant.
    pub const ALL: [Self; 5] =
        [Self::Delivered, Self::Failed, Self::Refused, Self::TooOld, Self::OverLimit];

    /// The name used as a metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::TooOld => "too_old",
            Self::OverLimit => "over_limit",
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
#[error("no notification can be sent")]
pub struct NotifyFailure(#[from] std::io::Error);

/// Records that wait for the webhook. When there are so many, no more are read from the topic.
const QUEUE_MAX: usize = 256;

/// Tells what it is given.
#[derive(Debug)]
pub struct Notifier {
    settings: Settings,
    matter: Matter,
    client: WaitingClient,
    alerts: Option<Alerts>,
    webhook: Option<Webhook>,
    /// Offset and letter, in order.
    queue: VecDeque<(i64, Letter)>,
    next_offset: i64,
    limit: Limit,
    /// What came of records that were not even queued.
    dropped: Vec<Outcome>,
}

impl Notifier {
    /// Begins with the record at `offset` of that matter's topic.
    ///
    /// # Errors
    ///
    /// The system gives no client.
    pub fn new(settings: Settings, matter: Matter, offset: i64) -> Result<Self, NotifyFailure> {
        let state = settings.alertmanager.is_some() && matter == Matter::Spikes;
        Ok(Self {
            client: WaitingClient::new()?,
            alerts: state.then(Alerts::default),
            webhook: settings.webhook.is_some().then(Webhook::default),
            limit: Limit::new(settings.customers_per_hour),
            settings,
            matter,
            queue: VecDeque::new(),
            next_offset: offset,
            dropped: Vec::new(),
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

    /// Takes a record of the matter's topic. `now` is the wall clock.
    pub fn take(&mut self, offset: i64, record: &[u8], now: EventTime) {
        self.next_offset = offset + 1;
        let letter = match self.matter {
            Matter::Spikes => self.spike(record, now),
            Matter::Customers => self.customer(record, now),
        };
        if let Some(letter) = letter.filter(|_| self.webhook.is_some()) {
            self.queue.push_back((offset, letter));
        }
    }

    fn spike(&mut self, record: &[u8], now: EventTime) -> Option<Letter> {
        let record = Record::read(record)?;
        if let Some(alerts) = &mut self.alerts {
            alerts.take(&record, now, self.settings.max_age);
        }
        Some(record.into_letter())
    }

    fn customer(&mut self, record: &[u8], now: EventTime) -> Option<Letter> {
        let customer = Customer::read(record)?;
        let fresh = !customer.letter.is_stale(now, self.settings.max_age);
        if fresh && self.webhook.is_some() && !self.limit.allows(&customer, now) {
            if customer.is_new {
                let (receiver, result) = (Receiver::Webhook, Delivery::OverLimit);
                self.dropped.push(Outcome { receiver, result, problem: None });
            }
            return None;
        }
        Some(customer.letter)
    }

    /// Says what is due. `open`: the last records of the open spikes. `now` is the wall clock.
    /// `goes_on` is asked before each letter whether there is time for one more: a receiver may take
    /// seconds.
    pub fn turn(
        &mut self,
        open: &[Vec<u8>],
        now: EventTime,
        mut goes_on: impl FnMut() -> bool,
    ) -> Vec<Outcome> {
        let mut outcomes = std::mem::take(&mut self.dropped);
        let Self { settings, client, alerts, webhook, queue, .. } = self;
        if let (Some(alerts), Some(url)) = (alerts, &settings.alertmanager) {
            outcomes.extend(alerts.turn(open, now, (client, url, settings)));
        }
        if let (Some(webhook), Some(url)) = (webhook, &settings.webhook) {
            while let Some((_, letter)) = queue.front().filter(|_| goes_on()) {
                let outcome = if letter.is_stale(now, settings.max_age) {
                    webhook.give_up()
                } else {
                    match webhook.turn(letter, now, (client, url, settings)) {
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

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
    };

    use super::*;

    /// Takes so many letters, one connection each; returns its address.
    fn receiver(count: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for _ in 0..count {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"}") {
                    let mut bytes = [0; 4096];
                    let read = stream.read(&mut bytes).unwrap();
                    request.extend_from_slice(&bytes[..read]);
                }
                let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                stream.write_all(answer).unwrap();
            }
        });
        address
    }

    #[test]
    fn between_two_letters_a_turn_may_end_and_the_rest_waits() {
        let settings = Settings {
            alertmanager: None,
            webhook: Some(receiver(3)),
            authorization: None,
            max_age: Span::MAX,
            customers_per_hour: 10,
            app: "shop".to_owned(),
            site: "http://shop".to_owned(),
        };
        let now = EventTime::from_millis(1_800_000_000_000).unwrap();
        let mut notifier = Notifier::new(settings, Matter::Customers, 0).unwrap();
        for (offset, event_id) in (0_i64..).zip(["a", "b", "c"]) {
            let moment = format!(
                r#"{{"event_id":"{event_id}","revision":0,"customer_id":"ann","ts":"{now}"}}"#
            );
            notifier.take(offset, moment.as_bytes(), now);
        }
        let mut rounds = 0;
        let told = notifier.turn(&[], now, || {
            rounds += 1;
            rounds <= 2
        });
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|outcome| outcome.result == Delivery::Delivered), "{told:?}");
        assert_eq!((notifier.queued_count(), notifier.settled_offset()), (1, 2));
        assert_eq!(notifier.turn(&[], now, || true).len(), 1);
        assert_eq!((notifier.queued_count(), notifier.settled_offset()), (0, 3));
    }
}
