//! The certificates that workloads see.
//!
//! Owns minting leaves, one key for all of them, and a bounded cache. Must not know a protocol.
//! A client that names a server (SNI) gets a certificate for that name where the authority may
//! sign for it, any other client one for all names of its target. The key lives in memory only
//! and ends with the process.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use model::{Clock, Timestamp};
use parking_lot::Mutex;
use rcgen::KeyPair;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls_pki_types::PrivatePkcs8KeyDer;

use super::host_ca::{HostCa, HostCaError};
use super::lent::LentAuthority;
use super::names::CertificateNames;

/// Leaves kept; one is ~2 KiB. Beyond it the one not used for longest goes.
const LEAVES_MAX: usize = 1_024;
/// How long a leaf lives.
const LEAF_LIVES: Duration = Duration::from_secs(48 * 3_600);
/// Minted again when less than this is left.
const LEAF_RENEWED_BEFORE: Duration = Duration::from_secs(24 * 3_600);

/// Gives server configurations whose certificates one authority signs.
#[derive(Debug)]
pub struct DownstreamTls {
    minter: Arc<Minter>,
}

#[derive(Debug)]
struct Minter {
    authority: Authority,
    key: KeyPair,
    signing_key: Arc<dyn SigningKey>,
    leaves: Mutex<HashMap<CertificateNames, Leaf>>,
    clock: Arc<dyn Clock>,
}

/// Who signs.
#[derive(Debug)]
enum Authority {
    /// The host's own.
    Host(HostCa),
    /// One that clients trust already.
    Lent(LentAuthority),
}

#[derive(Debug)]
struct Leaf {
    certified: Arc<CertifiedKey>,
    renew_at: Timestamp,
    used_at: Timestamp,
}

impl DownstreamTls {
    /// With the host's authority; draws the leaf key.
    ///
    /// # Errors
    /// Where no key can be drawn.
    pub fn new(authority: HostCa, clock: Arc<dyn Clock>) -> Result<Self, HostCaError> {
        Self::of(Authority::Host(authority), clock)
    }

    /// With an authority that clients trust already; draws the leaf key.
    ///
    /// # Errors
    /// Where no key can be drawn.
    pub fn lent(authority: LentAuthority, clock: Arc<dyn Clock>) -> Result<Self, HostCaError> {
        Self::of(Authority::Lent(authority), clock)
    }

    fn of(authority: Authority, clock: Arc<dyn Clock>) -> Result<Self, HostCaError> {
        let key = KeyPair::generate()?;
        let der = PrivatePkcs8KeyDer::from(key.serialize_der());
        let signing_key = rustls::crypto::aws_lc_rs::sign::any_ecdsa_type(&der.into())
            .map_err(|_| HostCaError::Making(rcgen::Error::KeyGenerationUnavailable))?;
        let leaves = Mutex::default();
        Ok(Self { minter: Arc::new(Minter { authority, key, signing_key, leaves, clock }) })
    }

    /// A server configuration for a target that is known by `names`, which may hold the original
    /// address as well; names that the authority may not sign for are left out. `alpn` are the
    /// application protocols offered: [`super::ALPN_POSTGRESQL`] for direct TLS, else none.
    /// To be made once per target and kept.
    ///
    /// # Errors
    /// Where no certificate can be made for any of the names.
    pub fn server_config(
        &self,
        names: &CertificateNames,
        alpn: &[&[u8]],
    ) -> Result<Arc<ServerConfig>, HostCaError> {
        let permitted = self.minter.permitted(names);
        // Made now, so that what cannot be made is known before a client waits for it.
        self.minter.leaf(&permitted)?;
        let resolver = Resolver { minter: Arc::clone(&self.minter), names: permitted };
        let mut config = ServerConfig::builder_with_provider(super::crypto_provider())
            .with_safe_default_protocol_versions()
            .map_err(|_| HostCaError::Making(rcgen::Error::UnsupportedSignatureAlgorithm))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Arc::new(config))
    }
}

impl Minter {
    fn permitted(&self, names: &CertificateNames) -> CertificateNames {
        let addresses = names.addresses.iter().copied();
        CertificateNames {
            dns: names.dns.iter().filter(|name| self.authority.permits(name)).cloned().collect(),
            addresses: match &self.authority {
                Authority::Host(own) => {
                    addresses.filter(|one| own.names().addresses.contains(one)).collect()
                }
                Authority::Lent(lent) => {
                    addresses.filter(|one| lent.permits_address(*one)).collect()
                }
            },
        }
    }

    fn leaf(&self, names: &CertificateNames) -> Result<Arc<CertifiedKey>, HostCaError> {
        let now = self.clock.now();
        if let Some(leaf) = self.leaves.lock().get_mut(names)
            && now < leaf.renew_at
        {
            leaf.used_at = now;
            return Ok(Arc::clone(&leaf.certified));
        }
        let clock = self.clock.as_ref();
        let chain = match &self.authority {
            Authority::Host(own) => vec![own.sign_leaf(&self.key, names, LEAF_LIVES, clock)?],
            Authority::Lent(lent) => lent.sign_leaf(&self.key, names, LEAF_LIVES, clock)?,
        };
        let certified = Arc::new(CertifiedKey::new(chain, Arc::clone(&self.signing_key)));
        let renew_at = now.after(LEAF_LIVES.saturating_sub(LEAF_RENEWED_BEFORE));
        let mut leaves = self.leaves.lock();
        if leaves.len() >= LEAVES_MAX && !leaves.contains_key(names) {
            // Rare, and cheap beside the signature just made.
            let oldest = leaves.iter().min_by_key(|(_, leaf)| leaf.used_at);
            if let Some(oldest) = oldest.map(|(names, _)| names.clone()) {
                leaves.remove(&oldest);
            }
        }
        let leaf = Leaf { certified: Arc::clone(&certified), renew_at, used_at: now };
        leaves.insert(names.clone(), leaf);
        Ok(certified)
    }
}

impl Authority {
    /// Whether it may sign for a DNS name.
    fn permits(&self, name: &str) -> bool {
        match self {
            Self::Host(own) => own.names().cover_dns(name),
            Self::Lent(lent) => lent.permits_dns(name),
        }
    }
}

/// Chooses the certificate for one target's clients.
#[derive(Debug)]
struct Resolver {
    minter: Arc<Minter>,
    names: CertificateNames,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().map(str::to_ascii_lowercase);
        let minted = match asked {
            Some(name)
                if !self.names.dns.contains(&name) && self.minter.authority.permits(&name) =>
            {
                self.minter.leaf(&CertificateNames { dns: [name].into(), ..Default::default() })
            }
            _ => self.minter.leaf(&self.names),
        };
        minted.inspect_err(|error| tracing::error!(%error, "no certificate for a client")).ok()
    }
}

#[cfg(test)]
mod tests;
