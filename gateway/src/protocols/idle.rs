//! How long output is held back that may be the beginning of what is masked.
//!
//! Owns the spans. Must not know a protocol, nor what a mask looks for.

use std::time::Duration;

/// How long a terminal's output may be held back for what may follow. Raised, echoed keys lag.
const TERMINAL_IDLE: Duration = Duration::from_millis(50);
/// The same for other output, and for a terminal at which nobody has typed just now: nobody minds a
/// prompt that comes late.
const TEXT_IDLE: Duration = Duration::from_millis(500);
/// The same where what is held back looks like the beginning of what is masked.
const LIKELY_IDLE: Duration = Duration::from_secs(2);
/// How long after a key its echo is waited for.
pub(super) const ECHOED_WITHIN: Duration = Duration::from_millis(300);

/// How long what is held back waits for what may follow: `typed` where a key came just now, `likely`
/// where it looks like the beginning of what is masked.
pub(super) const fn held_for(typed: bool, likely: bool) -> Duration {
    match (typed, likely) {
        (true, _) => TERMINAL_IDLE,
        (false, true) => LIKELY_IDLE,
        (false, false) => TEXT_IDLE,
    }
}
