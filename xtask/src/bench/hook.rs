//! What the kernel itself counts of a program's runs.
//!
//! Owns switching the counting on (`kernel.bpf_stats_enabled`) and off again, and reading it from
//! the descriptors that the daemon holds. The counting adds some 100 ns to each run, outside of
//! what it counts, so nothing else is measured meanwhile.

use std::fs;

use crate::fault::{During, Outcome};

const SWITCH: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// `BPF_PROG_TYPE_CGROUP_SOCK_ADDR`: the programs on connect, and others that do not run meanwhile.
const ADDRESS_PROGRAM: &str = "prog_type:\t18";

/// While it lives, the kernel counts.
#[derive(Debug)]
pub(super) struct Counting {
    before: String,
}

/// Runs and their time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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
    /// What the address programs of this process have done so far.
    pub(super) fn of(process: u32) -> Outcome<Self> {
        let place = format!("/proc/{process}/fdinfo");
        let mut runs = Self::default();
        for entry in fs::read_dir(&place).during(&place)? {
            let path = entry.during(&place)?.path();
            // A descriptor that was closed meanwhile is no program.
            let Ok(text) = fs::read_to_string(path) else { continue };
            runs.add(&text);
        }
        Ok(runs)
    }

    fn add(&mut self, descriptor: &str) {
        if descriptor.lines().any(|line| line == ADDRESS_PROGRAM) {
            let number = |name: &str| {
                let line = descriptor.lines().find_map(|line| line.strip_prefix(name));
                line.and_then(|value| value.trim().parse::<f64>().ok()).unwrap_or(0.0)
            };
            self.count += number("run_cnt:");
            self.nanoseconds += number("run_time_ns:");
        }
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
    fn only_address_programs_are_counted() {
        let mut runs = Runs::default();
        runs.add("pos:\t0\nprog_type:\t18\nprog_jited:\t1\nrun_time_ns:\t3000\nrun_cnt:\t2\n");
        runs.add("pos:\t0\nprog_type:\t13\nrun_time_ns:\t9000\nrun_cnt:\t9\n");
        runs.add("pos:\t0\n");
        assert_eq!(runs.mean_us_since(Runs::default()), Some(1.5));
        assert_eq!(runs.mean_us_since(runs), None);
    }
}
