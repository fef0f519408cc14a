//! Reading a customer's row. Bytes from outside: whatever they are, the answer is a customer or an
//! error.

use serde::de::DeserializeOwned;

use super::{RestoredRow, RowError, VERSION};
use crate::{
    engine::{
        rules::RuleSet,
        state::{Candidate, Claim, Customer, DedupeRing, Digest, Origin, Published, RingEntry},
        text::Reading,
    },
    model::{
        Actor, Band, Channel, EventTime, Evidence, LabelledBy, Labels, MicroMoment, MomentOfTruth,
        Severity, StableHash, Stage, Valence,
    },
};

/// Reads a customer's row. Written under other rules, it is for the caller to bring under these.
///
/// # Errors
///
/// The row was written by a newer version, or is damaged.
pub(crate) fn read_row(row: &[u8], rules: &RuleSet) -> Result<Customer, RowError> {
    let mut reader = Reader::new(row)?;
    let head = reader.head()?;
    let mut customer = Customer {
        offset: head.offset,
        tick: head.tick,
        committed: Some(head.standing),
        stored: true,
        fired_through: reader.time()?,
        account_id: reader.take()?,
        account_at: reader.time()?,
        touched_at: reader.time()?,
        rules_since: reader.time()?,
        ring: reader.ring()?,
        settled_before: reader.time()?,
        settled: reader.engagement(rules)?,
        rules_version: reader.take()?,
        head_fired_at: reader.time()?,
        ..Customer::default()
    };
    customer.head = reader.changed(&customer.settled, rules)?;
    let digests: usize = reader.take()?;
    customer.tail.reserve_exact(digests.min(Customer::MAX_TAIL));
    for _ in 0..digests {
        customer.tail.push_back(reader.digest(rules)?);
    }
    let claims: usize = reader.take()?;
    for _ in 0..claims {
        if let Some(claim) = reader.claim(rules)? {
            customer.claims.push(claim);
        }
    }
    reader.end()?;
    if customer.rules_version != rules.version_hash() {
        customer.settled.rename(rules);
        customer.head.rename(rules);
    }
    Ok(customer)
}

/// How much room is made at once for what a row says that it has: it may say anything.
pub(super) const FEW: usize = 16;

/// Reads value after value.
pub(super) struct Reader<'r> {
    rest: &'r [u8],
}

impl<'r> Reader<'r> {
    pub(super) fn new(row: &'r [u8]) -> Result<Self, RowError> {
        match row.split_first() {
            Some((&VERSION, rest)) => Ok(Self { rest }),
            Some((&found, _)) if VERSION < found => Err(RowError::Newer { found }),
            Some(_) | None => Err(RowError::Damaged),
        }
    }

    /// Reads what follows a version byte.
    pub(super) const fn of(rest: &'r [u8]) -> Self {
        Self { rest }
    }

    pub(super) fn take<T: DeserializeOwned>(&mut self) -> Result<T, RowError> {
        let taken = postcard::take_from_bytes(self.rest);
        let (value, rest) = taken.or(Err(RowError::Damaged))?;
        self.rest = rest;
        Ok(value)
    }

