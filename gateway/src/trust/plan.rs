//! The plan: every step that this host needs, and what no step can do.
//!
//! Owns finding the steps. Must not change anything: it looks at the host and at nothing else, so
//! that it says the same thing before and after the steps are done.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::anchors::{self, Anchoring};
use super::block::{Marks, Rest};
use super::files::Files;
use super::journal::sha256;
use super::scan::{self, Discovered, Scan};
use super::step::{Action, Layer, Step};
use super::units::{self, Unit};
use super::{Authority, TrustError, environment, keystore, kubeconfig, systemd};

/// Where our own files are, below a directory for each instance.
const OUR_DIRECTORY: &str = "/etc/portcullis-trust";
/// Bundles that are bound over others, for one unit.
const BINDS_MAX: usize = 64;

/// What is to be trusted, and by whom.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The instance.
    pub instance: String,
    /// The authority for TLS, if there is one.
    pub authority: Option<Authority>,
    /// Names of governed services.
    pub units: Vec<String>,
    /// What else is governed, in words.
    pub others: Vec<String>,
    /// The file and the line by which SSH clients take our host certificates.
    pub ssh: Option<(PathBuf, String)>,
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Bundles are not edited: units see a copy in their place.
    pub bind: bool,
    /// Kubeconfigs to edit.
    pub kubeconfigs: Vec<PathBuf>,
    /// Where bundles are looked for; `None` for the usual directories.
    pub scan: Option<Vec<PathBuf>>,
}

/// Every step, and what no step can do.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// In the order in which they are done.
    pub steps: Vec<Step>,
    /// What an operator has to know, or do.
    pub notes: Vec<String>,
    /// Lines for jobs that are not services: cron, shells, containers.
    pub exports: Vec<String>,
    #[serde(skip)]
    pub(super) options: Options,
}

/// The parts that go into a plan.
struct Planner<'a> {
    files: &'a Files,
    subject: &'a Subject,
    options: &'a Options,
    marks: Marks,
    plan: Plan,
}

impl Plan {
    /// Looks at the host.
    ///
    /// # Errors
    /// Where a file that was named cannot be used.
    pub fn make(files: &Files, subject: &Subject, options: &Options) -> Result<Self, TrustError> {
        let plan = Self {
            steps: Vec::new(),
            notes: Vec::new(),
            exports: Vec::new(),
            options: options.clone(),
        };
        let marks = Marks::of_bundle(&subject.instance);
        let mut planner = Planner { files, subject, options, marks, plan };
        if let Some(authority) = &subject.authority {
            planner.tls(authority)?;
        }
        planner.ssh()?;
        let mut plan = planner.plan;
        let mut seen = BTreeSet::new();
        plan.steps.retain(|step| seen.insert(step.id.clone()));
        plan.steps.sort_by_key(|step| step.layer);
        Ok(plan)
    }
}

