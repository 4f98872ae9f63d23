//! The channel binding `tls-server-end-point` (RFC 5929 section 4).
//!
//! Owns the choice of the hash. Must not know SCRAM. The hash is over the server's certificate as
//! it was sent, with the hash function of the certificate's own signature; MD5 and SHA-1 give way
//! to SHA-256. Where a signature has no single hash (Ed25519), the binding is not defined.

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use x509_parser::oid_registry as oid;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::x509::AlgorithmIdentifier;

/// The hash of a certificate, 32 to 64 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndPointHash(Vec<u8>);

impl EndPointHash {
    /// The bytes that go into the channel binding.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The binding of a certificate (DER); `None` where it is not defined.
#[must_use]
pub fn end_point_hash(certificate: &[u8]) -> Option<EndPointHash> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let algorithm = hash_of(&parsed.signature_algorithm)?;
    Some(EndPointHash(digest::digest(algorithm, certificate).as_ref().to_vec()))
}

fn hash_of(signature: &AlgorithmIdentifier<'_>) -> Option<&'static digest::Algorithm> {
    if let Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) = SignatureAlgorithm::try_from(signature)
    {
        return plain_hash(parameters.hash_algorithm_oid());
    }
    let name = &signature.algorithm;
    let sha_256 = [
        oid::OID_PKCS1_MD5WITHRSAENC,
        oid::OID_PKCS1_SHA1WITHRSA,
        oid::OID_PKCS1_SHA256WITHRSA,
        oid::OID_SIG_ECDSA_WITH_SHA256,
        oid::OID_SIG_DSA_WITH_SHA1,
    ];
    // ecdsa-with-SHA1 (RFC 3279), which the registry does not name.
    if sha_256.contains(name) || name.to_id_string() == "1.2.840.10045.4.1" {
        return Some(&SHA256);
    }
    if [oid::OID_PKCS1_SHA384WITHRSA, oid::OID_SIG_ECDSA_WITH_SHA384].contains(name) {
        return Some(&SHA384);
    }
    let sha_512 = [oid::OID_PKCS1_SHA512WITHRSA, oid::OID_SIG_ECDSA_WITH_SHA512];
    sha_512.contains(name).then_some(&SHA512)
}

/// The hash named in parameters of RSASSA-PSS.
fn plain_hash(name: &oid::asn1_rs::Oid<'_>) -> Option<&'static digest::Algorithm> {
    match name.to_id_string().as_str() {
        // MD5, SHA-1, SHA-256 (RFC 8017 appendix B.1).
        "1.2.840.113549.2.5" | "1.3.14.3.2.26" | "2.16.840.1.101.3.4.2.1" => Some(&SHA256),
        "2.16.840.1.101.3.4.2.2" => Some(&SHA384),
        "2.16.840.1.101.3.4.2.3" => Some(&SHA512),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
