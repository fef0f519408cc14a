//! RFC 3339 by hand: every touchpoint has such a time, and most have nothing else that is costly.
//!
//! Read besides the standard's own form: a space or `t` for `T`, `z` for `Z`, no seconds (as Java's
//! `OffsetDateTime` writes them), offsets as `+0530` and `+05`. Digits of a fraction below
//! milliseconds are dropped. A leap second (`:60`) is the second before it, as the clocks that
//! smear or repeat it have it, and as `jiff` reads it.

use jiff::{Timestamp, tz::TimeZone};

use super::BadTime;
use crate::model::{EventTime, Span};

/// A date and time of day as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// Milliseconds since 1970 as if it were UTC.
    local: i64,
    /// How far its zone is ahead of UTC, if it says so.
    offset: Option<Span>,
}

const MINUTE: Span = 60_000;
const HOUR: Span = 60 * MINUTE;
const DAY: Span = 24 * HOUR;

impl Written {
    /// Reads a date, a time of day, and an offset or none.
    pub(super) fn parse(text: &str) -> Result<Self, BadTime> {
        let mut rest = text.as_bytes();
        Self::read(&mut rest).ok_or_else(|| {
            if has_long_year(text) { BadTime::OutOfRange } else { BadTime::Unreadable }
        })
    }

    /// Reads a bare date as its midnight.
    pub(super) fn parse_date(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let local = date(&mut rest)?;
        rest.is_empty().then_some(Self { local, offset: None })
    }

    /// Returns the next midnight of a bare date.
    pub(super) fn next_day(self) -> Self {
        Self { local: self.local + DAY, ..self }
    }

    /// Returns the instant, if there is an offset.
    pub(super) fn instant(self) -> Result<EventTime, BadTime> {
        let offset = self.offset.ok_or(BadTime::NoZone)?;
        EventTime::from_millis(self.local - offset).ok_or(BadTime::OutOfRange)
    }

    /// Returns the instant; where no offset is written, as the clocks of `zone` had it.
    ///
    /// A time that the clocks jumped over is read as the one so much later; of a time that they
    /// showed twice, the first is meant.
    pub(super) fn instant_in(self, zone: &TimeZone) -> Result<EventTime, BadTime> {
        if self.offset.is_some() {
            return self.instant();
        }
        let local = Timestamp::from_millisecond(self.local)
            .map_err(|_error| BadTime::OutOfRange)?
            .to_zoned(TimeZone::UTC)
            .datetime();
        let instant = zone.to_timestamp(local).map_err(|_error| BadTime::OutOfRange)?;
        EventTime::from_millis(instant.as_millisecond()).ok_or(BadTime::OutOfRange)
    }

    fn read(rest: &mut &[u8]) -> Option<Self> {
        let midnight = date(rest)?;
        let (b'T' | b't' | b' ') = byte(rest)? else { return None };
        let time_of_day = time(rest)?;
        let offset = if rest.is_empty() { None } else { Some(offset(rest)?) };
        rest.is_empty().then_some(Self { local: midnight + time_of_day, offset })
    }
}

/// Reads `YYYY-MM-DD`, and returns its midnight.
fn date(rest: &mut &[u8]) -> Option<i64> {
    let year = digits::<4>(rest)?;
    let b'-' = byte(rest)? else { return None };
    let month = digits::<2>(rest)?;
    let b'-' = byte(rest)? else { return None };
    let day = digits::<2>(rest)?;
    let valid = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    valid.then(|| days_from_civil(year, month, day) * DAY)
}

/// Reads `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fff`, and returns milliseconds since midnight.
fn time(rest: &mut &[u8]) -> Option<i64> {
    let hour = digits::<2>(rest)?;
    let b':' = byte(rest)? else { return None };
    let minute = digits::<2>(rest)?;
    let mut second = 0;
    let mut milli = 0;
    if let Some((b':', after)) = rest.split_first() {
        *rest = after;
        second = digits::<2>(rest)?;
        if let Some((b'.', after)) = rest.split_first() {
            *rest = after;
            milli = fraction(rest)?;
        }
    }
    let valid = hour <= 23 && minute <= 59 && second <= 60;
    valid.then(|| hour * HOUR + minute * MINUTE + second.min(59) * 1000 + milli)
}

/// Reads the digits after a dot, and returns the first three of them.
fn fraction(rest: &mut &[u8]) -> Option<i64> {
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, after) = rest.split_at_checked(length)?;
    *rest = after;
    let milli = |place: usize| digits.get(place).map_or(0, |digit| i64::from(digit - b'0'));
    (length > 0).then(|| milli(0) * 100 + milli(1) * 10 + milli(2))
}

