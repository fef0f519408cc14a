//! When people shop: by hour of the day and day of the week.
//!
//! Whole numbers only, so that every machine computes the same rate and therefore the same bytes.

use crate::model::{EventTime, Span};

pub(super) const SECOND: Span = 1000;
pub(super) const MINUTE: Span = 60 * SECOND;
pub(super) const HOUR: Span = 60 * MINUTE;
pub(super) const DAY: Span = 24 * HOUR;

/// Activity by hour (UTC is everybody's clock here): quiet nights, a plateau at work, a peak after
/// dinner. The shape of published web-shop traffic; only the proportions matter.
const BY_HOUR: [u32; 24] = [
    20, 12, 8, 6, 6, 10, 24, 44, 66, 80, 88, 92, 96, 92, 88, 86, 90, 100, 116, 132, 140, 124, 84,
    44,
];

/// Activity by day, from Monday: Sundays are for shopping, Fridays are for going out.
const BY_DAY: [u32; 7] = [104, 98, 96, 100, 92, 100, 110];

/// Returns how busy that minute is; 1 is the mean of a week.
pub(super) fn busyness(at: EventTime) -> f64 {
    let minute = at.as_millis().rem_euclid(DAY) / MINUTE;
    let (hour, within) = (minute / 60, u32::try_from(minute % 60).unwrap_or(0));
    // From one hour's level to the next in a line: a step at the full hour would look like a spike.
    let level = by_hour(hour) * (60 - within) + by_hour((hour + 1) % 24) * within;
    let mean = f64::from(60 * BY_HOUR.iter().sum::<u32>()) / 24.0;
    let day = f64::from(BY_DAY.get(weekday(at)).copied().unwrap_or(100)) / 100.0;
    f64::from(level) / mean * day
}

/// Returns the day of the week, 0 for Monday.
pub(super) fn weekday(at: EventTime) -> usize {
    // 1970-01-01 was a Thursday.
    let day = (at.as_millis().div_euclid(DAY) + 3).rem_euclid(7);
    usize::try_from(day).unwrap_or(0)
}

/// Returns the midnight (UTC) that a day begins with.
pub(super) fn midnight(at: EventTime) -> EventTime {
    at.minus(at.as_millis().rem_euclid(DAY))
}

fn by_hour(hour: i64) -> u32 {
    usize::try_from(hour).ok().and_then(|hour| BY_HOUR.get(hour)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-05T00:00:00Z, a Monday.
    fn monday() -> EventTime {
        EventTime::from_millis(1_767_571_200_000).unwrap()
    }

    #[test]
    fn a_week_is_as_busy_as_its_mean() {
        let minutes = 7 * 24 * 60;
        let sum: f64 = (0..minutes).map(|minute| busyness(monday().plus(minute * MINUTE))).sum();
        assert!((sum / 10_080.0 - 1.0).abs() < 0.001, "{sum}");
    }

    #[test]
    fn evenings_are_busier_than_nights_and_sundays_than_fridays() {
        let at = |day, hour| busyness(monday().plus(day * DAY + hour * HOUR));
        assert!(10.0 * at(0, 4) < at(0, 20));
        assert!(at(4, 12) < at(6, 12));
        assert_eq!(weekday(monday().plus(6 * DAY)), 6);
        assert_eq!(weekday(EventTime::default()), 3);
    }
}
