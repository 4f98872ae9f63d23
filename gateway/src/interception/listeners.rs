//! The gateway's listeners, one pair per network namespace.
//!
//! Owns opening them: on the loopback addresses only, marked as the gateway's own before they bind,
//! announced to the kernel only once they listen. Who accepts on them is the proxy's business; they
//! close with their owner.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use parking_lot::Mutex;
use socket2::{Domain, Socket};

use super::flow::FlowTable;
use super::namespaces::Namespaces;
use super::programs::Programs;

/// The first port that is tried. Below the range from which the kernel takes ports by itself
/// (`ip_local_port_range`), so that no other socket comes to it by chance.
pub const PORT_BASE: u16 = 15_130;
/// Ports that are tried where the first is taken.
const PORTS_TRIED: u16 = 64;
/// Connections that wait to be accepted. Beyond them SYNs are dropped and clients wait; the kernel
/// caps it at `net.core.somaxconn`.
const BACKLOG: i32 = 4_096;

/// The listeners of one network namespace.
#[derive(Debug)]
pub struct NamespaceListeners {
    /// The namespace.
    pub netns_cookie: u64,
    /// The port of both.
    pub port: u16,
    /// On 127.0.0.1. Not blocking.
    pub v4: TcpListener,
    /// On ::1; `None` where the namespace has no IPv6. Not blocking.
    pub v6: Option<TcpListener>,
}

/// Opens listeners.
#[derive(Clone, Debug)]
pub struct Listeners {
    programs: Arc<Programs>,
    flows: Arc<dyn FlowTable>,
    namespaces: Namespaces,
    first_port: u16,
    /// Namespaces whose listeners are open or being opened.
    open: Arc<Mutex<BTreeSet<u64>>>,
}

impl Listeners {
    /// Listeners for what these programs redirect.
    #[must_use]
    pub fn new(programs: Arc<Programs>, flows: Arc<dyn FlowTable>, namespaces: Namespaces) -> Self {
        Self { programs, flows, namespaces, open: Arc::default(), first_port: PORT_BASE }
    }

    /// Tries this port first, instead of [`PORT_BASE`].
    #[must_use]
    pub fn starting_at(mut self, port: u16) -> Self {
        self.first_port = port;
        self
    }

    /// Opens the listeners of a known namespace and announces them. The port of an earlier daemon is
    /// taken again where it is free: clients that it redirected may still be on their way.
    ///
    /// # Errors
    /// Where no port can be had, the namespace is not known, or the kernel's map is full. Then
    /// connects from that namespace stay refused.
    pub async fn open(&self, netns_cookie: u64) -> io::Result<NamespaceListeners> {
        let earlier = self.programs.listener_port(netns_cookie).map_err(io::Error::other)?;
        let ports =
            earlier.into_iter().chain(self.first_port..self.first_port.saturating_add(PORTS_TRIED));
        for port in ports {
            match self.open_at(netns_cookie, port).await {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error),
                Ok(opened) => {
                    self.programs.set_listener(netns_cookie, port).map_err(io::Error::other)?;
                    return Ok(opened);
                }
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "no port for the gateway's listener is free"))
    }

    /// Opens the listeners of every namespace in which a governed process is, and of the gateway's
    /// own, where they are not open yet. For the start, and after a change of who is governed.
    ///
    /// # Errors
    /// Of finding the processes. A namespace whose listeners cannot be opened is reported in the log;
    /// connects from it stay refused.
    pub async fn discover(&self) -> io::Result<Vec<NamespaceListeners>> {
        let programs = Arc::clone(&self.programs);
        let processes = tokio::task::spawn_blocking(move || programs.governed_processes())
            .await
            .map_err(io::Error::other)?
            .map_err(io::Error::other)?;
        let mut cookies = BTreeSet::from([self.namespaces.own_cookie()]);
        let mut seen = BTreeSet::new();
        for tgid in processes {
            // One namespace of hundreds of processes is entered once.
            let Ok(file) = std::fs::File::open(format!("/proc/{tgid}/ns/net")) else { continue };
            if !file.metadata().is_ok_and(|found| seen.insert(found.ino())) {
                continue;
            }
            match self.namespaces.learn_file(file).await {
                Ok(cookie) => _ = cookies.insert(cookie),
                Err(error) => tracing::warn!(tgid, %error, "network namespace not entered"),
            }
        }
        let mut opened = Vec::new();
        for cookie in cookies {
            match self.open_once(cookie).await {
                Ok(listeners) => opened.extend(listeners),
                Err(error) => tracing::error!(netns_cookie = cookie, %error, "no listener opened"),
            }
        }
        Ok(opened)
    }

    /// Opens the listeners of the namespace that a governed process was seen in; `None` where they are
    /// open already. For [`super::KernelEvent::NetnsSeen`] and refusals for an unknown namespace.
    ///
    /// # Errors
    /// Where the process is gone, no port can be had, or the kernel's map is full. Then connects from
    /// that namespace stay refused.
    pub async fn open_for(
        &self,
        tgid: u32,
        netns_cookie: u64,
    ) -> io::Result<Option<NamespaceListeners>> {
        if self.open.lock().contains(&netns_cookie) {
            return Ok(None);
        }
        if !self.namespaces.known().contains(&netns_cookie) {
            self.namespaces.learn(tgid, Some(netns_cookie)).await?;
        }
        self.open_once(netns_cookie).await
    }

    /// Lets go of namespaces without processes, and says which: their listeners have to be closed, for
    /// they keep the namespace alive. Call it at intervals.
    ///
    /// # Errors
    /// Of reading /proc, or of the kernel's map.
    pub async fn let_go(&self) -> io::Result<Vec<u64>> {
        let namespaces = self.namespaces.clone();
        let deserted = tokio::task::spawn_blocking(move || namespaces.forget_deserted())
            .await
            .map_err(io::Error::other)??;
        for cookie in &deserted {
            self.open.lock().remove(cookie);
            self.programs.forget_listener(*cookie).map_err(io::Error::other)?;
        }
        Ok(deserted)
    }

    async fn open_once(&self, netns_cookie: u64) -> io::Result<Option<NamespaceListeners>> {
        if !self.open.lock().insert(netns_cookie) {
            return Ok(None);
        }
        let opened = self.open(netns_cookie).await;
        if opened.is_err() {
            self.open.lock().remove(&netns_cookie);
        }
        opened.map(Some)
    }

    async fn open_at(&self, netns_cookie: u64, port: u16) -> io::Result<NamespaceListeners> {
        let v4 = self.listen(netns_cookie, (Ipv4Addr::LOCALHOST, port).into()).await?;
        let v6 = match self.listen(netns_cookie, (Ipv6Addr::LOCALHOST, port).into()).await {
            Ok(listener) => Some(listener),
            // No IPv6 in the kernel, or switched off in this namespace: nothing can be redirected
            // there either.
            Err(error) if without_ipv6(&error) => None,
            Err(error) => return Err(error),
        };
        Ok(NamespaceListeners { netns_cookie, port, v4, v6 })
    }

    async fn listen(&self, netns_cookie: u64, address: SocketAddr) -> io::Result<TcpListener> {
        let socket: Socket =
            self.namespaces.stream_socket(netns_cookie, Domain::for_address(address)).await?;
        self.flows.exempt(socket.as_fd()).map_err(io::Error::other)?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    }
}

fn without_ipv6(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}
