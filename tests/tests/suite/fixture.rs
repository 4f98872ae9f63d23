//! The fixture itself: what other tests stand on has to hold.

use std::net::{Ipv4Addr, SocketAddr};

use tests::client::{Client, messages};
use tests::cluster::{APP, Cluster, SHOP, USERS};
use tests::programs;

fn address(cluster: &Cluster) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, cluster.port()).into()
}

#[test]
fn every_user_logs_in_to_every_server_with_its_own_kind_of_password() {
    for cluster in Cluster::all() {
        for user in USERS {
            let mut client = Client::login(address(cluster), *user, SHOP).unwrap();
            let rows = messages::rows(&client.query("SELECT current_user, count(*) FROM users"));
            assert_eq!(rows, [[user.name, "40"]]);
        }
    }
}

#[test]
fn a_wrong_password_is_refused() {
    let wrong = tests::cluster::User { password: "wrong", ..APP };
    let refusal = Client::login(address(Cluster::shared()), wrong, SHOP).err().unwrap();
    assert_eq!(refusal.refused().code(), "28P01");
}

#[test]
fn the_server_speaks_tls_with_a_certificate_of_its_authority() {
    let cluster = Cluster::shared();
    let authority = cluster.authority().certificate_pem();
    let mut client = Client::connect_tls(address(cluster), authority, "localhost").unwrap();
    client.start(APP, &[("user", APP.name), ("database", SHOP)]).unwrap();
    let answer = client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    assert_eq!(messages::rows(&answer), [["t"]]);
    assert!(Client::connect_tls(address(cluster), authority, "elsewhere").is_err());
}

#[test]
fn the_extended_protocol_answers_in_binary() {
    let mut client = Client::login(address(Cluster::shared()), APP, SHOP).unwrap();
    let answer = client.extended("SELECT id, email FROM users WHERE id = 7", 1);
    assert_eq!(messages::tags(&answer), "12TDCZ");
    let values = answer[3].values();
    assert_eq!(values[0].as_deref(), Some(&[0, 0, 0, 7][..]));
    assert_eq!(values[1].as_deref(), Some(&b"customer7@mail.example"[..]));
}

#[test]
fn unchanged_clients_run() {
    let cluster = Cluster::shared();
    let direct = cluster.direct(APP, SHOP);
    let said = programs::psql(&direct, &["--command", "SELECT name FROM users WHERE id = 1"]);
    assert_eq!(said.success(), "Customer 1\n");
    let program = "import sys, psycopg\n\
                   with psycopg.connect(sys.argv[1]) as connection:\n    \
                   print(connection.execute('SELECT count(*) FROM orders').fetchone()[0])";
    assert_eq!(programs::python(program, &[&direct]).success(), "200\n");
}

#[test]
fn a_fresh_database_is_a_shop_of_its_own() {
    let cluster = Cluster::shared();
    let database = cluster.fresh_database();
    let mut client = Client::login(address(cluster), APP, &database).unwrap();
    let answer = client.query("DROP TABLE old_reports");
    assert_eq!(messages::error(&answer), None);
    let mut client = Client::login(address(cluster), APP, SHOP).unwrap();
    let answer = client.query("SELECT count(*) FROM old_reports");
    assert_eq!(messages::rows(&answer), [["3"]]);
}

#[test]
fn the_server_ends_with_the_process_that_started_it() {
    // This test runs its own binary again, kills it in mid-flight, and looks for the server.
    const INNER: &str = "PORTCULLIS_FIXTURE_INNER";
    if std::env::var_os(INNER).is_some() {
        println!("directory={}", Cluster::shared().directory().display());
        std::thread::sleep(std::time::Duration::from_secs(60));
        return;
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("fixture::the_server_ends_with_the_process_that_started_it")
        .env(INNER, "1")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let output = std::io::BufReader::new(child.stdout.take().unwrap());
    let line = std::io::BufRead::lines(output)
        .map_while(Result::ok)
        .find(|line| line.contains("directory="))
        .unwrap();
    let directory = std::path::PathBuf::from(line.split_once("directory=").unwrap().1);
    assert!(directory.join("data/postmaster.pid").exists());
    child.kill().unwrap();
    let _ = child.wait().unwrap();
    tests::assert_eventually!(!directory.exists(), "{} is left over", directory.display());
}
