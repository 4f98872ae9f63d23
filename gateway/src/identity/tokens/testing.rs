//! An identity provider for tests: real keys, real signatures, any header and claims.
//!
//! Owns no behaviour of the product. Exists in tests only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// Signs tokens with one key.
pub(crate) struct TestIssuer {
    kid: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
    jwk: Value,
}

impl TestIssuer {
    pub(crate) fn new(kid: &'static str, algorithm: Algorithm) -> Self {
        let (key, mut jwk) = match algorithm {
            Algorithm::ES256 => ec(&rcgen::PKCS_ECDSA_P256_SHA256, "P-256"),
            Algorithm::ES384 => ec(&rcgen::PKCS_ECDSA_P384_SHA384, "P-384"),
            Algorithm::EdDSA => ed25519(),
            _ => rsa(),
        };
        jwk["kid"] = json!(kid);
        jwk["alg"] = json!(format!("{algorithm:?}"));
        jwk["use"] = json!("sig");
        Self { kid, algorithm, key, jwk }
    }

    /// The public key, as a provider publishes it.
    pub(crate) fn jwk(&self) -> Value {
        self.jwk.clone()
    }

    pub(crate) const fn key(&self) -> &EncodingKey {
        &self.key
    }

    /// A token with the usual header.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": format!("{:?}", self.algorithm), "kid": self.kid, "typ": "JWT"});
        sign(&header, claims, &self.key, self.algorithm)
    }

    /// A token with the usual header, changed: a null takes a field out.
    pub(crate) fn token_with_header(&self, changes: &Value, claims: &Value) -> String {
        let mut header =
            json!({"alg": format!("{:?}", self.algorithm), "kid": self.kid, "typ": "JWT"});
        merge(&mut header, changes);
        sign(&header, claims, &self.key, self.algorithm)
    }
}

/// The set of public keys of issuers.
pub(crate) fn jwks(issuers: &[&TestIssuer]) -> String {
    let keys: Vec<Value> = issuers.iter().map(|issuer| issuer.jwk()).collect();
    json!({ "keys": keys }).to_string()
}

/// Changes fields of an object: a null takes a field out.
pub(crate) fn merge(object: &mut Value, changes: &Value) {
    let object = object.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
}

/// Any header and claims, signed with any key.
pub(crate) fn sign(
    header: &Value,
    claims: &Value,
    key: &EncodingKey,
    algorithm: Algorithm,
) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// One part of a token.
pub(crate) fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

fn ec(kind: &'static rcgen::SignatureAlgorithm, curve: &str) -> (EncodingKey, Value) {
    let pair = rcgen::KeyPair::generate_for(kind).unwrap();
    // An uncompressed point: 4, x, y.
    let point = &pair.public_key_raw()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    let [x, y] = [x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
    let key = EncodingKey::from_ec_der(&pair.serialize_der());
    (key, json!({"kty": "EC", "crv": curve, "x": x, "y": y}))
}

fn ed25519() -> (EncodingKey, Value) {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let x = URL_SAFE_NO_PAD.encode(pair.public_key_raw());
    let key = EncodingKey::from_ed_der(&pair.serialize_der());
    (key, json!({"kty": "OKP", "crv": "Ed25519", "x": x}))
}

fn rsa() -> (EncodingKey, Value) {
    let pair = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
        .unwrap();
    let key = EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap();
    let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap();
    (key, serde_json::to_value(&jwk).unwrap())
}
