//! MySQL's words for the conformance suite.

use std::net::TcpStream;
use std::time::Duration;

use model::Protocol;
use tests::cluster::{SHOP, User};
use tests::mariadb::{MARIADB_USERS, MariaDb};
use tests::middle::{Middle, Plan};
use tests::mysql_client::{MysqlClient, Results, query};
use tests::world::{Opener, Upstream, World};
use wire::mysql::answer::EofPacket;
use wire::mysql::column::{Column, kind};
use wire::mysql::{packet, put_lenenc};

use super::subject::{Answer, Credential, Deceived, Deed, Kind, Peer, Subject};

/// Rows of the long answer: orders by orders by reports.
const LONG_ROWS: usize = 200 * 200 * 3;

pub(super) struct Mysql;

struct Session(MysqlClient);

fn login(world: &World, opener: &Opener, place: &str) -> Result<MysqlClient, String> {
    MysqlClient::login(world.open_as(opener), place)
}

impl Subject for Mysql {
    fn protocol(&self) -> Protocol {
        Protocol::Mysql
    }

    fn server(&self) -> Upstream {
        MariaDb::shared().into()
    }

    fn cuts(&self, deed: &Deed) -> Vec<usize> {
        (1..request(deed).len()).collect()
    }

    fn block_of_allowed(&self) -> &'static str {
        "sql: { actions: [select] }"
    }

    fn session(&self, world: &World) -> Box<dyn Peer> {
        self.session_at(world, SHOP)
    }

    fn fresh_place(&self, world: &World) -> String {
        world.mariadb().fresh_database()
    }

    fn session_at(&self, world: &World, place: &str) -> Box<dyn Peer> {
        Box::new(Session(login(world, &world.usual_opener(), place).unwrap()))
    }

    fn refused_login(&self, world: &World) -> String {
        let refused = login(world, &world.usual_opener(), SHOP).err();
        refused.expect("a log-in that must be refused was not")
    }

    fn login_from_nowhere(&self, world: &World) -> Result<(), String> {
        let stream = TcpStream::connect(world.address()).unwrap();
        MysqlClient::login(stream, SHOP).map(drop)
    }

    fn login_as(&self, world: &World, opener: &Opener) -> Result<(), String> {
        login(world, opener, SHOP).map(drop)
    }

    fn reached(&self, world: &World, deed: &Deed) -> bool {
        world.mariadb().log().contains(&deed.marker())
    }

    fn has_happened(&self, world: &World, place: &str, _: &Deed) -> bool {
        let left = format!(
            "SELECT COUNT(*) FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = '{place}' AND TABLE_NAME = 'old_reports'"
        );
        world.mariadb().as_superuser(&left).success().trim() == "0"
    }

    fn raw_values(&self) -> &'static [&'static str] {
        &["customer1@mail.example", "private5@home.example", "5555555555554444"]
    }

    fn sensitive_answer_bytes(&self) -> usize {
        480
    }

    fn cuts_at_once(&self) -> usize {
        1
    }

    fn long_rows(&self) -> usize {
        LONG_ROWS
    }

    fn oversize_frames(&self) -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("a packet out of order", vec![1, 0, 0, 7, 3]),
            ("a command without a number", vec![0, 0, 0, 0]),
            ("a command that does not exist", vec![1, 0, 0, 0, 0x80]),
            ("a long one that does not exist", vec![0xff, 0xff, 0xff, 0, 0x80]),
            ("a long part of a value", vec![0xff, 0xff, 0xff, 0, 0x18]),
        ]
    }

    fn plan(&self, middle: &Middle, deed: &Deed, plan: Plan) {
        middle.plan(&deed.marker(), plan);
    }

    fn credentials(&self) -> Vec<Credential> {
        let of = |user: &User| {
            let user = *user;
            let wrong = User { name: user.name, password: "canary-wrong-77aa" };
            Credential {
                name: user.name,
                right: Box::new(move |usual| usual.credential(user)),
                wrong: Box::new(move |usual| usual.credential(wrong)),
                secrets: vec![user.password.to_owned(), wrong.password.to_owned()],
            }
        };
        MARIADB_USERS.iter().map(of).collect()
    }

    fn lies(&self) -> Vec<&'static str> {
        lies().into_iter().map(|(what, _)| what).collect()
    }

    fn deceived(&self, lie: &str, deed: &Deed) -> Deceived {
        let middle = Middle::before(self.server().address());
        let world = super::world_behind(self, &middle);
        let (_, said) = lies().into_iter().find(|(what, _)| *what == lie).unwrap();
        let marker = deed.marker();
        Deceived::new(world, move || middle.plan(&marker, Plan::Say(said.clone())))
    }
}

