//! Setup: brings a fresh Debian machine to where everything builds and every test can run.
//!
//! Owns the list of what is needed, why, and the order of installing it. Idempotent: what is
//! there already is left alone, and when nothing is missing nothing is touched. Ends with every
//! part in place, or with the one command that a person has to run.

mod bpf;
mod kubernetes;
mod node;
mod packages;
mod postgres18;
mod python;

use clap::Args;

use crate::console;
use crate::fault::Outcome;

/// What a chore needs, beyond Rust itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// Compiling the workspace.
    Build,
    /// Compiling and loading the kernel programs.
    Kernel,
    /// Network namespaces and certificates, for whatever is staged.
    Stage,
    /// A real PostgreSQL with its clients.
    Postgres,
    /// A real MariaDB server, and the clients that jobs and services use.
    Mysql,
    /// A real SSH server, and the clients that legacy jobs use.
    Ssh,
    /// The runtimes that are to trust the gateway.
    Trust,
    /// A real web server, and the clients that legacy jobs use.
    Http,
    /// The proxies that the benchmarks compare with.
    Peers,
    /// What the benchmark of HTTP loads with and compares with.
    HttpPeers,
    /// What the benchmark of MySQL loads with.
    MysqlPeers,
    /// A second PostgreSQL, of the newest major version.
    Postgres18,
    /// A real Kubernetes API server, which is built from source, and its clients.
    Kubernetes,
}

/// Arguments of `setup`.
#[derive(Args, Debug)]
pub(crate) struct SetupArguments {
    /// Only look: print what is missing, install nothing, fail if something is missing
    #[arg(long)]
    check: bool,
    /// Also what the tests and the demo of Kubernetes need: an API server is built, which takes
    /// about ten minutes
    #[arg(long)]
    kubernetes: bool,
}

/// Everything that any chore needs, but for what is asked for by name.
const EVERYTHING: &[Need] = &[
    Need::Build,
    Need::Kernel,
    Need::Stage,
    Need::Postgres,
    Need::Mysql,
    Need::Ssh,
    Need::Trust,
    Need::Http,
    Need::Peers,
    Need::HttpPeers,
    Need::MysqlPeers,
    Need::Postgres18,
];

/// `cargo xtask setup`.
pub(crate) fn run(arguments: &SetupArguments) -> Outcome {
    let named = arguments.kubernetes.then_some(Need::Kubernetes);
    let needs: Vec<Need> = EVERYTHING.iter().copied().chain(named).collect();
    if arguments.check {
        return check(&needs);
    }
    ensure(&needs)?;
    console::step("Ready", "everything that building, testing, the demo and the benches need");
    Ok(())
}

/// Installs what of `needs` is missing.
pub(crate) fn ensure(needs: &[Need]) -> Outcome {
    packages::ensure(needs)?;
    if needs.contains(&Need::Kernel) {
        bpf::ensure()?;
    }
    if [Need::Postgres, Need::Mysql, Need::Ssh, Need::Trust].iter().any(|need| needs.contains(need))
    {
        python::CLIENTS.ensure()?;
    }
    if needs.contains(&Need::HttpPeers) {
        python::MITMPROXY.ensure()?;
    }
    if needs.contains(&Need::Mysql) {
        node::ensure()?;
    }
    if needs.contains(&Need::Postgres18) {
        postgres18::ensure()?;
    }
    if needs.contains(&Need::Kubernetes) {
        python::KUBERNETES.ensure()?;
        kubernetes::ensure()?;
    }
    Ok(())
}

fn check(needs: &[Need]) -> Outcome {
    let mut missing = packages::missing(needs)?;
    missing.extend(bpf::missing()?);
    missing.extend(python::CLIENTS.missing()?);
    missing.extend(python::MITMPROXY.missing()?);
    missing.extend(node::missing()?);
    missing.extend(postgres18::missing()?);
    if needs.contains(&Need::Kubernetes) {
        missing.extend(python::KUBERNETES.missing()?);
        missing.extend(kubernetes::missing()?);
    }
    if missing.is_empty() {
        console::step("Ready", "nothing is missing");
        return Ok(());
    }
    crate::fault::Fault::because(format!("missing:\n  {}", missing.join("\n  ")))
}
