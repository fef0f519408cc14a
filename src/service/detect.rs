//! The spike detector at work: one member of the group that owns the pulse topic's one partition.
//!
//! Every instance has such a thread, and one of them owns the partition. It reads what the partitions
//! of the input say of each minute, judges the minutes that all have passed, and writes spikes, its own
//! state and its offset in one transaction. Where its process is killed, another one restores the state
//! and goes on.
//!
//! # Invariants
//!
//! - A spike's record is visible if and only if the state that it came from is.
//! - After an abort the detector is thrown away and read back: it never goes on from what was not
//!   committed.

use std::{sync::Arc, time::Duration};

use super::{
    persist::{persist, unless_refused},
    publish::read_pulse_key,
    shared::Shared,
    watchdog::Task,
};
use crate::{
    clock::Stopwatch,
    engine::spike::{Detector, Found, Numerator, Patience, PulseRecord, Restored},
    kafka::{
        GroupConsumer, KafkaFailure, Outbox, Outgoing, Place, Polled, Rebalance, Restore,
        RestoreStep, Role,
    },
    model::{EventTime, Span, span_of},
    telemetry::{DetectorStanding, log},
};

/// A partition that was not heard of for so long is not waited for. Its minutes then come late, and
/// only correct. Longer than the pause of a restart, and an alert is not held up for longer.
const IDLE_AFTER: Span = 2 * 60_000;

/// The longest time between two commits while minutes come.
const COMMIT_INTERVAL: Duration = Duration::from_millis(500);

/// Records of one transaction: bounds what an abort repeats.
const RECORDS_MAX: usize = 2000;

/// How often metrics are told how the detector stands: it looks at every key, and minutes may come by
/// the hundred a second.
const STANDING_INTERVAL: Duration = Duration::from_secs(1);

/// How long to wait for a record.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long the broker may take to answer a question.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How long a predecessor's transaction may hold the group's offsets back.
const OFFSETS_LIMIT: Duration = Duration::from_mins(1);

/// The one partition of the pulse topic.
const PARTITION: i32 = 0;

/// Detects until asked to stop.
///
/// # Errors
///
/// The broker does not permit what is needed: that does not get better by trying.
pub(super) fn detect(shared: &Arc<Shared>) -> Result<(), KafkaFailure> {
    let session = || {
        let ended = DetectorSession::open(shared).and_then(|mut session| session.run());
        shared.telemetry.detector(None);
        ended
    };
    persist(shared, Task::Detector, session, |failure| {
        log::detector_rebuilt(&unless_refused(failure)?.to_string());
        Ok(())
    })
}

struct DetectorSession<'w> {
    shared: &'w Shared,
    consumer: GroupConsumer,
    /// What is read.
    pulse: Place,
    outbox: Outbox,
    owned: Option<Owned>,
    transaction: Stopwatch,
    /// Measures for how long a partition was not heard of. Not the wall clock, which a demo lets run
    /// through weeks in a minute: nobody would be waited for.
    opened: Stopwatch,
    told: Stopwatch,
}

/// The partition in this member's hands.
struct Owned {
    detector: Detector,
    /// The next record to be taken in.
    next_offset: i64,
    /// Records before `next_offset` come again first.
    recalling: bool,
    found: Found,
    record_count: usize,
    dirty: bool,
}

impl<'w> DetectorSession<'w> {
    fn open(shared: &'w Shared) -> Result<Self, KafkaFailure> {
        let settings = &shared.settings;
        let name = format!("{}.{}.detector", settings.app, settings.instance);
        let outbox = Outbox::open(&settings.connection, &name)?;
        let group = format!("{}-detector", settings.app);
        let pulse =
            Place { topic: Arc::from(settings.topics.name(Role::Pulse)), partition: PARTITION };
        let topics = [&*pulse.topic];
        let consumer = GroupConsumer::open(&settings.connection, &group, &name, &topics)?;
        let now = Stopwatch::start();
        let (transaction, opened, told) = (now, now, now);
        Ok(Self { shared, consumer, pulse, outbox, owned: None, transaction, opened, told })
    }