/// Answers that no honest server gives, with raw values in them.
fn lies() -> Vec<(&'static str, Vec<u8>)> {
    let raw = "customer1@mail.example";
    let longer = [&[200][..], raw.as_bytes()].concat();
    let said = |parts: &[Vec<u8>]| answer_of(1, parts);
    let described =
        |columns: u8| [vec![vec![columns]], vec![column(); columns.into()], vec![eof()]].concat();
    let ok = vec![0, 0, 0, 2, 0, 0, 0];
    vec![
        ("rows before they are described", said(&[row(&[raw]), eof()])),
        ("more values than columns", said(&[described(1), vec![row(&["1", raw]), eof()]].concat())),
        ("fewer values than columns", said(&[described(3), vec![row(&[raw]), eof()]].concat())),
        ("a value longer than its row", said(&[described(1), vec![longer, eof()]].concat())),
        ("packets out of order", answer_of(5, &[row(&[raw])])),
        ("a question for a file", said(&[[&[0xfb][..], raw.as_bytes()].concat()])),
        ("a greeting in the middle", said(&[[&[10][..], raw.as_bytes()].concat()])),
        ("an answer that nobody asked for", said(&[ok, row(&[raw])])),
    ]
}

fn answer_of(first: u8, payloads: &[Vec<u8>]) -> Vec<u8> {
    let (mut out, mut sequence) = (Vec::new(), first);
    for payload in payloads {
        packet(&mut out, &mut sequence, |out| out.extend_from_slice(payload));
    }
    out
}

fn column() -> Vec<u8> {
    let mut out = Vec::new();
    Column {
        database: b"",
        table: b"",
        stored_table: b"",
        name: b"email",
        stored_name: b"",
        collation: 45,
        length: 400,
        kind: kind::VAR_STRING,
        flags: 0,
        decimals: 0,
    }
    .put(&mut out);
    out
}

fn row(values: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    values.iter().for_each(|value| put_lenenc(&mut out, value.as_bytes()));
    out
}

fn eof() -> Vec<u8> {
    let mut out = Vec::new();
    EofPacket { warnings: 0, status: 2 }.put(&mut out);
    out
}

impl Peer for Session {
    fn send(&mut self, bytes: &[u8]) {
        self.0.send(bytes);
    }

    fn begin(&mut self, deed: &Deed) {
        self.0.send(&request(deed));
    }

    fn begin_cut(&mut self, deed: &Deed, at: usize) {
        let bytes = request(deed);
        let (first, second) = bytes.split_at(at);
        self.send(first);
        std::thread::sleep(Duration::from_millis(1));
        self.send(second);
    }

    fn begin_truncated(&mut self, deed: &Deed, at: usize) {
        self.send(request(deed).get(..at).unwrap());
    }

    fn begin_too_long(&mut self, deed: &Deed) {
        self.send(&query(&format!("{} -- {}", sql(deed), "x".repeat(40_000))));
    }

    fn begin_at_once(&mut self, deeds: &[Deed]) {
        let bytes: Vec<u8> = deeds.iter().flat_map(request).collect();
        self.send(&bytes);
    }

    fn first_part(&mut self) {
        self.0.wait().unwrap();
    }

    fn answer(&mut self) -> Answer {
        answer(self.0.results().unwrap())
    }

    fn until_end(&mut self) -> String {
        self.0.until_end()
    }
}

fn answer(results: Results) -> Answer {
    let Results { rows, error, results } = results;
    let said =
        error.as_ref().map_or_else(|| format!("{results} results\n"), |(_, text)| text.clone());
    // 1142 where a rule or an approver says no, 1317 where it was cancelled.
    let refusal = error
        .filter(|(code, _)| [1142, 1317].contains(code))
        .filter(|(_, text)| text.starts_with("portcullis:"));
    Answer {
        text: said + &rows.iter().take(1_000).map(|row| row.join("|") + "\n").collect::<String>(),
        values: rows.iter().take(1_000).flatten().cloned().collect(),
        rows: rows.len(),
        refusal: refusal.map(|error| format!("{error:?}")),
    }
}

fn request(deed: &Deed) -> Vec<u8> {
    query(&sql(deed))
}

/// The marker is a number that changes nothing.
fn sql(deed: &Deed) -> String {
    let number = deed.marker();
    match deed.kind {
        Kind::Allowed => format!("SELECT name FROM users WHERE id = 1 AND id < {number}"),
        Kind::Denied => format!("DELETE FROM payments WHERE id = {number}"),
        Kind::Held => "DROP TABLE old_reports".to_owned(),
        Kind::Sensitive => format!(
            "SELECT users.id, users.email, users.note, payments.card FROM users \
             JOIN payments ON payments.id = users.id WHERE users.id IN (1, 5) \
             AND users.id < {number} ORDER BY users.id"
        ),
        Kind::Failing => {
            format!("SELECT name FROM users WHERE id = (SELECT id FROM orders WHERE id < {number})")
        }
        Kind::Long => format!(
            "SELECT o.id FROM orders AS o JOIN orders AS p JOIN old_reports AS r WHERE o.id < {number}"
        ),
    }
}
