//! The two ways to one OpenSSH server that are compared: straight, and through the gateway.
//!
//! Owns starting the server and the gateway, and the clients' configuration. Must not know what is
//! run over them. Both ways lead to the same address and port: the cgroup of a client decides.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;

use super::super::peers::{FREE, GOVERNED, OURS, Way, free_port};
use crate::fault::{During, Fault, Outcome};
use crate::places;
use crate::stage::Stage;
use crate::stage::gateway::Gateway;
use crate::stage::openssh::{LOGIN, OpenSsh, UNIT};
use crate::stage::postgres::Listen;

/// The host's name in the clients' configuration.
pub(super) const HOST: &str = "bench";

const CONFIGURATION: &str = include_str!("../../../bench/ssh.yaml");

/// A line of the text, most of which a mask has nothing to do with.
const LINE: &str = "2026-03-04T05:06:07Z app[812] INFO request 8d2f4c path=/orders/view status=200 \
                    took=13ms bytes=5120 agent=\"curl/8.5\"\n";
/// A line with something to mask.
const SENSITIVE: &str =
    "2026-03-04T05:06:07Z app[812] WARN mail to customer1@mail.example bounced\n";
/// One line in so many is the latter.
const SENSITIVE_EVERY: usize = 100;

/// Bytes of the file of text; `cat` is given it several times.
pub(super) const TEXT_BYTES: u64 = 32 << 20;

/// The server and the ways to it.
#[derive(Debug)]
pub(super) struct Arena {
    /// The ways: direct, the gateway.
    pub(super) ways: [Way; 2],
    server: OpenSsh,
    /// Holds all of it up; dropped last.
    stage: Stage,
}

impl Arena {
    /// Starts everything; the file of binary data has so many bytes.
    pub(super) fn set_up(binary_bytes: u64) -> Outcome<Self> {
        let stage = Stage::set_up("portcullis-bench")?;
        let port = free_port()?;
        let listen = Listen { address: Ipv4Addr::LOCALHOST, port, in_namespace: false };
        let server = OpenSsh::start(&stage, listen)?;
        server.provide("data/text", &text(), 0o644)?;
        server.provide("data/binary", "", 0o644)?;
        // A hole: a file system in memory gives it without keeping it.
        let binary = server.srv().join("data/binary");
        let file = fs::OpenOptions::new().write(true).open(&binary).during(binary.display())?;
        file.set_len(binary_bytes).during(binary.display())?;
        server.own()?;
        let place = stage.directory().to_path_buf();
        let gateway = Gateway::new(
            places::target().join("release/portcullis"),
            place.join("gateway.yaml"),
            place.join("control.sock"),
        );
        let written = CONFIGURATION
            .replace("@INSTANCE@", stage.name())
            .replace("@HOST@", &server.file("").display().to_string())
            .replace("@DIRECTORY@", &place.display().to_string())
            .replace("@GOVERNED@", &stage.cgroup_path(GOVERNED))
            .replace("@PORT@", &port.to_string());
        fs::write(place.join("gateway.yaml"), written).during("the gateway's configuration")?;
        let known = server.file("known_hosts").display().to_string();
        let key = server.file("job_key").display().to_string();
        let client = client_configuration(port, &key, &known);
        fs::write(place.join("ssh_config"), client).during("the clients' configuration")?;
        let process = gateway.start(&stage)?;
        let ways = [
            Way { name: "direct", port, processes: Vec::new(), unit: FREE },
            Way { name: OURS, port, processes: vec![process], unit: GOVERNED },
        ];
        let arena = Self { ways, server, stage };
        arena.check()?;
        Ok(arena)
    }

    /// Each way leads where it should: the server knows the gateway by its key.
    fn check(&self) -> Outcome {
        for (way, keys) in self.ways.iter().zip([(1, 0), (1, 1)]) {
            self.run(way, "ssh", &[HOST, "true"])?;
            let found = (self.server.accepted("job_key")?, self.server.accepted("gateway_key")?);
            if found != keys {
                let log = self.server.log();
                return Fault::because(format!("the way {} is not what it says:\n{log}", way.name));
            }
        }
        Ok(())
    }

