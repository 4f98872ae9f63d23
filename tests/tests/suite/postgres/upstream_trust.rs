//! Whom the gateway believes upstream, and what it says to whom it does not believe.
//!
//! Owns certificates that are wrong in one way each, channel binding, and servers in the middle.
//! What becomes of a refused upstream's words elsewhere is `adversarial`'s.

use std::path::{Path, PathBuf};

use rcgen::SignatureAlgorithm;
use tests::certificates::{Authority, Identity};
use tests::client::messages::rows;
use tests::cluster::{APP, APP_CLEAR, Cluster, SHOP};
use tests::eavesdropper::{Eavesdropper, Offer};
use tests::programs::{self, Said};
use tests::world::World;

const PLUS: &str = "SCRAM-SHA-256-PLUS";

/// Every client message that holds something of the credential begins after a startup packet.
fn heard_nothing(eavesdropper: &Eavesdropper) -> bool {
    eavesdropper.connections() > 0 && eavesdropper.heard().is_empty()
}

fn before(cluster: &Cluster, shows: &Identity, offer: Offer) -> Eavesdropper {
    Eavesdropper::before(cluster.port(), cluster.authority(), shows, offer)
}

/// A world whose upstream is `eavesdropper`, verified as `tls` says.
fn world(cluster: &'static Cluster, eavesdropper: &Eavesdropper, tls: &str) -> World {
    World::with(cluster, |usual| usual.upstream_at(eavesdropper.address()).upstream_tls(tls))
}

fn verify_full(cluster: &Cluster) -> String {
    format!("{{ mode: verify-full, ca: {} }}", cluster.authority_file().display())
}

/// Tries to log in; gives what the client is told, and what the operator is.
fn refused(world: &World) -> (String, String) {
    let fields = world.login(SHOP).err().expect("the log-in was accepted").refused();
    assert_eq!(fields.code(), "08006", "{fields:?}");
    let event = world.event("upstream_failed", |_| true);
    let because = event.get("because").and_then(|because| because.as_str());
    (fields.get(b'M').to_owned(), because.unwrap().to_owned())
}

#[test]
fn an_upstream_with_a_wrong_certificate_is_told_nothing_and_the_operator_is_told_the_remedy() {
    let cluster = Cluster::shared();
    let stranger = Authority::new("somebody else's authority");
    let table = [
        (
            stranger.issue(&["127.0.0.1"]),
            "the server's certificate is not trusted",
            "give the target the file with its certificate authority",
        ),
        (
            cluster.authority().issue(&["other.example"]),
            "the server's certificate is for another name",
            "not for `127.0.0.1` but for other.example; set the target's server name",
        ),
        (
            cluster.authority().issue_expired(&["127.0.0.1"]),
            "the server's certificate has expired",
            "has expired (at 2020-02-01T00:00:00Z); renew it there",
        ),
        (
            Identity::self_signed(&["127.0.0.1"]),
            "the server's certificate is not trusted",
            "give the target the file with its certificate authority",
        ),
    ];
    for (shows, told, remedy) in table {
        let eavesdropper = before(cluster, &shows, Offer::Unchanged);
        let world = world(cluster, &eavesdropper, &verify_full(cluster));
        let (message, because) = refused(&world);
        assert_eq!(message, format!("portcullis: {told}"));
        assert!(because.contains(remedy), "{because}");
        assert!(heard_nothing(&eavesdropper), "{told}: {:?}", eavesdropper.heard());
    }
}

#[test]
fn each_mode_demands_what_it_says() {
    let cluster = Cluster::shared();
    let elsewhere = cluster.authority().issue(&["other.example"]);
    let stranger = Authority::new("somebody else's authority").issue(&["127.0.0.1"]);
    let file = cluster.authority_file();
    let by_authority = format!("{{ mode: verify-ca, ca: {} }}", file.display());
    let by_name =
        format!("{{ mode: verify-full, ca: {}, server_name: other.example }}", file.display());
    // Who answers is not the server, so channel binding fails wherever TLS does not.
    for (tls, shows, heard) in [
        (by_name.as_str(), &elsewhere, true),
        (&by_authority, &elsewhere, true),
        (&by_authority, &stranger, false),
        ("require", &stranger, true),
    ] {
        let eavesdropper = before(cluster, shows, Offer::Unchanged);
        let world = world(cluster, &eavesdropper, tls);
        let (message, _) = refused(&world);
        assert_eq!(!eavesdropper.heard().is_empty(), heard, "{tls}: {message}");
        assert_eq!(message.contains("SQLSTATE"), heard, "{tls}: {message}");
    }
}

