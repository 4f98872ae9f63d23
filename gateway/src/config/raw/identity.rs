//! Keys about who: what is captured, workloads, identity providers.
//!
//! Owns their names, kinds and documentation. Must not know what makes a value good (`check`).

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::{OneOrMany, Span, WordOr, Words};
use crate::config::read::At;

/// What the kernel captures.
pub(in crate::config) type RawGovern = WordOr<HostWord, Vec<At<RawGoverned>>>;

/// The word for capturing everything.
pub(in crate::config) const HOST: &str = "host";

/// Its schema.
#[derive(Debug)]
pub(in crate::config) struct HostWord;

impl Words for HostWord {
    fn words() -> Vec<String> {
        vec![HOST.to_owned()]
    }
}

/// One subtree of what is captured.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Governed")]
pub(in crate::config) enum RawGoverned {
    /// A systemd unit, wherever it stands in the tree: `nightly-report.service`.
    SystemdUnit(At<String>),
    /// A cgroup and all below it: `/automation.slice`.
    Cgroup(At<String>),
}

/// A named set of processes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Workload")]
pub(in crate::config) struct RawWorkload {
    /// Its name.
    pub(in crate::config) name: At<String>,
    /// What a process must be to belong to it: all of what is written.
    #[serde(rename = "match")]
    pub(in crate::config) matching: At<RawMatch>,
    /// The token that says what groups it has. One that is missing or not valid is a refusal.
    pub(in crate::config) token: Option<At<RawToken>>,
    /// Its groups, for a workload without a token. Beside a token they are not used.
    #[serde(default)]
    pub(in crate::config) groups: Vec<At<String>>,
}

/// What a process must be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Match")]
pub(in crate::config) struct RawMatch {
    /// In this systemd unit, by its full name: `nightly-report.service`.
    pub(in crate::config) systemd_unit: Option<At<String>>,
    /// In this cgroup or below it: `/automation.slice/report`.
    pub(in crate::config) cgroup: Option<At<String>>,
    /// Run by this user: a name, or a number as `uid:1000`.
    pub(in crate::config) user: Option<At<String>>,
    /// Running this executable: an absolute path, compared by device and inode.
    pub(in crate::config) executable: Option<At<String>>,
    /// In this container: its id, or the first 12 or more digits of it.
    pub(in crate::config) container: Option<At<String>>,
}

/// Where a workload's token is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Token")]
pub(in crate::config) struct RawToken {
    /// The identity provider that issues it.
    pub(in crate::config) provider: At<String>,
    /// Its file: an absolute path, in the workload's own mount namespace.
    pub(in crate::config) file: At<String>,
}

/// Who issues tokens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IdentityProvider")]
pub(in crate::config) struct RawProvider {
    /// Its name.
    pub(in crate::config) name: At<String>,
    /// The `iss` claim, exactly.
    pub(in crate::config) issuer: At<String>,
    /// The `aud` claim must hold one of these.
    pub(in crate::config) audience: At<OneOrMany<At<String>>>,
    /// The claim that lists the groups. A token without it has no groups. Default: `groups`.
    pub(in crate::config) groups_claim: Option<At<String>>,
    /// The groups it can yield, where they are known: a role for another group is then an error.
    pub(in crate::config) groups: Option<At<Vec<At<String>>>>,
    /// Its keys.
    pub(in crate::config) jwks: At<RawJwks>,
    /// The signature algorithms that are accepted. Default: `[RS256, ES256, EdDSA]`.
    pub(in crate::config) algorithms: Option<At<Vec<At<RawAlgorithm>>>>,
    /// How much clocks may differ. At most `60s`. Default: `30s`.
    pub(in crate::config) clock_skew: Option<At<Span>>,
    /// How long keys from a URL are used while it cannot be reached. Default: `24h`.
    pub(in crate::config) keys_kept_for: Option<At<Span>>,
}

/// Where the keys of a provider are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Jwks")]
pub(in crate::config) struct RawJwks {
    /// In a file: an absolute path. This or `url` is required.
    pub(in crate::config) file: Option<At<String>>,
    /// At an `https` URL. This or `file` is required.
    pub(in crate::config) url: Option<At<String>>,
    /// File of the authorities that are trusted at the URL, in PEM. Default: the host's.
    pub(in crate::config) ca: Option<At<String>>,
}

/// A signature algorithm of JWS, asymmetric ones only.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Algorithm", inline)]
pub(in crate::config) enum RawAlgorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}
