//! `cargo xtask dist`: a release tarball that can be unpacked on a host.
//!
//! Owns what is in it and where. Must not know how the daemon works: the unit and the example
//! configuration are files of `docs`. Ends with the tarball's path.

use std::fs;
use std::path::Path;

use clap::Args;

use crate::call::Call;
use crate::console;
use crate::fault::{During, Outcome};
use crate::places;
use crate::setup::{self, Need};

/// Arguments of `dist`.
#[derive(Args, Debug)]
pub(crate) struct DistArguments {
    /// Put the tarball into this directory
    #[arg(long, default_value = "target/dist")]
    into: std::path::PathBuf,
}

/// What goes in beside the binary: from, to.
const FILES: &[(&str, &str)] = &[
    ("docs/operations/portcullis.service", "lib/systemd/system/portcullis.service"),
    ("docs/examples/portcullis.yaml", "share/doc/portcullis/portcullis.example.yaml"),
    ("docs/reference/config.schema.json", "share/portcullis/config.schema.json"),
    ("LICENSE", "share/doc/portcullis/LICENSE"),
    ("CHANGELOG.md", "share/doc/portcullis/CHANGELOG.md"),
];

/// `cargo xtask dist`.
pub(crate) fn run(arguments: &DistArguments) -> Outcome {
    setup::ensure(&[Need::Build, Need::Kernel])?;
    Call::cargo()
        .with(["build", "--release", "--locked", "--package", "gateway", "--bin", "portcullis"])
        .run()?;
    let root = places::repository();
    let name = format!("portcullis-{}-{}-linux", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let into = root.join(&arguments.into);
    let tree = into.join(&name);
    if tree.exists() {
        fs::remove_dir_all(&tree).during(tree.display())?;
    }
    put(&places::target().join("release/portcullis"), &tree.join("sbin/portcullis"))?;
    for (from, to) in FILES {
        put(&root.join(from), &tree.join(to))?;
    }
    let tarball = into.join(format!("{name}.tar.gz"));
    // The same sources give the same bytes: names sorted, no owner, the commit's time.
    let time = Call::new("git").with(["log", "-1", "--format=@%ct"]).inside(&root).output()?;
    Call::new("tar")
        .with(["--create", "--gzip", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
        .with([format!("--mtime={}", time.trim())])
        .with(["--file"])
        .with([&tarball])
        .with(["--directory"])
        .with([&into])
        .with([&name])
        .environment("GZIP", "-n")
        .run()?;
    console::step("Packed", &tarball.display().to_string());
    Ok(())
}

fn put(from: &Path, to: &Path) -> Outcome {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).during(parent.display())?;
    }
    fs::copy(from, to).during(format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}
