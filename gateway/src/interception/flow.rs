//! Which socket is which: the binding of an accepted socket, and the mark on the gateway's own.
//!
//! Owns the trait that the proxy is given, and its kernel implementation. The proxy can be run
//! without a kernel by another implementation of the trait.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Arc;

use gateway_ebpf::{EXECUTABLE_KNOWN, LOGIN_UID_UNSET, Record};
use model::{Binding, CgroupId, FileId, ProcessFacts, UserFacts};

use super::programs::Programs;

/// The kernel did not answer.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The map of bindings cannot be read for this socket.
    #[error("the binding of the socket cannot be read")]
    Lookup(#[source] io::Error),
    /// The socket cannot be marked.
    #[error("the socket cannot be marked as the gateway's own")]
    Mark(#[source] io::Error),
}

/// The kernel's knowledge of sockets.
pub trait FlowTable: Send + Sync + std::fmt::Debug {
    /// The binding of an accepted socket; `None` where it did not come through a redirected connect,
    /// and must be refused.
    ///
    /// # Errors
    /// [`FlowError::Lookup`]; refuse then, too.
    fn binding(&self, accepted: BorrowedFd<'_>) -> Result<Option<Binding>, FlowError>;

    /// Marks a socket as the gateway's own, before it binds or connects: it passes every hook.
    ///
    /// # Errors
    /// [`FlowError::Mark`].
    fn exempt(&self, socket: BorrowedFd<'_>) -> Result<(), FlowError>;
}

/// The kernel's sk_storage maps.
#[derive(Clone, Debug)]
pub struct KernelFlows {
    programs: Arc<Programs>,
}

impl KernelFlows {
    /// The flows that these programs bind.
    #[must_use]
    pub fn new(programs: Arc<Programs>) -> Self {
        Self { programs }
    }
}

impl FlowTable for KernelFlows {
    fn binding(&self, accepted: BorrowedFd<'_>) -> Result<Option<Binding>, FlowError> {
        let record = self.programs.maps.accepted.get(&accepted.as_raw_fd());
        record.map(|found| found.as_ref().map(decode)).map_err(FlowError::Lookup)
    }

    fn exempt(&self, socket: BorrowedFd<'_>) -> Result<(), FlowError> {
        self.programs.maps.exempt.put(&socket.as_raw_fd(), &1).map_err(FlowError::Mark)
    }
}

/// The kernel's layout in the gateway's words.
fn decode(record: &Record) -> Binding {
    let executable = (record.known & EXECUTABLE_KNOWN != 0).then(|| FileId {
        device: device_number(record.executable_device),
        inode: record.executable_inode,
    });
    Binding {
        original: SocketAddr::new(address(record.original), record.original_port),
        cgroup: CgroupId(record.cgroup),
        process: ProcessFacts {
            tgid: record.tgid,
            tid: record.tid,
            start_boottime_ns: record.start_boottime_ns,
            exec_id: record.exec_id,
            executable,
            comm: text(&record.comm),
        },
        user: UserFacts {
            uid: record.uid,
            gid: record.gid,
            login_uid: (record.login_uid != LOGIN_UID_UNSET).then_some(record.login_uid),
        },
        socket_cookie: record.socket_cookie,
        netns_cookie: record.netns_cookie,
        connected_boottime_ns: record.connected_boottime_ns,
    }
}

/// An address in 16 bytes; a v4-mapped one as IPv4.
pub(super) fn address(bytes: [u8; 16]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()
}

/// `comm` up to its NUL. Any bytes can be in it.
pub(super) fn text(comm: &[u8]) -> String {
    let end = memchr_nul(comm);
    String::from_utf8_lossy(comm.get(..end).unwrap_or(comm)).into_owned()
}

fn memchr_nul(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len())
}

/// The kernel's own encoding (12 bits of major above 20 of minor) as `stat` gives it.
fn device_number(kernel: u32) -> u64 {
    libc::makedev(kernel >> 20, kernel & 0x000f_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_address_is_read_as_ipv4() {
        let mut bytes = [0_u8; 16];
        bytes[10..].copy_from_slice(&[0xff, 0xff, 10, 0, 5, 10]);
        assert_eq!(address(bytes), "10.0.5.10".parse::<IpAddr>().unwrap());
        assert_eq!(address([0; 16]), "::".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn a_device_is_given_as_stat_gives_it() {
        assert_eq!(device_number(254 << 20), 254 << 8);
        assert_eq!(device_number((8 << 20) | 0x123), libc::makedev(8, 0x123));
    }

    #[test]
    fn comm_without_a_nul_is_taken_whole() {
        assert_eq!(text(b"nightly-report\0\0"), "nightly-report");
        assert_eq!(text(b"sixteen-bytes-xx"), "sixteen-bytes-xx");
    }
}
