//! One input partition: its clock, and the customers changed since the last commit.
//!
//! Before every touchpoint the deadlines that its time makes due fire, for every customer of the
//! partition, in order of deadline and customer id. Never once per batch: then output would depend
//! on where batches are cut.

mod herd;
mod run;

use std::{collections::BTreeSet, sync::Arc};

use hashbrown::HashMap;

pub use self::herd::Herd;
pub(crate) use self::run::reject;
use self::run::{Items, Run};
use super::{
    Customers, Effects, Record, Settings,
    decode::{Decoder, DecoderSpec, Dialect, Item, PathId, PropertyPaths, Scratch},
    encode::{write_engagement, write_partition_row, write_row},
    explain::{TouchpointExplained, Watch},
    rules::RuleSet,
    sealed::{CustomerChange, Sealed},
    spike::Pulse,
    state::{Customer, Digest},
    timeline::Context,
};
use crate::model::{EventTime, Span};

/// What every partition shares: rules, decoder, settings. Immutable; a reload swaps it whole.
#[derive(Debug)]
pub struct Engine {
    pub(super) rules: Arc<RuleSet>,
    pub(super) settings: Settings,
    pub(super) decoder: Decoder,
    /// By path position in the rule set.
    pub(super) path_ids: Box<[Option<PathId>]>,
    /// The properties that are watched for spikes: name and place.
    pub(super) spike_properties: Box<[(Box<str>, PathId)]>,
}

impl Engine {
    /// Returns an engine for records of one dialect.
    pub fn new(rules: Arc<RuleSet>, settings: Settings, dialect: Dialect) -> Self {
        let watched = settings.spike_properties.iter().map(String::as_str);
        let paths = rules.property_paths().chain(watched.clone());
        let properties = PropertyPaths::new(paths, rules.property_synonyms());
        let spike_properties =
            watched.filter_map(|name| Some((Box::from(name), properties.id(name)?))).collect();
        let path_ids = rules.property_paths().map(|path| properties.id(path)).collect();
        let event_names = rules
            .event_synonyms()
            .map(|(other, canonical)| (other.to_owned(), canonical.to_owned()))
            .collect();
        let decoder = Decoder::new(DecoderSpec {
            dialect,
            properties,
            event_names,
            text_fields: settings.text_fields.clone(),
            tolerance: settings.tolerance,
            max_bytes: settings.max_input_bytes,
        });
        Self { rules, settings, decoder, path_ids, spike_properties }
    }

    /// Returns whether [`Record::headers`] say something in the dialect of the records.
    pub fn reads_headers(&self) -> bool {
        self.decoder.reads_headers()
    }

    /// Returns the rules.
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// Returns the settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn context<'e>(&'e self, customer_id: &'e str, watermark: EventTime) -> Context<'e> {
        let (rules, settings) = (&*self.rules, &self.settings);
        Context { rules, settings, customer_id, watermark, watch: None }
    }
}

/// The partition row: written with every transaction, read at every start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionRow {
    /// The offset of the next input record.
    pub next_offset: i64,
    /// The latest event time seen; the watermark is this less the tolerance.
    pub latest: Option<EventTime>,
    /// The earliest event time seen: since when the stream is known.
    pub known_since: Option<EventTime>,
    /// How many times idleness moved the clock.
    pub ticks: u64,
    /// The input topic, as text; empty where it is not known.
    pub topic_id: String,
    /// The input topic's partition count.
    pub partition_count: i32,
    /// Deadlines that go before whatever comes next.
    pub herd: Option<Herd>,
}

/// One input partition's mutable half.
#[derive(Debug, Default)]
pub struct Partition {
    scratch: Scratch,
    live: Live,
    committed: PartitionRow,
    /// Who wants to know why; nobody in the service.
    watch: Option<Watch>,
}

/// What a transaction changes.
#[derive(Debug, Default)]
struct Live {
    row: PartitionRow,
    /// Minutes not yet said, and those that may still be corrected.
    pulse: Pulse,
    /// Customers in memory. Boxed, because they are large and a growing table moves its entries.
    overlay: HashMap<Box<str>, Box<Customer>, foldhash::fast::FixedState>,
    /// Those who changed since the last commit (they are `dirty`), so that a commit costs by
    /// these, not by all in memory.
    changed: Vec<Box<str>>,
    /// Those who were to be forgotten since the last commit.
    erased: BTreeSet<Box<str>>,
    /// When they fall due. An entry may be too early; never too late.
    due: BTreeSet<(EventTime, Box<str>)>,
    /// Committed deadlines up to here have been looked at.
    looked_at: Option<(EventTime, Box<str>)>,
    /// The next committed deadline, so that most touchpoints need not ask; `None`: not known.
    next_stored: Option<NextStored>,
    /// Deadlines that fired in this transaction.
    fired_count: usize,
}

