//! The configuration of a world: the usual one, and the parts that tests change.
//!
//! Owns the text. Must not know how it is read.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use model::Protocol;

use super::upstream::Upstream;
use crate::cluster::{APP, User};
use crate::kube::kubectl::NAME;
use crate::kube::{GATEWAY, KubeCluster};
use crate::mariadb::APP_NATIVE;

/// The cgroup that the usual workload is in.
pub(super) const CGROUP: &str = "/system.slice/nightly-report.service";

const ROLES: &str = r#"
  - name: reader
    groups: [readers]
    rules:
      - { id: connect, effect: allow, target: shop }
      - { id: read, effect: allow, target: shop, sql: { actions: [select], objects: ["*"] } }
      - { id: own-orders, effect: allow, target: shop, sql: { actions: [insert, update], objects: ["*.public.orders"] } }
      - { id: no-deletes, effect: deny, target: shop, sql: { actions: [delete, truncate] } }
      - id: drop-needs-human
        effect: hold
        target: shop
        sql: { actions: [drop] }
        approvers: { group: oncall, within: 1m }
"#;

const CLASSIFICATION: &str = r#"
  - { tag: pii.email, target: shop, columns: ["*.users.email"], mask: partial }
  - { tag: pii.email, detect: email, mask: partial }
  - { tag: pci.pan, detect: payment_card, mask: last4 }
"#;

/// Roles for a host: the same ids, so that what is asked of every protocol finds them.
const SSH_ROLES: &str = r#"
  - name: reader
    groups: [readers]
    rules:
      - { id: connect, effect: allow, target: shop }
      - { id: read, effect: allow, target: shop, ssh: { actions: [exec], commands: ["report **", "systemctl status *"] } }
      - { id: no-deletes, effect: deny, target: shop, ssh: { actions: [exec], commands: ["report delete **"] } }
      - id: drop-needs-human
        effect: hold
        target: shop
        ssh: { actions: [exec], commands: ["report drop **"] }
        approvers: { group: oncall, within: 1m }
"#;

const SSH_CLASSIFICATION: &str = r#"
  - { tag: pii.email, detect: email, mask: partial }
  - { tag: pci.pan, detect: payment_card, mask: last4 }
"#;

/// Roles for a web server: the same ids once more.
const HTTP_ROLES: &str = r#"
  - name: reader
    groups: [readers]
    rules:
      - { id: connect, effect: allow, target: shop }
      - { id: read, effect: allow, target: shop, http: { methods: [GET, HEAD, POST] } }
      - { id: no-deletes, effect: deny, target: shop, http: { methods: [DELETE] } }
      - id: drop-needs-human
        effect: hold
        target: shop
        http: { methods: [PUT], paths: ["/drop/**"] }
        approvers: { group: oncall, within: 1m }
"#;

const HTTP_CLASSIFICATION: &str = r#"
  - { tag: pii.email, target: shop, fields: ["**.email"], routes: ["/people/**", "/sensitive/**", "/switch/**"], mask: partial }
  - { tag: pii.email, detect: email, mask: partial }
  - { tag: pci.pan, detect: payment_card, mask: last4 }
"#;

/// Roles for a cluster: the same ids once more.
const KUBERNETES_ROLES: &str = r#"
  - name: reader
    groups: [readers]
    rules:
      - { id: connect, effect: allow, target: shop }
      - { id: read, effect: allow, target: shop, kubernetes: { verbs: [get, list, watch, create], resources: ["*"] } }
      - { id: paths, effect: allow, target: shop, kubernetes: { verbs: [get], paths: ["/**"] } }
      - { id: no-deletes, effect: deny, target: shop, kubernetes: { verbs: [delete, deletecollection] } }
      - id: drop-needs-human
        effect: hold
        target: shop
        kubernetes: { verbs: [update], resources: [configmaps], names: ["drop-*"] }
        approvers: { group: oncall, within: 1m }
"#;

const KUBERNETES_CLASSIFICATION: &str = r#"
  - { tag: secret, target: shop, resources: [secrets], fields: ["data.*", "stringData.*"], mask: redact }
  - { tag: pii.email, detect: email, mask: partial }
  - { tag: pci.pan, detect: payment_card, mask: last4 }
