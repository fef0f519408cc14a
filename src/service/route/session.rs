//! A router's work with one pair of clients: read, take apart, copy, commit.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    Sources,
    copying::Copying,
    position::{Begin, Known, Lost, begin},
};
use crate::{
    clock::Stopwatch,
    engine::{Effects, Splitter},
    kafka::{
        GroupConsumer, KafkaFailure, LostPosition, Outbox, Place, Polled, Rebalance, Source,
        committed_by,
    },
    service::{
        failpoint::Failpoint,
        orphans::OrphanWatch,
        shared::{Ruling, Shared},
        transaction::{Transaction, abort_class},
        watchdog::Task,
    },
    telemetry::{Tally, log},
};

/// The most records between two looks at the group and the clock.
const BATCH_MAX: usize = 512;

/// The longest wait for a record.
const PATIENCE: Duration = Duration::from_millis(20);

/// How often the lag is looked at.
const LOOK_AROUND: Duration = Duration::from_millis(250);

/// How long a broker may take to answer a question.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How far one partition of a source has been read.
#[derive(Clone, Copy, Debug)]
struct Reading {
    next: i64,
    committed: i64,
}

pub(super) struct RouterSession<'r> {
    router: u16,
    shared: &'r Shared,
    sources: &'r Sources,
    consumer: GroupConsumer,
    outbox: Outbox,
    /// By topic and partition. A topic's name is looked up once per record, and never copied.
    read: BTreeMap<Arc<str>, BTreeMap<i32, Reading>>,
    /// Assigned, but where to begin is not known yet.
    asking: BTreeMap<Place, Stopwatch>,
    /// Assigned, and left alone until the operator has decided.
    stopped: BTreeSet<Place>,
    /// The broker has refused a position, and it is not known yet which.
    lost_position: bool,
    ruling: Arc<Ruling>,
    splitter: Splitter,
    effects: Effects,
    tally: Tally,
    transaction: Transaction,
    looked_around: Stopwatch,
    orphans: OrphanWatch,
}

impl<'r> RouterSession<'r> {
    pub(super) fn open(
        router: u16,
        shared: &'r Shared,
        sources: &'r Sources,
    ) -> Result<Self, KafkaFailure> {
        let settings = &shared.settings;
        let name = settings.router_name(router);
        // The producer first: it ends what a predecessor of this name left open.
        let outbox = Outbox::open(&settings.connection, &name)?;
        let plan = &settings.topics;
        let group = plan.route_group();
        let topics: Vec<&str> = plan.sources.iter().map(String::as_str).collect();
        let consumer = GroupConsumer::open(&settings.connection, &group, &name, &topics)?;
        let ruling = shared.ruling.load_full();
        let tally = shared.telemetry.tally(Arc::clone(&ruling.names));
        Ok(Self {
            router,
            shared,
            sources,
            consumer,
            outbox,
            read: BTreeMap::new(),
            asking: BTreeMap::new(),
            stopped: BTreeSet::new(),
            lost_position: false,
            ruling,
            splitter: Splitter::default(),
            effects: Effects::default(),
            tally,
            transaction: Transaction::starting_now(),
            looked_around: Stopwatch::start(),
            orphans: OrphanWatch::new(group, name),
        })
    }

    /// Works until asked to stop; what was copied is then committed.
    pub(super) fn run(&mut self) -> Result<(), KafkaFailure> {
        while !self.shared.stop.is_asked() {
            let turn = self.turn();
            self.settle(turn)?;
        }
        let last = self.commit();
        self.settle(last)
    }

    fn settle(&mut self, turn: Result<(), KafkaFailure>) -> Result<(), KafkaFailure> {
        match turn {
            Err(failure) if failure.can_be_undone() => self.abort(&failure),
            ended => ended,
        }
    }

