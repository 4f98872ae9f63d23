//! A real Kubernetes for tests: an API server built from Debian's source, a node's stand-in that is
//! built with it, and the clients.
//!
//! Owns what is built, and its place in the cache. Everything that is built has a stamp beside it
//! that says by which recipe; it is written last, so that what an interrupted run has left is made
//! again. Ends with every program in `bin`.
//!
//! | program | what it is |
//! |---|---|
//! | `kube-apiserver` | the server, 1.20: the newest whose source Debian has with all it needs |
//! | `fakelet` | ours, on the kubelet's own streams: exec, attach, port-forward, logs |
//! | `kubectl-1.20` | Debian's |
//! | `kubectl-current` | the newest that is on this machine; no registry has one |
//! | `kube-rs-client` | ours, as anybody would write one with kube-rs |

mod archive;
mod clients;
mod go;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::console;
use crate::fault::{During, Outcome};
use crate::places;

/// What the server says it is.
const VERSION: &str = "v1.20.2";

/// How the server is built; another one builds it again.
const SERVER_RECIPE: &str = "kubernetes 1.20.2, reflect2 1.0.2, golang 1.19, recipe 1";

/// Directories in the repository with the source of what is ours.
const FAKELET: &str = "tests/fixtures/kubernetes/fakelet";
const KUBE_RS: &str = "tests/fixtures/kubernetes/kube-rs";

const KUBE_RS_CLIENT: &str = "kube-rs-client";

/// What is missing, as lines for people.
pub(super) fn missing() -> Outcome<Vec<String>> {
    let mut missing = Vec::new();
    if !is_done("kube-apiserver", SERVER_RECIPE)? {
        missing.push("a Kubernetes API server, built from Debian's source".to_owned());
    }
    if !is_done("fakelet", &recipe_of(FAKELET)?)? {
        missing.push("the stand-in for a node of Kubernetes".to_owned());
    }
    if !is_done(KUBE_RS_CLIENT, &recipe_of(KUBE_RS)?)? {
        missing.push("a client with kube-rs".to_owned());
    }
    missing.extend(clients::missing()?);
    Ok(missing)
}

/// Gets what is missing.
pub(super) fn ensure() -> Outcome {
    let place = places::kubernetes()?;
    fs::create_dir_all(place.join("bin")).during(place.display())?;
    // Two builds in one place would each find half of the other's.
    let lock = File::create(place.join("lock")).during("cannot make a lock")?;
    lock.lock().during("cannot take the lock of the build")?;
    clients::ensure()?;
    let client = recipe_of(KUBE_RS)?;
    if !is_done(KUBE_RS_CLIENT, &client)? {
        console::step("Building", "a client with kube-rs");
        finish(
            KUBE_RS_CLIENT,
            &clients::build_rust(&places::repository().join(KUBE_RS))?,
            &client,
        )?;
        clients::clear_rust()?;
    }
    let fakelet = recipe_of(FAKELET)?;
    if is_done("kube-apiserver", SERVER_RECIPE)? && is_done("fakelet", &fakelet)? {
        return Ok(());
    }
    archive::ensure_source()?;
    if !is_done("kube-apiserver", SERVER_RECIPE)? {
        console::step("Building", "a Kubernetes API server from Debian's source: ten minutes");
        go::generate()?;
        go::build("kube-apiserver")?;
        finish("kube-apiserver", &go::built("kube-apiserver")?, SERVER_RECIPE)?;
    }
    if !is_done("fakelet", &fakelet)? {
        console::step("Building", "the stand-in for a node of Kubernetes");
        place_fakelet()?;
        go::build("fakelet")?;
        finish("fakelet", &go::built("fakelet")?, &fakelet)?;
    }
    go::clear()
}

/// Whether a program was built to its end, by this recipe.
fn is_done(program: &str, recipe: &str) -> Outcome<bool> {
    let path = places::kubernetes()?.join("bin").join(program);
    let stamp = fs::read_to_string(path.with_extension("stamp"));
    Ok(stamp.is_ok_and(|stamp| stamp == recipe) && path.exists())
}

/// Puts a program that was built into its place, and then its stamp.
fn finish(program: &str, built: &Path, recipe: &str) -> Outcome {
    let path = places::kubernetes()?.join("bin").join(program);
    fs::rename(built, &path).during(path.display())?;
    fs::write(path.with_extension("stamp"), recipe).during("cannot write a stamp")
}

/// The source itself, and what it is built with: whenever they change, it is built again.
fn recipe_of(directory: &str) -> Outcome<String> {
    let read = |path: &PathBuf| fs::read_to_string(path).during(path.display());
    let files = files_in(&places::repository().join(directory))?;
    let parts: Outcome<Vec<String>> = files.iter().map(read).collect();
    Ok(format!("{SERVER_RECIPE}\n{}", parts?.concat()))
}

/// The files of a directory and of those in it, in a certain order.
fn files_in(place: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = fs::read_dir(place).during(place.display())?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        match path.is_dir() {
            // Where somebody has built it by hand.
            true if path.ends_with("target") => {}
            true => files.extend(files_in(&path)?),
            false => files.push(path),
        }
    }
    Ok(files)
}

/// Among the server's own commands, so that it is built with the server's libraries.
fn place_fakelet() -> Outcome {
    let place = archive::source()?.join("cmd/fakelet");
    fs::create_dir_all(&place).during(place.display())?;
    for file in files_in(&places::repository().join(FAKELET))? {
        fs::copy(&file, place.join(file.file_name().unwrap_or_default())).during(file.display())?;
    }
    Ok(())
}
