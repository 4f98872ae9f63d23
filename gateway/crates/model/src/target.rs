//! What the whole house knows of a target: its protocol and environment.
//!
//! Owns two small types. Must not know addresses, TLS or credentials (configuration, `tls`,
//! `credentials`).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::access::Domain;

/// The protocol of a target. The registry of drivers is keyed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// PostgreSQL's frontend/backend protocol, version 3.
    Postgres,
    /// The secure shell protocol, version 2.
    Ssh,
    /// HTTP, versions 1.1 and 2.
    Http,
    /// The client/server protocol of MySQL and MariaDB.
    Mysql,
    /// The API of a Kubernetes cluster, over HTTP.
    Kubernetes,
}

impl Protocol {
    /// Every protocol, for sweeps.
    pub const ALL: &'static [Self] =
        &[Self::Postgres, Self::Ssh, Self::Http, Self::Mysql, Self::Kubernetes];

    /// The word used in configuration, audit and command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Ssh => "ssh",
            Self::Http => "http",
            Self::Mysql => "mysql",
            Self::Kubernetes => "kubernetes",
        }
    }

    /// The family of actions its operations need.
    #[must_use]
    pub const fn domain(self) -> Domain {
        match self {
            Self::Postgres | Self::Mysql => Domain::Sql,
            Self::Ssh => Domain::Ssh,
            Self::Http => Domain::Http,
            Self::Kubernetes => Domain::Kubernetes,
        }
    }

    /// What a session connects to, as its operation names it: a database, or the target itself.
    #[must_use]
    pub const fn connects_to(self) -> &'static str {
        match self {
            Self::Postgres | Self::Mysql => "database",
            Self::Ssh | Self::Http | Self::Kubernetes => "target",
        }
    }

    /// Whether it is carried by HTTP: its targets have what targets of HTTP have.
    #[must_use]
    pub const fn is_over_http(self) -> bool {
        matches!(self, Self::Http | Self::Kubernetes)
    }

    /// Reads the word that [`Protocol::as_str`] gives.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|protocol| protocol.as_str() == word)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The environment of a target (`prod`, `staging`, ...): free text that rules may name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Environment(pub Arc<str>);