/// What the store answered last.
#[derive(Clone, Debug)]
struct NextStored(Option<(EventTime, Box<str>)>);

impl Partition {
    /// Continues from a partition row (or from nothing).
    pub fn new(row: PartitionRow) -> Self {
        let live = Live { row: row.clone(), ..Live::default() };
        Self { live, committed: row, ..Self::default() }
    }

    /// Takes a row of an open minute, as it was committed; returns whether it could be read. Call it
    /// before the first record.
    pub fn restore_pulse(&mut self, key: &[u8], row: &[u8]) -> bool {
        self.live.pulse.restore(key, row)
    }

    /// Runs one record through decode, dedupe, classify, score, episode and encode, after firing
    /// every deadline that its times make due. Effects are appended. `now` is the wall clock.
    #[expect(
        clippy::too_many_arguments,
        reason = "what is given, from where, and to where; all borrowed apart"
    )]
    pub fn process<C: Customers>(
        &mut self,
        engine: &Engine,
        record: &Record<'_>,
        now: EventTime,
        customers: &C,
        effects: &mut Effects,
    ) {
        let Self { live, watch, scratch, .. } = self;
        let items = Items::default();
        let mut run = Run { engine, now, customers, effects, live, watch: watch.as_ref(), items };
        if !run.catch_up(Some(record.offset)) {
            return;
        }
        engine.decoder.decode(record, now, scratch, &mut |item| run.item(record, &item));
        let done = i64::from(self.live.row.herd.is_none());
        self.live.row.next_offset = record.offset.saturating_add(done);
    }

    /// Returns whether more deadlines fall due than one transaction may hold: commit, then give the
    /// same record again (see [`PartitionRow::next_offset`]), or tick again.
    pub fn is_behind(&self) -> bool {
        self.live.row.herd.is_some()
    }

    /// Watches the touchpoint with that id (`None`: whichever comes last), to explain it later.
    pub fn watch(&mut self, event_id: Option<&str>) {
        self.watch = Some(Watch::new(event_id));
    }

    /// Returns why the watched touchpoint is what it is said to be, if it came by.
    pub fn explained(&self) -> Option<TouchpointExplained> {
        self.watch.as_ref()?.take()
    }

    /// Returns the customer of a record's first touchpoint: what its key should be.
    pub fn customer_of(
        &mut self,
        engine: &Engine,
        record: &Record<'_>,
        now: EventTime,
    ) -> Option<String> {
        let mut first = None;
        engine.decoder.decode(record, now, &mut self.scratch, &mut |item| {
            if let Item::Touchpoint(decoded) = item {
                first.get_or_insert_with(|| decoded.touchpoint.customer_id.to_string());
            }
        });
        first
    }

    /// Moves event time forward in an idle partition to `event_time` (never back), and fires what
    /// falls due. `now` is the wall clock.
    #[expect(
        clippy::too_many_arguments,
        reason = "what is given, from where, and to where; all borrowed apart"
    )]
    pub fn tick<C: Customers>(
        &mut self,
        engine: &Engine,
        event_time: EventTime,
        now: EventTime,
        customers: &C,
        effects: &mut Effects,
    ) {
        let tolerance = engine.settings.tolerance;
        let Self { live, watch, .. } = self;
        let items = Items::default();
        let mut run = Run { engine, now, customers, effects, live, watch: watch.as_ref(), items };
        run.live.resume_pulse(tolerance);
        let moves = |run: &Run<'_, C>| run.live.row.latest.is_none_or(|latest| latest < event_time);
        if run.catch_up(None) && moves(&run) {
            run.live.row.ticks += 1;
            if run.make_way(event_time, None) {
                run.live.row.latest = Some(event_time);
                run.live.beat(tolerance, run.effects);
            }
        }
    }

    /// Returns the earliest deadline of any customer; it may be too early, never too late.
    pub fn next_deadline<C: Customers>(&self, customers: &C) -> Option<EventTime> {
        let stored = customers.due(None, EventTime::MAX).map(|(at, _)| at);
        let changed = self.live.due.first().map(|(at, _)| *at);
        stored.into_iter().chain(changed).min()
    }

    /// Returns about how much memory the customers take that are kept decoded, without what their
    /// strings hold. Looks at each of them: at most [`Settings::decoded`] and one transaction's.
    pub fn overlay_bytes(&self) -> usize {
        let tail_bytes = |customer: &Customer| customer.tail.len() * size_of::<Digest>();
        let customers = self.live.overlay.iter();
        customers
            .map(|(id, customer)| id.len() + size_of::<Customer>() + tail_bytes(customer))
            .sum()
    }

    /// Returns the row as the next seal would write it.
    pub fn row(&self) -> &PartitionRow {
        &self.live.row
    }

    /// Writes what the transaction must contain besides the effects. Changes nothing: call
    /// [`Self::committed`] after the commit, or [`Self::abandon`] after an abort.
    pub fn seal(&mut self, engine: &Engine, sealed: &mut Sealed) {
        let watermark = self.live.watermark(engine.settings.tolerance);
        for id in &self.live.erased {
            let known = self.live.overlay.get(id);
            if known.is_none_or(|customer| !customer.retired || !customer.stored) {
                let key = sealed.keep(id.as_bytes());
                sealed.erased.push(key);
            }
        }
        let mut changed: Vec<&str> = self.live.changed.iter().map(|id| &**id).collect();
        changed.sort_unstable();
        for id in changed {
            let Some(customer) = self.live.overlay.get(id) else { continue };
            let key = sealed.keep(id.as_bytes());
            if customer.retired {
                if customer.stored {
                    sealed.customers.push(CustomerChange {
                        customer: key,
                        row: None,
                        engagement: None,
                        due: None,
                        was: customer.committed,
                        is: None,
                    });
                }
                continue;
            }
            let row = sealed.write(|out| write_row(out, customer, engine));
            let context = engine.context(id, watermark);
            let engagement = sealed.write(|out| write_engagement(out, customer, context, None));
            sealed.customers.push(CustomerChange {
                customer: key,
                row: Some(row),
                engagement: Some(engagement),
                due: customer.due(engine.settings.retention),
                was: customer.committed,
                is: Some(customer.standing()),
            });
        }
        let mut pulse = std::mem::take(&mut sealed.pulse);
        self.live.pulse.changed(|key, row| {
            pulse.push((sealed.keep(key), row.map(|row| sealed.keep(row))));
        });
        sealed.pulse = pulse;
        let row = &self.live.row;
        sealed.partition_row = Some(sealed.write(|out| write_partition_row(out, row)));
    }

    /// The transaction was committed: the store has (or is about to have) the sealed rows.
    pub fn committed(&mut self, engine: &Engine) {
        let max = engine.settings.decoded;
        self.committed = self.live.row.clone();
        self.live.fired_count = 0;
        self.live.next_stored = None;
        self.live.pulse.committed();
        let Live { overlay, changed, erased, .. } = &mut self.live;
        erased.clear();
        for id in changed.drain(..) {
            let Some(customer) = overlay.get_mut(&id) else { continue };
            if customer.retired {
                // Its deadline left the index when it was retired.
                overlay.remove(&id);
                continue;
            }
            customer.dirty = false;
            customer.stored = true;
            customer.committed = Some(customer.standing());
        }
        if max < overlay.len() {
            self.live.sweep(max / 2);
        }
    }

    /// Other rules are in force from here on. Call it between two transactions, with nothing
    /// changed since the last commit: what is in memory was numbered by the rules before, so every
    /// customer is read from their row again.
    pub fn rules_changed(&mut self) {
        let pulse = std::mem::take(&mut self.live.pulse);
        self.live = Live { row: self.live.row.clone(), pulse, ..Live::default() };
    }

    /// The transaction was aborted: forgets everything since the last commit. The caller seeks
    /// back to [`Self::row`]`().next_offset`.
    pub fn abandon(&mut self) {
        let mut pulse = std::mem::take(&mut self.live.pulse);
        pulse.abandon();
        self.live = Live { row: self.committed.clone(), pulse, ..Live::default() };
    }
}

