//! Unchanged clients, each run straight to the server and through the gateway: they print the same.
//!
//! Owns the comparison. The workload may do everything here; what is refused is tried elsewhere.

use tests::programs::Said;
use tests::sshd::SshServer;
use tests::workstation::Workstation;
use tests::world::{Configuration, World};

const OPENSSH: &str = include_str!("clients/openssh.sh");
const COPIES: &str = include_str!("clients/copies.sh");
const SHARING: &str = include_str!("clients/sharing.sh");
const FORWARDS: &str = include_str!("clients/forwards.sh");
const FORWARDS_PY: &str = include_str!("clients/forwards.py");
const OTHERS: &str = include_str!("clients/others.sh");
const PARAMIKO: &str = include_str!("clients/paramiko.py");
const ASYNCSSH: &str = include_str!("clients/asyncssh.py");
const SSH2: &str = include_str!("clients/ssh2.py");
const ANSIBLE: &str = include_str!("clients/ansible.sh");

fn open_world(change: impl FnOnce(Configuration) -> Configuration) -> World {
    let open = |usual: Configuration| change(usual.everything_allowed().classification(""));
    World::with(SshServer::shared(), open)
}

/// For clients that know no certificates of hosts: the gateway shows the server's own keys.
fn enrolled_world() -> World {
    let files: Vec<String> = SshServer::shared()
        .host_key_files()
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let line = format!("client_host_key: {{ enrolled: [{}] }}", files.join(", "));
    open_world(|open| open.target_key(&line))
}

fn run(station: &Workstation, interpreter: &str, text: &str) -> (Vec<String>, Said) {
    let place = SshServer::shared().fresh_place();
    let said = station.script(interpreter, text, &place);
    let name = place.rsplit('/').next().expect("a name");
    let lines = said.everything().lines().map(|line| line.replace(name, "PLACE")).collect();
    (lines, said)
}

/// Runs it both ways and compares all that it prints.
fn same(world: &World, interpreter: &str, text: &str) -> Vec<String> {
    let (meant, direct) = run(&Workstation::direct(SshServer::shared()), interpreter, text);
    let (shown, through) = run(&world.workstation(), interpreter, text);
    let other = shown.iter().zip(&meant).find(|(shown, meant)| shown != meant);
    let all =
        format!("through the gateway:\n{}\ndirect:\n{}", through.everything(), direct.everything());
    assert_eq!(other, None, "through the gateway, and direct\n{all}");
    assert_eq!(shown.len(), meant.len(), "{all}");
    assert_eq!(through.status, direct.status, "{all}");
    meant
}

fn ends_well(lines: &[String]) {
    assert_eq!(lines.last().map(String::as_str), Some("done"), "{lines:#?}");
}

#[test]
fn openssh_prints_the_same() {
    let lines = same(&open_world(|open| open), "bash", OPENSSH);
    assert!(lines.len() > 30 && lines.contains(&"a terminal".to_owned()), "{lines:#?}");
}

#[test]
fn scp_sftp_rsync_and_git_print_the_same_and_leave_the_same() {
    let lines = same(&open_world(|open| open), "bash", COPIES);
    assert!(lines.contains(&"the same".to_owned()), "{lines:#?}");
}

#[test]
fn sessions_that_share_a_connection_print_the_same() {
    let lines = same(&open_world(|open| open), "bash", SHARING);
    assert!(lines.contains(&"5".to_owned()), "{lines:#?}");
}

#[test]
fn forwards_jumps_and_agents_print_the_same() {
    let lines = same(&open_world(|open| open), "bash", FORWARDS);
    assert!(lines.contains(&"through a jump".to_owned()), "{lines:#?}");
}

#[test]
fn forwards_of_python_clients_print_the_same() {
    ends_well(&same(&enrolled_world(), "python", FORWARDS_PY));
}

#[test]
fn clients_of_other_families_print_the_same() {
    let lines = same(&enrolled_world(), "bash", OTHERS);
    assert!(lines.contains(&"plink".to_owned()), "{lines:#?}");
}

#[test]
fn paramiko_prints_the_same() {
    let strict = PARAMIKO.replace("AutoAddPolicy", "RejectPolicy");
    ends_well(&same(&enrolled_world(), "python", &strict));
    ends_well(&same(&open_world(|open| open), "python", PARAMIKO));
}

#[test]
fn asyncssh_prints_the_same() {
    ends_well(&same(&enrolled_world(), "python", ASYNCSSH));
}

#[test]
fn ssh2_prints_the_same() {
    ends_well(&same(&enrolled_world(), "python", SSH2));
}

#[test]
fn ansible_prints_the_same_with_and_without_pipelining() {
    let lines = same(&open_world(|open| open), "bash", ANSIBLE);
    assert!(lines.iter().any(|line| line.contains("43")), "{lines:#?}");
}
