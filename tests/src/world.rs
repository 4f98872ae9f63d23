//! The whole gateway in this process, between real clients and a real server.
//!
//! Owns what stands in for the kernel (a table of who opened which socket), for the host (its
//! cgroups and processes) and for the passage of time. Everything else is the real thing: the
//! configuration is read from YAML, state and logs are files, connections are TCP. Ends with the
//! value: the gateway is stopped and its files removed.
//!
//! ```text
//! Client ──▶ listener ──▶ gateway ──▶ PostgreSQL, OpenSSH, the web
//! psql, ssh, curl ──▶ door ┘  ▲
//!                  MadeUpFlows: source port -> binding
//! ```

mod configuration;
mod door;
mod flows;
mod host;
mod kube;
mod log;
mod records;
mod upstream;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway::approvals::{Approver, HoldView, Progress, VoteError};
use gateway::config::{ConfigFile, Settings};
use gateway::control::Problem;
use gateway::control::view::{ExplainRequest, ExplainView};
use gateway::daemon::{Environment, Gateway, Reloaded};
use model::{Group, HoldId};

use crate::client::{Client, LoginFailure};
use crate::cluster::{Cluster, SHOP, User};
use crate::mariadb::MariaDb;
use crate::programs::{self, Said};

use crate::sshd::SshServer;
use crate::web::WebServer;
use crate::web::client::WebClient;
use crate::web::station::WebStation;
use crate::workstation::Workstation;

pub use configuration::Configuration;
pub use flows::{MadeUpFlows, Opener};
pub use host::HandClock;
pub use records::text_of;
pub use upstream::Upstream;

/// What a workload logs in with: no password, for the gateway asks for none.
pub const WORKLOAD: User = User { name: "workload", password: "" };

/// Where the door to a web server is: another address with the same port.
const WEB_DOOR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A gateway between clients and a server.
pub struct World {
    /// Dropped in this order: the gateway's tasks end with the runtime, then the files go.
    runtime: tokio::runtime::Runtime,
    gateway: Arc<Gateway>,
    directory: tempfile::TempDir,
    upstream: Upstream,
    configuration: Configuration,
    flows: Arc<MadeUpFlows>,
    clock: Arc<HandClock>,
    address: SocketAddr,
    door: door::Door,
}

