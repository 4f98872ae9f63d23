//! Building with Go: the server as its own makefile would, without the makefile.
//!
//! Owns Go's environment and what is generated before. Must not know what a program is for.

use std::path::{Path, PathBuf};

use super::{VERSION, archive};
use crate::call::Call;
use crate::console;
use crate::fault::{During, Fault, Outcome};
use crate::places;

/// Debian's compiler of the release that the source is from.
const GO: &str = "/usr/lib/go-1.19/bin/go";

/// The source as Go names it.
const PACKAGE: &str = "k8s.io/kubernetes";

/// How often the progress is told: after each tenth.
const TELLINGS: usize = 10;

/// Where a program is after it was built.
pub(super) fn built(program: &str) -> Outcome<PathBuf> {
    Ok(archive::root()?.join("built").join(program))
}

/// Writes what the source leaves to be generated: the description of the API.
pub(super) fn generate() -> Outcome {
    console::note("writing the description of the API");
    let generator = built("openapi-gen")?;
    go(&["build", "-o"])?
        .with([&generator])
        .with(["./vendor/k8s.io/kube-openapi/cmd/openapi-gen"])
        .run_logged(&log("openapi-gen")?)?;
    let report = archive::root()?.join("built/violations");
    in_source(Call::new(&generator))?
        .with(["--logtostderr", "--input-dirs", &described()?.join(",")])
        .with(["--output-package", &format!("{PACKAGE}/pkg/generated/openapi")])
        .with(["--output-file-base", "zz_generated.openapi", "--go-header-file"])
        .with(["vendor/k8s.io/code-generator/hack/boilerplate.go.txt", "--report-filename"])
        .with([&report])
        .run_logged(&log("openapi-gen")?)
}

/// The packages whose types are described: a comment in them says so.
fn described() -> Outcome<Vec<String>> {
    let files = in_source(Call::new("grep"))?
        .with(["--recursive", "--files-with-matches", "--include=*.go"])
        .with(["+k8s:openapi-gen=", "staging/src/k8s.io", "pkg"])
        .output()?;
    Ok(packages_of(&files))
}

fn packages_of(files: &str) -> Vec<String> {
    let is_meant = |file: &&str| {
        let others = ["k8s.io/code-generator/", "k8s.io/sample-apiserver/", "_test.go"];
        !others.iter().any(|other| file.contains(other))
    };
    let package = |file: &str| {
        let directory = Path::new(file).parent()?.to_str()?;
        // What is staged is seen through links from among the libraries.
        let directory = directory.replacen("staging/src/", "vendor/", 1);
        Some(format!("{PACKAGE}/{directory}"))
    };
    let mut packages: Vec<String> = files.lines().filter(is_meant).filter_map(package).collect();
    packages.sort();
    packages.dedup();
    packages
}

/// Builds one of the source's commands, and tells how far it is.
pub(super) fn build(program: &str) -> Outcome {
    let command = format!("./cmd/{program}");
    let all = go(&["list", "-deps"])?.with([&command]).output()?.lines().count();
    let mut done = 0_usize;
    let (path, linker) = (built(program)?, format!("-s -w {}", version_flags()));
    go(&["build", "-v", "-ldflags", &linker, "-o"])?.with([&path]).with([&command]).run_seen(
        &log(program)?,
        |_| {
            done += 1;
            if done.is_multiple_of(all.div_ceil(TELLINGS).max(1)) {
                console::note(&format!("{done} of {all} packages"));
            }
        },
    )
}

/// The version that the server and its libraries tell clients.
fn version_flags() -> String {
    let number: Vec<&str> = VERSION.trim_start_matches('v').split('.').collect();
    let (major, minor) = (number.first().unwrap_or(&""), number.get(1).unwrap_or(&""));
    let flags = |library: &str| {
        let place = format!("{PACKAGE}/vendor/k8s.io/{library}/version");
        format!(
            "-X {place}.gitVersion={VERSION} -X {place}.gitMajor={major} -X {place}.gitMinor={minor}"
        )
    };
    format!("{} {}", flags("component-base"), flags("client-go/pkg"))
}

/// Removes what was compiled on the way: it is ten times what came of it.
pub(super) fn clear() -> Outcome {
    archive::remove(&archive::root()?.join("built"))?;
    // Go makes none of its files there writable, but all of its directories are.
    archive::remove(&compiled()?)
}

fn compiled() -> Outcome<PathBuf> {
    Ok(places::kubernetes()?.join("go-cache"))
}

/// Go, in the source, behind everything else that this machine does.
fn go(arguments: &[&str]) -> Outcome<Call> {
    if !Path::new(GO).exists() {
        return Fault::because(format!("no {GO}: it is Debian 12's package golang-1.19-go"));
    }
    in_source(Call::new("nice").with(["-n", "10", GO]).with(arguments))
}

fn in_source(call: Call) -> Outcome<Call> {
    let path = std::env::var("PATH").during("PATH is not set")?;
    let go = Path::new(GO).parent().unwrap_or(Path::new("/")).display().to_string();
    Ok(call
        .inside(&archive::source()?)
        .environment("PATH", format!("{go}:{path}"))
        .environment("GO111MODULE", "off")
        .environment("GOPATH", archive::root()?)
        .environment("GOCACHE", compiled()?)
        .environment("GOFLAGS", "")
        .environment("CGO_ENABLED", "0"))
}

fn log(name: &str) -> Outcome<PathBuf> {
    Ok(places::cache()?.join(format!("log/{name}.log")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_as_the_generator_wants_them() {
        let files = "staging/src/k8s.io/api/core/v1/doc.go\nstaging/src/k8s.io/api/core/v1/types.go\n\
                     pkg/apis/abac/v0/doc.go\nstaging/src/k8s.io/sample-apiserver/doc.go\n";
        assert_eq!(
            packages_of(files),
            ["k8s.io/kubernetes/pkg/apis/abac/v0", "k8s.io/kubernetes/vendor/k8s.io/api/core/v1"]
        );
    }

    #[test]
    fn both_libraries_are_told_the_version() {
        assert_eq!(version_flags().matches("=v1.20.2 ").count(), 2);
        assert_eq!(version_flags().matches("gitMinor=20").count(), 2);
    }
}