#[test]
fn a_self_signed_certificate_that_the_operator_gives_is_trusted_for_its_name() {
    let cluster = Cluster::shared();
    let directory = tempfile::tempdir().unwrap();
    let file: PathBuf = directory.path().join("server.crt");
    for (name, trusted) in [("127.0.0.1", true), ("other.example", false)] {
        let shows = Identity::self_signed(&[name]);
        std::fs::write(&file, &shows.certificate_pem).unwrap();
        let eavesdropper = before(cluster, &shows, Offer::Unchanged);
        let tls = format!("{{ mode: verify-full, ca: {} }}", file.display());
        let _ = refused(&world(cluster, &eavesdropper, &tls));
        assert_eq!(!eavesdropper.heard().is_empty(), trusted, "{name}");
    }
}

/// Signatures of certificates, with the mechanism that they leave to SCRAM.
fn signatures() -> [(&'static str, &'static SignatureAlgorithm, &'static str); 5] {
    [
        ("RSA with SHA-256", &rcgen::PKCS_RSA_SHA256, "p=tls-server-end-point,,"),
        ("P-256 with SHA-256", &rcgen::PKCS_ECDSA_P256_SHA256, "p=tls-server-end-point,,"),
        ("P-384 with SHA-384", &rcgen::PKCS_ECDSA_P384_SHA384, "p=tls-server-end-point,,"),
        ("P-521 with SHA-512", &rcgen::PKCS_ECDSA_P521_SHA512, "p=tls-server-end-point,,"),
        // No hash, so no channel binding (RFC 5929 section 4.1).
        ("Ed25519", &rcgen::PKCS_ED25519, "n,,"),
    ]
}

#[test]
fn a_real_server_accepts_the_channel_binding_for_every_signature() {
    let directory = tempfile::tempdir().unwrap();
    for cluster in Cluster::all_apart("certificates") {
        for (name, algorithm, header) in signatures() {
            let authority = Authority::signing_with(name, algorithm);
            let identity = authority.issue(&["localhost", "127.0.0.1"]);
            let tls = format!(
                "{{ mode: verify-full, ca: {} }}",
                authority.write(directory.path()).display()
            );
            cluster.show(&identity, &authority);
            let straight = World::with(cluster, |usual| usual.upstream_tls(&tls));
            assert_eq!(rows(&straight.session().query("SELECT 1")), [["1"]], "{name}");
            // The same certificate has the same binding, so the server believes who listens here.
            let mechanisms: &[&str] =
                if header == "n,," { &[PLUS, "SCRAM-SHA-256"] } else { &[PLUS] };
            let port = cluster.port();
            let eavesdropper =
                Eavesdropper::before(port, &authority, &identity, Offer::Instead(mechanisms));
            let listened = world(cluster, &eavesdropper, &tls);
            assert_eq!(rows(&listened.session().query("SELECT 1")), [["1"]], "{name}");
            assert!(eavesdropper.has_heard(header), "{name}");
            assert_eq!(eavesdropper.has_heard(PLUS), header != "n,,", "{name}");
        }
    }
}

#[test]
fn without_a_binding_a_server_that_insists_on_one_is_refused() {
    let cluster = Cluster::shared();
    let authority = Authority::signing_with("Ed25519", &rcgen::PKCS_ED25519);
    let directory = tempfile::tempdir().unwrap();
    let file = authority.write(directory.path());
    let shows = authority.issue(&["127.0.0.1"]);
    let eavesdropper = before(cluster, &shows, Offer::Instead(&[PLUS]));
    let tls = format!("{{ mode: verify-full, ca: {} }}", file.display());
    let (message, _) = refused(&world(cluster, &eavesdropper, &tls));
    assert!(message.contains("SASL mechanism"), "{message}");
}

#[test]
fn whoever_has_a_trusted_certificate_and_not_the_servers_cannot_pass_the_proof_on() {
    for cluster in Cluster::all() {
        let shows = cluster.authority().issue(&["127.0.0.1"]);
        for (offer, header) in [
            (Offer::Unchanged, "p=tls-server-end-point,,"),
            (Offer::Instead(&[PLUS]), "p=tls-server-end-point,,"),
            // Taken out of the offer: the server learns that we could have, and refuses.
            (Offer::Instead(&["SCRAM-SHA-256"]), "y,,"),
        ] {
            let eavesdropper = before(cluster, &shows, offer);
            let (message, _) = refused(&world(cluster, &eavesdropper, &verify_full(cluster)));
            assert!(message.contains("SQLSTATE"), "{offer:?}: {message}");
            assert!(eavesdropper.has_heard(header), "{offer:?}");
        }
    }
}

#[test]
fn a_server_that_demands_a_certificate_gets_the_targets_own() {
    let directory = tempfile::tempdir().unwrap();
    for cluster in Cluster::all_apart("client-certificates") {
        cluster.demand_client_certificates();
        let ours = cluster.authority();
        let stranger = Authority::new("somebody else's authority");
        for (user, shows, accepted) in [
            (APP, Some(ours.issue_client("app")), true),
            // Instead of a password.
            (APP_CLEAR, Some(ours.issue_client("app_clear")), true),
            (APP, Some(ours.issue_client("app_clear")), false),
            (APP, Some(stranger.issue_client("app")), false),
            (APP, None, false),
        ] {
            let own = shows.map_or_else(String::new, |identity| {
                let (certificate, key) = identity.write(directory.path(), "own");
                let (certificate, key) = (certificate.display(), key.display());
                format!(", client_certificate: {{ certificate: {certificate}, key: {key} }}")
            });
            let ca = cluster.authority_file();
            let tls = format!("{{ mode: verify-full, ca: {}{own} }}", ca.display());
            let world = World::with(cluster, |usual| usual.upstream_tls(&tls).credential(user));
            if accepted {
                assert_eq!(rows(&world.session().query("SELECT 1")), [["1"]], "{own}");
            } else {
                let (message, because) = refused(&world);
                assert!(!message.contains(user.password), "{message}");
                assert!(!because.contains(user.password), "{because}");
            }
        }
    }
}

#[test]
fn an_unverified_server_is_not_given_the_password_in_the_clear() {
    let cluster = Cluster::shared();
    let stranger = Authority::new("somebody else's authority").issue(&["127.0.0.1"]);
    let eavesdropper = before(cluster, &stranger, Offer::Password);
    let (message, because) = refused(&world(cluster, &eavesdropper, "require"));
    assert!(message.contains("in the clear"), "{message}");
    assert!(because.contains("verified"), "{because}");
    assert!(!eavesdropper.heard().is_empty());
    assert!(!eavesdropper.has_heard(APP.password));
}

#[test]
fn an_unchanged_client_needs_to_be_told_not_to_bind_to_an_ed25519_certificate() {
    // As documented; the gateway does it by itself.
    let cluster = Cluster::shared();
    let authority = Authority::signing_with("Ed25519", &rcgen::PKCS_ED25519);
    let directory = tempfile::tempdir().unwrap();
    let file = authority.write(directory.path());
    let eavesdropper = before(cluster, &authority.issue(&["127.0.0.1"]), Offer::Unchanged);
    let port = eavesdropper.address().port();
    let said = straight(port, &file, "");
    assert_eq!(said.status, Some(2), "{said:?}");
    assert!(said.error.contains("could not find digest"), "{}", said.error);
    assert_eq!(straight(port, &file, "channel_binding=disable").success(), "1\n");
}

/// libpq, not through the gateway.
fn straight(port: u16, authority: &Path, more: &str) -> Said {
    let connection = format!(
        "host=127.0.0.1 port={port} user={} password={} dbname={SHOP} sslmode=verify-full \
         gssencmode=disable sslrootcert={} {more}",
        APP.name,
        APP.password,
        authority.display()
    );
    programs::psql(&connection, &["-c", "SELECT 1"])
}

#[test]
fn an_unchanged_client_is_stopped_by_the_same_servers_in_the_middle() {
    // What we hold ourselves to: libpq, straight at the eavesdropper.
    let cluster = Cluster::shared();
    let shows = cluster.authority().issue(&["127.0.0.1"]);
    for offer in [Offer::Unchanged, Offer::Instead(&["SCRAM-SHA-256"])] {
        let eavesdropper = before(cluster, &shows, offer);
        let said = straight(eavesdropper.address().port(), &cluster.authority_file(), "");
        assert_eq!(said.status, Some(2), "{offer:?}: {said:?}");
        assert!(said.error.contains("channel binding"), "{offer:?}: {}", said.error);
    }
}
