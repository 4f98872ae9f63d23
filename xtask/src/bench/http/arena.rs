//! The ways to one web server that are compared: straight, through nginx, haproxy and mitmproxy, and
//! through the gateway.
//!
//! Owns starting them, as each is commonly run, with one worker each: nginx notes every request in
//! its log, and keeps connections to the server as the others do. The proxies verify the server's
//! certificate, but for mitmproxy. Must not know what is run over them. All end with the stage.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::super::peers::{self, FREE, GOVERNED, OURS, Way, free_port};
use super::super::processor;
use crate::fault::{During, Fault, Outcome};
use crate::places;
use crate::stage::gateway::Gateway;
use crate::stage::nginx::{self, Nginx};
use crate::stage::postgres::Listen;
use crate::stage::{Stage, certificate, wait_until};

const CONFIGURATION: &str = include_str!("../../../bench/http.yaml");
const SERVER_SITE: &str = include_str!("../../../bench/http-server.nginx");
const PROXY_SITE: &str = include_str!("../../../bench/http-proxy.nginx");
const HAPROXY: &str = include_str!("../../../bench/http.haproxy");

/// What the gateway logs in with; the server lets nobody else in where it can tell.
const TOKEN: &str = "token-of-the-benchmark";

/// The small answer: half a kilobyte.
const SMALL: &str = r#"{"id": 4711, "reference": "8d2f4c61-0a7e-4f5b-9c33-5be1d0a1c2f7",
 "customer": {"name": "Ada Lovelace", "email": "customer1@mail.example", "tier": "gold"},
 "items": [{"sku": "A-1009", "count": 3, "price": 1999}, {"sku": "B-2210", "count": 1, "price": 450},
 {"sku": "C-0031", "count": 12, "price": 75}], "total": 7347, "currency": "EUR", "paid": true,
 "shipping": {"street": "Analytical Row 12", "city": "London", "country": "GB", "carrier": "post"},
 "created": "2026-03-04T05:06:07Z", "updated": "2026-03-05T06:07:08Z", "note": null}
"#;
/// About how many bytes the long answer has.
pub(super) const BIG_BYTES: usize = 40_000_000;

/// Looks at one connection at a time.
const FIRST_BYTES: &str = r#"
count=$1; shift
while [ "$count" -gt 0 ]; do "$@"; count=$((count - 1)); done
"#;

/// Whether a client speaks TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    None,
    Tls,
}

impl Encryption {
    /// The address of a path over a way.
    pub(super) fn address(self, way: &Way, path: &str) -> String {
        let scheme = if self == Self::Tls { "https" } else { "http" };
        format!("{scheme}://{}:{}{path}", Ipv4Addr::LOCALHOST, way.port)
    }
}

/// The ports of one way: in the clear, and for TLS.
#[derive(Clone, Copy, Debug)]
struct Ports {
    plain: u16,
    tls: u16,
}

impl Ports {
    fn free() -> Outcome<Self> {
        Ok(Self { plain: free_port()?, tls: free_port()? })
    }

    fn fill(self, text: &str, who: &str) -> String {
        text.replace(&format!("@{who}_PLAIN@"), &self.plain.to_string())
            .replace(&format!("@{who}_TLS@"), &self.tls.to_string())
    }
}

/// The server and the ways to it.
#[derive(Debug)]
pub(super) struct Arena {
    plain: Vec<Way>,
    tls: Vec<Way>,
    /// Holds all of it up; dropped last.
    stage: Stage,
}

impl Arena {
    /// Starts everything.
    pub(super) fn set_up() -> Outcome<Self> {
        let stage = Stage::set_up("portcullis-bench")?;
        let place = stage.directory().to_path_buf();
        certificate::make(&place, "DNS:api.bench.example,IP:127.0.0.1")?;
        let read = |name: &str| fs::read_to_string(place.join(name)).during(name.to_owned());
        let pair = format!("{}{}", read("server.crt")?, read("server.key")?);
        fs::write(place.join("server.pem"), pair).during("server.pem")?;
        let token = place.join("token");
        fs::write(&token, TOKEN).during("token")?;
        // The gateway takes no secret that others may read.
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).during("token")?;
        write_answers(&place)?;
        let server = Ports::free()?;
        let (name, governed) = (stage.name().to_owned(), stage.cgroup_path(GOVERNED));
        let fill = |text: &str| {
            server
                .fill(text, "SERVER")
                .replace("@DIRECTORY@", &place.display().to_string())
                .replace("@INSTANCE@", &name)
                .replace("@GOVERNED@", &governed)
        };
        let listen = Listen { address: Ipv4Addr::LOCALHOST, port: server.tls, in_namespace: false };
        Nginx::start(&stage, "server", listen, &fill(SERVER_SITE))?;
        let mut arena = Self { plain: Vec::new(), tls: Vec::new(), stage };
        arena.add("direct", server, Vec::new(), FREE);

