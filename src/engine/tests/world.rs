//! Runs the engine as the service would: a store, transactions, crashes and restarts.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Arc,
};

use serde_json::Value;

use crate::{
    engine::{
        Customers, Effect, Effects, Engine, Fact, Partition, PartitionRow, Record, Sealed,
        Settings, customer_view,
        decode::Dialect,
        inspect_row, read_partition_row,
        rules::{RuleSet, spec::PackSpec},
    },
    model::EventTime,
};

/// What is committed.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    pub(super) rows: BTreeMap<String, Vec<u8>>,
    pub(super) engagement: BTreeMap<String, Vec<u8>>,
    pub(super) partition: Option<Vec<u8>>,
    pub(super) pulse: BTreeMap<Vec<u8>, Vec<u8>>,
    due: BTreeSet<(EventTime, String)>,
}

impl Customers for Store {
    fn row(&self, customer_id: &str) -> Option<Cow<'_, [u8]>> {
        self.rows.get(customer_id).map(|row| Cow::Borrowed(&**row))
    }

    fn due(
        &self,
        after: Option<(EventTime, &str)>,
        until: EventTime,
    ) -> Option<(EventTime, Cow<'_, str>)> {
        self.due
            .iter()
            .find(|(at, id)| after.is_none_or(|after| after < (*at, id)))
            .filter(|(at, _)| *at <= until)
            .map(|(at, id)| (*at, Cow::Borrowed(&**id)))
    }
}

impl Store {
    fn apply(&mut self, sealed: &Sealed) {
        for change in &sealed.customers {
            let id = sealed.text(change.customer).to_owned();
            self.due.retain(|(_, known)| *known != id);
            let Some(row) = change.row else {
                self.rows.remove(&id);
                self.engagement.remove(&id);
                continue;
            };
            let row = sealed.bytes(row).to_vec();
            let facts = inspect_row(&row).unwrap();
            assert_eq!(facts.due, change.due, "the row says when it falls due");
            assert_eq!(Some(facts.standing), change.is, "the row says how the customer stands");
            if let Some(before) = self.rows.get(&id).map(|row| inspect_row(row).unwrap()) {
                assert!(
                    (before.offset, before.tick) <= (facts.offset, facts.tick),
                    "a later row of {id} has an earlier place"
                );
            }
            self.due.extend(change.due.map(|at| (at, id.clone())));
            self.engagement.insert(id.clone(), sealed.bytes(change.engagement.unwrap()).to_vec());
            self.rows.insert(id, row);
        }
        for (key, row) in &sealed.pulse {
            let key = sealed.bytes(*key).to_vec();
            match row {
                Some(row) => self.pulse.insert(key, sealed.bytes(*row).to_vec()),
                None => self.pulse.remove(&key),
            };
        }
        self.partition = sealed.partition_row.map(|row| sealed.bytes(row).to_vec());
    }
}

/// Something that reaches the engine.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Input {
    Record(String),
    Idle(EventTime),
}

/// What happens after an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    Commit,
    /// Commit, then lose everything in memory.
    CommitAndRestart,
    /// Lose everything since the last commit, in memory and on its way out.
    Crash,
    /// The transaction fails, the process lives on.
    Abandon,
}

/// One partition with its service.
pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) store: Store,
    partition: Partition,
    effects: Effects,
    /// Committed effects, one line each.
    pub(super) log: String,
    /// Every committed moment, in order.
    pub(super) moments: Vec<Value>,
    pub(super) facts: Vec<Fact>,
    pending: Vec<Input>,
    offset: i64,
    /// Everything in memory is lost at every commit that a herd of deadlines asks for.
    pub(super) dies_in_herds: bool,
    /// Commits that a herd asked for.
    pub(super) herd_commits: usize,
}

impl World {
    pub(super) fn new(pack: &PackSpec, settings: &Settings) -> Self {
        Self::of(pack, settings, Dialect::Native)
    }

    pub(super) fn of(pack: &PackSpec, settings: &Settings, dialect: Dialect) -> Self {
        let rules = RuleSet::compile(pack.clone()).unwrap();
        Self {
            engine: Engine::new(Arc::new(rules), settings.clone(), dialect),
            store: Store::default(),
            partition: Partition::new(PartitionRow::default()),
            effects: Effects::default(),
            log: String::new(),
            moments: Vec::new(),
            facts: Vec::new(),
            pending: Vec::new(),
            offset: 0,
            dies_in_herds: false,
            herd_commits: 0,
        }
    }

    pub(super) fn feed(&mut self, input: Input) {
        self.take(&input);
        self.pending.push(input);
    }

    pub(super) fn then(&mut self, then: Then) {
        match then {
            Then::Nothing => {}
            Then::Commit => self.commit(),
            Then::CommitAndRestart => {
                self.commit();
                self.restart();
            }
            Then::Crash => {
                self.restart();
                self.take_again();
            }
            Then::Abandon => {
                self.partition.abandon();
                self.take_again();
            }
        }
    }

