//! Event time: when something happened to the customer, in milliseconds since 1970 (UTC).
//!
//! Wall time never enters here. Whoever needs "now" is handed it.

use std::{fmt, num::NonZeroI64, time::Duration};

/// An instant of event time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// Bounded to the years 1 to 9999, so that arithmetic on it can saturate and never overflow, and
/// so that it can always be printed as RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventTime(
    /// Milliseconds since [`BASE`]. Never zero, so that an instant that may be missing takes no more
    /// room than one that is there: a customer has dozens.
    NonZeroI64,
);

/// The last millisecond before the year 1.
const BASE: i64 = -62_135_596_800_001;

/// A signed length of time in milliseconds: what lies between two instants.
pub type Span = i64;

impl EventTime {
    /// 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self::within(-62_135_596_800_000);
    /// 9999-12-30T22:00:00Z: the last instant that `jiff` can print in every time zone.
    pub const MAX: Self = Self::within(253_402_207_200_000);

    /// Takes milliseconds that are within bounds.
    const fn within(millis: i64) -> Self {
        match NonZeroI64::new(millis - BASE) {
            Some(stored) => Self(stored),
            None => Self(NonZeroI64::MIN),
        }
    }

    /// Returns `None` outside the years 1 to 9999.
    pub fn from_millis(millis: i64) -> Option<Self> {
        (Self::MIN.as_millis()..=Self::MAX.as_millis())
            .contains(&millis)
            .then(|| Self::within(millis))
    }

    /// Returns milliseconds since 1970.
    pub const fn as_millis(self) -> i64 {
        self.0.get() + BASE
    }

    /// Returns the instant `span` milliseconds later (earlier when negative), kept within bounds.
    #[must_use]
    pub fn plus(self, span: Span) -> Self {
        let millis = self.as_millis().saturating_add(span);
        Self::within(millis.clamp(Self::MIN.as_millis(), Self::MAX.as_millis()))
    }

    /// Returns the instant `span` milliseconds earlier, kept within bounds.
    #[must_use]
    pub fn minus(self, span: Span) -> Self {
        self.plus(span.saturating_neg())
    }

    /// Returns the milliseconds from `earlier` to `self`; negative when `self` is the earlier one.
    pub const fn since(self, earlier: Self) -> Span {
        self.0.get() - earlier.0.get()
    }
}

impl Default for EventTime {
    /// 1970-01-01T00:00:00Z.
    fn default() -> Self {
        Self::within(0)
    }
}

impl fmt::Debug for EventTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EventTime({self})")
    }
}

/// Returns a configured length of time as a span. Lengths over 292 million years saturate.
pub fn span_of(duration: Duration) -> Span {
    Span::try_from(duration.as_millis()).unwrap_or(Span::MAX)
}

/// Returns a span as a number, for fading. Exact below 285 thousand years.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "event times span 10,000 years, well within the 53 bits"
)]
pub const fn span_as_f64(span: Span) -> f64 {
    span as f64
}

impl EventTime {
    /// Returns RFC 3339 in UTC with milliseconds, `2026-11-22T07:12:00.000Z`, as ASCII.
    pub fn to_rfc3339(self) -> [u8; 24] {
        let millis = self.as_millis();
        let days = millis.div_euclid(86_400_000);
        let in_day = millis.rem_euclid(86_400_000);
        let (year, month, day) = civil_from_days(days);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let parts = [
            (0..4, year),
            (5..7, month),
            (8..10, day),
            (11..13, in_day / 3_600_000),
            (14..16, in_day / 60_000 % 60),
            (17..19, in_day / 1000 % 60),
            (20..23, in_day % 1000),
        ];
        for (place, mut number) in parts {
            for digit in text.get_mut(place).unwrap_or_default().iter_mut().rev() {
                *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
                number /= 10;
            }
        }
        text
    }
}

impl fmt::Display for EventTime {
    /// As [`Self::to_rfc3339`].
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(str::from_utf8(&self.to_rfc3339()).unwrap_or_default())
    }
}

/// Returns the civil date of a day count since 1970 (Hinnant, *chrono-compatible low-level date
/// algorithms*, `civil_from_days`).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(millis: i64, expected: &str) {
        assert_eq!(EventTime::from_millis(millis).unwrap().to_string(), expected);
    }

    #[test]
    fn times_print_as_rfc_3339() {
        check(0, "1970-01-01T00:00:00.000Z");
        check(-1, "1969-12-31T23:59:59.999Z");
        check(1_709_164_800_123, "2024-02-29T00:00:00.123Z");
        check(EventTime::MIN.as_millis(), "0001-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_missing_time_takes_no_room() {
        assert_eq!(size_of::<Option<EventTime>>(), size_of::<EventTime>());
        assert_eq!(EventTime::default().as_millis(), 0);
    }

    #[test]
    fn arithmetic_stays_within_bounds() {
        assert_eq!(EventTime::MAX.plus(Span::MAX), EventTime::MAX);
        assert_eq!(EventTime::MIN.minus(Span::MAX), EventTime::MIN);
        assert_eq!(EventTime::MIN.minus(Span::MIN), EventTime::MAX);
        assert!(EventTime::from_millis(i64::MAX).is_none());
    }
}
