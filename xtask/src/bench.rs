//! `cargo xtask bench`: what the gateway costs, as ratios within one run on one machine.
//!
//! Owns the choice of benchmark and the bars of docs/reference/performance.md. Must
//! not tune what it measures: each bar is printed with what was found, whether it holds or not,
//! and the exit status is 0 either way. Rounds of all peers are interleaved, so that a machine
//! that slows down slows all of them.

mod arena;
mod cells;
mod connect;
mod hook;
mod http;
mod measure;
mod mysql;
mod peers;
mod pgbench;
mod postgres;
mod processor;
mod report;
mod series;
mod ssh;
mod statistics;

use clap::{Args, Subcommand};

use crate::fault::{Fault, Outcome};
use crate::setup::{self, Need};

/// Arguments of `bench`.
#[derive(Args, Debug)]
pub(crate) struct BenchArguments {
    #[command(subcommand)]
    subject: Subject,
    /// Print one line of JSON instead of tables
    #[arg(long, global = true)]
    json: bool,
    /// Rounds of each case; the median is reported
    #[arg(long, global = true, default_value_t = 3)]
    rounds: usize,
    /// Seconds of each round of a throughput case
    #[arg(long, global = true, default_value_t = 2)]
    seconds: u32,
    /// Measure the release build that is there, whatever the sources say by now
    #[arg(long, global = true)]
    no_build: bool,
    /// Measure only the cases with these words in their names; may be repeated
    #[arg(long = "case", global = true, value_name = "WORDS")]
    cases: Vec<String>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, Subcommand)]
enum Subject {
    /// pgbench, streaming, analysis and masking, against direct, pgbouncer and haproxy
    Postgres,
    /// The connect hook, and a connection that is redirected
    Connect,
    /// Bulk by cipher, copies, connections and commands, against OpenSSH itself
    Ssh,
    /// sysbench and a long answer, against direct and haproxy
    Mysql,
    /// Requests a second, masked bodies and first bytes, against direct, nginx, haproxy, mitmproxy
    Http,
}

impl Subject {
    /// What has to be there.
    const fn needs(self) -> &'static [Need] {
        match self {
            Self::Postgres | Self::Connect => {
                &[Need::Build, Need::Kernel, Need::Stage, Need::Postgres, Need::Peers]
            }
            Self::Mysql => &[
                Need::Build,
                Need::Kernel,
                Need::Stage,
                Need::Mysql,
                Need::Peers,
                Need::MysqlPeers,
            ],
            Self::Ssh => &[Need::Build, Need::Kernel, Need::Stage, Need::Ssh],
            Self::Http => {
                &[Need::Build, Need::Kernel, Need::Stage, Need::Http, Need::Peers, Need::HttpPeers]
            }
        }
    }
}

/// `cargo xtask bench`.
pub(crate) fn run(arguments: &BenchArguments) -> Outcome {
    setup::ensure(arguments.subject.needs())?;
    if !arguments.no_build {
        peers::build()?;
        if matches!(arguments.subject, Subject::Postgres | Subject::Connect) {
            measure::build()?;
        }
    }
    let report = match arguments.subject {
        Subject::Postgres => postgres::measure(arguments)?,
        Subject::Connect => connect::measure(arguments)?,
        Subject::Mysql => mysql::measure(arguments)?,
        Subject::Ssh => ssh::measure(arguments)?,
        Subject::Http => http::measure(arguments)?,
    };
    if report.rows.is_empty() && !arguments.cases.is_empty() {
        let words = arguments.cases.join("\" or \"");
        return Fault::because(format!(
            "no case has \"{words}\" in its name: see them without --case"
        ));
    }
    if arguments.json {
        anstream::println!("{}", report.json());
    } else {
        anstream::println!("{}", report.tables());
    }
    Ok(())
}
