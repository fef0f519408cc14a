//! Reading an engagement.

use super::{
    RowError,
    read::{FEW, Reader, from},
    sections::Section,
};
use crate::{
    engine::{
        episode::{Episode, Overdue, PainCase, PastClose},
        rules::{KindIx, RuleSet},
        score::{Balance, Given, Ledger, Line, PeriodLine, Periods, Reversals, Taken},
        state::{
            Acquired, Engagement, Journey, SeenEntry, SeenGroup, SeenGroups, StageRecord,
            Transition,
        },
    },
    model::{Band, Channel, Severity, StableHash, Stage, Track, TransitionKind},
};

impl Reader<'_> {
    pub(super) fn engagement(&mut self, rules: &RuleSet) -> Result<Engagement, RowError> {
        let mut engagement = Engagement::default();
        for section in Section::ALL {
            self.section(section, &mut engagement, rules)?;
        }
        Ok(engagement)
    }

    /// Returns the engagement that differs from another in the sections that follow.
    pub(super) fn changed(
        &mut self,
        from: &Engagement,
        rules: &RuleSet,
    ) -> Result<Engagement, RowError> {
        let bits: u16 = self.take()?;
        let mut engagement = from.clone();
        for section in Section::ALL {
            if bits & section.bit() != 0 {
                self.section(section, &mut engagement, rules)?;
            }
        }
        Ok(engagement)
    }

    fn section(
        &mut self,
        section: Section,
        engagement: &mut Engagement,
        rules: &RuleSet,
    ) -> Result<(), RowError> {
        match section {
            Section::Counts => self.counts(engagement)?,
            Section::Times => self.times(engagement)?,
            Section::Origin => engagement.referral = self.take()?,
            Section::Journey => engagement.journey = self.journey()?,
            Section::Ledger => engagement.ledger = self.ledger()?,
            Section::Periods => engagement.periods = self.periods()?,
            Section::Reversals => engagement.reversals = self.reversals()?,
            Section::Seen => engagement.seen = self.seen()?,
            Section::Owned => {
                engagement.owned = self.all(FEW, |reader| {
                    let (value, at) = reader.dated()?;
                    Ok(Acquired { value, at })
                })?;
            }
            Section::Balance => engagement.balance = self.balance()?,
            Section::Episodes => self.episodes(engagement, rules)?,
        }
        Ok(())
    }

    fn counts(&mut self, engagement: &mut Engagement) -> Result<(), RowError> {
        (engagement.touchpoints, engagement.customer_touchpoints) = self.take()?;
        (engagement.visits, engagement.pains) = self.take()?;
        (engagement.glories, engagement.recovered) = self.take()?;
        engagement.channels =
            self.all(FEW, |reader| Ok((Channel::from_hash(reader.hash()?), reader.take()?)))?;
        Ok(())
    }

    fn times(&mut self, engagement: &mut Engagement) -> Result<(), RowError> {
        engagement.first_seen = self.time()?;
        engagement.last_seen = self.time()?;
        engagement.last_customer_at = self.time()?;
        engagement.as_of = self.time()?;
        engagement.band_check_at = self.time()?;
        engagement.absence_at = self.time()?;
        let (history_complete, band): (bool, Option<u8>) = self.take()?;
        engagement.history_complete = history_complete;
        engagement.band = band.map(|band| from(band, Band::from_index)).transpose()?;
        engagement.lapse = match self.time()? {
            Some(at) => Some((at, self.overdue()?)),
            None => None,
        };
        Ok(())
    }

    fn episodes(&mut self, engagement: &mut Engagement, rules: &RuleSet) -> Result<(), RowError> {
        engagement.episodes.clear();
        engagement.dormant.clear();
        let count: usize = self.take()?;
        engagement.episodes.reserve_exact(count.min(Episode::MAX_OPEN));
        for _ in 0..count {
            let (kind, episode) = self.episode(rules)?;
            engagement.keep_episode(kind, episode, rules);
        }
        engagement.past_closes.clear();
        let closes: usize = self.take()?;
        for _ in 0..closes {
            let (kind, (key, at), early) = (self.hash()?, self.dated()?, self.take()?);
            if let Some(kind) = rules.kind_by_hash(kind) {
                engagement.past_closes.push(PastClose { kind, key, at, early });
            }
        }
        Ok(())
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
                rule: self.hash()?,
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
                rule: self.hash()?,
                track: self.label(Track::from_index)?,
                periods: self.take()?,
                full: self.take()?,
            });
        }
        Ok(Periods(lines))
    }

    fn points(&mut self) -> Result<Vec<(StableHash, Track, f64)>, RowError> {
        self.all(FEW, |reader| {
            Ok((reader.hash()?, reader.label(Track::from_index)?, reader.take()?))
        })
    }

    fn reversals(&mut self) -> Result<Reversals, RowError> {
        let forgotten = self.take()?;
        let given = self.all(FEW, |reader| {
            let (key, at) = reader.dated()?;
            Ok(Given { key, at, points: reader.ledger()? })
        })?;
        let taken = self.all(FEW, |reader| {
            let (key, at) = reader.dated()?;
            Ok(Taken { key, at })
        })?;
        Ok(Reversals { given, taken, forgotten })
    }

    fn seen(&mut self) -> Result<SeenGroups, RowError> {
        let groups = self.all(FEW, |reader| {
            let (memory, group) = (reader.hash()?, reader.hash()?);
            let entries = reader.all(usize::from(u8::MAX), |reader| {
                Ok(SeenEntry { ts: reader.at()?, id: reader.hash()?, value: reader.hash()? })
            })?;
            Ok(SeenGroup { memory, group, entries })
        })?;
        Ok(SeenGroups(groups))
    }

    fn balance(&mut self) -> Result<Balance, RowError> {
        let (good, bad, moments) = self.take()?;
        let as_of = self.time()?;
        let recovered = self.all(FEW, Self::dated)?;
        Ok(Balance { good, bad, as_of, moments, recovered })
    }

    /// Returns an episode, and the hash of its kind: it may be one that no rule knows any more.
    fn episode(&mut self, rules: &RuleSet) -> Result<(StableHash, Episode), RowError> {
        let kind = self.hash()?;
        let (key, opened_by, channel_name) = self.take()?;
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
        let episode = Episode {
            kind: rules.kind_by_hash(kind).unwrap_or(KindIx::MAX),
            key,
            opened_at,
            opened_by,
            channel_name,
            deadline,
            fires_at,
            overdue,
            pain,
        };
        Ok((kind, episode))
    }

    fn overdue(&mut self) -> Result<Overdue, RowError> {
        type Pain = Option<(Option<Box<str>>, u8)>;
        let (event_id, pain, same_pain_as): (Box<str>, Pain, Option<Box<str>>) = self.take()?;
        let pain = pain
            .map(|(reason, severity)| Ok((reason, from(severity, Severity::from_index)?)))
            .transpose()?;
        Ok(Overdue { event_id, pain, same_pain_as, points: self.points()? })
    }
}