impl Live {
    fn watermark(&self, tolerance: Span) -> EventTime {
        self.row.latest.map_or(EventTime::MIN, |latest| latest.minus(tolerance))
    }

    /// Drops from memory who was not met since the last sweep, and more than `max` in any case. Call
    /// it with nothing changed since the last commit: the store has their rows, and from now on it
    /// alone knows when they are due.
    fn sweep(&mut self, max: usize) {
        let Self { overlay, due, .. } = self;
        let mut left = max;
        overlay.retain(|id, customer| {
            let stays = std::mem::take(&mut customer.met) && 0 < left;
            if stays {
                left -= 1;
            } else if let Some(indexed) = customer.indexed_due {
                due.remove(&(indexed, id.clone()));
            }
            stays
        });
        self.looked_at = None;
        self.next_stored = None;
    }

    /// Lets the minutes go on where the watermark is, before it moves.
    fn resume_pulse(&mut self, tolerance: Span) {
        let latest = self.row.latest;
        self.pulse.resume(|| latest.map(|latest| latest.minus(tolerance)));
    }

    /// Says the minutes that the watermark has passed.
    fn beat(&mut self, tolerance: Span, effects: &mut Effects) {
        let watermark = self.watermark(tolerance);
        self.pulse.advance(watermark, effects);
    }
}
