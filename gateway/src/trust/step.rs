//! A step: one file, what is done to it, and why.
//!
//! Owns the value. Must not do anything.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::TrustError;
use super::anchors::Anchoring;
use super::block::Marks;
use super::files::Files;

/// What kind of store a step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The system's store.
    System,
    /// The environment of governed units.
    Environment,
    /// Bundles that libraries bring with them.
    Bundle,
    /// Java keystores of their own.
    Java,
    /// Authorities in a kubeconfig.
    Kubeconfig,
    /// The system's SSH clients.
    Ssh,
}

/// One file, and what is done to it.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Its name: layer and path.
    pub id: String,
    /// The kind of store.
    pub layer: Layer,
    /// The file, links resolved.
    pub path: PathBuf,
    /// What is done.
    pub what: String,
    /// Who needs it: units, or programs.
    pub needed_by: Vec<String>,
    #[serde(skip)]
    pub(super) action: Action,
}

/// What is done to the file.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// It is ours as a whole.
    File { bytes: Vec<u8> },
    /// It is ours, and a tool of the system's takes it in.
    Anchor { bytes: Vec<u8>, system: Anchoring },
    /// A block of ours in it.
    Block { marks: Marks, body: Vec<u8> },
    /// A certificate of ours in a Java keystore.
    Keystore { tool: PathBuf, alias: String, pem: String },
    /// Certificates of ours in the data of these clusters.
    Kubeconfig { certificates: String, clusters: Vec<String>, data: Vec<String> },
}

impl Layer {
    /// All of them, in the order of their steps.
    pub const ALL: [Self; 6] =
        [Self::System, Self::Environment, Self::Bundle, Self::Java, Self::Kubeconfig, Self::Ssh];

    /// Why there is such a layer.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::System => {
                "OpenSSL, GnuTLS, Go, Java of the distribution, curl, wget, git read this store"
            }
            Self::Environment => {
                "Node brings its own list; requests, httpx, boto3, pip read a file that a variable \
                 names"
            }
            Self::Bundle => "certifi, botocore and pip bring a list of their own",
            Self::Java => "a runtime that was unpacked by hand brings its own keystore",
            Self::Kubeconfig => "a kubeconfig with authorities in it uses no other store",
            Self::Ssh => "OpenSSH takes host certificates of authorities in this file",
        }
    }

    /// What it risks.
    #[must_use]
    pub const fn risk(self) -> &'static str {
        match self {
            Self::System => {
                "every process of the host trusts the authority, for its names only; whoever has \
                 its key can be those servers to them"
            }
            Self::Environment => {
                "a job that sets the same variable itself wins; running units see nothing until \
                 they are restarted"
            }
            Self::Bundle => {
                "everybody who uses that Python trusts the authority, for its names only; an upgrade \
                 of the package takes it out"
            }
            Self::Java => "as with bundles, for everybody who uses that runtime",
            Self::Kubeconfig => "whoever uses that file trusts the authority for that cluster",
            Self::Ssh => "the system's SSH clients trust the authority, for the listed hosts only",
        }
    }
}

/// What steps are named that no plan knows of.
const BY_HAND: &str = "by hand:";

fn by_hand(path: &Path) -> String {
    format!("{BY_HAND}{}", path.display())
}

/// Whether a step of this name was asked for by itself, and is no plan's to take back.
pub(super) fn is_by_hand(id: &str) -> bool {
    id.starts_with(BY_HAND)
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "system",
            Self::Environment => "environment",
            Self::Bundle => "bundle",
            Self::Java => "java",
            Self::Kubeconfig => "kubeconfig",
            Self::Ssh => "ssh",
        })
    }
}

impl Step {
    pub(super) fn new(
        layer: Layer,
        path: PathBuf,
        what: impl Into<String>,
        action: Action,
    ) -> Self {
        let id = format!("{layer}:{}", path.display());
        Self { id, layer, path, what: what.into(), needed_by: Vec::new(), action }
    }

    /// The authority's line for the system's SSH clients. The path has its links resolved.
    pub(super) fn ssh(path: PathBuf, instance: &str, line: &str) -> Self {
        let action =
            Action::Block { marks: Marks::of_ssh(instance), body: line.as_bytes().to_vec() };
        Self::new(Layer::Ssh, path, "add the authority's line", action)
            .for_whom(vec![String::from("ssh, scp, sftp, and what runs them")])
    }

    /// The same in a file that somebody named: no plan knows of it, so none takes it back.
    ///
    /// # Errors
    /// Where the way to the file cannot be read.
    pub fn ssh_by_hand(
        files: &Files,
        file: &Path,
        instance: &str,
        line: &str,
    ) -> Result<Self, TrustError> {
        let step = Self::ssh(files.resolve(file)?, instance, line);
        Ok(Self { id: by_hand(&step.path), ..step })
    }

    /// The same in the system's file, as a plan has it.
    ///
    /// # Errors
    /// Where the way to the file cannot be read.
    pub fn ssh_of_system(
        files: &Files,
        file: &Path,
        instance: &str,
        line: &str,
    ) -> Result<Self, TrustError> {
        Ok(Self::ssh(files.resolve(file)?, instance, line))
    }

    pub(super) fn for_whom(mut self, needed_by: Vec<String>) -> Self {
        self.needed_by = needed_by;
        self
    }
}
