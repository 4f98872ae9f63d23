//! Ports, sockets, agents and displays through the connection.
//!
//! Owns the tries: refused by default, granted by end point.

use tests::sshd::SshServer;
use tests::world::World;

use super::{allow, role, world};

#[test]
fn every_forward_is_refused_unless_granted() {
    let world = world(&[&allow(r#""echo **", "printenv *""#)]);
    let station = world.workstation();
    let port = world.ssh_server().port();
    let to = format!("127.0.0.1:{port}");
    let said = station.run("ssh", &["-W", &to, "web"]);
    assert_ne!(said.status, Some(0), "{said:?}");
    assert!(said.output.is_empty(), "{said:?}");
    let remote = format!("127.0.0.1:0:{to}");
    let said =
        station.run("ssh", &["-o", "ExitOnForwardFailure=yes", "-R", &remote, "web", "echo no"]);
    assert_ne!(said.status, Some(0), "{said:?}");
    let said = station
        .run("ssh", &["-o", "ExitOnForwardFailure=yes", "-R", "/srv/app/s:/x", "web", "echo no"]);
    assert_ne!(said.status, Some(0), "{said:?}");
    // An agent and a display are asked for without an answer; the server has none then.
    let agent = "eval $(ssh-agent) >/dev/null; ssh -A web 'printenv SSH_AUTH_SOCK'; s=$?; ssh-agent -k >/dev/null; exit $s";
    let said = station.run("bash", &["-c", agent]);
    assert_eq!((said.status, said.output.as_str()), (Some(1), ""), "{said:?}");
    let display = "export DISPLAY=:7; ssh -Y web 'printenv DISPLAY'";
    let said = station.run("bash", &["-c", display]);
    assert_eq!(said.output, "", "{said:?}");
    let refused = world.events("operation_decided");
    assert!(refused.iter().any(|line| line["kind"] == "forward"), "{refused:#?}");
}

#[test]
fn a_forward_goes_where_a_rule_says_and_nowhere_else() {
    let port = SshServer::shared().port();
    let rule = format!(
        "{{ id: tunnel, effect: allow, target: shop, \
         ssh: {{ actions: [forward], destinations: [\"127.0.0.1:{port}\"] }} }}"
    );
    let world = World::with(SshServer::shared(), |usual| role(usual, &[&rule]));
    let station = world.workstation();
    let through = |to: &str| {
        let command = format!("ssh -W {to} web </dev/null | head -c 8");
        station.run("bash", &["-c", &command]).output
    };
    assert_eq!(through(&format!("127.0.0.1:{port}")), "SSH-2.0-");
    for elsewhere in
        [format!("localhost:{port}"), format!("127.0.0.2:{port}"), "127.0.0.1:1".to_owned()]
    {
        assert_eq!(through(&elsewhere), "", "{elsewhere}");
    }
}

/// Shows something on a display of the client's: what connects at the target proves itself with
/// what `xauth` has there, the display answers, and sees the client's own cookie.
const DISPLAY: &str = r#"
import os, socket, subprocess, threading

COOKIE = "5a" * 16
screen = socket.create_server(("127.0.0.1", 0))
number = screen.getsockname()[1] - 6000
seen = []

def show():
    shown, _ = screen.accept()
    first = shown.recv(1000)
    seen.append(bytes.fromhex(COOKIE) in first)
    shown.sendall(b"answer of a display")
    shown.close()

threading.Thread(target=show, daemon=True).start()
os.environ["DISPLAY"] = f"127.0.0.1:{number}"
subprocess.run(["xauth", "-q", "add", f"127.0.0.1:{number}", "MIT-MAGIC-COOKIE-1", COOKIE],
               check=True, stderr=subprocess.DEVNULL)
program = """
import os, socket, struct, subprocess
name = os.environ['DISPLAY']
listed = subprocess.run(['xauth', 'list', name], capture_output=True, text=True).stdout.split()
cookie = bytes.fromhex(listed[2])
s = socket.create_connection(('127.0.0.1', 6000 + int(name.split(':')[1].split('.')[0])))
kind = listed[1].encode()
pad = lambda b: b + bytes(-len(b) % 4)
s.sendall(struct.pack('<BxHHHHxx', 0x6c, 11, 0, len(kind), len(cookie)) + pad(kind) + pad(cookie))
print(cookie.hex() == '5a' * 16, s.recv(100))
"""
said = subprocess.run(["ssh", "-Y", "web", "python3 -"], input=program.encode(), capture_output=True)
print(said.returncode, said.stdout.decode(), seen)
"#;

#[test]
fn a_display_is_shown_on_where_that_is_granted() {
    let x11 =
        "{ id: display, effect: allow, target: shop, ssh: { actions: [x11], names: [deploy] } }";
    let world = world(&[&allow(r#""python3 -""#), x11]);
    let said = world.workstation().script("python", DISPLAY, "/srv/app");
    // The target has a cookie of the client's making, never the display's own.
    assert_eq!(said.success(), "0 False b'answer of a display'\n [True]\n");
    let recorded: String =
        world.recordings().iter().map(|(_, one)| tests::world::text_of(one)).collect();
    assert!(recorded.contains("x11 of deploy"), "{recorded}");
    let without = super::world(&[&allow(r#""python3 -""#)]);
    let said = without.workstation().script("python", DISPLAY, "/srv/app");
    assert!(said.output.ends_with("[]\n"), "{said:?}");
}
