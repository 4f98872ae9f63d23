//! A real Kubernetes for tests: etcd and an API server, and one node that runs no containers.
//!
//! Owns the cluster, its tokens, its audit log and its end. Must not know whether a gateway is in
//! between. A keeper process stands between this process and the servers: when this process is gone,
//! whatever the reason, the keeper's standard input ends and it kills them and removes their files.
//!
//! | file | what it holds |
//! |---|---|
//! | `making` | certificates, processes, what is in the cluster at first |
//! | `client` | requests, byte by byte, over TLS |
//! | `kubectl` | the unchanged clients and what they are told of a cluster |
//! | `audit` | what the API server says it was asked |
//! | `recorder` | what a client and the API server say to each other |

mod making;

pub mod audit;
pub mod client;
pub mod kubectl;
pub mod recorder;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::certificates::Authority;
use crate::web::client::Answered;
use audit::Event;
use client::KubeClient;

/// Somebody that the API server knows by a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name.
    pub name: &'static str,
    /// The token.
    pub token: &'static str,
    /// Its groups.
    pub groups: &'static str,
}

/// May do everything; fills the cluster, and looks at it from beside the gateway.
pub const ADMIN: Account =
    Account { name: "admin", token: "canary-kube-admin-5e2b71", groups: "system:masters" };
/// What the gateway logs in as: an administrator by a role, with a token found nowhere else.
pub const GATEWAY: Account =
    Account { name: "gateway", token: "canary-kube-gateway-c09f4d", groups: "gateways" };
/// What a job has known for years; may do nothing by now.
pub const JOB: Account = Account { name: "job", token: "job-token-from-2017", groups: "jobs" };

const ACCOUNTS: &[Account] = &[ADMIN, GATEWAY, JOB];

/// A running cluster.
#[derive(Debug)]
pub struct KubeCluster {
    directory: PathBuf,
    port: u16,
    authority: Authority,
    /// Its standard input is the lifeline; never closed while this process lives.
    _keeper: std::process::Child,
}

impl KubeCluster {
    /// The cluster, started on first use.
    ///
    /// # Panics
    /// Where `cargo xtask setup --kubernetes` has not built it, or it does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<KubeCluster> = OnceLock::new();
        SHARED.get_or_init(making::start)
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The directory of its files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The authority that signed its certificate (for 127.0.0.1 and `kubernetes`).
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The file of that authority's certificate.
    #[must_use]
    pub fn authority_file(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// A connection to the API server itself.
    #[must_use]
    pub fn connect(&self) -> KubeClient {
        client::connect(self.address(), self.authority.certificate_pem())
    }

    /// Asks the API server as the administrator, on a connection of its own.
    ///
    /// # Panics
    /// Where no answer comes.
    #[must_use]
    pub fn ask(&self, method: &str, uri: &str, object: Option<&Value>) -> Answered {
        self.try_ask(method, uri, object).unwrap_or_else(|| panic!("no answer to {method} {uri}"))
    }

    fn try_ask(&self, method: &str, uri: &str, object: Option<&Value>) -> Option<Answered> {
        let body = object.map(Value::to_string);
        let content = if method == "PATCH" { client::MERGE_PATCH } else { client::JSON };
        let fields = [client::authorization(ADMIN.token), content.to_owned()];
        let mut client = self.connect();
        client::send(&mut client, method, uri, &fields, body.as_deref());
        client.answer_to(method)
    }

    /// What stands in the audit log so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        audit::read(&self.directory.join("audit.jsonl"))
    }

    /// The same as the server wrote it, every stage of every request.
    ///
    /// # Panics
    /// Where a line is not JSON.
    #[must_use]
    pub fn raw_events(&self) -> Vec<Value> {
        audit::lines(&self.directory.join("audit.jsonl"))
    }

    /// The directory in which commands of a container run.
    #[must_use]
    pub fn container(&self, namespace: &str, pod: &str, container: &str) -> PathBuf {
        self.directory.join("node").join(namespace).join(pod).join(container)
    }

    /// What the servers logged.
    #[must_use]
    pub fn log(&self) -> String {
        let read = |name: &&str| fs::read_to_string(self.directory.join(name)).unwrap_or_default();
        ["etcd.log", "node.log", "api.log"].iter().map(read).collect()
    }
}
