//! Bundles, keystores and interpreters that did not come with the system's store.
//!
//! Owns the walk and its bounds: named directories, no other file systems, no links, no stores of
//! containers. Must not change anything. What lies elsewhere is found by naming its directory.

use std::collections::VecDeque;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::files::Files;

/// Where programs of people are installed.
pub(super) const ROOTS: &[&str] = &[
    "/usr/lib",
    "/usr/lib64",
    "/usr/local",
    "/opt",
    "/srv",
    "/home",
    "/root",
    "/var/lib",
    "/var/www",
];
/// Stores of containers and of package managers that change nothing in place, caches of sources.
const LEFT_OUT: &[&str] = &[
    "/var/lib/docker",
    "/var/lib/containers",
    "/var/lib/containerd",
    "/var/lib/kubelet",
    "/var/lib/lxc",
    "/var/lib/lxd",
    "/var/lib/machines",
    "/var/lib/snapd",
    "/var/lib/flatpak",
    "/var/lib/dpkg",
    "/var/lib/rpm",
    "/usr/lib/modules",
    "/usr/lib/firmware",
];
const NAMES_LEFT_OUT: &[&str] = &[".git", "__pycache__", ".cargo", ".rustup", "node_modules"];
/// Certificates from which on a file is a bundle and not somebody's own.
const CERTIFICATES_MIN: usize = 20;
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// A walk with its bounds.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Where it begins.
    pub roots: Vec<PathBuf>,
    /// Directories that are looked into.
    pub directories_max: usize,
    /// How deep below a root.
    pub depth_max: usize,
    /// How long it takes.
    pub within: Duration,
}

/// What a walk has found; every path is where the file really is.
#[derive(Clone, Debug, Default)]
pub(super) struct Discovered {
    /// Bundles of Python's libraries.
    pub(super) bundles: Vec<PathBuf>,
    /// Java's keystores, whether links or not, as they are named.
    pub(super) keystores: Vec<PathBuf>,
    /// Python interpreters, as they are named.
    pub(super) pythons: Vec<PathBuf>,
    /// Node, as it is named.
    pub(super) nodes: Vec<PathBuf>,
    /// Whether everything was looked at.
    pub(super) complete: bool,
}

impl Scan {
    /// Of these directories, or of the usual ones.
    #[must_use]
    pub fn of(roots: Option<&[PathBuf]>) -> Self {
        let usual = || ROOTS.iter().map(PathBuf::from).collect();
        Self {
            roots: roots.map_or_else(usual, <[PathBuf]>::to_vec),
            directories_max: 300_000,
            depth_max: 16,
            within: Duration::from_secs(30),
        }
    }

    /// Walks.
    pub(super) fn run(&self, files: &Files) -> Discovered {
        let began = Instant::now();
        let mut found = Discovered { complete: true, ..Discovered::default() };
        let mut looked_into = 0;
        let mut ahead: VecDeque<(PathBuf, usize, u64)> = VecDeque::new();
        for root in &self.roots {
            if let Some(about) = files.about(root)
                && let Ok(root) = files.resolve(root)
            {
                ahead.push_back((root, 0, about.dev()));
            }
        }
        while let Some((directory, depth, device)) = ahead.pop_front() {
            looked_into += 1;
            if looked_into > self.directories_max || began.elapsed() > self.within {
                found.complete = false;
                break;
            }
            let Ok(entries) = std::fs::read_dir(files.outside(&directory)) else { continue };
            for entry in entries.flatten() {
                // What cannot be written down in the journal is not touched.
                let Ok(name) = entry.file_name().into_string() else { continue };
                let Ok(kind) = entry.file_type() else { continue };
                let path = directory.join(&name);
                if !kind.is_dir() {
                    found.look_at(files, &path, &name, kind.is_symlink());
                } else if depth < self.depth_max
                    && !NAMES_LEFT_OUT.contains(&name.as_str())
                    && !LEFT_OUT.iter().any(|one| path == Path::new(one))
                    && entry.metadata().is_ok_and(|about| about.dev() == device)
                {
                    ahead.push_back((path, depth + 1, device));
                }
            }
        }
        for list in [&mut found.bundles, &mut found.keystores, &mut found.pythons, &mut found.nodes]
        {
            list.sort();
            list.dedup();
        }
        found
    }
}

