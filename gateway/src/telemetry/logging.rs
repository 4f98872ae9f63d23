//! Sets up tracing: for people on a terminal, JSON lines otherwise.
//!
//! Owns the process's one subscriber. Must not know what is logged. Set once, at start; lasts until
//! the process ends.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// The environment variable that filters logs, in `tracing`'s directive syntax
/// (`info,gateway::session=debug`).
pub const FILTER_VARIABLE: &str = "PORTCULLIS_LOG";

/// What is logged where the variable is not set.
const FILTER_DEFAULT: &str = "info";

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Coloured text, local reading.
    Human,
    /// One JSON object per line, for collectors.
    Json,
}

impl Format {
    /// For people where standard error is a terminal.
    #[must_use]
    pub fn detect() -> Self {
        if std::io::stderr().is_terminal() { Self::Human } else { Self::Json }
    }
}

/// Tracing could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter is not in `tracing`'s directive syntax.
    #[error("{FILTER_VARIABLE}: `{filter}` is not a filter: {because}")]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        because: String,
    },
    /// A subscriber is set already.
    #[error("tracing was set up twice")]
    AlreadySet,
}

/// Sends tracing to standard error in `format`. `filter` is the value of [`FILTER_VARIABLE`], where
/// set; an unreadable one is an error rather than silence.
///
/// # Errors
/// When the filter cannot be read, or tracing was set up before.
pub fn install(format: Format, filter: Option<&str>) -> Result<(), LoggingError> {
    let filter = parse(filter)?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE);
    match format {
        Format::Human => lines.with_target(false).finish().try_init(),
        Format::Json => lines.json().flatten_event(true).finish().try_init(),
    }
    .map_err(|_| LoggingError::AlreadySet)
}

fn parse(filter: Option<&str>) -> Result<EnvFilter, LoggingError> {
    let filter = filter.map(str::trim).filter(|text| !text.is_empty()).unwrap_or(FILTER_DEFAULT);
    EnvFilter::try_new(filter).map_err(|error| LoggingError::Filter {
        filter: filter.to_owned(),
        because: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_cannot_be_read_is_an_error_that_names_it() {
        let error = parse(Some("gateway=loud")).unwrap_err().to_string();
        assert!(error.contains("PORTCULLIS_LOG") && error.contains("gateway=loud"), "{error}");
    }

    #[test]
    fn an_absent_or_empty_filter_means_info() {
        assert_eq!(parse(None).unwrap().to_string(), "info");
        assert_eq!(parse(Some("  ")).unwrap().to_string(), "info");
    }
}
