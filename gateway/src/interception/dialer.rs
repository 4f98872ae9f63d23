//! Upstream connections from a workload's own network namespace.
//!
//! Owns making the socket there and marking it as the gateway's own before it connects. Knows nothing
//! of what is said over it, nor of how long a connect may take: that is the caller's deadline.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;

use socket2::Domain;
use tokio::net::{TcpSocket, TcpStream};

use super::flow::FlowTable;
use super::namespaces::Namespaces;

/// Connects to upstreams.
#[derive(Clone, Debug)]
pub struct Dialer {
    flows: Arc<dyn FlowTable>,
    namespaces: Namespaces,
}

impl Dialer {
    /// A dialer into these namespaces.
    #[must_use]
    pub fn new(flows: Arc<dyn FlowTable>, namespaces: Namespaces) -> Self {
        Self { flows, namespaces }
    }

    /// Connects from the network namespace with that cookie, with Nagle's algorithm off.
    ///
    /// # Errors
    /// `NotFound` for a namespace that is not known; others of `socket`, the mark and `connect`.
    pub async fn connect(&self, netns_cookie: u64, address: SocketAddr) -> io::Result<TcpStream> {
        let domain = Domain::for_address(address);
        let socket = self.namespaces.stream_socket(netns_cookie, domain).await?;
        self.flows.exempt(socket.as_fd()).map_err(io::Error::other)?;
        socket.set_tcp_nodelay(true)?;
        TcpSocket::from_std_stream(socket.into()).connect(address).await
    }
}