impl World {
    /// A world with the usual configuration in front of Debian's PostgreSQL.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Cluster::shared(), |configuration| configuration)
    }

    /// A world whose configuration a test has changed.
    ///
    /// # Panics
    /// Where the configuration has errors, or the gateway does not start.
    #[must_use]
    pub fn with(
        upstream: impl Into<Upstream>,
        change: impl FnOnce(Configuration) -> Configuration,
    ) -> Self {
        log::capture();
        let upstream = upstream.into();
        let directory = tempfile::Builder::new()
            .prefix("portcullis-world-")
            .tempdir()
            .expect("a temporary directory");
        let configuration = change(Configuration::usual(upstream, directory.path()));
        configuration.write_secret();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let (flows, clock) = (Arc::new(MadeUpFlows::default()), Arc::new(HandClock::default()));
        let environment = Environment {
            flows: Arc::clone(&flows) as _,
            dial: Arc::new(host::PlainDial),
            attestor: host::attestor(Arc::clone(&clock) as _),
            clock: Arc::clone(&clock) as _,
            registry: gateway::protocols::Registry::complete(),
        };
        let settings = settings(&configuration);
        let (gateway, address) = runtime.block_on(async {
            let gateway = Gateway::start(settings, environment).await.expect("a gateway");
            let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
            let listener = listener.await.expect("a port");
            let address = listener.local_addr().expect("an address");
            gateway.listen(listener);
            (gateway, address)
        });
        let original = configuration.upstream();
        // Addresses of the web name the port: there the door has the server's own.
        let own: Vec<SocketAddr> = match upstream {
            Upstream::Web(_) | Upstream::Api(_) => vec![(WEB_DOOR, original.port()).into()],
            Upstream::Cluster(_) => kube::doors(original.port()).collect(),
            Upstream::Database(_) | Upstream::MariaDb(_) | Upstream::Host(_) => Vec::new(),
        };
        let door = door::Door::open(address, Arc::clone(&flows), original, own);
        Self { runtime, gateway, directory, upstream, configuration, flows, clock, address, door }
    }

    /// The database server behind the gateway.
    ///
    /// # Panics
    /// Where another kind of server is.
    #[must_use]
    pub fn cluster(&self) -> &'static Cluster {
        let Upstream::Database(cluster) = self.upstream else { panic!("no database server") };
        cluster
    }

    /// The MariaDB server behind the gateway.
    ///
    /// # Panics
    /// Where another kind of server is.
    #[must_use]
    pub fn mariadb(&self) -> &'static MariaDb {
        let Upstream::MariaDb(server) = self.upstream else { panic!("no MariaDB server") };
        server
    }

    /// The SSH server behind the gateway.
    ///
    /// # Panics
    /// Where another kind of server is.
    #[must_use]
    pub fn ssh_server(&self) -> &'static SshServer {
        let Upstream::Host(server) = self.upstream else { panic!("no SSH server") };
        server
    }

    /// The web server behind the gateway.
    ///
    /// # Panics
    /// Where another kind of server is.
    #[must_use]
    pub fn web_server(&self) -> &'static WebServer {
        match self.upstream {
            Upstream::Web(server) | Upstream::Api(server) => server,
            _ => panic!("no web server"),
        }
    }

    /// A connection of the usual workload to the web server, on which nothing is sent yet.
    #[must_use]
    pub fn web(&self) -> WebClient {
        WebClient::over(self.open_as(&self.usual_opener()))
    }

    /// A machine whose programs reach the web server through the gateway, and that trusts the
    /// gateway's authority.
    #[must_use]
    pub fn web_station(&self) -> WebStation {
        WebStation::new(self.web_server(), WEB_DOOR, &self.authority_pem())
    }

    /// The same for another server of the web at the address of the target.
    #[must_use]
    pub fn station_for(&self, base: &str) -> WebStation {
        WebStation::reaching(base, WEB_DOOR, &self.authority_pem())
    }

    /// A machine whose programs reach the web server through the gateway, and that knows nothing of
    /// the gateway.
    #[must_use]
    pub fn web_station_without_trust(&self) -> WebStation {
        WebStation::new(self.web_server(), WEB_DOOR, "")
    }

    /// A machine whose programs reach the SSH server through the gateway, and whose system trusts
    /// the gateway's authority.
    ///
    /// # Panics
    /// Where there is no authority.
    #[must_use]
    pub fn workstation(&self) -> Workstation {
        let key = self.gateway.services().host_keys.authority().expect("an authority of host keys");
        let line = format!(
            "@cert-authority [127.0.0.1]:{} {}\n",
            self.port(),
            key.public_line().expect("its public key").trim()
        );
        Workstation::at(self.ssh_server(), self.port(), Some(&line))
    }

    /// A machine whose programs reach the SSH server through the gateway, and that knows nothing of
    /// the gateway.
    #[must_use]
    pub fn workstation_without_trust(&self) -> Workstation {
        Workstation::at(self.ssh_server(), self.port(), None)
    }

    /// The gateway itself.
    #[must_use]
    pub const fn gateway(&self) -> &Arc<Gateway> {
        &self.gateway
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &HandClock {
        &self.clock
    }

    /// Where the gateway listens: a connection from here carries no binding.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection that the usual workload opened to the target; nothing is sent yet.
    ///
    /// # Panics
    /// Where the gateway does not accept.
    #[must_use]
    pub fn connect(&self) -> Client {
        self.connect_as(&self.usual_opener())
    }

    /// Who opens the usual connections.
    #[must_use]
    pub const fn usual_opener(&self) -> Opener {
        Opener::usual(self.configuration.upstream())
    }

    /// A connection that somebody else opened, or to somewhere else.
    ///
    /// # Panics
    /// Where the gateway does not accept.
    #[must_use]
    pub fn connect_as(&self, opener: &Opener) -> Client {
        Client::over(self.open_as(opener))
    }

    /// The same, for a client of another protocol.
    ///
    /// # Panics
    /// Where the gateway does not accept.
    #[must_use]
    pub fn open_as(&self, opener: &Opener) -> std::net::TcpStream {
        self.flows.connect(self.address, opener).expect("the gateway accepts")
    }

    /// A session of the usual workload with the shop.
    ///
    /// # Panics
    /// Where the log-in is refused.
    #[must_use]
    pub fn session(&self) -> Client {
        self.login(SHOP).unwrap_or_else(|failure| panic!("no session: {failure:?}"))
    }

    /// Logs the usual workload in to a database.
    ///
    /// # Errors
    /// Where it is refused.
    pub fn login(&self, database: &str) -> Result<Client, LoginFailure> {
        let mut client = self.connect();
        client.start(WORKLOAD, &[("user", WORKLOAD.name), ("database", database)])?;
        Ok(client)
    }

    /// `psql` run by the usual workload.
    #[must_use]
    pub fn psql(&self, database: &str, arguments: &[&str]) -> Said {
        programs::psql(&self.connection_string(database), arguments)
    }

    /// Where an unchanged client program connects to, on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.door.port()
    }

    /// What an unchanged client program is given to connect with.
    #[must_use]
    pub fn connection_string(&self, database: &str) -> String {
        format!(
            "host=127.0.0.1 port={} user={} dbname={database} sslmode=disable gssencmode=disable",
            self.door.port(),
            WORKLOAD.name
        )
    }

    /// The authority of the certificates that the gateway shows to workloads, in PEM.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn authority_pem(&self) -> String {
        let path = self.authority_file();
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
    }

    /// The file of that authority's certificate.
    #[must_use]
    pub fn authority_file(&self) -> PathBuf {
        self.directory.path().join("state/ca/host-ca.pem")
    }

    /// Reloads with a configuration that a test has changed.
    ///
    /// # Errors
    /// What the gateway says against it.
    pub fn reload(
        &mut self,
        change: impl FnOnce(Configuration) -> Configuration,
    ) -> Result<Reloaded, gateway::daemon::GatewayError> {
        self.configuration = change(self.configuration.clone());
        let settings = settings(&self.configuration);
        self.runtime.block_on(self.gateway.reload(settings, "a test"))
    }

    /// Holds that are open.
    #[must_use]
    pub fn holds(&self) -> Vec<HoldView> {
        self.gateway.services().approvals.list()
    }

    /// The one open hold, once there is one.
    ///
    /// # Panics
    /// Where none is opened in time.
    #[must_use]
    pub fn hold(&self) -> HoldView {
        crate::assert_eventually!(!self.holds().is_empty(), "nothing is held");
        self.holds().remove(0)
    }

    /// Votes for a hold, as somebody on call.
    ///
    /// # Errors
    /// Where the vote does not count.
    pub fn approve(&self, hold: HoldId) -> Result<Progress, VoteError> {
        self.gateway.services().approvals.approve(hold, &on_call(), None, None)
    }

    /// Votes against a hold, as somebody on call.
    ///
    /// # Errors
    /// Where the vote does not count.
    pub fn reject(&self, hold: HoldId) -> Result<Progress, VoteError> {
        self.gateway.services().approvals.reject(hold, &on_call(), Some("not today".into()))
    }

    /// How many connections are open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.gateway.proxy().connections().open()
    }

    /// Begins to drain; gives the handle that ends when it is done.
    #[must_use]
    pub fn begin_drain(&self) -> tokio::task::JoinHandle<()> {
        let gateway = Arc::clone(&self.gateway);
        self.runtime.spawn(async move { gateway.stop("a test").await })
    }

    /// What `portcullis explain` says.
    ///
    /// # Errors
    /// Where there is nothing to judge.
    pub fn explain(&self, request: ExplainRequest) -> Result<ExplainView, Problem> {
        let handles = gateway::daemon::handles(Arc::clone(&self.gateway));
        self.runtime.block_on(handles.explain.explain(request))
    }

    /// Runs a future to its end.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    fn state(&self) -> &Path {
        self.directory.path()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let gateway = Arc::clone(&self.gateway);
        // Clients of the test may still be open: it is stopped, not drained for long.
        self.runtime.block_on(async move {
            let _ = tokio::time::timeout(Duration::from_secs(2), gateway.stop("end of test")).await;
        });
    }
}

fn settings(configuration: &Configuration) -> Settings {
    let file = ConfigFile { path: "world.yaml".into(), text: configuration.text() };
    Settings::parse(&[file]).unwrap_or_else(|errors| panic!("{errors}\n{}", configuration.text()))
}

/// Somebody who may approve and is not who asks.
fn on_call() -> Approver {
    Approver {
        name: "alice".into(),
        uid: 4_242,
        groups: std::iter::once(Group::from("oncall")).collect(),
        cgroup: Some("/user.slice/user-4242.slice".to_owned()),
    }
}
