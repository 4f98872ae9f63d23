//! Keys about targets.
//!
//! Owns their names, kinds and documentation. Must not know what makes a value good (`check`).

use model::Protocol;
use schemars::JsonSchema;
use serde::Deserialize;

use super::http::{
    RawAwsCredential, RawEncodedSlashes, RawHeaderCredential, RawOAuth2Credential,
    RawQueryCredential, RawUntrusting,
};
use super::scalar::{Word, WordOr, Words};
use super::ssh::{RawCertificate, RawClientHostKey, RawHostKeys, RawSftpPaths};
use crate::config::read::At;

/// A named upstream.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Target")]
pub(in crate::config) struct RawTarget {
    /// Its name.
    pub(in crate::config) name: At<String>,
    /// What is spoken there.
    #[schemars(with = "Word<Protocol>")]
    pub(in crate::config) protocol: At<Protocol>,
    /// Where it is: `10.0.5.10:5432`, `[fd00::10]:5432` or `db.example:5432`.
    pub(in crate::config) addresses: At<Vec<At<String>>>,
    /// The databases that belong to it; others at the same address do not. Default: all. For
    /// `postgres`.
    pub(in crate::config) databases: Option<At<Vec<At<String>>>>,
    /// The logins that belong to it; others are refused. Default: all. For `ssh`.
    pub(in crate::config) users: Option<At<Vec<At<String>>>>,
    /// Its environment, such as `prod`, for rules to name.
    pub(in crate::config) environment: Option<At<String>>,
    /// TLS between the workload and the gateway. Default: `offer`. Not for `ssh`.
    pub(in crate::config) client_tls: Option<At<RawClientTls>>,
    /// TLS between the gateway and the upstream: a word, or a word with more. `require` and
    /// `disable` leave open who answers: use them for tests only. Default: `verify-full`. Not for
    /// `ssh`.
    pub(in crate::config) upstream_tls: Option<At<RawUpstreamTls>>,
    /// What the upstream's host key is verified against. For `ssh`, which needs it.
    pub(in crate::config) host_keys: Option<At<RawHostKeys>>,
    /// Who the gateway is to the workload's client: the word `certificate` for the holder of a host
    /// certificate by the gateway's own authority, or the target's own host keys. Default:
    /// `certificate`. For `ssh`.
    pub(in crate::config) client_host_key: Option<At<RawClientHostKey>>,
    /// Whether rules see the paths of SFTP as the target resolves them (`strict`) or as they are
    /// written (`lexical`). Default: `strict`. For `ssh`.
    pub(in crate::config) sftp_paths: Option<At<RawSftpPaths>>,
    /// The hosts that requests may be for, by TLS (SNI) and by the request itself: names, addresses
    /// and patterns such as `*.api.example`. Others are refused. Several targets may share an
    /// address where their hosts tell them apart. Default: the names and addresses of `addresses`.
    /// For `http` and `kubernetes`.
    pub(in crate::config) hosts: Option<At<Vec<At<String>>>>,
    /// What happens to clients that do not trust the gateway's certificate. Default: `deny`. For
    /// `http` and `kubernetes`.
    pub(in crate::config) untrusting_clients: Option<At<RawUntrusting>>,
    /// An authority that clients trust already, in whose name the gateway shows certificates for
    /// this target: one below the cluster's own, so that kubeconfig files stay as they are. Limit
    /// it to the target's names. Default: the gateway's own authority. For `http` and `kubernetes`.
    pub(in crate::config) client_authority: Option<At<RawClientCertificate>>,
    /// What happens to requests with a `%2F` in their path. Default: `refuse`. For `http`.
    pub(in crate::config) encoded_slashes: Option<At<RawEncodedSlashes>>,
    /// What the gateway logs in with. The workload's own is not used.
    pub(in crate::config) credential: At<RawCredential>,
    /// Whether decisions are enforced, or only recorded. Default: `enforce`.
    pub(in crate::config) enforcement: Option<At<RawEnforcement>>,
    /// What of this target is written to the audit log.
    pub(in crate::config) audit: Option<At<RawTargetAudit>>,
    /// What happens to operations while the session cannot be recorded. Default: `deny`.
    pub(in crate::config) on_recording_failure: Option<At<RawOnFailure>>,
}

/// TLS between the workload and the gateway.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ClientTls", inline)]
pub(in crate::config) enum RawClientTls {
    /// Whoever asks for TLS gets it.
    Offer,
    /// Whoever does not ask is refused.
    Require,
    /// Whoever asks is told that there is none.
    Refuse,
}