"#;

/// Programs that run others, as clients of the tests start them.
const WRAPPERS: &[&str] = &["/bin/sh", "sh", "bash", "ssh-add", "kill", "env"];

/// Text in the making.
#[derive(Clone, Debug)]
pub struct Configuration {
    directory: PathBuf,
    protocol: Protocol,
    upstream: SocketAddr,
    host: Option<String>,
    /// The public keys of a host.
    public_keys: Vec<String>,
    /// What the gateway logs in with at a database.
    pub credential: User,
    /// What `credential:` says for a host.
    pub host_credential: String,
    /// What `host_keys:` says.
    pub host_keys: String,
    /// The list under `roles:`.
    pub roles: String,
    /// The list under `classification:`.
    pub classification: String,
    /// What `upstream_tls:` says.
    pub upstream_tls: String,
    /// More keys of the target, one a line, indented by four.
    pub target: String,
    /// What a workload must match, and its groups or token.
    pub workload: String,
    /// More keys at the top.
    pub more: String,
}

impl Configuration {
    /// A workload that reads the shop, may not delete, and needs a human to drop.
    pub(super) fn usual(upstream: Upstream, directory: &Path) -> Self {
        let mut usual = Self {
            directory: directory.to_path_buf(),
            protocol: Protocol::Postgres,
            upstream: upstream.address(),
            host: None,
            public_keys: Vec::new(),
            credential: APP,
            host_credential: String::new(),
            host_keys: String::new(),
            roles: ROLES.to_owned(),
            classification: CLASSIFICATION.to_owned(),
            upstream_tls: String::new(),
            target: String::new(),
            workload: "{ systemd_unit: nightly-report.service }\n    groups: [readers]".to_owned(),
            more: String::new(),
        };
        match upstream {
            Upstream::Database(cluster) => {
                let authority = cluster.authority_file();
                usual.upstream_tls =
                    format!("{{ mode: verify-full, ca: {} }}", authority.display());
            }
            Upstream::MariaDb(server) => {
                usual.protocol = Protocol::Mysql;
                usual.credential = APP_NATIVE;
                usual.roles = ROLES.replace("*.public.orders", "*.orders");
                let authority = server.authority_file();
                usual.upstream_tls =
                    format!("{{ mode: verify-full, ca: {} }}", authority.display());
            }
            Upstream::Host(server) => {
                usual.protocol = Protocol::Ssh;
                SSH_ROLES.clone_into(&mut usual.roles);
                SSH_CLASSIFICATION.clone_into(&mut usual.classification);
                usual.public_keys = server.host_keys();
                let known = server.known_hosts_file();
                usual.host_keys = format!("{{ known_hosts: {} }}", known.display());
                let key = server.gateway_key_file();
                usual.host_credential = format!("{{ private_key: {{ file: {} }} }}", key.display());
            }
            Upstream::Web(server) | Upstream::Api(server) => {
                let is_api = matches!(upstream, Upstream::Api(_));
                let (protocol, roles, classification) = if is_api {
                    (Protocol::Kubernetes, KUBERNETES_ROLES, KUBERNETES_CLASSIFICATION)
                } else {
                    (Protocol::Http, HTTP_ROLES, HTTP_CLASSIFICATION)
                };
                usual.protocol = protocol;
                roles.clone_into(&mut usual.roles);
                classification.clone_into(&mut usual.classification);
                usual.credential = User { name: "gateway", password: crate::web::TOKEN };
                usual.host_credential = format!("{{ bearer: {} }}", usual.secret());
                usual.upstream_tls = if server.is_secure() {
                    let file = server.authority().write(directory);
                    format!("{{ mode: verify-full, ca: {} }}", file.display())
                } else {
                    "disable".to_owned()
                };
                usual = usual.target_key(&format!("hosts: [{}, 127.0.0.1]", crate::web::NAME));
            }
            Upstream::Cluster(cluster) => usual = usual.before(cluster),
        }
        usual
    }

