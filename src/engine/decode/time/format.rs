//! How a time may be written in somebody's own JSON.

use jiff::{Timestamp, fmt::strtime, tz::TimeZone};

/// How a time is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TimeFormat {
    /// `2026-11-22T07:12:00.000Z`.
    #[default]
    Rfc3339,
    /// Seconds since 1970, with or without a fraction; a number or its text.
    UnixSeconds,
    /// Milliseconds since 1970; a number or its text.
    UnixMillis,
    /// A pattern such as `%d/%m/%Y %H:%M:%S`.
    Strptime(Box<str>),
}

/// What is wrong with a time format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFormat {
    /// Neither a known name nor a pattern.
    #[error("is none of `rfc3339`, `unix_seconds`, `unix_millis`, or a pattern with `%`")]
    Unknown,
    /// A directive that does not exist, or one that can only be written and not read.
    #[error("is not a pattern that times can be read with")]
    BadPattern,
    /// The pattern does not say which day.
    #[error("does not say year, month and day")]
    NoDate,
}

impl TimeFormat {
    /// Reads a format as written.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it, for whoever wrote the mapping.
    pub fn parse(text: &str) -> Result<Self, BadFormat> {
        match text {
            "rfc3339" => Ok(Self::Rfc3339),
            "unix_seconds" => Ok(Self::UnixSeconds),
            "unix_millis" => Ok(Self::UnixMillis),
            pattern if pattern.contains('%') => Self::pattern(pattern),
            _ => Err(BadFormat::Unknown),
        }
    }

    /// Accepts a pattern that can read what it writes.
    fn pattern(pattern: &str) -> Result<Self, BadFormat> {
        let sample = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        let written = strtime::format(pattern, &sample).map_err(|_error| BadFormat::BadPattern)?;
        let read = strtime::parse(pattern, &written).map_err(|_error| BadFormat::BadPattern)?;
        if read.to_timestamp().is_err() && read.to_date().is_err() {
            return Err(BadFormat::NoDate);
        }
        Ok(Self::Strptime(pattern.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_a_name_or_a_pattern() {
        assert_eq!(TimeFormat::parse("unix_millis"), Ok(TimeFormat::UnixMillis));
        for pattern in ["%d/%m/%Y %H:%M:%S", "%Y-%m-%d", "%s", "%Y-%m-%dT%H:%M:%S%.f%:z"] {
            let expected = Ok(TimeFormat::Strptime(pattern.into()));
            assert_eq!(TimeFormat::parse(pattern), expected);
        }
    }

    #[test]
    fn a_bad_format_says_what_is_wrong() {
        assert_eq!(TimeFormat::parse("rfc_3339"), Err(BadFormat::Unknown));
        assert_eq!(TimeFormat::parse("%Y-%m-%d %!"), Err(BadFormat::BadPattern));
        assert_eq!(TimeFormat::parse("%H:%M"), Err(BadFormat::NoDate));
    }
}
