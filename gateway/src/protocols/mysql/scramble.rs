//! Proofs that a password is known, as the server's methods ask for them.
//!
//! Owns the computations. Must not know a connection. Passwords and what is made of them are
//! [`Secret`]s; nothing here keeps one.
//!
//! | method | proof |
//! |---|---|
//! | `mysql_native_password` | `SHA1(p) ^ SHA1(salt, SHA1(SHA1(p)))` |
//! | `caching_sha2_password` | `SHA256(p) ^ SHA256(SHA256(SHA256(p)), salt)`; in full: the password itself |
//! | `client_ed25519` | Ed25519 signature of the salt by the key whose seed hash is `SHA512(p)` |

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512, digest};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign};
use model::Secret;
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use zeroize::Zeroizing;

/// Bytes of a challenge that the password methods use.
const SALT_BYTES: usize = 20;

/// Bytes of the challenge of `client_ed25519`.
const ED25519_SALT_BYTES: usize = 32;

/// The proof of `mysql_native_password`; empty for an empty password. `None` where the challenge
/// is too short to be one.
pub(super) fn native(password: &Secret<String>, salt: &[u8]) -> Option<Secret<Vec<u8>>> {
    let salt = salt.get(..SALT_BYTES)?;
    masked(&SHA1_FOR_LEGACY_USE_ONLY, password, |twice| [salt, twice].concat())
}

/// The proof of `caching_sha2_password` where the server knows the password's hash already.
pub(super) fn caching_sha2(password: &Secret<String>, salt: &[u8]) -> Option<Secret<Vec<u8>>> {
    let salt = salt.get(..SALT_BYTES)?;
    masked(&SHA256, password, |twice| [twice, salt].concat())
}

/// The password's hash, hidden behind a hash of what `joined` makes of its hash's hash.
fn masked(
    algorithm: &'static Algorithm,
    password: &Secret<String>,
    joined: impl Fn(&[u8]) -> Vec<u8>,
) -> Option<Secret<Vec<u8>>> {
    if password.expose().is_empty() {
        return Some(Secret::new(Vec::new()));
    }
    let hash = Zeroizing::new(digest(algorithm, password.expose().as_bytes()).as_ref().to_vec());
    let twice = digest(algorithm, &hash);
    let cover = digest(algorithm, &joined(twice.as_ref()));
    let proof = hash.iter().zip(cover.as_ref()).map(|(one, other)| one ^ other).collect();
    Some(Secret::new(proof))
}

/// The proof of `client_ed25519`. `None` where the challenge is not one. It may end in a NUL.
pub(super) fn ed25519(password: &Secret<String>, salt: &[u8]) -> Option<Secret<Vec<u8>>> {
    let (salt, behind) = salt.split_at_checked(ED25519_SALT_BYTES)?;
    if !matches!(behind, [] | [0]) {
        return None;
    }
    let seed = digest(&SHA512, password.expose().as_bytes());
    let key = ExpandedSecretKey::from_slice(seed.as_ref()).ok()?;
    let public = VerifyingKey::from(&key);
    let signature = raw_sign::<sha2::Sha512>(&key, salt, &public);
    Some(Secret::new(signature.to_bytes().to_vec()))
}

/// The password with its NUL: what a server is told over TLS.
pub(super) fn in_full(password: &Secret<String>) -> Secret<Vec<u8>> {
    let mut bytes = password.expose().as_bytes().to_vec();
    bytes.push(0);
    Secret::new(bytes)
}

/// The password for the holder of a key alone: with its NUL, covered by the challenge, encrypted.
/// `None` where the key or the challenge is none.
pub(super) fn encrypted(
    password: &Secret<String>,
    salt: &[u8],
    key: &[u8],
) -> Option<Secret<Vec<u8>>> {
    let salt = salt.get(..SALT_BYTES)?;
    let key = SubjectPublicKeyInfoDer::from_pem_slice(key).ok()?;
    let key = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(&key).ok()?).ok()?;
    let plain = in_full(password);
    let covered: Zeroizing<Vec<u8>> = Zeroizing::new(
        plain.expose().iter().zip(salt.iter().cycle()).map(|(one, other)| one ^ other).collect(),
    );
    let mut out = vec![0; key.ciphertext_size()];
    let sealed = key.encrypt(&OAEP_SHA1_MGF1SHA1, &covered, &mut out, None).ok()?.to_vec();
    Some(Secret::new(sealed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::Signature;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn proofs_are_what_a_server_computes_from_the_hash_it_keeps() {
        let salt: Vec<u8> = (1..=20).collect();
        // What the server does: cover ^ proof must hash to what it keeps.
        for (algorithm, proof, salt_first) in [
            (&SHA1_FOR_LEGACY_USE_ONLY, native(&secret("hunter2"), &salt).unwrap(), true),
            (&SHA256, caching_sha2(&secret("hunter2"), &salt).unwrap(), false),
        ] {
            let kept = digest(algorithm, digest(algorithm, b"hunter2").as_ref());
            let joined = if salt_first {
                [&salt, kept.as_ref()].concat()
            } else {
                [kept.as_ref(), &salt].concat()
            };
            let cover = digest(algorithm, &joined);
            let hash: Vec<u8> =
                cover.as_ref().iter().zip(proof.expose()).map(|(one, other)| one ^ other).collect();
            assert_eq!(hex(digest(algorithm, &hash).as_ref()), hex(kept.as_ref()));
        }
        assert!(native(&secret(""), &salt).unwrap().expose().is_empty());
        assert!(native(&secret("x"), &salt[..19]).is_none());
    }

    #[test]
    fn an_ed25519_proof_verifies_under_the_key_that_mariadb_keeps() {
        // `ed25519_password('secret')` of MariaDB's documentation, in its Base64.
        let kept = "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY=";
        use base64::Engine as _;
        let kept = base64::engine::general_purpose::STANDARD.decode(kept).unwrap();
        let salt = [7; 32];
        let proof = ed25519(&secret("secret"), &salt).unwrap();
        let key = VerifyingKey::from_bytes(kept.as_slice().try_into().unwrap()).unwrap();
        let signature = Signature::from_slice(proof.expose()).unwrap();
        assert!(key.verify_strict(&salt, &signature).is_ok());
        // One challenge in 256 ends so by itself; others are sent with a NUL behind them.
        let ends_so = [[7; 31].as_slice(), &[0]].concat();
        let proof = ed25519(&secret("secret"), &ends_so).unwrap();
        let signature = Signature::from_slice(proof.expose()).unwrap();
        assert!(key.verify_strict(&ends_so, &signature).is_ok());
        let behind = [salt.as_slice(), &[0]].concat();
        let proof = ed25519(&secret("secret"), &behind).unwrap();
        let signature = Signature::from_slice(proof.expose()).unwrap();
        assert!(key.verify_strict(&salt, &signature).is_ok());
        assert!(ed25519(&secret("secret"), &salt[..20]).is_none());
    }

    #[test]
    fn what_is_no_key_encrypts_nothing() {
        let salt = [1; 20];
        assert!(encrypted(&secret("x"), &salt, b"").is_none());
        assert!(
            encrypted(
                &secret("x"),
                &salt,
                b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
            )
            .is_none()
        );
    }
}
