//! Where log lines go: to standard error, as text for people or as JSON for machines.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, filter::ParseError, util::TryInitError};

use crate::model::vocabulary;

vocabulary! {
    /// How log lines look.
    LogFormat {
        /// For people; with colours on a terminal.
        Text = "text",
        /// One JSON object per line.
        Json = "json",
    }
}

/// Why nothing will be logged.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The operator's filter is wrong.
    #[error(
        "\"{filter}\" is no log filter; write a level (error, warn, info, debug, trace) or pairs like rega=debug,rdkafka=warn"
    )]
    Filter {
        /// The filter as it was written.
        filter: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// This process logs already.
    #[error("logging was set up twice")]
    Twice(#[source] TryInitError),
}

/// Begins to log what passes `filter` (`info`, or `rega=debug,rdkafka=warn`).
///
/// # Errors
///
/// A filter that cannot be read, which the operator corrects; a second call, which is ours.
pub fn init_logging(format: LogFormat, filter: &str) -> Result<(), LoggingError> {
    use tracing_subscriber::util::SubscriberInitExt as _;

    let parsed = EnvFilter::builder()
        .parse(filter)
        .map_err(|source| LoggingError::Filter { filter: filter.to_owned(), source })?;
    // Standard output is for results, which may be piped on.
    let lines = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
    }
    .map_err(LoggingError::Twice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_cannot_be_read_is_explained() {
        let error = init_logging(LogFormat::Text, "rega=loud").unwrap_err();
        assert!(error.to_string().starts_with("\"rega=loud\" is no log filter"), "{error}");
    }
}
