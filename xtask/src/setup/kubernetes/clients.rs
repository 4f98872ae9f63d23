//! The clients: Debian's kubectl, the newest that this machine has, and one with kube-rs.
//!
//! Owns finding, linking and building them. The project publishes no kubectl in any registry of packages that
//! this setup uses, so that the newer one is whatever an administrator has installed; where there is
//! none, the tests have Debian's alone, and say so.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::archive;
use crate::call::{Call, find_program};
use crate::console;
use crate::fault::{During, Outcome};
use crate::places;

const PACKAGE: &str = "kubernetes-client";
const OLD: &str = "kubectl-1.20";
const CURRENT: &str = "kubectl-current";

/// What is missing, as a line for people.
pub(super) fn missing() -> Outcome<Option<String>> {
    Ok((!has_old()?).then(|| format!("kubectl of Debian's {PACKAGE}")))
}

/// Fetches Debian's unless it is there, and links the newest.
pub(super) fn ensure() -> Outcome {
    if !has_old()? {
        console::step("Fetching", &format!("{PACKAGE}: kubectl 1.20, an unchanged client"));
        let unpacked = archive::unpack(PACKAGE)?.join("usr/bin/kubectl");
        // A rename within the cache: it is there as a whole or not at all.
        fs::rename(&unpacked, program(OLD)?).during(unpacked.display())?;
    }
    let link = program(CURRENT)?;
    let newest = newest();
    if newest.is_some() && fs::read_link(&link).ok() == newest {
        return Ok(());
    }
    if fs::symlink_metadata(&link).is_ok() {
        fs::remove_file(&link).during(link.display())?;
    }
    match newest {
        Some(newest) => symlink(newest, &link).during(link.display()),
        None => {
            console::note("no newer kubectl on this machine: the tests have Debian's alone");
            Ok(())
        }
    }
}

/// Builds the client with kube-rs, apart from everything else. Gives its program.
pub(super) fn build_rust(source: &Path) -> Outcome<PathBuf> {
    let target = rust_target()?;
    Call::cargo()
        .with(["build", "--quiet", "--locked", "--manifest-path"])
        .with([source.join("Cargo.toml")])
        .environment("CARGO_TARGET_DIR", &target)
        .run_logged(&places::cache()?.join("log/kube-rs.log"))?;
    Ok(target.join("debug/kube-rs-client"))
}

/// Removes what was compiled on the way.
pub(super) fn clear_rust() -> Outcome {
    archive::remove(&rust_target()?)
}

fn rust_target() -> Outcome<PathBuf> {
    Ok(places::kubernetes()?.join("rust-target"))
}

fn program(name: &str) -> Outcome<PathBuf> {
    Ok(places::kubernetes()?.join("bin").join(name))
}

fn has_old() -> Outcome<bool> {
    Ok(minor(&program(OLD)?) == Some(20))
}

/// The newest kubectl on the search path or beside one there: some are choosers between several.
fn newest() -> Option<PathBuf> {
    let found = find_program("kubectl")?.canonicalize().ok()?;
    let beside = fs::read_dir(found.parent()?).ok()?.flatten().map(|entry| entry.path());
    let is_kubectl = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name == "kubectl" || name.starts_with("kubectl."))
    };
    let known = beside.filter(is_kubectl).filter_map(|path| Some((minor(&path)?, path)));
    let (minor, path) = known.max()?;
    (minor > 20).then_some(path)
}

/// The second number of a kubectl's version.
fn minor(kubectl: &Path) -> Option<u32> {
    let said = Call::new(kubectl).with(["version", "--client", "--output=json"]).output().ok()?;
    let version: serde_json::Value = serde_json::from_str(&said).ok()?;
    let minor = version.pointer("/clientVersion/minor")?.as_str()?;
    minor.trim_end_matches('+').parse().ok()
}
