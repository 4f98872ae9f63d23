//! What the kernel itself counts of a program's runs.
//!
//! Owns switching the counting on (`kernel.bpf_stats_enabled`) and off again, and the looks. The
//! counting adds some 100 ns to each run, outside of what it counts, so nothing else is measured
//! meanwhile.

use std::fs;

use super::arena::Arena;
use super::measure;
use super::peers::Way;
use crate::fault::{During, Outcome};
use crate::stage::postgres::Postgres;

const SWITCH: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// The program on `connect` to an IPv4 address.
const PROGRAM: &str = "pcl_connect4";

/// While it lives, the kernel counts.
#[derive(Debug)]
pub(super) struct Counting {
    before: String,
}

/// Runs and their time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Runs {
    count: f64,
    nanoseconds: f64,
}

impl Counting {
    /// Switches it on.
    pub(super) fn begin() -> Outcome<Self> {
        let before = fs::read_to_string(SWITCH).during(SWITCH)?;
        fs::write(SWITCH, "1").during(SWITCH)?;
        Ok(Self { before })
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        let _ = fs::write(SWITCH, self.before.trim());
    }
}

impl Runs {
    /// What the program has done so far.
    pub(super) fn so_far(arena: &Arena<Postgres>, way: &Way) -> Outcome<Self> {
        let line = measure::run(arena, way, &["runs", PROGRAM])?;
        Ok(Self {
            count: measure::number(&line, "/count")?,
            nanoseconds: measure::number(&line, "/nanoseconds")?,
        })
    }

    /// Microseconds of one run between two looks, where there was one.
    pub(super) fn mean_us_since(self, before: Self) -> Option<f64> {
        let count = self.count - before.count;
        (count > 0.0).then(|| (self.nanoseconds - before.nanoseconds) / count / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_needs_a_run() {
        let before = Runs { count: 2.0, nanoseconds: 1_000.0 };
        let after = Runs { count: 4.0, nanoseconds: 4_000.0 };
        assert_eq!(after.mean_us_since(before), Some(1.5));
        assert_eq!(before.mean_us_since(before), None);
    }
}
