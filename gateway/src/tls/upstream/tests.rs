use std::sync::Arc;

use insta::assert_snapshot;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_rustls::TlsAcceptor;

use super::*;

/// A certificate authority and its file.
struct Authority {
    directory: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Each its own name, or a stranger's signature looks like a broken one.
        let id = key.public_key_raw().iter().map(|byte| format!("{byte:02x}"));
        let id: String = id.skip(1).take(8).collect();
        params.distinguished_name.push(rcgen::DnType::CommonName, id);
        let directory = tempfile::tempdir().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(directory.path().join("ca.pem"), certificate.pem()).unwrap();
        Self { directory, issuer: Issuer::new(params, key) }
    }

    fn file(&self) -> Option<PathBuf> {
        Some(self.directory.path().join("ca.pem"))
    }

    fn server(&self, params: &CertificateParams) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        serve(params.signed_by(&key, &self.issuer).unwrap().der().clone(), &key)
    }
}

fn params(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
}

fn serve(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(crate::tls::crypto_provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())
        .unwrap();
    Arc::new(config)
}

fn settings(mode: UpstreamTlsMode, ca_file: Option<PathBuf>) -> UpstreamTlsSettings {
    UpstreamTlsSettings { mode, ca_file, ..UpstreamTlsSettings::default() }
}

async fn secure(
    settings: &UpstreamTlsSettings,
    server: &Arc<ServerConfig>,
) -> Result<SecuredUpstream<DuplexStream>, UpstreamTlsFailure> {
    let tls = UpstreamTls::new(settings, "db.example", &[]).unwrap();
    let (near, far) = tokio::io::duplex(16 * 1024);
    let accepting = TlsAcceptor::from(Arc::clone(server)).accept(far);
    let (_, secured) = tokio::join!(accepting, tls.secure(near));
    secured
}

use UpstreamTlsMode::{Disable, InsecureNoVerify, VerifyCa, VerifyFull};

#[tokio::test]
async fn each_mode_accepts_what_it_says_and_no_more() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let right = ours.server(&params(&["db.example"]));
    let other_name = ours.server(&params(&["other.example"]));
    let stranger = theirs.server(&params(&["db.example"]));
    let table = [
        (VerifyFull, [true, false, false]),
        (VerifyCa, [true, true, false]),
        (InsecureNoVerify, [true, true, true]),
    ];
    for (mode, expected) in table {
        let settings = settings(mode, ours.file());
        for (server, accepted) in [&right, &other_name, &stranger].into_iter().zip(expected) {
            let secured = secure(&settings, server).await;
            assert_eq!(secured.is_ok(), accepted, "{mode:?}: {secured:?}");
        }
    }
    // Verification against the platform is the default, and it knows neither.
    let platform = UpstreamTlsSettings::default();
    assert_eq!(platform.mode, VerifyFull);
    let failure = secure(&platform, &right).await.unwrap_err();
    assert_eq!(failure, UpstreamTlsFailure::UnknownAuthority);
}

