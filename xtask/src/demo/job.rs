//! A job of a demo: where its files are, and how its unit runs it.
//!
//! Owns what is alike in the jobs of all demos. Must not know what a job does.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::call::Call;
use crate::fault::Outcome;
use crate::places;
use crate::stage::Stage;

/// Where its files are.
pub(super) fn directory(stage: &Stage) -> PathBuf {
    stage.directory().join("job")
}

/// A program in a unit, as a user who may do nothing, with an environment that holds no more than
/// where programs and Python's packages are.
pub(super) fn command(stage: &Stage, unit: &str, line: &[&str]) -> Outcome<Command> {
    let mut command = stage.command(unit, "setpriv")?;
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]).args(line);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
    command.env("PYTHON", "/usr/bin/python3").env("PYTHONPATH", directory(stage).join("python"));
    command.current_dir("/");
    Ok(command)
}

/// Makes a file the job's own, which nobody else may read.
pub(super) fn own(file: &Path) -> Outcome {
    Call::new("chown").with(["nobody"]).with([file]).output().map(|_| ())
}

/// Copies packages of Python, by their names or patterns of the shell: the job's user may not look
/// into the cache.
pub(super) fn copy_packages(stage: &Stage, names: &[&str]) -> Outcome {
    let from = places::python_environment()?;
    let packages: Vec<String> = names
        .iter()
        .map(|name| format!("{}/lib/python3*/site-packages/{name}", from.display()))
        .collect();
    let to = directory(stage).join("python");
    let line = format!(
        "mkdir --parents {to} && cp --recursive {} {to}",
        packages.join(" "),
        to = to.display()
    );
    Call::new("sh").with(["-c", &line]).output().map(|_| ())
}
