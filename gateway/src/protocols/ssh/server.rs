//! How the SSH library serves clients.
//!
//! Owns the choice of algorithms, windows and times. Must not know a connection.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::server::Config;
use russh::{Limits, ManualChannels, Preferred, SshId, compression};

use super::inflow::{PACKETS_WAITING_MAX, WINDOW};
use crate::session::HostIdentity;

/// Our identification. Clients know servers' faults by it, and what servers can do: as another
/// name than OpenSSH's they would withhold what works (`eow@openssh.com`, hashes of RSA keys), and as
/// an old version work around faults that we do not have. 9.9 has no entry in the tables of faults
/// of OpenSSH, PuTTY, paramiko, libssh2, asyncssh and WinSCP. The comment says who it is.
const IDENTIFICATION: &str = "SSH-2.0-OpenSSH_9.9 Portcullis";

/// Bytes of a packet that clients may send. The reading of an sftp server's usual 32 KiB fits with
/// its head.
const PACKET_BYTES_MAX: u32 = 64 * 1024 - 1;
/// Messages to a client that wait to be encrypted.
const MESSAGES_WAITING_MAX: usize = 64;
/// Bytes and time after which keys are exchanged anew (RFC 4253 9).
const REKEY_BYTES: usize = 1 << 30;
const REKEY_AFTER: Duration = Duration::from_secs(3_600);
/// What a login that we cannot take (an unreadable key) costs. Nothing can be guessed here.
const REJECTED_AFTER: Duration = Duration::from_millis(50);

/// The algorithms of host keys and of keys that clients sign with: none with SHA-1.
const KEYS: &[Algorithm] = &[
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

/// Compression begins after the login or not at all.
const COMPRESSION: &[compression::Name] = &[compression::NONE, compression::ZLIB_LEGACY];

/// How one client is served.
pub(super) fn config(identity: HostIdentity) -> Arc<Config> {
    Arc::new(Config {
        server_id: SshId::Standard(Cow::Borrowed(IDENTIFICATION)),
        keys: identity.keys,
        certificates: identity.certificates,
        auth_rejection_time: REJECTED_AFTER,
        window_size: WINDOW,
        maximum_packet_size: PACKET_BYTES_MAX,
        channel_buffer_size: PACKETS_WAITING_MAX,
        event_buffer_size: MESSAGES_WAITING_MAX,
        limits: Limits::new(REKEY_BYTES, REKEY_BYTES, REKEY_AFTER),
        preferred: Preferred {
            key: Cow::Borrowed(KEYS),
            compression: Cow::Borrowed(COMPRESSION),
            ..Preferred::DEFAULT
        },
        // Sessions may be silent for days. That a client is gone its socket tells: it is on this
        // host.
        inactivity_timeout: None,
        keepalive_interval: None,
        manual_channels: ManualChannels { windows: true, close: true },
        ..Config::default()
    })
}
