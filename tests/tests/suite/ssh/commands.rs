//! Commands: what may run, in which words it is refused, what reaches the server.
//!
//! Owns the corpus of hostile command lines. The server has a program that notes that it was run.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::json;
use tests::assert_eventually;
use tests::sshd::SshServer;
use tests::world::World;

use super::{allow, role, world};

/// Command lines that try to run `canary` where only `echo` and `cat` are granted, as JSON.
const CORPUS: &str = include_str!("commands/corpus.json");

const RUN_ALL: &str = include_str!("commands/run_all.py");

#[test]
fn what_is_not_granted_is_refused_with_a_message_and_126() {
    let world = world(&[&allow(r#""echo **""#)]);
    let station = world.workstation();
    let said = station.ssh(&["rm -rf /srv/never"]);
    assert_eq!((said.status, said.output.as_str()), (Some(126), ""));
    assert!(said.error.starts_with("portcullis: exec on rm -rf /srv/never"), "{}", said.error);
    assert!(said.error.contains("No rule"), "{}", said.error);
    // The connection is good for more, and what is granted runs.
    assert_eq!(station.ssh(&["echo fine"]).success(), "fine\n");
    assert!(!world.ssh_server().reached().contains("/srv/never"));
    let line = world.event("operation_decided", |line| line["effect"] == "deny");
    assert_eq!(line["kind"], "exec", "{line}");
}

#[test]
fn a_rule_that_denies_is_named() {
    let deny = "{ id: no-restarts, effect: deny, target: shop, \
                ssh: { actions: [exec], commands: [\"systemctl restart *\"] } }";
    let world = world(&[&allow(r#""systemctl **""#), deny]);
    let said = world.workstation().ssh(&["systemctl restart db"]);
    assert_eq!(said.status, Some(126));
    assert!(said.error.contains("no-restarts"), "{}", said.error);
    let said = world.workstation().ssh(&["systemctl status db"]);
    assert_eq!(said.success(), "systemctl: status db\n");
}

#[test]
fn what_reaches_the_server_is_written_anew() {
    let world = world(&[&allow(r#""echo **""#)]);
    let marker = format!("marker-{}", world.port());
    let said = world.workstation().ssh(&[&format!("echo   {marker} \"a  b\" c\\ d e'f'\"g\"")]);
    assert_eq!(said.success(), format!("{marker} a  b c d efg\n"));
    let reached = world.ssh_server().reached();
    let line = reached.lines().find(|line| line.contains(&marker)).unwrap();
    assert_eq!(line, format!("echo {marker} 'a  b' 'c d' efg"));
}

#[test]
fn no_command_line_of_the_corpus_runs_anything_but_what_is_granted() {
    let lines: Vec<String> = serde_json::from_str(CORPUS).unwrap();
    // A server of its own: nobody else runs the canary.
    let server = SshServer::apart("canary", "");
    let granted = allow(r#""echo **", "cat /srv/app/notes.txt", "printf *""#);
    let world = World::with(server, |usual| role(usual, &[&granted]));
    let place = world.workstation();
    place.write("home/corpus.json", CORPUS);
    let said = place.script("python", RUN_ALL, "/srv/app").success();
    let answers: Vec<(i64, String)> = serde_json::from_str(&said).unwrap();
    assert_eq!(answers.len(), lines.len());
    for (line, (status, output)) in lines.iter().zip(&answers) {
        // Refused, or read as words of `echo` and shown as such.
        let harmless = *status == 126 || *status == 0 && !output.contains("\ncanary");
        assert!(harmless && output != "canary\n", "{line:?}: {status} {output:?}");
    }
    assert_eq!(server.text("/srv/canary.log"), "", "reached:\n{}", server.reached());
    let refused = answers.iter().filter(|(status, _)| *status == 126).count();
    assert!(refused * 10 > lines.len() * 9, "{refused} of {}", lines.len());
}

#[test]
fn an_opaque_command_is_a_grant_of_its_own() {
    let opaque = "{ id: scripts, effect: allow, target: shop, \
                  ssh: { actions: [opaque], names: [deploy] } }";
    let world = world(&[opaque]);
    let said = world.workstation().ssh(&["echo one | tr o 0; echo two && exit 3"]);
    assert_eq!((said.status, said.output.as_str()), (Some(3), "0ne\ntwo\n"));
    // A simple command is none: it is judged by its words.
    assert_eq!(world.workstation().ssh(&["echo three"]).status, Some(126));
}

#[test]
fn shells_terminals_and_subsystems_are_refused_unless_granted() {
    let world = world(&[&allow(r#""echo **""#)]);
    let station = world.workstation();
    let said = station.run("ssh", &["-T", "web"]);
    assert_eq!(said.status, Some(126), "{said:?}");
    assert!(said.error.contains("portcullis: shell on "), "{said:?}");
    for arguments in [&["-tt", "web"][..], &["-tt", "web", "echo no"]] {
        let said = station.run("ssh", arguments);
        assert!([Some(126), Some(255)].contains(&said.status), "{arguments:?}: {said:?}");
        assert!(!said.output.contains("no\r"), "{said:?}");
    }
    // Files may be asked for; each is judged.
    let said = station.run("sh", &["-c", "echo ls /srv | sftp -b - web"]);
    assert_eq!(said.status, Some(1), "{said:?}");
    assert_eq!(station.run("ssh", &["web", "-s", "other"]).status, Some(126));
}

#[test]
fn a_subsystem_that_the_target_does_not_have_fails_as_without_a_gateway() {
    let rule = "{ id: any, effect: allow, target: shop, ssh: { actions: [subsystem] } }";
    let world = world(&[rule]);
    let direct = tests::workstation::Workstation::direct(SshServer::shared());
    let ask =
        |station: &tests::workstation::Workstation| station.run("ssh", &["-s", "web", "other"]);
    let (meant, said) = (ask(&direct), ask(&world.workstation()));
    assert_eq!(meant.status, Some(255), "{meant:?}");
    assert_eq!((said.status, &said.error), (meant.status, &meant.error), "{said:?}");
    let line = world.event("operation_decided", |line| line["kind"] == "subsystem");
    assert_eq!(line["effect"], "allow", "{line}");
}

#[test]
fn variables_pass_by_name_and_what_loads_code_never() {
    let names = "{ id: locale, effect: allow, target: shop, \
                 ssh: { actions: [env], names: [\"LC_*\", \"LD_*\", \"BASH_*\"] } }";
    let world = world(&[&allow(r#""printenv *""#), names]);
    let station = world.workstation();
    let set = ["-o", "SetEnv=LC_TEST=1 TEST_TWO=2 LD_PRELOAD=/srv/x.so BASH_ENV=/srv/x"];
    let value = |name: &str| {
        let mut arguments = set.to_vec();
        let command = format!("printenv {name}");
        arguments.extend(["web", &command]);
        station.run("ssh", &arguments).output
    };
    assert_eq!(value("LC_TEST"), "1\n");
    for name in ["TEST_TWO", "LD_PRELOAD", "BASH_ENV"] {
        assert_eq!(value(name), "", "{name}");
    }
}

fn held_world(within: &str) -> World {
    let hold = format!(
        "{{ id: restarts, effect: hold, target: shop, ssh: {{ actions: [exec, shell], \
         commands: [\"systemctl restart *\"], names: [deploy] }}, \
         approvers: {{ group: oncall, within: {within} }} }}"
    );
    world(&[&hold, "{ id: terminals, effect: allow, target: shop, ssh: { actions: [pty] } }"])
}

#[test]
fn a_held_command_waits_says_so_and_runs_once_approved() {
    let world = held_world("1m");
    let station = world.workstation();
    let mut command = station.command("ssh");
    command.args(["web", "systemctl restart held-1"]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut error = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    error.read_line(&mut line).unwrap();
    let hold = world.hold();
    assert!(line.contains("portcullis: ") && line.contains(&hold.id.to_string()), "{line}");
    assert!(!world.ssh_server().text("/srv/systemctl.log").contains("held-1"));
    world.approve(hold.id).unwrap();
    let said = tests::programs::ended(child);
    assert_eq!((said.status, said.output.as_str()), (Some(0), "systemctl: restart held-1\n"));
}

#[test]
fn a_held_command_that_is_rejected_or_expires_is_refused() {
    let world = held_world("1s");
    let station = world.workstation();
    let said = station.ssh(&["systemctl restart expired-1"]);
    assert_eq!(said.status, Some(126), "{said:?}");
    let _ = world.event("hold_ended", |line| line["end"] == "expired");
    drop(world);
    let world = held_world("1m");
    let station = world.workstation();
    let mut command = station.command("ssh");
    command.args(["web", "systemctl restart rejected-1"]);
    let child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    world.reject(world.hold().id).unwrap();
    let said = tests::programs::ended(child);
    assert_eq!(said.status, Some(126), "{said:?}");
    assert!(said.error.contains("not today"), "{}", said.error);
    let done = world.ssh_server().text("/srv/systemctl.log");
    assert!(!done.contains("expired-1") && !done.contains("rejected-1"), "{done}");
}

#[test]
fn a_hold_ends_with_its_client() {
    let world = held_world("1m");
    let station = world.workstation();
    let mut command = station.command("ssh");
    command.args(["web", "systemctl restart gone-1"]);
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let hold = world.hold();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eventually!(world.holds().is_empty(), "the hold outlives its client");
    assert!(world.approve(hold.id).is_err());
    let line = world.event("hold_ended", |line| line["hold"] == json!(hold.id));
    assert_eq!(line["end"], "cancelled");
    assert!(!world.ssh_server().text("/srv/systemctl.log").contains("gone-1"));
}

#[test]
fn opening_a_shell_can_be_held() {
    let world = held_world("1m");
    let station = world.workstation();
    let mut command = station.command("sh");
    command.args(["-c", "printf 'echo $((6*7))\\nexit 4\\n' | ssh -tt web"]);
    let child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let hold = world.hold();
    world.approve(hold.id).unwrap();
    let said = tests::programs::ended(child);
    assert_eq!(said.status, Some(4), "{said:?}");
    assert!(said.output.contains("42"), "{said:?}");
}
