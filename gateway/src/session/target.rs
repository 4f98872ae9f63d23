//! A target as a session needs it: everything resolved, nothing left to look up by name.
//!
//! Owns the run-time form. Must not know the configuration it was made from. Shared by the
//! sessions of a target; a reload makes new ones.

use std::net::SocketAddr;
use std::sync::Arc;

use model::{Environment, HostPattern, Protocol, TargetName};

use crate::credentials::CredentialSettings;
use crate::host_keys::{ClientHostKey, HostKeyTrust};
use crate::tls::UpstreamTls;

/// Whether decisions bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// Denials and holds are carried out.
    Enforce,
    /// Everything is decided and recorded, nothing refused.
    Observe,
}

/// Whether workloads get TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientTls {
    /// Whoever asks gets it.
    Offer,
    /// Whoever does not ask is refused.
    Require,
    /// Nobody gets it.
    Refuse,
}

/// What happens to new operations when the recording cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRecordingFailure {
    /// They are refused.
    Deny,
    /// They go through unrecorded, with an event.
    Allow,
}

/// A name of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetHost {
    /// The name, as it is configured.
    pub name: Arc<str>,
    /// What it stood for when it was last resolved.
    pub addresses: Vec<SocketAddr>,
}

/// What a target of SSH has beside the rest.
#[derive(Clone, Debug)]
pub struct SshTarget {
    /// The names it is configured with; its addresses are the target's.
    pub names: Vec<TargetHost>,
    /// The logins that belong to it; empty for all.
    pub users: Vec<Arc<str>>,
    /// What the upstream's host key is checked against.
    pub upstream_host_keys: HostKeyTrust,
    /// What the gateway shows clients.
    pub client_host_key: ClientHostKey,
    /// Whether paths are judged as the upstream resolves them (symbolic links followed).
    pub strict_paths: bool,
}

/// What happens to clients that do not trust the gateway's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UntrustingClients {
    /// They are refused.
    Deny,
    /// They reach the target, and nothing of what they do is judged.
    Passthrough,
}

/// What a target of HTTP has beside the rest.
#[derive(Clone, Debug)]
pub struct HttpTarget {
    /// The hosts that requests may be for; not empty.
    pub hosts: Vec<HostPattern>,
    /// What happens to clients that do not trust the gateway's certificate.
    pub untrusting_clients: UntrustingClients,
    /// Whether `%2F` may stand in a path; requests with one are refused otherwise.
    pub encoded_slashes: bool,
    /// The names it is configured with; its addresses are the target's.
    pub names: Vec<TargetHost>,
}

impl HttpTarget {
    /// Whether requests for this host belong to the target.
    #[must_use]
    pub fn serves(&self, host: &str) -> bool {
        self.hosts.iter().any(|pattern| pattern.matches(host))
    }
}

/// A target.
#[derive(Debug)]
pub struct Target {
    /// Its name.
    pub name: TargetName,
    /// Its protocol.
    pub protocol: Protocol,
    /// Its environment.
    pub environment: Option<Environment>,
    /// The addresses that are captured for it.
    pub addresses: Vec<SocketAddr>,
    /// The databases that belong to it; empty for all.
    pub databases: Vec<Arc<str>>,
    /// Whether workloads get TLS.
    pub client_tls: ClientTls,
    /// How the upstream is reached over TLS.
    pub upstream_tls: UpstreamTls,
    /// What is logged in with.
    pub credential: CredentialSettings,
    /// Whether decisions bind.
    pub enforcement: Enforcement,
    /// What happens when the recording cannot be written.
    pub on_recording_failure: OnRecordingFailure,
    /// Whether allowed operations get an audit line too.
    pub audit_allowed: bool,
    /// What it has as a target of SSH.
    pub ssh: Option<SshTarget>,
    /// What it has as a target of HTTP.
    pub http: Option<HttpTarget>,
}