    /// Returns how long this session has lasted, as an instant to measure from.
    fn lasted(&self) -> EventTime {
        EventTime::MIN.plus(span_of(self.opened.elapsed()))
    }

    fn run(&mut self) -> Result<(), KafkaFailure> {
        while !self.shared.stop.is_asked() {
            let turn = self.turn();
            self.settle(turn)?;
        }
        let last = self.commit();
        self.settle(last)
    }

    /// Undoes what can be undone; passes on the rest.
    fn settle(&mut self, turn: Result<(), KafkaFailure>) -> Result<(), KafkaFailure> {
        let Err(failure) = turn else { return Ok(()) };
        if !failure.can_be_undone() {
            return Err(failure);
        }
        log::detector_aborted(&failure.to_string());
        self.outbox.abort()?;
        if self.owned.take().is_some() {
            self.consumer.unassign(std::slice::from_ref(&self.pulse))?;
            self.take_up()?;
        }
        Ok(())
    }

    fn turn(&mut self) -> Result<(), KafkaFailure> {
        self.shared.rounds.come(Task::Detector);
        while let Some(rebalance) = self.consumer.next_rebalance() {
            match rebalance {
                Rebalance::Assigned(places) => {
                    self.consumer.answer_assignment(self.owned.is_some())?;
                    if places.contains(&self.pulse) {
                        self.take_up()?;
                    }
                }
                Rebalance::Revoked { places, lost } => {
                    let last = if lost { self.outbox.abort() } else { self.commit() };
                    let held = places.contains(&self.pulse) && self.owned.take().is_some();
                    self.shared.telemetry.detector(None);
                    self.consumer.unassign(if held { &places } else { &[] })?;
                    last?;
                }
            }
        }
        self.consumer.check_membership(self.owned.is_some())?;
        self.read()?;
        if self.owned.as_ref().is_some_and(|owned| {
            owned.dirty
                && (RECORDS_MAX <= owned.record_count
                    || COMMIT_INTERVAL <= self.transaction.elapsed())
        }) {
            self.commit()?;
        }
        Ok(())
    }

    /// Restores the state, and goes on where it ends.
    fn take_up(&mut self) -> Result<(), KafkaFailure> {
        let settings = &self.shared.settings;
        // Waits while a predecessor's transaction is open: its state would be half a step behind.
        let pulse = std::slice::from_ref(&self.pulse);
        self.consumer.committed(pulse, OFFSETS_LIMIT)?;
        let topic = settings.topics.name(Role::Detector);
        let mut restore = Restore::begin(&settings.connection, &settings.app, topic, PARTITION)?;
        let now = self.lasted();
        let mut restored = Restored::new(settings.detector.clone());
        let mut damaged = None;
        loop {
            self.shared.rounds.come(Task::Detector);
            let step = restore.step(PATIENCE, &mut |row| {
                if let Err(error) = restored.take(row.key, row.value, now) {
                    damaged = Some(error);
                }
            })?;
            if step == RestoreStep::Done {
                break;
            }
            if self.shared.stop.is_asked() {
                return Ok(());
            }
        }
        if let Some(error) = damaged {
            // What was learnt is lost, the stream is not: the detector begins anew.
            log::detector_state_damaged(&error);
            restored = Restored::new(settings.detector.clone());
        }
        let (first, end) = self.consumer.bounds(&self.pulse, ANSWER_LIMIT)?;
        let next_offset = restored.next_offset.unwrap_or(first).clamp(first, end.max(first));
        let from = restored.recall_from.clamp(first, next_offset);
        let mut detector = restored.detector;
        detector.expect(0..self.shared.topics.partition_count, now);
        detector.recall();
        let recalling = from < next_offset;
        if !recalling {
            detector.recalled();
        }
        self.owned = Some(Owned {
            detector,
            next_offset,
            recalling,
            found: Found::default(),
            record_count: 0,
            dirty: false,
        });
        log::detector_owned(next_offset);
        self.consumer.assign(&[(self.pulse.clone(), from)])
    }