    /// Reads bytes as they are.
    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], RowError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(RowError::Damaged)?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub(super) fn hash(&mut self) -> Result<StableHash, RowError> {
        self.bytes().map(StableHash::from_le_bytes)
    }

    /// Reads as many as are said to follow; `bound`: more than a row of ours holds.
    pub(super) fn all<T>(
        &mut self,
        bound: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, RowError>,
    ) -> Result<Vec<T>, RowError> {
        let count: usize = self.take()?;
        let mut all = Vec::with_capacity(count.min(bound));
        for _ in 0..count {
            all.push(read(self)?);
        }
        Ok(all)
    }

    pub(super) fn dated(&mut self) -> Result<(StableHash, EventTime), RowError> {
        Ok((self.hash()?, self.at()?))
    }

    pub(super) fn label<T>(&mut self, read: impl Fn(usize) -> Option<T>) -> Result<T, RowError> {
        read(usize::from(self.take::<u8>()?)).ok_or(RowError::Damaged)
    }

    pub(super) fn time(&mut self) -> Result<Option<EventTime>, RowError> {
        let millis: Option<i64> = self.take()?;
        millis.map(time).transpose()
    }

    pub(super) fn at(&mut self) -> Result<EventTime, RowError> {
        time(self.take()?)
    }

    /// The row holds nothing more.
    pub(super) const fn end(&self) -> Result<(), RowError> {
        if self.rest.is_empty() { Ok(()) } else { Err(RowError::Damaged) }
    }

    pub(super) fn head(&mut self) -> Result<RestoredRow, RowError> {
        Ok(RestoredRow {
            offset: self.take()?,
            tick: self.take()?,
            due: self.time()?,
            standing: (self.label(Stage::from_index)?, self.label(Band::from_index)?),
        })
    }

    fn ring(&mut self) -> Result<DedupeRing, RowError> {
        let evicted_through = self.time()?;
        let count: usize = self.take()?;
        let mut entries = Vec::with_capacity(count.min(DedupeRing::CAPACITY));
        let mut before = 0_i64;
        for _ in 0..count {
            before = before.saturating_add(self.take()?);
            let (ts, id, content) =
                (time(before)?, self.hash()?, u32::from_le_bytes(self.bytes()?));
            entries.push(RingEntry { ts, id, content });
        }
        Ok(DedupeRing { entries, evicted_through })
    }

    fn labels(&mut self) -> Result<Labels, RowError> {
        let (micro_moment, moment_of_truth) =
            (self.label(MicroMoment::from_index)?, self.label(MomentOfTruth::from_index)?);
        let (stage, valence) = (self.label(Stage::from_index)?, self.label(Valence::from_index)?);
        let reason = self.take()?;
        let severity: Option<u8> = self.take()?;
        let evidence: Option<u8> = self.take()?;
        Ok(Labels {
            micro_moment,
            moment_of_truth,
            stage,
            valence,
            reason,
            severity: severity.map(|one| from(one, Severity::from_index)).transpose()?,
            evidence: evidence.map(|one| from(one, Evidence::from_index)).transpose()?,
            labelled_by: self.label(LabelledBy::from_index)?,
            words: self.take()?,
        })
    }

    fn published(&mut self) -> Result<Published, RowError> {
        Ok(Published { revision: self.take()?, verdict: self.take()?, labels: self.labels()? })
    }

    fn digest(&mut self, rules: &RuleSet) -> Result<Digest, RowError> {
        type Heard = (u8, Option<Box<str>>, Vec<Box<str>>);
        let ts = self.at()?;
        let (event_id, event, channel_name) = self.take()?;
        let channel = Channel::from_hash(self.hash()?);
        let actor = self.label(Actor::from_index)?;
        let history_complete = self.take()?;
        let count: usize = self.take()?;
        let mut candidates = Vec::new();
        for _ in 0..count {
            let rule = self.hash()?;
            let (leaves, scale): (u64, Option<u8>) = self.take()?;
            let due = self.time()?;
            let scale = scale.map(|one| from(one, Valence::from_index)).transpose()?;
            if let Some((rule, _)) = rules.rule_by_hash(rule) {
                candidates.push(Candidate { rule, leaves, scale, due, matched: false });
            }
        }
        let stored: Vec<(StableHash, Box<str>)> =
            self.all(FEW, |reader| Ok((reader.hash()?, reader.take()?)))?;
        let values = stored
            .into_iter()
            .filter_map(|(path, value)| Some((rules.path_by_hash(path)?, value)))
            .collect();
        let heard: Option<Heard> = self.take()?;
        let heard = heard
            .map(|(valence, reason, words)| {
                let valence = from(valence, Valence::from_index)?;
                Ok::<_, RowError>(Reading { valence, reason, words })
            })
            .transpose()?;
        let groups = self.take()?;
        let guess: Option<(u8, u8, u8)> = self.take()?;
        let guess = guess
            .map(|(micro_moment, moment_of_truth, stage)| {
                Ok::<_, RowError>((
                    from(micro_moment, MicroMoment::from_index)?,
                    from(moment_of_truth, MomentOfTruth::from_index)?,
                    from(stage, Stage::from_index)?,
                ))
            })
            .transpose()?;
        let published = if self.take()? { Some(self.published()?) } else { None };
        Ok(Digest {
            ts,
            event_id,
            event,
            channel_name,
            channel,
            actor,
            origin: Origin::Record,
            history_complete,
            candidates,
            values,
            heard,
            groups,
            guess,
            published,
        })
    }

    fn claim(&mut self, rules: &RuleSet) -> Result<Option<Claim>, RowError> {
        type Text = Box<str>;
        let ts = self.at()?;
        let kind = self.hash()?;
        let (event_id, key, channel_name): (Text, Option<Text>, Text) = self.take()?;
        let (retracted, settled) = self.take()?;
        let published = self.published()?;
        Ok(rules.kind_by_hash(kind).map(|kind| Claim {
            ts,
            event_id,
            kind,
            key,
            channel_name,
            published,
            retracted,
            settled,
        }))
    }
}

pub(super) fn time(millis: i64) -> Result<EventTime, RowError> {
    EventTime::from_millis(millis).ok_or(RowError::Damaged)
}

pub(super) fn from<T>(stored: u8, read: impl Fn(usize) -> Option<T>) -> Result<T, RowError> {
    read(usize::from(stored)).ok_or(RowError::Damaged)
}
