//! Runtimes of this host, and who runs them.
//!
//! Owns finding them: on the search path of services, and where the scan has found interpreters.
//! Asks a program for its version; must not know what it trusts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::children;
use super::super::files::Files;
use super::super::owners::{Owner, owner};
use super::super::scan::{Discovered, is_program, prefix};
use super::super::units::Unit;
use super::probe::ASKED_WITHIN;

/// Interpreters that are tried.
const RUNTIMES_MAX: usize = 64;
/// Bytes of a script that are looked at for what it runs.
const SCRIPT_BYTES_MAX: usize = 64 * 1024;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Curl,
    Wget,
    Openssl,
    Git,
    Go,
    Java,
    Node,
    Urllib,
    Requests,
    Httpx,
    Boto3,
}

/// Programs, and what they are.
const PROGRAMS: &[(&str, Kind)] = &[
    ("curl", Kind::Curl),
    ("wget", Kind::Wget),
    ("openssl", Kind::Openssl),
    ("git", Kind::Git),
    ("go", Kind::Go),
    ("java", Kind::Java),
    ("node", Kind::Node),
];
const LIBRARIES: &[(&str, Kind)] = &[
    ("urllib", Kind::Urllib),
    ("requests", Kind::Requests),
    ("httpx", Kind::Httpx),
    ("botocore", Kind::Boto3),
];
/// Prints the version of Python and of the libraries that it has.
const LIBRARIES_PROGRAM: &str = "\
import sys, importlib.util as u
print('python %d.%d.%d' % sys.version_info[:3])
for m in sys.argv[1:]:
    if u.find_spec(m): print(m, getattr(__import__(m), '__version__', '') if m != 'urllib' else '')";

/// A program, or a library of an interpreter.
#[derive(Clone, Debug)]
pub(super) struct Runtime {
    pub(super) kind: Kind,
    pub(super) program: PathBuf,
    pub(super) version: String,
    pub(super) owner: Owner,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Wget => "wget",
            Self::Openssl => "openssl",
            Self::Git => "git",
            Self::Go => "go",
            Self::Java => "java",
            Self::Node => "node",
            Self::Urllib => "python urllib",
            Self::Requests => "python requests",
            Self::Httpx => "python httpx",
            Self::Boto3 => "python boto3",
        }
    }

    pub(super) const fn is_python(self) -> bool {
        matches!(self, Self::Urllib | Self::Requests | Self::Httpx | Self::Boto3)
    }
}

/// Finds them.
pub(super) fn find(files: &Files, found: &Discovered) -> Vec<Runtime> {
    let mut runtimes = Vec::new();
    let mut seen = BTreeSet::new();
    let paths: Vec<&Path> = children::PATH.split(':').map(Path::new).collect();
    for (name, kind) in PROGRAMS {
        let on_path = paths.iter().map(|at| at.join(name));
        let more: Vec<PathBuf> = match kind {
            Kind::Node => found.nodes.clone(),
            Kind::Java => {
                let homes = found.keystores.iter().filter_map(|one| one.ancestors().nth(3));
                homes.map(|home| home.join("bin/java")).collect()
            }
            _ => Vec::new(),
        };
        for program in on_path.chain(more).filter(|one| is_program(files, one)) {
            let real = files.resolve(&program).unwrap_or_else(|_| program.clone());
            if seen.insert(real) && runtimes.len() < RUNTIMES_MAX {
                let owner = owner(files, [program.as_path()]);
                let version = version(files, *kind, &program, owner);
                runtimes.push(Runtime { kind: *kind, program, version, owner });
            }
        }
    }
    let on_path = paths.iter().map(|at| at.join("python3"));
    let of_bundles = found.bundles.iter().filter_map(|bundle| prefix(bundle));
    let of_bundles = of_bundles.flat_map(|at| [at.join("bin/python"), at.join("bin/python3")]);
    for program in on_path.chain(found.pythons.iter().cloned()).chain(of_bundles) {
        // An environment's interpreter is a link to another's: its directory tells them apart.
        let Some(directory) = program.parent().and_then(|at| files.resolve(at).ok()) else {
            continue;
        };
        if is_program(files, &program) && seen.insert(directory) && runtimes.len() < RUNTIMES_MAX {
            runtimes.extend(python(files, &program));
        }
    }
    runtimes.sort_by(|one, other| (one.kind, &one.program).cmp(&(other.kind, &other.program)));
    runtimes
}

