//! The host's own certificate authority.
//!
//! Owns its key and certificate on disk: made on the first start, unique to this host, the key
//! readable for root alone, the certificate constrained to the names and addresses of the
//! configured targets, so that what it is trusted for is no more than what passes through here.
//! Must not know who trusts it. Where the targets outgrow the constraints, the certificate is
//! issued again with the same key and must be trusted again.

mod constraints;
mod files;

pub(super) use files::read_key;

use std::path::{Path, PathBuf};
use std::time::Duration;

use model::Clock;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SerialNumber,
};
use rustls_pki_types::CertificateDer;

use super::names::CertificateNames;

/// How long the authority's certificate lives.
const AUTHORITY_LIVES: Duration = Duration::from_secs(730 * 24 * 3_600);
/// Issued again when less than this is left.
const AUTHORITY_RENEWED_BEFORE: Duration = Duration::from_secs(60 * 24 * 3_600);
/// Clocks of clients may be behind ours by this much.
const CLOCKS_BEHIND: Duration = Duration::from_secs(3_600);

const KEY_FILE: &str = "host-ca.key";
const CERTIFICATE_FILE: &str = "host-ca.pem";

/// Why there is no certificate authority.
#[derive(Debug, thiserror::Error)]
pub enum HostCaError {
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// The key's file is open to others or not ours.
    #[error(
        "{}: the key of the certificate authority may be known to others ({because}); remove it \
         and the certificate beside it to have new ones made, and trust the new certificate",
        .path.display()
    )]
    Exposed {
        /// The key's file.
        path: PathBuf,
        /// What is wrong with it.
        because: String,
    },
    /// Key or certificate cannot be used.
    #[error("{}: {because}; remove it and the file beside it to have new ones made", .path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        because: String,
    },
    /// An authority that the operator lends the gateway cannot be used.
    #[error("{}: the gateway cannot sign with this: {because}", .path.display())]
    Lent {
        /// Its certificate or key.
        path: PathBuf,
        /// Why.
        because: String,
    },
    /// A certificate cannot be made.
    #[error("a certificate cannot be made: {0}")]
    Making(#[from] rcgen::Error),
    /// No randomness.
    #[error("the system gives no randomness")]
    Randomness,
}

/// What opening the authority did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorityChange {
    /// It is as it was.
    None,
    /// Key and certificate are new: nobody trusts them yet.
    Created,
    /// The certificate is new, the key is not: it must be trusted again.
    Reissued,
}

/// The certificate authority.
#[derive(Debug)]
pub struct HostCa {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    certificate_file: PathBuf,
    names: CertificateNames,
}

impl HostCa {
    /// Opens the authority in `directory`, or makes one, for at least the given names.
    ///
    /// # Errors
    /// Where files cannot be read or written, or the key may be known to others.
    pub fn open(
        directory: &Path,
        names: &CertificateNames,
        clock: &dyn Clock,
    ) -> Result<(Self, AuthorityChange), HostCaError> {
        files::make_directory(directory)?;
        let (key_file, certificate_file) =
            (directory.join(KEY_FILE), directory.join(CERTIFICATE_FILE));
        let (key, created) = match read_key(&key_file)? {
            Some(text) => {
                let key = KeyPair::from_pem(text.expose());
                (key.map_err(|error| unusable(&key_file, &error))?, false)
            }
            None => {
                let key = KeyPair::generate()?;
                let text = model::Secret::new(key.serialize_pem());
                files::write_key(&key_file, &text)?;
                (key, true)
            }
        };
        if !created
            && let Some(text) = files::read_certificate(&certificate_file)?
            && let Some(opened) = Self::adopt(&text, &key, names, clock)
        {
            let issuer = Issuer::from_ca_cert_der(&opened.0, key)
                .map_err(|error| unusable(&certificate_file, &error))?;
            let (certificate, names) = opened;
            return Ok((
                Self { issuer, certificate, certificate_file, names },
                AuthorityChange::None,
            ));
        }
        let params = authority(names, clock)?;
        let certificate = params.self_signed(&key)?;
        files::write_certificate(&certificate_file, &certificate.pem())?;
        let change = if created { AuthorityChange::Created } else { AuthorityChange::Reissued };
        let certificate = certificate.der().clone();
        let issuer = Issuer::new(params, key);
        Ok((Self { issuer, certificate, certificate_file, names: names.clone() }, change))
    }