impl Planner<'_> {
    fn tls(&mut self, authority: &Authority) -> Result<(), TrustError> {
        let system = anchors::find(self.files, &self.subject.instance);
        self.anchor(authority, system.as_ref());
        let ours = self.ours("host-ca.pem")?;
        let certificate = authority.text().into_bytes();
        let bundle = self.bundle(system.as_ref(), &certificate)?;
        let found = Scan::of(self.options.scan.as_deref()).run(self.files);
        if !found.complete {
            self.note(
                "The scan for bundles stopped at its bound; name the directories of your programs \
                 with --scan DIR.",
            );
        }
        let units: Vec<Unit> = self.subject.units.iter().map(|name| self.unit(name)).collect();
        let binds = self.bundles(&found, &units, &certificate, bundle.as_deref())?;
        self.environment(&ours, &certificate, bundle.as_deref(), &units, &binds)?;
        self.java(&found, authority)?;
        self.kubeconfigs(authority)
    }

    fn note(&mut self, text: impl Into<String>) {
        self.plan.notes.push(text.into());
    }

    fn ours(&self, name: &str) -> Result<PathBuf, TrustError> {
        let path = Path::new(OUR_DIRECTORY).join(&self.subject.instance).join(name);
        Ok(self.files.resolve(&path)?)
    }

    fn unit(&self, name: &str) -> Unit {
        units::read(self.files, name, Some(&units::drop_in(name, &self.subject.instance)))
    }

    fn anchor(&mut self, authority: &Authority, system: Option<&Anchoring>) {
        let Some(system) = system else {
            return self.note(
                "This host has no tool for its store that is known here (update-ca-certificates, \
                 update-ca-trust): programs that read only that store need the certificate put in \
                 by hand.",
            );
        };
        let tool = system.tool.first().map_or("", String::as_str);
        let what = format!("put the certificate there, run {tool}");
        let bytes = authority.text().into_bytes();
        let action = Action::Anchor { bytes, system: system.clone() };
        let step = Step::new(Layer::System, system.file.clone(), what, action);
        self.plan.steps.push(step.for_whom(vec![String::from("every program of the host")]));
    }

    /// The bundle that variables name: the system's, which its tool keeps up to date, or a copy.
    fn bundle(
        &mut self,
        system: Option<&Anchoring>,
        certificate: &[u8],
    ) -> Result<Option<PathBuf>, TrustError> {
        if let Some(system) = system {
            return Ok(Some(system.bundle.clone()));
        }
        let Some(bundle) = anchors::bundle(self.files) else { return Ok(None) };
        let bytes = self.with_ours(&self.files.resolve(&bundle)?, certificate)?;
        let path = self.ours("bundle.pem")?;
        let what = format!("copy {} and add the certificate", bundle.display());
        let step = Step::new(Layer::Environment, path.clone(), what, Action::File { bytes });
        self.plan.steps.push(step.for_whom(self.subject.units.clone()));
        Ok(Some(path))
    }

    /// A bundle without a block of ours, and with the certificate behind it.
    fn with_ours(&self, bundle: &Path, certificate: &[u8]) -> Result<Vec<u8>, TrustError> {
        let found = self.files.read(bundle)?.map(|found| found.bytes).unwrap_or_default();
        let mut bytes = match self.marks.without(&found)? {
            Some(Rest::Bytes(bytes)) => bytes,
            Some(Rest::Nothing) => Vec::new(),
            None => found,
        };
        if !bytes.is_empty() && !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(certificate);
        Ok(bytes)
    }

    fn environment(
        &mut self,
        ours: &Path,
        certificate: &[u8],
        bundle: Option<&Path>,
        units: &[Unit],
        binds: &[(String, String)],
    ) -> Result<(), TrustError> {
        let variables = environment::variables(ours, bundle);
        let who = if units.is_empty() {
            vec![String::from("whoever sets the lines below")]
        } else {
            units.iter().map(|unit| unit.name.clone()).collect()
        };
        let action = Action::File { bytes: certificate.to_vec() };
        let step =
            Step::new(Layer::Environment, ours.to_owned(), "put the certificate there", action);
        self.plan.steps.push(step.for_whom(who));
        for unit in units {
            self.unit_steps(unit, &variables, certificate, bundle, binds)?;
        }
        self.plan.exports = environment::exports(&variables);
        let mut others = self.subject.others.clone();
        others.push(String::from("cron jobs, shells and containers"));
        self.note(format!(
            "Environment is set for governed services only. For {} set these lines where they start.",
            others.join(", ")
        ));
        if !units.is_empty() {
            self.note(if systemd::runs(self.files) {
                "apply has systemd read the drop-ins (systemctl daemon-reload)."
            } else {
                "systemd does not run here: it reads the drop-ins when it is started, and no \
                 daemon-reload is done."
            });
            let names: Vec<&str> = units.iter().map(|unit| unit.name.as_str()).collect();
            self.note(format!(
                "Running services see a changed environment when they are restarted: systemctl \
                 restart {}",
                names.join(" ")
            ));
        }
        Ok(())
    }

    fn unit_steps(
        &mut self,
        unit: &Unit,
        variables: &[(&'static str, String)],
        certificate: &[u8],
        bundle: Option<&Path>,
        binds: &[(String, String)],
    ) -> Result<(), TrustError> {
        if !unit.known {
            self.note(format!(
                "{} has no unit file here; its drop-in is written all the same.",
                unit.name
            ));
        }
        let mut set = Vec::new();
        for (name, value) in variables {
            match unit.environment.get(*name) {
                None => set.push((*name, value.clone())),
                // It has a list of its own, which is to stay in force.
                Some(own) if own.starts_with('/') => {
                    let path = self.files.resolve(Path::new(own))?;
                    let system = bundle.and_then(|bundle| self.files.resolve(bundle).ok());
                    if Some(&path) != system.as_ref() && self.files.is_file(&path) {
                        let what = format!("add the certificate: {} names it", name);
                        self.block(path, what, certificate, vec![unit.name.clone()]);
                    }
                }
                Some(_) => {}
            }
        }
        let path = units::drop_in(&unit.name, &self.subject.instance);
        let text = environment::drop_in(&self.subject.instance, &set, binds);
        let what = match binds.len() {
            0 => format!("set {} variables", set.len()),
            count => format!("set {} variables, bind {count} bundles", set.len()),
        };
        let path = self.files.resolve(&path)?;
        let action = Action::File { bytes: text.into_bytes() };
        let step = Step::new(Layer::Environment, path, what, action);
        self.plan.steps.push(step.for_whom(vec![unit.name.clone()]));
        Ok(())
    }

    /// A block in a file of certificates; a name that leads to anything else is not followed, for
    /// whoever can change the name could have any file written to.
    fn block(&mut self, path: PathBuf, what: String, body: &[u8], who: Vec<String>) {
        if !scan::holds_certificates(self.files, &path) {
            return self.note(format!(
                "{} holds no certificates in PEM: nothing is done to it ({what}).",
                path.display()
            ));
        }
        let action = Action::Block { marks: self.marks.clone(), body: body.to_vec() };
        self.plan.steps.push(Step::new(Layer::Bundle, path, what, action).for_whom(who));
    }

    /// Steps for bundles, or what is bound over them.
    fn bundles(
        &mut self,
        found: &Discovered,
        units: &[Unit],
        certificate: &[u8],
        system: Option<&Path>,
    ) -> Result<Vec<(String, String)>, TrustError> {
        let system = system.map(|system| self.files.resolve(system)).transpose()?;
        let mut binds = Vec::new();
        for path in found.bundles.iter().filter(|path| Some(*path) != system.as_ref()) {
            let who = users_of(path, units);
            if !self.options.bind {
                self.block(path.clone(), String::from("add the certificate"), certificate, who);
                continue;
            }
            let odd = |c: char| c.is_whitespace() || matches!(c, ':' | '%' | '"' | '\'' | '\\');
            let text = path.display().to_string();
            if text.contains(odd) || binds.len() >= BINDS_MAX {
                self.note(format!(
                    "{text} cannot be bound over; use --append, or name less with --scan."
                ));
                continue;
            }
            let name: String = sha256(text.as_bytes()).chars().take(16).collect();
            let copy = self.ours(&format!("bundles/{name}.pem"))?;
            let bytes = self.with_ours(path, certificate)?;
            let what = format!("copy {text} and add the certificate");
            let step = Step::new(Layer::Bundle, copy.clone(), what, Action::File { bytes });
            self.plan.steps.push(step.for_whom(self.subject.units.clone()));
            binds.push((copy.display().to_string(), text));
        }
        Ok(binds)
    }

    fn java(&mut self, found: &Discovered, authority: &Authority) -> Result<(), TrustError> {
        for named in &found.keystores {
            let path = self.files.resolve(named)?;
            if anchors::keeps_java(self.files, &path) || !self.files.is_file(&path) {
                continue;
            }
            let alias = format!("portcullis-{}", self.subject.instance).to_lowercase();
            let Some(tool) = keystore::tool(self.files, named) else {
                self.note(format!(
                    "{} is a Java keystore of its own and there is no keytool; with one: keytool \
                     -importcert -noprompt -alias {alias} -file {} -keystore {0} -storepass changeit",
                    path.display(),
                    authority.file.display(),
                ));
                continue;
            };
            let pem = authority.text();
            let action = Action::Keystore { tool, alias: alias.clone(), pem };
            let what = format!("import the certificate as {alias}");
            let home = named.ancestors().nth(3).unwrap_or(named);
            let who = vec![format!("programs that {} runs", home.join("bin/java").display())];
            self.plan.steps.push(Step::new(Layer::Java, path, what, action).for_whom(who));
        }
        Ok(())
    }

    fn kubeconfigs(&mut self, authority: &Authority) -> Result<(), TrustError> {
        for named in &self.options.kubeconfigs {
            let unfit = |error: &dyn std::fmt::Display| {
                TrustError::Unfit(format!("{}: {error}", named.display()))
            };
            let path = self.files.resolve(named)?;
            let text = self.files.text(&path).ok_or_else(|| unfit(&"it cannot be read"))?;
            let ours = |host: &str| authority.names.iter().any(|name| name == host);
            let found = kubeconfig::look(&text, ours).map_err(|error| unfit(&error))?;
            if found.clusters.is_empty() {
                let says = "it has no cluster whose server is a target";
                self.note(format!("{}: {says}; nothing is done to it.", named.display()));
            }
            let who = || found.clusters.iter().map(|name| format!("cluster {name}")).collect();
            for file in &found.files {
                // Named from the directory of the kubeconfig.
                let file = path.parent().unwrap_or(Path::new("/")).join(file);
                let file = self.files.resolve(&file)?;
                let what = format!("add the certificate: {} names it", named.display());
                self.block(file, what, authority.text().as_bytes(), who());
            }
            if !found.data.is_empty() {
                let certificates = authority.text();
                let who = who();
                let action =
                    Action::Kubeconfig { certificates, clusters: found.clusters, data: found.data };
                let what = "add the certificate to certificate-authority-data";
                self.plan
                    .steps
                    .push(Step::new(Layer::Kubeconfig, path, what, action).for_whom(who));
            }
        }
        Ok(())
    }

    fn ssh(&mut self) -> Result<(), TrustError> {
        if let Some((path, line)) = &self.subject.ssh {
            let path = self.files.resolve(path)?;
            self.plan.steps.push(Step::ssh(path, &self.subject.instance, line));
        }
        Ok(())
    }
}

/// Units that run something below the directory that a bundle belongs to; else whoever runs its
/// interpreter.
fn users_of(bundle: &Path, units: &[Unit]) -> Vec<String> {
    let Some(prefix) = scan::prefix(bundle) else { return vec![String::from("unknown")] };
    let runs = |unit: &&Unit| {
        unit.programs.iter().any(|one| one.starts_with(prefix))
            || unit.words.iter().any(|one| Path::new(one).starts_with(prefix))
    };
    let users: Vec<String> = units.iter().filter(runs).map(|unit| unit.name.clone()).collect();
    // The system's own interpreter is anybody's.
    if users.is_empty() || prefix == Path::new("/usr") {
        return vec![format!("jobs of {}", prefix.join("bin/python3").display())];
    }
    users
}
