//! Keys that only targets of SSH have.
//!
//! Owns their names, kinds and documentation. Must not know what makes a value good (`check`).

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::read::At;

/// What the host keys of an SSH server are verified against. A server is never trusted without.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "HostKeys")]
pub(in crate::config) enum RawHostKeys {
    /// A file in the form of OpenSSH's `known_hosts`: its keys and `@cert-authority` lines count,
    /// by the names and addresses of the target.
    KnownHosts(At<String>),
    /// A file with the public keys of the authorities that sign host certificates.
    CertificateAuthority(At<String>),
}

/// Who the gateway is to the SSH client.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ClientHostKey")]
pub(in crate::config) enum RawClientHostKey {
    /// The holder of a host certificate by the gateway's own authority, which clients know by
    /// `portcullis trust ssh`.
    Certificate,
    /// The server itself: files with the private host keys of the target, for clients that know
    /// these and no authority.
    Enrolled(At<Vec<At<String>>>),
}

/// How the paths of files are read.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SftpPaths", inline)]
pub(in crate::config) enum RawSftpPaths {
    /// As the target resolves them, symbolic links included.
    Strict,
    /// As they are written: a symbolic link at the target leads past the rules.
    Lexical,
}

/// Where a certificate is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "CertificateFile")]
pub(in crate::config) enum RawCertificate {
    /// In a file: an absolute path.
    File(At<String>),
}