    fn read(&mut self) -> Result<(), KafkaFailure> {
        let heard_at = self.lasted();
        let mut patience = PATIENCE;
        for _ in 0..RECORDS_MAX {
            match self.consumer.poll(patience) {
                Polled::Record(record) => {
                    if let Some(owned) = &mut self.owned {
                        owned.take(record.offset(), record.key(), record.value(), heard_at);
                    }
                }
                Polled::End(_) => {
                    if let Some(owned) = &mut self.owned {
                        owned.stop_recalling();
                    }
                }
                Polled::Nothing => break,
                Polled::OutOfRange => {
                    return Err(KafkaFailure::lost_partitions());
                }
                Polled::Failed(failure) => return Err(failure),
            }
            patience = Duration::ZERO;
        }
        let Some(owned) = self.owned.as_mut().filter(|owned| !owned.recalling) else {
            return Ok(());
        };
        let before = owned.found.minutes;
        let now = self.shared.settings.clock.now();
        let patience = Patience { now: heard_at, idle_after: IDLE_AFTER };
        owned.detector.judge(Some(now), Some(patience), &mut owned.found);
        if before < owned.found.minutes && !owned.dirty {
            owned.dirty = true;
            self.transaction = Stopwatch::start();
        }
        if STANDING_INTERVAL <= self.told.elapsed() {
            self.told = Stopwatch::start();
            self.shared.telemetry.detector(Some(&owned.standing(now)));
        }
        Ok(())
    }

    /// Writes spikes, state and offset at once.
    fn commit(&mut self) -> Result<(), KafkaFailure> {
        let Some(owned) = self.owned.as_mut().filter(|owned| owned.dirty) else { return Ok(()) };
        self.outbox.begin()?;
        let topics = &self.shared.settings.topics;
        for said in &owned.found.said {
            self.outbox.send(
                &Outgoing {
                    topic: topics.name(Role::PainSpikes),
                    partition: PARTITION,
                    key: Some(said.spike_id.as_bytes()),
                    value: Some(&said.value),
                },
                &[],
            )?;
        }
        let mut sent = Ok(());
        owned.detector.save(owned.next_offset, |key, row| {
            if sent.is_ok() {
                let topic = topics.name(Role::Detector);
                let (key, partition) = (Some(key), PARTITION);
                sent = self.outbox.send(&Outgoing { topic, partition, key, value: row }, &[]);
            }
        });
        sent?;
        self.outbox.drain()?;
        let offsets = [(self.pulse.clone(), owned.next_offset)];
        self.outbox.send_offsets(&self.consumer, &offsets)?;
        self.outbox.commit()?;
        for said in &owned.found.said {
            log::spike(said);
        }
        self.shared.telemetry.judged(&owned.found);
        owned.found = Found::default();
        owned.record_count = 0;
        owned.dirty = false;
        self.transaction = Stopwatch::start();
        Ok(())
    }
}

impl Owned {
    fn take(&mut self, offset: i64, key: Option<&[u8]>, value: Option<&[u8]>, heard_at: EventTime) {
        if self.next_offset <= offset {
            self.stop_recalling();
            self.next_offset = offset + 1;
            self.record_count += 1;
            self.dirty = true;
        }
        let Some(((partition, minute), value)) = key.and_then(read_pulse_key).zip(value) else {
            return;
        };
        let pulse = PulseRecord { partition, minute, value, offset, heard_at };
        if !self.detector.note(&pulse, &mut self.found) {
            log::pulse_unreadable(partition, offset);
        }
    }

    fn stop_recalling(&mut self) {
        if self.recalling {
            self.recalling = false;
            self.detector.recalled();
        }
    }

    fn standing(&self, now: EventTime) -> DetectorStanding {
        let open = Numerator::ALL.map(|numerator| self.detector.open_count(numerator));
        let lag = self.detector.judged_until().map_or(0, |until| now.since(until).max(0));
        DetectorStanding {
            open,
            lag: Duration::from_millis(u64::try_from(lag).unwrap_or(0)),
            keys: self.detector.key_counts(),
        }
    }
}
