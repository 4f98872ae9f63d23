//! Whether the runtimes of this host trust the gateway, by real handshakes.
//!
//! Owns the try of each runtime alone and in the environment of the governed units, and the matrix
//! that comes of it. Must not change the host. The canary ([`canary`]) and every program end before
//! this does.

mod canary;
mod java;
mod probe;
mod runtimes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use model::{Clock, Timestamp};
use serde::Serialize;

use super::files::Files;
use super::plan::{Options, Subject};
use super::scan::Scan;
use super::units::{self, Unit};
use super::{TrustError, environment};
use crate::tls::{CertificateNames, DownstreamTls, HostCa};
use canary::Canary;
use probe::{Environment, Outcome};
use runtimes::{Kind, Runs, Runtime};

/// Tries at one time.
const AT_ONCE: usize = 2;
/// For all of them; what is not tried by then is said to be so.
const ALL_WITHIN: Duration = Duration::from_secs(240);

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trusts {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// It could not be tried.
    Unknown,
}

/// A runtime and whom it trusts.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What it is: `curl`, `python requests`.
    pub runtime: &'static str,
    /// The program.
    pub program: PathBuf,
    /// Its version, as it says.
    pub version: String,
    /// Whether it trusts the gateway with nothing in its environment, as a cron job.
    pub alone: Trusts,
    /// Whether it does in the environment of the governed units; `None` without units.
    pub in_units: Option<Trusts>,
    /// What makes it do so.
    pub by: Option<&'static str>,
    /// Governed units that run it.
    pub needed_by: Vec<String>,
    /// What to do where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// What it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// The matrix.
#[derive(Clone, Debug, Serialize)]
pub struct Matrix {
    /// The name that the canary was asked by.
    pub name: String,
    /// A row for each runtime.
    pub rows: Vec<Row>,
}

impl Row {
    /// Whether it is a governed unit's and does not trust the gateway.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        !self.needed_by.is_empty() && self.in_units.unwrap_or(self.alone) != Trusts::Yes
    }
}

/// Tries every runtime of the host. The name is one of those that the authority may sign for.
///
/// # Errors
/// Where there is no authority, or its key cannot be read.
pub fn verify(
    files: &Files,
    subject: &Subject,
    state_directory: &Path,
    options: &Options,
) -> Result<Matrix, TrustError> {
    let authority = HostCa::existing(&files.outside(&state_directory.join("ca")))
        .map_err(|error| TrustError::Unfit(error.to_string()))?
        .ok_or_else(|| TrustError::Unfit(String::from("there is no authority to try")))?;
    let name = name(authority.names())
        .ok_or_else(|| TrustError::Unfit(String::from("the authority may sign for nothing")))?;
    let unfit = |error: &dyn std::fmt::Display| TrustError::Unfit(error.to_string());
    let names = CertificateNames::of([&name]).map_err(|error| unfit(&error))?;
    let downstream = DownstreamTls::new(authority, Arc::new(Now)).map_err(|error| unfit(&error))?;
    let config = downstream.server_config(&names, &[]).map_err(|error| unfit(&error))?;
    let canary = Canary::start(config)?;

    let found = Scan::of(options.scan.as_deref()).run(files);
    let runtimes = runtimes::find(files, &found);
    let units: Vec<Unit> =
        subject.units.iter().map(|name| units::read(files, name, None)).collect();
    let mut environments: BTreeMap<Environment, Vec<String>> = BTreeMap::new();
    for unit in &units {
        environments.entry(environment_of(unit)).or_default().push(unit.name.clone());
    }
    let runs: Vec<(String, Runs)> =
        units.iter().map(|unit| (unit.name.clone(), runtimes::runs(files, unit))).collect();

    let alone = Environment::default();
    let tries: Vec<(&Runtime, &Environment)> = runtimes
        .iter()
        .flat_map(|runtime| {
            std::iter::once(&alone).chain(environments.keys()).map(move |one| (runtime, one))
        })
        .collect();
    let outcomes = attempt_all(&canary, &name, &tries);
    let mut rows = Vec::new();
    for (runtime, outcomes) in runtimes.iter().zip(outcomes.chunks(1 + environments.len())) {
        let needed_by = runs.iter().filter(|(_, runs)| runs.need(files, runtime));
        let needed_by: Vec<String> = needed_by.map(|(name, _)| name.clone()).collect();
        let mut outcomes = outcomes.iter();
        let alone = outcomes.next().cloned().unwrap_or(Outcome::NotTried("no time was left"));
        // Of a runtime that some units run, theirs count; else every unit's.
        let units = environments.values().zip(outcomes);
        let theirs: Vec<Outcome> = units
            .filter(|(names, _)| {
                needed_by.is_empty() || names.iter().any(|name| needed_by.contains(name))
            })
            .map(|(_, outcome)| outcome.clone())
            .collect();
        rows.push(row(runtime, &alone, &theirs, needed_by));
    }
    Ok(Matrix { name, rows })
}

