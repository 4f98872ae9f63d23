//! Values that are text with a form: names, paths, durations, sizes, host names.
//!
//! Owns the forms. Each function gives the value, or refuses the text and gives nothing.

use std::path::PathBuf;
use std::time::Duration;

use super::Checker;
use crate::config::raw::scalar::{Size, Span};
use crate::config::read::At;

/// Bytes of a name. Raised, lines of the audit log grow.
const NAME_BYTES_MAX: usize = 64;

impl Checker<'_> {
    /// A name of ours: letters, digits, `.`, `_` and `-`, beginning with a letter or digit.
    pub(super) fn name(self, at: &At<String>) -> Option<&str> {
        let text = at.get()?.as_str();
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins && text.chars().all(fits) && text.len() <= NAME_BYTES_MAX {
            return Some(text);
        }
        self.refuse(
            at,
            "this cannot be a name",
            format!("use up to {NAME_BYTES_MAX} letters, digits, dots, dashes and underscores"),
        );
        None
    }

    /// Text of somebody else's choosing: not empty, without control characters.
    pub(super) fn free_text(self, at: &At<String>) -> Option<&str> {
        let text = at.get()?.as_str();
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            self.refuse(at, "this is empty or has control characters", "write what is meant");
            return None;
        }
        Some(text)
    }

    /// An absolute path without `..`.
    pub(super) fn path(self, at: &At<String>) -> Option<PathBuf> {
        let text = self.free_text(at)?;
        let path = PathBuf::from(text);
        let climbs = text.split('/').any(|part| part == "..");
        if !path.is_absolute() || climbs {
            self.refuse(at, "this is not an absolute path", "write it from / on, without ..");
            return None;
        }
        Some(path)
    }

    /// A URL of https, with a host and without a user.
    pub(super) fn https_url(self, at: &At<String>, example: &str) -> Option<String> {
        let url = self.free_text(at)?;
        let host = url.strip_prefix("https://").unwrap_or_default();
        if host.is_empty() || host.starts_with('/') || url.contains([' ', '@']) {
            self.refuse(at, "this is not an https URL", format!("write it like {example}"));
            return None;
        }
        Some(url.to_owned())
    }

    /// A duration that is not zero: `30s`, `10m`, `1h30m`, `500ms`, `7d`.
    pub(super) fn span(self, at: &At<Span>) -> Option<Duration> {
        let text = at.get()?.0.as_str();
        let span = parse_span(text).filter(|span| !span.is_zero());
        if span.is_none() {
            self.refuse(at, "this is not a duration", "write it like 500ms, 30s, 10m, 1h30m or 7d");
        }
        span
    }

    /// A size that is not zero: `65536`, `64KiB`, `16MiB`.
    pub(super) fn size(self, at: &At<Size>) -> Option<usize> {
        let bytes = match at.get()? {
            Size::Bytes(bytes) => Some(*bytes),
            Size::Text(text) => parse_size(text),
        };
        let bytes = bytes.filter(|bytes| *bytes > 0).and_then(|bytes| usize::try_from(bytes).ok());
        if bytes.is_none() {
            self.refuse(
                at,
                "this is not a size",
                "write bytes as a number, or like 64KiB or 16MiB",
            );
        }
        bytes
    }
}

fn parse_span(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = split_number(rest)?;
        let length = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(length)?;
        let unit_ms: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(Duration::from_millis(number.checked_mul(unit_ms)?))?;
        rest = next;
    }
    Some(total)
}

fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split_number(text)?;
    let unit_bytes: u64 = match unit.trim_start() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit_bytes)
}

fn split_number(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, rest))
}

/// Whether the text is a host name: labels of letters, digits and dashes, divided by dots.
pub(super) fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    // A last label of digits only would be read as part of an address.
    let numeric = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 253
        && text.split('.').all(label)
        && text.rsplit('.').next().is_some_and(|last| !numeric(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        assert_eq!(parse_span("10m"), Some(Duration::from_secs(600)));
        assert_eq!(parse_span("1h30m"), Some(Duration::from_secs(5_400)));
        assert_eq!(parse_span("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_span("7d"), Some(Duration::from_secs(604_800)));
        for text in ["10", "m", "10 m", "-1s", "1.5h", "10x", "99999999999999999999s"] {
            assert_eq!(parse_span(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(parse_size("64KiB"), Some(65_536));
        assert_eq!(parse_size("16 MiB"), Some(16_777_216));
        assert_eq!(parse_size("10"), Some(10));
        for text in ["KiB", "1KB", "-1", "1.5MiB", "18446744073709551615GiB"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    #[test]
    fn host_names_are_told_from_addresses() {
        for text in ["db", "db.example", "db-1.prod.example", "10.example"] {
            assert!(is_host_name(text), "{text}");
        }
        for text in ["", ".", "db.", "-db", "10.0.5", "a b", "db:1", "fd00::1", "*.example"] {
            assert!(!is_host_name(text), "{text}");
        }
    }
}
