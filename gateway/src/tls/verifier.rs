//! How an upstream's certificate is verified.
//!
//! Owns the modes. Must not know files or settings. Signatures of the handshake are verified in
//! every mode, the unverified one included: there the key is anybody's, but it is one key.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::prelude::{FromDer, X509Certificate};

/// What a certificate must be.
#[derive(Debug)]
pub(super) enum Demand {
    /// Signed by one of these, and for the server's name.
    Name(Authorities),
    /// Signed by one of these.
    Authority(Authorities),
    /// Anything.
    Nothing,
}

/// Trusted certificates of a file.
#[derive(Debug)]
pub(super) struct Authorities {
    pub(super) roots: RootCertStore,
    /// The same certificates. A self-signed server certificate in the file is trusted as it is:
    /// many databases have nothing else, and often it is marked as an authority (`openssl req
    /// -x509`), which RFC 5280's path rules refuse for a server.
    pub(super) themselves: Vec<CertificateDer<'static>>,
}

/// Verifies by a [`Demand`].
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) demand: Demand,
    pub(super) provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn verify_authority(
        &self,
        authorities: &Authorities,
        certificate: &CertificateDer<'_>,
        parsed: &ParsedCertificate<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        if authorities.themselves.iter().any(|trusted| trusted == certificate) {
            return verify_dates(certificate, now);
        }
        verify_server_cert_signed_by_trust_anchor(
            parsed,
            &authorities.roots,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        match &self.demand {
            Demand::Name(authorities) => {
                self.verify_authority(authorities, certificate, &parsed, intermediates, now)?;
                verify_server_name(&parsed, server_name)?;
            }
            Demand::Authority(authorities) => {
                self.verify_authority(authorities, certificate, &parsed, intermediates, now)?;
            }
            Demand::Nothing => {}
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn verify_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let unreadable =
        |error| Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error))));
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(unreadable)?;
    let time = |seconds: i64| {
        let seconds = u64::try_from(seconds).unwrap_or(0);
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))
    };
    let not_before = time(parsed.validity().not_before.timestamp());
    let not_after = time(parsed.validity().not_after.timestamp());
    if now < not_before {
        return Err(CertificateError::NotValidYetContext { time: now, not_before }.into());
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext { time: now, not_after }.into());
    }
    Ok(())
}
