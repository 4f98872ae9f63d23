//! The bytes between a client of SSH and the gateway.
//!
//! Owns two threads that pass them on, and what is done to those of the client: a pause, an end, or
//! more bytes. Must not know what they mean. Ends with either side, or with the value.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tests::assert_eventually;

/// What is done after so many bytes of the client's.
#[derive(Clone, Copy, Debug)]
enum Then {
    Pause,
    End,
}

/// The way from a client to the gateway.
#[derive(Debug)]
pub(super) struct Line {
    gateway: TcpStream,
    next: Arc<Mutex<Option<(usize, Then)>>>,
}

impl Line {
    /// To the gateway; gives the client's end.
    pub(super) fn to(gateway: TcpStream) -> (Self, UnixStream) {
        let (client, inner) = UnixStream::pair().unwrap();
        gateway.set_read_timeout(None).unwrap();
        let line = Self { gateway: gateway.try_clone().unwrap(), next: Arc::default() };
        let (mut from, mut to) = (gateway.try_clone().unwrap(), inner.try_clone().unwrap());
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            // A client that is still writing must read to the end what it is told.
            let _ = to.shutdown(Shutdown::Write);
        });
        let next = Arc::clone(&line.next);
        std::thread::spawn(move || {
            pass(&inner, &gateway, &next);
            let _ = std::io::copy(&mut &inner, &mut std::io::sink());
            let _ = gateway.shutdown(Shutdown::Both);
        });
        (line, client)
    }

    /// Sends bytes that are not the client's.
    pub(super) fn inject(&self, bytes: &[u8]) {
        // A gateway that has hung up is seen by the next answer.
        let _ = (&self.gateway).write_all(bytes);
    }

    /// Pauses after so many more bytes.
    pub(super) fn pause_after(&self, bytes: usize) {
        *self.next.lock().unwrap() = Some((bytes, Then::Pause));
    }

    /// Ends after so many more bytes.
    pub(super) fn end_after(&self, bytes: usize) {
        *self.next.lock().unwrap() = Some((bytes, Then::End));
    }

    /// Waits until it has ended as planned.
    pub(super) fn wait_for_end(&self) {
        assert_eventually!(self.next.lock().unwrap().is_none(), "so many bytes never came");
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.gateway.shutdown(Shutdown::Both);
    }
}

fn pass(mut client: &UnixStream, mut gateway: &TcpStream, next: &Mutex<Option<(usize, Then)>>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        let mut bytes = buffer.get(..count).unwrap();
        let planned = *next.lock().unwrap();
        if let Some((after, then)) = planned {
            let (first, second) = bytes.split_at(after.min(count));
            if gateway.write_all(first).is_err() {
                return;
            }
            if after > count {
                *next.lock().unwrap() = Some((after - count, then));
                continue;
            }
            if matches!(then, Then::End) {
                let _ = gateway.shutdown(Shutdown::Both);
            }
            *next.lock().unwrap() = None;
            std::thread::sleep(Duration::from_millis(1));
            bytes = second;
        }
        if gateway.write_all(bytes).is_err() {
            return;
        }
    }
}
