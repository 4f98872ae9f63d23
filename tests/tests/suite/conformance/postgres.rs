//! PostgreSQL's words for the conformance suite.

use std::time::Duration;

use model::Protocol;
use tests::client::{Client, Message, messages};
use tests::cluster::{APP, Cluster, SHOP, USERS, User};
use tests::middle::{Middle, Plan};
use tests::world::{Opener, Upstream, WORKLOAD, World};

use super::subject::{Answer, Credential, Deceived, Deed, Kind, Peer, Subject};

/// Rows of the long answer.
const LONG_ROWS: usize = 200_000;

pub(super) struct Postgres;

struct Session(Client);

impl Subject for Postgres {
    fn protocol(&self) -> Protocol {
        Protocol::Postgres
    }

    fn server(&self) -> Upstream {
        Cluster::shared().into()
    }

    fn cuts(&self, deed: &Deed) -> Vec<usize> {
        (1..request(deed).len()).collect()
    }

    fn block_of_allowed(&self) -> &'static str {
        "sql: { actions: [select] }"
    }

    fn session(&self, world: &World) -> Box<dyn Peer> {
        Box::new(Session(world.session()))
    }

    fn fresh_place(&self, world: &World) -> String {
        world.cluster().fresh_database()
    }

    fn session_at(&self, world: &World, place: &str) -> Box<dyn Peer> {
        Box::new(Session(world.login(place).unwrap()))
    }

    fn refused_login(&self, world: &World) -> String {
        let failure = world.login(SHOP).err().expect("a log-in that must be refused was not");
        format!("{:?}", failure.refused())
    }

    fn login_from_nowhere(&self, world: &World) -> Result<(), String> {
        let login = Client::login(world.address(), WORKLOAD, SHOP);
        login.map(drop).map_err(|failure| format!("{failure:?}"))
    }

    fn login_as(&self, world: &World, opener: &Opener) -> Result<(), String> {
        let mut client = world.connect_as(opener);
        let started = client.start(WORKLOAD, &[("user", WORKLOAD.name), ("database", SHOP)]);
        started.map_err(|failure| format!("{failure:?}"))
    }

    fn reached(&self, world: &World, deed: &Deed) -> bool {
        world.cluster().log().contains(&deed.marker())
    }

    fn has_happened(&self, world: &World, place: &str, _: &Deed) -> bool {
        let gone = "SELECT to_regclass('public.old_reports') IS NULL";
        world.cluster().as_superuser(place, gone).success().trim() == "t"
    }

    fn raw_values(&self) -> &'static [&'static str] {
        &["customer1@mail.example", "private5@home.example", "5555555555554444"]
    }

    fn sensitive_answer_bytes(&self) -> usize {
        420
    }

    fn cuts_at_once(&self) -> usize {
        1
    }

    fn long_rows(&self) -> usize {
        LONG_ROWS
    }

    fn oversize_frames(&self) -> Vec<(&'static str, Vec<u8>)> {
        let frame = |tag: u8, length: u32| [&[tag][..], &length.to_be_bytes()].concat();
        vec![
            ("a length near the largest there is", frame(b'Q', 0x7fff_ffff)),
            ("a negative length", frame(b'Q', 0xffff_ffff)),
            ("a length shorter than itself", frame(b'Q', 3)),
            ("a message type that is zero", [frame(0, 8), vec![0; 4]].concat()),
            ("a message type that does not exist", [frame(0xff, 8), vec![0; 4]].concat()),
        ]
    }

    fn plan(&self, middle: &Middle, deed: &Deed, plan: Plan) {
        middle.plan(&deed.marker(), plan);
    }

    fn credentials(&self) -> Vec<Credential> {
        assert!(APP.password.starts_with("canary-"));
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
        USERS.iter().map(of).collect()
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
    let ready = messages::message(b'Z', b"I");
    let complete = messages::message(b'C', b"SELECT 1\0");
    let said = |parts: &[Vec<u8>]| parts.concat();
    vec![
        ("rows before they are described", said(&[row(&[raw]), complete.clone(), ready.clone()])),
        (
            "more values than columns",
            said(&[described(1), row(&["1", raw]), complete.clone(), ready.clone()]),
        ),
        ("fewer values than columns", said(&[described(3), row(&[raw]), complete, ready])),
        (
            "a row whose value is longer than the row",
            said(&[described(1), {
                let mut body = 1_u16.to_be_bytes().to_vec();
                body.extend(1_000_u32.to_be_bytes());
                body.extend(raw.as_bytes());
                messages::message(b'D', &body)
            }]),
        ),
        ("a frame without an end", {
            [&[b'D'][..], &0x7fff_ffff_u32.to_be_bytes(), raw.as_bytes()].concat()
        }),
        ("a message that no server sends", messages::message(b'!', raw.as_bytes())),
        ("authentication in the middle", messages::message(b'R', &3_u32.to_be_bytes())),
    ]
}

