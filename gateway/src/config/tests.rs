//! The configuration from the outside: what is read, and every error that people see.

mod http;
mod kubernetes;
mod ssh;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use insta::assert_snapshot;
use model::{Effect, Group, Operation, Principal, Timestamp};

use super::{
    ConfigErrors, ConfigFile, Enforcement, Govern, Governed, JwksSource, OnRecordingFailure,
    Settings, TargetAddress, UpstreamTlsMode, WorkloadIdentity,
};

/// The sketch of the design, as it stands there but for the choice in `jwks`.
const SKETCH: &str = r#"
govern: [{ systemd_unit: nightly-report.service }, { cgroup: /automation.slice }]   # or `host`: everybody but the gateway
unlisted_destinations: allow            # allow (counted per workload) | deny: what governed tasks may reach beside targets
workloads:
  - name: nightly-report
    match: { systemd_unit: nightly-report.service, executable: /usr/bin/psql }
    token: { provider: corp, file: /run/credentials/nightly-report/token }   # optional
    groups: [report-generator-readonly]                                       # for workloads without a token
identity_providers:
  - { name: corp, issuer: https://idp.example, audience: portcullis, groups_claim: groups, jwks: { file: /etc/portcullis/corp.jwks } }
targets:
  - name: analytics
    protocol: postgres
    addresses: [10.0.5.10:5432]
    environment: prod
    upstream_tls: verify-full
    credential: { user: report_ro, password: { file: /etc/portcullis/secrets/analytics } }
roles:
  - name: report-reader
    groups: [report-generator-readonly]
    rules:
      - { id: read-analytics, effect: allow, target: analytics, sql: { actions: [select], objects: ["analytics.*"] } }
      - { id: no-dml,         effect: deny,  target: analytics, sql: { actions: [insert, update, delete, merge, truncate] } }
      - { id: drop-needs-human, effect: hold, target: analytics, sql: { actions: [drop] }, approvers: { group: oncall, count: 1, within: 10m } }
classification:
  - { tag: pii.email, target: analytics, columns: ["*.users.email"], mask: partial }
  - { tag: pci.pan, detect: payment_card, mask: last4 }
"#;

fn file(name: &str, text: &str) -> ConfigFile {
    ConfigFile { path: PathBuf::from(name), text: text.to_owned() }
}

fn read(text: &str) -> Result<Settings, ConfigErrors> {
    Settings::parse(&[file("portcullis.yaml", text)])
}

fn errors(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

/// The sketch with one part of it written otherwise.
fn sketch_with(part: &str, otherwise: &str) -> String {
    assert!(SKETCH.contains(part), "{part}");
    SKETCH.replacen(part, otherwise, 1)
}

#[test]
fn the_sketch_of_the_design_is_read_as_it_stands() {
    let settings = read(SKETCH).map_err(|errors| errors.to_string()).unwrap();
    assert_eq!(
        settings.govern,
        Govern::Parts(vec![
            Governed::SystemdUnit("nightly-report.service".to_owned()),
            Governed::Cgroup("/automation.slice".to_owned()),
        ])
    );
    let workload = &settings.workloads[0];
    assert_eq!(workload.matching.executable.as_deref(), Some(Path::new("/usr/bin/psql")));
    assert!(
        matches!(&workload.identity, WorkloadIdentity::Token { provider, .. } if provider == "corp")
    );
    let target = &settings.targets[0];
    let address: SocketAddr = "10.0.5.10:5432".parse().unwrap();
    assert_eq!(target.addresses, [TargetAddress::Ip(address)]);
    assert_eq!(target.upstream_tls.mode, UpstreamTlsMode::VerifyFull);
    assert_eq!(target.enforcement, Enforcement::Enforce);
    assert_eq!(target.on_recording_failure, OnRecordingFailure::Deny);
    assert_eq!(settings.identity_providers[0].audiences, ["portcullis"]);
    assert_eq!(settings.state_directory, Path::new("/var/lib/portcullis"));
    assert_eq!(settings.limits, model::Limits::default());
}

#[test]
fn the_policy_of_the_sketch_decides_as_it_says() {
    let settings = read(SKETCH).unwrap();
    let who = Principal {
        workload: "nightly-report".into(),
        token: None,
        groups: [Group::from("report-generator-readonly")].into(),
    };
    let standing = settings.policy.standing(&who, &"analytics".into());
    let decide = |action| {
        let object = model::Object::Relation {
            path: model::ObjectPath::new(["analytics", "public", "users"]),
            columns: model::Columns::All,
        };
        let operation = Operation {
            kind: "any".into(),
            text: "any".into(),
            accesses: [model::Access { action, object }].into(),
        };
        standing.decide(&operation, Timestamp::default())
    };
    assert_eq!(decide(model::Action::Select).effect, Effect::Allow);
    assert_eq!(decide(model::Action::Delete).effect, Effect::Deny);
    let held = decide(model::Action::Drop);
    assert_eq!(held.effect, Effect::Hold);
    assert_eq!(held.approvals[0].within, Duration::from_secs(600));
    assert_eq!(standing.masks().columns.len() + standing.masks().detectors.len(), 2);
}

#[test]
fn every_error_of_a_badly_broken_file_is_reported_in_one_run() {
    let broken = include_str!("tests/broken.yaml");
    assert_snapshot!(errors(broken));
}

#[test]
fn the_errors_of_all_files_are_reported_and_lists_are_joined() {
    let more = "targets:\n- { name: crm, protocol: postgres, addresses: ['db.example'], credential: { user: a } }\n";
    let files = [file("a.yaml", SKETCH), file("b.yaml", more), file("c.yaml", "targets: [\n")];
    assert_snapshot!(Settings::parse(&files).unwrap_err());
    let roles =
        "roles:\n- { name: r, groups: [g], rules: [{ id: x, effect: allow, target: crm }] }\n";
    let more = more.replace("db.example", "db.example:5432");
    let files = [file("a.yaml", SKETCH), file("b.yaml", &more), file("c.yaml", roles)];
    let settings = Settings::parse(&files).unwrap();
    assert_eq!(settings.targets.len(), 2);
    assert_eq!(settings.policy.roles().count(), 2);
}

#[test]
fn a_key_that_is_no_list_stands_in_one_file_only() {
    let files = [file("a.yaml", SKETCH), file("b.yaml", "\nunlisted_destinations: deny\n")];
    assert_snapshot!(Settings::parse(&files).unwrap_err(), @r"
    error: the key is set in another file already, at a.yaml:3
      --> b.yaml:2:1
      key:    unlisted_destinations
      remedy: only lists can be spread over several files

    1 error
    ");
}

#[test]
fn an_error_of_a_rule_stands_where_the_rule_stands() {
    let broken = sketch_with(
        "target: analytics, sql: { actions: [drop] }",
        "target: analitics, sql: { actions: [drop] }",
    );
    assert_snapshot!(errors(&broken), @r"
    error: rule drop-needs-human of role report-reader: there is no target analitics
      --> portcullis.yaml:24:9
      key:    roles[0].rules[2]
      remedy: did you mean analytics?

    1 error
    ");
}

#[test]
fn no_error_shows_what_stands_where_a_secret_should() {
    for (part, otherwise) in [
        ("password: { file: /etc/portcullis/secrets/analytics }", "password: canary-7f3a"),
        (
            "password: { file: /etc/portcullis/secrets/analytics }",
            "password: { value: canary-7f3a }",
        ),
        (
            "password: { file: /etc/portcullis/secrets/analytics }",
            "password: { file: canary-7f3a }",
        ),
        ("password: { file: /etc/portcullis/secrets/analytics }", "password: [canary-7f3a]"),
        ("password: { file: /etc/portcullis/secrets/analytics }", "pasword: canary-7f3a"),
        ("credential: { user: report_ro", "credential: canary-7f3a #"),
        (
            "token: { provider: corp, file: /run/credentials/nightly-report/token }",
            "token: canary-7f3a",
        ),
    ] {
        let refused = read(&sketch_with(part, otherwise)).unwrap_err();
        let json = serde_json::to_string(&refused).unwrap();
        assert!(!refused.to_string().contains("canary"), "{otherwise}: {refused}");
        assert!(!json.contains("canary"), "{otherwise}: {json}");
    }
}

#[test]
fn a_part_that_was_refused_never_becomes_one_that_is_not_there() {
    // Each of these would widen what is allowed or who matches if the refused part were dropped.
    for (part, otherwise) in [
        ("objects: [\"analytics.*\"]", "objects: [\"analytics.\"]"),
        ("executable: /usr/bin/psql", "executable: psql"),
        ("upstream_tls: verify-full", "upstream_tls: none"),
        ("mask: partial", "mask: some"),
        ("effect: deny", "effect: denied"),
        ("token: { provider: corp,", "token: { provider: crop,"),
        ("unlisted_destinations: allow", "unlisted_destinations: denied"),
    ] {
        assert!(read(&sketch_with(part, otherwise)).is_err(), "{otherwise}");
    }
}

#[test]
fn the_mask_null_needs_no_quotes() {
    // To YAML it is no word; to us it is.
    let settings = read(&sketch_with("mask: partial", "mask: null")).unwrap();
    let who = Principal {
        workload: "nightly-report".into(),
        token: None,
        groups: [Group::from("report-generator-readonly")].into(),
    };
    let standing = settings.policy.standing(&who, &"analytics".into());
    assert_eq!(standing.masks().columns[0].transform, model::Transform::Null);
    assert!(read(&sketch_with("effect: deny", "effect: null")).is_err());
}

#[test]
fn referenced_files_are_looked_for_through_a_closure() {
    let settings = read(SKETCH).unwrap();
    assert!(settings.check_files(|_| true).is_ok());
    let missing = settings.check_files(|path| path.ends_with("corp.jwks")).unwrap_err();
    assert_snapshot!(missing, @r"
    error: the file of the password does not exist
      --> portcullis.yaml:17:54
      key:    targets[0].credential.password.file
      value:  /etc/portcullis/secrets/analytics
      remedy: create the file, or correct its path

    1 error
    ");
}

#[test]
fn the_files_of_trust_are_read_and_looked_for() {
    let text = sketch_with(
        "upstream_tls: verify-full",
        "upstream_tls: { mode: verify-full, ca: /etc/ca, client_certificate: { certificate: /etc/own.pem, key: /etc/own.key } }",
    );
    let text =
        text.replacen("file: /etc/portcullis/corp.jwks", "url: https://i/k, ca: /etc/idp", 1);
    let settings = read(&text).map_err(|errors| errors.to_string()).unwrap();
    let own = settings.targets[0].upstream_tls.client_certificate.as_ref().unwrap();
    assert_eq!(own.certificate, Path::new("/etc/own.pem"));
    assert_eq!(own.key, Path::new("/etc/own.key"));
    let keys = JwksSource::Url { url: "https://i/k".into(), authorities: Some("/etc/idp".into()) };
    assert_eq!(settings.identity_providers[0].jwks, keys);
    let missing = settings.check_files(|_| false).unwrap_err().0;
    let missing: Vec<&str> = missing.iter().map(|error| error.key.as_str()).collect();
    assert_eq!(
        missing,
        [
            "identity_providers[0].jwks.ca",
            "targets[0].upstream_tls.ca",
            "targets[0].upstream_tls.client_certificate.certificate",
            "targets[0].upstream_tls.client_certificate.key",
            "targets[0].credential.password.file",
        ]
    );
}

#[test]
fn trust_that_cannot_hold_is_refused() {
    let jwks = "file: /etc/portcullis/corp.jwks";
    let tls = "upstream_tls: verify-full";
    for (part, otherwise, reason) in [
        (jwks, "", "the keys are nowhere"),
        (jwks, "file: /a, url: https://i/k", "the keys are in a file already"),
        (jwks, "file: /a, ca: /b", "nobody is asked for keys in a file"),
        (jwks, "url: https://i/k, ca: b", "not an absolute path"),
        (tls, "upstream_tls: verify-ca", "any public authority"),
        (tls, "upstream_tls: { mode: verify-ca }", "any public authority"),
        (
            tls,
            "upstream_tls: { mode: disable, client_certificate: { certificate: /a, key: /b } }",
            "there is no TLS in this mode",
        ),
        (
            tls,
            "upstream_tls: { mode: verify-full, client_certificate: { certificate: /a } }",
            "key",
        ),
    ] {
        let told = errors(&sketch_with(part, otherwise));
        assert!(told.contains(reason) && told.ends_with("1 error"), "{otherwise}: {told}");
    }
}

#[test]
fn an_upstream_that_is_not_verified_is_warned_of() {
    let warnings = |text: &str| {
        let warnings = read(text).unwrap().warnings;
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(warnings(SKETCH), [""; 0]);
    let require = sketch_with("upstream_tls: verify-full", "upstream_tls: require");
    assert_snapshot!(warnings(&require).join("\n"), @r"
    warning: the upstream is not verified: whoever stands on the way can answer in its place
      --> portcullis.yaml:16:19
      key:    targets[0].upstream_tls
      value:  require
      remedy: write verify-full, with the server's authority as ca
    ");
    let disable = sketch_with("upstream_tls: verify-full", "upstream_tls: disable");
    assert_snapshot!(warnings(&disable).join("\n"), @r"
    warning: the upstream is neither verified nor is anything encrypted
      --> portcullis.yaml:16:19
      key:    targets[0].upstream_tls
      value:  disable
      remedy: write verify-full, with the server's authority as ca
    ");
    let local = disable.replacen("10.0.5.10:5432", "127.0.0.1:5432", 1);
    assert_eq!(warnings(&local), [""; 0]);
}

#[test]
fn what_is_no_configuration_is_refused_as_a_whole() {
    for text in
        ["", "# nothing\n", "just text", "- a\n- list\n", "a: &x [*x]\n", "a: 1\n---\nb: 2\n"]
    {
        assert!(read(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_file_made_to_exhaust_the_reader_is_refused() {
    let nested = format!("targets: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let maps =
        (0..20_000).map(|depth| format!("{}a:\n", " ".repeat(depth % 500))).collect::<String>();
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", alias.trim_end_matches(", ")));
    }
    for text in [nested, maps, bomb] {
        let started = std::time::Instant::now();
        assert!(read(&text).is_err());
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn a_directory_is_read_in_the_order_of_its_names() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("10-all.yaml"), SKETCH).unwrap();
    std::fs::write(directory.path().join(".20-hidden.yaml"), "nonsense: 1").unwrap();
    std::fs::write(directory.path().join("30-note.txt"), "nonsense").unwrap();
    assert!(Settings::load(directory.path()).is_ok());
    std::fs::write(directory.path().join("40-more.yaml"), "nonsense: 1").unwrap();
    assert_eq!(Settings::load(directory.path()).unwrap_err().0.len(), 1);
    assert!(Settings::load(&directory.path().join("none.yaml")).is_err());
}

#[test]
fn the_schema_knows_every_key_that_the_reader_knows() {
    // The keys of the reader are those of the raw structs, and the schema is made from these: a
    // file that uses every group of keys must be known to both.
    let schema: serde_json::Value = serde_json::from_str(&super::schema()).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    // `null` is only ever the word of a mask.
    let words = &schema["$defs"]["Classification"]["properties"]["mask"]["enum"];
    assert!(words.as_array().unwrap().contains(&serde_json::json!("null")));
    assert_eq!(schema.to_string().matches("null").count(), 1);
    for (group, keys) in [
        ("Target", &["name", "protocol", "addresses", "credential"][..]),
        ("Rule", &["id", "effect", "target"]),
        ("Workload", &["name", "match"]),
        ("Classification", &["tag"]),
    ] {
        let required = &schema["$defs"][group]["required"];
        assert_eq!(required, &serde_json::json!(keys), "{group}");
    }
    let actions = |block: &str, key: &str| {
        let words = &schema["$defs"][block]["properties"][key]["items"]["enum"];
        words.as_array().unwrap().len()
    };
    let ways = [
        ("SqlBlock", "actions"),
        ("SshBlock", "actions"),
        ("HttpBlock", "methods"),
        ("KubernetesBlock", "verbs"),
    ];
    let words: usize = ways.into_iter().map(|(block, key)| actions(block, key)).sum();
    // Two have `connect`; one has `*` and not `ANSWER`, one has `*` too.
    assert_eq!(words, model::Action::ALL.len() + 2);
}

#[test]
fn the_reference_explains_every_key_of_the_schema() {
    let reference = super::reference();
    let schema: serde_json::Value = serde_json::from_str(&super::schema()).unwrap();
    let groups = schema["$defs"].as_object().unwrap();
    for (name, group) in groups {
        assert!(reference.contains(&format!("\n## {name}\n")), "{name}");
        for (key, value) in group["properties"].as_object().into_iter().flatten() {
            assert!(reference.contains(&format!("| `{key}` |")), "{name}.{key}");
            assert!(value.get("description").is_some(), "{name}.{key} is not explained");
        }
    }
    assert!(!reference.contains("anything |"), "a value is not described");
}

#[test]
fn the_example_of_the_documentation_is_read() {
    let example = include_str!("../../../docs/examples/portcullis.yaml");
    let settings = read(example).map_err(|errors| errors.to_string()).unwrap();
    assert_eq!(settings.targets.len(), 3);
    assert_eq!(settings.workloads.len(), 2);
    assert_eq!(settings.limits.handshake_within, Duration::from_secs(10));
    assert_eq!(settings.metrics_listen, "127.0.0.1:9464".parse().ok());
    assert!(settings.control.approver_groups.contains_key("oncall"));
}
