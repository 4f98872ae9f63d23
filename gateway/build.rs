//! Builds the kernel programs and puts the object where `interception` embeds it.
//!
//! Owns the hand-over from build to crate. The search for a toolchain and the build itself are
//! `build/bpf_toolchain.rs`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[path = "build/bpf_toolchain.rs"]
mod bpf_toolchain;

fn main() -> ExitCode {
    match embed() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={}", error.to_string().replace('\n', "\ncargo::error="));
            ExitCode::FAILURE
        }
    }
}

/// Builds the object into `OUT_DIR`.
fn embed() -> Result<(), Box<dyn std::error::Error>> {
    let manifest = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let out_dir = PathBuf::from(std::env::var("OUT_DIR")?);
    let workspace = manifest.parent().ok_or("the package is not inside a workspace")?;
    rerun_if_changed(&manifest.join("build.rs"));
    rerun_if_changed(&manifest.join("build/bpf_toolchain.rs"));
    for source in bpf_toolchain::sources(workspace)? {
        rerun_if_changed(&source);
    }
    rerun_if_changed(&workspace.join("gateway-ebpf/src"));
    println!("cargo::rerun-if-env-changed=XDG_CACHE_HOME");
    let toolchain = bpf_toolchain::find()?;
    bpf_toolchain::build(&toolchain, workspace, &out_dir)?;
    Ok(())
}

/// Asks cargo to run this again when `path` changes.
fn rerun_if_changed(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}
