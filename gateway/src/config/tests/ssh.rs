//! Targets of SSH: what they have, what they have not, and what is said about it.

use insta::assert_snapshot;

use super::{errors, read};
use crate::config::{ClientHostKeySettings, HostKeySettings, SecretSource, Settings};

const SKETCH: &str = r#"
govern: host
workloads:
  - { name: deploy, match: { cgroup: /deploy }, groups: [deployers] }
targets:
  - name: web
    protocol: ssh
    addresses: ["10.0.7.1:22"]
    users: [deploy]
    host_keys: { known_hosts: /etc/portcullis/known_hosts }
    credential: { private_key: { file: /etc/portcullis/secrets/web }, certificate: { file: /etc/portcullis/web-cert.pub } }
roles:
  - { name: deployer, groups: [deployers], rules: [{ id: in, effect: allow, target: web }] }
"#;

fn with(part: &str, otherwise: &str) -> String {
    assert!(SKETCH.contains(part), "{part}");
    SKETCH.replacen(part, otherwise, 1)
}

fn settings(text: &str) -> Settings {
    read(text).map_err(|errors| errors.to_string()).unwrap()
}

#[test]
fn a_target_of_ssh_has_strict_defaults() {
    let settings = settings(SKETCH);
    let target = &settings.targets[0];
    let ssh = target.ssh.as_ref().unwrap();
    assert_eq!(ssh.users, ["deploy".into()]);
    assert!(ssh.strict_paths);
    assert_eq!(ssh.client_host_key, ClientHostKeySettings::Certificate);
    let known = HostKeySettings::KnownHosts("/etc/portcullis/known_hosts".into());
    assert_eq!(ssh.upstream_host_keys, known);
    assert_eq!(target.credential.user, None);
    let key = SecretSource::File("/etc/portcullis/secrets/web".into());
    assert_eq!(target.credential.private_key, Some(key));
    let certificate = target.credential.certificate.as_deref();
    assert_eq!(certificate, Some(std::path::Path::new("/etc/portcullis/web-cert.pub")));
}

#[test]
fn host_keys_of_each_kind_are_read() {
    let text = with(
        "host_keys: { known_hosts: /etc/portcullis/known_hosts }",
        "host_keys: { certificate_authority: /etc/portcullis/ca.pub }\n    \
         client_host_key: { enrolled: [/etc/portcullis/web_ed25519, /etc/portcullis/web_rsa] }\n    \
         sftp_paths: lexical",
    );
    let ssh = settings(&text).targets[0].ssh.clone().unwrap();
    assert!(!ssh.strict_paths);
    let authority = HostKeySettings::CertificateAuthority("/etc/portcullis/ca.pub".into());
    assert_eq!(ssh.upstream_host_keys, authority);
    let ClientHostKeySettings::Enrolled(files) = ssh.client_host_key else { panic!() };
    assert_eq!(files.len(), 2);
    let text = with("users: [deploy]", "client_host_key: certificate");
    let ssh = settings(&text).targets[0].ssh.clone().unwrap();
    assert_eq!(ssh.client_host_key, ClientHostKeySettings::Certificate);
    assert!(ssh.users.is_empty());
}

#[test]
fn every_error_of_a_target_of_ssh_is_reported_in_one_run() {
    assert_snapshot!(errors(include_str!("ssh.yaml")));
}

#[test]
fn the_files_of_a_target_of_ssh_are_looked_for() {
    let text = with("users: [deploy]", "client_host_key: { enrolled: [/etc/portcullis/host] }");
    let missing = settings(&text).check_files(|_| false).unwrap_err().to_string();
    for what in ["known hosts", "the host key", "the private key", "the certificate"] {
        assert!(missing.contains(&format!("the file of {what}")), "{what}: {missing}");
    }
    assert_eq!(settings(&text).check_files(|_| false).unwrap_err().0.len(), 4);
}

#[test]
fn no_error_shows_what_stands_where_a_private_key_should() {
    let good = "private_key: { file: /etc/portcullis/secrets/web }";
    for otherwise in [
        "private_key: canary-7f3a",
        "private_key: { value: canary-7f3a }",
        "private_key: { file: canary-7f3a }",
        "private_key: |\n      canary-7f3a\n    #",
    ] {
        let text = with(good, otherwise);
        let refused = read(&text).unwrap_err();
        let json = serde_json::to_string(&refused).unwrap();
        assert!(!refused.to_string().contains("canary"), "{otherwise}: {refused}");
        assert!(!json.contains("canary"), "{otherwise}: {json}");
    }
}
