//! What one record does to a partition, and what time alone does.

use super::{
    super::{
        Customers, ERASURE, Effects, Fact, Record,
        decode::{Decoded, Item, Reject, Rejected},
        effects::{Effect, Facts, RejectedItem},
        encode::read_row,
        explain::Watch,
        place::{Story, pass_time, place, revive, trim},
        publish::{Fresh, Publisher},
        state::{Customer, Repetition, RingEntry},
        subject::{digest_of, promise_is_unreadable},
        timeline::Context,
    },
    Engine, Live, NextStored,
};
use crate::model::{EventTime, Span, Touchpoint, stable_hash};

/// One call of the engine.
pub(super) struct Run<'r, C> {
    pub(super) engine: &'r Engine,
    pub(super) now: EventTime,
    pub(super) customers: &'r C,
    pub(super) effects: &'r mut Effects,
    pub(super) live: &'r mut Live,
    pub(super) watch: Option<&'r Watch>,
    pub(super) items: Items,
}

/// How far a record of several items is.
#[derive(Debug, Default)]
pub(super) struct Items {
    /// So many came by.
    seen: u32,
    /// So many an earlier transaction has dealt with.
    pub(super) done: u32,
}

impl<C: Customers> Run<'_, C> {
    /// Deals with the next item of a record, unless that is done, or a herd goes first.
    pub(super) fn item(&mut self, record: &Record<'_>, item: &Item<'_, '_>) {
        let number = self.items.seen;
        self.items.seen = number.saturating_add(1);
        if number < self.items.done || self.live.row.herd.is_some() {
            return;
        }
        match item {
            Item::Touchpoint(decoded) => self.touchpoint(record, decoded, number),
            Item::Reject(rejected) => self.reject(rejected),
        }
    }

    pub(super) fn reject(&mut self, rejected: &Rejected<'_>) {
        reject(self.effects, self.engine.settings.max_output_bytes, rejected);
    }

    fn touchpoint(&mut self, record: &Record<'_>, decoded: &Decoded<'_, '_>, number: u32) {
        let touchpoint = &decoded.touchpoint;
        let id = touchpoint.customer_id.as_ref();
        self.load(id);
        let entry = RingEntry {
            ts: touchpoint.ts,
            id: stable_hash(touchpoint.event_id.as_bytes()),
            content: low_half(touchpoint.content_hash),
        };
        // Who was forgotten in this very transaction starts anew, once the touchpoint is accepted.
        let known = self.live.overlay.get(id).filter(|customer| !customer.retired);
        let noted = match known.map(|customer| customer.ring.check(entry)) {
            _ if touchpoint.event_id_assumed => Some(Fact::EventIdAssumed),
            Some(Repetition::Duplicate) => {
                self.effects.fact(Fact::Duplicate);
                return;
            }
            Some(Repetition::Conflict) => {
                let reject = Reject::ConflictingDuplicate;
                let (item, index) = (Some(decoded.item), decoded.index);
                self.reject(&Rejected { reject, item, index });
                return;
            }
            Some(Repetition::Unverifiable) => Some(Fact::DedupeUnverifiable),
            Some(Repetition::New) | None => None,
        };
        if touchpoint.event == ERASURE {
            // It says nothing about when anything happened: the clock stays where it is, also in the
            // midst of a backfill.
            if let Some(fact) = noted {
                self.effects.fact(fact);
            }
            self.effects.fact(Fact::Accepted { late: 0 });
            self.erase(id);
            return;
        }
        self.live.resume_pulse(self.engine.settings.tolerance);
        if !self.make_way(touchpoint.ts, Some(number)) {
            return;
        }
        let late = self.live.row.latest.map_or(0, |latest| latest.since(touchpoint.ts).max(0));
        let row = &mut self.live.row;
        row.latest = row.latest.max(Some(touchpoint.ts));
        row.known_since =
            Some(row.known_since.map_or(touchpoint.ts, |since| since.min(touchpoint.ts)));
        self.live.beat(self.engine.settings.tolerance, self.effects);
        if let Some(fact) = noted {
            self.effects.fact(fact);
        }
        self.accept(record, touchpoint, late);
        self.evaluate(record, decoded, entry);
    }

    /// Forgets a customer, as retention does. A tombstone is written also for somebody unknown: what an
    /// earlier life may have left in the topics goes too, and whoever waits for it sees it.
    fn erase(&mut self, id: &str) {
        let Live { overlay, changed, due, erased, .. } = &mut *self.live;
        erased.insert(id.into());
        self.effects.fact(Fact::Erased);
        let Some(customer) = overlay.get_mut(id) else { return };
        if let Some(indexed) = customer.indexed_due {
            due.remove(&(indexed, id.into()));
        }
        **customer = customer.anew(&self.engine.rules);
        customer.retired = true;
        note_change(customer, id, changed);
    }

    /// Counts a touchpoint that came so late.
    fn accept(&mut self, record: &Record<'_>, touchpoint: &Touchpoint<'_>, late: Span) {
        self.effects.fact(Fact::Accepted { late });
        if touchpoint.ts_assumed {
            self.effects.fact(Fact::TsAssumed);
        }
        let keyed = record.key == Some(touchpoint.customer_id.as_bytes());
        if self.engine.settings.expects_keys && !keyed {
            self.effects.fact(Fact::KeyMismatch);
        }
    }

    fn evaluate(&mut self, record: &Record<'_>, decoded: &Decoded<'_, '_>, entry: RingEntry) {
        let touchpoint = &decoded.touchpoint;
        let settings = &self.engine.settings;
        let known_since = settings.history_since.or(self.live.row.known_since);
        let history_complete = known_since
            .is_some_and(|since| settings.history_complete_after <= touchpoint.ts.since(since));
        let digest = digest_of(self.engine, decoded, history_complete, self.watch);
        let watermark = self.live.watermark(settings.tolerance);
        let id = touchpoint.customer_id.as_ref();
        let Live { overlay, changed, row, pulse, .. } = &mut *self.live;
        let Some(customer) = overlay.get_mut(id) else { return };
        if customer.retired {
            // Forgotten, perhaps by the time that this very touchpoint brought.
            **customer = customer.anew(&self.engine.rules);
        }
        note_change(customer, id, changed);
        customer.offset = record.offset;
        customer.tick = row.ticks;
        customer.touched_at = customer.touched_at.max(Some(touchpoint.ts));
        if !touchpoint.event_id_assumed {
            customer.ring.insert(entry);
        }
        if let Some(account) = &touchpoint.account_id
            && (customer.account_at, customer.account_id.as_deref())
                <= (Some(touchpoint.ts), Some(account))
        {
            customer.account_id = Some(account.as_ref().into());
            customer.account_at = Some(touchpoint.ts);
        }
        let digest = match digest {
            Ok(digest) => digest,
            Err(rule) => {
                self.effects.fact(Fact::RuleHit(rule));
                self.effects.fact(Fact::Ignored);
                self.index(id);
                return;
            }
        };
        if promise_is_unreadable(self.engine, decoded, &digest) {
            self.effects.fact(Fact::PromiseUnreadable);
        }
        let context = Context { watch: self.watch, ..self.engine.context(id, watermark) };
        let story = place(customer, digest, context);
        let properties = settings.carry_properties.then_some(touchpoint.properties.as_ref());
        let fresh = Some(Fresh { event_id: &touchpoint.event_id, properties });
        let mut publisher =
            Publisher { effects: &mut *self.effects, context, now: self.now, fresh, pulse };
        publisher.publish(customer, story);
        let mut facts = Facts::new();
        trim(customer, context, &mut facts);
        for fact in facts {
            self.effects.fact(fact);
        }
        self.index(id);
    }

    /// Brings a customer into memory; an unknown one begins there.
    fn load(&mut self, id: &str) {
        if let Some(known) = self.live.overlay.get_mut(id) {
            known.met = true;
            return;
        }
        let rules = &self.engine.rules;
        let read = self.customers.row(id).map(|row| read_row(&row, rules));
        let mut customer = match read {
            Some(Ok(customer)) => customer,
            Some(Err(_)) => {
                self.effects.fact(Fact::RowUnreadable);
                Customer { stored: true, ..Customer::default() }
            }
            None => Customer { rules_version: rules.version_hash(), ..Customer::default() },
        };
        if customer.stored {
            revive(&mut customer, self.engine.context(id, EventTime::MIN));
        }
        customer.met = true;
        self.live.overlay.insert(id.into(), Box::new(customer));
        self.index(id);
    }

    /// Notes when a customer falls due. An entry that is too early stays: it costs one look, where
    /// moving it with every touchpoint would cost one each.
    fn index(&mut self, id: &str) {
        let Live { overlay, due, .. } = &mut *self.live;
        let Some(customer) = overlay.get_mut(id) else { return };
        let falls_due = customer.due(self.engine.settings.retention);
        let indexed = customer.indexed_due;
        if falls_due.is_none_or(|at| indexed.is_some_and(|indexed| indexed <= at)) {
            return;
        }
        if let Some(indexed) = indexed {
            due.remove(&(indexed, id.into()));
        }
        if let Some(at) = falls_due {
            due.insert((at, id.into()));
        }
        customer.indexed_due = falls_due;
    }

    /// Fires every deadline that the watermark has passed, in order of deadline and customer id;
    /// returns whether all have fired. One transaction takes only so many.
    pub(super) fn fire_due(&mut self, watermark: EventTime) -> bool {
        loop {
            let stored = self.next_stored().filter(|(at, _)| *at <= watermark).cloned();
            let changed = self.live.due.first().filter(|(at, _)| *at <= watermark).cloned();
            let next = match (changed, stored) {
                (Some(changed), Some(stored)) if stored < changed => (stored, true),
                (Some(changed), _) => (changed, false),
                (None, Some(stored)) => (stored, true),
                (None, None) => return true,
            };
            let ((at, id), from_store) = next;
            // In memory already: its own entry, if any, is the right one.
            let in_memory = from_store && self.live.overlay.contains_key(&id);
            let full = self.engine.settings.deadlines_per_commit <= self.live.fired_count;
            if full && !in_memory {
                return false;
            }
            if from_store {
                self.live.looked_at = Some((at, id.clone()));
                self.live.next_stored = None;
                if in_memory {
                    continue;
                }
                self.load(&id);
            }
            // Also a look that finds nothing brings a customer into memory.
            let fired = self.refresh(&id, at, watermark).max(1);
            self.live.fired_count = self.live.fired_count.saturating_add(fired);
        }
    }

    /// Returns the first committed deadline that has not been looked at.
    fn next_stored(&mut self) -> Option<&(EventTime, Box<str>)> {
        let Live { next_stored, looked_at, .. } = &mut *self.live;
        let customers = self.customers;
        let NextStored(next) = next_stored.get_or_insert_with(|| {
            let after = looked_at.as_ref().map(|(at, id)| (*at, &**id));
            let next = customers.due(after, EventTime::MAX);
            NextStored(next.map(|(at, id)| (at, Box::from(&*id))))
        });
        next.as_ref()
    }

    /// Fires one customer's deadlines up to the watermark, if the first of them is `at`. Otherwise
    /// the index was too early, and is put right: customers fire in the order of their deadlines,
    /// whether they were in memory or in the store. Returns how much was said.
    fn refresh(&mut self, id: &str, at: EventTime, watermark: EventTime) -> usize {
        let retention = self.engine.settings.retention;
        let Live { overlay, changed, due, row, pulse, .. } = &mut *self.live;
        let Some(customer) = overlay.get_mut(id) else { return 0 };
        if let Some(indexed) = customer.indexed_due.take() {
            due.remove(&(indexed, id.into()));
        }
        if customer.retired {
            return 0;
        }
        if customer.due(retention).is_none_or(|due| at < due) {
            self.index(id);
            return 0;
        }
        let mut said_count = 0;
        let context = Context { watch: self.watch, ..self.engine.context(id, watermark) };
        if customer.earliest_deadline().is_some_and(|at| at <= watermark) {
            let story: Story = pass_time(customer, context);
            said_count = story.said.len();
            let effects = &mut *self.effects;
            let mut publisher = Publisher { effects, context, now: self.now, fresh: None, pulse };
            publisher.publish(customer, story);
            // Even where nothing was said, another instant is due now: the store must know.
            note_change(customer, id, changed);
            customer.offset = row.next_offset;
            customer.tick = row.ticks;
        }
        if customer.touched_at.is_some_and(|last| last.plus(retention) <= watermark) {
            customer.retired = true;
            note_change(customer, id, changed);
            self.effects.fact(Fact::Retired);
            return said_count;
        }
        self.index(id);
        said_count
    }
}

/// Sets an item aside; what is longer than `limit` is cut.
pub(crate) fn reject(effects: &mut Effects, limit: usize, rejected: &Rejected<'_>) {
    let detail = effects.keep(rejected.reject.to_string().as_bytes());
    let truncated = rejected.item.is_some_and(|item| limit < item.len());
    let item = rejected.item.map(|item| item.get(..limit).unwrap_or(item));
    let item = item.map(|item| effects.keep(item));
    effects.push(Effect::Reject(RejectedItem {
        reason: rejected.reject.code(),
        detail,
        item,
        index: rejected.index,
        truncated,
    }));
}

/// Notes that a customer differs from the last commit.
fn note_change(customer: &mut Customer, id: &str, changed: &mut Vec<Box<str>>) {
    if !customer.dirty {
        customer.dirty = true;
        changed.push(id.into());
    }
}

fn low_half(hash: u64) -> u32 {
    u32::try_from(hash & 0xffff_ffff).unwrap_or(0)
}
