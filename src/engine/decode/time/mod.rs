//! Times as they are written, read into event time.

mod due;
mod format;
mod rfc3339;

use jiff::{Timestamp, fmt::strtime, tz::TimeZone};

use self::rfc3339::Written;
pub use self::{
    due::parse_due,
    format::{BadFormat, TimeFormat},
};
use super::field::Value;
use crate::model::EventTime;

/// From here on a number counts milliseconds, below it seconds. As seconds it is the year 5138, as
/// milliseconds March 1973: nothing that happened or was promised lies beyond.
const MILLIS_FROM: f64 = 1e11;

/// The most digits that a whole number below [`MILLIS_FROM`] has.
const SECONDS_DIGITS_MAX: usize = 11;

/// Why a time cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadTime {
    /// It is not written as it should be.
    Unreadable,
    /// It names no zone, and none is configured.
    NoZone,
    /// It lies outside the years 1 to 9999.
    OutOfRange,
}

/// How a time field is read.
#[derive(Clone, Debug, Default)]
pub(super) struct TimeReading {
    /// How it is written.
    pub(super) format: TimeFormat,
    /// The zone of times that name none.
    pub(super) zone: Option<TimeZone>,
}

/// How the three time fields are read.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    pub(super) ts: TimeReading,
    pub(super) sent_at: TimeReading,
    pub(super) received_at: TimeReading,
}

impl Times {
    /// RFC 3339, where a time that names no zone is UTC.
    pub(super) fn in_utc() -> Self {
        let reading = TimeReading { format: TimeFormat::Rfc3339, zone: Some(TimeZone::UTC) };
        Self { ts: reading.clone(), sent_at: reading.clone(), received_at: reading }
    }

    /// Milliseconds since 1970.
    pub(super) fn in_millis() -> Self {
        let reading = TimeReading { format: TimeFormat::UnixMillis, zone: None };
        Self { ts: reading.clone(), sent_at: reading.clone(), received_at: reading }
    }
}

impl TimeReading {
    /// Reads a field's value. The native form is RFC 3339, or epoch milliseconds or seconds as a
    /// number; which of the two, its size tells.
    ///
    /// Numeric text is no native time: nobody could tell `"20260101"` from milliseconds.
    pub(super) fn read(&self, value: &Value<'_>) -> Result<EventTime, BadTime> {
        match (&self.format, value) {
            (TimeFormat::Rfc3339, Value::Text(text)) => {
                let written = Written::parse(text.trim())?;
                match &self.zone {
                    Some(zone) => written.instant_in(zone),
                    None => written.instant(),
                }
            }
            (TimeFormat::Rfc3339, Value::Number(number)) => {
                let whole = number.split('.').next().unwrap_or(number);
                let digits = whole.strip_prefix('-').unwrap_or(whole);
                since_epoch(number, if digits.len() <= SECONDS_DIGITS_MAX { 3 } else { 0 })
            }
            (TimeFormat::UnixMillis, Value::Number(number)) => since_epoch(number, 0),
            (TimeFormat::UnixMillis, Value::Text(text)) => since_epoch(text.trim(), 0),
            (TimeFormat::UnixSeconds, Value::Number(number)) => since_epoch(number, 3),
            (TimeFormat::UnixSeconds, Value::Text(text)) => since_epoch(text.trim(), 3),
            (TimeFormat::Strptime(pattern), Value::Text(text)) => self.by(pattern, text.trim()),
            (TimeFormat::Strptime(pattern), Value::Number(number)) => self.by(pattern, number),
            (_, Value::Null | Value::Flag(_) | Value::Nested(_)) => Err(BadTime::Unreadable),
        }
    }

    /// Returns how it should be written, for a reject's text.
    pub(super) const fn expected(&self) -> &'static str {
        match self.format {
            TimeFormat::Rfc3339 => {
                "RFC 3339 such as 2026-11-22T07:12:00Z, or epoch milliseconds or seconds as a number"
            }
            TimeFormat::UnixSeconds => "seconds since 1970",
            TimeFormat::UnixMillis => "milliseconds since 1970",
            TimeFormat::Strptime(_) => "the mapping's own pattern",
        }
    }

    fn by(&self, pattern: &str, text: &str) -> Result<EventTime, BadTime> {
        let read = strtime::parse(pattern, text).map_err(|_error| BadTime::Unreadable)?;
        let instant = match (read.to_timestamp(), &self.zone) {
            (Ok(instant), _) => instant,
            (Err(_), Some(zone)) => {
                let local = read.to_datetime().map_err(|_error| BadTime::Unreadable)?;
                zone.to_timestamp(local).map_err(|_error| BadTime::OutOfRange)?
            }
            (Err(_), None) => return Err(BadTime::NoZone),
        };
        event_time(instant)
    }
}

