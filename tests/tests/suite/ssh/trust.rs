//! Who is who: the gateway to its clients, the server to the gateway, the gateway to the server.
//!
//! Owns the tries.

use tests::sshd::{DEPLOY, SshServer};
use tests::world::World;

use super::{allow, role};

fn world(change: impl FnOnce(tests::world::Configuration) -> tests::world::Configuration) -> World {
    World::with(SshServer::shared(), |usual| {
        change(role(usual, &[&allow(r#""echo **", "id **""#)]))
    })
}

#[test]
fn a_client_that_does_not_trust_the_gateway_is_noticed_with_what_to_do() {
    let world = world(|usual| usual);
    let said = world.workstation_without_trust().ssh(&["echo no"]);
    assert_eq!(said.status, Some(255), "{said:?}");
    assert!(said.error.contains("REMOTE HOST IDENTIFICATION HAS CHANGED"), "{}", said.error);
    let line = world.event("host_key_refused", |_| true);
    assert!(line.to_string().contains("portcullis trust ssh"), "{line}");
    assert!(line.to_string().contains("OpenSSH"), "{line}");
}

#[test]
fn the_users_known_hosts_is_left_as_it_was() {
    let world = world(|usual| usual);
    let station = world.workstation();
    let known = station.home().join(".ssh/known_hosts");
    let before = std::fs::read_to_string(&known).unwrap();
    for checking in ["yes", "accept-new", "ask"] {
        let option = format!("StrictHostKeyChecking={checking}");
        let said =
            station.run("ssh", &["-o", &option, "-o", "UpdateHostKeys=yes", "web", "echo fine"]);
        assert_eq!((said.status, said.error.as_str()), (Some(0), ""), "{checking}: {said:?}");
    }
    assert_eq!(std::fs::read_to_string(&known).unwrap(), before);
}

#[test]
fn a_server_whose_key_is_not_the_pinned_one_is_never_logged_in_to() {
    let other = SshServer::apart("other-key", "");
    let mine = SshServer::shared();
    // The keys of another server, under this one's address.
    let pinned = std::fs::read_to_string(other.known_hosts_file())
        .unwrap()
        .replace(&format!(":{} ", other.port()), &format!(":{} ", mine.port()));
    let file = other.file("pinned");
    std::fs::write(&file, pinned).unwrap();
    let keys = format!("{{ known_hosts: {} }}", file.display());
    let world = world(|usual| usual.host_keys(&keys).host_credential(&password()));
    let said = world.workstation().ssh(&["echo no"]);
    assert_ne!(said.status, Some(0), "{said:?}");
    assert!(said.everything().contains("portcullis"), "{said:?}");
    let line = world.event("upstream_failed", |_| true);
    assert!(line.to_string().contains("host key"), "{line}");
}

fn password() -> String {
    let file = SshServer::shared().file("password");
    std::fs::write(&file, DEPLOY.password).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    format!("{{ user: deploy, password: {{ file: {} }} }}", file.display())
}

#[test]
fn the_gateway_logs_in_with_keys_a_certificate_or_a_password() {
    let server = SshServer::shared();
    let file = |name: &str| server.file(name).display().to_string();
    let credentials = [
        format!("{{ private_key: {{ file: {} }} }}", file("gateway_key")),
        format!("{{ private_key: {{ file: {} }} }}", file("gateway_rsa_key")),
        format!(
            "{{ private_key: {{ file: {} }}, certificate: {{ file: {} }} }}",
            file("certified_key"),
            file("certified_key-cert.pub")
        ),
        password(),
    ];
    for credential in credentials {
        let world = world(|usual| usual.host_credential(&credential));
        assert_eq!(world.workstation().ssh(&["id -un"]).success(), "deploy\n", "{credential}");
    }
}

#[test]
fn a_login_that_is_not_the_targets_is_refused() {
    let world = world(|usual| usual.target_key("users: [deploy]"));
    let station = world.workstation();
    assert_eq!(station.ssh(&["id -un"]).success(), "deploy\n");
    let said = station.run("ssh", &["-l", "admin", "web", "id -un"]);
    assert_ne!(said.status, Some(0), "{said:?}");
    assert!(said.everything().contains("portcullis"), "{said:?}");
}

#[test]
fn whatever_a_client_offers_is_taken_and_what_it_offers_goes_nowhere() {
    let world = world(|usual| usual);
    let station = world.workstation();
    let offers = "import os, paramiko\n\
        for how in (dict(password='canary-offered-0c1d'), dict(pkey=paramiko.RSAKey.generate(2048)), \
        dict(pkey=paramiko.ECDSAKey.generate())):\n    \
        client = paramiko.SSHClient()\n    \
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())\n    \
        client.connect('127.0.0.1', int(os.environ['PORT']), 'deploy', allow_agent=False, \
        look_for_keys=False, **how)\n    \
        print(client.exec_command('id -un')[1].read().decode(), end='')\n    \
        client.close()\n";
    assert_eq!(station.script("python", offers, "/srv/app").success(), "deploy\ndeploy\ndeploy\n");
    assert!(!world.everything_written().contains("canary-offered-0c1d"));
    assert!(!world.ssh_server().log().contains("canary-offered-0c1d"));
}
