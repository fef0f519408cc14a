//! A worker's work with one pair of clients: read, process, commit, until stopped or broken.
//!
//! Everything here happens on one thread, in one order: answer the group, restore a little, answer
//! questions, read a batch, commit when it is time. Nothing is shared with other workers, so
//! nothing is locked on the way of a touchpoint.

use std::{collections::BTreeMap, sync::Arc, sync::mpsc::Receiver, time::Duration};

use super::{
    held::{Held, Running},
    lookup::{self, Answer, Lookup},
    orphans::OrphanWatch,
    publish::Publisher,
    shared::{Ruling, Shared},
    transaction::Transaction,
    watchdog::{Change, Task},
    work::Work,
};
use crate::{
    clock::{Stopwatch, wall_clock},
    engine::{Customers, Effects, decode::NATIVE_MARK},
    kafka::{GroupConsumer, KafkaFailure, Outbox, Place, Polled, Role},
    model::EventTime,
    telemetry::{Tally, WorkerStanding, log},
};

/// The most records between two looks at the group, the mailbox and the clock.
const BATCH_MAX: usize = 512;

/// The longest wait for a record: a question in the mailbox waits as long.
const PATIENCE: Duration = Duration::from_millis(20);

/// How often idle partitions and lag are looked at.
const LOOK_AROUND: Duration = Duration::from_millis(250);

/// How often folders of partitions that went elsewhere are looked at.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// How long the broker may take to say where a partition ends, while others wait.
const END_LIMIT: Duration = Duration::from_secs(1);

/// One pair of clients, and what was built with them.
#[derive(Debug)]
pub(super) struct WorkerSession<'w> {
    pub(super) worker: u16,
    pub(super) shared: &'w Shared,
    pub(super) mailbox: &'w Receiver<Lookup>,
    pub(super) consumer: GroupConsumer,
    /// The topic that is read.
    pub(super) input: Arc<str>,
    pub(super) outbox: Outbox,
    pub(super) held: BTreeMap<i32, Held>,
    /// The rules of the transaction under way: a reload takes effect between two.
    pub(super) ruling: Arc<Ruling>,
    pub(super) tally: Tally,
    pub(super) effects: Effects,
    pub(super) transaction: Transaction,
    pub(super) pending: Pending,
    /// What is committed from now on is the last.
    pub(super) ending: bool,
    /// Of the input and the state topic, as text; empty where it cannot be known.
    pub(super) topic_ids: [String; 2],
    looked_around: Stopwatch,
    swept: Stopwatch,
    /// The most look-ups that waited at once since the last report.
    questions_max: u64,
    orphans: OrphanWatch,
}

/// What has been heard once and is to be done, again and again until it succeeds: each begins with a
/// commit, which may fail of something else and is then undone.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// To look whether the input has been widened.
    pub(super) partition_count: bool,
    /// To find the positions that the broker has refused.
    pub(super) lost_position: bool,
}

impl<'w> WorkerSession<'w> {
    /// Starts the producer first: it ends what a predecessor of this name left open, so that its
    /// offsets and its state can be read.
    pub(super) fn open(
        worker: u16,
        shared: &'w Shared,
        mailbox: &'w Receiver<Lookup>,
    ) -> Result<Self, KafkaFailure> {
        let settings = &shared.settings;
        let name = settings.worker_name(worker);
        let outbox = Outbox::open(&settings.connection, &name)?;
        let input: Arc<str> = Arc::from(settings.topics.name(Role::Input));
        let consumer = GroupConsumer::open(&settings.connection, &settings.app, &name, &[&input])?;
        let topic_ids = [Role::Input, Role::State].map(|role| {
            let id = consumer.topic_id(settings.topics.name(role), END_LIMIT);
            id.map_or_else(String::new, |id| id.to_string())
        });
        let ruling = shared.ruling.load_full();
        let tally = shared.telemetry.tally(Arc::clone(&ruling.names));
        Ok(Self {
            worker,
            shared,
            mailbox,
            consumer,
            input,
            outbox,
            held: BTreeMap::new(),
            ruling,
            tally,
            effects: Effects::default(),
            transaction: Transaction::starting_now(),
            pending: Pending::default(),
            ending: false,
            topic_ids,
            looked_around: Stopwatch::start(),
            swept: Stopwatch::start(),
            questions_max: 0,
            orphans: OrphanWatch::new(settings.app.clone(), name),
        })
    }

