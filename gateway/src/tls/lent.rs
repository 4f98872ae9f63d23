//! An authority that clients trust already, lent to the gateway for one target.
//!
//! Owns its certificate and key, read from the operator's files, and which names it may sign for by
//! its own constraints. Must not know who trusts it. Nothing of it is written; it ends with the
//! settings that name it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::Clock;
use rcgen::{Issuer, KeyPair};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::extensions::{GeneralName, GeneralSubtree};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::host_ca::{HostCaError, read_key, sign};
use super::names::CertificateNames;

/// The authority.
#[derive(Debug)]
pub struct LentAuthority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, and those that lead from it to one that clients have.
    chain: Vec<CertificateDer<'static>>,
    limits: Limits,
}

/// What the constraints of its certificate say.
#[derive(Debug, Default)]
struct Limits {
    permitted: Vec<Subtree>,
    excluded: Vec<Subtree>,
}

#[derive(Debug, PartialEq, Eq)]
enum Subtree {
    /// A name with all below it; the empty one stands for every name.
    Dns(String),
    /// The addresses of a network.
    Network { address: Vec<u8>, mask: Vec<u8> },
}

impl LentAuthority {
    /// Reads it.
    ///
    /// # Errors
    /// Where a file cannot be read, others may read the key, or the two are no authority.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, HostCaError> {
        let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate)
            .map_err(|error| unusable(certificate, &error))?
            .collect();
        let chain = read.map_err(|error| unusable(certificate, &error))?;
        let own = chain.first().ok_or_else(|| unusable(certificate, &"it holds no certificate"))?;
        let (limits, public_key) = limits(own).map_err(|error| unusable(certificate, &error))?;
        let text = read_key(key)?.ok_or_else(|| unusable(key, &"there is no such file"))?;
        let pair = KeyPair::from_pem(text.expose()).map_err(|error| unusable(key, &error))?;
        if rcgen::PublicKeyData::der_bytes(&pair) != public_key {
            return Err(unusable(key, &"it is the key of another certificate"));
        }
        let issuer =
            Issuer::from_ca_cert_der(own, pair).map_err(|error| unusable(certificate, &error))?;
        Ok(Self { issuer, chain, limits })
    }

    /// Whether it may sign for a DNS name.
    pub(super) fn permits_dns(&self, name: &str) -> bool {
        self.limits.permit(|subtree| match subtree {
            Subtree::Dns(base) => Some(is_below(name, base)),
            Subtree::Network { .. } => None,
        })
    }

    /// Whether it may sign for an address.
    pub(super) fn permits_address(&self, address: IpAddr) -> bool {
        let bytes = match address {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        };
        self.limits.permit(|subtree| match subtree {
            Subtree::Dns(_) => None,
            // A network of the other family permits nothing of this one.
            Subtree::Network { address, mask } => Some(is_within(&bytes, address, mask)),
        })
    }

    /// Signs a leaf; gives it with what leads to an authority that clients have.
    pub(super) fn sign_leaf(
        &self,
        key: &KeyPair,
        names: &CertificateNames,
        lives: Duration,
        clock: &dyn Clock,
    ) -> Result<Vec<CertificateDer<'static>>, HostCaError> {
        let leaf = sign(&self.issuer, key, names, lives, clock)?;
        Ok(std::iter::once(leaf).chain(self.chain.iter().cloned()).collect())
    }
}

impl Limits {
    /// Whether something is permitted. `covers` says whether a subtree does, or `None` where it is
    /// of another kind: constraints bind only the kinds that they mention.
    fn permit(&self, covers: impl Fn(&Subtree) -> Option<bool>) -> bool {
        let mut permitted = self.permitted.iter().filter_map(&covers).peekable();
        let is_free = permitted.peek().is_none();
        (is_free || permitted.any(|covered| covered))
            && !self.excluded.iter().filter_map(&covers).any(|covered| covered)
    }
}

/// What a certificate says of itself: its limits and its public key.
fn limits(certificate: &CertificateDer<'_>) -> Result<(Limits, Vec<u8>), String> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|error| error.to_string())?;
    if !parsed.is_ca() {
        return Err(String::from("it is no certificate of an authority"));
    }
    let public_key = parsed.public_key().subject_public_key.data.to_vec();
    let constraints = parsed.name_constraints().map_err(|error| error.to_string())?;
    let Some(constraints) = constraints else { return Ok((Limits::default(), public_key)) };
    let read = |subtrees: &Option<Vec<GeneralSubtree<'_>>>| {
        subtrees.iter().flatten().filter_map(|subtree| of(&subtree.base)).collect()
    };
    let limits = Limits {
        permitted: read(&constraints.value.permitted_subtrees),
        excluded: read(&constraints.value.excluded_subtrees),
    };
    Ok((limits, public_key))
}

