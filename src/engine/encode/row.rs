//! State rows: one customer, one partition.
//!
//! A row begins with a version byte; the rest is postcard values in a fixed order. The first of
//! them are what a restore needs of every row (where it comes from, when it falls due, stage and
//! band), so that restoring reads no further. Rules, episode kinds and channels are stored by
//! stable hash: a row outlives the files that it was written with.
//!
//! Versions: 1 is the only one. A reader refuses a later version; a new one must still read this.

use serde::{Serialize, de::DeserializeOwned};

use super::super::partition::{Engine, PartitionRow};
use crate::{
    engine::{
        episode::{EarlyClose, Episode, Overdue, PainCase},
        rules::{KindIx, RuleSet},
        score::{Balance, Given, Ledger, Line, PeriodLine, Periods, Reversals, Taken},
        state::{
            Acquired, Candidate, Claim, Customer, DedupeRing, Digest, Engagement, Journey, Origin,
            Published, RingEntry, SeenEntry, SeenGroup, SeenGroups, StageRecord, Transition,
        },
    },
    model::{
        Actor, Band, Channel, EventTime, Evidence, LabelledBy, Labels, MicroMoment, MomentOfTruth,
        Severity, StableHash, Stage, Track, TransitionKind, Valence,
    },
};

const VERSION: u8 = 1;

/// Why a row cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Written by a later version of Rega.
    #[error(
        "state row has format {found}, this version reads up to {VERSION}: run the newer version again"
    )]
    Newer {
        /// The version byte.
        found: u8,
    },
    /// Not a state row.
    #[error("state row is damaged")]
    Damaged,
}

/// What a restore needs of a customer's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoredRow {
    /// The input offset that wrote it.
    pub offset: i64,
    /// The partition's tick count when it was written. Of two rows the greater (offset, tick) wins.
    pub tick: u64,
    /// When the customer falls due.
    pub due: Option<EventTime>,
    /// Stage and band, for gauges.
    pub standing: (Stage, Band),
}

/// Reads the head of a customer's row.
///
/// # Errors
///
/// The row was written by a newer version, or is damaged: the partition must not start.
pub fn inspect_row(row: &[u8]) -> Result<RestoredRow, RowError> {
    Reader::new(row)?.head()
}

/// Writes a partition row.
pub(crate) fn write_partition_row(out: &mut Vec<u8>, row: &PartitionRow) {
    out.push(VERSION);
    put(out, &row.next_offset);
    put_time(out, row.latest);
    put_time(out, row.known_since);
    put(out, &row.ticks);
    put(out, &row.topic_id);
    put(out, &row.partition_count);
}

/// Reads a partition row.
///
/// # Errors
///
/// The row was written by a newer version, or is damaged: the partition must not start.
pub fn read_partition_row(row: &[u8]) -> Result<PartitionRow, RowError> {
    let mut reader = Reader::new(row)?;
    Ok(PartitionRow {
        next_offset: reader.take()?,
        latest: reader.time()?,
        known_since: reader.time()?,
        ticks: reader.take()?,
        topic_id: reader.take()?,
        partition_count: reader.take()?,
    })
}

/// Writes a customer's row.
pub(crate) fn write_row(out: &mut Vec<u8>, customer: &Customer, engine: &Engine) {
    let rules = &*engine.rules;
    let (stage, band) = customer.standing();
    out.push(VERSION);
    put(out, &customer.offset);
    put(out, &customer.tick);
    put_time(out, customer.due(engine.settings.retention));
    put(out, &(index(stage.index()), index(band.index())));
    put_time(out, customer.fired_through);
    put(out, &customer.account_id);
    put_time(out, customer.account_at);
    put_ring(out, &customer.ring);
    put_time(out, customer.settled_before);
    put_engagement(out, &customer.settled, rules);
    put(out, &customer.tail.len());
    if !customer.tail.is_empty() {
        put(out, &customer.rules_version);
        for digest in &customer.tail {
            put_digest(out, digest, rules);
        }
    }
    put(out, &customer.claims.len());
    for claim in &customer.claims {
        put_claim(out, claim, rules);
    }
}

