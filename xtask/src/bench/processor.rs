//! The processor time that processes have used.
//!
//! Owns reading it from /proc. Must not know whose processes they are.

use std::fs;

/// Seconds of processor time, user and system, of these processes with all their threads, also
/// those that have ended.
pub(super) fn seconds(processes: &[u32]) -> f64 {
    processes.iter().filter_map(|process| ticks(*process)).sum::<f64>() / TICKS_A_SECOND
}

/// A process and its children, which some servers leave the work to.
pub(super) fn family(process: u32) -> Vec<u32> {
    let path = format!("/proc/{process}/task/{process}/children");
    let children = fs::read_to_string(path).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    std::iter::once(process).chain(children).collect()
}

/// `USER_HZ`: the unit of /proc/PID/stat, the same on every Linux that we build for.
const TICKS_A_SECOND: f64 = 100.0;

fn ticks(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    ticks_in(&stat)
}

/// Fields 14 and 15 of /proc/PID/stat. The name, in parentheses, may hold anything.
fn ticks_in(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticks_of_a_process_with_a_strange_name_are_read() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 100 0 0 0 12 30 0 0 20 0 1 0 5 0 0";
        assert_eq!(ticks_in(stat), Some(42.0));
        assert_eq!(ticks_in("7"), None);
    }
}
