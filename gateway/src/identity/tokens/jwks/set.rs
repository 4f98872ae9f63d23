//! A JWK set (RFC 7517) as keys that can verify.
//!
//! Owns which keys count and which algorithms each stands for. Must not know tokens. A symmetric
//! key in a public document is no secret and never verifies anything; an entry that is not
//! understood is left out, as section 5 of the RFC wants; a set that is no JSON is an error.

use std::collections::HashMap;
use std::sync::Arc;

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};

use super::FetchError;

/// Keys of one set. Raised, a hostile document costs more to read.
const KEYS_MAX: usize = 256;

/// Keys by their ids.
#[derive(Debug, Default, PartialEq)]
pub(super) struct KeySet {
    keys: HashMap<String, Vec<Arc<VerifyingKey>>>,
}

/// A public key and the algorithms that it stands for.
#[derive(Clone)]
pub(in crate::identity::tokens) struct VerifyingKey {
    key: DecodingKey,
    algorithms: &'static [Algorithm],
    jwk: Jwk,
}

/// What a set says to a key id.
pub(super) enum KeyLookup {
    None,
    One(Arc<VerifyingKey>),
    Several,
}

impl KeySet {
    pub(super) fn parse(text: &[u8]) -> Result<Self, FetchError> {
        #[derive(serde::Deserialize)]
        struct Document {
            keys: Vec<serde_json::Value>,
        }
        let document: Document = serde_json::from_slice(text)
            .map_err(|error| FetchError::Answer(format!("it is no JWK set: {error}")))?;
        if document.keys.len() > KEYS_MAX {
            return Err(FetchError::Answer(format!("it holds more than {KEYS_MAX} keys")));
        }
        let mut set = Self::default();
        for key in document.keys {
            let Ok(jwk) = serde_json::from_value::<Jwk>(key) else { continue };
            let Some(id) = jwk.common.key_id.clone().filter(|id| !id.is_empty()) else { continue };
            if let Some(key) = VerifyingKey::of(jwk) {
                set.keys.entry(id).or_default().push(Arc::new(key));
            }
        }
        if set.keys.is_empty() {
            return Err(FetchError::Answer(String::from(
                "it holds no key with an id that can verify signatures",
            )));
        }
        Ok(set)
    }

    pub(super) fn len(&self) -> usize {
        self.keys.values().map(Vec::len).sum()
    }

    pub(super) fn find(&self, id: &str) -> KeyLookup {
        match self.keys.get(id).map(Vec::as_slice) {
            None | Some([]) => KeyLookup::None,
            Some([key]) => KeyLookup::One(Arc::clone(key)),
            Some(_) => KeyLookup::Several,
        }
    }
}

impl VerifyingKey {
    fn of(jwk: Jwk) -> Option<Self> {
        let for_signatures = jwk
            .common
            .public_key_use
            .as_ref()
            .is_none_or(|purpose| *purpose == PublicKeyUse::Signature)
            && jwk
                .common
                .key_operations
                .as_ref()
                .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        if !for_signatures {
            return None;
        }
        let algorithms = algorithms_of(&jwk)?;
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self { key, algorithms, jwk })
    }

    /// What the key may have been used with: one where the set says so or the curve allows one.
    pub(in crate::identity::tokens) const fn algorithms(&self) -> &'static [Algorithm] {
        self.algorithms
    }

    pub(in crate::identity::tokens) const fn decoding_key(&self) -> &DecodingKey {
        &self.key
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.jwk == other.jwk
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifyingKey").field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

fn algorithms_of(jwk: &Jwk) -> Option<&'static [Algorithm]> {
    let of_kind: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => &[
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => &[Algorithm::ES256],
            EllipticCurve::P384 => &[Algorithm::ES384],
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(key) => match key.curve {
            EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
            _ => return None,
        },
        _ => return None,
    };
    let Some(named) = jwk.common.key_algorithm else { return Some(of_kind) };
    let named: &[Algorithm] = match named {
        KeyAlgorithm::RS256 => &[Algorithm::RS256],
        KeyAlgorithm::RS384 => &[Algorithm::RS384],
        KeyAlgorithm::RS512 => &[Algorithm::RS512],
        KeyAlgorithm::PS256 => &[Algorithm::PS256],
        KeyAlgorithm::PS384 => &[Algorithm::PS384],
        KeyAlgorithm::PS512 => &[Algorithm::PS512],
        KeyAlgorithm::ES256 => &[Algorithm::ES256],
        KeyAlgorithm::ES384 => &[Algorithm::ES384],
        KeyAlgorithm::EdDSA => &[Algorithm::EdDSA],
        _ => return None,
    };
    named.iter().all(|algorithm| of_kind.contains(algorithm)).then_some(named)
}