/// Reads a customer's row; the head is left for the caller to evaluate.
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
        ring: reader.ring()?,
        settled_before: reader.time()?,
        settled: reader.engagement(rules)?,
        ..Customer::default()
    };
    let digests: usize = reader.take()?;
    if 0 < digests {
        customer.rules_version = reader.take()?;
        for _ in 0..digests {
            customer.tail.push_back(reader.digest(rules)?);
        }
    }
    let claims: usize = reader.take()?;
    for _ in 0..claims {
        if let Some(claim) = reader.claim(rules)? {
            customer.claims.push(claim);
        }
    }
    customer.settled.ledger.rename(rules);
    Ok(customer)
}

// === Writing ===

fn put<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let written = postcard::to_extend(value, std::mem::take(out));
    // Serialising plain values into memory cannot fail; if it did, the reader would say "damaged".
    *out = written.unwrap_or_default();
}

fn index(position: usize) -> u8 {
    u8::try_from(position).unwrap_or(u8::MAX)
}

fn put_time(out: &mut Vec<u8>, at: Option<EventTime>) {
    put(out, &at.map(EventTime::as_millis));
}

fn put_at(out: &mut Vec<u8>, at: EventTime) {
    put(out, &at.as_millis());
}

fn put_ring(out: &mut Vec<u8>, ring: &DedupeRing) {
    put_time(out, ring.evicted_through);
    put(out, &ring.entries.len());
    let mut before = 0;
    for entry in &ring.entries {
        put(out, &(entry.ts.as_millis() - before, entry.id.to_le_bytes(), entry.content));
        before = entry.ts.as_millis();
    }
}

fn put_engagement(out: &mut Vec<u8>, engagement: &Engagement, rules: &RuleSet) {
    let Engagement {
        touchpoints,
        customer_touchpoints,
        visits,
        pains,
        glories,
        recovered,
        first_seen,
        last_seen,
        last_customer_at,
        as_of,
        channels,
        journey,
        ledger,
        periods,
        reversals,
        seen,
        owned,
        balance,
        episodes,
        early_closes,
        band,
        band_check_at,
        absence_at,
        referral,
    } = engagement;
    put(out, &(touchpoints, customer_touchpoints, visits, pains, glories, recovered));
    for &at in [first_seen, last_seen, last_customer_at, as_of, band_check_at, absence_at] {
        put_time(out, at);
    }
    put(out, &(band.map(|band| index(band.index())), referral));
    put(out, &channels.iter().map(|(one, count)| (one.as_hash(), count)).collect::<Vec<_>>());
    put_journey(out, journey);
    put(out, &ledger.0.len());
    for line in &ledger.0 {
        put(out, &(line.rule, index(line.track.index()), line.value, line.as_of.as_millis()));
    }
    put(out, &periods.0.len());
    for line in &periods.0 {
        put(out, &(line.rule, index(line.track.index()), &line.periods, line.full));
    }
    put_reversals(out, reversals);
    put(out, &seen.0.len());
    for group in &seen.0 {
        put(out, &(group.memory, group.group, group.entries.len()));
        for entry in &group.entries {
            put(out, &(entry.ts.as_millis(), entry.id, entry.value));
        }
    }
    put(out, &owned.iter().map(|one| (one.value, one.at.as_millis())).collect::<Vec<_>>());
    put(out, &(balance.good, balance.bad, balance.moments));
    put_time(out, balance.as_of);
    let reasons = balance.recovered.iter().map(|(reason, at)| (*reason, at.as_millis()));
    put(out, &reasons.collect::<Vec<_>>());
    put(out, &episodes.len());
    for episode in episodes {
        put_episode(out, episode, rules);
    }
    put(out, &early_closes.len());
    for early in early_closes {
        put(out, &(kind_hash(rules, early.kind), early.key, early.at.as_millis()));
    }
}

