//! Passwords, and what a hostile upstream asks and opens.

use std::borrow::Cow;
use std::time::Duration;

use russh::MethodKind;
use russh::keys::PrivateKey;
use russh::server::{self, Auth, Response};

use super::*;

const PASSWORD: &str = "canary-5f1d";

/// How the server behaves.
#[derive(Clone, Debug, Default)]
struct Server {
    /// The ways it has, in the words of the protocol.
    ways: Vec<MethodKind>,
    /// What it asks interactively, one round after the other.
    rounds: Vec<Vec<(&'static str, bool)>>,
    round: usize,
    /// Wants a key first and a password then.
    both: bool,
    key_seen: bool,
    passwords: Arc<parking_lot::Mutex<Vec<String>>>,
    refused: Arc<parking_lot::Mutex<Vec<bool>>>,
}

impl Server {
    fn with(ways: &[MethodKind]) -> Self {
        Self { ways: ways.to_vec(), ..Self::default() }
    }

    fn refused(&self, partial: bool) -> Auth {
        let proceed_with_methods = Some(self.ways.as_slice().into());
        Auth::Reject { proceed_with_methods, partial_success: partial }
    }
}

impl server::Handler for Server {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, Self::Error> {
        Ok(self.refused(false))
    }

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, Self::Error> {
        let takes = self.ways.contains(&MethodKind::Password);
        if takes {
            self.passwords.lock().push(password.to_owned());
        }
        let good = takes && password == PASSWORD && (!self.both || self.key_seen);
        Ok(if good { Auth::Accept } else { self.refused(false) })
    }

    async fn auth_publickey(
        &mut self,
        _: &str,
        _: server::VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        self.key_seen = true;
        self.ways = vec![MethodKind::Password];
        Ok(self.refused(self.both))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        if let Some(response) = response {
            for answer in response {
                self.passwords.lock().push(String::from_utf8_lossy(&answer).into_owned());
            }
        }
        let Some(round) = self.rounds.get(self.round) else {
            let good = self.passwords.lock().last().is_some_and(|given| given == PASSWORD);
            return Ok(if good { Auth::Accept } else { self.refused(false) });
        };
        self.round += 1;
        let prompts = round.iter().map(|(text, echo)| (Cow::Borrowed(*text), *echo)).collect();
        Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts: Cow::Owned(prompts) })
    }

    async fn channel_open_session(
        &mut self,
        _: russh::Channel<server::Msg>,
        reply: server::ChannelOpenHandle,
        session: &mut server::Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        let (handle, refused) = (session.handle(), Arc::clone(&self.refused));
        tokio::spawn(async move {
            // A server has no business to open the first two.
            let opened = handle.channel_open_session().await.is_err();
            refused.lock().push(opened);
            let reached =
                handle.channel_open_direct_tcpip("10.0.0.1", 22, "here", 1).await.is_err();
            refused.lock().push(reached);
            drop(handle.channel_open_forwarded_tcpip("0.0.0.0", 8080, "there", 1).await);
        });
        Ok(())
    }
}

async fn log_in(server: &Server, key: bool) -> Result<LoggedIn, LoginError> {
    let bench = Bench::new();
    let host = bench.path("host");
    bench.knows("web1.internal", &host);
    let config = server::Config {
        keys: vec![PrivateKey::read_openssh_file(&host).unwrap()],
        methods: server.ways.as_slice().into(),
        auth_rejection_time: Duration::ZERO,
        ..server::Config::default()
    };
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let server = server.clone();
    let running = async move {
        let session = server::run_stream(Arc::new(config), theirs, server).await;
        if let Ok(session) = session {
            drop(session.await);
        }
    };
    tokio::spawn(running);
    let private_key = key.then(|| Secret::new(fs::read_to_string(bench.path("user-ca")).unwrap()));
    let credential = Credential {
        user: Some(String::from("deploy")),
        password: Some(Secret::new(String::from(PASSWORD))),
        private_key,
        certificate: None,
        http: None,
    };
    let check = bench.check(HostKeyTrust::KnownHosts(bench.path("known_hosts")));
    let address = "127.0.0.1:2222".parse().unwrap();
    connect(Upstream::for_test(Stream::Memory(ours), address, credential, check), "asked").await
}

#[tokio::test]
async fn a_password_logs_in_by_either_of_its_ways() {
    log_in(&Server::with(&[MethodKind::Password]), false).await.unwrap();
    let mut asking = Server::with(&[MethodKind::KeyboardInteractive]);
    asking.rounds = vec![vec![("Password: ", false)]];
    log_in(&asking, false).await.unwrap();
    asking.rounds = vec![vec![("Password: ", false)], vec![]];
    log_in(&asking, false).await.unwrap();
}

#[tokio::test]
async fn a_key_and_a_password_are_given_where_both_are_wanted() {
    let mut both = Server::with(&[MethodKind::PublicKey]);
    both.both = true;
    log_in(&both, true).await.unwrap();
    // The password was not offered to who did not ask for it.
    assert_eq!(*both.passwords.lock(), [PASSWORD]);
}

#[tokio::test]
async fn what_is_no_password_is_not_answered_with_one() {
    for rounds in [
        vec![vec![("Verification code: ", false)]],
        vec![vec![("Password: ", true)]],
        vec![vec![("Password: ", false), ("Code: ", false)]],
        vec![vec![("Password: ", false)], vec![("New password: ", false)]],
        vec![vec![("Password: ", false)], vec![("Password: ", false)]],
    ] {
        let mut asking = Server::with(&[MethodKind::KeyboardInteractive]);
        asking.rounds = rounds.clone();
        let refused = log_in(&asking, false).await.expect_err(&format!("{rounds:?}"));
        assert!(matches!(refused, LoginError::Asked { .. }), "{rounds:?}: {refused}");
        assert!(!format!("{refused} {refused:?}").contains(PASSWORD));
        assert!(asking.passwords.lock().len() <= 1, "{rounds:?}");
    }
}

#[tokio::test]
async fn d4_a_wrong_password_is_in_no_text() {
    let mut refusing = Server::with(&[MethodKind::Password]);
    refusing.both = true;
    let refused = log_in(&refusing, false).await.unwrap_err();
    let said = format!("{refused} {refused:?} {}", refused.for_client());
    assert!(said.contains("\"deploy\"") && !said.contains(PASSWORD), "{said}");
}

#[tokio::test]
async fn an_upstream_opens_only_what_a_client_may_have_asked_for() {
    let server = Server::with(&[MethodKind::Password]);
    let mut logged_in = log_in(&server, false).await.unwrap();
    let session = logged_in.handle.channel_open_session().await.unwrap();
    let opened = tokio::time::timeout(Duration::from_secs(20), logged_in.opened.recv());
    let OpenedBelow { from, reply, .. } = opened.await.unwrap().unwrap();
    assert!(matches!(from, OpenedFor::Port { port: 8080, .. }), "{from:?}");
    assert_eq!(*server.refused.lock(), [true, true]);
    drop(reply);
    let gone = logged_in.gone.clone();
    drop((session, logged_in));
    tokio::time::timeout(Duration::from_secs(20), gone.cancelled()).await.unwrap();
}
