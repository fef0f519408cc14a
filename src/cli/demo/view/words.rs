//! Times and lengths as people write them.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::EventTime;

/// Returns `Thu 2026-11-19 14:05`, in UTC like everything in the demo.
pub(super) fn day_and_minute(time: EventTime) -> String {
    written(time, "%a %Y-%m-%d %H:%M")
}

/// Returns `19 Nov 14:05`.
pub(super) fn short(time: EventTime) -> String {
    written(time, "%d %b %H:%M")
}

fn written(time: EventTime, form: &str) -> String {
    Timestamp::from_millisecond(time.as_millis())
        .map_or_else(|_| time.to_string(), |instant| instant.strftime(form).to_string())
}

/// Returns `0.4 ms`, `38 ms`, `1.2 s`.
pub(super) fn length(length: Duration) -> String {
    let millis = length.as_secs_f64() * 1000.0;
    match millis {
        0.0..10.0 => format!("{millis:.1} ms"),
        10.0..1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.1} s", millis / 1000.0),
    }
}
