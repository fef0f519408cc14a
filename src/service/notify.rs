//! Telling people: one member of a group owns notification and reads the committed spikes, and one
//! the customers of whom a rule wants somebody to be told.
//!
//! At least once: the group's offset moves when a record has been delivered, refused for good, or is
//! too old for anybody to act on. What a receiver hears twice has the same idempotency key.

use std::{sync::Arc, time::Duration};

use super::{
    Settings,
    persist::{persist, unless_refused},
    shared::Shared,
    watchdog::Task,
};
use crate::{
    clock::Stopwatch,
    kafka::{GroupConsumer, KafkaFailure, Place, Polled, Rebalance, Role},
    notify::{Matter, Notifier, NotifyFailure},
    telemetry::log,
};

/// How long to wait for a record.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long the broker may take to answer a question.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How long receivers may be told before the group and the topic have their turn: a queue full of what
/// a slow one takes would else keep this member from its group until it is taken for dead.
const TURN_LIMIT: Duration = Duration::from_secs(10);

/// How often what was delivered is noted.
const COMMIT_INTERVAL: Duration = Duration::from_secs(1);

/// The one partition of each topic that Rega writes to.
const PARTITION: i32 = 0;

/// Why notification has to be built anew.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Kafka(#[from] KafkaFailure),
    #[error(transparent)]
    Notifier(#[from] NotifyFailure),
}

/// Returns what this instance tells of.
pub(super) fn matters(settings: &Settings) -> Vec<Matter> {
    let Some(notify) = &settings.notify else { return Vec::new() };
    // Alertmanager is not told of customers.
    let customers = notify.webhook.is_some().then_some(Matter::Customers);
    [Matter::Spikes].into_iter().chain(customers).collect()
}

/// Notifies of spikes until asked to stop.
///
/// # Errors
///
/// The broker does not permit what is needed: that does not get better by trying.
pub(super) fn notify_of_spikes(shared: &Arc<Shared>) -> Result<(), KafkaFailure> {
    notify(shared, Matter::Spikes)
}

/// Notifies of customers until asked to stop.
///
/// # Errors
///
/// As [`notify_of_spikes`].
pub(super) fn notify_of_customers(shared: &Arc<Shared>) -> Result<(), KafkaFailure> {
    notify(shared, Matter::Customers)
}

fn notify(shared: &Arc<Shared>, matter: Matter) -> Result<(), KafkaFailure> {
    let session = || NotifierSession::open(shared, matter)?.run();
    persist(shared, Task::Notifier(matter), session, |broken| {
        let broken = match broken {
            Broken::Kafka(failure) => Broken::Kafka(unless_refused(failure)?),
            Broken::Notifier(failure) => Broken::Notifier(failure),
        };
        log::notifier_rebuilt(&broken.to_string());
        Ok(())
    })
}

struct NotifierSession<'w> {
    shared: &'w Shared,
    matter: Matter,
    consumer: GroupConsumer,
    /// What is read.
    source: Place,
    /// While this member owns notification.
    notifier: Option<Notifier>,
    committed: i64,
    since: Stopwatch,
}

impl<'w> NotifierSession<'w> {
    fn open(shared: &'w Shared, matter: Matter) -> Result<Self, KafkaFailure> {
        let settings = &shared.settings;
        let (role, task) = match matter {
            Matter::Spikes => (Role::PainSpikes, "notify"),
            Matter::Customers => (Role::Alerts, "alerts"),
        };
        let name = format!("{}.{}.{task}", settings.app, settings.instance);
        let group = format!("{}-{task}", settings.app);
        let topic = Arc::from(settings.topics.name(role));
        let source = Place { topic, partition: PARTITION };
        let topics = [&*source.topic];
        let consumer = GroupConsumer::open(&settings.connection, &group, &name, &topics)?;
        let since = Stopwatch::start();
        Ok(Self { shared, matter, consumer, source, notifier: None, committed: 0, since })
    }

