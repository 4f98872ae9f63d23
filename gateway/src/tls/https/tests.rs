use insta::assert_snapshot;
use rustls::ServerConfig;
use rustls_pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// Leads every name to one local listener.
#[derive(Debug)]
struct To(u16);

impl DialHost for To {
    fn dial<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, std::io::Result<TcpStream>> {
        Box::pin(TcpStream::connect(("127.0.0.1", self.0)))
    }
}

/// A server on the loopback address that answers every request with the same bytes.
struct Server {
    port: u16,
    directory: tempfile::TempDir,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    async fn answering(answer: String) -> Self {
        let made = rcgen::generate_simple_self_signed([String::from("idp.example")]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ca.pem"), made.cert.pem()).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let Ok(mut tls) = acceptor.accept(tcp).await else { continue };
                let mut request = vec![0; 4_096];
                let read = tls.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                assert!(request.starts_with("GET /keys?v=1 HTTP/1.1\r\n"), "{request}");
                assert!(request.contains("host: idp.example:8443\r\n"), "{request}");
                let _gone = tls.write_all(answer.as_bytes()).await;
                let _gone = tls.shutdown().await;
            }
        });
        Self { port, directory, task }
    }

    fn address(&self, url: &str) -> HttpsAddress {
        let ca_file = self.directory.path().join("ca.pem");
        HttpsAddress::new(url, Some(ca_file), Arc::new(To(self.port))).unwrap()
    }
}

const ACCEPT: &str = "application/json";
const BYTES_MAX: usize = 256 * 1024;
const URL: &str = "https://idp.example:8443/keys?v=1";

fn answer(status: &str, more: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{more}\r\n{body}", body.len())
}

#[tokio::test]
async fn an_answer_comes_from_a_server_that_is_trusted() {
    let server = Server::answering(answer("200 OK", "", "{\"keys\":[]}")).await;
    assert_eq!(server.address(URL).get(ACCEPT, BYTES_MAX).await.unwrap(), b"{\"keys\":[]}");
    // Without a length, up to the end of the connection.
    let until_end = String::from("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}");
    let server = Server::answering(until_end).await;
    assert_eq!(server.address(URL).get(ACCEPT, BYTES_MAX).await.unwrap(), b"{}");
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_not_believed() {
    let server = Server::answering(answer("200 OK", "", "{}")).await;
    let elsewhere = "https://other.example:8443/keys?v=1";
    assert_snapshot!(server.address(elsewhere).get(ACCEPT, BYTES_MAX).await.unwrap_err(), @r#"other.example:8443: invalid peer certificate: certificate not valid for name "other.example"; certificate is only valid for DnsName("idp.example")"#);
    let stranger = Server::answering(answer("200 OK", "", "{}")).await;
    let asked = HttpsAddress {
        ca_file: Some(stranger.directory.path().join("ca.pem")),
        ..server.address(URL)
    };
    let refused = asked.get(ACCEPT, BYTES_MAX).await.unwrap_err().to_string();
    assert!(refused.contains("invalid peer certificate"), "{refused}");
    let platform = HttpsAddress { ca_file: None, ..server.address(URL) };
    assert_snapshot!(platform.get(ACCEPT, BYTES_MAX).await.unwrap_err(), @"idp.example:8443: invalid peer certificate: UnknownIssuer");
}

#[tokio::test]
async fn a_redirect_an_error_and_too_much_are_no_answer() {
    let redirect = answer("302 Found", "location: https://evil.example/keys\r\n", "");
    let server = Server::answering(redirect).await;
    assert_snapshot!(server.address(URL).get(ACCEPT, BYTES_MAX).await.unwrap_err(), @"https://idp.example:8443/keys?v=1: status 302 Found");
    let server = Server::answering(answer("503 Service Unavailable", "", "{}")).await;
    assert_snapshot!(server.address(URL).get(ACCEPT, BYTES_MAX).await.unwrap_err(), @"https://idp.example:8443/keys?v=1: status 503 Service Unavailable");
    let large = "x".repeat(BYTES_MAX + 1);
    let server = Server::answering(answer("200 OK", "", &large)).await;
    assert_snapshot!(server.address(URL).get(ACCEPT, BYTES_MAX).await.unwrap_err(), @"https://idp.example:8443/keys?v=1: length limit exceeded");
    let server = Server::answering(String::from("SSH-2.0-OpenSSH_9.2\r\n")).await;
    assert!(matches!(
        server.address(URL).get(ACCEPT, BYTES_MAX).await,
        Err(HttpsError::Answer(_) | HttpsError::Connection(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_silent_is_left_after_a_while() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = HttpsAddress::new(URL, None, Arc::new(To(port))).unwrap();
    assert_eq!(asked.get(ACCEPT, BYTES_MAX).await.unwrap_err(), HttpsError::Slow(5));
}

#[test]
fn only_https_addresses_without_a_user_are_accepted() {
    for url in [
        "http://idp.example/keys",
        "idp.example/keys",
        "/keys",
        "",
        "https://",
        "https://user:secret@idp.example/keys",
        "file:///etc/passwd",
        "https://idp.example:99999/keys",
        "https://idp example/keys",
    ] {
        let made = HttpsAddress::new(url, None, Arc::new(HostDialer));
        assert!(matches!(made, Err(HttpsError::Address(_))), "{url}");
    }
    for (url, host, port) in [
        ("https://idp.example", "idp.example", 443),
        ("https://[fd00::1]:8443/keys", "fd00::1", 8_443),
        ("https://127.0.0.1/keys", "127.0.0.1", 443),
    ] {
        let made = HttpsAddress::new(url, None, Arc::new(HostDialer)).unwrap();
        assert_eq!((made.host.as_str(), made.port), (host, port));
    }
}
