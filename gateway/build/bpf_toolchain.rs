//! Finds a toolchain that can build the kernel programs, and builds them.
//!
//! Owns the search (a rustup nightly with `rust-src` first, then Debian's `rustc-web`, `cargo-web`
//! and `rust-web-src`), the `bpf-linker` it needs, the command line, and a cache of built objects
//! outside `target/`. Knows nothing of what the programs do. Included by `gateway/build.rs` and, by
//! path, by `xtask`; so it uses `std` only and installs nothing itself. A build ends with the path
//! of the object, or with an error whose text says what to run.

use std::collections::hash_map::DefaultHasher;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target triple of the kernel programs.
const TARGET: &str = "bpfel-unknown-none";
/// The package, and the binary in it, that holds the programs.
const PACKAGE: &str = "gateway-ebpf";
/// Code generation: BTF for maps and for the globals that userspace sets.
const RUSTFLAGS: &[&str] = &["-C", "debuginfo=2", "-C", "link-arg=--btf"];
/// Settings of the build that the workspace's release profile would get wrong for this target.
const PROFILE: &[&str] = &[
    "profile.release.lto=false",
    "profile.release.codegen-units=1",
    "profile.release.opt-level=3",
    "profile.release.debug=2",
    "profile.release.panic=\"abort\"",
];

/// One compiler that has the source of `core`.
#[derive(Clone, Debug)]
pub(crate) struct Compiler {
    /// The `cargo` that belongs to it; never a rustup proxy.
    pub(crate) cargo: PathBuf,
    /// The `rustc`; never a rustup proxy.
    pub(crate) rustc: PathBuf,
    /// `rustc -vV`: names the release and its LLVM.
    pub(crate) version: String,
}

/// Everything that the build of the kernel programs needs.
#[derive(Clone, Debug)]
pub(crate) struct Toolchain {
    /// Compilers in the order in which they are tried. At least one.
    pub(crate) compilers: Vec<Compiler>,
    /// `bpf-linker`.
    pub(crate) linker: PathBuf,
    /// `bpf-linker --version`.
    pub(crate) linker_version: String,
}

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// No compiler with the source of `core`.
    pub(crate) compiler: bool,
    /// No `bpf-linker`.
    pub(crate) linker: bool,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the kernel programs cannot be built: ")?;
        if self.compiler {
            f.write_str(
                "no rustup nightly with `rust-src`, nor Debian's rustc-web, cargo-web and \
                 rust-web-src",
            )?;
        }
        if self.compiler && self.linker {
            f.write_str("; ")?;
        }
        if self.linker {
            f.write_str("no bpf-linker")?;
        }
        f.write_str(". Run `cargo xtask setup` as root; it installs what is missing.")
    }
}

impl std::error::Error for Missing {}

/// Why a build failed.
#[derive(Debug)]
pub(crate) enum BuildError {
    /// A file or a process could not be used.
    Io(PathBuf, io::Error),
    /// Every compiler failed; the output of each.
    Compile(String),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Compile(output) => write!(f, "the kernel programs do not build\n{output}"),
        }
    }
}

impl std::error::Error for BuildError {}

/// Where Portcullis keeps what it builds or downloads outside `target/`:
/// `$XDG_CACHE_HOME/portcullis`, else `~/.cache/portcullis`.
#[must_use]
pub(crate) fn cache_root() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("portcullis")
}

/// Looks for a toolchain. Installs nothing.
///
/// # Errors
/// [`Missing`], naming what was not found.
pub(crate) fn find() -> Result<Toolchain, Missing> {
    let compilers: Vec<Compiler> = rustup_nightlies().into_iter().chain(debian()).collect();
    match (compilers.is_empty(), find_linker()) {
        (false, Some((linker, linker_version))) => {
            Ok(Toolchain { compilers, linker, linker_version })
        }
        (compiler, linker) => Err(Missing { compiler, linker: linker.is_none() }),
    }
}

