//! `portcullis trust ssh`: the line by which OpenSSH's clients take the gateway's host certificates.
//!
//! Owns the line and its place. Must not know the authority's key: it reads the public half that
//! the daemon leaves beside it. The line goes to the second of the system's two files, which other
//! libraries that stumble over such lines do not read; it is good for the configured targets only.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::super::context::Context;
use super::super::failure::{Exit, Failure};
use super::super::look::Look;
use super::super::{CONFIG_VARIABLE, DEFAULT_CONFIG, settings};
use super::host::failure;
use super::ssh_config;
use crate::config::{ClientHostKeySettings, Settings, TargetAddress};
use crate::trust::{BlockError, Files, Journal, Marks, Step, apply_step, revert_step};

/// Where the system's clients look beside `ssh_known_hosts`.
pub(in crate::cli) const SYSTEM_FILE: &str = "/etc/ssh/ssh_known_hosts2";
/// Where the authority leaves its public key, below the state directory.
const PUBLIC_KEY: &str = "ca/ssh-ca.pub";

const EXAMPLES: &str = "\
Examples:
  portcullis trust ssh                      # print the line, change nothing
  sudo portcullis trust ssh --apply
  sudo portcullis trust ssh --remove
  portcullis trust ssh --json";

/// Have OpenSSH's clients on this host trust the gateway's host certificates
///
/// Without an option, prints the line and whether it is installed. The line names the authority and
/// the targets it is trusted for. Clients that know no host certificates (paramiko, libssh2, PuTTY)
/// need the target's own host key enrolled instead: `client_host_key: { enrolled: [..] }`. So do, or
/// need the line in their own file, clients in containers.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// The configuration: a file, or a directory of *.yaml files
    #[arg(long, short, value_name = "PATH", env = CONFIG_VARIABLE, hide_env_values = true, default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    /// Put the line in, or bring it up to date
    #[arg(long, conflicts_with = "remove")]
    apply: bool,
    /// Take the line out; nothing else is changed
    #[arg(long)]
    remove: bool,
    /// The file, where it is another than the system's
    #[arg(long, value_name = "PATH", default_value = SYSTEM_FILE)]
    file: PathBuf,
    /// The settings of the system's client, to be warned of what keeps it from that file
    #[arg(long, value_name = "PATH", default_value = "/etc/ssh/ssh_config")]
    ssh_config: PathBuf,
    /// The instance, instead of the configuration's, to take its line out
    #[arg(long, value_name = "NAME", requires = "remove")]
    instance: Option<String>,
}

/// How the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// The line is there.
    Installed,
    /// A line is there for other targets, or with another key.
    Outdated,
    /// No line is there.
    Absent,
}

#[derive(Debug, Serialize)]
struct Report {
    file: PathBuf,
    state: State,
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<String>,
    patterns: Vec<String>,
    warnings: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let report = if arguments.remove { remove(arguments)? } else { install(arguments)? };
    context.show(&report, render)?;
    Ok(Exit::Done)
}

/// Whether the file has a line of any instance.
pub(in crate::cli) fn is_installed(file: &Path) -> bool {
    let marked = |text: String| text.lines().any(|line| line.starts_with("# >>> portcullis trust"));
    fs::read_to_string(file).is_ok_and(marked)
}

fn remove(arguments: &Arguments) -> Result<Report, Failure> {
    let instance = match &arguments.instance {
        Some(instance) => instance.clone(),
        None => settings(&arguments.config)
            .map(|settings| settings.instance)
            .map_err(|failure| failure.with_remedy("Or name it: `--instance NAME`."))?,
    };
    let file = arguments.file.clone();
    let journaled = match settings(&arguments.config) {
        Ok(settings) if settings.instance == instance => taken_back(&file, &settings)?,
        _ => false,
    };
    let rest = Marks::of_ssh(&instance).remove(&file).map_err(|error| unchanged(&file, &error))?;
    let changed = journaled || rest;
    let (patterns, warnings) = (Vec::new(), Vec::new());
    Ok(Report { file, state: State::Absent, changed, line: None, patterns, warnings })
}

fn install(arguments: &Arguments) -> Result<Report, Failure> {
    let settings = settings(&arguments.config)?;
    let patterns: Vec<String> = patterns(&settings).into_iter().collect();
    let file = arguments.file.clone();
    let line = line(Path::new("/"), &settings)?;
    let marks = Marks::of_ssh(&settings.instance);
    let failed = |error| unchanged(&file, &error);
    let mut changed = false;
    if arguments.apply {
        changed = match &line {
            Some(line) => put(&file, &settings, line)?,
            // No target shows a certificate any more.
            None => taken_back(&file, &settings)? | marks.remove(&file).map_err(failed)?,
        };
    }
    let state = match (marks.read(&file).map_err(failed)?, &line) {
        (Some(found), Some(line)) if found == line.as_bytes() => State::Installed,
        (Some(_), _) => State::Outdated,
        (None, _) => State::Absent,
    };
    let warnings = match line {
        Some(_) => ssh_config::warnings(&arguments.ssh_config, &file),
        None => Vec::new(),
    };
    let line = line.map(|line| line.trim_end().to_owned());
    Ok(Report { file, state, changed, line, patterns, warnings })
}

