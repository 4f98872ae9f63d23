use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

use super::*;

fn canary(directory: &Path) -> (Canary, HostCa) {
    let names = CertificateNames::of(["api.example", "10.0.0.5"]).unwrap();
    HostCa::open(directory, &names, &Now).unwrap();
    let open = || HostCa::existing(directory).unwrap().unwrap();
    let downstream = DownstreamTls::new(open(), Arc::new(Now)).unwrap();
    (Canary::start(downstream.server_config(&names, &[]).unwrap()).unwrap(), open())
}

/// Asks through the canary's `CONNECT`, by this name.
fn ask(
    canary: &Canary,
    roots: RootCertStore,
    name: &str,
    number: usize,
) -> std::io::Result<String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut stream = TcpStream::connect(canary.address())?;
    write!(stream, "CONNECT {name}:443 HTTP/1.1\r\nHost: {name}\r\n\r\n")?;
    let mut answer = [0; 39];
    stream.read_exact(&mut answer)?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut tls = Stream::new(&mut connection, &mut stream);
    write!(tls, "GET {}{number} HTTP/1.1\r\n\r\n", canary::PATH)?;
    let mut said = String::new();
    tls.read_to_string(&mut said)?;
    Ok(said)
}

#[test]
fn the_canary_has_seen_who_trusts_it_and_nobody_else() {
    let directory = tempfile::tempdir().unwrap();
    let (canary, authority) = canary(directory.path());
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone()).unwrap();
    for (number, name) in [(1, "api.example"), (2, "10.0.0.5")] {
        let said = ask(&canary, roots.clone(), name, number).unwrap();
        assert!(said.ends_with("ok\n"), "{said}");
        assert!(canary.has_seen(number));
    }
    assert!(ask(&canary, RootCertStore::empty(), "api.example", 3).is_err());
    assert!(ask(&canary, roots, "other.example", 4).is_err());
    assert!(!canary.has_seen(3) && !canary.has_seen(4));
}

#[test]
fn the_name_that_is_asked_for_is_one_that_clients_take_a_proxy_for() {
    let named = |texts: &[&str]| name(&CertificateNames::of(texts).unwrap());
    assert_eq!(named(&["localhost", "api.example"]).as_deref(), Some("api.example"));
    assert_eq!(named(&["127.0.0.1", "10.0.0.5"]).as_deref(), Some("10.0.0.5"));
    assert_eq!(named(&["localhost"]).as_deref(), Some("portcullis-canary.localhost"));
    assert_eq!(named(&[]), None);
}

#[test]
fn a_unit_that_does_not_trust_is_bad_and_one_that_does_makes_up_for_the_rest() {
    let runtime = Runtime {
        kind: Kind::Node,
        program: "/usr/bin/node".into(),
        version: "20".into(),
        owner: super::super::owners::Owner::Root,
    };
    let fails = || Outcome::Fails("unable to verify".into());
    let needed = || vec![String::from("job.service")];
    let good = row(&runtime, &fails(), &[Outcome::Trusts], needed());
    assert_eq!((good.is_bad(), good.by), (false, Some("the units' environment")));
    let bad = row(&runtime, &Outcome::Trusts, &[Outcome::Trusts, fails()], needed());
    assert_eq!((bad.is_bad(), bad.in_units), (true, Some(Trusts::No)));
    assert!(bad.remedy.is_some() && bad.said.is_some());
    let other = row(&runtime, &fails(), &[fails()], Vec::new());
    assert!(!other.is_bad() && other.remedy.is_some());
}
