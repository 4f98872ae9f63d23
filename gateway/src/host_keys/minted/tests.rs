use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::super::testing::{Still, keygen, write};
use super::*;

fn names() -> Vec<String> {
    vec![String::from("web1.internal"), String::from("10.0.0.5")]
}

#[test]
fn ssh_keygen_reads_the_certificates_as_what_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let minted = Minted::open(directory.path()).unwrap();
    let now = Still::now().0;
    for (version, listed) in [
        (Some("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"), false),
        (Some("SSH-2.0-OpenSSH_10.2"), false),
        (Some("SSH-2.0-OpenSSH_for_Windows_9.5"), false),
        (Some("SSH-2.0-OpenSSH_10.3p1"), true),
        (Some("SSH-2.0-OpenSSH_11.0"), true),
        (Some("SSH-2.0-paramiko_3.4.0"), false),
        (Some("SSH-2.0-OpenSSH_"), false),
        (None, false),
    ] {
        let identity = minted.identity(&names(), version, now).unwrap();
        assert_eq!((identity.keys.len(), identity.certificates.len()), (3, 3));
        for (key, certificate) in identity.keys.iter().zip(&identity.certificates) {
            assert_eq!(key.public_key().key_data(), certificate.public_key());
            write(
                &directory.path().join("one-cert.pub"),
                &certificate.to_openssh().unwrap(),
                0o644,
            );
            let said = keygen(directory.path(), &["-L", "-f", "one-cert.pub"]);
            let authority = minted.authority.fingerprint();
            assert!(said.contains("host certificate"), "{said}");
            assert!(said.contains(&authority) && said.contains("ED25519"), "{said}");
            assert_eq!(said.contains("web1.internal") && said.contains("10.0.0.5"), listed);
            assert!(said.contains("Critical Options: (none)"), "{said}");
            assert!(certificate.valid_before() - now.as_seconds() <= 3_600);
        }
    }
}

#[test]
fn keys_outlive_a_restart_and_an_exposed_one_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("ca");
    let shown = |minted: &Minted| {
        let keys = minted.keys.iter().map(|key| key.public_key().to_openssh().unwrap());
        (minted.authority.public_line().unwrap(), keys.collect::<Vec<_>>())
    };
    let first = Minted::open(&place).unwrap();
    let again = Minted::open(&place).unwrap();
    assert_eq!(shown(&first), shown(&again));
    let public = std::fs::read_to_string(place.join("ssh-ca.pub")).unwrap();
    assert_eq!(public, format!("{}\n", first.authority.public_line().unwrap()));
    for file in ["ssh-ca.key", "ssh-host-ed25519.key", "ssh-host-ecdsa.key", "ssh-host-rsa.key"] {
        let mode = std::fs::metadata(place.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
        let said = keygen(&place, &["-l", "-f", file]);
        assert!(said.contains("SHA256:"), "{said}");
    }
    let key = place.join("ssh-ca.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(Minted::open(&place).unwrap_err().to_string().contains("chmod 600"));
    write(&key, "nonsense", 0o600);
    assert!(Minted::open(&place).unwrap_err().to_string().contains("remove it"));
}

#[test]
fn a_certificate_is_signed_again_before_it_ends_and_when_the_clock_is_set_back() {
    let directory = tempfile::tempdir().unwrap();
    let minted = Minted::open(directory.path()).unwrap();
    let now = Still::now().0;
    let serial = |at| minted.identity(&names(), None, at).unwrap().certificates[0].serial();
    let first = serial(now);
    assert_eq!(first, serial(now.after(Duration::from_secs(1_700))));
    assert_ne!(first, serial(now.after(Duration::from_secs(1_900))));
    assert_ne!(first, serial(Timestamp::from_seconds(now.as_seconds() - 10)));
}
