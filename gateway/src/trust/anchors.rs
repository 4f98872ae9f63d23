//! The system's store: where an authority is put, and the program that takes it in.
//!
//! Owns what the distributions have, told apart by what exists, and not by their names.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::TrustError;
use super::children;
use super::files::Files;
use super::journal::{Journal, Object, Tree};

/// The hook for Java's keystore reads and writes hundreds of certificates.
const TOOL_WITHIN: Duration = Duration::from_secs(180);
/// Entries of the directories that the tool writes to.
const ENTRIES_MAX: usize = 8_192;

/// A kind of store.
struct System {
    /// Exists where this is the kind.
    marks: &'static [&'static str],
    anchors: &'static str,
    suffix: &'static str,
    tools: &'static [&'static str],
    arguments: &'static [&'static str],
    bundle: &'static str,
    /// Directories that the tool writes to.
    outputs: &'static [&'static str],
}

/// Debian's tool has a namesake elsewhere, so it comes last.
const SYSTEMS: &[System] = &[
    // Fedora, RHEL and their kin: update-ca-trust(8).
    System {
        marks: &["/etc/pki/ca-trust/source"],
        anchors: "/etc/pki/ca-trust/source/anchors",
        suffix: "pem",
        tools: &["/usr/bin/update-ca-trust", "/bin/update-ca-trust"],
        arguments: &["extract"],
        bundle: "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        outputs: &["/etc/pki/ca-trust/extracted"],
    },
    // SUSE: update-ca-certificates(8) of its own.
    System {
        marks: &["/etc/pki/trust", "/usr/share/pki/trust"],
        anchors: "/etc/pki/trust/anchors",
        suffix: "pem",
        tools: &["/usr/sbin/update-ca-certificates"],
        arguments: &[],
        bundle: "/var/lib/ca-certificates/ca-bundle.pem",
        outputs: &["/var/lib/ca-certificates"],
    },
    // Arch.
    System {
        marks: &["/etc/ca-certificates/trust-source"],
        anchors: "/etc/ca-certificates/trust-source/anchors",
        suffix: "crt",
        tools: &["/usr/bin/update-ca-trust"],
        arguments: &[],
        bundle: "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
        outputs: &["/etc/ca-certificates/extracted", "/etc/ssl/certs"],
    },
    // Debian, Ubuntu, Alpine: update-ca-certificates(8). Java's keystore is among the outputs, by a
    // hook of the package ca-certificates-java.
    System {
        marks: &["/etc/ca-certificates.conf", "/usr/share/ca-certificates"],
        anchors: "/usr/local/share/ca-certificates",
        suffix: "crt",
        tools: &["/usr/sbin/update-ca-certificates"],
        arguments: &[],
        bundle: "/etc/ssl/certs/ca-certificates.crt",
        outputs: &["/etc/ssl/certs"],
    },
];

/// Bundles of systems without a tool that we know.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Where an authority goes on this host.
#[derive(Clone, Debug)]
pub(super) struct Anchoring {
    /// The file that is put there.
    pub(super) file: PathBuf,
    /// The program with its arguments.
    pub(super) tool: Vec<String>,
    /// The bundle that the tool makes.
    pub(super) bundle: PathBuf,
    /// Directories that it writes to.
    pub(super) outputs: Vec<PathBuf>,
}

/// Finds the store; `None` where there is none that we know.
pub(super) fn find(files: &Files, instance: &str) -> Option<Anchoring> {
    SYSTEMS.iter().find_map(|system| {
        let there = system.marks.iter().any(|mark| files.about(Path::new(mark)).is_some());
        let tool = system.tools.iter().find(|tool| files.is_file(Path::new(tool)))?;
        let arguments = system.arguments.iter().map(|word| (*word).to_owned());
        let anchors = files.resolve(Path::new(system.anchors)).ok()?;
        there.then(|| Anchoring {
            file: anchors.join(format!("portcullis-{instance}.{}", system.suffix)),
            tool: std::iter::once((*tool).to_owned()).chain(arguments).collect(),
            bundle: system.bundle.into(),
            outputs: system.outputs.iter().map(PathBuf::from).collect(),
        })
    })
}

/// The system's bundle where no tool takes an authority in.
pub(super) fn bundle(files: &Files) -> Option<PathBuf> {
    let bundles = BUNDLES.iter().map(Path::new);
    bundles.into_iter().find(|bundle| files.is_file(bundle)).map(Path::to_owned)
}

