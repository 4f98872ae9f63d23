//! What the trust commands share: which host, which configuration, what is asked for.
//!
//! Owns those options, and what is to be trusted by whom as the configuration says it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use model::Timestamp;

use super::super::failure::{Exit, Failure};
use super::super::{CONFIG_VARIABLE, DEFAULT_CONFIG, settings};
use super::ssh;
use crate::config::{Govern, Governed, Settings};
use crate::trust::{Authority, Files, Journal, Options, Plan, Subject, TrustError};

/// Where the state is when no configuration can say it.
pub(super) const STATE_DIRECTORY: &str = "/var/lib/portcullis";

/// Which host and which configuration.
#[derive(Clone, Debug, Args)]
pub(super) struct HostArguments {
    /// The configuration: a file, or a directory of *.yaml files
    #[arg(long, short, value_name = "PATH", env = CONFIG_VARIABLE, hide_env_values = true, default_value = DEFAULT_CONFIG)]
    pub(super) config: PathBuf,
    /// The host's root directory, where it is mounted elsewhere
    #[arg(long, value_name = "DIR", default_value = "/", hide = true)]
    pub(super) root: PathBuf,
}

/// What is asked for. What is not said is as it was at the last `apply`.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct OptionArguments {
    /// Leave bundles as they are: governed units see copies in their place (BindReadOnlyPaths=)
    #[arg(long, conflicts_with = "append")]
    pub(super) bind: bool,
    /// Add the certificate to bundles (the default)
    #[arg(long)]
    pub(super) append: bool,
    /// Look for bundles, keystores and interpreters below DIR, and nowhere else; may be repeated
    #[arg(long, value_name = "DIR", conflicts_with = "no_scan")]
    pub(super) scan: Vec<PathBuf>,
    /// Look for none
    #[arg(long)]
    pub(super) no_scan: bool,
    /// Add the certificate to the clusters of this kubeconfig that are targets; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(super) kubeconfig: Vec<PathBuf>,
}

/// A host, with what is to be trusted there.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) files: Files,
    pub(super) subject: Subject,
    pub(super) journal: Journal,
    pub(super) state_directory: PathBuf,
}

impl Host {
    /// Reads configuration, authority and journal.
    pub(super) fn open(arguments: &HostArguments) -> Result<Self, Failure> {
        let settings = settings(&arguments.config)?;
        let state_directory = settings.state_directory.clone();
        let files = Files::below(&arguments.root);
        let authority =
            Authority::read(&files, &state_directory).map_err(|error| failure(&error))?;
        let journal =
            Journal::open(&files, &state_directory).map_err(|error| failure(&error.into()))?;
        let line = ssh::line(&arguments.root, &settings)?;
        if authority.is_none() && line.is_none() {
            let path = state_directory.join("ca/host-ca.pem");
            let says = format!("there is no certificate of an authority: {}", path.display());
            return Err(Failure::new(Exit::Impossible, says).with_remedy(
                "The daemon makes it when it is first started with a target that offers clients \
                 TLS. Start it, then run this again.",
            ));
        }
        let (units, others) = governed(&settings);
        let ssh = line.map(|line| (PathBuf::from(ssh::SYSTEM_FILE), line));
        let subject = Subject { instance: settings.instance, authority, units, others, ssh };
        Ok(Self { files, subject, journal, state_directory })
    }

    /// What is asked for, with what was asked for before.
    pub(super) fn options(&self, arguments: &OptionArguments) -> Result<Options, Failure> {
        let before = self.journal.options();
        let whole = |path: &PathBuf| {
            std::path::absolute(path).map_err(|error| {
                Failure::new(Exit::NotGood, format!("{}: {error}", path.display()))
            })
        };
        let mut kubeconfigs = before.kubeconfigs.clone();
        for path in &arguments.kubeconfig {
            let path = whole(path)?;
            if !kubeconfigs.contains(&path) {
                kubeconfigs.push(path);
            }
        }
        let scan: Vec<PathBuf> = arguments.scan.iter().map(whole).collect::<Result<_, _>>()?;
        let scan = match (arguments.no_scan, scan.is_empty()) {
            (true, _) => Some(Vec::new()),
            (false, false) => Some(scan),
            (false, true) => before.scan.clone(),
        };
        let bind = arguments.bind || before.bind && !arguments.append;
        Ok(Options { bind, kubeconfigs, scan })
    }

    pub(super) fn plan(&self, arguments: &OptionArguments) -> Result<Plan, Failure> {
        let options = self.options(arguments)?;
        Plan::make(&self.files, &self.subject, &options).map_err(|error| failure(&error))
    }
}

/// Services that are governed or are workloads, and what else is, in words.
fn governed(settings: &Settings) -> (Vec<String>, Vec<String>) {
    let (mut units, mut others) = (BTreeSet::new(), BTreeSet::new());
    let mut unit = |name: &str| {
        if name.ends_with(".service") {
            units.insert(name.to_owned());
        } else {
            others.insert(name.to_owned());
        }
    };
    match &settings.govern {
        Govern::Host => unit("the rest of this host"),
        Govern::Parts(parts) => {
            for part in parts {
                match part {
                    Governed::SystemdUnit(name) => unit(name),
                    // The cgroup of a service has its name.
                    Governed::Cgroup(path) if path.ends_with(".service") => {
                        unit(path.rsplit('/').next().unwrap_or(path));
                    }
                    Governed::Cgroup(path) => unit(path),
                }
            }
        }
    }
    for workload in &settings.workloads {
        if let Some(name) = &workload.matching.systemd_unit {
            unit(name);
        }
    }
    (units.into_iter().collect(), others.into_iter().collect())
}

/// An error with what to do about it.
pub(super) fn failure(error: &TrustError) -> Failure {
    if error.is_permission() {
        return Failure::new(Exit::NotPermitted, error.to_string()).with_remedy("Run it as root.");
    }
    Failure::new(Exit::NotGood, error.to_string())
}

/// Has systemd read the drop-ins anew where it runs, and says so where it did not.
pub(super) fn reload_systemd(files: &Files) -> Option<String> {
    let error = crate::trust::daemon_reload(files).err()?;
    Some(format!("systemd has not read its files again; run systemctl daemon-reload ({error})"))
}

/// `2026-11-21`.
pub(super) fn day(seconds: u64) -> String {
    let moment = super::super::wording::moment(Timestamp::from_seconds(seconds));
    moment.split(' ').next().unwrap_or_default().to_owned()
}
