//! Python environments, each with its packages at fixed versions: the clients that legacy jobs use,
//! and a peer of the benchmarks.
//!
//! Owns their places and contents. They live in the cache, outside the target directory.

use std::fs;
use std::path::PathBuf;

use crate::call::Call;
use crate::console;
use crate::fault::{During, Outcome};
use crate::places;

/// An environment.
#[derive(Debug)]
pub(super) struct Environment {
    /// Of its log.
    name: &'static str,
    place: fn() -> Outcome<PathBuf>,
    packages: &'static [&'static str],
    why: &'static str,
}

/// The clients people write jobs with.
pub(super) const CLIENTS: Environment = Environment {
    name: "python",
    place: places::python_environment,
    packages: &[
        "psycopg[binary]==3.3.9",
        "asyncpg==0.32.0",
        "PyMySQL==1.1.1",
        "paramiko==5.1.0",
        "asyncssh==2.24.1",
        "ssh2-python==1.2.0.post1",
        "ansible-core==2.19.14",
        "requests==2.32.5",
        "httpx[http2]==0.28.1",
        "aiohttp==3.14.5",
        "botocore==1.44.5",
        "boto3==1.44.5",
        "grpcio==1.76.0",
    ],
    why: "unchanged clients",
};

/// An intercepting proxy, which wants libraries of its own versions. Its own library of passwords
/// does not know newer ones of bcrypt.
pub(super) const MITMPROXY: Environment = Environment {
    name: "mitmproxy",
    place: places::mitmproxy_environment,
    packages: &["mitmproxy==11.0.2", "bcrypt==4.0.1"],
    why: "a peer of the benchmarks",
};

/// The client of Kubernetes that its own project makes.
pub(super) const KUBERNETES: Environment = Environment {
    name: "python-kubernetes",
    place: places::kubernetes_environment,
    packages: &["kubernetes==36.0.3"],
    why: "an unchanged client",
};

impl Environment {
    /// What is missing, as a line for people.
    pub(super) fn missing(&self) -> Outcome<Option<String>> {
        let line = || format!("a Python environment with {}", self.packages.join(" and "));
        Ok((!self.is_done()?).then(line))
    }

    /// Makes the environment unless it is there.
    pub(super) fn ensure(&self) -> Outcome {
        if self.is_done()? {
            return Ok(());
        }
        let place = (self.place)()?;
        let packages = self.packages.join(", ");
        console::step("Installing", &format!("{packages} into {}: {}", place.display(), self.why));
        let log = places::cache()?.join(format!("log/{}.log", self.name));
        // Debian's own interpreter: whatever else is on the search path may vanish. One that works
        // is kept and added to, for somebody may be using it.
        let works = Call::new(place.join("bin/python")).with(["-c", "pass"]).output().is_ok();
        let clear: &[&str] = if works { &[] } else { &["--clear"] };
        Call::new("/usr/bin/python3")
            .with(["-m", "venv"])
            .with(clear)
            .with([&place])
            .run_logged(&log)?;
        Call::new(place.join("bin/python"))
            .with(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .with(self.packages)
            .run_logged(&log)?;
        // Written last: an interrupted installation has no stamp and is made again.
        fs::write(place.join("stamp"), self.stamp()).during("cannot write the environment's stamp")
    }

    fn is_done(&self) -> Outcome<bool> {
        let place = (self.place)()?;
        Ok(fs::read_to_string(place.join("stamp")).is_ok_and(|found| found == self.stamp())
            && place.join("bin/python").exists())
    }

    fn stamp(&self) -> String {
        self.packages.join("\n")
    }
}
