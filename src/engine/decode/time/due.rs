//! A promise in an event's properties, read as an instant: "it will be there by Thursday".

use std::time::Duration;

use jiff::tz::TimeZone;

use super::{MILLIS_FROM, rfc3339::Written, since_epoch};
use crate::model::{EventTime, Property, span_of};

/// Reads a promise: RFC 3339, epoch seconds or milliseconds (a number or its text), or a bare date.
///
/// A bare date is the start of the next day in `zone` if `bare_date_ends`, else of that day. A date
/// and time without a zone is read in `zone`. `None` for anything else: no promise, no deadline.
pub fn parse_due(
    property: &Property<'_>,
    zone: &TimeZone,
    bare_date_ends: bool,
) -> Option<EventTime> {
    match property {
        Property::Text(text) => {
            let text = text.trim();
            if let Some(midnight) = Written::parse_date(text) {
                let midnight = if bare_date_ends { midnight.next_day() } else { midnight };
                return midnight.instant_in(zone).ok();
            }
            if let Ok(written) = Written::parse(text) {
                return written.instant_in(zone).ok();
            }
            let in_seconds = text.parse::<f64>().ok()?.abs() < MILLIS_FROM;
            since_epoch(text, if in_seconds { 3 } else { 0 }).ok()
        }
        Property::Number(number) => from_epoch(*number),
        Property::Flag(_) => None,
    }
}

fn from_epoch(number: f64) -> Option<EventTime> {
    let size = number.abs();
    let seconds = if size < MILLIS_FROM { size } else { size / 1000.0 };
    // Rounded to the nearest millisecond: most have no exact double in seconds.
    let since = span_of(Duration::try_from_secs_f64(seconds + 0.000_5).ok()?);
    EventTime::from_millis(if number < 0.0 { -since } else { since })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(property: &Property<'_>, zone: &str, ends: bool, expected: Option<&str>) {
        let zone = TimeZone::get(zone).unwrap();
        let due = parse_due(property, &zone, ends).map(|due| due.to_string());
        assert_eq!(due.as_deref(), expected, "{property:?}");
    }

    #[test]
    fn a_bare_date_is_its_end_or_its_start_in_the_zone() {
        let date = || Property::Text("2016-11-24".into());
        check(&date(), "UTC", true, Some("2016-11-25T00:00:00.000Z"));
        check(&date(), "UTC", false, Some("2016-11-24T00:00:00.000Z"));
        check(&date(), "America/Sao_Paulo", true, Some("2016-11-25T02:00:00.000Z"));
        let last = Property::Text("2024-02-29".into());
        check(&last, "Asia/Tehran", true, Some("2024-02-29T20:30:00.000Z"));
    }

    #[test]
    fn a_midnight_that_the_clocks_jumped_over_is_the_hour_after() {
        // Summer time began in São Paulo on 2017-10-15 at 00:00, which became 01:00.
        let date = Property::Text("2017-10-14".into());
        check(&date, "America/Sao_Paulo", true, Some("2017-10-15T03:00:00.000Z"));
    }

    #[test]
    fn an_instant_is_that_instant() {
        let expected = Some("2016-11-24T12:00:00.000Z");
        check(&Property::Text("2016-11-24T12:00:00Z".into()), "Asia/Tehran", true, expected);
        check(&Property::Text("2016-11-24 10:00:00".into()), "America/Sao_Paulo", true, expected);
        check(&Property::Text("1479988800".into()), "UTC", true, expected);
        check(&Property::Text("1479988800000".into()), "UTC", true, expected);
        check(&Property::Number(1_479_988_800.0), "UTC", true, expected);
        check(&Property::Number(1_479_988_800_000.0), "UTC", true, expected);
        check(
            &Property::Number(1_479_988_800_123.0),
            "UTC",
            true,
            Some("2016-11-24T12:00:00.123Z"),
        );
        check(&Property::Number(-1.5), "UTC", true, Some("1969-12-31T23:59:58.500Z"));
    }

    #[test]
    fn anything_else_is_no_promise() {
        for text in ["", "soon", "2016-13-01", "24/11/2016", "1e9", "NaN", "inf", "0000-01-01"] {
            check(&Property::Text(text.into()), "UTC", true, None);
        }
        for number in [f64::NAN, f64::INFINITY, 1e18, -1e18] {
            check(&Property::Number(number), "UTC", true, None);
        }
        check(&Property::Flag(true), "UTC", true, None);
    }
}
