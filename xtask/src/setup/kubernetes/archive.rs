//! What Debian's archive has of Kubernetes: the source, and a client.
//!
//! Owns the fetching, with package lists of its own, so that the machine's are as they were. The
//! release is always the same, whatever runs here. apt checks the signatures and the hashes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::call::Call;
use crate::console;
use crate::fault::{During, Outcome};
use crate::places;

/// The release with the last Kubernetes that brings its libraries along.
const SOURCES: &str = "\
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main
deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main
";

/// A library that the source has too old a version of: the server crashes with Go 1.18 and later.
const REFLECTION: &str = "golang-github-modern-go-reflect2-dev";
/// Where it is in its package, and in the source.
const REFLECTION_FROM: &str = "usr/share/gocode/src/github.com/modern-go/reflect2";
const REFLECTION_TO: &str = "vendor/github.com/modern-go/reflect2";

/// Of the file that is written when the source is whole.
const STAMP: &str = "stamp";
const RECIPE: &str = "kubernetes 1.20.2 with reflect2 1.0.2";

/// The root of the source, in the form of directories that Go wants.
pub(super) fn source() -> Outcome<PathBuf> {
    Ok(root()?.join("src/k8s.io/kubernetes"))
}

/// What Go calls its path.
pub(super) fn root() -> Outcome<PathBuf> {
    Ok(places::kubernetes()?.join("source"))
}

/// Fetches and unpacks the source unless it is there.
pub(super) fn ensure_source() -> Outcome {
    let root = root()?;
    if fs::read_to_string(root.join(STAMP)).is_ok_and(|stamp| stamp == RECIPE) {
        return Ok(());
    }
    console::step("Fetching", "Debian's source of Kubernetes: 34 MB");
    remove(&root)?;
    let source = source()?;
    fs::create_dir_all(&source).during(source.display())?;
    let downloads = fetch(&["source", "--download-only", "kubernetes"], ".orig.tar.gz")?;
    Call::new("tar")
        .with(["--extract", "--gzip", "--strip-components=1", "--file"])
        .with([&downloads])
        .inside(&source)
        .run_logged(&log()?)?;
    let library = unpack(REFLECTION)?;
    let old = source.join(REFLECTION_TO);
    remove(&old)?;
    Call::new("cp")
        .with(["--recursive"])
        .with([library.join(REFLECTION_FROM), old])
        .run_logged(&log()?)?;
    remove(&places::kubernetes()?.join("apt"))?;
    fs::write(root.join(STAMP), RECIPE).during("cannot write the source's stamp")
}

/// Fetches a package and unpacks it, without installing it. Gives the directory.
pub(super) fn unpack(package: &str) -> Outcome<PathBuf> {
    let file = fetch(&["download", package], ".deb")?;
    let place = places::kubernetes()?.join("apt").join(package);
    remove(&place)?;
    Call::new("dpkg-deb").with(["--extract"]).with([&file, &place]).run_logged(&log()?)?;
    fs::remove_file(&file).during(file.display())?;
    Ok(place)
}

/// Runs apt-get in a directory of downloads. Gives the file whose name ends so.
fn fetch(arguments: &[&str], ending: &str) -> Outcome<PathBuf> {
    let place = places::kubernetes()?.join("apt");
    let downloads = place.join("downloads");
    for directory in ["lists/partial", "archives/partial", "downloads"] {
        let path = place.join(directory);
        fs::create_dir_all(&path).during(path.display())?;
    }
    if !place.join("sources.list").exists() {
        fs::write(place.join("sources.new"), SOURCES).during("cannot write the list of sources")?;
        apt(&place, "sources.new").with(["update"]).run_logged(&log()?)?;
        fs::rename(place.join("sources.new"), place.join("sources.list"))
            .during("cannot keep the list of sources")?;
    }
    apt(&place, "sources.list").with(arguments).inside(&downloads).run_logged(&log()?)?;
    let entries = fs::read_dir(&downloads).during(downloads.display())?;
    let mut files = entries.flatten().map(|entry| entry.path());
    let named = |path: &PathBuf| path.to_string_lossy().ends_with(ending);
    files.find(named).during(format!("`apt-get {}` gave no {ending}", arguments.join(" ")))
}

fn apt(place: &Path, sources: &str) -> Call {
    let setting = |name: &str, value: &Path| format!("{name}={}", value.display());
    Call::new("apt-get")
        .with(["-o", &setting("Dir::Etc::SourceList", &place.join(sources))])
        .with(["-o", "Dir::Etc::SourceParts=/dev/null"])
        .with(["-o", &setting("Dir::State::Lists", &place.join("lists"))])
        .with(["-o", &setting("Dir::Cache", place)])
        .with(["-o", "Acquire::Languages=none", "-o", "APT::Sandbox::User=root"])
}

fn log() -> Outcome<PathBuf> {
    Ok(places::cache()?.join("log/kubernetes-archive.log"))
}

/// Removes a directory, where it is.
pub(super) fn remove(place: &Path) -> Outcome {
    if place.exists() {
        fs::remove_dir_all(place).during(place.display())?;
    }
    Ok(())
}
