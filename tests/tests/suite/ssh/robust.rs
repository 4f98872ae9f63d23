//! Sessions that are many, slow, long, or cut off.
//!
//! Owns the tries.

use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tests::assert_eventually;
use tests::sshd::SshServer;

use super::world;

const SCRIPTS: &str =
    "{ id: scripts, effect: allow, target: shop, ssh: { actions: [opaque, pty, shell] } }";

#[test]
fn a_reader_that_stalls_holds_its_server_back_and_nobody_else() {
    let world = world(&[SCRIPTS]);
    let place = SshServer::shared().fresh_place();
    let station = world.workstation();
    let mut command = station.command("ssh");
    command.args(["web", &format!("head -c 24000000 /dev/zero; touch {place}/written; echo end")]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut first = [0; 1000];
    output.read_exact(&mut first).unwrap();
    // Meanwhile another has all it wants.
    for _ in 0..3 {
        assert_eq!(station.ssh(&["echo other; true"]).success(), "other\n");
    }
    let written = world.ssh_server().srv().join(place.trim_start_matches("/srv/")).join("written");
    assert!(!written.exists(), "24 MB went somewhere");
    let rest = std::io::copy(&mut output, &mut std::io::sink()).unwrap();
    assert_eq!(rest, 24_000_000 - 1_000 + 4);
    assert!(child.wait().unwrap().success() && written.exists());
}

/// Bytes that a session which nobody reads may have on its way: windows of three legs, and pipes.
const ON_THE_WAY_MAX: u64 = 24_000_000;

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[test]
fn a_session_that_stalls_either_way_keeps_no_other_of_its_connection_waiting() {
    let world = world(&[SCRIPTS]);
    let place = SshServer::shared().fresh_place();
    let station = world.workstation();
    let path = format!("ControlPath={}", station.file("home/shared").display());
    let ssh = |more: &[&str]| {
        let mut command = station.command("ssh");
        command.args(["-o", &path]).args(more).stderr(Stdio::null());
        command
    };
    let mut master = ssh(&["-M", "-N", "web"]).spawn().unwrap();
    assert_eventually!(station.file("home/shared").exists());
    let before = resident();
    // 200 MB that nobody reads, one MB after the other.
    let script = format!(
        "for n in $(seq 200); do head -c 1000000 /dev/zero; echo x >>{place}/sent; done; true"
    );
    let mut down =
        ssh(&["web", &script]).stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
    let mut output = down.stdout.take().unwrap();
    output.read_exact(&mut [0; 1000]).unwrap();
    // And 200 MB for what reads none of it.
    let mut up = ssh(&["web", "sleep 600; true"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = up.stdin.take().unwrap();
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&taken);
    let writer = std::thread::spawn(move || {
        while counted.load(Ordering::Relaxed) < 200_000_000 && input.write_all(&[0; 10_000]).is_ok()
        {
            counted.fetch_add(10_000, Ordering::Relaxed);
        }
    });
    let settled = || {
        let at = taken.load(Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(700));
        at > 0 && taken.load(Ordering::Relaxed) == at
    };
    assert_eventually!(settled(), "the upload never stalls");
    for _ in 0..5 {
        let began = Instant::now();
        let said = tests::programs::run(ssh(&["web", "echo other; true"]).stdin(Stdio::null()));
        assert_eq!(said.success(), "other\n");
        assert!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
    }
    let sent = station_text(&world, &place, "sent").lines().count() as u64 * 1_000_000;
    assert!(sent < ON_THE_WAY_MAX, "the server has sent {sent} bytes to nobody");
    let taken = taken.load(Ordering::Relaxed);
    assert!(taken < ON_THE_WAY_MAX, "the gateway takes {taken} bytes for nobody");
    // Other tests run in this process: a bound that only what is kept for nobody exceeds.
    let grown = resident().saturating_sub(before);
    assert!(grown < 150_000_000, "{grown} bytes more are in memory");
    for child in [&mut down, &mut up, &mut master] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    writer.join().unwrap();
    assert_eventually!(world.open_connections() == 0);
}

fn station_text(world: &tests::world::World, place: &str, name: &str) -> String {
    let directory = world.ssh_server().srv().join(place.trim_start_matches("/srv/"));
    std::fs::read_to_string(directory.join(name)).unwrap_or_default()
}

#[test]
fn a_client_that_is_killed_ends_its_command_and_its_session() {
    let world = world(&[SCRIPTS]);
    let station = world.workstation();
    let mut command = station.command("ssh");
    command.args(["-tt", "web", "echo begun; sleep 600; true"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut begun = [0; 5];
    child.stdout.take().unwrap().read_exact(&mut begun).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eventually!(world.open_connections() == 0);
    let line = world.event("session_ended", |_| true);
    assert_eq!(line["cause"], "client", "{line}");
}

#[test]
fn a_session_that_is_killed_says_so_to_its_client() {
    let mut world = world(&[SCRIPTS]);
    let station = world.workstation();
    let mut command = station.command("ssh");
    command.args(["web", "echo begun; sleep 600; true"]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut begun = [0; 5];
    child.stdout.as_mut().unwrap().read_exact(&mut begun).unwrap();
    world.reload(|usual| usual.role_of("{ id: shut, effect: deny, target: shop }")).unwrap();
    let said = tests::programs::ended(child);
    assert_eq!(said.status, Some(255), "{said:?}");
    assert!(said.error.contains("policy"), "{said:?}");
    let line = world.event("session_ended", |_| true);
    assert_eq!(line["cause"], "policy_changed");
}

#[test]
fn a_terminal_is_recorded_with_its_size_and_played_back() {
    let world = world(&[SCRIPTS]);
    let station = world.workstation();
    let program = "import os, paramiko, time\n\
        client = paramiko.SSHClient()\n\
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())\n\
        client.connect('127.0.0.1', int(os.environ['PORT']), 'deploy', password='x', \
        allow_agent=False, look_for_keys=False)\n\
        shell = client.invoke_shell('xterm-256color', 100, 30)\n\
        shell.send(b'PS1=; echo $((6*7)); read line\\n')\n\
        seen = b''\n\
        while b'42' not in seen: seen += shell.recv(1000)\n\
        shell.resize_pty(132, 50)\n\
        time.sleep(0.3)\n\
        shell.send(b'\\nstty size; exit 3\\n')\n\
        while chunk := shell.recv(1000): seen += chunk\n\
        print(b'50 132' in seen, shell.recv_exit_status())\n";
    assert_eq!(station.script("python", program, "/srv/app").success(), "True 3\n");
    assert_eventually!(world.recordings().iter().any(|(report, _)| report.ok()));
    let recordings = world.recordings();
    let mut survey = gateway::recording::terminal::Survey::default();
    let (_, entries) = recordings.first().unwrap();
    for entry in entries {
        survey.entry(entry);
    }
    let screens = survey.screens();
    let [screen] = screens.as_slice() else { panic!("{screens:?}") };
    assert_eq!((screen.size.columns, screen.size.rows), (100, 30));
    assert_eq!(screen.term.as_deref(), Some("xterm-256color"));
    let mut cast = gateway::recording::terminal::Asciicast::new(screen.clone(), false);
    let lines: String = entries.iter().map(|entry| cast.entry(entry)).collect();
    assert!(lines.contains("42") && lines.contains("\"r\",\"132x50\""), "{lines}");
}