    fn turn(&mut self) -> Result<(), KafkaFailure> {
        self.shared.rounds.come(Task::Router(self.router));
        self.answer_group()?;
        self.begin_some()?;
        self.read_batch()?;
        self.stop_lost_positions()?;
        if LOOK_AROUND <= self.looked_around.elapsed() {
            self.looked_around = Stopwatch::start();
            self.consumer.check_membership(self.is_holding())?;
            self.look_around();
            self.orphans.look(self.shared, &self.consumer);
        }
        let due = self.transaction.is_due(&self.shared.settings);
        if self.is_dirty() && due { self.commit() } else { Ok(()) }
    }

    fn answer_group(&mut self) -> Result<(), KafkaFailure> {
        while let Some(rebalance) = self.consumer.next_rebalance() {
            match rebalance {
                Rebalance::Assigned(places) => {
                    self.consumer.answer_assignment(self.is_holding())?;
                    let now = Stopwatch::start();
                    self.asking.extend(places.into_iter().map(|place| (place, now)));
                }
                Rebalance::Revoked { places, lost } => {
                    Failpoint::InRouteRevoke.reached();
                    if lost {
                        self.abort_if_dirty(&KafkaFailure::lost_partitions())?;
                    } else {
                        // While they are still ours: whoever has them next begins at this commit.
                        let last = self.commit();
                        self.settle(last)?;
                    }
                    self.give_up(&places)?;
                }
            }
        }
        Ok(())
    }

    /// Returns whether sources are in hand, read or not.
    fn is_holding(&self) -> bool {
        !self.asking.is_empty()
            || !self.stopped.is_empty()
            || self.read.values().any(|partitions| !partitions.is_empty())
    }

    fn give_up(&mut self, places: &[Place]) -> Result<(), KafkaFailure> {
        for place in places {
            self.asking.remove(place);
            if self.stopped.remove(place) {
                self.source_left(place);
            }
        }
        self.leave_off(places)
    }

    /// Reads no further there.
    fn leave_off(&mut self, places: &[Place]) -> Result<(), KafkaFailure> {
        let mut reading = Vec::new();
        for place in places {
            let partitions = self.read.get_mut(&place.topic);
            if partitions.and_then(|partitions| partitions.remove(&place.partition)).is_some() {
                reading.push(place.clone());
            }
        }
        // Also when there is nothing to give up: the group waits for the answer.
        self.consumer.unassign(&reading)
    }

    /// What stands still there is somebody else's to tell of.
    fn source_left(&self, place: &Place) {
        let place = place.to_string();
        self.shared.telemetry.source_left(self.router, &place);
        self.shared.board.source_left(self.router, &place);
    }

    /// Begins to read what was assigned, as soon as the group's offsets are known.
    fn begin_some(&mut self) -> Result<(), KafkaFailure> {
        // Of those that wait, the one that has waited longest.
        let waiting = self.asking.values().copied();
        let Some(asked_since) = waiting.max_by_key(Stopwatch::elapsed) else { return Ok(()) };
        let places: Vec<Place> = self.asking.keys().cloned().collect();
        let Some(committed) = self.consumer.committed_by_now(&places, asked_since)? else {
            return Ok(());
        };
        let mut positions = Vec::new();
        for place in places {
            // Each may take its time to be found.
            self.shared.rounds.come(Task::Router(self.router));
            self.asking.remove(&place);
            let committed = committed.get(&place).copied().flatten();
            match begin(&self.known(&place, committed)?) {
                Ok(Begin::At(offset)) => positions.push((place, offset)),
                Ok(Begin::Since(millis)) => {
                    let offset = self.consumer.offset_at(&place, millis)?;
                    positions.push((place, offset));
                }
                Err(lost) => self.stop(&place, lost),
            }
        }
        self.consumer.assign(&positions)?;
        for (place, next) in positions {
            // −1: where nothing is committed yet, the first commit says where we began.
            let known = committed.get(&place).copied().flatten();
            let reading = Reading { next, committed: known.unwrap_or(-1) };
            self.read.entry(place.topic).or_default().insert(place.partition, reading);
        }
        Ok(())
    }

