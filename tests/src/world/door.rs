//! A front door for unchanged programs, whose source port nobody can know beforehand.
//!
//! Owns a listener that passes bytes on over connections that are bound to the usual workload. Its
//! threads end with their connections, and the listener with the door.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::flows::{MadeUpFlows, Opener};

/// The door.
#[derive(Debug)]
pub(super) struct Door {
    address: SocketAddr,
    closed: Arc<AtomicBool>,
}

impl Door {
    /// Opens a door to `gateway` for connections to `original`; at the first of `own` where nobody
    /// else is (worlds may share a server).
    pub(super) fn open(
        gateway: SocketAddr,
        flows: Arc<MadeUpFlows>,
        original: SocketAddr,
        own: Vec<SocketAddr>,
    ) -> Self {
        let listener = own
            .into_iter()
            .find_map(|address| TcpListener::bind(address).ok())
            .or_else(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok())
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let closed = Arc::new(AtomicBool::new(false));
        let watched = Arc::clone(&closed);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if watched.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(inner) = flows.connect(gateway, &Opener::usual(original)) {
                    let _ = inner.set_read_timeout(None);
                    pass_both_ways(client, inner);
                }
            }
        });
        Self { address, closed }
    }

    /// Where it is.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a program connects to.
    pub(super) const fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it is closed.
        let _ = TcpStream::connect(self.address);
    }
}

fn pass_both_ways(outer: TcpStream, inner: TcpStream) {
    let (Ok(outer_again), Ok(inner_again)) = (outer.try_clone(), inner.try_clone()) else { return };
    std::thread::spawn(move || pass(&outer, &inner));
    std::thread::spawn(move || pass(&inner_again, &outer_again));
}

fn pass(mut from: &TcpStream, mut to: &TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