/// Builds the programs, or takes them from the cache, and returns the path of the object:
/// `out_dir/gateway-ebpf.o`.
///
/// `workspace` is the directory of the workspace's `Cargo.toml`.
///
/// # Errors
/// [`BuildError`]: a file that cannot be used, or the compilers' output.
pub(crate) fn build(
    toolchain: &Toolchain,
    workspace: &Path,
    out_dir: &Path,
) -> Result<PathBuf, BuildError> {
    let cache = cache_root().join("bpf");
    fs::create_dir_all(&cache).map_err(|error| BuildError::Io(cache.clone(), error))?;
    let cached = cache.join(format!("{:016x}.o", digest(toolchain, workspace)?));
    let object = out_dir.join("gateway-ebpf.o");
    if !cached.is_file() {
        // One build at a time, whoever asks: they share a target directory, and the second asker
        // finds the first one's object.
        let lock_path = cache.join("lock");
        let lock = File::create(&lock_path).map_err(|e| BuildError::Io(lock_path.clone(), e))?;
        lock.lock().map_err(|error| BuildError::Io(lock_path, error))?;
        if !cached.is_file() {
            let built = compile_with_any(toolchain, workspace, &cache.join("target"))?;
            let partial = cached.with_extension(format!("{}.partial", std::process::id()));
            copy(&built, &partial)?;
            fs::rename(&partial, &cached).map_err(|e| BuildError::Io(cached.clone(), e))?;
        }
    }
    copy(&cached, &object)?;
    Ok(object)
}

