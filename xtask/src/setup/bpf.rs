//! The toolchain of the kernel programs: a compiler that has the source of `core`, and bpf-linker.
//!
//! Owns getting them; finding them is `gateway/build/bpf_toolchain.rs`, which the build uses too.
//! A rustup nightly is taken where there is one, else Debian's packages. Ends with both found, or
//! with one message that holds the command to run.

#[path = "../../../gateway/build/bpf_toolchain.rs"]
#[expect(dead_code, reason = "the build script uses the rest of it")]
mod bpf_toolchain;

use std::path::PathBuf;

use super::{Need, packages};
use crate::call::{Call, find_program};
use crate::console;
use crate::fault::{During, Fault, Outcome};
use crate::places;

/// The linker's version; its LLVM is Debian's newest.
const LINKER_VERSION: &str = "0.13.0";
/// The newest LLVM whose bitcode that linker reads.
const LLVM_MAJOR: u32 = 22;
/// Debian's compiler with the source of `core`.
const DEBIAN_COMPILER: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];

/// What is missing, as lines for people.
pub(super) fn missing() -> Outcome<Vec<String>> {
    let mut missing = Vec::new();
    if !has_linker() {
        missing.push(format!("bpf-linker {LINKER_VERSION}, for the kernel programs"));
    } else if usable_compilers() == 0 {
        missing.push("a compiler with the source of `core`, for the kernel programs".to_owned());
    }
    Ok(missing)
}

/// Gets what is missing.
pub(super) fn ensure() -> Outcome {
    // The linker first: without one, the search tells nothing about compilers.
    if !has_linker() {
        build_linker()?;
    }
    if usable_compilers() == 0 {
        get_compiler()?;
    }
    bpf_toolchain::find().map(|_| ()).map_err(|missing| Fault::new(missing.to_string()))
}

/// Compilers whose bitcode the linker can read.
fn usable_compilers() -> usize {
    let found = bpf_toolchain::find().map(|toolchain| toolchain.compilers).unwrap_or_default();
    let readable = |version: &str| llvm_major(version).is_some_and(|llvm| llvm <= LLVM_MAJOR);
    found.iter().filter(|compiler| readable(&compiler.version)).count()
}

/// The LLVM of a compiler, from what `rustc -vV` says.
fn llvm_major(version: &str) -> Option<u32> {
    let line = version.lines().find_map(|line| line.strip_prefix("LLVM version: "))?;
    line.split('.').next()?.parse().ok()
}

fn get_compiler() -> Outcome {
    if let Some(nightly) = installed_nightly() {
        console::step("Installing", &format!("rust-src of {nightly}: source of `core`"));
        let log = places::cache()?.join("log/rustup.log");
        let added = Call::new("rustup")
            .with(["component", "add", "rust-src", "--toolchain", &nightly])
            .run_logged(&log);
        match added {
            Ok(()) if usable_compilers() > 0 => return Ok(()),
            Ok(()) => console::note(&format!("the LLVM of {nightly} is newer than {LLVM_MAJOR}")),
            Err(fault) => console::note(&format!("not to be had: {fault}")),
        }
    }
    let debian = packages::install_named(
        DEBIAN_COMPILER,
        Need::Kernel,
        "a compiler with the source of `core`, for the kernel programs",
    );
    match debian {
        Ok(()) if usable_compilers() > 0 => Ok(()),
        Ok(()) => Fault::because(NEITHER),
        Err(fault) => Fault::because(format!("{NEITHER}\n  {fault}")),
    }
}

const NEITHER: &str = "no compiler for the kernel programs: run `rustup toolchain install nightly \
     --profile minimal --component rust-src`, or on Debian 12 `apt-get install rustc-web \
     cargo-web rust-web-src`, and then this again";

fn installed_nightly() -> Option<String> {
    find_program("rustup")?;
    let list = Call::new("rustup").with(["toolchain", "list"]).output().ok()?;
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| name.starts_with("nightly")).map(str::to_owned).next()
}

fn linker() -> Outcome<PathBuf> {
    Ok(places::tools()?.join("bin/bpf-linker"))
}

/// Whether the cache has a linker of the right version that runs (its LLVM may be gone).
fn has_linker() -> bool {
    linker()
        .and_then(|linker| Call::new(linker).with(["--version"]).output())
        .is_ok_and(|version| version.contains(LINKER_VERSION))
}

fn build_linker() -> Outcome {
    let root = places::tools()?;
    console::step(
        "Installing",
        &format!("bpf-linker {LINKER_VERSION} into {}: links BPF objects", root.display()),
    );
    Call::cargo()
        .with(["install", "bpf-linker", "--version", LINKER_VERSION, "--locked", "--force"])
        .with(["--no-default-features", "--features", "llvm-22", "--root"])
        .with([&root])
        // Built in a place of its own: the workspace's target directory is not its business.
        .environment("CARGO_TARGET_DIR", places::cache()?.join("build/bpf-linker"))
        .environment("LLVM_PREFIX", "/usr/lib/llvm-22")
        .run_logged(&places::cache()?.join("log/bpf-linker.log"))?;
    std::fs::remove_dir_all(places::cache()?.join("build")).during("cannot remove the build")
}

#[cfg(test)]
mod tests {
    use super::llvm_major;

    #[test]
    fn the_llvm_of_a_compiler_is_read_from_its_version() {
        let version = "rustc 1.96.0\nbinary: rustc\nrelease: 1.96.0\nLLVM version: 22.1.8\n";
        assert_eq!(llvm_major(version), Some(22));
        assert_eq!(llvm_major("rustc 1.96.0"), None);
    }
}
