//! Running other programs.
//!
//! Owns how a call is made, shown and judged. Must not know why one is made. A call ends with its
//! program.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::fault::{During, Fault, Outcome};

/// One call of a program, built up and then run.
#[derive(Debug)]
pub(crate) struct Call {
    command: Command,
    shown: String,
}

impl Call {
    /// A call of `program`, found on the search path.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        let shown = program.to_string_lossy().into_owned();
        Self { command: Command::new(program), shown }
    }

    /// The cargo that runs this package, in the repository's root.
    pub(crate) fn cargo() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut call = Self::new(cargo).inside(&crate::places::repository());
        "cargo".clone_into(&mut call.shown);
        call
    }

    /// Adds arguments.
    pub(crate) fn with<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        for argument in arguments {
            self.shown.push(' ');
            self.shown.push_str(&argument.as_ref().to_string_lossy());
            self.command.arg(argument);
        }
        self
    }

    /// Sets an environment variable.
    pub(crate) fn environment(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it in this directory.
    pub(crate) fn inside(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// The call as a person would type it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Runs it on this terminal and wants success.
    pub(crate) fn run(mut self) -> Outcome {
        let status = self.command.status().during(format!("cannot run `{}`", self.shown))?;
        if status.success() {
            return Ok(());
        }
        Fault::because(format!("`{}` failed ({status})", self.shown))
    }

    /// Runs it with its output in a log file and wants success; on failure the log's end is part
    /// of the fault.
    pub(crate) fn run_logged(mut self, log: &Path) -> Outcome {
        if let Some(parent) = log.parent() {
            std::fs::create_dir_all(parent).during(format!("cannot make {}", parent.display()))?;
        }
        let file = File::create(log).during(format!("cannot write {}", log.display()))?;
        let again = file.try_clone().during("cannot share the log file")?;
        self.command.stdin(Stdio::null()).stdout(file).stderr(again);
        let status = self.command.status().during(format!("cannot run `{}`", self.shown))?;
        self.judged(status, log)
    }

    fn judged(&self, status: ExitStatus, log: &Path) -> Outcome {
        if status.success() {
            return Ok(());
        }
        let said = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        let last = lines.get(lines.len().saturating_sub(25)..).unwrap_or_default().join("\n  ");
        Fault::because(format!(
            "`{}` failed ({status}); the end of {}:\n  {last}",
            self.shown,
            log.display()
        ))
    }

    /// Like [`Self::run_logged`], and shows every line that the program writes to its standard
    /// error as it comes.
    pub(crate) fn run_seen(mut self, log: &Path, mut seen: impl FnMut(&str)) -> Outcome {
        if let Some(parent) = log.parent() {
            std::fs::create_dir_all(parent).during(format!("cannot make {}", parent.display()))?;
        }
        let mut file = File::create(log).during(format!("cannot write {}", log.display()))?;
        self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = self.command.spawn().during(format!("cannot run `{}`", self.shown))?;
        let said = child.stderr.take().during("a program without standard error")?;
        for line in BufReader::new(said).lines() {
            let line = line.during(format!("cannot read what `{}` says", self.shown))?;
            writeln!(file, "{line}").during(format!("cannot write {}", log.display()))?;
            seen(&line);
        }
        let status = child.wait().during(format!("cannot wait for `{}`", self.shown))?;
        self.judged(status, log)
    }

    /// Runs it silently and gives its standard output; failure carries its standard error.
    pub(crate) fn output(mut self) -> Outcome<String> {
        self.command.stdin(Stdio::null());
        let output = self.command.output().during(format!("cannot run `{}`", self.shown))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Fault::because(format!("`{}` failed ({}): {}", self.shown, output.status, said.trim()))
    }
}

/// The program's path, where the search path (or an administrator's directory) has one.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}