    /// Works until asked to stop; what was processed is then committed.
    ///
    /// # Errors
    ///
    /// The clients are of no more use.
    pub(super) fn run(&mut self) -> Result<(), KafkaFailure> {
        while !self.shared.stop.is_asked() {
            let turn = self.turn();
            self.settle(turn)?;
        }
        self.ending = true;
        while self.running().any(|(_, running)| running.store.is_writing()) {
            self.checkpoint_a_little()?;
        }
        self.ask_for_proof();
        let last = self.commit();
        self.settle(last)?;
        self.close_stores();
        Ok(())
    }

    /// Undoes what can be undone; passes on the rest.
    pub(super) fn settle(&mut self, turn: Result<(), KafkaFailure>) -> Result<(), KafkaFailure> {
        let Err(failure) = turn else { return Ok(()) };
        if failure.can_be_undone() {
            return self.abort(&failure);
        }
        self.report_abort(&failure);
        Err(failure)
    }

    fn turn(&mut self) -> Result<(), KafkaFailure> {
        self.shared.rounds.come(Task::Worker(self.worker));
        self.answer_group()?;
        self.check_partition_count()?;
        self.restore_a_little()?;
        self.answer_questions();
        if !self.is_dirty() {
            self.take_up_new_rules();
        }
        self.checkpoint_a_little()?;
        self.hold_back()?;
        self.read_batch()?;
        self.stop_lost_positions()?;
        self.look_for_trouble()?;
        if LOOK_AROUND <= self.looked_around.elapsed() {
            self.looked_around = Stopwatch::start();
            self.consumer.check_membership(self.is_holding())?;
            self.share_memory();
            self.ask_for_proof();
            self.move_idle_time()?;
            self.report_standing();
            self.sweep();
            self.orphans.look(self.shared, &self.consumer);
        }
        if self.is_commit_due() { self.commit() } else { Ok(()) }
    }

    /// One worker looks after the folders of all.
    fn sweep(&mut self) {
        if self.worker == 0 && SWEEP_EVERY <= self.swept.elapsed() {
            self.swept = Stopwatch::start();
            let swept = self.shared.shelf.sweep(wall_clock());
            if !swept.is_empty() {
                log::folders_swept(&swept);
            }
        }
    }

    /// Tells of partitions that have something to read and do not get on.
    fn watch_progress(&mut self, standing: &mut WorkerStanding) {
        for (partition, held) in &mut self.held {
            let running = match held {
                Held::Running(running) => running,
                Held::Stopped => {
                    standing.stopped += 1;
                    continue;
                }
                Held::Asking(_) | Held::Waiting(_) | Held::Restoring(_) => continue,
            };
            let place = Place::of(&self.input, *partition);
            let end = self.consumer.known_end(&place).unwrap_or(0);
            // At the end nothing waits, though a transaction's markers lie behind it.
            let waiting = running.next_offset() < end && !running.idle.is_at_end();
            match running.progress.look(running.committed_to, waiting || running.dirty) {
                Some(Change::Stalled) => {
                    log::partition_stalled(self.worker, *partition);
                    self.shared.board.stalled(*partition, true);
                }
                Some(Change::Resumed) => self.shared.board.stalled(*partition, false),
                None => {}
            }
            standing.stalled += u64::from(running.progress.is_stalled());
        }
    }

    fn answer_questions(&mut self) {
        let mut asked = 0;
        for question in lookup::waiting(self.mailbox) {
            // Whoever has stopped waiting is not told.
            drop(question.reply.send(self.answer(&question.customer_id)));
            asked += 1;
        }
        self.questions_max = self.questions_max.max(asked);
    }