    pub(super) fn commit(&mut self) {
        self.log_effects();
        let mut sealed = Sealed::default();
        self.partition.seal(&self.engine, &mut sealed);
        self.store.apply(&sealed);
        self.partition.committed(&self.engine);
        self.pending.clear();
    }

    /// Commits, and goes on under other rules.
    pub(super) fn reload(&mut self, pack: &PackSpec) {
        self.commit();
        let rules = Arc::new(RuleSet::compile(pack.clone()).unwrap());
        self.engine = Engine::new(rules, self.engine.settings().clone(), Dialect::Native);
        self.partition.rules_changed();
    }

    fn restart(&mut self) {
        let row = self.store.partition.as_ref().map(|row| read_partition_row(row).unwrap());
        self.partition = Partition::new(row.unwrap_or_default());
        for (key, row) in &self.store.pulse {
            assert!(self.partition.restore_pulse(key, row));
        }
    }

    fn take_again(&mut self) {
        self.effects.clear();
        self.offset = self.partition.row().next_offset;
        for input in std::mem::take(&mut self.pending) {
            self.take(&input);
            self.pending.push(input);
        }
    }

    /// Gives an input to the engine, with as many commits in between as it asks for.
    fn take(&mut self, input: &Input) {
        let before = self.herd_commits;
        loop {
            self.give(input);
            if !self.partition.is_behind() {
                break;
            }
            self.commit();
            self.herd_commits += 1;
            assert!(self.herd_commits - before < 1000, "a herd that gets nowhere");
            if self.dies_in_herds {
                self.restart();
            }
        }
        self.offset += i64::from(matches!(input, Input::Record(_)));
    }

    fn give(&mut self, input: &Input) {
        let Self { engine, store, partition, effects, .. } = self;
        match input {
            Input::Record(value) => {
                let record = Record {
                    value: Some(value.as_bytes()),
                    key: None,
                    headers: &[],
                    topic: "touchpoints",
                    partition: 0,
                    offset: self.offset,
                    timestamp: None,
                };
                partition.process(engine, &record, EventTime::MAX, store, effects);
            }
            Input::Idle(until) => partition.tick(engine, *until, EventTime::MAX, store, effects),
        }
    }

    fn log_effects(&mut self) {
        let effects = &self.effects;
        for effect in effects.iter() {
            match effect {
                Effect::Moment(moment) => {
                    let said = effects.text(moment.value);
                    let (event, counted) = (effects.text(moment.event), moment.counted);
                    let reason = moment.reason.map(|reason| effects.text(reason));
                    writeln!(self.log, "{said} {event} {counted} {reason:?}").unwrap();
                    self.moments.push(serde_json::from_str(said).unwrap());
                }
                Effect::Reject(item) => {
                    let detail = effects.text(item.detail);
                    writeln!(self.log, "rejected: {} {detail}", item.reason).unwrap();
                }
                Effect::Pulse(pulse) => {
                    let said = effects.bytes(pulse.value);
                    let correction = pulse.correction;
                    writeln!(self.log, "pulse {} {correction} {said:?}", pulse.minute).unwrap();
                }
                Effect::Fact(Fact::Unlabelled(event)) => {
                    writeln!(self.log, "unlabelled: {}", effects.text(*event)).unwrap();
                }
                Effect::Fact(fact) => {
                    writeln!(self.log, "{fact:?}").unwrap();
                    self.facts.push(*fact);
                }
            }
        }
        self.effects.clear();
    }

    /// Returns a customer's engagement record.
    pub(super) fn engagement(&self, customer: &str) -> Value {
        serde_json::from_slice(&self.store.engagement[customer]).unwrap()
    }

    /// Returns the look-up of a customer as of their latest change.
    pub(super) fn view(&self, customer: &str) -> Value {
        let row = &self.store.rows[customer];
        let view = customer_view(&self.engine, customer, row, EventTime::MIN).unwrap();
        serde_json::from_slice(&view).unwrap()
    }

    /// Returns the last edition of every moment of a customer; retracted ones are absent.
    pub(super) fn last_editions(&self, customer: &str) -> BTreeMap<String, Value> {
        let mut last: BTreeMap<String, Value> = BTreeMap::new();
        for moment in self.moments.iter().filter(|one| one["customer_id"] == customer) {
            let id = moment["event_id"].as_str().unwrap().to_owned();
            if let Some(known) = last.get(&id) {
                let revision = |one: &Value| one["revision"].as_u64().unwrap();
                assert!(revision(known) < revision(moment), "{known} is followed by {moment}");
            }
            last.insert(id, moment.clone());
        }
        last.retain(|_, moment| moment.get("retracted").is_none());
        last
    }
}
