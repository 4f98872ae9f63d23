//! Unchanged client programs: what a legacy job would run.
//!
//! Owns how they are called. Must not know whether a gateway is in between.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Nothing a test runs takes longer.
const WITHIN: Duration = Duration::from_secs(60);

/// What a program said when it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its exit status; `None` where a signal ended it.
    pub status: Option<i32>,
    /// Its standard output.
    pub output: String,
    /// Its standard error.
    pub error: String,
}

impl Said {
    /// The standard output of a program that must have succeeded.
    #[must_use]
    pub fn success(self) -> String {
        assert_eq!(self.status, Some(0), "the program failed: {}\n{}", self.error, self.output);
        self.output
    }

    /// Everything it printed.
    #[must_use]
    pub fn everything(&self) -> String {
        format!("{}{}", self.output, self.error)
    }
}

/// `psql` with this connection string: no start-up file, no history, tuples only, unaligned.
#[must_use]
pub fn psql(connection: &str, arguments: &[&str]) -> Said {
    let mut command = Command::new("psql");
    command.args(["--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--no-password"]);
    command.args(arguments).arg(connection).env_remove("PGPASSWORD");
    run(&mut command)
}

/// A Python program with psycopg and asyncpg at hand.
///
/// # Panics
/// Where `cargo xtask setup` has not made the Python environment.
#[must_use]
pub fn python(program: &str, arguments: &[&str]) -> Said {
    let python = cache().join("python/bin/python");
    assert!(python.exists(), "no {}: run `cargo xtask setup`", python.display());
    run(Command::new(python).arg("-c").arg(program).args(arguments))
}

/// Runs a program to its end.
///
/// # Panics
/// Where it cannot be started, or has not ended within a minute.
#[must_use]
pub fn run(command: &mut Command) -> Said {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    ended(child)
}

/// Waits for a program's end.
///
/// # Panics
/// Where it has not ended within a minute.
#[must_use]
pub fn ended(child: std::process::Child) -> Said {
    let id = child.id();
    let (said, heard) = std::sync::mpsc::channel();
    // The pipes are read to their end on a thread, so that a program that prints much can end.
    std::thread::spawn(move || {
        let _ = said.send(child.wait_with_output());
    });
    let began = Instant::now();
    match heard.recv_timeout(WITHIN) {
        Ok(output) => Said::from(output.expect("its output can be read")),
        Err(_) => {
            let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status();
            panic!("process {id} did not end within {:?}", began.elapsed())
        }
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            error: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Where `cargo xtask setup` keeps what it built and fetched.
#[must_use]
pub fn cache() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .expect("HOME is set")
        .join("portcullis")
}

/// Where `cargo xtask setup --kubernetes` keeps the servers and clients of Kubernetes.
///
/// # Panics
/// Where it has not been run.
#[must_use]
pub fn kubernetes() -> PathBuf {
    let place = cache().join("kubernetes/bin");
    assert!(
        place.join("kube-apiserver").exists(),
        "no {}/kube-apiserver: run `cargo xtask setup --kubernetes`",
        place.display()
    );
    place
}
