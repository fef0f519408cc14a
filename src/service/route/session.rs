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
    kafka::{Class, Handover, Intake, KafkaFailure, Outbox, Place, Source, Taken, committed_by},
    service::{
        commit::abort_class,
        failpoint::Failpoint,
        orphans::OrphanWatch,
        shared::{Ruling, Shared},
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

/// How long to wait for the group's offsets before what is assigned already has its turn.
const ASK_BUDGET: Duration = Duration::from_millis(500);

/// How long a predecessor's transaction may hold them back.
const ASK_LIMIT: Duration = Duration::from_mins(1);

/// After so many aborts in a row the clients are built anew.
const ABORTS_MAX: u32 = 5;

/// How far one partition of a source has been read.
#[derive(Clone, Copy, Debug)]
struct Reading {
    next: i64,
    committed: i64,
}

pub(super) struct RouteSession<'r> {
    router: u16,
    shared: &'r Shared,
    sources: &'r Sources,
    intake: Intake,
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
    since: Stopwatch,
    record_count: usize,
    /// The last look at the sources found more than a batch takes.
    is_behind: bool,
    aborts_in_a_row: u32,
    looked_around: Stopwatch,
    orphans: OrphanWatch,
}

impl<'r> RouteSession<'r> {
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
        let intake = Intake::open(&settings.connection, &group, &name, &plan.sources)?;
        let ruling = shared.ruling.load_full();
        let tally = shared.telemetry.tally(Arc::clone(&ruling.names));
        Ok(Self {
            router,
            shared,
            sources,
            intake,
            outbox,
            read: BTreeMap::new(),
            asking: BTreeMap::new(),
            stopped: BTreeSet::new(),
            lost_position: false,
            ruling,
            splitter: Splitter::default(),
            effects: Effects::default(),
            tally,
            since: Stopwatch::start(),
            record_count: 0,
            is_behind: false,
            aborts_in_a_row: 0,
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
            Ok(()) => Ok(()),
            Err(failure) if failure.is_refusal() => Err(failure),
            Err(failure) => match failure.class {
                Class::Retriable | Class::Abortable => self.abort(&failure),
                Class::Fatal => Err(failure),
            },
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
            self.look_at_membership()?;
            self.look_around();
            self.orphans.look(self.shared, |limit| self.intake.ownership(limit));
        }
        let settings = &self.shared.settings;
        let due = settings.max_records_per_commit <= self.record_count
            || settings.commit_after(self.is_behind) <= self.since.elapsed();
        if self.is_dirty() && due { self.commit() } else { Ok(()) }
    }

