use std::fs;
use std::os::unix::fs::PermissionsExt;

use model::Timestamp;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::*;
use crate::tls::testing::HandSetClock;

const NOW: u64 = 1_800_000_000;

fn names(texts: &[&str]) -> CertificateNames {
    CertificateNames::of(texts).unwrap()
}

fn open(directory: &Path, texts: &[&str], second: u64) -> (HostCa, AuthorityChange) {
    let clock = HandSetClock(Timestamp::from_seconds(second));
    HostCa::open(directory, &names(texts), &clock).unwrap()
}

#[test]
fn it_is_made_once_for_root_alone_and_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("state/tls");
    let (first, change) = open(&place, &["db.example", "10.0.5.10"], NOW);
    assert_eq!(change, AuthorityChange::Created);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place), 0o700);
    assert_eq!(mode(&place.join(KEY_FILE)), 0o600);
    assert_eq!(mode(first.certificate_file()), 0o644);
    assert_eq!(fs::read_dir(&place).unwrap().count(), 2, "nothing is left beside");
    let (again, change) = open(&place, &["10.0.5.10"], NOW + 1);
    assert_eq!(change, AuthorityChange::None);
    assert_eq!(again.certificate(), first.certificate());
    assert_eq!(again.names(), first.names());
    assert_eq!(again.fingerprint().len(), 64);
}

#[test]
fn it_is_issued_again_with_its_key_when_targets_outgrow_it_or_it_is_old() {
    let directory = tempfile::tempdir().unwrap();
    let (first, _) = open(directory.path(), &["db.example"], NOW);
    let (wider, change) = open(directory.path(), &["db.example", "mail.example"], NOW);
    assert_eq!(change, AuthorityChange::Reissued);
    assert_ne!(wider.certificate(), first.certificate());
    assert_eq!(wider.issuer.key().public_key_raw(), first.issuer.key().public_key_raw());
    let nearly_over = NOW + (AUTHORITY_LIVES - AUTHORITY_RENEWED_BEFORE).as_secs();
    let (_, change) = open(directory.path(), &["db.example"], nearly_over - 1);
    assert_eq!(change, AuthorityChange::None);
    let (_, change) = open(directory.path(), &["db.example"], nearly_over);
    assert_eq!(change, AuthorityChange::Reissued);
}

#[test]
fn a_certificate_of_another_key_or_none_at_all_is_not_adopted() {
    let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, _) = open(directory.path(), &["db.example"], NOW);
    let (foreign, _) = open(other.path(), &["db.example"], NOW);
    for text in [fs::read_to_string(foreign.certificate_file()).unwrap(), String::from("x")] {
        fs::write(first.certificate_file(), text).unwrap();
        let (_, change) = open(directory.path(), &["db.example"], NOW);
        assert_eq!(change, AuthorityChange::Reissued);
    }
}

#[test]
fn a_key_that_others_may_know_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path(), &["db.example"], NOW);
    let key = directory.path().join(KEY_FILE);
    let clock = HandSetClock(Timestamp::from_seconds(NOW));
    let refused = || HostCa::open(directory.path(), &names(&["db.example"]), &clock).unwrap_err();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(refused(), HostCaError::Exposed { .. }));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::chown(&key, Some(64_001), None).expect("changing owners takes root");
    assert!(matches!(refused(), HostCaError::Exposed { .. }));
    fs::remove_file(&key).unwrap();
    fs::write(&key, "not a key").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(refused(), HostCaError::Unusable { .. }));
    let text = refused().to_string();
    assert!(!text.contains("not a key"), "{text}");
    fs::remove_file(&key).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", &key).unwrap();
    assert!(matches!(refused(), HostCaError::File { .. }));
}

#[test]
fn its_certificate_says_what_it_is_for_and_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let (authority, _) = open(directory.path(), &["db.example", "10.0.5.10"], NOW);
    let (_, parsed) = X509Certificate::from_der(authority.certificate()).unwrap();
    let basic = parsed.basic_constraints().unwrap().unwrap();
    assert_eq!((basic.value.ca, basic.value.path_len_constraint), (true, Some(0)));
    assert!(basic.critical);
    let usage = parsed.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth && !usage.any && !usage.code_signing);
    let constraints = parsed.name_constraints().unwrap().unwrap();
    assert!(constraints.critical);
    let permitted = constraints.value.permitted_subtrees.as_ref().unwrap();
    assert_eq!(permitted.len(), 2);
    assert_eq!(permitted[0].base, GeneralName::DNSName("db.example"));
    // IPv6 has no name here and so is excluded as a whole.
    let excluded = constraints.value.excluded_subtrees.as_ref().unwrap();
    assert_eq!(excluded.len(), 1);
    assert_eq!(excluded[0].base, GeneralName::IPAddress(&[0; 32]));
}
