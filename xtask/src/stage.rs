//! A stage: everything a demo or a benchmark puts on this machine, under one name.
//!
//! Owns a cgroup slice, a directory and, where asked for, a network namespace, all named after the
//! stage; every process of the stage is in a cgroup of the slice. So clearing a stage needs no
//! memory of what was started: it kills what is in the slice and removes what has the name. It is
//! cleared when the stage is dropped, on an interrupt, and before the next one begins, in case an
//! earlier run was killed.

pub(crate) mod certificate;
pub(crate) mod gateway;
pub(crate) mod kubernetes;
pub(crate) mod mariadb;
pub(crate) mod network;
pub(crate) mod nginx;
pub(crate) mod openssh;
pub(crate) mod postgres;

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::console;
use crate::fault::{During, Fault, Outcome};

/// How long killed processes may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// Puts a process into a cgroup before it becomes the program.
const ENTER: &str = r#"echo $$ > "$1/cgroup.procs" && shift && exec "$@""#;

/// A stage that is up.
#[derive(Debug)]
pub(crate) struct Stage {
    names: Names,
    /// Held while the stage is up: two of one name would clear each other.
    _lock: File,
}

/// What a stage's things are called.
#[derive(Clone, Debug)]
struct Names {
    stage: String,
    slice: PathBuf,
    directory: PathBuf,
}

impl Stage {
    /// Clears what an earlier run left, and sets the stage up.
    pub(crate) fn set_up(name: &str) -> Outcome<Self> {
        require_root()?;
        let lock = lock(name)?;
        let names = Names {
            stage: name.to_owned(),
            // A dash in a slice's name would put it below another slice.
            slice: cgroup_root()?.join(format!("{}.slice", name.replace('-', "_"))),
            directory: memory().join(name),
        };
        if names.slice.exists() || names.directory.exists() {
            console::note("clearing what an earlier run left");
        }
        names.clear()?;
        clear_on_signal(&names)?;
        fs::create_dir_all(&names.slice).during(names.slice.display())?;
        fs::create_dir_all(&names.directory).during(names.directory.display())?;
        gateway::note_file_system(&names.directory)?;
        Ok(Self { names, _lock: lock })
    }

    /// The stage's name; its network namespace has the same.
    pub(crate) fn name(&self) -> &str {
        &self.names.stage
    }

    /// A directory that is gone with the stage. In memory, on most machines.
    pub(crate) fn directory(&self) -> &Path {
        &self.names.directory
    }

    /// The path of a unit's cgroup below the cgroup root, as configuration names it.
    pub(crate) fn cgroup_path(&self, unit: &str) -> String {
        let slice = self.names.slice.file_name().unwrap_or_default();
        format!("/{}/{unit}", slice.to_string_lossy())
    }

    /// Seconds of processor time that the processes of a unit have used, also those that have ended.
    pub(crate) fn processor_seconds(&self, unit: &str) -> Outcome<f64> {
        let path = self.names.slice.join(unit).join("cpu.stat");
        let text = fs::read_to_string(&path).during(path.display())?;
        let used = text.lines().find_map(|line| line.strip_prefix("usage_usec "));
        let used: f64 = used.and_then(|used| used.parse().ok()).during(path.display())?;
        Ok(used / 1e6)
    }

    /// A command that will run in the cgroup of a unit, such as `nightly-report.service`.
    pub(crate) fn command(&self, unit: &str, program: impl AsRef<Path>) -> Outcome<Command> {
        let cgroup = self.names.slice.join(unit);
        fs::create_dir_all(&cgroup).during(cgroup.display())?;
        let mut command = Command::new("sh");
        command.args(["-c", ENTER, "sh"]).arg(cgroup).arg(program.as_ref());
        // Of its own process group: an interrupt at the terminal reaches us, and we clear up.
        command.stdin(Stdio::null()).process_group(0);
        Ok(command)
    }