    /// A client in the cgroup of a way, with its configuration.
    pub(super) fn client(&self, way: &Way, program: &str) -> Outcome<Command> {
        let mut command = self.stage.command(way.unit, program)?;
        command.arg("-F").arg(self.file("ssh_config"));
        Ok(command)
    }

    /// A shell in the cgroup of a way, which is given the clients' configuration and a socket for
    /// a shared connection.
    pub(super) fn shell(&self, way: &Way, script: &str) -> Outcome<Command> {
        let mut command = self.stage.command(way.unit, "sh")?;
        command.args(["-ec", script, "sh"]).arg(self.file("ssh_config"));
        command.arg(self.file(&format!("{}.sock", way.name)));
        Ok(command)
    }

    /// Runs a client to its end and wants success. What it writes is not looked at.
    pub(super) fn run(&self, way: &Way, program: &str, arguments: &[&str]) -> Outcome {
        let mut command = self.client(way, program)?;
        succeed(command.args(arguments), way)
    }

    /// Seconds of processor time that both ends have used, the clients of a way and the server.
    pub(super) fn ends(&self, way: &Way) -> Outcome<f64> {
        Ok(self.stage.processor_seconds(way.unit)? + self.stage.processor_seconds(UNIT)?)
    }

    /// A file of the stage's.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.stage.directory().join(name)
    }
}

/// Runs a command to its end and wants success.
pub(super) fn succeed(command: &mut Command, way: &Way) -> Outcome {
    let output = command.stdout(std::process::Stdio::null()).output();
    let output = output.during("cannot run a client")?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Fault::because(format!("a client over {} failed ({}): {said}", way.name, output.status))
}

/// What every client is run with: no question is asked, and the host key is checked.
fn client_configuration(port: u16, key: &str, known_hosts: &str) -> String {
    format!(
        "Host {HOST}\n  HostName {}\n  Port {port}\n  User {LOGIN}\n  IdentityFile {key}\n  \
         IdentitiesOnly yes\n  BatchMode yes\n  StrictHostKeyChecking yes\n  \
         UserKnownHostsFile {known_hosts}\n  GlobalKnownHostsFile none\n",
        Ipv4Addr::LOCALHOST
    )
}

fn text() -> String {
    let mut text = String::new();
    let bytes = usize::try_from(TEXT_BYTES).unwrap_or(usize::MAX);
    for number in 1.. {
        let line = if number % SENSITIVE_EVERY == 0 { SENSITIVE } else { LINE };
        if text.len() + line.len() > bytes {
            break;
        }
        text.push_str(line);
    }
    // To the byte: what is not a whole line ends it.
    let short = bytes - text.len();
    text.push_str(&"\n".repeat(short));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_exactly_its_bytes_and_some_to_mask() {
        let text = text();
        assert_eq!(text.len() as u64, TEXT_BYTES);
        assert!(text.contains(SENSITIVE));
        assert!(text.matches(LINE).count() > 90 * text.matches(SENSITIVE).count());
    }

    #[test]
    fn clients_ask_nothing_and_check_the_host_key() {
        let said = client_configuration(2222, "/key", "/known");
        for line in ["  Port 2222\n", "  BatchMode yes\n", "  StrictHostKeyChecking yes\n"] {
            assert!(said.contains(line), "{said}");
        }
    }

    #[test]
    fn nothing_of_the_configuration_is_left_to_fill_in() {
        let filled = ["@INSTANCE@", "@HOST@", "@DIRECTORY@", "@GOVERNED@", "@PORT@"];
        let rest =
            filled.iter().fold(CONFIGURATION.to_owned(), |text, name| text.replace(name, ""));
        let more = rest.lines().filter(|line| !line.starts_with('#') && line.contains('@')).count();
        assert_eq!(more, 0, "{rest}");
    }
}
