//! Why a TLS connection to an upstream failed, in words.
//!
//! Owns two texts for each cause: for the operator with what to do, for the workload's client
//! without anything about the inside. Must not know how the connection was made.

use std::io;

use rustls::{CertificateError, Error};

/// Why an upstream is not trusted or not reached by TLS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamTlsFailure {
    /// Its certificate is no longer valid.
    #[error("the upstream's certificate has expired{0}; renew it there")]
    Expired(String),
    /// Its certificate is not valid yet.
    #[error("the upstream's certificate is not valid yet{0}; compare the clocks")]
    NotYetValid(String),
    /// Its certificate is for other names.
    #[error(
        "the upstream's certificate is not for `{wanted}` but for {presented}; set the target's \
         server name to one of these, or give the upstream a certificate with this one"
    )]
    WrongName {
        /// The name verified against.
        wanted: String,
        /// The names in the certificate.
        presented: String,
    },
    /// Nobody that is trusted signed its certificate.
    #[error(
        "the upstream's certificate is signed by nobody that is trusted; give the target the file \
         with its certificate authority"
    )]
    UnknownAuthority,
    /// Its certificate is not acceptable for another reason.
    #[error("the upstream's certificate is not acceptable: {0}")]
    Certificate(String),
    /// It sent an alert.
    #[error("the upstream refused the TLS handshake: {0}")]
    Refused(String),
    /// It does not speak TLS, or breaks its rules.
    #[error("the upstream does not speak TLS as it should: {0}")]
    Protocol(String),
    /// The connection ended or failed.
    #[error("the connection to the upstream failed during the TLS handshake: {0}")]
    Connection(String),
}

impl UpstreamTlsFailure {
    /// From the error of a handshake with a server verified as `wanted`.
    pub(super) fn from_io(error: &io::Error, wanted: &str) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(inner) => Self::from_tls(inner, wanted),
            None => Self::Connection(error.to_string()),
        }
    }

    fn from_tls(error: &Error, wanted: &str) -> Self {
        match error {
            Error::InvalidCertificate(error) => Self::from_certificate(error, wanted),
            Error::AlertReceived(alert) => Self::Refused(format!("{alert:?}")),
            Error::NoCertificatesPresented => Self::Certificate(String::from("it presented none")),
            other => Self::Protocol(other.to_string()),
        }
    }

    fn from_certificate(error: &CertificateError, wanted: &str) -> Self {
        let day = |time: &rustls_pki_types::UnixTime| {
            i64::try_from(time.as_secs())
                .ok()
                .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
                .map(|time| time.to_string())
                .unwrap_or_default()
        };
        match error {
            CertificateError::Expired => Self::Expired(String::new()),
            CertificateError::ExpiredContext { not_after, .. } => {
                Self::Expired(format!(" (at {})", day(not_after)))
            }
            CertificateError::NotValidYet => Self::NotYetValid(String::new()),
            CertificateError::NotValidYetContext { not_before, .. } => {
                Self::NotYetValid(format!(" (from {})", day(not_before)))
            }
            CertificateError::NotValidForName => {
                Self::WrongName { wanted: wanted.to_owned(), presented: String::from("others") }
            }
            CertificateError::NotValidForNameContext { presented, .. } => Self::WrongName {
                wanted: wanted.to_owned(),
                presented: if presented.is_empty() {
                    String::from("no name at all (no subject alternative names)")
                } else {
                    presented.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", ")
                },
            },
            CertificateError::UnknownIssuer => Self::UnknownAuthority,
            other => Self::Certificate(other.to_string()),
        }
    }

    /// What the workload's client may be told.
    #[must_use]
    pub const fn client_text(&self) -> &'static str {
        match self {
            Self::Expired(_) => "the server's certificate has expired",
            Self::NotYetValid(_) => "the server's certificate is not valid yet",
            Self::WrongName { .. } => "the server's certificate is for another name",
            Self::UnknownAuthority | Self::Certificate(_) => {
                "the server's certificate is not trusted"
            }
            Self::Refused(_) | Self::Protocol(_) => "the server refused an encrypted connection",
            Self::Connection(_) => "the connection to the server failed",
        }
    }
}

/// The name in rustls' `DnsName("db.example")` and `IpAddress(10.0.0.1)`.
fn plain(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, inner)| inner.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}
