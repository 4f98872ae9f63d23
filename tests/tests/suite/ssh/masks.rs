//! Masking of output: whatever way the bytes are cut, in terminals and without, and never in files.
//!
//! Owns the tries. What the server prints has values that no workload may see.

use tests::sshd::{DEPLOY, RAW_VALUES};
use tests::world::text_of;

use super::{allow, world};

const SCRIPTS: &str =
    "{ id: scripts, effect: allow, target: shop, ssh: { actions: [opaque, pty, shell] } }";

fn has_no_raw(text: &str) {
    for raw in RAW_VALUES {
        assert!(!text.contains(raw), "{raw} in {text}");
    }
}

#[test]
fn output_is_masked_and_the_rest_is_as_it_was() {
    let world = world(&[&allow(r#""cat /srv/app/log/*""#)]);
    let shown = world.workstation().ssh(&["cat /srv/app/log/app.log"]).success();
    has_no_raw(&shown);
    let raw = world.ssh_server().text("/srv/app/log/app.log");
    assert_eq!(shown.lines().count(), raw.lines().count());
    for (shown, raw) in shown.lines().zip(raw.lines()) {
        if RAW_VALUES.iter().any(|value| raw.contains(value)) {
            assert!(shown.contains('*') || shown.contains('X'), "{shown}");
        } else {
            assert_eq!(shown, raw);
        }
    }
    assert!(shown.contains("5554444") || shown.contains("4444"), "the last four stay: {shown}");
}

#[test]
fn a_value_in_pieces_is_masked_in_a_terminal_and_without() {
    let world = world(&[SCRIPTS]);
    let station = world.workstation();
    let pieces = "printf 55555555; sleep .2; printf 5555; sleep .2; printf 4444; sleep .2; \
                  printf ' customer1@mai'; sleep .2; echo l.example; printf 5555 >&2; sleep .1; \
                  echo 555555554444 >&2";
    for terminal in ["-T", "-tt"] {
        let said = station.run("ssh", &["-q", terminal, "web", pieces]);
        assert_eq!(said.status, Some(0), "{said:?}");
        has_no_raw(&said.everything());
        assert!(said.everything().contains("4444"), "{said:?}");
    }
}

#[test]
fn a_prompt_is_not_held_back() {
    let world = world(&[SCRIPTS]);
    // Each question is answered once it is seen; nothing follows it until then.
    let program = "import os, pty, sys\n\
        child, end = pty.fork()\n\
        if child == 0:\n    os.execvp('ssh', ['ssh', '-q', '-tt', 'web', \
        'printf \"name 4111? \"; read name; printf \"mail a@? \"; read mail; echo $name+$mail'])\n\
        seen = b''\n\
        for question, answer in ((b'name 4111? ', b'x\\n'), (b'mail a@? ', b'y\\n')):\n    \
        while question not in seen:\n        seen += os.read(end, 1000)\n    \
        os.write(end, answer)\n\
        while True:\n    \
        try:\n        seen += os.read(end, 1000)\n    \
        except OSError:\n        break\n\
        print(b'x+y' in seen)\n";
    let said = world.workstation().script("python", program, "/srv/app");
    assert_eq!(said.success(), "True\n");
}

#[test]
fn transfers_are_never_changed_and_refused_where_content_must_be_masked() {
    let files = "{ id: files, effect: allow, target: shop, \
                 ssh: { actions: [read, list, write, attributes], paths: [\"/srv/app/**\"] } }";
    let subsystem =
        "{ id: sftp, effect: allow, target: shop, ssh: { actions: [subsystem], names: [sftp] } }";
    let world = world(&[files, subsystem]);
    let station = world.workstation();
    let _ = station.run("scp", &["-q", "web:/srv/app/log/app.log", "copied"]).success();
    let copied = std::fs::read_to_string(station.home().join("copied")).unwrap();
    assert_eq!(copied, world.ssh_server().text("/srv/app/log/app.log"));
    let closed = tests::world::World::with(world.ssh_server(), |usual| {
        let mut usual = super::role(usual, &[files, subsystem]);
        usual
            .classification
            .push_str("  - { tag: logs, target: shop, paths: [\"/srv/app/log/**\"] }\n");
        usual
    });
    let station = closed.workstation();
    for protocol in ["-s", "-O"] {
        let said = station.run("scp", &["-q", protocol, "web:/srv/app/log/app.log", "copied"]);
        assert_ne!(said.status, Some(0), "{said:?}");
        let said = station.run("scp", &["-q", protocol, "web:/srv/app/notes.txt", "notes"]);
        assert_eq!(said.status, Some(0), "{said:?}");
    }
}

#[test]
fn recordings_and_logs_hold_nothing_raw_and_no_credential() {
    let world = world(&[SCRIPTS, &allow(r#""cat /srv/app/log/*""#)]);
    let station = world.workstation();
    let _ = station.ssh(&["cat /srv/app/log/app.log"]).success();
    let said = station.run("ssh", &["-q", "-tt", "web", "cat /srv/app/log/app.log; echo end"]);
    assert!(said.output.contains("end"), "{said:?}");
    let _ = station.script(
        "bash",
        "SSHPASS=$PASSWORD sshpass -e ssh -o BatchMode=no \
        -o PubkeyAuthentication=no web 'cat /srv/app/log/app.log' </dev/null",
        "/srv/app",
    );
    tests::assert_eventually!(world.recordings().len() == 3);
    tests::assert_eventually!(world.recordings().iter().all(|(report, _)| report.ok()));
    let recorded: String = world.recordings().iter().map(|(_, all)| text_of(all)).collect();
    has_no_raw(&recorded);
    assert!(recorded.contains("retry for"), "the output is in it: {recorded}");
    let key = std::fs::read_to_string(world.ssh_server().gateway_key_file()).unwrap();
    let secret = key.lines().nth(3).unwrap();
    let written = world.everything_written();
    for canary in [DEPLOY.password, secret] {
        assert!(!written.contains(canary), "{canary}");
    }
}
