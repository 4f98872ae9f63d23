//! The login against the real sshd, one process a connection, and against a server of the library's
//! where sshd would need accounts with passwords.

mod idle;
mod passwords;

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use model::Secret;
use russh::ChannelMsg;
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::host_keys::testing::{Still, certify, key, public_text, write};
use crate::host_keys::{HostKeyTrust, HostKeys, UpstreamName};
use crate::session::{Credential, HostKeyCheck, Stream};

/// Becomes an sshd for the connection on standard input. The directory that it wants below `/run` is
/// there only where its service has been started once.
const ENTER: &str = r#"
mount -t tmpfs tmpfs /run
mkdir /run/sshd
exec /usr/sbin/sshd -i -e -f "$1"
"#;

/// A directory with keys and what an sshd is told.
struct Bench {
    directory: tempfile::TempDir,
    configuration: String,
}

/// An sshd that serves one connection; ends with it, or when dropped.
struct Served(Child);

impl Served {
    /// Until it has seen that we are gone.
    async fn left(&mut self) {
        while self.0.try_wait().unwrap().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn me() -> String {
    nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path();
        key(place, "host", "ed25519");
        key(place, "user-ca", "ed25519");
        write(&place.join("authorized"), "", 0o600);
        write(&place.join("known_hosts"), "", 0o644);
        let at = place.display();
        let configuration = format!(
            "HostKey {at}/host\nAuthorizedKeysFile {at}/authorized\nTrustedUserCAKeys \
             {at}/user-ca.pub\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPermitRootLogin yes\nPidFile none\n"
        );
        Self { directory, configuration }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Adds to what sshd is told; the first word of an option counts.
    fn told(mut self, more: &str) -> Self {
        self.configuration = format!("{more}\n{}", self.configuration);
        self
    }

    fn knows(&self, hosts: &str, key: &Path) -> &Self {
        let known = self.path("known_hosts");
        let before = fs::read_to_string(&known).unwrap();
        write(&known, &format!("{before}{hosts} {}", public_text(key)), 0o644);
        self
    }

    fn authorizes(&self, key: &Path) -> &Self {
        write(&self.path("authorized"), &public_text(key), 0o600);
        self
    }

    async fn serve(&self) -> (TcpStream, Served) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let server = server.into_std().unwrap();
        server.set_nonblocking(false).unwrap();
        let configuration = self.path("sshd_config");
        write(&configuration, &self.configuration, 0o600);
        let log = fs::File::create(self.path("sshd.log")).unwrap();
        let output = OwnedFd::from(server.try_clone().unwrap());
        let sshd = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "--", "sh", "-ec", ENTER, "server"])
            .arg(configuration)
            .stdin(Stdio::from(OwnedFd::from(server)))
            .stdout(Stdio::from(output))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        (client, Served(sshd))
    }

    fn check(&self, trust: HostKeyTrust) -> HostKeyCheck {
        let keys = Arc::new(HostKeys::new(&self.path("ca"), Arc::new(Still::now())));
        let hosts = vec![String::from("web1.internal"), String::from("127.0.0.1")];
        HostKeyCheck::for_test(keys, trust, UpstreamName { hosts, port: 2222 })
    }

    /// Logs in with a credential, trusting the known hosts.
    async fn log_in(&self, credential: Credential) -> Result<LoggedIn, LoginError> {
        let trust = HostKeyTrust::KnownHosts(self.path("known_hosts"));
        self.log_in_trusting(trust, credential).await
    }

    async fn log_in_trusting(
        &self,
        trust: HostKeyTrust,
        credential: Credential,
    ) -> Result<LoggedIn, LoginError> {
        let (stream, mut served) = self.serve().await;
        let address = stream.peer_addr().unwrap();
        let check = self.check(trust);
        let upstream = Upstream::for_test(Stream::Plain(stream), address, credential, check);
        let logged_in = match connect(upstream, &me()).await {
            Ok(logged_in) => logged_in,
            Err(error) => {
                served.left().await;
                return Err(error);
            }
        };
        assert_eq!(run(&logged_in, "echo it works").await, "it works\n");
        drop(served);
        Ok(logged_in)
    }
}

