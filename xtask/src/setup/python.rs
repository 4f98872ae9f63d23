//! A Python environment with the clients that legacy jobs use, at fixed versions.
//!
//! Owns the environment's place and content. Lives in the cache, outside the target directory.

use std::fs;

use crate::call::Call;
use crate::console;
use crate::fault::{During, Outcome};
use crate::places;

/// What is installed: the clients people write jobs with.
const CLIENTS: &[&str] = &[
    "psycopg[binary]==3.3.9",
    "asyncpg==0.32.0",
    "paramiko==5.1.0",
    "asyncssh==2.24.1",
    "ssh2-python==1.2.0.post1",
    "ansible-core==2.19.14",
    "requests==2.32.5",
    "httpx==0.28.1",
];

/// What is missing, as a line for people.
pub(super) fn missing() -> Outcome<Option<String>> {
    Ok((!is_done()?).then(|| format!("a Python environment with {}", CLIENTS.join(" and "))))
}

/// Makes the environment unless it is there.
pub(super) fn ensure() -> Outcome {
    if is_done()? {
        return Ok(());
    }
    let place = places::python_environment()?;
    console::step(
        "Installing",
        &format!("{} into {}: unchanged clients", CLIENTS.join(", "), place.display()),
    );
    let log = places::cache()?.join("log/python.log");
    // Debian's own interpreter: whatever else is on the search path may vanish. One that works is
    // kept and added to, for somebody may be using it.
    let works = Call::new(place.join("bin/python")).with(["-c", "pass"]).output().is_ok();
    let clear: &[&str] = if works { &[] } else { &["--clear"] };
    Call::new("/usr/bin/python3")
        .with(["-m", "venv"])
        .with(clear)
        .with([&place])
        .run_logged(&log)?;
    Call::new(place.join("bin/python"))
        .with(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .with(CLIENTS)
        .run_logged(&log)?;
    // Written last: an interrupted installation has no stamp and is made again.
    fs::write(place.join("stamp"), stamp()).during("cannot write the environment's stamp")
}

fn is_done() -> Outcome<bool> {
    let place = places::python_environment()?;
    Ok(fs::read_to_string(place.join("stamp")).is_ok_and(|found| found == stamp())
        && place.join("bin/python").exists())
}

fn stamp() -> String {
    CLIENTS.join("\n")
}