    /// In front of a cluster, whose authority has made the gateway one below itself.
    fn before(mut self, cluster: &KubeCluster) -> Self {
        self.protocol = Protocol::Kubernetes;
        KUBERNETES_ROLES.clone_into(&mut self.roles);
        KUBERNETES_CLASSIFICATION.clone_into(&mut self.classification);
        self.credential = User { name: GATEWAY.name, password: GATEWAY.token };
        self.host_credential = format!("{{ bearer: {} }}", self.secret());
        let authority = cluster.authority_file();
        self.upstream_tls = format!("{{ mode: verify-full, ca: {} }}", authority.display());
        let below = cluster.authority().below("the gateway", NAME);
        let (certificate, key) = below.write(&self.directory, "client-authority");
        self.target_key(&format!("hosts: [{NAME}, 127.0.0.1]")).target_key(&format!(
            "client_authority: {{ certificate: {}, key: {} }}",
            certificate.display(),
            key.display()
        ))
    }

    /// With these roles.
    #[must_use]
    pub fn roles(mut self, roles: &str) -> Self {
        roles.clone_into(&mut self.roles);
        self
    }

    /// With one more rule for the usual role, as one line of YAML.
    #[must_use]
    pub fn rule(mut self, rule: &str) -> Self {
        self.roles.push_str(&format!("      - {rule}\n"));
        self
    }

    /// With one more role of the usual group, of this one rule.
    #[must_use]
    pub fn role_of(mut self, rule: &str) -> Self {
        let role = format!("  - name: more\n    groups: [readers]\n    rules:\n      - {rule}\n");
        self.roles.push_str(&role);
        self
    }

    /// With roles that allow whatever the upstream's user may do, understood or not.
    #[must_use]
    pub fn everything_allowed(self) -> Self {
        let (domain, block) = match self.protocol {
            Protocol::Postgres | Protocol::Mysql => (model::Domain::Sql, "sql"),
            Protocol::Ssh => (model::Domain::Ssh, "ssh"),
            Protocol::Http => (model::Domain::Http, "http"),
            Protocol::Kubernetes => (model::Domain::Kubernetes, "kubernetes"),
        };
        let actions: Vec<&str> = model::Action::ALL
            .iter()
            .filter(|action| action.domain() == domain)
            .map(|action| action.as_str())
            .collect();
        let all = match self.protocol {
            Protocol::Postgres | Protocol::Ssh | Protocol::Mysql => {
                format!("actions: [{}]", actions.join(", "))
            }
            Protocol::Http => "methods: [\"*\"]".to_owned(),
            Protocol::Kubernetes => {
                let powerful = "serviceaccounts/token, nodes/proxy, pods/ephemeralcontainers";
                format!(
                    "verbs: [{}], resources: [\"*\", {powerful}], paths: [\"/**\"]",
                    actions.join(", ")
                )
            }
        };
        // What runs other programs is granted only where it is spelt out.
        let wrappers = match self.protocol {
            Protocol::Postgres | Protocol::Http | Protocol::Mysql => String::new(),
            Protocol::Ssh | Protocol::Kubernetes => {
                let named = |name: &&str| format!("\"{name} **\", \"{name}\"");
                let commands: Vec<String> = WRAPPERS.iter().map(named).collect();
                let exec = if self.protocol == Protocol::Ssh { "actions" } else { "verbs" };
                format!(
                    "      - {{ id: wrappers, effect: allow, target: shop, \
                     {block}: {{ {exec}: [exec], commands: [{}] }} }}\n",
                    commands.join(", ")
                )
            }
        };
        self.roles(&format!(
            "\n  - name: everything\n    groups: [readers]\n    rules:\n      \
             - {{ id: connect, effect: allow, target: shop }}\n      \
             - {{ id: all, effect: allow, target: shop, {block}: {{ {all} }} }}\n{wrappers}"
        ))
    }

    /// With roles that allow all that is understood.
    #[must_use]
    pub fn all_understood_allowed(self) -> Self {
        let mut all = self.everything_allowed();
        all.roles = all.roles.replace(", unknown]", "]");
        all
    }

    /// With this classification.
    #[must_use]
    pub fn classification(mut self, classification: &str) -> Self {
        classification.clone_into(&mut self.classification);
        self
    }

    /// With this credential.
    #[must_use]
    pub fn credential(mut self, user: User) -> Self {
        self.credential = user;
        let secret = self.secret_file();
        self.host_credential =
            format!("{{ user: {}, password: {{ file: {} }} }}", user.name, secret.display());
        self
    }

