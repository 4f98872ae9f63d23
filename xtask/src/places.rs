//! Where things are: the repository, the target directory, the cache that outlives it.
//!
//! Owns the paths and nothing in them.

use std::env;
use std::path::{Path, PathBuf};

use crate::fault::{During, Outcome};

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// Cargo's target directory.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from)
}

/// Our part of the user's cache: built tools, the Python environment, downloaded servers. It
/// survives `cargo clean` and is shared by checkouts. The same place as the build script's.
pub(crate) fn cache() -> Outcome<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .during("neither XDG_CACHE_HOME nor HOME is set: nowhere to keep built tools")?;
    Ok(base.join("portcullis"))
}

/// Tools that setup builds.
pub(crate) fn tools() -> Outcome<PathBuf> {
    Ok(cache()?.join("tools"))
}

/// The Python environment with the database clients.
pub(crate) fn python_environment() -> Outcome<PathBuf> {
    Ok(cache()?.join("python"))
}

/// The Python environment with mitmproxy, whose versions of libraries are its own.
pub(crate) fn mitmproxy_environment() -> Outcome<PathBuf> {
    Ok(cache()?.join("mitmproxy"))
}

/// The packages of Node's with the database clients.
pub(crate) fn node_packages() -> Outcome<PathBuf> {
    Ok(cache()?.join("node"))
}

/// The Python environment with the client of Kubernetes.
pub(crate) fn kubernetes_environment() -> Outcome<PathBuf> {
    Ok(cache()?.join("python-kubernetes"))
}

/// A real Kubernetes: its source, and its programs in `bin`.
pub(crate) fn kubernetes() -> Outcome<PathBuf> {
    Ok(cache()?.join("kubernetes"))
}

/// A PostgreSQL 18 beside Debian's 15, where npm could fetch one.
pub(crate) fn postgres_18() -> Outcome<PathBuf> {
    Ok(cache()?.join("postgres-18"))
}
