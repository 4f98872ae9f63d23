//! The protocols, and the registry that finds the driver of one.
//!
//! Owns the seam between the proxy and a protocol. A driver may import `session`, `wire` and
//! `model`, and nothing of policy, credentials, approvals, recording, masking or configuration:
//! what it needs of them the session gives it. A driver's task ends when the connection does.

pub mod http;
mod idle;
pub mod kubernetes;
pub mod mysql;
pub mod postgres;
mod pump;
pub mod ssh;

use std::sync::Arc;

use model::audit::SessionEnd;
use model::{Access, MaskProfile, Operation, Protocol, RequestFacts};
use tokio::net::TcpStream;

use crate::session::{BoxFuture, Dialect, Pending, Refusal, Stream};

/// Speaks one protocol, on both sides.
pub trait Driver: Send + Sync + std::fmt::Debug {
    /// Which.
    fn protocol(&self) -> Protocol;

    /// The application protocols (ALPN) that a client may ask for in TLS. Empty where the protocol
    /// has none.
    fn client_alpn(&self) -> &'static [&'static [u8]] {
        &[]
    }

    /// How statements of this protocol are read; `None` where it has none.
    fn dialect(&self) -> Option<Dialect> {
        None
    }

    /// The server that a client asks for by name with its first bytes, which are left where they
    /// are: for where several targets have one address. `None` where it says none.
    fn server_name<'a>(&'a self, _client: &'a TcpStream) -> BoxFuture<'a, Option<Arc<str>>> {
        Box::pin(std::future::ready(None))
    }

    /// What a request would need that has these facts and, as it was sent, this query: for whoever
    /// asks about one without sending it.
    ///
    /// # Errors
    /// Why it would be refused before it is judged, for people.
    fn accesses(
        &self,
        _facts: &Arc<RequestFacts>,
        _query: &str,
        _upgrades: bool,
    ) -> Result<Arc<[Access]>, String> {
        Err(format!("{} has no requests that could be asked about", self.protocol()))
    }

    /// Why what the policy allows is refused all the same, for what is masked of it: for whoever asks
    /// about an operation without doing it.
    fn refuses_masked(&self, _operation: &Operation, _masks: &MaskProfile) -> Option<Refusal> {
        None
    }

    /// Serves one connection from its first byte to its end, and says why it ended.
    fn serve<'a>(&'a self, client: Stream, pending: Pending) -> BoxFuture<'a, SessionEnd>;
}

/// The drivers by protocol.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    drivers: Vec<Arc<dyn Driver>>,
}

impl Registry {
    /// Every driver there is.
    #[must_use]
    pub fn complete() -> Self {
        Self::default()
            .with(Arc::new(postgres::Postgres::default()))
            .with(Arc::new(ssh::Ssh))
            .with(Arc::new(http::Http::default()))
            .with(Arc::new(mysql::Mysql::default()))
            .with(Arc::new(kubernetes::driver()))
    }

    /// Adds a driver; a later one of the same protocol takes the earlier one's place.
    #[must_use]
    pub fn with(mut self, driver: Arc<dyn Driver>) -> Self {
        self.drivers.retain(|known| known.protocol() != driver.protocol());
        self.drivers.push(driver);
        self
    }

    /// The driver of a protocol.
    #[must_use]
    pub fn driver(&self, protocol: Protocol) -> Option<Arc<dyn Driver>> {
        self.drivers.iter().find(|driver| driver.protocol() == protocol).map(Arc::clone)
    }
}
