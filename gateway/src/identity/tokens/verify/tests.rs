use insta::assert_snapshot;
use jsonwebtoken::{Algorithm, EncodingKey};
use proptest::prelude::*;
use serde_json::json;

use super::super::jwks::key_for_tests;
use super::super::testing::{TestIssuer, encode, jwks, merge, sign};
use super::*;

const NOW: u64 = 1_800_000_000;

fn rules() -> Rules {
    Rules {
        issuer: String::from("https://idp.example"),
        audiences: vec![String::from("portcullis"), String::from("portcullis-eu")],
        groups: GroupsClaim::new("groups"),
        algorithms: [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA].into(),
        leeway: Duration::from_secs(30),
    }
}

fn claims() -> Value {
    json!({
        "iss": "https://idp.example",
        "aud": "portcullis",
        "sub": "nightly-report",
        "exp": NOW + 300,
        "nbf": NOW - 300,
        "iat": NOW - 300,
        "jti": "7",
        "groups": ["report-readers"],
    })
}

fn changed(changes: &Value) -> Value {
    let mut claims = claims();
    merge(&mut claims, changes);
    claims
}

/// As the provider does it: header, key by its id, signature, claims.
fn judge_at(token: &str, keys: &str, rules: &Rules, second: u64) -> Result<VerifiedToken, String> {
    let unverified = Unverified::read(token).map_err(|error| error.to_string())?;
    let key = key_for_tests(keys, &unverified.key_id).ok_or("no such key")?;
    unverified
        .verify(&key, rules, Timestamp::from_seconds(second))
        .map_err(|error| error.to_string())
}

fn judge(token: &str, keys: &str) -> Result<VerifiedToken, String> {
    judge_at(token, keys, &rules(), NOW)
}

/// The refusals of tokens, one line each.
fn refusals<'a>(keys: &str, tokens: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let line = |(name, token): (&str, String)| match judge(&token, keys) {
        Ok(_) => format!("{name}: ACCEPTED"),
        Err(refusal) => format!("{name}: {refusal}"),
    };
    tokens.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_good_token_is_accepted_whatever_its_key_is() {
    for algorithm in [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA] {
        let issuer = TestIssuer::new("k1", algorithm);
        let verified = judge(&issuer.token(&claims()), &jwks(&[&issuer])).unwrap();
        assert_eq!(verified.subject.subject, "nightly-report");
        assert_eq!(verified.subject.expires_at, Timestamp::from_seconds(NOW + 300));
        assert_eq!(verified.groups, [Group::new("report-readers")].into());
        assert_eq!(verified.id.as_deref(), Some("7"));
    }
}

