//! Targets of SSH: what they have, what they have not, and what is said about it.

use insta::assert_snapshot;
use model::{Access, Action, Effect, Group, Object, ObjectPath, Operation, Principal, Timestamp};

use super::{errors, read};
use crate::config::{
    ClientHostKeySettings, ClientTls, HostKeySettings, SecretSource, Settings, UpstreamTlsMode,
};

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
    assert_eq!(target.client_tls, ClientTls::Refuse);
    assert_eq!(target.upstream_tls.mode, UpstreamTlsMode::Disable);
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

/// The sketch with these rules, written as a YAML list.
fn with_rules(rules: &str) -> String {
    with("rules: [{ id: in, effect: allow, target: web }]", &format!("rules: [{rules}]"))
}

fn effect(settings: &Settings, action: Action, object: Object) -> Effect {
    let who = Principal {
        workload: "deploy".into(),
        token: None,
        groups: [Group::from("deployers")].into(),
    };
    let operation = Operation {
        kind: "any".into(),
        text: "any".into(),
        accesses: [Access { action, object }].into(),
    };
    settings.policy.decide(&who, &"web".into(), &operation, Timestamp::default()).effect
}

fn command(text: &str) -> Object {
    Object::Command { words: text.split(' ').map(std::sync::Arc::from).collect() }
}

#[test]
fn rules_for_ssh_decide_as_they_say() {
    let text = with_rules(
        r#"
      { id: run, effect: allow, target: web, ssh: { actions: [exec], commands: ["ls **", "tail -n * '/var/log/*.log'"] } },
      { id: restart, effect: hold, target: web, ssh: { actions: [exec], commands: [systemctl restart app] }, approvers: { group: oncall } },
      { id: files, effect: allow, target: web, ssh: { actions: [read, list], paths: ["/srv/app/**"] } },
      { id: reach, effect: allow, target: web, ssh: { actions: [forward], destinations: ["[fd00::5]:5432"] } },
      { id: names, effect: allow, target: web, ssh: { actions: [env, shell], names: ["LC_*", deploy] } }"#,
    );
    let settings = settings(&text);
    let effect = |action, object| effect(&settings, action, object);
    let file = |path: &str| Object::File { path: path.into() };
    assert_eq!(effect(Action::Exec, command("ls -l")), Effect::Allow);
    assert_eq!(effect(Action::Exec, command("rm x")), Effect::Deny);
    assert_eq!(effect(Action::Exec, command("tail -n 5 /var/log/*.log")), Effect::Allow);
    assert_eq!(effect(Action::Exec, command("tail -n 5 /var/log/a.log")), Effect::Deny);
    assert_eq!(effect(Action::Exec, command("systemctl restart app")), Effect::Hold);
    assert_eq!(effect(Action::Read, file("/srv/app/a")), Effect::Allow);
    assert_eq!(effect(Action::Write, file("/srv/app/a")), Effect::Deny);
    let endpoint = Object::Endpoint { host: "fd00::5".into(), port: 5432 };
    assert_eq!(effect(Action::Forward, endpoint), Effect::Allow);
    let variable = |name: &str| Object::Named { kind: "variable", path: ObjectPath::new([name]) };
    assert_eq!(effect(Action::Env, variable("LC_ALL")), Effect::Allow);
    assert_eq!(effect(Action::Env, variable("PATH")), Effect::Deny);
}

#[test]
fn every_error_of_a_rule_for_ssh_is_reported_in_one_run() {
    let unread = with_rules(
        r#"
      { id: a, effect: allow, target: web, ssh: { actions: [exec], commands: ["ls; rm x", "**", "", "ls $HOME"] } },
      { id: b, effect: allow, target: web, ssh: { actions: [read, open], paths: [srv, "/srv/", "/srv/../x"] } },
      { id: c, effect: allow, target: web, ssh: { actions: [forward], destinations: [db, "db:0"] } },
      { id: d, effect: allow, target: web, ssh: { actions: [env], names: [""] } },
      { id: e, effect: allow, target: web, ssh: { actions: [exec], comands: [ls] } },
      { id: f, effect: allow, target: web, ssh: { actions: [exec] }, sql: { actions: [select] } }"#,
    );
    assert_snapshot!("unread", errors(&unread));
    let idle = with_rules(
        r#"
      { id: a, effect: allow, target: web, ssh: { actions: [exec], paths: ["/srv/**"] } },
      { id: b, effect: allow, target: web, ssh: { actions: [exec, select], commands: [ls] } },
      { id: c, effect: allow, target: web, sql: { actions: [select] } },
      { id: d, effect: allow, target: web, ssh: { actions: [exec, read], commands: ["scp -f x"] } }"#,
    );
    assert_snapshot!("idle", errors(&idle));
}

#[test]
fn classified_files_need_no_mask_and_columns_do() {
    let classified = |text: &str| format!("{SKETCH}classification: [{text}]\n");
    assert!(read(&classified(r#"{ tag: pii, target: web, paths: ["/srv/exports/**"] }"#)).is_ok());
    assert_snapshot!(
        "classified",
        errors(&classified(
            r#"{ tag: a, detect: email }, { tag: b, target: web, columns: ["*.email"], mask: redact }, { tag: c, paths: [exports] }"#
        ))
    );
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
