use std::os::unix::fs::PermissionsExt;

use super::super::testing::{certify, key, keygen, public, write};
use super::*;

#[test]
fn the_targets_own_keys_are_shown_with_the_certificates_beside_them() {
    let directory = tempfile::tempdir().unwrap();
    let authority = key(directory.path(), "authority", "ed25519");
    let files: Vec<_> =
        ["ed25519", "ecdsa", "rsa"].map(|kind| key(directory.path(), kind, kind)).into();
    certify(&authority, &files[1], &["-h", "-n", "web1"]);
    let enrolled = Enrolled::default();
    let identity = enrolled.identity(&files).unwrap();
    let shown: Vec<_> =
        identity.keys.iter().map(|key| key.public_key().key_data().clone()).collect();
    let expected: Vec<_> = files.iter().map(|file| public(file).key_data().clone()).collect();
    assert_eq!(shown, expected);
    assert_eq!(identity.certificates.len(), 1);
    // A certificate for another key is a mistake, not a certificate.
    std::fs::copy(directory.path().join("ecdsa-cert.pub"), directory.path().join("rsa-cert.pub"))
        .unwrap();
    assert!(enrolled.identity(&files).unwrap_err().to_string().contains("another key"));
}

#[test]
fn an_old_pem_key_is_read_and_one_with_a_passphrase_is_refused_with_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    keygen(place, &["-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", "pem"]);
    keygen(place, &["-q", "-t", "ecdsa", "-m", "PKCS8", "-N", "", "-f", "pkcs8"]);
    keygen(place, &["-q", "-t", "ed25519", "-N", "sesame", "-f", "locked"]);
    let enrolled = Enrolled::default();
    let read = enrolled.identity(&[place.join("pem"), place.join("pkcs8")]).unwrap();
    assert_eq!(read.keys[0].public_key().key_data(), public(&place.join("pem")).key_data());
    assert_eq!(read.keys[1].public_key().key_data(), public(&place.join("pkcs8")).key_data());
    let error = enrolled.identity(&[place.join("locked")]).unwrap_err().to_string();
    assert!(error.contains("ssh-keygen -p"), "{error}");
}

#[test]
fn d4_a_key_that_others_can_read_is_refused_also_after_it_was_good_and_is_in_no_text() {
    let directory = tempfile::tempdir().unwrap();
    let file = key(directory.path(), "host", "ed25519");
    let enrolled = Enrolled::default();
    let files = [file.clone()];
    enrolled.identity(&files).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    enrolled.identity(&files).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = enrolled.identity(&files).unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
    assert_eq!(error.for_client(), "the host keys of this target cannot be used");
    write(&file, "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\n", 0o600);
    let error = enrolled.identity(&files).unwrap_err();
    assert!(!format!("{error} {error:?} {enrolled:?}").contains("canary"));
    std::fs::remove_file(&file).unwrap();
    assert!(enrolled.identity(&files).is_err());
}