fn row(runtime: &Runtime, alone: &Outcome, units: &[Outcome], needed_by: Vec<String>) -> Row {
    let trusts = |outcome: &Outcome| match outcome {
        Outcome::Trusts => Trusts::Yes,
        Outcome::Fails(_) => Trusts::No,
        Outcome::NotTried(_) => Trusts::Unknown,
    };
    let worst = units.iter().find(|outcome| **outcome != Outcome::Trusts);
    let in_units = units.first().map(|first| trusts(worst.unwrap_or(first)));
    let by = match (trusts(alone), in_units) {
        (Trusts::Yes, None | Some(Trusts::Yes)) => Some(store(runtime.kind)),
        (_, Some(Trusts::Yes)) => Some("the units' environment"),
        (Trusts::Yes, Some(_)) => Some("its store, outside of units only"),
        _ => None,
    };
    let bad = match in_units {
        Some(Trusts::Yes) => None,
        Some(_) => worst,
        None => (*alone != Outcome::Trusts).then_some(alone),
    };
    let said = bad.map(|outcome| match outcome {
        Outcome::Fails(said) => said.clone(),
        Outcome::NotTried(why) => (*why).to_owned(),
        Outcome::Trusts => String::new(),
    });
    Row {
        runtime: runtime.kind.name(),
        program: runtime.program.clone(),
        version: runtime.version.clone(),
        alone: trusts(alone),
        in_units,
        by,
        needed_by,
        remedy: bad.map(|_| remedy(runtime.kind).to_owned()),
        said,
    }
}

/// What a runtime reads when nothing tells it otherwise.
const fn store(kind: Kind) -> &'static str {
    match kind {
        Kind::Curl | Kind::Wget | Kind::Openssl | Kind::Git | Kind::Go | Kind::Urllib => {
            "the system's store"
        }
        Kind::Java => "its keystore",
        Kind::Node => "its own settings",
        Kind::Requests | Kind::Httpx | Kind::Boto3 => "its bundle",
    }
}

const fn remedy(kind: Kind) -> &'static str {
    match kind {
        Kind::Curl | Kind::Wget | Kind::Openssl | Kind::Git | Kind::Go | Kind::Urllib => {
            "portcullis trust apply"
        }
        Kind::Java => "portcullis trust apply, with a keytool on this host",
        Kind::Node => "portcullis trust apply and restart its unit, or set the lines of trust plan",
        Kind::Requests | Kind::Httpx | Kind::Boto3 => {
            "portcullis trust apply, with --scan DIR where it lies elsewhere"
        }
    }
}

fn attempt_all(canary: &Canary, name: &str, tries: &[(&Runtime, &Environment)]) -> Vec<Outcome> {
    let began = Instant::now();
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(vec![Outcome::NotTried("no time was left"); tries.len()]);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some((runtime, environment)) = tries.get(number) else { return };
                    if began.elapsed() > ALL_WITHIN {
                        return;
                    }
                    let outcome = probe::attempt(canary, name, number, runtime, environment);
                    let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(place) = outcomes.get_mut(number) {
                        *place = outcome;
                    }
                }
            });
        }
    });
    outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// What of a unit's environment says whom its programs trust.
fn environment_of(unit: &Unit) -> Environment {
    let about_trust = |(name, _): &(&String, &String)| environment::is_about_trust(name);
    let variables = unit.environment.iter().filter(about_trust);
    Environment {
        variables: variables.map(|(name, value)| (name.clone(), value.clone())).collect(),
        binds: unit.binds.clone(),
    }
}

/// A name for the canary. Some clients never ask a proxy for the loopback address.
fn name(names: &CertificateNames) -> Option<String> {
    let dns = names.dns.iter().find(|name| name.as_str() != "localhost").cloned();
    let address = || names.addresses.iter().find(|one| !one.is_loopback()).map(ToString::to_string);
    let below = || names.dns.first().map(|name| format!("portcullis-canary.{name}"));
    let loopback = || names.addresses.first().map(ToString::to_string);
    dns.or_else(address).or_else(below).or_else(loopback)
}

/// The system's clock.
#[derive(Debug)]
struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }
}
