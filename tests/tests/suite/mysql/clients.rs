//! Unchanged clients, each run straight to the server and through the gateway: they print the same.
//!
//! Owns the comparison. The workload may do everything here; what is refused is tried elsewhere.

use std::process::Command;

use tests::cluster::{SHOP, User};
use tests::mariadb::{APP_NATIVE, MARIADB_USERS, MariaDb};
use tests::programs::{self, Said};
use tests::world::World;

const PYMYSQL: &str = include_str!("clients/everything.py");

fn open_world() -> World {
    World::with(MariaDb::shared(), |usual| usual.everything_allowed().classification(""))
}

/// A program of MariaDB's, run for one way to the database.
fn client(port: u16, program: &str, arguments: &[&str]) -> Said {
    let User { name, password } = APP_NATIVE;
    let mut command = Command::new(program);
    command.args(["--no-defaults", "--host=127.0.0.1", "--default-character-set=utf8mb4"]);
    command.arg(format!("--port={port}")).arg(format!("--user={name}"));
    programs::run(command.env("MYSQL_PWD", password).args(arguments))
}

/// Runs it both ways and compares all that it prints.
fn same(world: &World, program: &str, arguments: &[&str]) -> String {
    let direct = client(world.mariadb().port(), program, arguments);
    let through = client(world.port(), program, arguments);
    let differs = |line: &&str| line.contains("Dump completed");
    let lines = |said: &Said| {
        said.everything().lines().filter(|one| !differs(one)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&through), lines(&direct), "{program} {arguments:?}");
    assert_eq!(through.status, direct.status);
    direct.everything()
}

#[test]
fn the_command_line_client_prints_the_same_in_every_format() {
    let world = open_world();
    let text = "SELECT * FROM users ORDER BY id LIMIT 7; SELECT * FROM kinds; SELECT 1; \
                UPDATE orders SET item = item WHERE id = 3; SELECT FOUND_ROWS(), ROW_COUNT()";
    for format in ["--table", "--batch", "--html", "--xml", "--vertical"] {
        let printed = same(&world, "mariadb", &[format, "-vv", "--execute", text, SHOP]);
        assert!(printed.contains("Customer 1"), "{printed}");
    }
    let failing = "SELECT 1; SELECT nothing FROM nowhere; SELECT 3";
    let printed = same(&world, "mariadb", &["--force", "--execute", failing, SHOP]);
    assert!(printed.contains("1146"), "{printed}");
    let database = "SELECT DATABASE(); USE mysql; SELECT DATABASE()";
    let _ = same(&world, "mariadb", &["--execute", database, SHOP]);
}

#[test]
fn a_dump_is_the_same_and_a_copy_restored_from_it_too() {
    let world = open_world();
    let dumped = same(&world, "mariadb-dump", &[SHOP]);
    assert!(dumped.contains("customer1@mail.example"));
    let _ = same(&world, "mariadb-dump", &["--single-transaction", "--hex-blob", SHOP]);
}

#[test]
fn every_way_to_log_in_upstream_works_with_and_without_tls() {
    for user in MARIADB_USERS {
        for tls in ["{ mode: disable }", ""] {
            let world = World::with(MariaDb::shared(), |usual| {
                let mut usual = usual.everything_allowed().classification("").credential(*user);
                if !tls.is_empty() {
                    tls.clone_into(&mut usual.upstream_tls);
                }
                usual
            });
            let asked = "SELECT CURRENT_USER(), @@ssl_cipher <> ''";
            let said = client(world.port(), "mariadb", &["--batch", "--execute", asked, SHOP]);
            let shown = said.success();
            assert!(shown.contains(&format!("{}@", user.name)), "{shown}");
        }
    }
}

#[test]
fn clients_speak_tls_to_the_gateway() {
    let world = open_world();
    let ca = format!("--ssl-ca={}", world.authority_file().display());
    let shown = client(world.port(), "mariadb", &["--ssl", &ca, "--execute", "SELECT 7", SHOP]);
    assert!(shown.success().contains('7'));
}

/// A program of another client, run both ways.
fn same_program(world: &World, program: &str, arguments: &[&str]) {
    // A database of its own: what other tests do to the shared one meanwhile is not asked here.
    let database = world.mariadb().fresh_database();
    let run = |port: u16| {
        let mut command = Command::new(program);
        command.args(arguments).env("PORT", port.to_string()).env("DATABASE", &database);
        command.env("USER", APP_NATIVE.name).env("PASSWORD", APP_NATIVE.password);
        programs::run(command.env("MODULES", programs::cache().join("node/node_modules")))
    };
    let (direct, through) = (run(world.mariadb().port()), run(world.port()));
    assert_eq!(through.everything(), direct.everything(), "{program}");
    assert_eq!(direct.status, Some(0), "{}", direct.everything());
}

/// A script of this folder.
fn script(name: &str) -> String {
    format!("{}/tests/suite/mysql/clients/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn pymysql_sees_no_difference() {
    let python = programs::cache().join("python/bin/python");
    same_program(&open_world(), python.to_str().unwrap(), &["-c", PYMYSQL]);
}

#[test]
fn the_driver_of_node_sees_no_difference() {
    same_program(&open_world(), "node", &[&script("everything.js")]);
}

#[test]
fn the_driver_of_java_sees_no_difference() {
    let driver = "/usr/share/java/mariadb-java-client.jar";
    same_program(&open_world(), "java", &["-cp", driver, &script("Everything.java")]);
}

#[test]
fn the_driver_of_go_sees_no_difference() {
    // Built once: Debian has the driver where Go looked before it had modules.
    let program = format!("{}/everything-go", std::env::temp_dir().display());
    let program = format!("{program}-{}", std::process::id());
    let mut build = Command::new("go");
    build.args(["build", "-o", &program, &script("everything.go")]);
    build.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").env("GOFLAGS", "");
    let _ = programs::run(build.env("GOCACHE", programs::cache().join("go"))).success();
    same_program(&open_world(), &program, &[]);
    std::fs::remove_file(program).unwrap();
}

#[test]
fn mysqlclient_sees_no_difference() {
    // Debian's own, with Debian's own interpreter.
    same_program(&open_world(), "/usr/bin/python3", &[&script("mysqldb.py")]);
}

#[test]
fn mysqlclient_speaks_tls_to_the_gateway() {
    let world = open_world();
    let User { name, password } = APP_NATIVE;
    let mut command = Command::new("/usr/bin/python3");
    command.arg(script("mysqldb.py")).env("CA", world.authority_file()).env("USER", name);
    command.env("PORT", world.port().to_string()).env("PASSWORD", password);
    let database = world.mariadb().fresh_database();
    let shown = programs::run(command.env("DATABASE", database)).success();
    assert_eq!(shown.matches("Customer 5").count(), 2, "{shown}");
}
