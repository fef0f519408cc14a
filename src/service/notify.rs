//! Telling people: one member of a group owns notification and reads the committed spikes, and one
//! the customers of whom a rule wants somebody to be told.
//!
//! At least once: the group's offset moves when a record has been delivered, refused for good, or is
//! too old for anybody to act on. What a receiver hears twice has the same idempotency key.

use std::{sync::Arc, time::Duration};

use super::shared::Shared;
use crate::{
    clock::Stopwatch,
    kafka::{GroupConsumer, KafkaFailure, Polled, Rebalance, Role},
    notify::{Matter, Notifier, NotifyFailure},
    telemetry::log,
};

/// How long to wait for a record.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long the broker may take to answer a question.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How often what was delivered is noted.
const COMMIT_INTERVAL: Duration = Duration::from_secs(1);

/// A pause before new clients are made.
const PAUSE: Duration = Duration::from_secs(1);

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
    while !shared.stop.is_asked() {
        let ended = Session::open(shared, matter).map_err(Broken::Kafka);
        match ended.and_then(|mut session| session.run()) {
            Ok(()) => return Ok(()),
            Err(Broken::Kafka(failure)) if failure.is_refusal() => return Err(failure),
            Err(broken) => log::notifier_rebuilt(&broken.to_string()),
        }
        shared.stop.wait(PAUSE);
    }
    Ok(())
}

struct Session<'w> {
    shared: &'w Shared,
    matter: Matter,
    consumer: GroupConsumer,
    /// While this member owns notification.
    notifier: Option<Notifier>,
    committed: i64,
    since: Stopwatch,
}

impl<'w> Session<'w> {
    fn open(shared: &'w Shared, matter: Matter) -> Result<Self, KafkaFailure> {
        let settings = &shared.settings;
        let (role, task) = match matter {
            Matter::Spikes => (Role::PainSpikes, "notify"),
            Matter::Customers => (Role::Alerts, "alerts"),
        };
        let name = format!("{}.{}.{task}", settings.app, settings.instance);
        let group = format!("{}-{task}", settings.app);
        let topic = settings.topics.name(role);
        let consumer = GroupConsumer::open(&settings.connection, &group, &name, topic)?;
        let since = Stopwatch::start();
        Ok(Self { shared, matter, consumer, notifier: None, committed: 0, since })
    }

    fn run(&mut self) -> Result<(), Broken> {
        while !self.shared.stop.is_asked() {
            self.answer_group()?;
            self.read()?;
            self.tell()?;
        }
        Ok(self.commit()?)
    }

    fn answer_group(&mut self) -> Result<(), Broken> {
        while let Some(rebalance) = self.consumer.next_rebalance() {
            match rebalance {
                Rebalance::Assigned(partitions) => {
                    self.consumer.assign(&[])?;
                    if partitions.contains(&PARTITION) {
                        self.take_up()?;
                    }
                }
                Rebalance::Revoked { partitions, lost } => {
                    let done = if lost { Ok(()) } else { self.commit() };
                    let held = partitions.contains(&PARTITION) && self.notifier.take().is_some();
                    self.shared.telemetry.notify_queue(self.matter.as_str(), 0);
                    self.consumer.unassign(if held { &[PARTITION] } else { &[] })?;
                    done?;
                }
            }
        }
        Ok(())
    }

    fn take_up(&mut self) -> Result<(), Broken> {
        let Some(settings) = &self.shared.settings.notify else { return Ok(()) };
        let offsets = self.consumer.committed(&[PARTITION], ANSWER_LIMIT)?;
        let (first, end) = self.consumer.bounds(PARTITION, ANSWER_LIMIT)?;
        let from = offsets.get(&PARTITION).copied().flatten().unwrap_or(first);
        let from = from.clamp(first, end.max(first));
        // Without one this member would own the partition and tell nobody: it leaves instead.
        self.notifier = Some(Notifier::new(settings.clone(), self.matter, from)?);
        self.committed = from;
        Ok(self.consumer.assign(&[(PARTITION, from)])?)
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
        for outcome in notifier.turn(&open, now) {
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
            self.consumer.commit(&[(PARTITION, settled)])?;
            self.committed = settled;
        }
        Ok(())
    }
}
