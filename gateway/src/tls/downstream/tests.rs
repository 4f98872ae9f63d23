use std::sync::atomic::{AtomicU64, Ordering};

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::*;
use crate::tls::ALPN_POSTGRESQL;
use crate::tls::testing::now;

#[derive(Debug)]
struct Moving(AtomicU64);

impl Clock for Moving {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

struct World {
    _directory: tempfile::TempDir,
    clock: Arc<Moving>,
    tls: DownstreamTls,
}

impl World {
    fn authority(&self) -> &HostCa {
        match &self.tls.minter.authority {
            Authority::Host(authority) => authority,
            Authority::Lent(_) => panic!("it is the host's own"),
        }
    }
}

fn names(texts: &[&str]) -> CertificateNames {
    CertificateNames::of(texts).unwrap()
}

fn world(texts: &[&str]) -> World {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(Moving(AtomicU64::new(now().0)));
    let (authority, _) = HostCa::open(directory.path(), &names(texts), clock.as_ref()).unwrap();
    let tls = DownstreamTls::new(authority, Arc::clone(&clock) as _).unwrap();
    World { _directory: directory, clock, tls }
}

/// What a client that trusts the authority saw.
struct Seen {
    names: Vec<String>,
    serial: Vec<u8>,
    alpn: Option<Vec<u8>>,
}

async fn connect(
    world: &World,
    server: &Arc<ServerConfig>,
    name: &str,
    alpn: &[&[u8]],
) -> Result<Seen, String> {
    let mut roots = RootCertStore::empty();
    roots.add(world.authority().certificate().clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(crate::tls::crypto_provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let (near, far) = tokio::io::duplex(16 * 1024);
    let accepting = TlsAcceptor::from(Arc::clone(server)).accept(far);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, near);
    let (_, connected) = tokio::join!(accepting, connecting);
    let connected = connected.map_err(|error| error.to_string())?;
    let (_, connection) = connected.get_ref();
    let leaf = connection.peer_certificates().unwrap()[0].clone();
    let (_, parsed) = X509Certificate::from_der(&leaf).unwrap();
    let names = parsed.subject_alternative_name().unwrap().unwrap().value.general_names.iter();
    let names = names
        .map(|name| match name {
            GeneralName::DNSName(name) => (*name).to_owned(),
            GeneralName::IPAddress(bytes) => format!("{bytes:?}"),
            other => panic!("{other:?}"),
        })
        .collect();
    let alpn = connection.alpn_protocol().map(<[u8]>::to_vec);
    Ok(Seen { names, serial: parsed.raw_serial().to_vec(), alpn })
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_gets_a_certificate_for_the_name_it_dialled() {
    let world = world(&["db.example", "10.0.5.10", "fd00::10"]);
    let server =
        world.tls.server_config(&names(&["db.example", "10.0.5.10", "fd00::10"]), &[]).unwrap();
    for name in ["db.example", "DB.example", "10.0.5.10", "fd00::10"] {
        let seen = connect(&world, &server, name, &[]).await.unwrap();
        assert_eq!(seen.names.len(), 3, "{name}");
    }
    // A name below a permitted one gets its own.
    let seen = connect(&world, &server, "replica.db.example", &[]).await.unwrap();
    assert_eq!(seen.names, ["replica.db.example"]);
    // Another name gets the target's certificate, which is not for it.
    let refused = connect(&world, &server, "bank.example", &[]).await.err().unwrap();
    assert!(refused.contains("not valid for name"), "{refused}");
}

#[tokio::test]
async fn the_authority_cannot_sign_beyond_its_constraints() {
    let world = world(&["db.example", "10.0.5.10"]);
    // Around our own check: a leaf as an attacker with the key would make it.
    for name in ["bank.example", "10.0.5.11", "fd00::1", "xdb.example"] {
        let key = KeyPair::generate().unwrap();
        let leaf = world
            .authority()
            .sign_leaf(&key, &names(&[name]), LEAF_LIVES, world.clock.as_ref())
            .unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let server = ServerConfig::builder_with_provider(crate::tls::crypto_provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf], key.into())
            .unwrap();
        let refused = connect(&world, &Arc::new(server), name, &[]).await.err().unwrap();
        assert!(refused.contains("invalid peer certificate"), "{name}: {refused}");
    }
    assert_eq!(world.tls.minter.permitted(&names(&["bank.example", "10.0.5.11"])), names(&[]));
}

#[tokio::test]
async fn the_application_protocol_is_agreed_where_it_is_offered() {
    let world = world(&["db.example"]);
    let direct = world.tls.server_config(&names(&["db.example"]), &[ALPN_POSTGRESQL]).unwrap();
    let seen = connect(&world, &direct, "db.example", &[ALPN_POSTGRESQL]).await.unwrap();
    assert_eq!(seen.alpn.as_deref(), Some(ALPN_POSTGRESQL));
    assert!(connect(&world, &direct, "db.example", &[b"http/1.1"]).await.is_err());
    let plain = world.tls.server_config(&names(&["db.example"]), &[]).unwrap();
    let seen = connect(&world, &plain, "db.example", &[ALPN_POSTGRESQL]).await.unwrap();
    assert_eq!(seen.alpn, None);
}

#[tokio::test]
async fn a_leaf_is_kept_until_it_is_old_and_no_two_have_one_serial_number() {
    let world = world(&["db.example"]);
    let server = world.tls.server_config(&names(&["db.example"]), &[]).unwrap();
    let first = connect(&world, &server, "db.example", &[]).await.unwrap();
    let same = connect(&world, &server, "db.example", &[]).await.unwrap();
    assert_eq!(first.serial, same.serial);
    let other = connect(&world, &server, "a.db.example", &[]).await.unwrap();
    assert_ne!(first.serial, other.serial);
    let day = u64::try_from(LEAF_RENEWED_BEFORE.as_micros()).unwrap();
    world.clock.0.fetch_add(day, Ordering::SeqCst);
    let leaf = world.tls.minter.leaf(&names(&["db.example"])).unwrap();
    let (_, parsed) = X509Certificate::from_der(&leaf.cert[0]).unwrap();
    assert_ne!(parsed.raw_serial(), first.serial);
}

#[test]
fn names_that_clients_make_up_cannot_fill_the_memory() {
    let world = world(&["db.example"]);
    let leaf = |name: &str| world.tls.minter.leaf(&names(&[name])).unwrap();
    let first = leaf("db.example");
    for number in 0..LEAVES_MAX + 50 {
        world.clock.0.fetch_add(1, Ordering::SeqCst);
        leaf(&format!("n{number}.db.example"));
        // In use all along, so it stays.
        assert!(Arc::ptr_eq(&first, &leaf("db.example")), "{number}");
    }
    assert_eq!(world.tls.minter.leaves.lock().len(), LEAVES_MAX);
}

#[test]
fn the_keys_are_in_no_text_about_them() {
    let world = world(&["db.example"]);
    let key = world.tls.minter.key.serialize_pem();
    let line = key.lines().nth(1).unwrap();
    assert!(!format!("{:?}", world.tls).contains(line));
    let bytes = format!("{:?}", world.tls.minter.key.serialize_der());
    assert!(!format!("{:?}", world.tls).contains(bytes.get(1..40).unwrap()));
}

/// OpenSSL is what psql, Python and most others verify with.
#[test]
fn openssl_accepts_what_is_permitted_and_nothing_else() {
    for permitted in
        [&["db.example"][..], &["10.0.5.10"], &["fd00::10"], &["db.example", "10.0.5.10"]]
    {
        let world = world(permitted);
        let directory = tempfile::tempdir().unwrap();
        let leaf_file = directory.path().join("leaf.der");
        for name in
            ["db.example", "r.db.example", "10.0.5.10", "fd00::10", "bank.example", "10.0.5.11"]
        {
            let key = KeyPair::generate().unwrap();
            let authority = world.authority();
            let leaf = authority
                .sign_leaf(&key, &names(&[name]), LEAF_LIVES, world.clock.as_ref())
                .unwrap();
            std::fs::write(&leaf_file, &leaf).unwrap();
            let kind = if name.parse::<std::net::IpAddr>().is_ok() { "ip" } else { "hostname" };
            let verified = std::process::Command::new("openssl")
                .args(["verify", "-x509_strict", "-purpose", "sslserver"])
                .arg(format!("-verify_{kind}"))
                .arg(name)
                .arg("-CAfile")
                .arg(authority.certificate_file())
                .arg(&leaf_file)
                .output()
                .unwrap();
            let expected = names(permitted).cover(&names(&[name]));
            let said = String::from_utf8_lossy(&verified.stderr);
            assert_eq!(verified.status.success(), expected, "{permitted:?} {name}: {said}");
        }
    }
}
