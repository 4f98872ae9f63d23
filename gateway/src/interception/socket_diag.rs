//! The kernel's list of TCP sockets, and its way to end one.
//!
//! Owns the netlink dialogue (sock_diag(7), linux/inet_diag.h): a dump of the sockets of one network
//! namespace, and `SOCK_DESTROY`. A socket opened in a namespace keeps speaking for it, whatever
//! thread uses it. Knows nothing of who is governed.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};
use std::os::fd::AsRawFd;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const SOCK_DESTROY: u16 = 21;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_DUMP: u16 = 0x300;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const INET_DIAG_CGROUP_ID: u16 = 21;
/// Every state of `enum tcp_states` in which data can still leave: all but LISTEN (10), TIME_WAIT (6),
/// CLOSE (7) and NEW_SYN_RECV (12).
const LIVE_STATES: u32 = 0xfff & !(1 << 10 | 1 << 6 | 1 << 7);
/// Bytes of a netlink header, of a socket's identity, of a message without attributes.
const HEADER: usize = 16;
const IDENTITY: usize = 48;
const MESSAGE: usize = 4 + IDENTITY + 20;
/// Bytes read at once: the kernel fills at most 32 KiB.
const BUFFER: usize = 64 * 1024;

/// One TCP socket of a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundSocket {
    /// Where it is connected to; a v4-mapped address as IPv4.
    pub(super) peer: SocketAddr,
    /// Its inode, as `/proc/PID/fd` has it; 0 where no process has it open.
    pub(super) inode: u32,
    /// The cgroup in which it was created.
    pub(super) cgroup: Option<u64>,
    family: u8,
    identity: [u8; IDENTITY],
}

/// The netlink socket of one namespace.
#[derive(Debug)]
pub(super) struct SocketDiag {
    netlink: OwnedFd,
}

impl SocketDiag {
    /// Opens it in the namespace of the calling thread.
    pub(super) fn open_here() -> io::Result<Self> {
        let netlink = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkSockDiag,
        )?;
        Ok(Self { netlink })
    }

    /// Every connected or connecting TCP socket of the namespace.
    pub(super) fn connections(&self) -> io::Result<Vec<FoundSocket>> {
        let mut found = Vec::new();
        for family in [libc::AF_INET, libc::AF_INET6] {
            self.dump(u8::try_from(family).unwrap_or_default(), &mut found)?;
        }
        Ok(found)
    }

    /// Ends a socket: its process gets `ECONNABORTED`, the peer a reset. `false` where it was gone.
    pub(super) fn destroy(&self, found: &FoundSocket) -> io::Result<bool> {
        self.request(
            SOCK_DESTROY,
            NLM_F_REQUEST | NLM_F_ACK,
            found.family,
            u32::MAX,
            &found.identity,
        )?;
        let mut buffer = vec![0; BUFFER];
        let length = recv(self.netlink.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
        let answer = buffer.get(..length).unwrap_or_default();
        match error_code(answer.get(HEADER..).unwrap_or_default())? {
            0 => Ok(true),
            libc::ENOENT => Ok(false),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }

    fn dump(&self, family: u8, found: &mut Vec<FoundSocket>) -> io::Result<()> {
        let any = [0; IDENTITY];
        self.request(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, family, LIVE_STATES, &any)?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let length = recv(self.netlink.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
            let mut rest = buffer.get(..length).unwrap_or_default();
            while let Some((kind, body, behind)) = message(rest) {
                match kind {
                    NLMSG_DONE => return Ok(()),
                    NLMSG_ERROR => {
                        return Err(io::Error::from_raw_os_error(error_code(body)?));
                    }
                    _ => found.extend(decode(body)),
                }
                rest = behind;
            }
        }
    }

    fn request(
        &self,
        kind: u16,
        flags: u16,
        family: u8,
        states: u32,
        identity: &[u8; IDENTITY],
    ) -> io::Result<()> {
        let length = u32::try_from(HEADER + 8 + IDENTITY).unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEADER + 8 + IDENTITY);
        bytes.extend_from_slice(&length.to_ne_bytes());
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&flags.to_ne_bytes());
        // Sequence number and port id: one question at a time, so neither is needed.
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&[family, u8::try_from(libc::IPPROTO_TCP).unwrap_or_default()]);
        // No extensions; the cgroup's id comes unasked.
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&states.to_ne_bytes());
        bytes.extend_from_slice(identity);
        send(self.netlink.as_raw_fd(), &bytes, MsgFlags::empty()).map(|_| ()).map_err(Into::into)
    }
}

/// Splits the first netlink message off: its type, its body, and what is behind it.
fn message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
    let body = bytes.get(HEADER..length)?;
    let behind = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((u16_at(bytes, 4)?, body, behind))
}

/// The errno of an error message's body (0 for an acknowledgement).
fn error_code(body: &[u8]) -> io::Result<i32> {
    u32_at(body, 0).map(|code| -code.cast_signed()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Reads `struct inet_diag_msg` and the attribute behind it that names the cgroup.
fn decode(body: &[u8]) -> Option<FoundSocket> {
    let family = *body.first()?;
    let identity: [u8; IDENTITY] = body.get(4..4 + IDENTITY)?.try_into().ok()?;
    let port = u16::from_be_bytes([*identity.get(2)?, *identity.get(3)?]);
    let address: [u8; 16] = identity.get(20..36)?.try_into().ok()?;
    let address = if i32::from(family) == libc::AF_INET {
        let four: [u8; 4] = address.get(..4)?.try_into().ok()?;
        IpAddr::from(four)
    } else {
        IpAddr::V6(Ipv6Addr::from(address)).to_canonical()
    };
    Some(FoundSocket {
        peer: SocketAddr::new(address, port),
        inode: u32_at(body, MESSAGE - 4)?,
        cgroup: cgroup_attribute(body.get(MESSAGE..)?),
        family,
        identity,
    })
}

fn cgroup_attribute(mut attributes: &[u8]) -> Option<u64> {
    loop {
        let length = usize::from(u16_at(attributes, 0)?);
        let value = attributes.get(4..length)?;
        if u16_at(attributes, 2)? == INET_DIAG_CGROUP_ID {
            return value.try_into().ok().map(u64::from_ne_bytes);
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_ne_bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_is_found_and_ended() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (_server, from) = listener.accept().unwrap();
        let diag = SocketDiag::open_here().unwrap();
        let connections = diag.connections().unwrap();
        // The server's end: its peer is the client.
        let server = connections.iter().find(|found| found.peer == from).unwrap();
        assert!(server.inode > 0);
        assert!(server.cgroup.is_some());
        assert!(diag.destroy(server).unwrap());
        assert!(!diag.destroy(server).unwrap());
        assert_eq!(client.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn a_message_cut_anywhere_is_nothing() {
        let mut bytes = Vec::from(20_u32.to_ne_bytes());
        bytes.extend_from_slice(&[3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
        assert_eq!(message(&bytes).unwrap().0, NLMSG_DONE);
        for length in 0..bytes.len() {
            assert!(message(bytes.get(..length).unwrap()).is_none());
        }
        // Shorter than its own header.
        assert!(message(&[8, 0, 0, 0, 3, 0, 0, 0]).is_none());
    }
}
