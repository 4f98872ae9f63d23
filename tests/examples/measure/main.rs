//! The measuring half of `cargo xtask bench`: a program that is run where a client would run, and
//! prints one line of JSON.
//!
//! Owns the inner loops. Must not know which way it is sent, nor what is a good number.
//!
//! ```text
//! measure drain PORT USER DATABASE SQL     reads the whole answer, as fast as it comes
//! measure first-byte PORT COUNT            from connect to the answer to an SSLRequest
//! measure log-in PORT USER DATABASE COUNT  from connect to "ready for query"
//! measure hook ADDRESS COUNT               UDP connects to one address: only the hook has work
//! measure runs PROGRAM                     how often a kernel program has run, and for how long
//! measure statements                       reading and deciding a point query
//! measure detectors                        looking through clean text
//! ```

mod inner;

use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use tests::client::{Client, messages};
use tests::cluster::User;

type Outcome = Result<String, Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let line = match words.as_slice() {
        ["drain", port, user, database, sql] => drain(port.parse()?, user, database, sql),
        ["first-byte", port, count] => first_byte(port.parse()?, count.parse()?),
        ["log-in", port, user, database, count] => {
            log_in(port.parse()?, user, database, count.parse()?)
        }
        ["statements"] => inner::statements(),
        ["detectors"] => inner::detectors(),
        ["runs", program] => runs(program),
        ["hook", address, count] => hook(address.parse()?, count.parse()?),
        _ => Err("see the head of this file for what can be measured".into()),
    }?;
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

/// Reads an answer to its end and only counts.
fn drain(port: u16, user: &str, database: &str, sql: &str) -> Outcome {
    let mut stream = logged_in(port, user, database)?;
    let began = Instant::now();
    stream.write_all(&messages::query(sql))?;
    let mut frames = Frames::default();
    let mut buffer = vec![0; 256 * 1024];
    let mut bytes = 0_u64;
    while !frames.ready {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Err("the connection ended before the answer did".into());
        }
        bytes += count as u64;
        frames.take(buffer.get(..count).unwrap_or_default());
    }
    if frames.errors > 0 {
        return Err("the server answered with an error".into());
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok(format!(r#"{{"bytes":{bytes},"rows":{},"seconds":{seconds}}}"#, frames.rows))
}

/// Walks over messages without keeping them.
#[derive(Default)]
struct Frames {
    /// Bytes of the current message that are still to come.
    left: usize,
    /// The start of a header that came in two parts.
    head: Vec<u8>,
    rows: u64,
    errors: u64,
    ready: bool,
}

impl Frames {
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let skipped = self.left.min(bytes.len());
            self.left -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            if self.left > 0 {
                return;
            }
            let wanted = (5 - self.head.len()).min(bytes.len());
            let (part, rest) = bytes.split_at(wanted);
            self.head.extend_from_slice(part);
            bytes = rest;
            if let [tag, length @ ..] = self.head.as_slice()
                && let Ok(length) = <[u8; 4]>::try_from(length)
            {
                self.left = (u32::from_be_bytes(length) as usize).saturating_sub(4);
                match *tag {
                    b'D' | b'd' => self.rows += 1,
                    b'E' => self.errors += 1,
                    b'Z' => self.ready = true,
                    _ => {}
                }
                self.head.clear();
            }
        }
    }
}

fn first_byte(port: u16, count: usize) -> Outcome {
    let times = timed(count, || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.write_all(&messages::ssl_request())?;
        let mut answer = [0; 1];
        stream.read_exact(&mut answer)?;
        Ok(stream)
    })?;
    Ok(summary(times))
}

fn log_in(port: u16, user: &str, database: &str, count: usize) -> Outcome {
    let times = timed(count, || logged_in(port, user, database))?;
    Ok(summary(times))
}

/// The destination is never sent to: connecting a UDP socket only asks the kernel.
fn hook(address: SocketAddr, count: usize) -> Outcome {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let batch = 1_000;
    let mut refused = false;
    let mut times = Vec::with_capacity(count / batch);
    for _ in 0..count / batch {
        let began = Instant::now();
        for _ in 0..batch {
            refused |= socket.connect(address).is_err();
        }
        times.push(began.elapsed() / u32::try_from(batch)?);
    }
    let line = summary(times);
    Ok(format!(r#"{{"refused":{refused},"connect":{line}}}"#))
}

/// What the kernel has counted of the programs of this name, of all instances on this host: they
/// are all attached at the root, so each runs on every connect.
fn runs(name: &str) -> Outcome {
    let (mut count, mut nanoseconds) = (0, 0);
    for program in aya::programs::loaded_programs() {
        let program = program?;
        if program.name_as_str() != Some(name) {
            continue;
        }
        let descriptor = program.fd()?;
        let place = format!("/proc/self/fdinfo/{}", descriptor.as_fd().as_raw_fd());
        let text = std::fs::read_to_string(place)?;
        let number = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|value| value.trim().parse::<u64>().ok()).unwrap_or(0)
        };
        count += number("run_cnt:");
        nanoseconds += number("run_time_ns:");
    }
    Ok(format!(r#"{{"count":{count},"nanoseconds":{nanoseconds}}}"#))
}

fn logged_in(port: u16, user: &str, database: &str) -> Result<TcpStream, Box<dyn Error>> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_nodelay(true)?;
    let mut client = Client::over(stream.try_clone()?);
    let nobody = User { name: "", password: "" };
    client
        .start(nobody, &[("user", user), ("database", database)])
        .map_err(|failure| format!("no log-in: {failure:?}"))?;
    Ok(stream)
}

/// Times `count` runs; what a run gives is dropped outside its time.
fn timed<T>(
    count: usize,
    mut run: impl FnMut() -> Result<T, Box<dyn Error>>,
) -> Result<Vec<Duration>, Box<dyn Error>> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let began = Instant::now();
        let kept = run()?;
        times.push(began.elapsed());
        drop(kept);
    }
    Ok(times)
}

/// Median and 99th percentile in nanoseconds.
fn summary(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |part: usize| times.get(times.len() * part / 100).map_or(0, Duration::as_nanos);
    format!(r#"{{"p50_ns":{},"p99_ns":{},"count":{}}}"#, at(50), at(99), times.len())
}