impl Discovered {
    fn look_at(&mut self, files: &Files, path: &Path, name: &str, is_link: bool) {
        let parent = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        let parent = parent.unwrap_or_default();
        match (name, parent) {
            ("cacert.pem", "certifi" | "botocore" | "requests" | "ssl")
            | ("cacerts.txt", "httplib2")
                if !is_link && is_bundle(files, path) =>
            {
                self.bundles.push(path.to_owned());
            }
            ("cacerts", "security") => self.keystores.push(path.to_owned()),
            ("pyvenv.cfg", _) => {
                let python = path.with_file_name("bin").join("python");
                if is_program(files, &python) {
                    self.pythons.push(python);
                }
            }
            ("python3", "bin") if is_program(files, path) => self.pythons.push(path.to_owned()),
            ("node", "bin") if is_program(files, path) => self.nodes.push(path.to_owned()),
            _ => {}
        }
    }
}

pub(super) fn is_program(files: &Files, path: &Path) -> bool {
    files
        .about(path)
        .is_some_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

/// The directory that a Python installation or environment is in.
pub(super) fn prefix(bundle: &Path) -> Option<&Path> {
    let is_python = |one: &&Path| {
        let name = one.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("python") || name == "ssl"
    };
    let library = bundle.ancestors().filter(is_python).last()?;
    let above = library.parent()?;
    let is_library = above.file_name().is_some_and(|name| name == "lib" || name == "lib64");
    if is_library { above.parent() } else { Some(above) }
}

/// Whether a file has certificates in PEM.
pub(super) fn holds_certificates(files: &Files, path: &Path) -> bool {
    let found = files.read(path).ok().flatten();
    found.is_some_and(|found| memchr::memmem::find(&found.bytes, CERTIFICATE).is_some())
}

fn is_bundle(files: &Files, path: &Path) -> bool {
    let Ok(Some(found)) = files.read(path) else { return false };
    memchr::memmem::find_iter(&found.bytes, CERTIFICATE).take(CERTIFICATES_MIN).count()
        == CERTIFICATES_MIN
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn bundles_are_found_where_libraries_keep_them_and_nowhere_else() {
        let root = tempfile::tempdir().unwrap();
        let bundle = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n".repeat(20);
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let site = "srv/venv/lib/python3.11/site-packages";
        put(&format!("{site}/certifi/cacert.pem"), &bundle);
        put(&format!("{site}/pip/_vendor/certifi/cacert.pem"), &bundle);
        put(&format!("{site}/botocore/cacert.pem"), "-----BEGIN CERTIFICATE-----\nonly one\n");
        put("srv/app/cacert.pem", &bundle);
        put("var/lib/docker/overlay2/x/certifi/cacert.pem", &bundle);
        put("opt/jdk/lib/security/cacerts", "x");
        put("srv/venv/pyvenv.cfg", "");
        put("srv/venv/bin/python", "");
        let python = root.path().join("srv/venv/bin/python");
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        let site = Path::new("/").join(site);
        std::os::unix::fs::symlink(
            "/srv/app/cacert.pem",
            root.path().join("srv/venv/lib/cacert.pem"),
        )
        .unwrap();
        let files = Files::below(root.path());
        let found = Scan::of(None).run(&files);
        assert_eq!(
            found.bundles,
            [site.join("certifi/cacert.pem"), site.join("pip/_vendor/certifi/cacert.pem")]
        );
        assert_eq!(found.keystores, [Path::new("/opt/jdk/lib/security/cacerts")]);
        assert_eq!(found.pythons, [Path::new("/srv/venv/bin/python")]);
        assert!(found.complete);
        let bounded = Scan { directories_max: 3, ..Scan::of(None) };
        assert!(!bounded.run(&files).complete);
    }
}
