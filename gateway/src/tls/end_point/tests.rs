use aws_lc_rs::digest::digest;
use rcgen::{CertificateParams, KeyPair, RsaKeySize, SignatureAlgorithm as Kind};

use super::*;

fn certificate(key: &KeyPair) -> Vec<u8> {
    CertificateParams::new([String::from("db")]).unwrap().self_signed(key).unwrap().der().to_vec()
}

fn hash(algorithm: &'static digest::Algorithm, der: &[u8]) -> Option<EndPointHash> {
    Some(EndPointHash(digest(algorithm, der).as_ref().to_vec()))
}

#[test]
fn the_hash_is_that_of_the_certificate_s_signature() {
    let ecdsa: [(&'static Kind, &'static digest::Algorithm); 3] = [
        (&rcgen::PKCS_ECDSA_P256_SHA256, &SHA256),
        (&rcgen::PKCS_ECDSA_P384_SHA384, &SHA384),
        (&rcgen::PKCS_ECDSA_P521_SHA512, &SHA512),
    ];
    for (kind, expected) in ecdsa {
        let der = certificate(&KeyPair::generate_for(kind).unwrap());
        assert_eq!(end_point_hash(&der), hash(expected, &der));
    }
    let rsa: [(&'static Kind, &'static digest::Algorithm); 3] = [
        (&rcgen::PKCS_RSA_SHA256, &SHA256),
        (&rcgen::PKCS_RSA_SHA384, &SHA384),
        (&rcgen::PKCS_RSA_SHA512, &SHA512),
    ];
    for (kind, expected) in rsa {
        let der = certificate(&KeyPair::generate_rsa_for(kind, RsaKeySize::_2048).unwrap());
        assert_eq!(end_point_hash(&der), hash(expected, &der));
    }
}

#[test]
fn old_hashes_give_way_to_sha_256() {
    // The same certificate with the name of another signature in it: sha256WithRSAEncryption
    // (1.2.840.113549.1.1.11) becomes 4 (MD5) or 5 (SHA-1), in both places where it stands.
    let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let der = certificate(&key);
    let name = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
    let places: Vec<usize> = memchr::memmem::find_iter(&der, &name).collect();
    assert_eq!(places.len(), 2);
    for old in [4, 5] {
        let mut der = der.clone();
        for place in &places {
            der[place + name.len() - 1] = old;
        }
        assert_eq!(end_point_hash(&der), hash(&SHA256, &der));
    }
}

#[test]
fn a_signature_of_pss_names_its_hash_in_its_parameters() {
    // As `openssl req -x509 -newkey rsa-pss -pkeyopt rsa_keygen_bits:2048 -sha384` signs.
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    for (option, expected) in [("-sha256", &SHA256), ("-sha384", &SHA384), ("-sha512", &SHA512)] {
        let made = std::process::Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"])
            .args([option, "-nodes", "-subj", "/CN=db", "-outform", "DER"])
            .args(["-keyout", &place("key"), "-out", &place("cert")])
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(made.success());
        let der = std::fs::read(place("cert")).unwrap();
        assert_eq!(end_point_hash(&der), hash(expected, &der), "{option}");
    }
}

#[test]
fn where_there_is_no_single_hash_there_is_no_binding() {
    let der = certificate(&KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap());
    assert_eq!(end_point_hash(&der), None);
    assert_eq!(end_point_hash(&[]), None);
    assert_eq!(end_point_hash(&[0x30; 100]), None);
}
