//! Runs of pgbench's read-only transactions: the smallest statements, so that the hop in between
//! weighs the most.
//!
//! Owns calling pgbench and reading what it says, and the processor time of the hop meanwhile.

use super::arena::Arena;
use super::cells::Run;
use super::peers::{DATABASE, USER, Way};
use super::processor;
use crate::call::Call;
use crate::console;
use crate::fault::{During, Fault, Outcome};
use crate::stage::postgres::Postgres;

/// The query modes, and the numbers of clients, of the cells.
pub(super) const MODES: &[&str] = &["simple", "extended", "prepared"];
pub(super) const CLIENTS: &[u32] = &[1, 8, 32];

/// Fills the database.
pub(super) fn fill(arena: &Arena<Postgres>) -> Outcome {
    console::step("Filling", "pgbench, scale 10");
    let host = format!("--host={}", arena.server.directory().display());
    let port = arena.ways.first().during("no way to the server")?.port;
    Call::new("pgbench")
        .with(["--initialize", "--init-steps=dtgvp", "--scale=10", "--quiet"])
        .with([host, format!("--port={port}"), format!("--username={USER}")])
        .with([DATABASE])
        .output()
        .map(|_| ())
}

/// Runs one mode with so many clients over one way.
pub(super) fn run(
    arena: &Arena<Postgres>,
    way: &Way,
    mode: &str,
    clients: u32,
    seconds: u32,
) -> Outcome<Run> {
    let mut command = arena.client(way, "pgbench")?;
    command.args(["--select-only", "--no-vacuum", "--protocol", mode]);
    command.args([format!("--client={clients}"), format!("--jobs={}", clients.min(2))]);
    command.args([format!("--time={seconds}"), "--host=127.0.0.1".to_owned()]);
    command.args([format!("--port={}", way.port), format!("--username={USER}")]).arg(DATABASE);
    command.env("PGSSLMODE", "disable");
    let before = processor::seconds(&way.processes);
    let output = command.output().during("cannot run pgbench")?;
    let used = processor::seconds(&way.processes) - before;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Fault::because(format!("pgbench over {} failed: {error}{said}", way.name));
    }
    let transactions = number_after(&said, "number of transactions actually processed: ")?;
    Ok(Run { tps: number_after(&said, "tps = ")?, processor_us: used * 1e6 / transactions })
}

/// The number that follows a text.
fn number_after(said: &str, text: &str) -> Outcome<f64> {
    let (_, rest) = said.split_once(text).during(format!("pgbench does not say {text:?}"))?;
    let digits = rest.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default();
    digits.parse().during(format!("pgbench says {text:?} without a number"))
}

#[cfg(test)]
mod tests {
    use super::number_after;

    #[test]
    fn the_numbers_of_pgbench_are_read() {
        let said = "number of transactions actually processed: 5230\n\
                    latency average = 0.382 ms\ntps = 2617.31 (without initial connection time)\n";
        assert_eq!(number_after(said, "tps = ").unwrap(), 2617.31);
        let text = "number of transactions actually processed: ";
        assert_eq!(number_after(said, text).unwrap(), 5230.0);
        assert!(number_after(said, "nothing = ").is_err());
    }
}
