//! Lengths of time as people write them: `45d`, `24h`, `1d12h`, `500ms`.

use std::fmt::Write;

use crate::model::Span;

/// The units, largest first, as they must follow one another.
const UNITS: [(&str, Span); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// A century: longer than anything here can mean, short enough never to overflow.
const MAX: Span = 36_525 * 86_400_000;

/// What a reader is told when a span cannot be understood.
pub(super) const HINT: &str = "write a number and a unit, largest first: 45d, 24h, 1d12h, 10m, \
                               30s, 500ms";

/// Returns the span that was written; `None` where it is none, or longer than a century.
pub(super) fn parse(text: &str) -> Option<Span> {
    let mut rest = text;
    let mut sum: Span = 0;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at_checked(digits)?;
        let letters =
            after.len() - after.trim_start_matches(|c: char| c.is_ascii_lowercase()).len();
        let (unit, after) = after.split_at_checked(letters)?;
        let (_, size) = units.find(|(name, _)| *name == unit)?;
        let part = number.parse::<Span>().ok()?.checked_mul(*size)?;
        sum = sum.checked_add(part).filter(|sum| *sum <= MAX)?;
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

/// Returns a span as one would write it.
pub fn display(span: Span) -> String {
    let mut out = String::new();
    let mut rest = span;
    for (unit, size) in UNITS {
        if size <= rest {
            // Writing to a string does not fail.
            _ = write!(out, "{}{unit}", rest / size);
            rest %= size;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Span>) {
        assert_eq!(parse(text), expected, "{text}");
    }

    #[test]
    fn a_span_is_numbers_with_units() {
        check("45d", Some(45 * 86_400_000));
        check("1d12h", Some(36 * 3_600_000));
        check("500ms", Some(500));
        check("1m30s", Some(90_000));
        check("0s", Some(0));
    }

    #[test]
    fn anything_else_is_none() {
        for text in ["", "5", "d", "5 d", "-5d", "1.5h", "5D", "5h1d", "5m5m", "1y", "٣d", "40000d"]
        {
            check(text, None);
        }
        check("99999999999999999999d", None);
    }

    #[test]
    fn a_span_is_shown_as_it_would_be_written() {
        for text in ["45d", "1d12h", "10m", "500ms", "1s500ms", "0s"] {
            assert_eq!(parse(text).map(display).as_deref(), Some(text));
        }
    }
}
