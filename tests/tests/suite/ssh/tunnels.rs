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
