//! A workload for the kernel tests: does one system call per line of its standard input.
//!
//! Owns sockets by name. Each line gets one line of answer: `ok`, `ok TEXT` or `err ERRNO`. The tests
//! say in which cgroup and network namespace it runs, so that every row of the bypass matrix is a few
//! lines of dialogue. It ends with its input.

use std::collections::HashMap;
use std::io::{self, BufRead, Read, Write};
use std::mem::{size_of, zeroed};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use socket2::{SockAddr, Socket};

#[path = "workload/passing.rs"]
mod passing;
#[path = "workload/ring.rs"]
mod ring;

fn main() {
    let mut workload = Workload::default();
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match workload.obey(&words) {
            Ok(text) if text.is_empty() => "ok".to_owned(),
            Ok(text) => format!("ok {text}"),
            Err(error) => format!("err {}", error.raw_os_error().unwrap_or(-1)),
        };
        let mut out = io::stdout().lock();
        if writeln!(out, "{answer}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

/// The sockets and rings, by name.
#[derive(Default)]
struct Workload {
    sockets: HashMap<String, Socket>,
    rings: HashMap<String, ring::Ring>,
}

impl Workload {
    fn obey(&mut self, words: &[&str]) -> io::Result<String> {
        match *words {
            ["pid"] => Ok(std::process::id().to_string()),
            ["socket", name, family, kind, protocol] => self.make(name, family, kind, protocol),
            ["close", name] => self.sockets.remove(name).map(|_| String::new()).ok_or_else(bad),
            ["enter", cgroup_procs] => enter(cgroup_procs),
            ["storm", sport, prefix, count] => storm(sport, prefix, count),
            ["exec", program, argument] => Err(exec(program, argument)),
            ["fork-connect", address] => fork_connect(address),
            ["thread-connect", address] => thread_connect(address),
            ["ring", name, kind] => {
                self.rings.insert(name.to_owned(), ring::Ring::new(kind)?);
                Ok(String::new())
            }
            ["ring-connect", ring, name, to] => {
                let socket = self.sockets.get(name).ok_or_else(bad)?;
                self.rings.get_mut(ring).ok_or_else(bad)?.connect(socket, &address(to)?)
            }
            ["take", name, at] => {
                self.sockets.insert(name.to_owned(), passing::take(at)?);
                Ok(String::new())
            }
            [verb, name, ref rest @ ..] => {
                let socket = self.sockets.get(name).ok_or_else(bad)?;
                on_socket(socket, verb, rest)
            }
            _ => Err(bad()),
        }
    }

    fn make(&mut self, name: &str, family: &str, kind: &str, protocol: &str) -> io::Result<String> {
        let family = match family {
            "inet" => libc::AF_INET,
            "inet6" => libc::AF_INET6,
            "packet" => libc::AF_PACKET,
            _ => return Err(bad()),
        };
        let kind = match kind {
            "stream" => libc::SOCK_STREAM,
            "dgram" => libc::SOCK_DGRAM,
            "raw" => libc::SOCK_RAW,
            "seqpacket" => libc::SOCK_SEQPACKET,
            _ => return Err(bad()),
        };
        let socket = Socket::new(family.into(), kind.into(), Some(number(protocol)?.into()))?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        self.sockets.insert(name.to_owned(), socket);
        Ok(String::new())
    }
}

/// What is done with one socket.
fn on_socket(socket: &Socket, verb: &str, rest: &[&str]) -> io::Result<String> {
    match (verb, rest) {
        ("connect", [to]) => socket.connect(&address(to)?).map(|()| String::new()),
        ("bind", [to]) => socket.bind(&address(to)?).map(|()| String::new()),
        ("listen", []) => socket.listen(8).map(|()| String::new()),
        ("disconnect", []) => disconnect(socket),
        ("nonblocking", [on]) => socket.set_nonblocking(*on == "on").map(|()| String::new()),
        ("wait", []) => wait(socket),
        ("device", [device]) => socket.bind_device(Some(device.as_bytes())).map(|()| String::new()),
        ("device", []) => {
            let device = socket.device()?.unwrap_or_default();
            Ok(String::from_utf8_lossy(&device).into_owned())
        }
        ("reuse", []) => socket.set_reuse_address(true).map(|()| String::new()),
        ("reuse-port", []) => socket.set_reuse_port(true).map(|()| String::new()),
        ("linger", []) => socket.set_linger(Some(Duration::ZERO)).map(|()| String::new()),
        ("send", [text]) => socket.send(text.as_bytes()).map(|sent| sent.to_string()),
        ("send-to", [to, text]) => {
            socket.send_to(text.as_bytes(), &address(to)?).map(|sent| sent.to_string())
        }
        ("fast-open", [to, text]) => socket
            .send_to_with_flags(text.as_bytes(), &address(to)?, libc::MSG_FASTOPEN)
            .map(|sent| sent.to_string()),
        ("fast-open-connect", []) => set(socket, libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT, 1),
        ("mark", [mark]) => set(socket, libc::SOL_SOCKET, libc::SO_MARK, number(mark)?),
        ("receive", []) => receive(socket),
        ("peer", []) => shown(&socket.peer_addr()?),
        ("local", []) => shown(&socket.local_addr()?),
        ("pass", [at]) => passing::pass(socket, at),
        _ => Err(bad()),
    }
}

fn bad() -> io::Error {
    io::Error::from_raw_os_error(-2)
}

fn number(text: &str) -> io::Result<i32> {
    text.parse().map_err(|_| bad())
}

fn address(text: &str) -> io::Result<SockAddr> {
    text.parse::<SocketAddr>().map(SockAddr::from).map_err(|_| bad())
}

fn shown(address: &SockAddr) -> io::Result<String> {
    address.as_socket().map(|address| address.to_string()).ok_or_else(bad)
}

fn receive(mut socket: &Socket) -> io::Result<String> {
    let mut bytes = [0; 256];
    let read = socket.read(&mut bytes)?;
    Ok(String::from_utf8_lossy(bytes.get(..read).unwrap_or_default()).into_owned())
}

/// Waits for a connect that went on in the background, and says how it ended.
fn wait(socket: &Socket) -> io::Result<String> {
    let mut poll = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: one valid entry.
    if unsafe { libc::poll(&raw mut poll, 1, 5_000) } < 0 {
        return Err(io::Error::last_os_error());
    }
    match socket.take_error()? {
        Some(error) => Err(error),
        None if poll.revents == 0 => Err(io::Error::from_raw_os_error(libc::ETIMEDOUT)),
        None => Ok(String::new()),
    }
}

/// `connect` to `AF_UNSPEC`: the socket is as new.
fn disconnect(socket: &Socket) -> io::Result<String> {
    // SAFETY: a structure of integers; all zero is a value, and its family is AF_UNSPEC.
    let none: libc::sockaddr = unsafe { zeroed() };
    let length = libc::socklen_t::try_from(size_of::<libc::sockaddr>()).map_err(|_| bad())?;
    // SAFETY: the address is valid for the call.
    let result = unsafe { libc::connect(socket.as_raw_fd(), &raw const none, length) };
    if result == 0 { Ok(String::new()) } else { Err(io::Error::last_os_error()) }
}

fn set(socket: &Socket, level: i32, option: i32, value: i32) -> io::Result<String> {
    let length = libc::socklen_t::try_from(size_of::<i32>()).map_err(|_| bad())?;
    // SAFETY: the value is an integer that lives through the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            std::ptr::from_ref(&value).cast(),
            length,
        )
    };
    if result == 0 { Ok(String::new()) } else { Err(io::Error::last_os_error()) }
}