    fn run(&mut self) -> Result<(), Broken> {
        while !self.shared.stop.is_asked() {
            self.shared.rounds.come(Task::Notifier(self.matter));
            self.answer_group()?;
            self.read()?;
            self.tell()?;
        }
        Ok(self.commit()?)
    }

    fn answer_group(&mut self) -> Result<(), Broken> {
        while let Some(rebalance) = self.consumer.next_rebalance() {
            match rebalance {
                Rebalance::Assigned(places) => {
                    self.consumer.answer_assignment(self.notifier.is_some())?;
                    if places.contains(&self.source) {
                        self.take_up()?;
                    }
                }
                Rebalance::Revoked { places, lost } => {
                    let done = if lost { Ok(()) } else { self.commit() };
                    let held = places.contains(&self.source) && self.notifier.take().is_some();
                    self.shared.telemetry.notify_queue(self.matter.as_str(), 0);
                    self.consumer.unassign(if held { &places } else { &[] })?;
                    done?;
                }
            }
        }
        Ok(())
    }

    fn take_up(&mut self) -> Result<(), Broken> {
        let Some(settings) = &self.shared.settings.notify else { return Ok(()) };
        let source = std::slice::from_ref(&self.source);
        let offsets = self.consumer.committed(source, ANSWER_LIMIT)?;
        let (first, end) = self.consumer.bounds(&self.source, ANSWER_LIMIT)?;
        let from = offsets.get(&self.source).copied().flatten().unwrap_or(first);
        let from = from.clamp(first, end.max(first));
        // Without one this member would own the partition and tell nobody: it leaves instead.
        self.notifier = Some(Notifier::new(settings.clone(), self.matter, from)?);
        self.committed = from;
        Ok(self.consumer.assign(&[(self.source.clone(), from)])?)
    }

    fn read(&mut self) -> Result<(), KafkaFailure> {
        if self.notifier.as_ref().is_some_and(Notifier::is_full) {
            // What waits in the topic is not lost, and the stream does not wait for it.
            self.shared.stop.wait(PATIENCE);
            return Ok(());
        }
        match self.consumer.poll(PATIENCE) {
            Polled::Record(record) => {
                if let Some(notifier) = &mut self.notifier {
                    let now = self.shared.settings.clock.now();
                    notifier.take(record.offset(), record.value().unwrap_or_default(), now);
                }
                Ok(())
            }
            Polled::End(_) | Polled::Nothing => Ok(()),
            Polled::OutOfRange => Err(KafkaFailure::lost_partitions()),
            Polled::Failed(failure) => Err(failure),
        }
    }

    fn tell(&mut self) -> Result<(), KafkaFailure> {
        let now = self.shared.settings.clock.now();
        let Some(notifier) = &mut self.notifier else { return Ok(()) };
        let open = self.shared.spikes.records();
        let (shared, matter, watch) = (self.shared, self.matter, Stopwatch::start());
        let goes_on = || {
            shared.rounds.come(Task::Notifier(matter));
            !shared.stop.is_asked() && !watch.left_of(TURN_LIMIT).is_zero()
        };
        for outcome in notifier.turn(&open, now, goes_on) {
            self.shared.telemetry.notified(outcome.receiver.as_str(), outcome.result.as_str());
            if let Some(problem) = outcome.problem {
                log::not_delivered(outcome.receiver.as_str(), &problem);
            }
        }
        self.shared.telemetry.notify_queue(self.matter.as_str(), notifier.queued_count());
        if COMMIT_INTERVAL <= self.since.elapsed() {
            self.since = Stopwatch::start();
            self.commit()?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), KafkaFailure> {
        let Some(notifier) = &self.notifier else { return Ok(()) };
        let settled = notifier.settled_offset();
        if self.committed < settled {
            self.consumer.commit(&[(self.source.clone(), settled)])?;
            self.committed = settled;
        }
        Ok(())
    }
}