    /// With another upstream, without TLS. A host there has the same keys.
    ///
    /// # Panics
    /// Where it cannot be written down that it has.
    #[must_use]
    pub fn upstream_at(mut self, address: SocketAddr) -> Self {
        self.upstream = address;
        if self.protocol == Protocol::Ssh {
            let known = self.directory.join("known_hosts");
            let line = |key: &String| format!("[{}]:{} {key}\n", address.ip(), address.port());
            let lines: String = self.public_keys.iter().map(line).collect();
            fs::write(&known, lines).expect("a file of known hosts");
            self.host_keys = format!("{{ known_hosts: {} }}", known.display());
        }
        "disable".clone_into(&mut self.upstream_tls);
        self
    }

    /// With this after `upstream_tls:`.
    #[must_use]
    pub fn upstream_tls(mut self, text: &str) -> Self {
        text.clone_into(&mut self.upstream_tls);
        self
    }

    /// With this after `host_keys:`.
    #[must_use]
    pub fn host_keys(mut self, text: &str) -> Self {
        text.clone_into(&mut self.host_keys);
        self
    }

    /// With this after a host's `credential:`.
    #[must_use]
    pub fn host_credential(mut self, text: &str) -> Self {
        text.clone_into(&mut self.host_credential);
        self
    }

    /// With this host name instead of 127.0.0.1 in the target's address.
    #[must_use]
    pub fn named(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    /// With one more key of the target.
    #[must_use]
    pub fn target_key(mut self, line: &str) -> Self {
        self.target.push_str(&format!("    {line}\n"));
        self
    }

    /// With this under `limits:`.
    #[must_use]
    pub fn limits(mut self, limits: &str) -> Self {
        self.more.push_str(&format!("limits: {limits}\n"));
        self
    }

    /// A directory that ends with the world.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the target is.
    #[must_use]
    pub const fn upstream(&self) -> SocketAddr {
        self.upstream
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { roles, classification, target, workload, more, protocol, .. } = self;
        let directory = self.directory.display();
        let classification = if classification.trim().is_empty() {
            String::new()
        } else {
            format!("classification:{classification}")
        };
        format!(
            "instance: world\n\
             state_directory: {directory}/state\n\
             govern: [{{ cgroup: /system.slice }}]\n\
             workloads:\n  - name: nightly-report\n    match: {workload}\n\
             targets:\n  - name: shop\n    protocol: {protocol}\n    addresses: [\"{}\"]\n    \
             environment: prod\n{}{target}\
             roles:{roles}\n{classification}\n\
             audit: {{ allowed_operations: true }}\n\
             control: {{ socket: {directory}/control.sock, approver_groups: {{ oncall: {{ users: [root] }} }} }}\n\
             {more}",
            self.address(),
            self.way_in(),
        )
    }

    /// How the upstream is verified, and what the gateway logs in with.
    fn way_in(&self) -> String {
        let Self { upstream_tls, host_keys, host_credential, .. } = self;
        match self.protocol {
            Protocol::Postgres | Protocol::Mysql => format!(
                "    upstream_tls: {upstream_tls}\n    \
                 credential: {{ user: {}, password: {{ file: {} }} }}\n",
                self.credential.name,
                self.secret_file().display()
            ),
            Protocol::Ssh => {
                format!("    host_keys: {host_keys}\n    credential: {host_credential}\n")
            }
            Protocol::Http | Protocol::Kubernetes => {
                format!("    upstream_tls: {upstream_tls}\n    credential: {host_credential}\n")
            }
        }
    }

    fn address(&self) -> String {
        match &self.host {
            Some(host) => format!("{host}:{}", self.upstream.port()),
            None => self.upstream.to_string(),
        }
    }

    pub(super) fn write_secret(&self) {
        let path = self.secret_file();
        fs::write(&path, self.credential.password).expect("the secret can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
    }

    /// What stands where the configuration wants the secret of [`Self::credential`].
    #[must_use]
    pub fn secret(&self) -> String {
        format!("{{ file: {} }}", self.secret_file().display())
    }

    fn secret_file(&self) -> PathBuf {
        self.directory.join("secret")
    }
}
