//! Waiting for what happens soon: never a fixed sleep.
//!
//! Owns the one macro. Its bound is long, because it is only reached by a test that fails.

use std::time::Duration;

/// How long a test waits before it fails.
pub const WITHIN: Duration = Duration::from_secs(20);

/// Waits until the expression is true; panics with it, and the given text, when it never is.
#[macro_export]
macro_rules! assert_eventually {
    ($condition:expr $(,)?) => {
        $crate::assert_eventually!($condition, "it never happened")
    };
    ($condition:expr, $($text:tt)+) => {{
        let began = std::time::Instant::now();
        while !$condition {
            assert!(
                began.elapsed() < $crate::eventually::WITHIN,
                "{}: {}",
                stringify!($condition),
                format_args!($($text)+)
            );
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }};
}