        let ports = Ports::free()?;
        let listen = Listen { port: ports.tls, ..listen };
        let site = ports.fill(&fill(PROXY_SITE), "PROXY");
        let proxy = Nginx::start(&arena.stage, "proxy", listen, &site)?;
        // It listens before its worker is there.
        wait_until("nginx has a worker", || processor::family(proxy.process()).len() > 1)?;
        arena.add("nginx", ports, processor::family(proxy.process()), FREE);

        let ports = Ports::free()?;
        let processes = haproxy(&arena.stage, &ports.fill(&fill(HAPROXY), "PROXY"), ports)?;
        arena.add("haproxy", ports, processes, FREE);

        let ports = Ports::free()?;
        let processes = mitmproxy(&arena.stage, server, ports)?;
        arena.add("mitmproxy", ports, processes, FREE);

        fs::write(place.join("gateway.yaml"), fill(CONFIGURATION)).during("gateway.yaml")?;
        let gateway = Gateway::new(
            places::target().join("release/portcullis"),
            place.join("gateway.yaml"),
            place.join("control.sock"),
        );
        let process = gateway.start(&arena.stage)?;
        // To the server's own address: the kernel sees to the rest.
        arena.add(OURS, server, vec![process], GOVERNED);
        arena.check()?;
        Ok(arena)
    }

    fn add(&mut self, name: &'static str, ports: Ports, processes: Vec<u32>, unit: &'static str) {
        self.plain.push(Way { name, port: ports.plain, processes: processes.clone(), unit });
        self.tls.push(Way { name, port: ports.tls, processes, unit });
    }

    /// The ways, for clients that speak TLS or do not.
    pub(super) fn ways(&self, encryption: Encryption) -> &[Way] {
        match encryption {
            Encryption::None => &self.plain,
            Encryption::Tls => &self.tls,
        }
    }

    /// Only through the gateway is the field masked, and every other way leads to the server.
    fn check(&self) -> Outcome {
        for encryption in [Encryption::None, Encryption::Tls] {
            for way in self.ways(encryption) {
                let address = encryption.address(way, "/v1/small");
                let line = ["--silent", "--show-error", "--fail-with-body", "--insecure", &address];
                let said = self.run(way, "curl", &line.map(str::to_owned))?;
                let is_raw = said.contains("customer1@mail.example");
                if is_raw == (way.name == OURS) || !said.contains("Analytical Row") {
                    return Fault::because(format!("the way {} shows: {said}", way.name));
                }
            }
        }
        Ok(())
    }

    /// Runs a client in the cgroup of a way to its end, and gives what it printed.
    pub(super) fn run(&self, way: &Way, program: &str, line: &[String]) -> Outcome<String> {
        let mut command = self.stage.command(way.unit, program)?;
        said(command.args(line), way)
    }

    /// Fetches an answer some times over one connection, and throws it away.
    pub(super) fn fetch(
        &self,
        way: &Way,
        encryption: Encryption,
        path: &str,
        times: usize,
    ) -> Outcome {
        let mut line = vec!["--silent", "--show-error", "--fail", "--insecure", "--http1.1"];
        let address = encryption.address(way, path);
        for _ in 0..times {
            line.extend(["--output", "/dev/null", &address]);
        }
        let line: Vec<String> = line.into_iter().map(str::to_owned).collect();
        self.run(way, "curl", &line).map(|_| ())
    }

    /// Seconds to the first byte of an answer, of some connections one after the other.
    pub(super) fn first_bytes(
        &self,
        way: &Way,
        encryption: Encryption,
        path: &str,
        connections: u32,
    ) -> Outcome<Vec<f64>> {
        let mut command = self.stage.command(way.unit, "sh")?;
        command.args(["-ec", FIRST_BYTES, "sh", &connections.to_string(), "curl", "--silent"]);
        command.args(["--show-error", "--fail", "--insecure", "--http1.1"]);
        command.args(["--output", "/dev/null", "--write-out", "%{time_starttransfer}\\n"]);
        let found = said(command.arg(encryption.address(way, path)), way)?;
        found.lines().map(|line| line.parse().during("curl's figures")).collect()
    }
}