fn credential(key: &Path) -> Credential {
    Credential {
        user: None,
        password: None,
        private_key: Some(Secret::new(fs::read_to_string(key).unwrap())),
        certificate: None,
        http: None,
    }
}

async fn run(logged_in: &LoggedIn, command: &str) -> String {
    let mut channel = logged_in.handle.channel_open_session().await.unwrap();
    channel.exec(true, command).await.unwrap();
    let mut said = Vec::new();
    while let Some(message) = channel.wait().await {
        if let ChannelMsg::Data { data } = message {
            said.extend_from_slice(&data);
        }
    }
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn every_kind_of_key_logs_in() {
    let bench = Bench::new();
    bench.knows("web1.internal", &bench.path("host"));
    let place = bench.directory.path();
    for (name, kind) in [("ed", "ed25519"), ("ec", "ecdsa"), ("big", "rsa")] {
        let key = key(place, name, kind);
        bench.authorizes(&key).log_in(credential(&key)).await.unwrap();
    }
    // As old tools wrote them.
    for (name, kind, format) in
        [("pem", "rsa", "PEM"), ("pkcs8", "rsa", "PKCS8"), ("p8", "ecdsa", "PKCS8")]
    {
        crate::host_keys::testing::keygen(
            place,
            &["-q", "-t", kind, "-m", format, "-N", "", "-f", name],
        );
        let key = bench.path(name);
        bench.authorizes(&key).log_in(credential(&key)).await.unwrap();
    }
}

#[tokio::test]
async fn an_rsa_key_signs_with_sha_2_of_the_kind_that_the_upstream_takes() {
    for algorithm in ["rsa-sha2-512", "rsa-sha2-256"] {
        let bench = Bench::new().told(&format!("PubkeyAcceptedAlgorithms {algorithm}"));
        bench.knows("web1.internal", &bench.path("host"));
        let key = key(bench.directory.path(), "key", "rsa");
        bench.authorizes(&key).log_in(credential(&key)).await.unwrap();
    }
}

#[tokio::test]
async fn a_certificate_logs_in_where_the_key_alone_does_not() {
    let bench = Bench::new();
    bench.knows("web1.internal", &bench.path("host"));
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = key(bench.directory.path(), kind, kind);
        let refused = bench.log_in(credential(&key)).await.unwrap_err().to_string();
        assert!(refused.contains("with the key"), "{refused}");
        let certificate = certify(&bench.path("user-ca"), &key, &["-n", &me()]);
        let mut credential = credential(&key);
        credential.certificate = Some(certificate.to_openssh().unwrap());
        bench.log_in(credential).await.unwrap();
    }
    // One that is over says so to the operator.
    let key = key(bench.directory.path(), "late", "ed25519");
    let certificate = certify(&bench.path("user-ca"), &key, &["-n", &me(), "-V", "-2h:-1h"]);
    let mut late = credential(&key);
    late.certificate = Some(certificate.to_openssh().unwrap());
    let refused = bench.log_in(late).await.unwrap_err().to_string();
    assert!(refused.contains("the certificate, the key") && refused.contains("until"), "{refused}");
}

#[tokio::test]
async fn the_credentials_user_is_logged_in_and_not_the_one_asked_for() {
    let bench = Bench::new();
    bench.knows("web1.internal", &bench.path("host"));
    let key = key(bench.directory.path(), "key", "ed25519");
    bench.authorizes(&key);
    let mut credential = credential(&key);
    credential.user = Some(String::from("nobody-of-that-name"));
    let refused = bench.log_in(credential).await.unwrap_err();
    assert!(refused.to_string().contains("\"nobody-of-that-name\""), "{refused}");
    assert_eq!(refused.for_client(), "the upstream refused the login");
}

