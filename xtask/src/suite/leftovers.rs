//! What a test run leaves on the machine: it must be nothing.
//!
//! Owns the looking. Must not clean up: a leftover is a bug of the test that left it, and the
//! next person should see it. Processes are known by an environment variable they inherit.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::console;
use crate::fault::{During, Fault, Outcome};

/// Set for a run to its number; every process of the run inherits it.
pub(super) const RUN_VARIABLE: &str = "PORTCULLIS_TEST_RUN";

/// How long a process that was told to end may take.
const ENDING_WITHIN: Duration = Duration::from_secs(10);

/// What of ours is on the machine at a moment, each as a line for people.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    found: BTreeSet<String>,
}

impl Snapshot {
    /// Looks.
    pub(super) fn take() -> Outcome<Self> {
        let mut found = BTreeSet::new();
        for name in names_in(Path::new("/run/netns")) {
            found.insert(format!("network namespace {name}"));
        }
        let mounts = fs::read_to_string("/proc/self/mounts").during("cannot read the mounts")?;
        for line in mounts.lines() {
            let fields: Vec<&str> = line.split(' ').collect();
            let (Some(place), Some(kind)) = (fields.get(1), fields.get(2)) else { continue };
            match *kind {
                "cgroup2" => below(Path::new(place), &mut |path| {
                    if path.is_dir() && is_ours(&path) {
                        found.insert(format!("cgroup {}", path.display()));
                    }
                }),
                "bpf" => below(Path::new(place), &mut |path| {
                    if is_ours(&path) {
                        found.insert(format!("pin {}", path.display()));
                    }
                }),
                _ => {}
            }
            if is_ours(Path::new(place)) {
                found.insert(format!("mount {place} ({kind})"));
            }
        }
        let segments = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
        for segment in segments.lines().skip(1) {
            let fields: Vec<&str> = segment.split_ascii_whitespace().collect();
            if let (Some(number), Some(&"0")) = (fields.get(1), fields.get(6)) {
                found.insert(format!("shared memory {number}, which no process is attached to"));
            }
        }
        for name in names_in(&std::env::temp_dir()) {
            if is_ours(Path::new(&name)) {
                found.insert(format!("temporary {name}"));
            }
        }
        Ok(Self { found })
    }
}

/// Fails, with the list, when something is there that was not there before, or a process of the
/// run lives on.
pub(super) fn check(before: &Snapshot, run: &str) -> Outcome {
    let began = Instant::now();
    loop {
        let mut left: Vec<String> =
            Snapshot::take()?.found.difference(&before.found).cloned().collect();
        left.extend(processes(run));
        if left.is_empty() {
            return Ok(());
        }
        if began.elapsed() > ENDING_WITHIN {
            console::warned("the tests left this behind:");
            return Fault::because(format!("left over:\n  {}", left.join("\n  ")));
        }
        sleep(Duration::from_millis(200));
    }
}

/// What our tests, demo and benches call their things.
fn is_ours(path: &Path) -> bool {
    let path = path.to_string_lossy();
    ["portcullis", "pcl-test"].iter().any(|name| path.contains(name))
}

fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Calls `see` with everything below a directory; what cannot be read is not ours.
fn below(directory: &Path, see: &mut impl FnMut(PathBuf)) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_directory {
            below(&path, see);
        }
        see(path);
    }
}

/// Processes of this run that are still alive.
fn processes(run: &str) -> Vec<String> {
    let wanted = format!("{RUN_VARIABLE}={run}");
    names_in(Path::new("/proc"))
        .into_iter()
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|process| {
            let place = Path::new("/proc").join(&process);
            let variables = fs::read(place.join("environ")).ok()?;
            variables.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes()).then_some(())?;
            let line = fs::read(place.join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            Some(format!("process {process}: {}", line.trim()))
        })
        .collect()
}