impl Peer for Session {
    fn send(&mut self, bytes: &[u8]) {
        // A gateway that has hung up is seen by the next answer.
        let _ = self.0.send(bytes);
    }

    fn begin(&mut self, deed: &Deed) {
        self.0.send(&request(deed)).unwrap();
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
        self.send(&messages::query(&format!("{} -- {}", sql(deed), "x".repeat(40_000))));
    }

    fn begin_at_once(&mut self, deeds: &[Deed]) {
        let bytes: Vec<u8> = deeds.iter().flat_map(request).collect();
        self.send(&bytes);
    }

    fn first_part(&mut self) {
        let first = self.0.receive().unwrap();
        assert_eq!(first.tag, b'T', "{first:?}");
    }

    fn answer(&mut self) -> Answer {
        answer(&self.0.until_ready())
    }

    fn until_end(&mut self) -> String {
        answer(&self.0.until_end()).text
    }
}

fn answer(messages: &[Message]) -> Answer {
    let rows = messages::rows(messages);
    // 42501 where a rule or an approver says no, 57014 where nobody answered.
    let refusal = messages::error(messages)
        .filter(|error| ["42501", "57014"].contains(&error.code()))
        .filter(|error| error.get(b'M').starts_with("portcullis:"));
    Answer {
        text: messages.iter().filter(|one| one.tag != b'D').map(shown).collect::<String>()
            + &rows.iter().take(1_000).map(|row| row.join("|") + "\n").collect::<String>(),
        values: rows.iter().take(1_000).flatten().cloned().collect(),
        rows: rows.len(),
        refusal: refusal.map(|error| format!("{error:?}")),
    }
}

fn shown(message: &Message) -> String {
    match message.tag {
        b'E' | b'N' => format!("{:?}\n", message.fields()),
        _ => format!("{message:?}\n"),
    }
}

fn request(deed: &Deed) -> Vec<u8> {
    messages::query(&sql(deed))
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
        Kind::Failing => format!("SELECT name FROM users WHERE id = {number} / (id - id)"),
        Kind::Long => {
            format!("SELECT n FROM generate_series(1, {LONG_ROWS}) AS n WHERE n < {number}")
        }
    }
}

/// A description of so many text columns of no table.
fn described(columns: u16) -> Vec<u8> {
    let mut body = columns.to_be_bytes().to_vec();
    for _ in 0..columns {
        body.extend(b"email\0");
        body.extend([0; 6]);
        body.extend(25_u32.to_be_bytes());
        body.extend((-1_i16).to_be_bytes());
        body.extend((-1_i32).to_be_bytes());
        body.extend(0_i16.to_be_bytes());
    }
    messages::message(b'T', &body)
}

fn row(values: &[&str]) -> Vec<u8> {
    let mut body = u16::try_from(values.len()).unwrap().to_be_bytes().to_vec();
    for value in values {
        body.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
        body.extend(value.as_bytes());
    }
    messages::message(b'D', &body)
}