fn put_journey(out: &mut Vec<u8>, journey: &Journey) {
    let stage = |stage: Option<Stage>| stage.map(|stage| index(stage.index()));
    put(out, &(stage(journey.stage), stage(journey.deepest), journey.lapsed));
    put_time(out, journey.stage_ts);
    put_time(out, journey.since);
    for record in journey.stages.iter().chain(&journey.micro_moments) {
        put(out, &record.count);
        if 0 < record.count {
            put_time(out, record.last);
        }
    }
    put(out, &journey.transitions.len());
    for step in &journey.transitions {
        let labels = (index(step.from.index()), index(step.to.index()), index(step.kind.index()));
        put(out, &(step.at.as_millis(), labels));
    }
}

fn put_reversals(out: &mut Vec<u8>, reversals: &Reversals) {
    put(out, &(reversals.forgotten, reversals.given.len()));
    for given in &reversals.given {
        let points =
            given.points.iter().map(|(rule, track, points)| (rule, index(track.index()), points));
        put(out, &(given.key, given.at.as_millis(), points.collect::<Vec<_>>()));
    }
    let taken = reversals.taken.iter().map(|taken| (taken.key, taken.at.as_millis()));
    put(out, &taken.collect::<Vec<_>>());
}

fn kind_hash(rules: &RuleSet, kind: KindIx) -> StableHash {
    rules.kind(kind).map_or(0, |kind| kind.hash)
}

fn put_episode(out: &mut Vec<u8>, episode: &Episode, rules: &RuleSet) {
    put(out, &(kind_hash(rules, episode.kind), &episode.key, &episode.opened_by));
    put(out, &episode.channel_name);
    put_at(out, episode.opened_at);
    put_time(out, episode.deadline);
    put_time(out, episode.fires_at);
    put(out, &episode.overdue.is_some());
    if let Some(overdue) = &episode.overdue {
        let pain = overdue.pain.as_ref();
        put(
            out,
            &(&overdue.event_id, pain.map(|(reason, severity)| (reason, index(severity.index())))),
        );
        let points =
            overdue.points.iter().map(|(rule, track, points)| (rule, index(track.index()), points));
        put(out, &points.collect::<Vec<_>>());
    }
    let pain = episode.pain.as_ref();
    put(out, &pain.map(|pain| (index(pain.severity.index()), &pain.reason, pain.resolved)));
}

fn put_labels(out: &mut Vec<u8>, labels: &Labels) {
    let Labels {
        micro_moment,
        moment_of_truth,
        stage,
        valence,
        reason,
        severity,
        evidence,
        labelled_by,
    } = labels;
    let what = (index(micro_moment.index()), index(moment_of_truth.index()), index(stage.index()));
    let how = (
        index(valence.index()),
        reason,
        severity.map(|severity| index(severity.index())),
        evidence.map(|evidence| index(evidence.index())),
    );
    put(out, &(what, how, index(labelled_by.index())));
}

fn put_published(out: &mut Vec<u8>, published: &Published) {
    put(out, &(published.revision, published.verdict));
    put_labels(out, &published.labels);
}

fn put_digest(out: &mut Vec<u8>, digest: &Digest, rules: &RuleSet) {
    put_at(out, digest.ts);
    put(out, &(&digest.event_id, &digest.event, &digest.channel_name));
    put(out, &(digest.channel.as_hash(), index(digest.actor.index()), digest.history_complete));
    put(out, &digest.candidates.len());
    for candidate in &digest.candidates {
        let rule = rules.rule(candidate.rule).map_or(0, |rule| rule.hash);
        let scale = candidate.scale.map(|valence| index(valence.index()));
        put(out, &(rule, candidate.leaves, scale, candidate.matched));
        put_time(out, candidate.due);
    }
    let values = digest.values.iter().map(|(path, value)| (rules.path_hash(*path), value));
    put(out, &values.collect::<Vec<_>>());
    let guess = digest.guess.map(|(micro_moment, moment_of_truth, stage)| {
        (index(micro_moment.index()), index(moment_of_truth.index()), index(stage.index()))
    });
    put(out, &(guess, digest.published.is_some()));
    if let Some(published) = &digest.published {
        put_published(out, published);
    }
}