/// Puts the line in, with the journal by which `trust revert` takes it out again.
fn put(file: &Path, settings: &Settings, line: &str) -> Result<bool, Failure> {
    let (files, mut journal) = journal(settings)?;
    let step = step(&files, file, settings, line)?;
    apply_step(&files, &mut journal, &step).map_err(|error| failure(&error))
}

/// Takes the line out as the journal says it was put in; false where the journal knows none.
fn taken_back(file: &Path, settings: &Settings) -> Result<bool, Failure> {
    let (files, mut journal) = journal(settings)?;
    let step = step(&files, file, settings, "")?;
    revert_step(&files, &mut journal, &step.id).map_err(|error| failure(&error))
}

fn journal(settings: &Settings) -> Result<(Files, Journal), Failure> {
    let files = Files::below("/");
    let journal = Journal::open(&files, &settings.state_directory);
    Ok((files, journal.map_err(|error| failure(&error.into()))?))
}

fn step(files: &Files, file: &Path, settings: &Settings, line: &str) -> Result<Step, Failure> {
    let whole = std::path::absolute(file)
        .map_err(|error| Failure::new(Exit::NotGood, format!("{}: {error}", file.display())))?;
    let made = if whole == Path::new(SYSTEM_FILE) {
        Step::ssh_of_system(files, &whole, &settings.instance, line)
    } else {
        Step::ssh_by_hand(files, &whole, &settings.instance, line)
    };
    made.map_err(|error| failure(&error))
}

fn unchanged(file: &Path, error: &BlockError) -> Failure {
    let exit = match error {
        BlockError::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Exit::NotPermitted
        }
        _ => Exit::NotGood,
    };
    let remedy = match (exit, error) {
        (Exit::NotPermitted, _) => "Run it as root.",
        (_, BlockError::Open { .. }) => "Take that block out by hand, then run it again.",
        _ => "Nothing was changed.",
    };
    Failure::new(exit, format!("{}: {error}", file.display())).with_remedy(remedy)
}

/// The line for the targets that show clients a certificate; `None` where there are none.
pub(super) fn line(root: &Path, settings: &Settings) -> Result<Option<String>, Failure> {
    let patterns: Vec<String> = patterns(settings).into_iter().collect();
    if patterns.is_empty() {
        return Ok(None);
    }
    let path = settings.state_directory.join(PUBLIC_KEY);
    let path = root.join(path.strip_prefix("/").unwrap_or(&path));
    let key = fs::read_to_string(&path).map_err(|error| {
        Failure::new(Exit::Impossible, format!("{}: {error}", path.display())).with_remedy(
            "The daemon makes this file when it is first started with a target of SSH.",
        )
    })?;
    let mut words = key.split_whitespace();
    let (Some(kind), Some(blob)) = (words.next(), words.next()) else {
        return Err(Failure::new(Exit::NotGood, format!("{}: it holds no key", path.display())));
    };
    Ok(Some(format!("@cert-authority {} {kind} {blob} portcullis\n", patterns.join(","))))
}

/// Host and port of every address of a target that shows clients a certificate, as `known_hosts`
/// has them.
fn patterns(settings: &Settings) -> BTreeSet<String> {
    let shows_certificate = |one: &&crate::config::TargetSettings| {
        let ssh = one.ssh.as_ref();
        ssh.is_some_and(|ssh| ssh.client_host_key == ClientHostKeySettings::Certificate)
    };
    let targets = settings.targets.iter().filter(shows_certificate);
    let addresses = targets.flat_map(|target| &target.addresses);
    addresses
        .map(|address| {
            let (host, port) = match address {
                TargetAddress::Ip(address) => (address.ip().to_string(), address.port()),
                TargetAddress::Name { host, port } => (host.clone(), *port),
            };
            if port == 22 { host } else { format!("[{host}]:{port}") }
        })
        .collect()
}

fn render(report: &Report, look: &Look) -> String {
    let mut text = String::new();
    if let Some(line) = &report.line {
        _ = writeln!(text, "{line}\n");
    }
    let file = report.file.display();
    let installed = match (report.state, report.line.is_some(), report.changed) {
        (State::Installed, _, true) => look.good(&format!("now in {file}")),
        (State::Installed, _, false) => look.good(&format!("in {file}")),
        (State::Outdated, ..) => look.bad(&format!(
            "{file} has an old line; bring it up to date: portcullis trust ssh --apply"
        )),
        (State::Absent, _, true) => format!("taken out of {file}"),
        (State::Absent, true, false) => {
            look.warning(&format!("not in {file}; put it there: portcullis trust ssh --apply"))
        }
        (State::Absent, false, false) => format!("no line is needed or found in {file}"),
    };
    _ = writeln!(text, "{installed}");
    for warning in &report.warnings {
        _ = writeln!(text, "{}: {warning}", look.warning("warning"));
    }
    text
}

#[cfg(test)]
mod tests;
