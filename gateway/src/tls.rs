//! TLS on both sides of the gateway.
//!
//! Owns the host's certificate authority, the leaf certificates shown to workloads, and how an
//! upstream's certificate is verified. Must not know a protocol or a credential. Every
//! configuration names the crypto provider (aws-lc-rs) itself; the process has no default to rely
//! on. Ends with its owners; nothing here runs on its own.

mod downstream;
mod end_point;
mod failure;
mod host_ca;
mod https;
mod lent;
mod names;
#[cfg(test)]
mod testing;
mod upstream;
mod verifier;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

pub use downstream::DownstreamTls;
pub use end_point::{EndPointHash, end_point_hash};
pub use failure::UpstreamTlsFailure;
pub use host_ca::{AuthorityChange, AuthorityFacts, HostCa, HostCaError};
pub use https::{DialHost, HostDialer, HttpsAddress, HttpsError};
pub use lent::LentAuthority;
pub use names::{CertificateNames, NameError};
pub use upstream::{
    ClientCertificateFiles, SecuredUpstream, UpstreamTls, UpstreamTlsError, UpstreamTlsMode,
    UpstreamTlsSettings,
};

/// The protocol name that PostgreSQL's direct TLS asks for (protocol chapter "SSL Session
/// Encryption", since version 17).
pub const ALPN_POSTGRESQL: &[u8] = b"postgresql";

/// The one crypto provider.
fn crypto_provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
