//! Real PostgreSQL servers with a small shop, one of each version for a test binary's whole run.
//!
//! Owns their making, their users and their end. Must not know the gateway. A keeper process
//! stands between this process and each server: when this process is gone, whatever the reason,
//! the keeper's standard input ends and it stops the server and removes its directory.

mod making;

pub(crate) use making::KEEPER;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::certificates::{Authority, Identity};
use crate::client::Client;
use crate::programs::{self, Said};

/// The database with the shop.
pub const SHOP: &str = "shop";

/// A user of the server, with the password that only the gateway should have to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: &'static str,
    /// Its password: a canary, looked for where it must never be.
    pub password: &'static str,
}

/// Logs in with SCRAM-SHA-256; owns everything in the shop.
pub const APP: User = User { name: "app", password: "canary-scram-4d1f6a" };
/// Logs in with MD5.
pub const APP_MD5: User = User { name: "app_md5", password: "canary-md5-90be2c" };
/// Logs in with the password in the clear.
pub const APP_CLEAR: User = User { name: "app_clear", password: "canary-clear-b7730e" };

/// Every user, for sweeps over the ways to log in.
pub const USERS: &[User] = &[APP, APP_MD5, APP_CLEAR];

/// A running server.
#[derive(Debug)]
pub struct Cluster {
    directory: PathBuf,
    port: u16,
    authority: Authority,
    /// Its standard input is the lifeline; never closed while this process lives.
    _keeper: std::process::Child,
}

impl Cluster {
    /// The server of Debian's version, started on first use.
    ///
    /// # Panics
    /// Where PostgreSQL is not installed or does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| making::start(&making::debian()))
    }

    /// The server of the newest version, where setup could fetch one.
    ///
    /// # Panics
    /// Where it is there and does not start.
    pub fn shared_18() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        SHARED.get_or_init(|| making::newest().map(|server| making::start(&server))).as_ref()
    }

    /// Every server there is.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        std::iter::once(Self::shared()).chain(Self::shared_18())
    }

    /// A server of each version for one test alone, which may change what others rely on.
    pub fn all_apart(name: &str) -> Vec<&'static Self> {
        let servers = std::iter::once(making::debian()).chain(making::newest());
        servers
            .map(|server| {
                // Kept as the shared ones are: they end with this process.
                let started: &'static Self =
                    Box::leak(Box::new(making::start(&server.apart(name))));
                started
            })
            .collect()
    }

    /// Has the server show this certificate from now on, which `authority` signed.
    ///
    /// # Panics
    /// Where it does not, in time.
    pub fn show(&self, identity: &Identity, authority: &Authority) {
        making::write_identity(&self.directory, identity);
        let _ = self.as_superuser("postgres", "SELECT pg_reload_conf()").success();
        let shows = || {
            let address = (Ipv4Addr::LOCALHOST, self.port).into();
            Client::connect_tls(address, authority.certificate_pem(), "localhost").is_ok()
        };
        crate::assert_eventually!(shows(), "the old certificate stays: {}", self.log());
    }

    /// Has the server demand certificates of clients, of its own authority and in the name of the
    /// database user: beside the password of [`APP`], and instead of one of [`APP_CLEAR`].
    ///
    /// # Panics
    /// Where it does not, in time.
    pub fn demand_client_certificates(&self) {
        let settings =
            format!("ALTER SYSTEM SET ssl_ca_file = '{}'", self.authority_file().display());
        let _ = self.as_superuser("postgres", &settings).success();
        let access = "local all postgres trust\n\
                      hostssl all app 127.0.0.1/32 scram-sha-256 clientcert=verify-full\n\
                      hostssl all app_clear 127.0.0.1/32 cert\n";
        let file = self.directory.join("data/pg_hba.conf");
        std::fs::write(file, access).expect("the server's access rules");
        let _ = self.as_superuser("postgres", "SELECT pg_reload_conf()").success();
        let address = (Ipv4Addr::LOCALHOST, self.port).into();
        let demands = || Client::login(address, APP, SHOP).is_err();
        crate::assert_eventually!(demands(), "no certificate is demanded: {}", self.log());
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The directory of its unix socket and its files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The authority that signed its certificate (for `localhost` and 127.0.0.1).
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The file of that authority's certificate.
    #[must_use]
    pub fn authority_file(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// A database of its own for a test that changes things: a copy of the shop.
    ///
    /// # Panics
    /// Where it cannot be made.
    #[must_use]
    pub fn fresh_database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("shop_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let made = format!("CREATE DATABASE {name} TEMPLATE shop_template OWNER {}", APP.name);
        let _ = self.as_superuser("postgres", &made).success();
        name
    }

    /// Runs a script as the superuser, over the unix socket.
    #[must_use]
    pub fn as_superuser(&self, database: &str, script: &str) -> Said {
        programs::psql(
            &format!(
                "host={} port={} user=postgres dbname={database}",
                self.directory.display(),
                self.port
            ),
            &["--set=ON_ERROR_STOP=1", "--command", script],
        )
    }

    /// A connection string straight to the server.
    #[must_use]
    pub fn direct(&self, user: User, database: &str) -> String {
        format!(
            "host=127.0.0.1 port={} user={} password={} dbname={database}",
            self.port, user.name, user.password
        )
    }

    /// The server's log: every connection and statement that reached it.
    ///
    /// # Panics
    /// Where it cannot be read.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("server.log")).expect("the server's log")
    }
}