    fn answer(&self, customer_id: &str) -> Answer {
        let (mut asked, mut restoring) = (Vec::new(), Vec::new());
        for (partition, held) in &self.held {
            match held {
                Held::Running(running) => {
                    if let Some(row) = running.store.row(customer_id) {
                        return Answer::Found { partition: *partition, row: row.into_owned() };
                    }
                    match running.store.trouble() {
                        None => asked.push(*partition),
                        Some(_) => restoring.push(*partition),
                    }
                }
                Held::Asking(_) | Held::Waiting(_) | Held::Restoring(_) | Held::Stopped => {
                    restoring.push(*partition);
                }
            }
        }
        Answer::Unknown { asked, restoring }
    }

    fn read_batch(&mut self) -> Result<(), KafkaFailure> {
        let mut patience = self.patience();
        let mut batch: Option<Batch> = None;
        let room = self.transaction.room(&self.shared.settings);
        self.transaction.is_behind = true;
        for _ in 0..room.min(BATCH_MAX) {
            match self.consumer.poll(patience) {
                Polled::Record(record) => {
                    // The clock is read once per batch, after the wait for its first record.
                    let batch = batch.get_or_insert_with(|| Batch::at(self.shared));
                    let Some(Held::Running(running)) = self.held.get_mut(&record.partition())
                    else {
                        continue;
                    };
                    if record.offset() < running.next_offset() {
                        // Fetched before a seek. It counts already.
                        continue;
                    }
                    // A wish of ours stands in partitions that no producer chose.
                    if !record
                        .value()
                        .is_some_and(|value| value.starts_with(NATIVE_MARK.as_bytes()))
                    {
                        self.shared.placement.observe(record.key(), record.partition());
                    }
                    self.outbox.begin()?;
                    let publisher = Publisher {
                        outbox: &self.outbox,
                        plan: &self.shared.settings.topics,
                        topics: self.shared.topics,
                    };
                    let work = Work { ruling: &self.ruling, now: batch.now, publisher };
                    work.process(&record, running, &mut self.effects, &mut self.tally)?;
                    batch.record_count += 1;
                    self.transaction.record_count += 1;
                    if running.partition.is_behind() {
                        // Committed first, and then this very record comes again.
                        break;
                    }
                }
                Polled::End(partition) => {
                    if let Some(Held::Running(running)) = self.held.get_mut(&partition) {
                        running.idle.end_reached();
                    }
                }
                Polled::Nothing => {
                    self.transaction.is_behind = false;
                    break;
                }
                Polled::OutOfRange => self.pending.lost_position = true,
                Polled::Failed(failure) => return Err(failure),
            }
            patience = Duration::ZERO;
        }
        if let Some(batch) = batch {
            self.shared.input.beat(batch.now);
            self.tally.processed(batch.record_count, batch.watch.elapsed());
        }
        Ok(())
    }

    /// Returns how long to wait for a record before something else is to do.
    fn patience(&self) -> Duration {
        let busy = |held: &Held| matches!(held, Held::Asking(_) | Held::Restoring(_));
        if self.held.values().any(busy) {
            return Duration::ZERO;
        }
        if self.is_dirty() {
            let left = self.transaction.since.left_of(self.shared.settings.commit_interval);
            return left.min(PATIENCE);
        }
        PATIENCE
    }