#[tokio::test]
async fn a_changed_or_unknown_host_key_ends_it_before_anything_is_proved() {
    let bench = Bench::new().told("LogLevel DEBUG1");
    let key = key(bench.directory.path(), "key", "ed25519");
    bench.authorizes(&key).knows("elsewhere", &bench.path("host"));
    let unknown = bench.log_in(credential(&key)).await.unwrap_err();
    assert!(unknown.to_string().contains("add the line: [web1.internal]:2222 ssh-ed25519"));
    assert_eq!(unknown.for_client(), "no host key is known for the upstream");
    bench.knows("web1.internal", &bench.path("user-ca"));
    let changed = bench.log_in(credential(&key)).await.unwrap_err();
    assert!(changed.to_string().contains("(line 2)"), "{changed}");
    let log = fs::read_to_string(bench.path("sshd.log")).unwrap();
    assert!(log.contains("closed by") && !log.contains("userauth"), "{log}");
}

#[tokio::test]
async fn a_host_key_is_found_by_its_type_its_hash_and_its_port() {
    let bench = Bench::new();
    let place = bench.directory.path();
    let (user, rsa) = (key(place, "key", "ed25519"), key(place, "host-rsa", "rsa"));
    let bench = bench.told(&format!("HostKey {}", rsa.display()));
    bench.authorizes(&user);
    // The server has an ed25519 key too; only its RSA key is known.
    bench.knows("[web1.internal]:2222", &rsa);
    bench.log_in(credential(&user)).await.unwrap();
    crate::host_keys::testing::keygen(bench.directory.path(), &["-H", "-f", "known_hosts"]);
    bench.log_in(credential(&user)).await.unwrap();
}

#[tokio::test]
async fn an_upstream_proves_itself_by_a_certificate_of_a_trusted_authority() {
    let bench = Bench::new();
    let place = bench.directory.path().to_owned();
    let (user, authority) = (key(&place, "key", "ed25519"), key(&place, "host-ca", "ecdsa"));
    bench.authorizes(&user);
    write(&bench.path("authorities"), &public_text(&authority), 0o644);
    let trust = HostKeyTrust::CertificateAuthority(bench.path("authorities"));
    let bare = bench.log_in_trusting(trust.clone(), credential(&user)).await.unwrap_err();
    assert!(bare.to_string().contains("bare key"), "{bare}");
    let bench = bench.told(&format!("HostCertificate {}/host-cert.pub", place.display()));
    certify(&authority, &bench.path("host"), &["-h", "-n", "web1.internal"]);
    bench.log_in_trusting(trust.clone(), credential(&user)).await.unwrap();
    bench.knows("@cert-authority *.internal", &authority);
    bench.log_in(credential(&user)).await.unwrap();
    certify(&authority, &bench.path("host"), &["-h", "-n", "db1"]);
    let other = bench.log_in_trusting(trust, credential(&user)).await.unwrap_err();
    assert!(other.to_string().contains("it is for db1"), "{other}");
}

#[tokio::test]
async fn both_kinds_of_gcm_and_the_curves_of_fips_are_spoken() {
    for told in [
        "Ciphers aes128-gcm@openssh.com",
        "Ciphers aes256-gcm@openssh.com",
        "Ciphers aes128-ctr",
        "KexAlgorithms ecdh-sha2-nistp256",
    ] {
        let bench = Bench::new().told(told);
        bench.knows("web1.internal", &bench.path("host"));
        let key = key(bench.directory.path(), "key", "ed25519");
        bench.authorizes(&key).log_in(credential(&key)).await.unwrap();
    }
}

#[test]
fn d4_a_key_that_cannot_be_used_is_in_no_text() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let locked = place.join("locked");
    crate::host_keys::testing::keygen(
        place,
        &["-q", "-t", "ed25519", "-N", "sesame", "-f", "locked"],
    );
    for (text, expected) in [
        (String::from("canary"), "none that can be read"),
        (String::from("-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\n-----END"), "none that can"),
        (fs::read_to_string(locked).unwrap(), "needs a passphrase"),
    ] {
        let error = signing::Identity::read(&text, None).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(said.contains(expected) && !said.contains("canary"), "{said}");
    }
    let (one, other) = (key(place, "one", "ed25519"), key(place, "other", "ed25519"));
    let certificate = certify(&one, &other, &["-n", "root"]).to_openssh().unwrap();
    let text = fs::read_to_string(&one).unwrap();
    let mismatch = signing::Identity::read(&text, Some(&certificate)).unwrap_err();
    assert_eq!(mismatch, KeyError::Mismatch);
}
