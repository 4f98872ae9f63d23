//! SSH's words for the conformance suite, and what its suite has to ask besides.
//!
//! Owns the commands that are the deeds. Must not know how a client ([`client`]) or an upstream
//! that lies ([`liar`]) is made.

mod client;
mod greeting;
mod liar;
mod line;
mod upstream;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use model::Protocol;
use tests::cluster::User;
use tests::middle::{Middle, Plan};
use tests::sshd::{DEPLOY, RAW_VALUES, SshServer};
use tests::world::{Opener, Upstream, World};

use super::subject::{Answer, Credential, Deceived, Deed, Kind, Peer, Subject};
use client::Connection;
use liar::{LIES, Liar};

/// Where the deeds are done that change nothing.
const PLACE: &str = "/srv/app";
/// Lines of the long answer.
const LONG_LINES: usize = 200_000;

pub(super) struct Ssh;

struct Session {
    connection: Connection,
    place: String,
}

impl Subject for Ssh {
    fn protocol(&self) -> Protocol {
        Protocol::Ssh
    }

    fn server(&self) -> Upstream {
        SshServer::shared().into()
    }

    /// The opening of a channel and the request on it are some 120 bytes.
    fn cuts(&self, _: &Deed) -> Vec<usize> {
        vec![1, 4, 5, 16, 30, 51, 53, 68, 85, 100, 115]
    }

    fn block_of_allowed(&self) -> &'static str {
        "ssh: { actions: [exec], commands: [\"report show *\"] }"
    }

    fn session(&self, world: &World) -> Box<dyn Peer> {
        self.session_at(world, PLACE)
    }

    fn fresh_place(&self, world: &World) -> String {
        world.ssh_server().fresh_place()
    }

    fn session_at(&self, world: &World, place: &str) -> Box<dyn Peer> {
        Box::new(session(world, place))
    }

    fn refused_login(&self, world: &World) -> String {
        login(world, &world.usual_opener()).err().expect("a log-in that must be refused was not")
    }

    fn login_from_nowhere(&self, world: &World) -> Result<(), String> {
        let stream = std::net::TcpStream::connect(world.address()).map_err(|e| e.to_string())?;
        Connection::open(stream).map(drop)
    }

    fn login_as(&self, world: &World, opener: &Opener) -> Result<(), String> {
        login(world, opener).map(drop)
    }

    fn reached(&self, world: &World, deed: &Deed) -> bool {
        world.ssh_server().reached().contains(&deed.marker())
    }

    fn has_happened(&self, world: &World, place: &str, _: &Deed) -> bool {
        let done = PathBuf::from(place.trim_start_matches("/srv/")).join("drop-done");
        world.ssh_server().srv().join(done).exists()
    }

    /// The server cuts its answer itself: what is in the middle cannot find it.
    fn plan(&self, middle: &Middle, _: &Deed, plan: Plan) {
        if !matches!(plan, Plan::CutAt(_)) {
            middle.plan_next(plan);
        }
    }

    fn credentials(&self) -> Vec<Credential> {
        let server = SshServer::shared();
        let right = User { name: DEPLOY.name, password: DEPLOY.password };
        let wrong = User { name: DEPLOY.name, password: "canary-wrong-77aa" };
        let (key, other) = (server.gateway_key_file(), server.file("user_authority"));
        let secrets = [&key, &other].into_iter().flat_map(lines_of_key).collect();
        let with = |file: PathBuf| format!("{{ private_key: {{ file: {} }} }}", file.display());
        let (key, other) = (with(key), with(other));
        vec![
            Credential {
                name: "the password",
                right: Box::new(move |usual| usual.credential(right)),
                wrong: Box::new(move |usual| usual.credential(wrong)),
                secrets: vec![right.password.to_owned(), wrong.password.to_owned()],
            },
            Credential {
                name: "the private key",
                right: Box::new(move |usual| usual.host_credential(&key)),
                wrong: Box::new(move |usual| usual.host_credential(&other)),
                secrets,
            },
        ]
    }

    fn raw_values(&self) -> &'static [&'static str] {
        RAW_VALUES
    }

    fn sensitive_answer_bytes(&self) -> usize {
        95
    }

    fn cuts_at_once(&self) -> usize {
        4
    }

    fn long_rows(&self) -> usize {
        LONG_LINES
    }

    fn oversize_frames(&self) -> Vec<(&'static str, Vec<u8>)> {
        // The client speaks AES-GCM, where lengths are not encrypted (RFC 5647 7.3).
        let frame = |length: u32| [&length.to_be_bytes()[..], &[0xa5; 300]].concat();
        vec![
            ("a length near the largest there is", frame(0x7fff_ffff)),
            ("a negative length", frame(0xffff_ffff)),
            ("a length that is no whole number of blocks", frame(33)),
            ("no length", frame(0)),
            ("a frame that is not the client's", frame(32)),
            ("a second greeting", [b"SSH-2.0-again\r\n".to_vec(), vec![b'\n'; 300]].concat()),
        ]
    }

    fn lies(&self) -> Vec<&'static str> {
        [&["a packet that is none"][..], LIES].concat()
    }

    fn deceived(&self, lie: &str, _: &Deed) -> Deceived {
        if LIES.contains(&lie) {
            let liar = Liar::new(lie);
            let world = liar.world();
            return Deceived::new(world, move || liar.begin());
        }
        let middle = Middle::before(self.server().address());
        let world = super::world_behind(self, &middle);
        let none = [&b"customer1@mail.example"[..], &[0xff; 100]].concat();
        Deceived::new(world, move || middle.plan_next(Plan::Say(none.clone())))
    }
}