    /// Returns whether partitions are in hand, at work or not.
    pub(super) fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.running().any(|(_, running)| running.dirty)
    }

    fn is_commit_due(&self) -> bool {
        self.is_dirty()
            && (self.transaction.is_due(&self.shared.settings)
                || self.running().any(|(_, running)| running.partition.is_behind()))
    }

    /// Returns a partition of the input.
    pub(super) fn place(&self, partition: i32) -> Place {
        Place::of(&self.input, partition)
    }

    pub(super) fn running(&self) -> impl Iterator<Item = (i32, &Running)> {
        self.held.iter().filter_map(|(partition, held)| match held {
            Held::Running(running) => Some((*partition, &**running)),
            Held::Asking(_) | Held::Waiting(_) | Held::Restoring(_) | Held::Stopped => None,
        })
    }

    pub(super) fn running_mut(&mut self) -> impl Iterator<Item = (i32, &mut Running)> {
        running_among(&mut self.held)
    }

    /// Moves event time on in partitions that the broker confirms to be at their end.
    fn move_idle_time(&mut self) -> Result<(), KafkaFailure> {
        let now = self.shared.settings.clock.now();
        let idle_after = self.shared.idle_after();
        let disconnected = !self.reaches_a_broker();
        let alive = self.shared.is_input_alive(now);
        for (partition, running) in running_among(&mut self.held) {
            if disconnected {
                running.idle.lost_touch();
                continue;
            }
            if !running.idle.wants_answer(now, idle_after) {
                continue;
            }
            match self.consumer.bounds(&Place::of(&self.input, partition), END_LIMIT) {
                Ok((_, end)) => running.idle.answer(end, now, running.partition.row().latest),
                Err(_) => running.idle.lost_touch(),
            }
            let Some(event_time) = running.idle.event_time(idle_after).filter(|_| alive) else {
                continue;
            };
            let due = running.partition.next_deadline(&running.store);
            if due.is_none_or(|due| event_time < due) {
                continue;
            }
            self.outbox.begin()?;
            let publisher = Publisher {
                outbox: &self.outbox,
                plan: &self.shared.settings.topics,
                topics: self.shared.topics,
            };
            let work = Work { ruling: &self.ruling, now, publisher };
            work.tick((partition, running), event_time, &mut self.effects, &mut self.tally)?;
        }
        Ok(())
    }

    /// Returns whether a broker answers. Where all is quiet no record says that one is back, so it is
    /// asked.
    fn reaches_a_broker(&self) -> bool {
        let reached = !self.consumer.is_disconnected()
            || self.consumer.bounds(&self.place(0), LOOK_AROUND).is_ok();
        note_broker(self.shared, self.worker, reached);
        reached
    }

    /// These clients are of no more use: says whether that is because no broker answers. New ones may
    /// take most of a minute to find out.
    pub(super) fn ask_for_a_broker(&self) {
        let reached = self.consumer.bounds(&self.place(0), END_LIMIT).is_ok();
        note_broker(self.shared, self.worker, reached);
    }

    fn report_standing(&mut self) {
        let now = self.shared.settings.clock.now();
        let mut standing = WorkerStanding {
            fetched: self.consumer.fetched_count(),
            look_ups: std::mem::take(&mut self.questions_max),
            ..WorkerStanding::default()
        };
        self.watch_progress(&mut standing);
        for (partition, running) in self.running() {
            standing.overlay_bytes += count(running.partition.overlay_bytes());
            standing.committed_bytes += count(running.store.byte_count());
            standing.unwritten_rows += count(running.store.pending_count());
            let Some(end) = self.consumer.known_end(&self.place(partition)) else { continue };
            let behind = u64::try_from(end - running.next_offset()).unwrap_or(0);
            let age = running.read_up_to.filter(|_| 0 < behind).map_or(0, |time| now.since(time));
            let age = Duration::from_millis(u64::try_from(age).unwrap_or(0));
            self.shared.telemetry.lag(partition, behind, age);
        }
        for held in self.held.values() {
            if let Held::Restoring(restoring) = held {
                standing.restore_remaining += restoring.remaining();
            }
        }
        standing.produced = self.outbox.queued_count();
        self.shared.telemetry.worker(self.worker, standing);
    }
}

/// Tells once that no broker answers a worker, and once that one does again.
pub(super) fn note_broker(shared: &Shared, worker: u16, reached: bool) {
    if shared.board.cut_off(worker, !reached) {
        log::broker_answers(worker, reached);
    }
}

pub(super) fn running_among(
    held: &mut BTreeMap<i32, Held>,
) -> impl Iterator<Item = (i32, &mut Running)> {
    held.iter_mut().filter_map(|(partition, held)| match held {
        Held::Running(running) => Some((*partition, &mut **running)),
        Held::Asking(_) | Held::Waiting(_) | Held::Restoring(_) | Held::Stopped => None,
    })
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// What is known once per batch.
struct Batch {
    now: EventTime,
    watch: Stopwatch,
    record_count: u32,
}

impl Batch {
    fn at(shared: &Shared) -> Self {
        Self { now: shared.settings.clock.now(), watch: Stopwatch::start(), record_count: 0 }
    }
}
