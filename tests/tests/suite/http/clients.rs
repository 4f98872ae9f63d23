//! Unchanged clients, each run straight to the server and through the gateway: they print the same
//! where they may, are told where they may not, and are shown what they may see.
//!
//! Owns the scripts. Each takes the address to ask from `BASE`, and prints status and body of an
//! allowed request, of a denied one and of one that is masked.

use tests::web::WebServer;
use tests::web::people::RAW_VALUES;
use tests::web::station::WebStation;
use tests::world::World;

use super::bare;

/// How a client is run, and where its words stand.
struct Program {
    name: &'static str,
    interpreter: &'static [&'static str],
    text: &'static str,
}

/// Clients that do not say what they speak speak what the server likes.
const PROGRAMS: &[Program] = &[
    Program { name: "curl", interpreter: &["sh", "-ec"], text: include_str!("clients/curl.sh") },
    Program { name: "wget", interpreter: &["sh", "-ec"], text: include_str!("clients/wget.sh") },
    Program {
        name: "requests",
        interpreter: &["python3", "-c"],
        text: include_str!("clients/requests.py"),
    },
    Program {
        name: "httpx",
        interpreter: &["python3", "-c"],
        text: include_str!("clients/httpx.py"),
    },
    Program {
        name: "urllib",
        interpreter: &["python3", "-c"],
        text: include_str!("clients/urllib.py"),
    },
    Program {
        name: "aiohttp",
        interpreter: &["python3", "-c"],
        text: include_str!("clients/aiohttp.py"),
    },
    Program { name: "node", interpreter: &["node", "-e"], text: include_str!("clients/node.js") },
];

fn run(station: &WebStation, program: &Program) -> String {
    let (first, rest) = program.interpreter.split_first().unwrap();
    let mut arguments = rest.to_vec();
    arguments.push(program.text);
    let said = station.run(first, &arguments);
    assert_eq!(said.status, Some(0), "{}: {said:?}", program.name);
    said.output
}

#[test]
fn every_client_does_what_it_may_and_is_told_what_it_may_not() {
    let server = WebServer::secure();
    let world = World::with(server, |usual| usual);
    let station = world.web_station();
    for program in PROGRAMS {
        check(program.name, &run(&station, program));
    }
}

fn check(name: &str, said: &str) {
    assert!(said.contains("200 this is it"), "{name}: {said}");
    assert!(said.contains("403"), "{name}: {said}");
    assert!(said.contains("Ann"), "{name}: {said}");
    for raw in RAW_VALUES {
        assert!(!said.contains(raw), "{name}: {said}");
    }
}

#[test]
fn where_nothing_is_forbidden_every_client_prints_the_same() {
    let server = WebServer::secure();
    let world = World::with(server, bare);
    for program in PROGRAMS {
        let direct = run(&WebStation::direct(server), program);
        assert_eq!(run(&world.web_station(), program), direct, "{}", program.name);
    }
}

#[test]
fn java_does_what_it_may() {
    let server = WebServer::secure();
    let world = World::with(server, |usual| usual);
    let station = world.web_station();
    std::fs::write(station.file("home/Job.java"), include_str!("clients/Job.java")).unwrap();
    let script = "keytool -importcert -noprompt -alias gateway -file ../authority.pem \
                  -keystore trust.p12 -storepass changeit -storetype PKCS12 2>&1\n\
                  java -Djavax.net.ssl.trustStore=trust.p12 \
                  -Djavax.net.ssl.trustStorePassword=changeit Job.java";
    check("java", &station.run("sh", &["-ec", script]).success());
}

#[test]
fn go_does_what_it_may() {
    let server = WebServer::secure();
    let world = World::with(server, |usual| usual);
    let station = world.web_station();
    std::fs::write(station.file("home/job.go"), include_str!("clients/job.go")).unwrap();
    let script = "GOFLAGS=-mod=mod GOCACHE=$HOME/cache GO111MODULE=off go run job.go";
    check("go", &station.run("sh", &["-ec", script]).success());
}
