//! Loading a way with requests, by the programs everybody uses.
//!
//! Owns calling wrk and h2load and reading what they print. An answer that is none of success fails
//! the run: it would be a fast one.

use super::super::peers::Way;
use super::arena::{Arena, Encryption};
use crate::fault::{During, Fault, Outcome};

/// A load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Its name in reports.
    pub(super) name: &'static str,
    /// What it runs in.
    pub(super) encryption: Encryption,
    /// Connections side by side.
    pub(super) connections: u32,
    /// Requests side by side on each, of HTTP/2; `None` for HTTP/1.1.
    pub(super) streams: Option<u32>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    /// Requests that were answered.
    pub(super) requests: f64,
    /// In a second.
    pub(super) a_second: f64,
}

impl Load {
    /// Loads a way for some seconds.
    pub(super) fn run(&self, arena: &Arena, way: &Way, path: &str, seconds: u32) -> Outcome<Found> {
        let address = self.encryption.address(way, path);
        let (program, line) = match self.streams {
            None => (
                "wrk",
                vec![
                    "-t1".to_owned(),
                    format!("-c{}", self.connections),
                    format!("-d{seconds}s"),
                    address,
                ],
            ),
            Some(streams) => (
                "h2load",
                vec![
                    "-t1".to_owned(),
                    format!("-c{}", self.connections),
                    format!("-m{streams}"),
                    format!("-D{seconds}"),
                    address,
                ],
            ),
        };
        let said = arena.run(way, program, &line)?;
        let found = if self.streams.is_some() { of_h2load(&said) } else { of_wrk(&said) };
        match found {
            Some(found) => Ok(found),
            None => Fault::because(format!("{program} over {} found: {said}", way.name)),
        }
        .during(self.name)
    }
}

/// `  2468 requests in 2.00s, 1.2MB read` and `Requests/sec:   1234.00`.
fn of_wrk(said: &str) -> Option<Found> {
    if said.contains("Non-2xx") {
        return None;
    }
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let mut lines = said.lines();
    let requests = lines.find_map(|line| number(line.split_once(" requests in ")?.0))?;
    let a_second = lines.find_map(|line| number(line.strip_prefix("Requests/sec:")?))?;
    (requests > 0.0).then_some(Found { requests, a_second })
}

/// `finished in 2.00s, 1234.00 req/s, 1.2MB/s` and `status codes: 2468 2xx, 0 3xx, ..`.
fn of_h2load(said: &str) -> Option<Found> {
    let a_second: f64 = said.lines().find_map(|line| {
        let (before, _) = line.strip_prefix("finished in ")?.split_once(" req/s")?;
        before.rsplit(' ').next()?.parse().ok()
    })?;
    let counts = said.lines().find_map(|line| line.strip_prefix("status codes: "))?;
    let mut counts = counts.split(", ").map(|count| count.split(' ').next()?.parse::<f64>().ok());
    let requests = counts.next()??;
    let others: f64 = counts.map(Option::unwrap_or_default).sum();
    (requests > 0.0 && others == 0.0).then_some(Found { requests, a_second })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRK: &str = "Running 2s test @ http://127.0.0.1:8080/\n  1 threads and 32 connections\n  \
                       Thread Stats   Avg      Stdev     Max   +/- Stdev\n    \
                       Latency   1.02ms  200.00us   9.00ms   90.00%\n  \
                       62468 requests in 2.10s, 40.21MB read\n\
                       Requests/sec:  29746.66\nTransfer/sec:     19.15MB\n";
    const H2LOAD: &str = "starting benchmark...\n\nfinished in 2.00s, 5123.50 req/s, 3.10MB/s\n\
                          requests: 10247 total, 10279 started, 10247 done, 10247 succeeded, 0 \
                          failed, 0 errored, 0 timeout\n\
                          status codes: 10247 2xx, 0 3xx, 0 4xx, 0 5xx\n";

    #[test]
    fn what_they_print_is_read() {
        assert_eq!(of_wrk(WRK), Some(Found { requests: 62468.0, a_second: 29746.66 }));
        assert_eq!(of_h2load(H2LOAD), Some(Found { requests: 10247.0, a_second: 5123.5 }));
    }

    #[test]
    fn a_refusal_is_no_answer() {
        let refused =
            WRK.replace("Requests/sec", "  Non-2xx or 3xx responses: 62468\nRequests/sec");
        assert_eq!(of_wrk(&refused), None);
        assert_eq!(of_h2load(&H2LOAD.replace("0 4xx", "17 4xx")), None);
        assert_eq!(of_wrk(""), None);
        assert_eq!(of_h2load(""), None);
    }
}
