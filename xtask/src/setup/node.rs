//! Packages of Node's with the client that services use, at a fixed version.
//!
//! Owns their place and content. Lives in the cache, outside the target directory.

use std::fs;

use crate::call::Call;
use crate::console;
use crate::fault::{During, Outcome};
use crate::places;

/// What is installed.
const CLIENT: &str = "mysql2@3.11.5";

/// What is missing, as a line for people.
pub(super) fn missing() -> Outcome<Option<String>> {
    Ok((!is_done()?).then(|| format!("packages of Node's with {CLIENT}")))
}

/// Fetches the packages unless they are there.
pub(super) fn ensure() -> Outcome {
    if is_done()? {
        return Ok(());
    }
    let place = places::node_packages()?;
    console::step("Installing", &format!("{CLIENT} into {}: an unchanged client", place.display()));
    fs::create_dir_all(&place).during("cannot make a place for Node's packages")?;
    let log = places::cache()?.join("log/node.log");
    Call::new("npm")
        .with(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
        .with([&place])
        .with([CLIENT])
        .run_logged(&log)?;
    // Written last: an interrupted installation has no stamp and is made again.
    fs::write(place.join("stamp"), CLIENT).during("cannot write the packages' stamp")
}

fn is_done() -> Outcome<bool> {
    let place = places::node_packages()?;
    Ok(fs::read_to_string(place.join("stamp")).is_ok_and(|found| found == CLIENT))
}