/// Moves this process into a cgroup.
fn enter(cgroup_procs: &str) -> io::Result<String> {
    std::fs::write(cgroup_procs, std::process::id().to_string()).map(|()| String::new())
}

/// Connects from one fixed source port to `PREFIX.x.y:5432` for `count` different addresses, each
/// time reading one greeting and closing with a reset; says how many greetings came.
fn storm(sport: &str, prefix: &str, count: &str) -> io::Result<String> {
    let (sport, count) = (number(sport)?, number(count)?);
    let mut greeted = 0;
    for index in 0..count {
        let socket = Socket::new(libc::AF_INET.into(), libc::SOCK_STREAM.into(), None)?;
        socket.set_reuse_address(true)?;
        socket.set_linger(Some(Duration::ZERO))?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        socket.bind(&address(&format!("127.0.0.1:{sport}"))?)?;
        socket.connect(&address(&format!("{prefix}.{}.{}:5432", index / 250, index % 250 + 1))?)?;
        greeted += i32::from(receive(&socket)? == "PROXY");
    }
    Ok(greeted.to_string())
}

/// Replaces this process; answers only if that failed.
fn exec(program: &str, argument: &str) -> io::Error {
    use std::os::unix::process::CommandExt;
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "ok").and_then(|()| out.flush());
    std::process::Command::new(program).arg(argument).exec()
}

/// Connects in a child process, leaves the connection to the kernel and the child to nobody: by the
/// time of the answer the process is gone. Says the child's process id.
fn fork_connect(to: &str) -> io::Result<String> {
    let to = address(to)?;
    let socket = Socket::new(to.domain(), socket2::Type::STREAM, None)?;
    // SAFETY: this process has one thread; the child makes system calls only.
    let child = unsafe { libc::fork() };
    match child {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let code = i32::from(socket.connect(&to).is_err());
            // SAFETY: ends the child without running what the parent has to run.
            unsafe { libc::_exit(code) }
        }
        child => {
            let mut status = 0;
            // SAFETY: waits for the child just made.
            unsafe { libc::waitpid(child, &raw mut status, 0) };
            if status == 0 { Ok(child.to_string()) } else { Err(bad()) }
        }
    }
}

/// Connects on a thread that is not the first one, and says its greeting.
fn thread_connect(to: &str) -> io::Result<String> {
    let to = address(to)?;
    let connect = move || {
        let socket = Socket::new(to.domain(), socket2::Type::STREAM, None)?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        socket.connect(&to)?;
        receive(&socket)
    };
    std::thread::spawn(connect).join().map_err(|_| bad())?
}

/// A descriptor that nobody else has, as a socket.
fn owned(fd: RawFd) -> Socket {
    // SAFETY: callers just got it from the kernel.
    Socket::from(unsafe { OwnedFd::from_raw_fd(fd) })
}