fn event_time(instant: Timestamp) -> Result<EventTime, BadTime> {
    EventTime::from_millis(instant.as_millisecond()).ok_or(BadTime::OutOfRange)
}

/// Reads a decimal number of units of 10^`places` milliseconds. Digits below a millisecond are
/// dropped; an exponent is not read.
fn since_epoch(number: &str, places: usize) -> Result<EventTime, BadTime> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let all_digits =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(digits) || !all_digits(fraction) {
        return Err(BadTime::Unreadable);
    }
    let millis = whole
        .bytes()
        .chain(fraction.bytes().chain(std::iter::repeat(b'0')).take(places))
        .filter(u8::is_ascii_digit)
        .try_fold(0_i64, |sum, digit| sum.checked_mul(10)?.checked_add(i64::from(digit - b'0')))
        .ok_or(BadTime::OutOfRange)?;
    let signed = if digits.len() < whole.len() { -millis } else { millis };
    EventTime::from_millis(signed).ok_or(BadTime::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &str, zone: Option<&str>, value: &Value<'_>, expected: Result<i64, BadTime>) {
        let reading = TimeReading {
            format: TimeFormat::parse(format).unwrap(),
            zone: zone.map(|name| TimeZone::get(name).unwrap()),
        };
        assert_eq!(reading.read(value).map(EventTime::as_millis), expected, "{format} {value:?}");
    }

    #[test]
    fn epochs_are_numbers_or_their_text() {
        check("unix_seconds", None, &Value::Number("1700000000"), Ok(1_700_000_000_000));
        check("unix_seconds", None, &Value::Number("1700000000.1239"), Ok(1_700_000_000_123));
        check("unix_seconds", None, &Value::Text(" -1.5 ".into()), Ok(-1500));
        check("unix_millis", None, &Value::Text("1700000000000".into()), Ok(1_700_000_000_000));
        check("unix_millis", None, &Value::Number("1700000000000.9"), Ok(1_700_000_000_000));
        check("unix_millis", None, &Value::Number("1e12"), Err(BadTime::Unreadable));
        check("unix_millis", None, &Value::Text("-".into()), Err(BadTime::Unreadable));
        check("unix_seconds", None, &Value::Text("1.".into()), Err(BadTime::Unreadable));
        check("unix_seconds", None, &Value::Number(&"9".repeat(400)), Err(BadTime::OutOfRange));
    }

    #[test]
    fn the_native_form_is_rfc_3339_or_a_number_whose_size_tells_its_unit() {
        check("rfc3339", None, &Value::Number("1767607200"), Ok(1_767_607_200_000));
        check("rfc3339", None, &Value::Number("1767607200.1239"), Ok(1_767_607_200_123));
        check("rfc3339", None, &Value::Number("1767607200000"), Ok(1_767_607_200_000));
        check("rfc3339", None, &Value::Number("99999999999"), Ok(99_999_999_999_000));
        check("rfc3339", None, &Value::Number("100000000000"), Ok(100_000_000_000));
        check("rfc3339", None, &Value::Number("-100000000000.9"), Ok(-100_000_000_000));
        check("rfc3339", None, &Value::Number("-1"), Ok(-1000));
        check("unix_millis", None, &Value::Number("1767607200"), Ok(1_767_607_200));
        check("rfc3339", None, &Value::Text("1970-01-01T00:00:01Z".into()), Ok(1000));
        check("rfc3339", None, &Value::Text("1700000000000".into()), Err(BadTime::Unreadable));
        check("rfc3339", None, &Value::Flag(true), Err(BadTime::Unreadable));
        check("rfc3339", None, &Value::Text("1970-01-01T00:00:01".into()), Err(BadTime::NoZone));
    }

    #[test]
    fn a_zone_speaks_for_times_that_name_none() {
        let berlin = Some("Europe/Berlin");
        check("rfc3339", berlin, &Value::Text("1970-01-01T01:00:01".into()), Ok(1000));
        check("rfc3339", berlin, &Value::Text("1970-01-01T00:00:01Z".into()), Ok(1000));
        let pattern = "%d/%m/%Y %H:%M";
        check(pattern, berlin, &Value::Text("01/01/1970 01:01".into()), Ok(60_000));
        check(pattern, None, &Value::Text("01/01/1970 01:01".into()), Err(BadTime::NoZone));
        check(pattern, berlin, &Value::Text("1970-01-01".into()), Err(BadTime::Unreadable));
        check("%d/%m/%Y %z", None, &Value::Text("01/01/1970 -0100".into()), Ok(3_600_000));
        check("%Y%m%d", berlin, &Value::Number("19700102"), Ok(82_800_000));
    }
}
