//! `once_per`: a rule's points count once an hour, day, week or month, in the configured zone.
//!
//! Without it a cap would pin a heavy user for months. A line keeps its newest eight periods; what
//! is older than these cannot be checked and gives nothing.

use jiff::{Timestamp, civil::ISOWeekDate, tz::TimeZone};

use crate::{
    engine::{
        in_place::clone_in_place,
        rules::{RuleSet, spec::OncePer},
    },
    model::{EventTime, StableHash, Track},
};

/// A period, numbered since 1970 in the configured zone.
pub(crate) type Period = i64;

/// The periods in which a line has counted, newest last.
#[derive(Debug, PartialEq)]
pub(crate) struct PeriodLine {
    pub(crate) rule: StableHash,
    pub(crate) track: Track,
    pub(crate) periods: Vec<Period>,
    /// Older ones were forgotten.
    pub(crate) full: bool,
}

/// All lines with `once_per`, sorted by (rule, track).
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Periods(pub(crate) Vec<PeriodLine>);

clone_in_place!(PeriodLine { rule, track, periods, full });

impl Clone for Periods {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }

    fn clone_from(&mut self, source: &Self) {
        self.0.clone_from(&source.0);
    }
}

/// Whether points may count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PeriodVerdict {
    /// The first of its period.
    First,
    /// Not the first.
    Again,
    /// Older than the periods that are remembered.
    Unverifiable,
}

impl Periods {
    /// Periods per line (DOMAIN.md, The score).
    const MAX_PERIODS: usize = 8;

    /// Takes note of a period, and returns whether points may count.
    pub(crate) fn note(
        &mut self,
        (rule, track): (StableHash, Track),
        period: Period,
    ) -> PeriodVerdict {
        let found = self.0.binary_search_by_key(&(rule, track), |line| (line.rule, line.track));
        let position = found.unwrap_or_else(|position| {
            let line = PeriodLine { rule, track, periods: Vec::new(), full: false };
            self.0.insert(position, line);
            position
        });
        self.0.get_mut(position).map_or(PeriodVerdict::Unverifiable, |line| line.note(period))
    }

    /// Moves lines of former rule names to the present ones.
    pub(crate) fn rename(&mut self, rules: &RuleSet) {
        for line in std::mem::take(&mut self.0) {
            let rule = rules.rule_by_hash(line.rule).map_or(line.rule, |(_, rule)| rule.hash);
            for period in &line.periods {
                self.note((rule, line.track), *period);
            }
            let renamed = self.0.iter_mut().find(|one| (one.rule, one.track) == (rule, line.track));
            if let Some(renamed) = renamed {
                renamed.full |= line.full;
            }
        }
    }
}

impl PeriodLine {
    fn note(&mut self, period: Period) -> PeriodVerdict {
        let Err(position) = self.periods.binary_search(&period) else {
            return PeriodVerdict::Again;
        };
        if position == 0 && self.full {
            return PeriodVerdict::Unverifiable;
        }
        self.periods.insert(position, period);
        if Periods::MAX_PERIODS < self.periods.len() {
            self.periods.remove(0);
            self.full = true;
        }
        PeriodVerdict::First
    }
}

/// Returns the number of the period that contains `at`; `None` counts every time.
pub(crate) fn period_of(at: EventTime, once_per: OncePer, zone: &TimeZone) -> Option<Period> {
    let timestamp = Timestamp::from_millisecond(at.as_millis()).unwrap_or(Timestamp::UNIX_EPOCH);
    let local = || zone.to_datetime(timestamp);
    let days = |date: jiff::civil::Date| {
        let since = date.since(jiff::civil::Date::constant(1970, 1, 1));
        since.map_or(0, |span| i64::from(span.get_days()))
    };
    match once_per {
        OncePer::Touchpoint => None,
        OncePer::Hour => {
            let local = local();
            Some(days(local.date()) * 24 + i64::from(local.hour()))
        }
        OncePer::Day => Some(days(local().date())),
        OncePer::Week => {
            let week: ISOWeekDate = local().date().iso_week_date();
            Some(i64::from(week.year()) * 53 + i64::from(week.week()))
        }
        OncePer::Month => {
            let date = local().date();
            Some(i64::from(date.year()) * 12 + i64::from(date.month()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> EventTime {
        let timestamp: Timestamp = text.parse().unwrap();
        EventTime::from_millis(timestamp.as_millisecond()).unwrap()
    }

    #[test]
    fn a_day_begins_in_the_configured_zone() {
        let zone = TimeZone::get("America/Sao_Paulo").unwrap();
        let period = |text| period_of(at(text), OncePer::Day, &zone);
        assert_eq!(period("2018-01-02T01:59:59Z"), period("2018-01-01T12:00:00Z"));
        assert_ne!(period("2018-01-02T02:00:00Z"), period("2018-01-01T12:00:00Z"));
    }

    #[test]
    fn the_ninth_period_pushes_out_the_first() {
        let mut periods = Periods::default();
        let key = (1, Track::Engage);
        for day in 1..=9 {
            assert_eq!(periods.note(key, day), PeriodVerdict::First);
        }
        assert_eq!(periods.note(key, 9), PeriodVerdict::Again);
        assert_eq!(periods.note(key, 0), PeriodVerdict::Unverifiable);
        assert_eq!(periods.note(key, 2), PeriodVerdict::Again);
    }
}