fn of(name: &GeneralName<'_>) -> Option<Subtree> {
    match name {
        GeneralName::DNSName(name) => {
            Some(Subtree::Dns(name.trim_start_matches('.').to_ascii_lowercase()))
        }
        GeneralName::IPAddress(bytes) => {
            let (address, mask) = bytes.split_at_checked(bytes.len() / 2)?;
            Some(Subtree::Network { address: address.to_vec(), mask: mask.to_vec() })
        }
        _ => None,
    }
}

fn is_below(name: &str, base: &str) -> bool {
    base.is_empty()
        || name == base
        || name.strip_suffix(base).is_some_and(|labels| labels.ends_with('.'))
}

fn is_within(address: &[u8], network: &[u8], mask: &[u8]) -> bool {
    address.len() == network.len()
        && address.len() == mask.len()
        && address
            .iter()
            .zip(network)
            .zip(mask)
            .all(|((byte, of_network), mask)| byte & mask == of_network & mask)
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> HostCaError {
    HostCaError::Lent { path: PathBuf::from(path), because: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rcgen::{
        BasicConstraints, CertificateParams, CidrSubnet, GeneralSubtree as Generated, IsCa,
        NameConstraints,
    };

    use super::super::testing::{HandSetClock, now};
    use super::*;

    /// An authority below a cluster's, limited to a name and a network, in two files.
    fn files(
        directory: &Path,
        constraints: Option<NameConstraints>,
    ) -> (PathBuf, PathBuf, CertificateDer<'static>) {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let cluster_key = KeyPair::generate().unwrap();
        let cluster = params.self_signed(&cluster_key).unwrap();
        let issuer = Issuer::new(params, cluster_key);
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.name_constraints = constraints;
        let key = KeyPair::generate().unwrap();
        let below = params.signed_by(&key, &issuer).unwrap();
        let (certificate, key_file) = (directory.join("ca.pem"), directory.join("ca.key"));
        std::fs::write(&certificate, below.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(0o600)).unwrap();
        (certificate, key_file, cluster.der().clone())
    }

    fn constraints() -> NameConstraints {
        NameConstraints {
            permitted_subtrees: vec![
                Generated::DnsName("kubernetes".to_owned()),
                Generated::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
            ],
            excluded_subtrees: vec![Generated::DnsName("secret.kubernetes".to_owned())],
        }
    }

    #[test]
    fn it_signs_for_the_names_that_its_certificate_permits() {
        let directory = tempfile::tempdir().unwrap();
        let (certificate, key, cluster) = files(directory.path(), Some(constraints()));
        let lent = LentAuthority::read(&certificate, &key).unwrap();
        assert!(lent.permits_dns("kubernetes") && lent.permits_dns("api.kubernetes"));
        for other in ["kubernetes.default", "notkubernetes", "a.secret.kubernetes"] {
            assert!(!lent.permits_dns(other), "{other}");
        }
        assert!(lent.permits_address("127.9.9.9".parse().unwrap()));
        assert!(!lent.permits_address("10.0.0.1".parse().unwrap()));
        assert!(!lent.permits_address("::1".parse().unwrap()));

        let names = CertificateNames::of(["kubernetes", "127.0.0.1"]).unwrap();
        let (clock, leaf_key) = (HandSetClock(now()), KeyPair::generate().unwrap());
        let chain = lent.sign_leaf(&leaf_key, &names, Duration::from_secs(3_600), &clock).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(cluster).unwrap();
        let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(
            roots.into(),
            crate::tls::crypto_provider(),
        )
        .build()
        .unwrap();
        use rustls::client::danger::ServerCertVerifier as _;
        let verify = |name: &str| {
            let name = rustls_pki_types::ServerName::try_from(name.to_owned()).unwrap();
            let now = rustls_pki_types::UnixTime::now();
            verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], now).is_ok()
        };
        assert!(verify("kubernetes") && verify("127.0.0.1") && !verify("other.example"));
    }

    #[test]
    fn one_without_limits_signs_for_every_name() {
        let directory = tempfile::tempdir().unwrap();
        let (certificate, key, _) = files(directory.path(), None);
        let lent = LentAuthority::read(&certificate, &key).unwrap();
        assert!(lent.permits_dns("any.example"));
        assert!(lent.permits_address("::1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_authority_or_open_to_others_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (certificate, key, _) = files(directory.path(), None);
        let other = KeyPair::generate().unwrap();
        let pem = std::fs::read_to_string(&key).unwrap();
        std::fs::write(&key, other.serialize_pem()).unwrap();
        let error = LentAuthority::read(&certificate, &key).unwrap_err().to_string();
        assert!(error.contains("the key of another certificate"), "{error}");
        std::fs::write(&key, pem).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(LentAuthority::read(&certificate, &key).is_err());
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        let leaf = CertificateParams::default().self_signed(&other).unwrap();
        std::fs::write(&certificate, leaf.pem()).unwrap();
        let error = LentAuthority::read(&certificate, &key).unwrap_err().to_string();
        assert!(error.contains("no certificate of an authority"), "{error}");
        assert!(LentAuthority::read(&directory.path().join("none"), &key).is_err());
    }
}