    fn answer_group(&mut self) -> Result<(), KafkaFailure> {
        while let Some(handover) = self.intake.next_handover() {
            match handover {
                Handover::Assigned(places) => {
                    self.look_at_membership()?;
                    // Before the answer: until then the client does not join again.
                    self.intake.note_membership();
                    self.intake.assign(&[])?;
                    let now = Stopwatch::start();
                    self.asking.extend(places.into_iter().map(|place| (place, now)));
                }
                Handover::Revoked { places, lost } => {
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

    /// The group may have expelled us and let us in again, and the client does not say so: what we
    /// read may be somebody else's now. Only new clients know for certain.
    fn look_at_membership(&self) -> Result<(), KafkaFailure> {
        // Who has lost everything, and was told so, comes back under a new id with nothing to lose.
        let empty_handed = self.asking.is_empty()
            && self.stopped.is_empty()
            && self.read.values().all(BTreeMap::is_empty);
        if !empty_handed && self.intake.is_replaced() {
            return Err(KafkaFailure::expelled());
        }
        Ok(())
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
        self.intake.unassign(&reading)
    }

    /// What stands still there is somebody else's to tell of.
    fn source_left(&self, place: &Place) {
        let place = place.to_string();
        self.shared.telemetry.source_left(self.router, &place);
        self.shared.board.source_left(self.router, &place);
    }

    /// Begins to read what was assigned, as soon as the group's offsets are known.
    fn begin_some(&mut self) -> Result<(), KafkaFailure> {
        if self.asking.is_empty() {
            return Ok(());
        }
        let places: Vec<Place> = self.asking.keys().cloned().collect();
        let committed = match self.intake.committed(&places, ASK_BUDGET) {
            Ok(committed) => committed,
            Err(failure) if self.has_asked_for(ASK_LIMIT) => return Err(failure),
            // A transaction is open, or the coordinator is on its way: ask again.
            Err(_) => return Ok(()),
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
                    let offset = self.intake.offset_at(&place, millis)?;
                    positions.push((place, offset));
                }
                Err(lost) => self.stop(&place, lost),
            }
        }
        self.intake.assign(&positions)?;
        for (place, next) in positions {
            // −1: where nothing is committed yet, the first commit says where we began.
            let known = committed.get(&place).copied().flatten();
            let reading = Reading { next, committed: known.unwrap_or(-1) };
            self.read.entry(place.topic).or_default().insert(place.partition, reading);
        }
        Ok(())
    }

    fn has_asked_for(&self, limit: Duration) -> bool {
        self.asking.values().any(|since| since.left_of(limit).is_zero())
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
            bounds: self.intake.bounds(place)?,
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
        let room = self.shared.settings.max_records_per_commit.saturating_sub(self.record_count);
        self.is_behind = true;
        for _ in 0..BATCH_MAX.min(room.max(1)) {
            match self.intake.poll(patience) {
                Taken::Record(record) => {
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
                    self.record_count += 1;
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
                Taken::Noise => {}
                Taken::Nothing => {
                    self.is_behind = false;
                    break;
                }
                Taken::OutOfRange => {
                    self.lost_position = true;
                    break;
                }
                Taken::Failed(failure) => return Err(failure),
            }
            patience = Duration::ZERO;
        }
        Ok(())
    }

    fn positions(&self, wanted: impl Fn(&Reading) -> bool) -> Vec<(Place, Reading)> {
        let mut positions = Vec::new();
        for (topic, partitions) in &self.read {
            let wanted = partitions.iter().filter(|(_, reading)| wanted(reading));
            positions.extend(wanted.map(|(&partition, &reading)| {
                (Place { topic: Arc::clone(topic), partition }, reading)
            }));
        }
        positions
    }

    fn is_dirty(&self) -> bool {
        self.read.values().flatten().any(|(_, reading)| reading.next != reading.committed)
    }

    fn commit(&mut self) -> Result<(), KafkaFailure> {
        self.look_at_membership()?;
        let dirty = self.positions(|reading| reading.next != reading.committed);
        if dirty.is_empty() {
            return Ok(());
        }
        self.outbox.begin()?;
        let offsets: Vec<(Place, i64)> =
            dirty.into_iter().map(|(place, reading)| (place, reading.next)).collect();
        let watch = Stopwatch::start();
        self.outbox.drain()?;
        self.outbox.send_places(&self.intake, &offsets)?;
        self.outbox.commit()?;
        for reading in self.read.values_mut().flat_map(BTreeMap::values_mut) {
            reading.committed = reading.next;
        }
        self.aborts_in_a_row = 0;
        let now = self.shared.settings.clock.now();
        self.shared.telemetry.committed(&mut self.tally, now, watch.elapsed());
        log::routed(self.router, self.record_count, watch.elapsed());
        self.between_transactions();
        Ok(())
    }

    fn between_transactions(&mut self) {
        self.since = Stopwatch::start();
        self.record_count = 0;
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
        self.aborts_in_a_row += 1;
        let class = abort_class(cause);
        self.shared.telemetry.aborted(&mut self.tally, self.router, class, &cause.to_string());
        if ABORTS_MAX < self.aborts_in_a_row {
            return Err(cause.as_fatal());
        }
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
        self.between_transactions();
        if back.is_empty() { Ok(()) } else { self.intake.seek(&back) }
    }

    /// Where the broker has refused a position: finds the partitions whose records are gone. It says
    /// so once, so this is tried until it is done: the commit may fail of something else.
    fn stop_lost_positions(&mut self) -> Result<(), KafkaFailure> {
        if !self.lost_position {
            return Ok(());
        }
        // What was copied before is still good.
        self.commit()?;
        let mut lost = Vec::new();
        for (place, reading) in self.positions(|_| true) {
            let (first, end) = self.intake.bounds(&place)?;
            if !(first..=end).contains(&reading.next) {
                let offset = reading.next;
                self.stop(&place, Lost::OutOfRange { offset, first, end });
                lost.push(place);
            }
        }
        self.lost_position = false;
        self.leave_off(&lost)
    }

    fn look_around(&self) {
        let mut behind = 0_u64;
        // What is not committed is not in the copy yet.
        let mut busy = self.is_dirty() || !self.asking.is_empty();
        for (place, reading) in self.positions(|_| true) {
            let end = self.intake.known_end(&place).unwrap_or(reading.next);
            let missing = u64::try_from(end - reading.next).unwrap_or(0);
            behind = behind.saturating_add(missing);
            // The one behind the last record may be a transaction's marker, which nobody can read.
            busy |= 1 < missing;
        }
        self.shared.telemetry.route_lag(self.router, behind);
        self.sources.set_behind(self.router, busy);
    }
}

impl Drop for RouteSession<'_> {
    fn drop(&mut self) {
        for place in &self.stopped {
            self.source_left(place);
        }
        self.sources.set_behind(self.router, true);
        self.shared.telemetry.route_lag(self.router, 0);
    }
}
