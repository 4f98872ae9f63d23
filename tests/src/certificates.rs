//! A certificate authority for one test run, and the certificates it signs.
//!
//! Owns the keys, in memory and in a directory for programs that want files. They are worth
//! nothing: nobody trusts this authority but the test that made it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SignatureAlgorithm,
};

/// An authority.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
    algorithm: &'static SignatureAlgorithm,
}

/// A server's certificate and key, in PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate_pem: String,
    /// Its key.
    pub key_pem: String,
}

impl Authority {
    /// A new authority with this common name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::signing_with(name, &rcgen::PKCS_ECDSA_P256_SHA256)
    }

    /// A new authority whose key, and the keys of whom it certifies, are for this algorithm.
    #[must_use]
    pub fn signing_with(name: &str, algorithm: &'static SignatureAlgorithm) -> Self {
        let key = KeyPair::generate_for(algorithm).expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { certificate_pem: certificate.pem(), issuer: Issuer::new(params, key), algorithm }
    }

    /// The authority's own certificate, in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Writes the authority's certificate to `directory/ca.pem`.
    pub fn write(&self, directory: &Path) -> PathBuf {
        let path = directory.join("ca.pem");
        fs::write(&path, &self.certificate_pem).expect("the directory can be written");
        path
    }

    /// A server certificate for these names (host names or addresses).
    #[must_use]
    pub fn issue(&self, names: &[&str]) -> Identity {
        self.sign(&server(names))
    }

    /// A server certificate for these names that was good in January 2020.
    #[must_use]
    pub fn issue_expired(&self, names: &[&str]) -> Identity {
        let mut params = server(names);
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 2, 1);
        self.sign(&params)
    }

    /// A certificate for a client with this common name.
    #[must_use]
    pub fn issue_client(&self, name: &str) -> Identity {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    /// An authority below this one, which may certify this name and the loopback alone.
    ///
    /// # Panics
    /// Where it cannot be made.
    #[must_use]
    pub fn below(&self, called: &str, name: &str) -> Identity {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, called);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let loopback = CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0]);
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![
                GeneralSubtree::DnsName(name.to_owned()),
                GeneralSubtree::IpAddress(loopback),
            ],
            excluded_subtrees: Vec::new(),
        });
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Identity {
        let key = readable(KeyPair::generate_for(self.algorithm).expect("a key"));
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() }
    }
}

impl Identity {
    /// Writes certificate and key, the key for its owner only; gives the two files.
    ///
    /// # Panics
    /// Where the directory cannot be written.
    #[must_use]
    pub fn write(&self, directory: &Path, name: &str) -> (PathBuf, PathBuf) {
        let certificate = directory.join(format!("{name}.pem"));
        let key = directory.join(format!("{name}.key"));
        fs::write(&certificate, &self.certificate_pem).expect("a certificate");
        fs::write(&key, &self.key_pem).expect("a key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("a key's mode");
        (certificate, key)
    }

    /// A server certificate for these names that nobody but its own key signed.
    #[must_use]
    pub fn self_signed(names: &[&str]) -> Self {
        let key = KeyPair::generate().expect("a key");
        let certificate = server(names).self_signed(&key).expect("a certificate");
        Self { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() }
    }
}

/// An Ed25519 key in the older form, without its public half (RFC 5958), which is the one that
/// OpenSSL reads; any other key as it is.
fn readable(key: KeyPair) -> KeyPair {
    const ALGORITHM: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
    const SEED: &[u8] = &[0x04, 0x22, 0x04, 0x20];
    if !key.is_compatible(&rcgen::PKCS_ED25519) {
        return key;
    }
    let der = key.serialize_der();
    let at = der.windows(SEED.len()).position(|four| four == SEED).expect("a seed") + SEED.len();
    let seed = der.get(at..at + 32).expect("32 bytes");
    let older = [&[0x30, 0x2e, 0x02, 0x01, 0x00], ALGORITHM, SEED, seed].concat();
    KeyPair::try_from(older).expect("the same key")
}

fn server(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names that a certificate can hold");
    params.distinguished_name.push(DnType::CommonName, "a server of a test");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}