fn put_claim(out: &mut Vec<u8>, claim: &Claim, rules: &RuleSet) {
    put_at(out, claim.ts);
    put(out, &(&claim.event_id, kind_hash(rules, claim.kind), &claim.key, &claim.channel_name));
    put(out, &(claim.retracted, claim.settled));
    put_published(out, &claim.published);
}

// === Reading ===

struct Reader<'r> {
    rest: &'r [u8],
}

impl<'r> Reader<'r> {
    fn new(row: &'r [u8]) -> Result<Self, RowError> {
        match row.split_first() {
            Some((&VERSION, rest)) => Ok(Self { rest }),
            Some((&found, _)) if VERSION < found => Err(RowError::Newer { found }),
            Some(_) | None => Err(RowError::Damaged),
        }
    }

    fn take<T: DeserializeOwned>(&mut self) -> Result<T, RowError> {
        let taken = postcard::take_from_bytes(self.rest);
        let (value, rest) = taken.or(Err(RowError::Damaged))?;
        self.rest = rest;
        Ok(value)
    }

    fn label<T>(&mut self, read: impl Fn(usize) -> Option<T>) -> Result<T, RowError> {
        read(usize::from(self.take::<u8>()?)).ok_or(RowError::Damaged)
    }

    fn time(&mut self) -> Result<Option<EventTime>, RowError> {
        let millis: Option<i64> = self.take()?;
        millis.map(time).transpose()
    }

    fn at(&mut self) -> Result<EventTime, RowError> {
        time(self.take()?)
    }