#[tokio::test]
async fn failures_say_what_is_wrong_to_the_operator_and_little_to_the_client() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let verify = settings(VerifyFull, ours.file());
    let mut told = Vec::new();
    let mut tell = |failure: UpstreamTlsFailure| {
        told.push(format!("{failure}\n  client: {}", failure.client_text()));
    };
    let mut expired = params(&["db.example"]);
    expired.not_before = rcgen::date_time_ymd(2020, 1, 1);
    expired.not_after = rcgen::date_time_ymd(2020, 2, 1);
    tell(secure(&verify, &ours.server(&expired)).await.unwrap_err());
    let mut early = params(&["db.example"]);
    early.not_before = rcgen::date_time_ymd(2999, 1, 1);
    tell(secure(&verify, &ours.server(&early)).await.unwrap_err());
    let other = ours.server(&params(&["a.example", "10.0.0.1"]));
    tell(secure(&verify, &other).await.unwrap_err());
    tell(secure(&verify, &ours.server(&params(&[]))).await.unwrap_err());
    tell(secure(&verify, &theirs.server(&params(&["db.example"]))).await.unwrap_err());
    let tls = UpstreamTls::new(&verify, "db.example", &[]).unwrap();
    let (near, mut far) = tokio::io::duplex(1_024);
    let (_, failure) = tokio::join!(far.write_all(b"EFATAL no"), tls.secure(near));
    tell(failure.unwrap_err());
    let (near, far) = tokio::io::duplex(1_024);
    drop(far);
    tell(tls.secure(near).await.unwrap_err());
    let off = UpstreamTls::new(&settings(Disable, None), "db.example", &[]).unwrap();
    assert!(!off.is_enabled());
    tell(off.secure(tokio::io::duplex(1).0).await.unwrap_err());
    assert_snapshot!(told.join("\n"), @r#"
    the upstream's certificate has expired (at 2020-02-01T00:00:00Z); renew it there
      client: the server's certificate has expired
    the upstream's certificate is not valid yet (from 2999-01-01T00:00:00Z); compare the clocks
      client: the server's certificate is not valid yet
    the upstream's certificate is not for `db.example` but for a.example, 10.0.0.1; set the target's server name to one of these, or give the upstream a certificate with this one
      client: the server's certificate is for another name
    the upstream's certificate is not for `db.example` but for no name at all (no subject alternative names); set the target's server name to one of these, or give the upstream a certificate with this one
      client: the server's certificate is for another name
    the upstream's certificate is signed by nobody that is trusted; give the target the file with its certificate authority
      client: the server's certificate is not trusted
    the upstream does not speak TLS as it should: received corrupt message of type InvalidContentType
      client: the server refused an encrypted connection
    the connection to the upstream failed during the TLS handshake: broken pipe
      client: the connection to the server failed
    the upstream does not speak TLS as it should: TLS is disabled for this target
      client: the server refused an encrypted connection
    "#);
}

#[tokio::test]
async fn a_self_signed_certificate_in_the_file_is_trusted_as_it_is() {
    // As `openssl req -x509` makes it: marked as an authority and serving by itself.
    for is_ca in [IsCa::Ca(BasicConstraints::Unconstrained), IsCa::NoCa] {
        let key = KeyPair::generate().unwrap();
        let mut params = params(&["db.example"]);
        params.is_ca = is_ca;
        let certificate = params.self_signed(&key).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("server.crt");
        std::fs::write(&file, certificate.pem()).unwrap();
        let server = serve(certificate.der().clone(), &key);
        let verify = settings(VerifyFull, Some(file.clone()));
        secure(&verify, &server).await.unwrap();
        let other = UpstreamTlsSettings {
            server_name: Some(String::from("other.example")),
            ..verify.clone()
        };
        let failure = secure(&other, &server).await.unwrap_err();
        assert!(matches!(failure, UpstreamTlsFailure::WrongName { .. }), "{failure}");
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 2, 1);
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(&file, certificate.pem()).unwrap();
        let failure = secure(&verify, &serve(certificate.der().clone(), &key)).await.unwrap_err();
        assert!(matches!(failure, UpstreamTlsFailure::Expired(_)), "{failure}");
    }
}

#[tokio::test]
async fn a_server_without_the_certificate_s_key_is_refused_even_unverified() {
    // The certificate is copied, the key is another's.
    let (ours, key) = (Authority::new(), KeyPair::generate().unwrap());
    let certificate = params(&["db.example"]).signed_by(&key, &ours.issuer).unwrap();
    let thief = KeyPair::generate().unwrap();
    let der = PrivatePkcs8KeyDer::from(thief.serialize_der());
    let signing = rustls::crypto::aws_lc_rs::sign::any_ecdsa_type(&der.into()).unwrap();
    #[derive(Debug)]
    struct Stolen(Arc<rustls::sign::CertifiedKey>);
    impl rustls::server::ResolvesServerCert for Stolen {
        fn resolve(
            &self,
            _: rustls::server::ClientHello<'_>,
        ) -> Option<Arc<rustls::sign::CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }
    let certified = rustls::sign::CertifiedKey::new(vec![certificate.der().clone()], signing);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let server = ServerConfig::builder_with_provider(crate::tls::crypto_provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Stolen(Arc::new(certified.clone()))));
        let server = Arc::new(server);
        for mode in [VerifyFull, VerifyCa, InsecureNoVerify] {
            let failure = secure(&settings(mode, ours.file()), &server).await.unwrap_err();
            assert!(matches!(failure, UpstreamTlsFailure::Certificate(_)), "{mode:?} {failure:?}");
        }
    }
}