/// Reads `Z`, `+HH:MM`, `+HHMM` or `+HH`.
fn offset(rest: &mut &[u8]) -> Option<Span> {
    let sign = match byte(rest)? {
        b'Z' | b'z' => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits::<2>(rest)?;
    if let Some((b':', after)) = rest.split_first() {
        *rest = after;
    }
    let minutes = if rest.is_empty() { 0 } else { digits::<2>(rest)? };
    (hours <= 23 && minutes <= 59).then(|| sign * (hours * HOUR + minutes * MINUTE))
}

/// Tells a time of more than four digits of year (`+292278994-08-17T…`) from no time at all.
fn has_long_year(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    unsigned.split_once('-').is_some_and(|(year, _)| {
        (year.len() > 4 || unsigned.len() < text.len())
            && !year.is_empty()
            && year.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (&first, after) = rest.split_first()?;
    *rest = after;
    Some(first)
}

fn digits<const N: usize>(rest: &mut &[u8]) -> Option<i64> {
    let (digits, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    digits.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
    })
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Returns the days from 1970-01-01 to a date (Hinnant, *chrono-compatible low-level date
/// algorithms*, `days_from_civil`).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, BadTime>) {
        let read = Written::parse(text).and_then(Written::instant).map(|time| time.to_string());
        assert_eq!(read.as_deref().map_err(|&problem| problem), expected, "{text}");
    }

    #[test]
    fn every_way_of_writing_an_instant_is_read() {
        let instant = Ok("2026-11-22T07:12:00.000Z");
        for text in [
            "2026-11-22T07:12:00Z",
            "2026-11-22t07:12:00z",
            "2026-11-22 07:12:00.000Z",
            "2026-11-22T07:12Z",
            "2026-11-22T09:12:00+02:00",
            "2026-11-22T04:12:00-0300",
            "2026-11-22T08:12:00+01",
            "2026-11-22T07:12:00.0009999999999999999Z",
            "2026-11-22T07:12:00-00:00",
        ] {
            check(text, instant);
        }
        check("2024-02-29T00:00:00.5Z", Ok("2024-02-29T00:00:00.500Z"));
        check("2000-02-29T00:00:00Z", Ok("2000-02-29T00:00:00.000Z"));
        check("2100-02-29T00:00:00Z", Err(BadTime::Unreadable));
        check("1969-12-31T23:59:59.9995Z", Ok("1969-12-31T23:59:59.999Z"));
        check("2016-12-31T23:59:60Z", Ok("2016-12-31T23:59:59.000Z"));
    }

    #[test]
    fn what_is_no_instant_says_why() {
        for text in [
            "",
            "now",
            "2026-11-22",
            "2026-11-22T",
            "2026-11-22T24:00:00Z",
            "2026-13-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2026-11-31T00:00:00Z",
            "2026-11-22T07:12:61Z",
            "2026-11-22T07:12:00.Z",
            "2026-11-22T07:12:00+24:00",
            "2026-11-22T07:12:00Zx",
            "2026-11-22T07:60:00Z",
            "22/11/2026 07:12",
            "2026-11-22T07:12:00 Z",
            "2026-1-1T00:00:00Z",
        ] {
            check(text, Err(BadTime::Unreadable));
        }
        check("2026-11-22T07:12:00", Err(BadTime::NoZone));
        for text in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "+292278994-08-17T07:12:55Z"] {
            check(text, Err(BadTime::OutOfRange));
        }
        check("-0044-03-15T12:00:00Z", Err(BadTime::OutOfRange));
        check("12026-11-22T07:12:00Z", Err(BadTime::OutOfRange));
    }

    proptest! {
        #[test]
        fn jiff_reads_the_same(
            (year, month, day) in (1i64..=9999, 1i64..=12, 1i64..=31),
            (hour, minute, second) in (0i64..=24, 0i64..=60, 0i64..=61),
            fraction in "(\\.[0-9]{1,9})?",
            zone in "Z|z|[+-][01][0-9]:[0-5][0-9]|[+-]2[0-3][0-5][0-9]|[+-]0[0-9]",
            between in "[Tt ]",
        ) {
            let text = format!(
                "{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}{fraction}{zone}"
            );
            let ours = Written::parse(&text).and_then(Written::instant).ok();
            let theirs = text.parse::<Timestamp>().ok().and_then(|time| {
                let millis = time.as_nanosecond().div_euclid(1_000_000);
                EventTime::from_millis(i64::try_from(millis).unwrap())
            });
            prop_assert_eq!(ours, theirs, "{}", text);
        }
    }
}
