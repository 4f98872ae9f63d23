use std::path::Path;

use super::super::testing::{Still, certify, key, public, public_text, write};
use super::*;

fn at(port: u16) -> UpstreamName {
    UpstreamName { hosts: vec![String::from("Web1.internal"), String::from("10.0.0.5")], port }
}

fn known_hosts(directory: &Path, text: &str) -> HostKeyTrust {
    let file = directory.join("known_hosts");
    write(&file, text, 0o644);
    HostKeyTrust::KnownHosts(file)
}

fn verdict(trust: &HostKeyTrust, port: u16, shown: Shown<'_>) -> Result<(), HostKeyError> {
    TrustFiles::default().verdict(trust, &at(port), shown, Still::now().0)
}

#[track_caller]
fn refused(trust: &HostKeyTrust, port: u16, shown: Shown<'_>) -> NotTrusted {
    match verdict(trust, port, shown) {
        Err(HostKeyError::NotTrusted(because)) => *because,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pinned_key_is_accepted_and_every_other_refused_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) =
        (key(directory.path(), "a", "ed25519"), key(directory.path(), "b", "ed25519"));
    let trust = known_hosts(directory.path(), &format!("web1.internal {}", public_text(&one)));
    verdict(&trust, 22, Shown::Key(&public(&one))).unwrap();
    let changed = refused(&trust, 22, Shown::Key(&public(&other)));
    assert!(matches!(changed, NotTrusted::Changed { known_line: 1, .. }), "{changed:?}");
    let said = HostKeyError::from(changed).to_string();
    assert!(said.contains("known_hosts (line 1)") && said.contains("SHA256:"), "{said}");
    // Under its bare name it is known at other ports too, as OpenSSH has it.
    verdict(&trust, 2222, Shown::Key(&public(&one))).unwrap();
    let trust = known_hosts(directory.path(), &format!("db1 {}", public_text(&one)));
    let unknown = HostKeyError::from(refused(&trust, 2222, Shown::Key(&public(&one))));
    let text = public_text(&one);
    let blob = text.split(' ').nth(1).unwrap();
    let line = format!("add the line: [Web1.internal]:2222 ssh-ed25519 {blob}");
    assert!(unknown.to_string().contains(&line), "{unknown}");
    assert_eq!(unknown.for_client(), "no host key is known for the upstream");
}

#[test]
fn a_key_known_for_the_port_leaves_that_of_the_bare_name_out() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) =
        (key(directory.path(), "a", "ed25519"), key(directory.path(), "b", "ed25519"));
    let text =
        format!("[web1.internal]:2222 {}10.0.0.5 {}", public_text(&one), public_text(&other));
    let trust = known_hosts(directory.path(), &text);
    verdict(&trust, 2222, Shown::Key(&public(&one))).unwrap();
    refused(&trust, 2222, Shown::Key(&public(&other)));
    verdict(&trust, 22, Shown::Key(&public(&other))).unwrap();
    refused(&trust, 22, Shown::Key(&public(&one)));
}

#[test]
fn a_revocation_wins_over_everything_that_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let (authority, one) =
        (key(directory.path(), "ca", "ed25519"), key(directory.path(), "a", "ed25519"));
    let certificate = certify(&authority, &one, &["-h", "-n", "web1.internal"]);
    let (host, signer) = (public_text(&one), public_text(&authority));
    let good = format!("web1.internal {host}@cert-authority *.internal {signer}");
    let trust = known_hosts(directory.path(), &good);
    verdict(&trust, 22, Shown::Certificate(&certificate)).unwrap();
    for revoked in [format!("@revoked * {host}"), format!("@revoked [*]:2222,web1.* {signer}")] {
        let trust = known_hosts(directory.path(), &format!("{good}{revoked}"));
        let because = refused(&trust, 22, Shown::Certificate(&certificate));
        assert!(matches!(because, NotTrusted::Revoked { known_line: 3, .. }), "{because:?}");
    }
    let trust = known_hosts(directory.path(), &format!("{good}@revoked web1.internal {host}"));
    refused(&trust, 22, Shown::Key(&public(&one)));
    refused(&trust, 2222, Shown::Key(&public(&one)));
}