#[test]
fn b3_the_algorithm_is_the_key_s_and_never_the_header_s() {
    let (rsa, ec) =
        (TestIssuer::new("rsa", Algorithm::RS256), TestIssuer::new("ec", Algorithm::ES256));
    let keys = jwks(&[&rsa, &ec]);
    let modulus = rsa.jwk()["n"].as_str().unwrap().to_owned();
    // The classic confusion: the public key as the secret of an HMAC.
    let confused = |secret: EncodingKey| {
        sign(&json!({"alg": "HS256", "kid": "rsa"}), &claims(), &secret, Algorithm::HS256)
    };
    let unsigned = |alg: &str, signature: &str| {
        let header = encode(&json!({"alg": alg, "kid": "rsa"}));
        format!("{header}.{}.{signature}", encode(&claims()))
    };
    let other = TestIssuer::new("rsa", Algorithm::RS256);
    assert_snapshot!(refusals(&keys, [
        ("hmac with the modulus", confused(EncodingKey::from_secret(modulus.as_bytes()))),
        ("hmac with the key set", confused(EncodingKey::from_secret(keys.as_bytes()))),
        ("none", unsigned("none", "")),
        ("None", unsigned("None", "AAAA")),
        ("nOnE", unsigned("nOnE", "")),
        ("no algorithm", rsa.token_with_header(&json!({"alg": null}), &claims())),
        ("unknown algorithm", unsigned("RS1", "AAAA")),
        ("the right name and no signature", unsigned("RS256", "")),
        ("the right name and a wrong signature", unsigned("RS256", "AAAA")),
        ("PS256 for a key of RS256", rsa.token_with_header(&json!({"alg": "PS256"}), &claims())),
        ("ES256 for an RSA key", ec.token_with_header(&json!({"kid": "rsa"}), &claims())),
        ("another key under a known id", other.token(&claims())),
        ("the other key's id", rsa.token_with_header(&json!({"kid": "ec"}), &claims())),
    ]), @r#"
    hmac with the modulus: its algorithm HS256 is not one that its key and the provider's settings allow
    hmac with the key set: its algorithm HS256 is not one that its key and the provider's settings allow
    none: it is not a signed JWT: its header cannot be read
    None: it is not a signed JWT: its header cannot be read
    nOnE: it is not a signed JWT: its header cannot be read
    no algorithm: it is not a signed JWT: its header cannot be read
    unknown algorithm: it is not a signed JWT: its header cannot be read
    the right name and no signature: its signature is not that of the provider's key
    the right name and a wrong signature: its signature is not that of the provider's key
    PS256 for a key of RS256: its algorithm PS256 is not one that its key and the provider's settings allow
    ES256 for an RSA key: its algorithm ES256 is not one that its key and the provider's settings allow
    another key under a known id: its signature is not that of the provider's key
    the other key's id: its algorithm RS256 is not one that its key and the provider's settings allow
    "#);
}

#[test]
fn b3_an_algorithm_that_the_settings_leave_out_is_refused() {
    let issuer = TestIssuer::new("k1", Algorithm::RS384);
    assert_snapshot!(
        refusals(&jwks(&[&issuer]), [("RS384", issuer.token(&claims()))]),
        @"RS384: its algorithm RS384 is not one that its key and the provider's settings allow"
    );
}

#[test]
fn b3_a_symmetric_or_encryption_key_in_the_set_verifies_nothing() {
    let secret = EncodingKey::from_secret(b"0123456789abcdef0123456789abcdef");
    let oct = jsonwebtoken::jwk::Jwk::from_encoding_key(&secret, Algorithm::HS256).unwrap();
    let mut oct = serde_json::to_value(oct).unwrap();
    oct["kid"] = json!("oct");
    let issuer = TestIssuer::new("enc", Algorithm::RS256);
    let variants = |changes: &[Value]| -> Vec<Value> {
        let change = |change: &Value| {
            let mut jwk = issuer.jwk();
            merge(&mut jwk, change);
            jwk
        };
        changes.iter().map(change).collect()
    };
    let mut keys = variants(&[
        json!({"use": "enc"}),
        json!({"kid": "ops", "use": null, "key_ops": ["encrypt"]}),
        json!({"kid": "oaep", "alg": "RSA-OAEP"}),
        json!({"kid": "wrong", "alg": "ES256"}),
        json!({"kid": "hmac", "alg": "HS256"}),
        json!({"kid": "future", "kty": "ML-DSA"}),
        json!({"kid": 7}),
        json!({"kid": null}),
        json!({"kid": "good"}),
    ]);
    keys.push(oct);
    let keys = json!({ "keys": keys }).to_string();
    for kid in ["enc", "ops", "oaep", "wrong", "hmac", "future", "oct"] {
        let token = issuer.token_with_header(&json!({ "kid": kid }), &claims());
        assert_eq!(judge(&token, &keys).unwrap_err(), "no such key", "{kid}");
    }
    let token = sign(&json!({"alg": "HS256", "kid": "oct"}), &claims(), &secret, Algorithm::HS256);
    assert_eq!(judge(&token, &keys).unwrap_err(), "no such key");
    judge(&issuer.token_with_header(&json!({"kid": "good"}), &claims()), &keys).unwrap();
}

#[test]
fn b3_what_a_header_may_not_ask_for_is_refused() {
    let issuer = TestIssuer::new("k1", Algorithm::ES256);
    let with = |changes: Value| issuer.token_with_header(&changes, &claims());
    assert_snapshot!(refusals(&jwks(&[&issuer]), [
        ("crit", with(json!({"crit": ["exp"]}))),
        ("empty crit", with(json!({"crit": []}))),
        ("b64", with(json!({"b64": false}))),
        ("jku", with(json!({"jku": "https://evil.example/keys"}))),
        ("x5u", with(json!({"x5u": "https://evil.example/cert"}))),
        ("jwk", with(json!({"jwk": issuer.jwk()}))),
        ("zip", with(json!({"zip": "DEF"}))),
        ("logout token", with(json!({"typ": "logout+jwt"}))),
        ("proof of possession", with(json!({"typ": "dpop+jwt"}))),
        ("no key id", with(json!({"kid": null}))),
        ("empty key id", with(json!({"kid": ""}))),
        ("a path as key id", with(json!({"kid": "../../../../dev/null"}))),
        ("a statement as key id", with(json!({"kid": "k1' OR '1'='1"}))),
    ]), @r#"
    crit: its header has `crit`, which is not accepted
    empty crit: its header has `crit`, which is not accepted
    b64: its header has `b64`, which is not accepted
    jku: its header has `jku`, which is not accepted
    x5u: its header has `x5u`, which is not accepted
    jwk: its header has `jwk`, which is not accepted
    zip: its header has `zip`, which is not accepted
    logout token: its header has `typ`, which is not accepted
    proof of possession: its header has `typ`, which is not accepted
    no key id: it is not a signed JWT: its header names no key (`kid`)
    empty key id: it is not a signed JWT: its header names no key (`kid`)
    a path as key id: no such key
    a statement as key id: no such key
    "#);
    for kind in ["at+jwt", "AT+JWT", "application/at+jwt", "jwt"] {
        judge(&with(json!({ "typ": kind })), &jwks(&[&issuer])).unwrap();
    }
    judge(&with(json!({"typ": null})), &jwks(&[&issuer])).unwrap();
}

#[test]
fn b3_every_claim_that_matters_is_required_and_checked() {
    let issuer = TestIssuer::new("k1", Algorithm::ES256);
    let with = |changes: Value| issuer.token(&changed(&changes));
    assert_snapshot!(refusals(&jwks(&[&issuer]), [
        ("no issuer", with(json!({"iss": null}))),
        ("another issuer", with(json!({"iss": "https://idp.example/"}))),
        ("a list of issuers", with(json!({"iss": ["https://idp.example"]}))),
        ("no audience", with(json!({"aud": null}))),
        ("another audience", with(json!({"aud": "grafana"}))),
        ("no audience in the list", with(json!({"aud": []}))),
        ("other audiences", with(json!({"aud": ["grafana", "Portcullis"]}))),
        ("numbers as audience", with(json!({"aud": ["portcullis", 7]}))),
        ("no end", with(json!({"exp": null}))),
        ("text as end", with(json!({"exp": "1900000000"}))),
        ("an end beyond numbers", with(json!({"exp": 1e300}))),
        ("a negative end", with(json!({"exp": -1}))),
        ("expired", with(json!({"exp": NOW - 30}))),
        ("not yet", with(json!({"nbf": NOW + 31}))),
        ("text as begin", with(json!({"nbf": "0"}))),
        ("issued in the future", with(json!({"iat": NOW + 31}))),
        ("no subject", with(json!({"sub": null}))),
        ("empty subject", with(json!({"sub": ""}))),
        ("control characters in the subject", with(json!({"sub": "a\u{1b}[2J"}))),
        ("a number as id", with(json!({"jti": 7}))),
        ("groups elsewhere", with(json!({"_claim_names": {"groups": "src1"}}))),
        ("claims that are no object", {
            let key = issuer.key();
            sign(&json!({"alg": "ES256", "kid": "k1"}), &json!([1]), key, Algorithm::ES256)
        }),
    ]), @r#"
    no issuer: its claim `iss` is missing or not as RFC 7519 says
    another issuer: its issuer (`iss`) is not the provider's
    a list of issuers: its claim `iss` is missing or not as RFC 7519 says
    no audience: its claim `aud` is missing or not as RFC 7519 says
    another audience: it is for another audience (`aud`)
    no audience in the list: it is for another audience (`aud`)
    other audiences: it is for another audience (`aud`)
    numbers as audience: its claim `aud` is missing or not as RFC 7519 says
    no end: its claim `exp` is missing or not as RFC 7519 says
    text as end: its claim `exp` is missing or not as RFC 7519 says
    an end beyond numbers: its claim `exp` is missing or not as RFC 7519 says
    a negative end: its claim `exp` is missing or not as RFC 7519 says
    expired: it expired (`exp`) at 2027-01-15T07:59:30Z
    not yet: it is not valid yet (`nbf`)
    text as begin: its claim `nbf` is missing or not as RFC 7519 says
    issued in the future: it is not valid yet (`iat`)
    no subject: its claim `sub` is missing or not as RFC 7519 says
    empty subject: its claim `sub` is missing or not as RFC 7519 says
    control characters in the subject: its claim `sub` is missing or not as RFC 7519 says
    a number as id: its claim `jti` is missing or not as RFC 7519 says
    groups elsewhere: the provider left the groups out because there are too many (`_claim_names`); assign fewer groups to this application, or let it emit only those assigned to it
    claims that are no object: it is not a signed JWT: its claims are not a JSON object
    "#);
    judge(&with(json!({"aud": ["x", "portcullis-eu"]})), &jwks(&[&issuer])).unwrap();
    judge(&with(json!({"nbf": null, "iat": null, "jti": null})), &jwks(&[&issuer])).unwrap();
}

#[test]
fn b3_no_groups_claim_is_a_principal_without_groups() {
    let issuer = TestIssuer::new("k1", Algorithm::ES256);
    let token = issuer.token(&changed(&json!({"groups": null})));
    assert!(judge(&token, &jwks(&[&issuer])).unwrap().groups.is_empty());
}

#[test]
fn b3_clocks_are_forgiven_what_the_settings_say_and_no_more() {
    let issuer = TestIssuer::new("k1", Algorithm::ES256);
    let keys = jwks(&[&issuer]);
    let token = issuer.token(&claims());
    let (begins, ends) = (NOW - 300, NOW + 300);
    for (second, accepted) in
        [(begins - 31, false), (begins - 30, true), (ends + 29, true), (ends + 30, false)]
    {
        let judged = judge_at(&token, &keys, &rules(), second);
        assert_eq!(judged.is_ok(), accepted, "{second}: {judged:?}");
    }
}

#[test]
fn a_token_that_is_none_is_refused_before_any_key_is_asked_for() {
    let issuer = TestIssuer::new("k1", Algorithm::ES256);
    let token = issuer.token(&claims());
    let parts: Vec<&str> = token.split('.').collect();
    for wrong in [
        String::new(),
        String::from(".."),
        String::from("a.b"),
        format!("{token}.{}", parts[2]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{}.{}.x.y", parts[0], parts[1], parts[2]),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}{token}", "a".repeat(TOKEN_BYTES_MAX)),
    ] {
        assert!(matches!(Unverified::read(&wrong), Err(InvalidToken::Malformed(_))), "{wrong}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_change_to_a_signed_token_is_accepted(at in 0_usize..1_000, to in any::<u8>()) {
        static ISSUED: std::sync::LazyLock<(String, String)> = std::sync::LazyLock::new(|| {
            let issuer = TestIssuer::new("k1", Algorithm::ES256);
            (issuer.token(&claims()), jwks(&[&issuer]))
        });
        let (token, keys) = &*ISSUED;
        let mut bytes = token.clone().into_bytes();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        if let Ok(changed) = String::from_utf8(bytes) {
            prop_assert!(judge(&changed, keys).is_err());
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[ -~]{0,200}") {
        let _judged = Unverified::read(&text);
    }
}