#[tokio::test]
async fn bytes_pass_and_the_channel_binding_is_the_certificate_s() {
    let ours = Authority::new();
    let key = KeyPair::generate().unwrap();
    let certificate = params(&["db.example"]).signed_by(&key, &ours.issuer).unwrap();
    let expected = end_point_hash(certificate.der());
    assert!(expected.is_some());
    let server = serve(certificate.der().clone(), &key);
    let tls = UpstreamTls::new(&settings(VerifyFull, ours.file()), "db.example", &[]).unwrap();
    let (near, far) = tokio::io::duplex(16 * 1024);
    let accepting = TlsAcceptor::from(server).accept(far);
    let (accepted, secured) = tokio::join!(accepting, tls.secure(near));
    let (mut accepted, mut secured) = (accepted.unwrap(), secured.unwrap());
    assert_eq!(secured.end_point, expected);
    accepted.write_all(b"ready").await.unwrap();
    accepted.flush().await.unwrap();
    let mut read = [0; 5];
    secured.stream.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"ready");
}

#[tokio::test]
async fn the_gateway_shows_its_own_certificate_to_an_upstream_that_asks() {
    let ours = Authority::new();
    let key = KeyPair::generate().unwrap();
    let certificate = params(&["gateway"]).signed_by(&key, &ours.issuer).unwrap();
    let place = |name: &str| ours.directory.path().join(name);
    std::fs::write(place("client.pem"), certificate.pem()).unwrap();
    std::fs::write(place("client.key"), key.serialize_pem()).unwrap();
    let open_to = |mode| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(place("client.key"), mode).unwrap();
    };
    let roots = read_authorities(&ours.file().unwrap()).unwrap().roots;
    let provider = crate::tls::crypto_provider();
    let asking = rustls::server::WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots),
        Arc::clone(&provider),
    );
    let server_key = KeyPair::generate().unwrap();
    let leaf = params(&["db.example"]).signed_by(&server_key, &ours.issuer).unwrap();
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_client_cert_verifier(asking.build().unwrap())
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivatePkcs8KeyDer::from(server_key.serialize_der()).into(),
        )
        .unwrap();
    let server = Arc::new(server);
    let bare = settings(VerifyFull, ours.file());
    let failure = secure(&bare, &server).await.unwrap_err();
    assert!(matches!(failure, UpstreamTlsFailure::Refused(_)), "{failure:?}");
    let files =
        ClientCertificateFiles { certificate: place("client.pem"), key: place("client.key") };
    let with = UpstreamTlsSettings { client_certificate: Some(files), ..bare };
    open_to(0o644);
    let error = UpstreamTls::new(&with, "db.example", &[]).unwrap_err().to_string();
    assert!(error.contains("mode 644"), "{error}");
    open_to(0o600);
    secure(&with, &server).await.unwrap();
}

#[test]
fn settings_that_cannot_hold_are_refused() {
    let ours = Authority::new();
    let made = |settings: &UpstreamTlsSettings, name: &str| {
        UpstreamTls::new(settings, name, &[]).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_snapshot!(made(&settings(VerifyCa, None), "db").unwrap_err(), @"verify-ca without a file of certificates would trust every certificate that any public authority ever signed; give `ca_file`, or use verify-full");
    assert_snapshot!(made(&settings(VerifyFull, ours.file()), "no name").unwrap_err(), @"`no name` is neither a DNS name nor an address that a certificate could be for");
    let missing = settings(VerifyFull, Some("/nonexistent/ca.pem".into()));
    assert_snapshot!(made(&missing, "db").unwrap_err(), @"/nonexistent/ca.pem: I/O error: No such file or directory (os error 2)");
    let empty = ours.directory.path().join("empty.pem");
    std::fs::write(&empty, "nothing").unwrap();
    let refused = made(&settings(VerifyFull, Some(empty)), "db").unwrap_err();
    assert!(refused.ends_with("it holds no certificate"), "{refused}");
    made(&settings(VerifyFull, ours.file()), "10.0.0.1").unwrap();
    made(&settings(Disable, None), "db").unwrap();
}