fn python(files: &Files, program: &Path) -> Vec<Runtime> {
    let mut parts = vec![program.to_owned()];
    if let Some(prefix) = program.parent().and_then(Path::parent) {
        let library = prefix.join("lib");
        for name in files.names_in(&library) {
            parts.push(library.join(name).join("site-packages"));
        }
    }
    let owner = owner(files, parts.iter().map(PathBuf::as_path));
    let only = |version: String| {
        vec![Runtime { kind: Kind::Urllib, program: program.to_owned(), version, owner }]
    };
    let mut command = Command::new(files.outside(program));
    command.args(["-B", "-c", LIBRARIES_PROGRAM]).args(LIBRARIES.iter().map(|(name, _)| name));
    let Some(said) = ask(command, owner) else { return only(String::new()) };
    let mut lines = said.lines();
    let Some(version) = lines.next().and_then(|line| line.strip_prefix("python ")) else {
        return only(String::new());
    };
    let libraries = lines.filter_map(|line| {
        let (name, of) = line.split_once(' ').unwrap_or((line, ""));
        let (_, kind) = LIBRARIES.iter().find(|(one, _)| *one == name)?;
        let version = if of.is_empty() { version.to_owned() } else { format!("{of} on {version}") };
        Some(Runtime { kind: *kind, program: program.to_owned(), version, owner })
    });
    libraries.collect()
}

fn version(files: &Files, kind: Kind, program: &Path, owner: Owner) -> String {
    let mut command = Command::new(files.outside(program));
    command.arg(match kind {
        Kind::Go | Kind::Openssl => "version",
        Kind::Java => "-version",
        _ => "--version",
    });
    let said = ask(command, owner).unwrap_or_default();
    let is_version = |word: &&str| {
        let word = word.trim_start_matches(['v', '"']).trim_start_matches("go");
        word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.')
    };
    let word = said.split_whitespace().find(is_version).unwrap_or_default();
    word.trim_start_matches("go").trim_matches(['v', '"']).to_owned()
}

fn ask(mut command: Command, owner: Owner) -> Option<String> {
    command.env_clear().env("PATH", children::PATH).env("LC_ALL", "C.UTF-8").current_dir("/");
    command.env("HOME", "/").env("PYTHONDONTWRITEBYTECODE", "1");
    super::probe::become_owner(&mut command, owner)?;
    let ended = children::run(&mut command, ASKED_WITHIN).ok()?;
    Some(format!("{}\n{}", ended.output.trim_end(), ended.error))
}

/// What a unit's lines and scripts say that it runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    programs: BTreeSet<PathBuf>,
    words: BTreeSet<String>,
    has_python_script: bool,
}

/// Reads the unit's lines, and scripts that they name.
pub(super) fn runs(files: &Files, unit: &Unit) -> Runs {
    let mut runs = Runs::default();
    let take = |runs: &mut Runs, text: &str| {
        let odd = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '/' | '_' | '-' | '+');
        for word in text.split(odd).filter(|word| !word.is_empty()) {
            if word.starts_with('/') {
                runs.programs.insert(word.into());
            }
            runs.words.insert(word.to_owned());
        }
    };
    runs.programs.extend(unit.programs.iter().cloned());
    for word in &unit.words {
        take(&mut runs, word);
        let path = Path::new(word.trim_start_matches(['-', '@', ':', '+', '!', '|']));
        let Some(text) = path.is_absolute().then(|| files.text(path)).flatten() else { continue };
        if text.len() > SCRIPT_BYTES_MAX {
            continue;
        }
        runs.has_python_script |= path.extension().is_some_and(|kind| kind == "py")
            || text
                .lines()
                .next()
                .is_some_and(|line| line.starts_with("#!") && line.contains("python"));
        take(&mut runs, &text);
        // A script's interpreter is named with its dots.
        let first = text.lines().next().and_then(|line| line.strip_prefix("#!"));
        runs.programs
            .extend(first.and_then(|line| line.split_whitespace().next()).map(PathBuf::from));
    }
    runs
}

impl Runs {
    /// Whether this is one of what the unit runs.
    pub(super) fn need(&self, files: &Files, runtime: &Runtime) -> bool {
        let name = runtime.program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let directory = |path: &Path| path.parent().and_then(|at| files.resolve(at).ok());
        let at = directory(&runtime.program);
        let real = files.resolve(&runtime.program).ok();
        let by_path = self.programs.iter().any(|path| {
            if runtime.kind.is_python() {
                let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                return file.starts_with("python") && directory(path) == at;
            }
            files.resolve(path).ok() == real
        });
        // By its bare name it is what comes first on the search path.
        let names: &[&str] =
            if runtime.kind.is_python() { &["python3", "python"] } else { &[name] };
        let first = children::PATH.split(':').map(|at| Path::new(at).join(name));
        let first = first.into_iter().find(|path| is_program(files, path));
        let is_first = first.is_some_and(|first| directory(&first) == at);
        let by_name = is_first && names.iter().any(|name| self.words.contains(*name));
        if !by_path && !by_name {
            return false;
        }
        let library =
            LIBRARIES.iter().find(|(_, kind)| *kind == runtime.kind).map(|(name, _)| *name);
        match library {
            // Where no script can be read, it may use any.
            Some(library) if self.has_python_script => {
                self.words.contains(library)
                    || runtime.kind == Kind::Boto3 && self.words.contains("boto3")
            }
            _ => true,
        }
    }
}
