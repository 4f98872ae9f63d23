//! The checked configuration: nothing in it needs to be parsed or doubted again.
//!
//! Owns the shapes that the composition root hands out. Must not know how they were written.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::{
    Environment, Group, HostPattern, HttpCredential, Limits, Protocol, TargetName, WorkloadName,
};
use policy::Policy;

use super::error::{ConfigError, ConfigWarning};

/// The checked configuration.
#[derive(Debug)]
pub struct Settings {
    /// Name of this gateway.
    pub instance: String,
    /// Directory of what must survive a restart.
    pub state_directory: PathBuf,
    /// What the kernel captures.
    pub govern: Govern,
    /// What governed tasks may reach beside the targets.
    pub unlisted_destinations: UnlistedDestinations,
    /// Who a captured socket can belong to.
    pub workloads: Vec<WorkloadSettings>,
    /// Who issues tokens.
    pub identity_providers: Vec<IdentityProviderSettings>,
    /// What is reached through the gateway.
    pub targets: Vec<TargetSettings>,
    /// Roles, rules and classification, compiled.
    pub policy: Arc<Policy>,
    /// Recordings.
    pub recording: RecordingSettings,
    /// The audit log.
    pub audit: AuditSettings,
    /// The local API.
    pub control: ControlSettings,
    /// Port of the listeners, on the loopback addresses of each network namespace.
    pub listen_port: u16,
    /// Where metrics are served, if they are.
    pub metrics_listen: Option<SocketAddr>,
    /// Limits.
    pub limits: Limits,
    /// What an operator should know of.
    pub warnings: Vec<ConfigWarning>,
    /// Files on this host that the configuration refers to.
    pub(super) referenced: Vec<ReferencedFile>,
}

/// A file that the configuration refers to.
#[derive(Debug)]
pub(super) struct ReferencedFile {
    pub(super) path: PathBuf,
    /// What to say if it does not exist.
    pub(super) missing: ConfigError,
}

/// What the kernel captures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Govern {
    /// Every task but the gateway's own.
    Host,
    /// These parts of the cgroup tree; none governs nothing.
    Parts(Vec<Governed>),
}

/// A part of the cgroup tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Governed {
    /// The cgroup of a systemd unit, wherever it stands.
    SystemdUnit(String),
    /// A cgroup and all below it, by its path under the cgroup2 root, with a leading slash.
    Cgroup(String),
}

/// What governed tasks may reach beside the targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnlistedDestinations {
    /// Anything; counted.
    Allow,
    /// Nothing.
    Deny,
}

/// A workload.
#[derive(Clone, Debug)]
pub struct WorkloadSettings {
    /// Its name.
    pub name: WorkloadName,
    /// What a process must be to belong to it.
    pub matching: WorkloadMatch,
    /// What gives it its groups.
    pub identity: WorkloadIdentity,
}

/// What a process must be: all that is `Some`, and at least one is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkloadMatch {
    /// The systemd unit, by its full name.
    pub systemd_unit: Option<String>,
    /// The cgroup, or one above it: a path with a leading and no trailing slash.
    pub cgroup: Option<String>,
    /// The user.
    pub user: Option<UserMatch>,
    /// The executable.
    pub executable: Option<PathBuf>,
    /// The container's id, or at least its first 12 digits, in lower case.
    pub container: Option<String>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserMatch {
    /// By name.
    Name(String),
    /// By number.
    Id(u32),
}

/// What gives a workload its groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkloadIdentity {
    /// The configuration.
    Groups(BTreeSet<Group>),
    /// A token, without which it is refused.
    Token {
        /// Name of the identity provider; there is one of that name.
        provider: String,
        /// The file, in the workload's mount namespace.
        file: PathBuf,
    },
}

/// An identity provider.
#[derive(Clone, Debug)]
pub struct IdentityProviderSettings {
    /// Its name.
    pub name: String,
    /// The `iss` claim, exactly.
    pub issuer: String,
    /// The `aud` claim must hold one of these; not empty.
    pub audiences: Vec<String>,
    /// The claim that lists the groups.
    pub groups_claim: String,
    /// Its keys.
    pub jwks: JwksSource,
    /// Accepted algorithms; not empty, and never a symmetric one.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// How much clocks may differ.
    pub clock_skew: Duration,
    /// How long keys from a URL are used while it cannot be reached.
    pub keys_kept_for: Duration,
}

/// Where the keys of a provider are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwksSource {
    /// In a file.
    File(PathBuf),
    /// At an `https` URL.
    Url {
        /// The URL.
        url: String,
        /// The authorities that are trusted there, in PEM; `None` for the host's.
        authorities: Option<PathBuf>,
    },
}

/// A signature algorithm of JWS (RFC 7518, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

