//! Statements that mean to show what is masked: what they come to must be the same, whatever it is.
//!
//! Every line of `adversary.sql` is run at a database with one address, and at one that differs in
//! that address alone. So nothing has to be known of the forms in which a value may be shown.

use std::sync::OnceLock;

use tests::mariadb::MariaDb;
use tests::mysql_client::MysqlClient;
use tests::world::World;

/// Two addresses without a word or a length in common.
const ADDRESSES: [&str; 2] = ["alpha7@one.example", "zulu-longer3@second.test"];

/// What no answer may hold of them.
const WORDS: [&str; 4] = ["alpha7", "one.example", "zulu-longer3", "second.test"];

const CLASSIFICATION: &str = r#"
  - { tag: pii.email, target: shop, columns: ["*.users.email", "*.users.attributes"], mask: redact }
"#;

/// A server that nobody else has: some of the lines would change it for all.
fn server() -> &'static MariaDb {
    static SERVER: OnceLock<MariaDb> = OnceLock::new();
    SERVER.get_or_init(MariaDb::alone)
}

/// A database where customer 1 has this address.
fn database(server: &MariaDb, address: &str) -> String {
    let name = server.fresh_database();
    let change = format!(
        "UPDATE {name}.users SET email = '{address}', \
         attributes = JSON_OBJECT('contact', '{address}') WHERE id = 1"
    );
    let _ = server.as_superuser(&change).success();
    name
}

/// Whether the statements may leave something behind.
fn changes(line: &str) -> bool {
    const READ: [&str; 11] = [
        "SELECT", "(SELECT", "SET", "SHOW", "EXPLAIN", "WITH", "PREPARE", "EXECUTE", "VALUES",
        "TABLE", "DESCRIBE",
    ];
    let first = |text: &str| text.split([' ', '(']).next().unwrap_or_default().to_owned();
    line.split(" ;; ").any(|text| !READ.contains(&first(text).as_str()))
}

/// All that the client is told, as text.
fn told(world: &World, database: &str, line: &str) -> String {
    let mut client = MysqlClient::login(world.open_as(&world.usual_opener()), database).unwrap();
    let mut told = String::new();
    for text in line.split(" ;; ") {
        client.begin(&text.replace("shop.", &format!("{database}.")));
        match client.results() {
            Ok(results) => {
                // Which of our refusals it is may depend on how new the catalogue is.
                let error = results.error.map(|(code, text)| {
                    let ours = text.starts_with("portcullis: ");
                    (code, if ours { "portcullis: refused".to_owned() } else { text })
                });
                told.push_str(&format!("{:?} {error:?}\n", results.rows));
            }
            Err(ended) => {
                told.push_str(&format!("ended: {ended}"));
                break;
            }
        }
    }
    told.replace(database, "DATABASE")
}

#[test]
fn nothing_that_is_said_depends_on_what_is_masked() {
    let server = server();
    let world =
        World::with(server, |usual| usual.all_understood_allowed().classification(CLASSIFICATION));
    let mut places = ADDRESSES.map(|address| database(server, address));
    let mut wrong = String::new();
    let mut shown = 0;
    let lines = include_str!("adversary.sql").lines();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with("--")) {
        let (line, varies) = match line.strip_prefix("~ ") {
            Some(line) => (line, true),
            None => (line, false),
        };
        let [one, other] = [0, 1].map(|which| told(&world, &places[which], line));
        let holds = WORDS.iter().any(|word| one.contains(word) || other.contains(word));
        if holds || !varies && one != other {
            wrong.push_str(&format!("{line}\n    {one}\n    {other}\n"));
        }
        shown += usize::from(!one.contains("portcullis: "));
        if changes(line) {
            places = ADDRESSES.map(|address| database(server, address));
        }
    }
    assert!(wrong.is_empty(), "these depend on what is masked:\n{wrong}");
    // Masked, and not simply refused.
    assert!(shown > 60, "only {shown} lines were answered");
}
