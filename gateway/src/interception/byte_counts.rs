//! The kernel's own count of what passed over a TCP socket.
//!
//! Owns one question to the kernel. Must not know whose socket it is.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Bytes over one socket, as the kernel counts them (`tcp_info` in linux/tcp.h).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByteCounts {
    /// Received from the peer (`tcpi_bytes_received`).
    pub received: u64,
    /// Sent and acknowledged by the peer (`tcpi_bytes_acked`).
    pub acknowledged: u64,
}

/// Asks the kernel. Works until the socket is closed, also after the peer has gone.
///
/// # Errors
/// Of `getsockopt`: not a TCP socket.
pub fn byte_counts(socket: BorrowedFd<'_>) -> io::Result<ByteCounts> {
    // SAFETY: a structure of integers; all zero is a value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).unwrap_or(0);
    // SAFETY: the kernel writes at most `length` bytes into the structure.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(ByteCounts { received: info.tcpi_bytes_received, acknowledged: info.tcpi_bytes_acked })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn the_kernel_counts_both_ways() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(b"hello").unwrap();
        server.read_exact(&mut [0; 5]).unwrap();
        server.write_all(b"good day").unwrap();
        client.read_exact(&mut [0; 8]).unwrap();
        let counts = byte_counts(server.as_fd()).unwrap();
        assert_eq!(counts.received, 5);
        // The acknowledgement of the last bytes may still be on its way.
        assert!(counts.acknowledged <= 9, "{counts:?}");
    }
}