    fn head(&mut self) -> Result<RestoredRow, RowError> {
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
            let (delta, id, content): (i64, [u8; 8], u32) = self.take()?;
            before = before.saturating_add(delta);
            entries.push(RingEntry { ts: time(before)?, id: u64::from_le_bytes(id), content });
        }
        Ok(DedupeRing { entries, evicted_through })
    }

    fn engagement(&mut self, rules: &RuleSet) -> Result<Engagement, RowError> {
        let (touchpoints, customer_touchpoints) = self.take()?;
        let (visits, pains, glories, recovered) = self.take()?;
        let mut engagement = Engagement {
            touchpoints,
            customer_touchpoints,
            visits,
            pains,
            glories,
            recovered,
            first_seen: self.time()?,
            last_seen: self.time()?,
            last_customer_at: self.time()?,
            as_of: self.time()?,
            band_check_at: self.time()?,
            absence_at: self.time()?,
            ..Engagement::default()
        };
        let band: Option<u8> = self.take()?;
        engagement.band = band.map(|band| from(band, Band::from_index)).transpose()?;
        engagement.referral = self.take()?;
        let channels: Vec<(StableHash, u32)> = self.take()?;
        engagement.channels =
            channels.into_iter().map(|(hash, count)| (Channel::from_hash(hash), count)).collect();
        engagement.journey = self.journey()?;
        engagement.ledger = self.ledger()?;
        engagement.periods = self.periods()?;
        engagement.reversals = self.reversals()?;
        engagement.seen = self.seen()?;
        let owned: Vec<(StableHash, i64)> = self.take()?;
        engagement.owned = owned
            .into_iter()
            .map(|(value, at)| Ok(Acquired { value, at: time(at)? }))
            .collect::<Result<_, RowError>>()?;
        engagement.balance = self.balance()?;
        let episodes: usize = self.take()?;
        for _ in 0..episodes {
            engagement.episodes.extend(self.episode(rules)?);
        }
        let early_closes: usize = self.take()?;
        for _ in 0..early_closes {
            let (kind, key, at): (StableHash, StableHash, i64) = self.take()?;
            if let Some(kind) = rules.kind_by_hash(kind) {
                engagement.early_closes.push(EarlyClose { kind, key, at: time(at)? });
            }
        }
        Ok(engagement)
    }

    fn journey(&mut self) -> Result<Journey, RowError> {
        let stage =
            |stage: Option<u8>| stage.map(|stage| from(stage, Stage::from_index)).transpose();
        let (current, deepest, lapsed): (Option<u8>, Option<u8>, bool) = self.take()?;
        let mut journey = Journey {
            stage: stage(current)?,
            deepest: stage(deepest)?,
            lapsed,
            stage_ts: self.time()?,
            since: self.time()?,
            ..Journey::default()
        };
        for position in 0..journey.stages.len() {
            let record = self.record()?;
            if let Some(slot) = journey.stages.get_mut(position) {
                *slot = record;
            }
        }
        for position in 0..journey.micro_moments.len() {
            let record = self.record()?;
            if let Some(slot) = journey.micro_moments.get_mut(position) {
                *slot = record;
            }
        }
        let transitions: usize = self.take()?;
        for _ in 0..transitions {
            journey.transitions.push_back(Transition {
                at: self.at()?,
                from: self.label(Stage::from_index)?,
                to: self.label(Stage::from_index)?,
                kind: self.label(TransitionKind::from_index)?,
            });
        }
        Ok(journey)
    }

    fn record(&mut self) -> Result<StageRecord, RowError> {
        let count = self.take()?;
        let last = if 0 < count { self.time()? } else { None };
        Ok(StageRecord { count, last })
    }

    fn ledger(&mut self) -> Result<Ledger, RowError> {
        let count: usize = self.take()?;
        let mut lines = Vec::with_capacity(count.min(Ledger::MAX_LINES));
        for _ in 0..count {
            lines.push(Line {
                rule: self.take()?,
                track: self.label(Track::from_index)?,
                value: self.take()?,
                as_of: self.at()?,
            });
        }
        Ok(Ledger(lines))
    }

    fn periods(&mut self) -> Result<Periods, RowError> {
        let count: usize = self.take()?;
        let mut lines = Vec::with_capacity(count.min(Ledger::MAX_LINES));
        for _ in 0..count {
            lines.push(PeriodLine {
                rule: self.take()?,
                track: self.label(Track::from_index)?,
                periods: self.take()?,
                full: self.take()?,
            });
        }
        Ok(Periods(lines))
    }

    fn points(&mut self) -> Result<Vec<(StableHash, Track, f64)>, RowError> {
        let points: Vec<(StableHash, u8, f64)> = self.take()?;
        points
            .into_iter()
            .map(|(rule, track, points)| Ok((rule, from(track, Track::from_index)?, points)))
            .collect()
    }

    fn reversals(&mut self) -> Result<Reversals, RowError> {
        let (forgotten, count): (bool, usize) = self.take()?;
        let mut reversals = Reversals { forgotten, ..Reversals::default() };
        for _ in 0..count {
            let given = Given { key: self.take()?, at: self.at()?, points: self.points()? };
            reversals.given.push(given);
        }
        let taken: Vec<(StableHash, i64)> = self.take()?;
        for (key, at) in taken {
            reversals.taken.push(Taken { key, at: time(at)? });
        }
        Ok(reversals)
    }

    fn seen(&mut self) -> Result<SeenGroups, RowError> {
        let count: usize = self.take()?;
        let mut groups = Vec::new();
        for _ in 0..count {
            let (memory, group, entries): (StableHash, StableHash, usize) = self.take()?;
            let mut remembered = SeenGroup { memory, group, entries: Vec::new() };
            for _ in 0..entries {
                let entry = SeenEntry { ts: self.at()?, id: self.take()?, value: self.take()? };
                remembered.entries.push(entry);
            }
            groups.push(remembered);
        }
        Ok(SeenGroups(groups))
    }

    fn balance(&mut self) -> Result<Balance, RowError> {
        let (good, bad, moments) = self.take()?;
        let as_of = self.time()?;
        let recovered: Vec<(StableHash, i64)> = self.take()?;
        let recovered = recovered
            .into_iter()
            .map(|(reason, at)| Ok((reason, time(at)?)))
            .collect::<Result<_, RowError>>()?;
        Ok(Balance { good, bad, as_of, moments, recovered })
    }

    /// Returns `None` for an episode of a kind that no rule knows any more.
    fn episode(&mut self, rules: &RuleSet) -> Result<Option<Episode>, RowError> {
        let (kind, key, opened_by): (StableHash, Option<Box<str>>, Box<str>) = self.take()?;
        let channel_name = self.take()?;
        let opened_at = self.at()?;
        let deadline = self.time()?;
        let fires_at = self.time()?;
        let overdue = if self.take()? { Some(self.overdue()?) } else { None };
        let pain: Option<(u8, Option<Box<str>>, bool)> = self.take()?;
        let pain = pain
            .map(|(severity, reason, resolved)| {
                let severity = from(severity, Severity::from_index)?;
                Ok(PainCase { severity, reason, resolved })
            })
            .transpose()?;
        Ok(rules.kind_by_hash(kind).map(|kind| Episode {
            kind,
            key,
            opened_at,
            opened_by,
            channel_name,
            deadline,
            fires_at,
            overdue,
            pain,
        }))
    }

    fn overdue(&mut self) -> Result<Overdue, RowError> {
        type Pain = Option<(Option<Box<str>>, u8)>;
        let (event_id, pain): (Box<str>, Pain) = self.take()?;
        let pain = pain
            .map(|(reason, severity)| Ok((reason, from(severity, Severity::from_index)?)))
            .transpose()?;
        Ok(Overdue { event_id, pain, points: self.points()? })
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
        })
    }

    fn published(&mut self) -> Result<Published, RowError> {
        Ok(Published { revision: self.take()?, verdict: self.take()?, labels: self.labels()? })
    }

    fn digest(&mut self, rules: &RuleSet) -> Result<Digest, RowError> {
        let ts = self.at()?;
        let (event_id, event, channel_name) = self.take()?;
        let channel = Channel::from_hash(self.take()?);
        let actor = self.label(Actor::from_index)?;
        let history_complete = self.take()?;
        let count: usize = self.take()?;
        let mut candidates = Vec::new();
        for _ in 0..count {
            let (rule, leaves, scale, matched): (StableHash, u64, Option<u8>, bool) =
                self.take()?;
            let due = self.time()?;
            let scale = scale.map(|one| from(one, Valence::from_index)).transpose()?;
            if let Some((rule, _)) = rules.rule_by_hash(rule) {
                candidates.push(Candidate { rule, leaves, scale, due, matched });
            }
        }
        let stored: Vec<(StableHash, Box<str>)> = self.take()?;
        let values = stored
            .into_iter()
            .filter_map(|(path, value)| Some((rules.path_by_hash(path)?, value)))
            .collect();
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
            guess,
            published,
        })
    }

    fn claim(&mut self, rules: &RuleSet) -> Result<Option<Claim>, RowError> {
        type Text = Box<str>;
        let ts = self.at()?;
        let (event_id, kind, key, channel_name): (Text, StableHash, Option<Text>, Text) =
            self.take()?;
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

fn time(millis: i64) -> Result<EventTime, RowError> {
    EventTime::from_millis(millis).ok_or(RowError::Damaged)
}

fn from<T>(stored: u8, read: impl Fn(usize) -> Option<T>) -> Result<T, RowError> {
    read(usize::from(stored)).ok_or(RowError::Damaged)
}
