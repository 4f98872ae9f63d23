//! Which algorithms the upstream leg prefers.
//!
//! Owns the lists, with what they are chosen for: speed first among what is sound. Must not know a
//! connection. Nothing with SHA-1 is offered.

use std::borrow::Cow;
use std::time::Duration;

use russh::client::Config;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Limits, ManualChannels, Preferred, SshId, cipher, compression, kex};

use crate::protocols::ssh::inflow::{PACKETS_WAITING_MAX, WINDOW};
use crate::session::Expected;

const IDENTIFICATION: &str = concat!("SSH-2.0-Portcullis_", env!("CARGO_PKG_VERSION"));

/// Bytes of a packet that the upstream may send.
const PACKET_BYTES_MAX: u32 = 64 * 1024 - 1;
/// Bytes and time after which keys are exchanged anew (RFC 4253 9).
const REKEY_BYTES: usize = 1 << 30;
const REKEY_AFTER: Duration = Duration::from_secs(3_600);
/// How often a silent upstream is asked whether it is there, and how often in vain: a host that
/// vanished is noticed after ten minutes, one that was suspended for less is not missed.
const ASKED_EVERY: Duration = Duration::from_secs(60);
const ASKED_IN_VAIN_MAX: usize = 10;

/// Measured on one core, both legs, 1000 MB: aes256-gcm 1.5-1.8 CPU s/GB, chacha20-poly1305
/// 2.1-2.4, aes256-ctr with a MAC 2.3-2.7.
const CIPHERS: &[cipher::Name] = &[
    cipher::AES_256_GCM,
    cipher::AES_128_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

/// The library's own, and the curves that a server held to FIPS 140 has. The markers ask for
/// extensions and for strict key exchange (CVE-2023-48795).
const EXCHANGES: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_GEX_SHA256,
    kex::DH_G18_SHA512,
    kex::DH_G16_SHA512,
    kex::DH_G14_SHA256,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];

const HOST_KEYS: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

/// How the upstream leg is spoken, where these host keys are expected.
pub(super) fn config(expected: &Expected) -> Config {
    let certificates =
        if expected.certificates { Cow::Borrowed(&HOST_KEYS[..]) } else { Cow::Borrowed(&[][..]) };
    Config {
        client_id: SshId::Standard(Cow::Borrowed(IDENTIFICATION)),
        limits: Limits::new(REKEY_BYTES, REKEY_BYTES, REKEY_AFTER),
        window_size: WINDOW,
        maximum_packet_size: PACKET_BYTES_MAX,
        channel_buffer_size: PACKETS_WAITING_MAX,
        preferred: Preferred {
            kex: Cow::Borrowed(EXCHANGES),
            key: Cow::Owned(host_keys(expected)),
            host_key_certificates: certificates,
            cipher: Cow::Borrowed(CIPHERS),
            // What goes between two hosts is compressed by whoever wants it; here it costs both.
            compression: Cow::Borrowed(&[compression::NONE]),
            ..Preferred::DEFAULT
        },
        // Sessions may be silent for days.
        inactivity_timeout: None,
        keepalive_interval: Some(ASKED_EVERY),
        keepalive_max: ASKED_IN_VAIN_MAX,
        nodelay: true,
        manual_channels: ManualChannels { windows: true, close: true },
        ..Config::default()
    }
}

/// The types that are known first: a server has keys of several, and shows what is asked for
/// first. The others after them, so that a server with a new key can be told from a stranger.
fn host_keys(expected: &Expected) -> Vec<Algorithm> {
    let is_known = |algorithm: &Algorithm| {
        expected.known.iter().any(|known| match (known, algorithm) {
            (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
            (known, algorithm) => known == algorithm,
        })
    };
    let (mut first, others): (Vec<_>, Vec<_>) = HOST_KEYS.into_iter().partition(is_known);
    first.extend(others);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_type_is_asked_for_first_and_nothing_is_asked_for_with_sha_1() {
        let known = vec![Algorithm::Rsa { hash: None }];
        let config = config(&Expected { certificates: false, known });
        let [first, second, third, ..] = &config.preferred.key[..] else { panic!() };
        assert_eq!(first.as_str(), "rsa-sha2-512");
        assert_eq!(second.as_str(), "rsa-sha2-256");
        assert_eq!(third.as_str(), "ssh-ed25519");
        assert!(config.preferred.key.iter().all(|one| one.as_str() != "ssh-rsa"));
        assert!(config.preferred.host_key_certificates.is_empty());
        assert!(config.preferred.kex.iter().all(|one| !one.as_ref().contains("sha1")));
    }
}