/// Whether the system's tool keeps Java's keystore, too.
pub(super) fn keeps_java(files: &Files, keystore: &Path) -> bool {
    let hooked = |name: &std::ffi::OsString| {
        let name = name.to_string_lossy();
        ["jks", "java", "adoptium"].iter().any(|word| name.contains(word))
    };
    match keystore.to_str() {
        Some("/etc/ssl/certs/java/cacerts" | "/etc/ssl/certs/adoptium/cacerts") => {
            files.names_in(Path::new("/etc/ca-certificates/update.d")).iter().any(hooked)
        }
        Some(path) => {
            path.starts_with("/etc/pki/ca-trust/extracted/")
                || path.starts_with("/etc/ca-certificates/extracted/")
                || path.starts_with("/var/lib/ca-certificates/")
        }
        None => false,
    }
}

/// Runs the tool.
pub(super) fn run(files: &Files, tool: &[String]) -> Result<(), TrustError> {
    files.stroke()?;
    let Some((program, arguments)) = tool.split_first() else { return Ok(()) };
    let mut command = Command::new(files.outside(Path::new(program)));
    command.args(arguments).env_clear().current_dir("/");
    command.env("PATH", children::PATH).env("LC_ALL", "C.UTF-8");
    if !files.are_the_hosts() {
        command.env("PORTCULLIS_ROOT", files.root());
    }
    let failed = |said: String| TrustError::Program { program: tool.join(" "), said };
    let ended =
        children::run(&mut command, TOOL_WITHIN).map_err(|error| failed(error.to_string()))?;
    files.stroke()?;
    if ended.succeeded() { Ok(()) } else { Err(failed(ended.complaint())) }
}

/// What is in the directories that the tool writes to; originals are kept.
pub(super) fn record(
    files: &Files,
    journal: &Journal,
    directories: &[PathBuf],
) -> Result<Tree, TrustError> {
    let mut tree = Tree::new();
    let mut ahead = directories.to_vec();
    while let Some(directory) = ahead.pop() {
        let directory = files.resolve(&directory)?;
        for name in files.names_in(&directory) {
            let path = directory.join(name);
            if let Some(target) = files.link_target(&path) {
                tree.insert(path, Object::Link(target));
            } else if files.is_directory(&path) {
                ahead.push(path);
            } else if let Some(found) = files.read(&path)? {
                let kept = journal.keep(files, &found.bytes, found.attributes)?;
                tree.insert(path, Object::File(kept));
            }
            if tree.len() > ENTRIES_MAX {
                let says = format!("there are more than {ENTRIES_MAX} files in the system's store");
                return Err(TrustError::Unfit(says));
            }
        }
    }
    Ok(tree)
}

/// Whether two looks at the directories saw the same, but for times.
pub(super) fn is_same(one: &Tree, other: &Tree) -> bool {
    one.len() == other.len()
        && one.iter().all(|(path, object)| {
            other.get(path).is_some_and(|found| is_same_object(object, found))
        })
}

fn is_same_object(one: &Object, other: &Object) -> bool {
    match (one, other) {
        (Object::Link(one), Object::Link(other)) => one == other,
        (Object::File(one), Object::File(other)) => one.sha256 == other.sha256,
        _ => false,
    }
}

/// Whether everything there is as it was before or after: nobody else has changed anything.
pub(super) fn is_between(before: &Tree, after: &Tree, now: &Tree) -> bool {
    let paths = before.keys().chain(after.keys()).chain(now.keys());
    let same = |one: Option<&Object>, other: Option<&Object>| match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => is_same_object(one, other),
        _ => false,
    };
    paths.into_iter().all(|path| {
        let now = now.get(path);
        same(now, before.get(path)) || same(now, after.get(path))
    })
}

/// Makes the directories what they were: `now` is what is there.
pub(super) fn restore(
    files: &Files,
    journal: &Journal,
    before: &Tree,
    now: &Tree,
) -> Result<(), TrustError> {
    for path in now.keys().filter(|path| !before.contains_key(*path)) {
        files.remove(path)?;
    }
    for (path, object) in before.iter().filter(|(path, object)| now.get(*path) != Some(object)) {
        match object {
            Object::Link(target) => files.link(path, target)?,
            // A link in its place goes with the rename.
            Object::File(kept) => {
                for directory in files.missing_directories(path) {
                    files.make_directory(&directory, 0o755)?;
                }
                files.write(path, &journal.kept(files, kept)?, &kept.attributes)?;
            }
        }
    }
    Ok(())
}

/// Of files that hold what they held before, gives back their rights and times.
pub(super) fn restore_attributes(
    files: &Files,
    journal: &Journal,
    before: &Tree,
    now: &Tree,
) -> Result<(), TrustError> {
    for (path, object) in before {
        let Some(found) = now.get(path) else { continue };
        if let (Object::File(kept), Object::File(found)) = (object, found)
            && kept.sha256 == found.sha256
            && kept != found
        {
            files.write(path, &journal.kept(files, kept)?, &kept.attributes)?;
        }
    }
    Ok(())
}