/// TLS between the gateway and the upstream.
pub(in crate::config) type RawUpstreamTls = WordOr<TlsMode, RawUpstreamTlsMore>;

/// How the upstream is verified, and by what.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UpstreamTls")]
pub(in crate::config) struct RawUpstreamTlsMore {
    /// `verify-full` (certificate and name), `verify-ca` (certificate), `require` (**not
    /// verified**: encrypted to whoever answers, who may be anybody on the way) or `disable`.
    #[schemars(with = "Word<TlsMode>")]
    pub(in crate::config) mode: At<String>,
    /// File of the authorities that are trusted, in PEM. Default: the host's.
    pub(in crate::config) ca: Option<At<String>>,
    /// The name that the certificate must have, at every address of the target. Default: the one
    /// of the first address.
    pub(in crate::config) server_name: Option<At<String>>,
    /// What the gateway shows to a server that asks for a certificate. Default: nothing.
    pub(in crate::config) client_certificate: Option<At<RawClientCertificate>>,
}

/// A certificate of the gateway's own. Its files are read at the start and at a reload.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ClientCertificate")]
pub(in crate::config) struct RawClientCertificate {
    /// File of the certificate, and of those that lead to its authority, leaf first, in PEM.
    pub(in crate::config) certificate: At<String>,
    /// File of its key, in PEM, readable by the gateway only.
    pub(in crate::config) key: At<String>,
}

/// The words for how an upstream is verified.
pub(in crate::config) const TLS_MODES: &[&str] =
    &["verify-full", "verify-ca", "require", "disable"];

/// Their schema.
#[derive(Clone, Debug)]
pub(in crate::config) struct TlsMode;

impl Words for TlsMode {
    fn words() -> Vec<String> {
        TLS_MODES.iter().map(ToString::to_string).collect()
    }
}

/// What the gateway logs in with. For `http` and `kubernetes` exactly one of `user` with `password` (basic),
/// `bearer`, `header`, `query`, `aws`, `oauth2` and `none`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Credential")]
pub(in crate::config) struct RawCredential {
    /// The user. For `ssh` it may be left out: then the login that the workload asks for is used.
    pub(in crate::config) user: Option<At<String>>,
    /// Where the password is. Without one the upstream must not ask.
    pub(in crate::config) password: Option<At<RawSecret>>,
    /// Where the private key is, in OpenSSH's form and without a passphrase. For `ssh`.
    pub(in crate::config) private_key: Option<At<RawSecret>>,
    /// Where the certificate of the private key is, as in OpenSSH's `-cert.pub` files. For `ssh`.
    pub(in crate::config) certificate: Option<At<RawCertificate>>,
    /// Where the bearer token is. For `http` and `kubernetes`.
    pub(in crate::config) bearer: Option<At<RawSecret>>,
    /// A header of the target's own. For `http` and `kubernetes`.
    pub(in crate::config) header: Option<At<RawHeaderCredential>>,
    /// A name of the query. For `http` and `kubernetes`.
    pub(in crate::config) query: Option<At<RawQueryCredential>>,
    /// Keys of AWS. For `http` and `kubernetes`.
    pub(in crate::config) aws: Option<At<RawAwsCredential>>,
    /// An OAuth 2.0 client. For `http` and `kubernetes`.
    pub(in crate::config) oauth2: Option<At<RawOAuth2Credential>>,
    /// `true` where the target asks for none, or for a certificate only
    /// (`upstream_tls.client_certificate`). For `http` and `kubernetes`.
    pub(in crate::config) none: Option<At<bool>>,
}

/// Where a secret is. The secret itself is never written in the configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Secret")]
pub(in crate::config) enum RawSecret {
    /// In a file: an absolute path, readable by the gateway only.
    File(At<String>),
    /// In an environment variable of the gateway.
    Env(At<String>),
    /// In a systemd credential of the gateway's unit (`LoadCredential=`).
    SystemdCredential(At<String>),
}

/// Whether decisions are enforced.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Enforcement", inline)]
pub(in crate::config) enum RawEnforcement {
    /// What is denied is refused.
    Enforce,
    /// Everything is decided and recorded, nothing refused.
    Observe,
}

/// What of a target is audited.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TargetAudit")]
pub(in crate::config) struct RawTargetAudit {
    /// Whether operations that are allowed get a line too. Default: as under `audit`.
    pub(in crate::config) allowed_operations: Option<At<bool>>,
}

/// What happens to operations while the session cannot be recorded.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OnRecordingFailure", inline)]
pub(in crate::config) enum RawOnFailure {
    /// They are refused.
    Deny,
    /// They go on without a record.
    Allow,
}