fn said(command: &mut Command, way: &Way) -> Outcome<String> {
    let output = command.output().during("cannot run a client")?;
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(out);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Fault::because(format!("a client over {} failed ({}): {out}{said}", way.name, output.status))
}

fn haproxy(stage: &Stage, settings: &str, ports: Ports) -> Outcome<Vec<u32>> {
    let file = stage.directory().join("haproxy.cfg");
    fs::write(&file, settings).during(file.display())?;
    let mut command = stage.command("haproxy.service", "haproxy")?;
    command.arg("-db").arg("-f").arg(file);
    let log = stage.directory().join("haproxy.log");
    Ok(peers::start("haproxy", command, &log, ports.tls)?.processes)
}

fn mitmproxy(stage: &Stage, server: Ports, ports: Ports) -> Outcome<Vec<u32>> {
    let program = places::mitmproxy_environment()?.join("bin/mitmdump");
    let mut command = stage.command("mitmproxy.service", program)?;
    let home = stage.directory().join("mitmproxy");
    let mode = |scheme: &str, to: u16, at: u16| {
        format!("reverse:{scheme}://127.0.0.1:{to}@127.0.0.1:{at}")
    };
    command.args(["--quiet", "--ssl-insecure"]);
    command.args(["--set", &format!("confdir={}", home.display())]);
    // Without it a long body would be held whole.
    command.args(["--set", "stream_large_bodies=1m"]);
    command.args(["--mode", &mode("http", server.plain, ports.plain)]);
    command.args(["--mode", &mode("https", server.tls, ports.tls)]);
    let log = stage.directory().join("mitmproxy.log");
    Ok(peers::start("mitmproxy", command, &log, ports.tls)?.processes)
}

fn write_answers(place: &Path) -> Outcome {
    let answers = place.join("answers");
    for directory in ["v1", "raw"] {
        let path = answers.join(directory);
        fs::create_dir_all(&path).during(path.display())?;
        fs::write(path.join("small"), SMALL).during(path.display())?;
    }
    let path = answers.join("v1/big");
    fs::write(&path, big()).during(path.display())?;
    nginx::own(&answers)
}

/// One document of many records, each with one field to mask.
fn big() -> String {
    let mut text = String::with_capacity(BIG_BYTES + 1024);
    text.push('[');
    for number in 0.. {
        let before = text.len();
        let comma = if number == 0 { "" } else { "," };
        let written = write!(
            text,
            r#"{comma}
{{"id": {number}, "reference": "{number:012}", "customer": {{"name": "Customer {number}", "email": "customer{number}@mail.example", "tier": "gold"}}, "street": "Street {}, House {}", "items": [{{"sku": "A-{}", "count": 3, "price": 19.99}}, {{"sku": "B-2210", "count": 1, "price": 4.5}}], "note": "item {} of the catalogue, sent with the \"first\" post", "paid": true}}"#,
            number % 997,
            number % 83,
            number % 4999,
            number % 4999,
        );
        if written.is_err() || text.len() + (text.len() - before) > BIG_BYTES {
            break;
        }
    }
    // To the byte: white space may stand before the end.
    text.push_str(&" ".repeat(BIG_BYTES.saturating_sub(text.len() + 2)));
    text.push_str("]\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_answer_is_json_of_its_size() {
        let text = big();
        assert_eq!(text.len(), BIG_BYTES);
        let start: String = text.chars().take(2_000).collect();
        let (first, _) = start.rsplit_once(",\n").unwrap();
        let records: serde_json::Value = serde_json::from_str(&format!("{first}]")).unwrap();
        assert_eq!(records[0]["customer"]["email"], "customer0@mail.example");
        assert!(text.ends_with("]\n"));
    }

    #[test]
    fn the_small_answer_is_json_of_half_a_kilobyte() {
        assert!((512..800).contains(&SMALL.len()), "{}", SMALL.len());
        let record: serde_json::Value = serde_json::from_str(SMALL).unwrap();
        assert_eq!(record["customer"]["email"], "customer1@mail.example");
    }

    #[test]
    fn nothing_of_the_settings_is_left_to_fill_in() {
        let ports = Ports { plain: 1, tls: 2 };
        for text in [CONFIGURATION, SERVER_SITE, PROXY_SITE, HAPROXY] {
            let text = ports.fill(&ports.fill(text, "SERVER"), "PROXY");
            let filled = ["@DIRECTORY@", "@INSTANCE@", "@GOVERNED@", "@NAME@"];
            let rest = filled.iter().fold(text, |text, name| text.replace(name, ""));
            assert!(!rest.contains('@'), "{rest}");
        }
    }
}
