//! Connecting through io_uring: in the caller, on a worker thread, or by the kernel's polling thread.

use std::io;
use std::os::fd::AsRawFd;

use io_uring::{IoUring, opcode, squeue, types};
use socket2::{SockAddr, Socket};

/// A ring, and how entries are to be done.
pub(super) struct Ring {
    ring: IoUring,
    flags: squeue::Flags,
}

impl Ring {
    /// `inline`, `async` (always on a worker thread) or `polled` (by a kernel thread that was started
    /// with the ring).
    pub(super) fn new(kind: &str) -> io::Result<Self> {
        let flags = match kind {
            "async" => squeue::Flags::ASYNC,
            _ => squeue::Flags::empty(),
        };
        let ring = match kind {
            "polled" => IoUring::builder().setup_sqpoll(1_000).build(4)?,
            "inline" | "async" => IoUring::new(4)?,
            _ => return Err(super::bad()),
        };
        Ok(Self { ring, flags })
    }

    pub(super) fn connect(&mut self, socket: &Socket, to: &SockAddr) -> io::Result<String> {
        let entry =
            opcode::Connect::new(types::Fd(socket.as_raw_fd()), to.as_ptr().cast(), to.len())
                .build()
                .flags(self.flags);
        // SAFETY: the address outlives the entry: this waits for its completion.
        unsafe { self.ring.submission().push(&entry) }.map_err(|_| super::bad())?;
        self.ring.submit_and_wait(1)?;
        let done = self.ring.completion().next().ok_or_else(super::bad)?;
        match done.result() {
            0 => Ok(String::new()),
            error => Err(io::Error::from_raw_os_error(-error)),
        }
    }
}
