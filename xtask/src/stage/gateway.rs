//! A stage's gateway: the daemon as it would be installed, under an instance name of its own.
//!
//! Owns starting, calling and clearing it. Must not know what a configuration says.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{Stage, wait_until};
use crate::call::Call;
use crate::fault::{During, Fault, Outcome};

/// Where the daemon pins its programs: a directory for each layout, and in it one an instance.
const PINS: &str = "/sys/fs/bpf/portcullis";

/// Says, in the stage's directory, that the BPF file system was not mounted before.
const MOUNTED_BY_US: &str = "bpf-file-system-was-not-mounted";

/// The cgroup of the daemon.
const UNIT: &str = "portcullis.service";

/// A daemon and its command line.
#[derive(Debug)]
pub(crate) struct Gateway {
    binary: PathBuf,
    configuration: PathBuf,
    socket: PathBuf,
}

impl Gateway {
    /// A daemon that is not running yet.
    pub(crate) fn new(binary: PathBuf, configuration: PathBuf, socket: PathBuf) -> Self {
        Self { binary, configuration, socket }
    }

    /// Starts it and waits until it serves. Gives its process.
    pub(crate) fn start(&self, stage: &Stage) -> Outcome<u32> {
        let mut command = stage.command(UNIT, &self.binary)?;
        command.arg("run").arg("--config").arg(&self.configuration).env("NO_COLOR", "1");
        // The log goes on where an earlier daemon's ended.
        let log = Self::log_file(stage);
        let file = File::options().create(true).append(true).open(&log).during(log.display())?;
        let again = file.try_clone().during(log.display())?;
        let mut child =
            command.stdout(file).stderr(again).spawn().during("cannot start portcullis")?;
        let mut status = Ok(String::new());
        let ready = wait_until("portcullis serves", || {
            status = self.call(&["status"]);
            status.is_ok() || child.try_wait().is_ok_and(|end| end.is_some())
        });
        match (ready, child.try_wait()) {
            (Ok(()), Ok(None)) => Ok(child.id()),
            (Err(fault), _) => {
                let said = status.err().map(|said| said.to_string()).unwrap_or_default();
                Fault::because(format!("{fault}\n{said}\n{}", self.log(stage)))
            }
            _ => Fault::because(format!("portcullis ended:\n{}", self.log(stage))),
        }
    }

    /// Kills it, without a chance to clean up.
    pub(crate) fn kill(&self, stage: &Stage) -> Outcome {
        stage.kill(UNIT)
    }

    /// Runs the command line against it.
    pub(crate) fn call(&self, arguments: &[&str]) -> Outcome<String> {
        Call::new(&self.binary).with(arguments).with(["--control"]).with([&self.socket]).output()
    }

    /// What it logged.
    pub(crate) fn log(&self, stage: &Stage) -> String {
        fs::read_to_string(Self::log_file(stage)).unwrap_or_default()
    }

    fn log_file(stage: &Stage) -> PathBuf {
        stage.directory().join("gateway.log")
    }
}

/// Removes the pins of the instance that has the stage's name, which detaches its programs.
pub(super) fn clear(name: &str, directory: &Path) -> Outcome {
    for layout in entries(Path::new(PINS)) {
        let instance = layout.join(name);
        // Links first: what they refuse must not be half there.
        for place in [instance.join("links"), instance.join("maps"), instance] {
            for pin in entries(&place) {
                fs::remove_file(&pin).during(pin.display())?;
            }
            remove_empty(&place)?;
        }
    }
    // What all instances share goes with the last of them.
    for layout in entries(Path::new(PINS)) {
        remove_empty(&layout)?;
    }
    remove_empty(Path::new(PINS))?;
    if directory.join(MOUNTED_BY_US).exists() && bpf_is_mounted()? {
        Call::new("umount").with(["/sys/fs/bpf"]).output()?;
    }
    Ok(())
}

/// Notes whether the BPF file system is there, so that clearing leaves it as it was.
pub(super) fn note_file_system(directory: &Path) -> Outcome {
    if bpf_is_mounted()? {
        return Ok(());
    }
    let note = directory.join(MOUNTED_BY_US);
    fs::write(&note, "").during(note.display())
}

/// Whether this machine has a BPF file system.
pub(crate) fn bpf_is_mounted() -> Outcome<bool> {
    let mounts = fs::read_to_string("/proc/self/mounts").during("cannot read the mounts")?;
    Ok(mounts.lines().any(|line| line.split(' ').nth(2) == Some("bpf")))
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn remove_empty(directory: &Path) -> Outcome {
    match fs::remove_dir(directory) {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Err(error).during(directory.display())
        }
        _ => Ok(()),
    }
}