    fn known(&self, place: &Place, committed: Option<i64>) -> Result<Known, KafkaFailure> {
        let settings = &self.shared.settings;
        let Sources { known: sources, copied, .. } = self.sources;
        let source = sources.iter().find(|source| source.topic == place.topic);
        let before_routing = match source {
            Some(source) if committed.is_none() => {
                committed_by(&settings.connection, &settings.app, source)?
            }
            Some(_) | None => BTreeMap::new(),
        };
        let younger = |source: &Source| source.known || source.partition_count <= place.partition;
        Ok(Known {
            committed,
            read_before: !before_routing.is_empty(),
            before_routing: before_routing.get(&place.partition).copied(),
            bounds: self.consumer.bounds(place, ANSWER_LIMIT)?,
            widened: source.is_some_and(younger),
            copied: *copied && sources.iter().all(|source| !source.known),
            adopt_offsets: settings.adopt_offsets,
            start: settings.input_start,
        })
    }

    /// Leaves a partition alone until the operator has decided. The others go on.
    fn stop(&mut self, place: &Place, reason: Lost) {
        let (router, name) = (self.router, place.to_string());
        self.shared.board.source_stopped(router, name.clone(), reason.to_string());
        // Last, so that whoever reads its line finds it at `/readyz` too.
        self.shared.telemetry.source_stopped(router, name, reason.code(), &reason);
        self.stopped.insert(place.clone());
    }

    fn read_batch(&mut self) -> Result<(), KafkaFailure> {
        let mut patience = if self.asking.is_empty() { PATIENCE } else { Duration::ZERO };
        let mut now = None;
        let room = self.transaction.room(&self.shared.settings);
        self.transaction.is_behind = true;
        for _ in 0..room.min(BATCH_MAX) {
            match self.consumer.poll(patience) {
                Polled::Record(record) => {
                    let now = *now.get_or_insert_with(|| self.shared.settings.clock.now());
                    let reading = self
                        .read
                        .get_mut(record.topic())
                        .and_then(|partitions| partitions.get_mut(&record.partition()));
                    let Some(reading) = reading else { continue };
                    if record.offset() < reading.next {
                        // Fetched before a seek.
                        continue;
                    }
                    // Before anything can fail: from here on we are ahead of the last commit.
                    reading.next = record.offset().saturating_add(1);
                    self.transaction.record_count += 1;
                    self.outbox.begin()?;
                    let copying = Copying {
                        shared: self.shared,
                        sources: self.sources,
                        ruling: &self.ruling,
                        outbox: &self.outbox,
                        now,
                    };
                    copying.copy(
                        &record,
                        &mut self.splitter,
                        &mut self.effects,
                        &mut self.tally,
                    )?;
                }
                Polled::End(_) => {}
                Polled::Nothing => {
                    self.transaction.is_behind = false;
                    break;
                }
                Polled::OutOfRange => self.lost_position = true,
                Polled::Failed(failure) => return Err(failure),
            }
            patience = Duration::ZERO;
        }
        Ok(())
    }

    fn positions(&self, wanted: impl Fn(&Reading) -> bool) -> Vec<(Place, Reading)> {
        let mut positions = Vec::new();
        for (topic, partitions) in &self.read {
            let wanted = partitions.iter().filter(|(_, reading)| wanted(reading));
            positions.extend(
                wanted.map(|(&partition, &reading)| (Place::of(topic, partition), reading)),
            );
        }
        positions
    }

    fn is_dirty(&self) -> bool {
        self.read.values().flatten().any(|(_, reading)| reading.next != reading.committed)
    }