impl SignatureAlgorithm {
    /// Its name in JWS.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// A target.
#[derive(Clone, Debug)]
pub struct TargetSettings {
    /// Its name.
    pub name: TargetName,
    /// What is spoken there.
    pub protocol: Protocol,
    /// Where it is; not empty.
    pub addresses: Vec<TargetAddress>,
    /// The databases that belong to it; empty for all.
    pub databases: Vec<Arc<str>>,
    /// Its environment.
    pub environment: Option<Environment>,
    /// TLS towards the workload.
    pub client_tls: ClientTls,
    /// TLS towards the upstream.
    pub upstream_tls: UpstreamTls,
    /// What only SSH has: there for `ssh`, and for nothing else.
    pub ssh: Option<SshSettings>,
    /// What only HTTP has: there for `http` and `kubernetes`, and for nothing else.
    pub http: Option<HttpSettings>,
    /// What the gateway logs in with.
    pub credential: CredentialSettings,
    /// Whether decisions are enforced.
    pub enforcement: Enforcement,
    /// Whether allowed operations get an audit line.
    pub audit_allowed_operations: bool,
    /// What happens to operations that cannot be recorded.
    pub on_recording_failure: OnRecordingFailure,
}

/// Where a target is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetAddress {
    /// At an address. Never v4-mapped, unspecified or multicast; the port is not 0.
    Ip(SocketAddr),
    /// At whatever a name resolves to.
    Name {
        /// The name, in lower case, without a trailing dot.
        host: String,
        /// The port, not 0.
        port: u16,
    },
}

/// TLS towards the workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientTls {
    /// Whoever asks gets it.
    Offer,
    /// Whoever does not ask is refused.
    Require,
    /// Nobody gets it.
    Refuse,
}

/// TLS towards an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamTls {
    /// What is verified.
    pub mode: UpstreamTlsMode,
    /// The authorities that are trusted, in PEM; `None` for the host's.
    pub authorities: Option<PathBuf>,
    /// The name that the certificate must have; `None` for that of the address.
    pub server_name: Option<String>,
    /// What the gateway shows to a server that asks for a certificate.
    pub client_certificate: Option<ClientCertificate>,
}

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The file of the certificate and what leads to its authority, leaf first, in PEM.
    pub certificate: PathBuf,
    /// The file of its key, in PEM.
    pub key: PathBuf,
}

/// What is verified of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamTlsMode {
    /// Certificate and name.
    VerifyFull,
    /// Certificate.
    VerifyAuthority,
    /// Nothing; the connection is encrypted.
    Require,
    /// No TLS.
    Disable,
}

/// What only a target of SSH has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshSettings {
    /// The logins that belong to it; empty for all.
    pub users: Vec<Arc<str>>,
    /// What the upstream's host key is verified against.
    pub upstream_host_keys: HostKeySettings,
    /// Who the gateway is to the client.
    pub client_host_key: ClientHostKeySettings,
    /// Whether rules see paths as the target resolves them, symbolic links included.
    pub strict_paths: bool,
}

/// What an upstream's host key is verified against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostKeySettings {
    /// A file in the form of OpenSSH's `known_hosts`.
    KnownHosts(PathBuf),
    /// A file with the public keys of authorities for host certificates.
    CertificateAuthority(PathBuf),
}

/// Who the gateway is to an SSH client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientHostKeySettings {
    /// The holder of a certificate by the gateway's own authority.
    Certificate,
    /// The target itself: files of its private host keys; not empty.
    Enrolled(Vec<PathBuf>),
}

/// What only a target of HTTP has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// The hosts that requests may be for; not empty.
    pub hosts: Vec<HostPattern>,
    /// What happens to clients that do not trust the gateway's certificate.
    pub untrusting_clients: UntrustingClients,
    /// The authority in whose name certificates are shown to clients; `None` for the gateway's own.
    pub client_authority: Option<ClientCertificate>,
    /// Whether `%2F` may stand in a path; requests with one are refused otherwise.
    pub encoded_slashes: bool,
}

/// What happens to clients that do not trust the gateway's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UntrustingClients {
    /// They are refused.
    Deny,
    /// They reach the target, and nothing of what they do is judged.
    Passthrough,
}

/// What the gateway logs in with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialSettings {
    /// The user; `None` for the one that the workload asks for, which only SSH can, and for HTTP.
    pub user: Option<String>,
    /// Where the password is; `None` where the upstream asks for none.
    pub password: Option<SecretSource>,
    /// Where the private key is. SSH only, and there is one of it and the password.
    pub private_key: Option<SecretSource>,
    /// The certificate of the private key. Never without one.
    pub certificate: Option<PathBuf>,
    /// What a target of HTTP has instead of all that.
    pub http: Option<HttpCredential<SecretSource>>,
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In a file.
    File(PathBuf),
    /// In an environment variable of the gateway.
    Environment(String),
    /// In a systemd credential of the gateway's unit.
    SystemdCredential(String),
}

/// Whether decisions are enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// What is denied is refused.
    Enforce,
    /// Everything is decided and recorded, nothing refused.
    Observe,
}

/// What happens to operations that cannot be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRecordingFailure {
    /// They are refused.
    Deny,
    /// They go on.
    Allow,
}

/// Recordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingSettings {
    /// Where they are kept.
    pub directory: PathBuf,
}

/// The audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSettings {
    /// Its file.
    pub file: PathBuf,
}

/// The local API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlSettings {
    /// Its socket.
    pub socket: PathBuf,
    /// Who is in which approver group. A group that is not here is the host's group of its name.
    pub approver_groups: BTreeMap<Group, ApproverMembers>,
}

/// Who is in an approver group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApproverMembers {
    /// Users of the host.
    pub users: Vec<String>,
    /// Groups of the host.
    pub groups: Vec<String>,
}