    /// The authority in `directory` as it is, for whoever wants to try it; `None` where there is
    /// none. Makes and changes nothing.
    ///
    /// # Errors
    /// Where files cannot be read, or the key may be known to others.
    pub fn existing(directory: &Path) -> Result<Option<Self>, HostCaError> {
        let (key_file, certificate_file) =
            (directory.join(KEY_FILE), directory.join(CERTIFICATE_FILE));
        let (Some(key), Some(text)) =
            (read_key(&key_file)?, files::read_certificate(&certificate_file)?)
        else {
            return Ok(None);
        };
        let key = KeyPair::from_pem(key.expose()).map_err(|error| unusable(&key_file, &error))?;
        let Some((certificate, found)) = constraints::read(&text) else {
            return Err(unusable(&certificate_file, &"it is no certificate of an authority"));
        };
        let issuer = Issuer::from_ca_cert_der(&certificate, key)
            .map_err(|error| unusable(&certificate_file, &error))?;
        Ok(Some(Self { issuer, certificate, certificate_file, names: found.names }))
    }

    /// The certificate of the file, if it is of this key, long enough valid and wide enough.
    fn adopt(
        text: &str,
        key: &KeyPair,
        names: &CertificateNames,
        clock: &dyn Clock,
    ) -> Option<(CertificateDer<'static>, CertificateNames)> {
        let (certificate, found) = constraints::read(text)?;
        let renew_at = clock.now().after(AUTHORITY_RENEWED_BEFORE).as_seconds();
        let fits = found.public_key == rcgen::PublicKeyData::der_bytes(key)
            && found.valid_until_seconds > renew_at
            && found.names.cover(names);
        fits.then_some((certificate, found.names))
    }

    /// Signs a leaf for a key, with the given names and life.
    pub(super) fn sign_leaf(
        &self,
        key: &KeyPair,
        names: &CertificateNames,
        lives: Duration,
        clock: &dyn Clock,
    ) -> Result<CertificateDer<'static>, HostCaError> {
        sign(&self.issuer, key, names, lives, clock)
    }

    /// The certificate, DER.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The file with the certificate, PEM: what a trust store takes in.
    #[must_use]
    pub fn certificate_file(&self) -> &Path {
        &self.certificate_file
    }

    /// The names that it may sign for.
    #[must_use]
    pub const fn names(&self) -> &CertificateNames {
        &self.names
    }

    /// SHA-256 of the certificate, hexadecimal.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.certificate)
    }
}

/// Signs a leaf for a key, with the given names and life.
pub(super) fn sign(
    issuer: &Issuer<'static, KeyPair>,
    key: &KeyPair,
    names: &CertificateNames,
    lives: Duration,
    clock: &dyn Clock,
) -> Result<CertificateDer<'static>, HostCaError> {
    let mut params = CertificateParams::default();
    params.subject_alt_names = constraints::alternative_names(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(first) = names.dns.first().filter(|name| name.len() <= 64) {
        params.distinguished_name.push(DnType::CommonName, first.as_str());
    }
    params.serial_number = Some(serial_number()?);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    set_validity(&mut params, lives, clock);
    Ok(params.signed_by(key, issuer)?.der().clone())
}

/// What an authority's certificate says of itself, without its key.
#[derive(Clone, Debug)]
pub struct AuthorityFacts {
    /// SHA-256 of the certificate, hexadecimal.
    pub fingerprint: String,
    /// Until when it is good, in seconds of the epoch.
    pub valid_until_seconds: u64,
    /// The names that it may sign for.
    pub names: CertificateNames,
}

impl AuthorityFacts {
    /// Reads a certificate in PEM; `None` where it is none of a host's authority.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (certificate, found) = constraints::read(text)?;
        Some(Self {
            fingerprint: fingerprint(&certificate),
            valid_until_seconds: found.valid_until_seconds,
            names: found.names,
        })
    }
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn authority(
    names: &CertificateNames,
    clock: &dyn Clock,
) -> Result<CertificateParams, HostCaError> {
    let serial_number = serial_number()?;
    let id: String =
        serial_number.to_bytes().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Portcullis");
    params.distinguished_name.push(DnType::CommonName, format!("Portcullis host CA {id}"));
    params.serial_number = Some(serial_number);
    // It signs leaves only, for servers only, for these names only.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.name_constraints = Some(constraints::constraints(names));
    set_validity(&mut params, AUTHORITY_LIVES, clock);
    Ok(params)
}

fn set_validity(params: &mut CertificateParams, lives: Duration, clock: &dyn Clock) {
    let now = Duration::from_secs(clock.now().as_seconds());
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now.saturating_sub(CLOCKS_BEHIND);
    params.not_after = epoch + now.saturating_add(lives);
}

/// Sixteen random bytes, of which the first bit is zero (a positive integer, RFC 5280 4.1.2.2).
/// Some clients refuse a second certificate with the issuer and serial number of another.
fn serial_number() -> Result<SerialNumber, HostCaError> {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| HostCaError::Randomness)?;
    let [first, ..] = &mut bytes;
    *first = (*first & 0x7f) | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> HostCaError {
    HostCaError::Unusable { path: path.to_owned(), because: error.to_string() }
}

#[cfg(test)]
mod tests;
