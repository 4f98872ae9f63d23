//! Numbers as people read them: ages, sizes, moments.
//!
//! Owns those forms. JSON never uses them.

use std::time::Duration;

use model::Timestamp;

/// `12s`, `3m 20s`, `2h 5m`, `4d 3h`.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match () {
        () if days > 0 => format!("{days}d {}h", hours % 24),
        () if hours > 0 => format!("{hours}h {}m", minutes % 60),
        () if minutes > 0 => format!("{minutes}m {}s", seconds % 60),
        () => format!("{seconds}s"),
    }
}

/// `512 B`, `1.5 KiB`, `3.2 GiB`.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1_024 {
        return format!("{count} B");
    }
    // Tenths of the unit, in whole numbers.
    let mut tenths = count.saturating_mul(10) / 1_024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1_024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS.get(unit).unwrap_or(&""))
}

/// `2026-11-21 20:13:15 UTC`.
pub(super) fn moment(moment: Timestamp) -> String {
    i64::try_from(moment.0)
        .ok()
        .and_then(|moment| jiff::Timestamp::from_microsecond(moment).ok())
        .map_or_else(
            || "?".to_owned(),
            |moment| moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        )
}

/// The first characters of a text on one line.
pub(super) fn shortened(text: &str, characters_max: usize) -> String {
    let text = crate::recording::replay::plain(text);
    let mut chars = text.chars();
    let mut short: String = chars.by_ref().take(characters_max).collect();
    if chars.next().is_some() {
        short.push_str("...");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes_use_two_figures() {
        let spans = [0, 59, 60, 200, 3_600, 7_500, 86_400, 360_000];
        let shown: Vec<_> = spans.iter().map(|s| span(Duration::from_secs(*s))).collect();
        assert_eq!(shown, ["0s", "59s", "1m 0s", "3m 20s", "1h 0m", "2h 5m", "1d 0h", "4d 4h"]);
        let sizes = [0, 1_023, 1_024, 1_536, 1_048_576, 3_435_973_837, u64::MAX];
        let shown: Vec<_> = sizes.iter().map(|b| bytes(*b)).collect();
        assert_eq!(shown[..6], ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "3.2 GiB"]);
    }

    #[test]
    fn a_moment_is_given_in_utc() {
        assert_eq!(moment(Timestamp(1_700_000_000_000_000)), "2023-11-14 22:13:20 UTC");
        assert_eq!(moment(Timestamp(u64::MAX)), "?");
    }
}