fn login(world: &World, opener: &Opener) -> Result<Connection, String> {
    Connection::open(world.open_as(opener))
}

fn session(world: &World, place: &str) -> Session {
    let connection = login(world, &world.usual_opener()).expect("a session");
    Session { connection, place: place.to_owned() }
}

/// The lines of a private key that no two keys share.
fn lines_of_key(file: &PathBuf) -> Vec<String> {
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o077, 0);
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("-----"));
    // The first holds no more than names of algorithms.
    lines.skip(1).map(str::to_owned).collect()
}

impl Session {
    fn command(&self, deed: &Deed) -> String {
        let (number, place, cut) = (deed.marker(), &self.place, deed.cut);
        match deed.kind {
            Kind::Allowed => format!("report show {number}"),
            Kind::Denied => format!("report delete {place} {number}"),
            Kind::Held => format!("report drop {place} {number}"),
            Kind::Sensitive => format!("report sensitive {cut} {number}"),
            Kind::Failing => format!("report fail {number}"),
            Kind::Long => format!("report long {number}"),
        }
    }
}

impl Peer for Session {
    fn send(&mut self, bytes: &[u8]) {
        self.connection.line().inject(bytes);
    }

    fn begin(&mut self, deed: &Deed) {
        self.connection.begin(&self.command(deed), deed.kind == Kind::Long);
    }

    fn begin_cut(&mut self, deed: &Deed, at: usize) {
        self.connection.line().pause_after(at);
        self.begin(deed);
    }

    fn begin_truncated(&mut self, deed: &Deed, at: usize) {
        self.connection.line().end_after(at);
        self.begin(deed);
        self.connection.line().wait_for_end();
    }

    fn begin_too_long(&mut self, deed: &Deed) {
        let command = format!("{} {}", self.command(deed), "x".repeat(40_000));
        self.connection.begin(&command, false);
    }

    fn begin_at_once(&mut self, deeds: &[Deed]) {
        deeds.iter().for_each(|deed| self.begin(deed));
    }

    fn first_part(&mut self) {
        self.connection.first_part();
    }

    fn answer(&mut self) -> Answer {
        self.connection.answer()
    }

    fn until_end(&mut self) -> String {
        self.connection.until_end()
    }
}