#[test]
fn a_certificate_must_be_a_good_one_of_a_known_authority() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let host = key(place, "host", "ed25519");
    let (ours, theirs) = (key(place, "ours", "ed25519"), key(place, "theirs", "ed25519"));
    let rsa = key(place, "rsa", "rsa");
    let file = place.join("authorities");
    write(&file, &format!("{}{}", public_text(&ours), public_text(&rsa)), 0o600);
    let trust = HostKeyTrust::CertificateAuthority(file);
    for (authority, arguments, good) in [
        (&ours, &["-h", "-n", "web1.internal"][..], true),
        (&ours, &["-h", "-n", "db1,10.0.0.5"], true),
        (&ours, &["-h", "-n", "*.internal"], true),
        (&ours, &["-h", "-n", "web1.internal", "-V", "-1h:+1h"], true),
        (&rsa, &["-h", "-n", "web1.internal"], true),
        (&rsa, &["-h", "-n", "web1.internal", "-t", "ssh-rsa"], false),
        (&ours, &["-h", "-n", "db1"], false),
        (&ours, &["-h"], false),
        (&ours, &["-n", "web1.internal"], false),
        (&ours, &["-h", "-n", "web1.internal", "-V", "-2h:-1h"], false),
        (&ours, &["-h", "-n", "web1.internal", "-V", "+1h:+2h"], false),
        (&ours, &["-h", "-n", "web1.internal", "-O", "critical:odd=1"], false),
        (&theirs, &["-h", "-n", "web1.internal"], false),
    ] {
        let certificate = certify(authority, &host, arguments);
        let judged = verdict(&trust, 2222, Shown::Certificate(&certificate));
        assert_eq!(judged.is_ok(), good, "{arguments:?}: {judged:?}");
    }
    let stranger = certify(&theirs, &host, &["-h", "-n", "web1.internal"]);
    let because = refused(&trust, 22, Shown::Certificate(&stranger));
    assert!(matches!(because, NotTrusted::Authority { .. }), "{because:?}");
    let bare = refused(&trust, 22, Shown::Key(&public(&host)));
    assert!(matches!(bare, NotTrusted::BareKey { .. }), "{bare:?}");
    // A stranger's signature under the name of a known authority.
    let good = certify(&ours, &host, &["-h", "-n", "web1.internal"]);
    let mut forged = good.to_bytes().unwrap();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let forged = Certificate::from_bytes(&forged).unwrap();
    let because = refused(&trust, 22, Shown::Certificate(&forged));
    assert!(matches!(because, NotTrusted::Certificate { .. }), "{because:?}");
}

#[test]
fn types_that_are_known_are_asked_for_first() {
    let directory = tempfile::tempdir().unwrap();
    let rsa = key(directory.path(), "rsa", "rsa");
    let authority = key(directory.path(), "ca", "ed25519");
    let text = format!(
        "web1.internal {}@cert-authority *.other {}",
        public_text(&rsa),
        public_text(&authority)
    );
    let trust = known_hosts(directory.path(), &text);
    let files = TrustFiles::default();
    let expected = files.expected(&trust, &at(2222)).unwrap();
    assert!(!expected.certificates);
    assert_eq!(expected.known, [Algorithm::Rsa { hash: None }]);
    let elsewhere = UpstreamName { hosts: vec![String::from("web.other")], port: 22 };
    assert!(files.expected(&trust, &elsewhere).unwrap().certificates);
}

#[test]
fn a_file_of_trust_that_others_may_change_or_that_knows_nobody_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let one = key(directory.path(), "a", "ed25519");
    let trust = known_hosts(directory.path(), &format!("web1.internal {}", public_text(&one)));
    let files = TrustFiles::default();
    files.check(&trust).unwrap();
    let file = directory.path().join("known_hosts");
    write(&file, &public_text(&one), 0o664);
    assert!(files.check(&trust).unwrap_err().to_string().contains("chmod go-w"));
    write(&file, "# nobody\n", 0o644);
    assert!(files.check(&trust).unwrap_err().to_string().contains("no host key"));
    std::fs::remove_file(&file).unwrap();
    assert!(verdict(&trust, 22, Shown::Key(&public(&one))).is_err());
}