    fn commit(&mut self) -> Result<(), KafkaFailure> {
        self.consumer.check_membership(self.is_holding())?;
        let dirty = self.positions(|reading| reading.next != reading.committed);
        if dirty.is_empty() {
            return Ok(());
        }
        self.outbox.begin()?;
        let offsets: Vec<(Place, i64)> =
            dirty.into_iter().map(|(place, reading)| (place, reading.next)).collect();
        let watch = Stopwatch::start();
        self.outbox.drain()?;
        self.outbox.send_offsets(&self.consumer, &offsets)?;
        self.outbox.commit()?;
        for reading in self.read.values_mut().flat_map(BTreeMap::values_mut) {
            reading.committed = reading.next;
        }
        let now = self.shared.settings.clock.now();
        self.shared.telemetry.committed(&mut self.tally, now, watch.elapsed());
        log::routed(self.router, self.transaction.record_count, watch.elapsed());
        self.transaction.committed();
        self.take_up_new_rules();
        Ok(())
    }

    /// Between two transactions, so that one transaction is one rule set's work.
    fn take_up_new_rules(&mut self) {
        let ruling = self.shared.ruling.load();
        if !Arc::ptr_eq(&ruling, &self.ruling) {
            self.ruling = Arc::clone(&ruling);
            self.tally = self.shared.telemetry.tally(Arc::clone(&self.ruling.names));
        }
    }

    fn abort_if_dirty(&mut self, cause: &KafkaFailure) -> Result<(), KafkaFailure> {
        if self.is_dirty() { self.abort(cause) } else { Ok(()) }
    }

    /// Takes everything since the last commit back, and reads it again.
    fn abort(&mut self, cause: &KafkaFailure) -> Result<(), KafkaFailure> {
        let class = abort_class(cause);
        self.shared.telemetry.aborted(&mut self.tally, self.router, class, &cause.to_string());
        self.transaction.aborted(cause)?;
        self.outbox.abort()?;
        self.effects.clear();
        let dirty = self.positions(|reading| reading.next != reading.committed);
        if dirty.iter().any(|(_, reading)| reading.committed < 0) {
            // Where it began is written down nowhere: decided anew, with new clients.
            return Err(cause.as_fatal());
        }
        let back: Vec<(Place, i64)> =
            dirty.into_iter().map(|(place, reading)| (place, reading.committed)).collect();
        for reading in self.read.values_mut().flat_map(BTreeMap::values_mut) {
            reading.next = reading.committed;
        }
        self.take_up_new_rules();
        self.consumer.seek(&back)
    }

    /// Where the broker has refused a position: finds the partitions whose records are gone. It says
    /// so once, so this is tried until it is done: the commit may fail of something else.
    fn stop_lost_positions(&mut self) -> Result<(), KafkaFailure> {
        if !self.lost_position {
            return Ok(());
        }
        // What was copied before is still good.
        self.commit()?;
        let positions = self.positions(|_| true).into_iter();
        let positions = positions.map(|(place, reading)| (place, reading.next));
        let lost = self.consumer.lost_positions(positions.collect())?;
        self.lost_position = false;
        for LostPosition { place, offset, bounds: (first, end) } in &lost {
            let reason = Lost::OutOfRange { offset: *offset, first: *first, end: *end };
            self.stop(place, reason);
        }
        let lost: Vec<Place> = lost.into_iter().map(|lost| lost.place).collect();
        self.leave_off(&lost)
    }

    fn look_around(&self) {
        let mut behind = 0_u64;
        // What is not committed is not in the copy yet.
        let mut busy = self.is_dirty() || !self.asking.is_empty();
        for (place, reading) in self.positions(|_| true) {
            let end = self.consumer.known_end(&place).unwrap_or(reading.next);
            let missing = u64::try_from(end - reading.next).unwrap_or(0);
            behind = behind.saturating_add(missing);
            // The one behind the last record may be a transaction's marker, which nobody can read.
            busy |= 1 < missing;
        }
        self.shared.telemetry.route_lag(self.router, behind);
        self.sources.set_behind(self.router, busy);
    }
}

impl Drop for RouterSession<'_> {
    fn drop(&mut self) {
        for place in &self.stopped {
            self.source_left(place);
        }
        self.sources.set_behind(self.router, true);
        self.shared.telemetry.route_lag(self.router, 0);
    }
}