/// The files of the programs' package that the object depends on, sorted.
///
/// # Errors
/// [`BuildError::Io`] for a directory that cannot be read.
pub(crate) fn sources(workspace: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let package = workspace.join(PACKAGE);
    let mut found = vec![package.join("Cargo.toml")];
    let mut pending = vec![package.join("src")];
    while let Some(directory) = pending.pop() {
        let broken = |error| BuildError::Io(directory.clone(), error);
        for entry in fs::read_dir(&directory).map_err(broken)? {
            let path = entry.map_err(broken)?.path();
            if path.is_dir() {
                pending.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A number that changes with the sources, the versions of the libraries, the compilers, the
/// linker and the flags.
fn digest(toolchain: &Toolchain, workspace: &Path) -> Result<u64, BuildError> {
    let mut hasher = DefaultHasher::new();
    let read = |path: &Path| fs::read(path).map_err(|e| BuildError::Io(path.to_path_buf(), e));
    for source in sources(workspace)? {
        source.strip_prefix(workspace).unwrap_or(&source).hash(&mut hasher);
        read(&source)?.hash(&mut hasher);
    }
    let lock = String::from_utf8_lossy(&read(&workspace.join("Cargo.lock"))?).into_owned();
    for package in lock.split("[[package]]").filter(|text| text.contains("name = \"aya-")) {
        package.hash(&mut hasher);
    }
    (TARGET, RUSTFLAGS, PROFILE, &toolchain.linker_version).hash(&mut hasher);
    for compiler in &toolchain.compilers {
        compiler.version.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// Tries each compiler in turn: a nightly may be newer than the linker's LLVM can read.
fn compile_with_any(
    toolchain: &Toolchain,
    workspace: &Path,
    target_dir: &Path,
) -> Result<PathBuf, BuildError> {
    let mut outputs = String::new();
    for compiler in &toolchain.compilers {
        let output = compile_command(compiler, &toolchain.linker, workspace, target_dir)
            .output()
            .map_err(|error| BuildError::Io(compiler.cargo.clone(), error))?;
        if output.status.success() {
            return Ok(target_dir.join(TARGET).join("release").join(PACKAGE));
        }
        outputs.push_str(&format!("--- with {}\n", compiler.rustc.display()));
        outputs.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    Err(BuildError::Compile(outputs))
}

/// The command that builds the programs, free of what an outer cargo or rustup left in the
/// environment.
fn compile_command(
    compiler: &Compiler,
    linker: &Path,
    workspace: &Path,
    target_dir: &Path,
) -> Command {
    let mut command = clean_command(&compiler.cargo);
    let mut linker_flag = OsString::from("linker=");
    linker_flag.push(linker);
    let mut flags = OsString::from("-C\u{1f}");
    flags.push(linker_flag);
    for flag in RUSTFLAGS {
        flags.push("\u{1f}");
        flags.push(flag);
    }
    command
        .current_dir(workspace)
        .args(["build", "--release", "--locked", "--package", PACKAGE, "--bin", PACKAGE])
        .args(["-Z", "build-std=core", "--target", TARGET, "--target-dir"])
        .arg(target_dir)
        .args(PROFILE.iter().flat_map(|setting| ["--config", setting]))
        .env("RUSTC", &compiler.rustc)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags);
    command
}

/// A command without the variables by which an outer cargo, clippy or rustup steers compilers.
fn clean_command(program: &Path) -> Command {
    const KEPT: &[&str] = &["CARGO_HOME", "RUSTUP_HOME"];
    const KEPT_PREFIXES: &[&str] = &["CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTR", "CARGO_SOURCE_"];
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let steers =
            ["CARGO", "RUSTC", "RUSTFLAGS", "RUSTDOC", "RUSTUP_TOOLCHAIN", "RUST_RECURSION"]
                .iter()
                .any(|prefix| text.starts_with(prefix))
                || text == "LD_LIBRARY_PATH"
                || text == "__CARGO_DEFAULT_LIB_METADATA";
        let kept = KEPT.contains(&text.as_ref())
            || KEPT_PREFIXES.iter().any(|prefix| text.starts_with(prefix));
        if steers && !kept {
            command.env_remove(&name);
        }
    }
    command
}

/// Every rustup nightly that has `rust-src`, as its own binaries rather than rustup's proxies.
fn rustup_nightlies() -> Vec<Compiler> {
    let home = std::env::var_os("RUSTUP_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".rustup")));
    let Some(Ok(entries)) = home.map(|home| fs::read_dir(home.join("toolchains"))) else {
        return Vec::new();
    };
    let mut roots: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("nightly")))
        .collect();
    roots.sort();
    roots.into_iter().filter_map(|root| compiler_at(&root.join("bin"))).collect()
}

/// Debian's packages.
fn debian() -> Option<Compiler> {
    compiler_at(Path::new("/usr/bin"))
}

/// The compiler in `bin`, if it is there and has the source of `core`.
fn compiler_at(bin: &Path) -> Option<Compiler> {
    let (cargo, rustc) = (bin.join("cargo"), bin.join("rustc"));
    if !cargo.is_file() || !rustc.is_file() {
        return None;
    }
    let sysroot = PathBuf::from(answer(&rustc, ["--print", "sysroot"])?.trim());
    sysroot.join("lib/rustlib/src/rust/library/core/Cargo.toml").is_file().then_some(())?;
    let version = answer(&rustc, ["-vV"])?;
    Some(Compiler { cargo, rustc, version })
}

/// `bpf-linker`: the one that set-up built, else the first on the path.
fn find_linker() -> Option<(PathBuf, String)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::iter::once(cache_root().join("tools/bin"))
        .chain(std::env::split_paths(&path))
        .map(|directory| directory.join("bpf-linker"))
        .filter(|candidate| candidate.is_file())
        .find_map(|linker| answer(&linker, ["--version"]).map(|version| (linker, version)))
}

/// What a program prints, if it ends well.
fn answer<I: IntoIterator<Item: AsRef<OsStr>>>(program: &Path, arguments: I) -> Option<String> {
    let output = clean_command(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Copies a file, naming it where that fails.
fn copy(from: &Path, to: &Path) -> Result<(), BuildError> {
    fs::copy(from, to).map(|_| ()).map_err(|error| BuildError::Io(to.to_path_buf(), error))
}