    /// Kills everything in the cgroup of a unit, at once and without a chance to clean up.
    pub(crate) fn kill(&self, unit: &str) -> Outcome {
        kill_all_in(&self.names.slice.join(unit))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Err(fault) = self.names.clear() {
            console::warned(&format!("the stage could not be cleared: {fault}"));
        }
    }
}

impl Names {
    /// Removes everything that has the stage's name: processes, kernel programs, the namespace,
    /// cgroups, files. A bind of the programs outlives the daemon, so they go after it.
    fn clear(&self) -> Outcome {
        kill_all_in(&self.slice)?;
        gateway::clear(&self.stage, &self.directory)?;
        network::clear(&self.stage)?;
        remove_cgroups(&self.slice)?;
        if self.directory.exists() {
            fs::remove_dir_all(&self.directory).during(self.directory.display())?;
        }
        Ok(())
    }
}

/// The mount point of the version 2 cgroup hierarchy.
pub(crate) fn cgroup_root() -> Outcome<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").during("cannot read the mounts")?;
    let place = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let place = fields.next()?;
        (fields.next()? == "cgroup2").then(|| PathBuf::from(place))
    });
    place.during("no cgroup2 is mounted: `mount -t cgroup2 none /sys/fs/cgroup`")
}

/// A file system in memory where there is one.
fn memory() -> &'static Path {
    Path::new(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/run" })
}

fn require_root() -> Outcome {
    let status = fs::metadata("/proc/self").during("cannot read /proc")?;
    if std::os::unix::fs::MetadataExt::uid(&status) == 0 {
        return Ok(());
    }
    Fault::because("this loads kernel programs and makes cgroups: run it as root")
}

fn lock(name: &str) -> Outcome<File> {
    let path = format!("/run/lock/{name}.lock");
    let lock = File::create(&path).during(&path)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(_) => Fault::because(format!("another run of {name} is going on")),
    }
}

/// An interrupt, a hang-up or a polite kill clears the stage and ends this process.
fn clear_on_signal(names: &Names) -> Outcome {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).during("cannot catch signals")?;
    let names = names.clone();
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            console::note("interrupted: clearing the stage");
            if let Err(fault) = names.clear() {
                console::warned(&format!("the stage could not be cleared: {fault}"));
            }
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}

/// Kills every process in a cgroup and below, and waits until they are gone.
fn kill_all_in(cgroup: &Path) -> Outcome {
    let kill = cgroup.join("cgroup.kill");
    if !kill.exists() {
        return Ok(());
    }
    fs::write(&kill, "1").during(kill.display())?;
    let began = Instant::now();
    while is_populated(cgroup) {
        if began.elapsed() > GONE_WITHIN {
            return Fault::because(format!("processes in {} do not end", cgroup.display()));
        }
        sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn is_populated(cgroup: &Path) -> bool {
    fs::read_to_string(cgroup.join("cgroup.events"))
        .is_ok_and(|events| events.lines().any(|line| line == "populated 1"))
}

/// Removes a cgroup and those below it, the deepest first.
fn remove_cgroups(cgroup: &Path) -> Outcome {
    for entry in fs::read_dir(cgroup).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_cgroups(&entry.path())?;
        }
    }
    let began = Instant::now();
    loop {
        match fs::remove_dir(cgroup) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).during(cgroup.display());
            }
            _ => return Ok(()),
        }
        if began.elapsed() > GONE_WITHIN {
            return Fault::because(format!("{} stays busy", cgroup.display()));
        }
        sleep(Duration::from_millis(10));
    }
}

/// Waits until something is so; the fault says what never was.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) -> Outcome {
    let began = Instant::now();
    while !is_so() {
        if began.elapsed() > Duration::from_secs(30) {
            return Fault::because(format!("{what}: not within 30 seconds"));
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Starts a server of the stage with its output in a log file.
pub(crate) fn spawn_logged(mut command: Command, log: &Path) -> Outcome<Child> {
    let file = File::create(log).during(log.display())?;
    let again = file.try_clone().during(log.display())?;
    command.stdout(file).stderr(again).spawn().during("cannot start a server")
}
