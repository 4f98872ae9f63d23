//! A stand-in for the kernel's bindings: by the source port of a connection.
//!
//! Owns the table. A connection is entered before it is opened, so the gateway always finds it.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::BorrowedFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gateway::interception::{FlowError, FlowTable};
use model::{Binding, ProcessFacts, UserFacts};
use socket2::{Domain, SockRef, Socket, Type};

use super::host;

/// Who opens a connection, and to where.
#[derive(Clone, Debug)]
pub struct Opener {
    /// The path of its cgroup.
    pub cgroup: &'static str,
    /// Its user.
    pub uid: u32,
    /// Where it means to go.
    pub original: SocketAddr,
}

impl Opener {
    /// The usual workload.
    #[must_use]
    pub const fn usual(original: SocketAddr) -> Self {
        Self { cgroup: super::configuration::CGROUP, uid: 1_000, original }
    }
}

/// Bindings by source port.
#[derive(Debug, Default)]
pub struct MadeUpFlows {
    by_port: Mutex<HashMap<u16, Binding>>,
    next_cookie: AtomicU64,
}

impl MadeUpFlows {
    /// Opens a connection that is bound to `opener`.
    pub(super) fn connect(&self, gateway: SocketAddr, opener: &Opener) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        let port = socket.local_addr()?.as_socket().map_or(0, |address| address.port());
        let binding = self.binding_of(opener);
        self.by_port.lock().map_err(|_| io::ErrorKind::Other)?.insert(port, binding);
        socket.connect(&gateway.into())?;
        socket.set_tcp_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(socket.into())
    }

    fn binding_of(&self, opener: &Opener) -> Binding {
        let cookie = self.next_cookie.fetch_add(1, Ordering::Relaxed) + 1;
        Binding {
            original: opener.original,
            cgroup: host::cgroup_id(opener.cgroup),
            process: ProcessFacts {
                tgid: std::process::id(),
                tid: std::process::id(),
                start_boottime_ns: 1,
                exec_id: 1,
                executable: None,
                comm: "made-up".to_owned(),
            },
            user: UserFacts { uid: opener.uid, gid: opener.uid, login_uid: None },
            socket_cookie: cookie,
            netns_cookie: 1,
            connected_boottime_ns: cookie,
        }
    }
}

impl FlowTable for MadeUpFlows {
    fn binding(&self, accepted: BorrowedFd<'_>) -> Result<Option<Binding>, FlowError> {
        let peer = SockRef::from(&accepted).peer_addr().map_err(FlowError::Lookup)?;
        let port = peer.as_socket().map_or(0, |address| address.port());
        let table =
            self.by_port.lock().map_err(|_| FlowError::Lookup(io::ErrorKind::Other.into()))?;
        Ok(table.get(&port).cloned())
    }

    fn exempt(&self, _: BorrowedFd<'_>) -> Result<(), FlowError> {
        Ok(())
    }
}
