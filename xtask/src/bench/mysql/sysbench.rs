//! Runs of sysbench's `oltp_read_only`: ten point queries and four ranges between a `BEGIN` and a
//! `COMMIT`.
//!
//! Owns calling sysbench and reading what it says, and the processor time of the hop meanwhile.

use super::super::arena::Arena;
use super::super::cells::Run;
use super::super::peers::{DATABASE, USER, Way};
use super::super::processor;
use crate::console;
use crate::fault::{During, Fault, Outcome};
use crate::stage::mariadb::MariaDb;

/// A way to run statements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mode {
    /// Its name in reports.
    pub(super) name: &'static str,
    prepared: &'static str,
}

/// The modes, and the numbers of clients, of the cells.
pub(super) const MODES: &[Mode] =
    &[Mode { name: "text", prepared: "disable" }, Mode { name: "prepared", prepared: "auto" }];
pub(super) const CLIENTS: &[u32] = &[1, 8, 32];

const ROWS: &str = "--table-size=100000";

/// Fills the database.
pub(super) fn fill(arena: &Arena<MariaDb>) -> Outcome {
    console::step("Filling", "sysbench, 100,000 rows");
    let way = arena.ways.first().during("no way to the server")?;
    called(arena, way, &[ROWS, "--tables=1", "prepare"]).map(|_| ())
}

/// Runs one mode with so many clients over one way.
pub(super) fn run(
    arena: &Arena<MariaDb>,
    way: &Way,
    mode: &Mode,
    clients: u32,
    seconds: u32,
) -> Outcome<Run> {
    let before = processor::seconds(&way.processes);
    let said = called(
        arena,
        way,
        &[
            ROWS,
            "--tables=1",
            &format!("--db-ps-mode={}", mode.prepared),
            &format!("--threads={clients}"),
            &format!("--time={seconds}"),
            "run",
        ],
    )?;
    let used = processor::seconds(&way.processes) - before;
    let (transactions, queries) = (count(&said, "transactions:")?, count(&said, "queries:")?);
    let tps = transactions / count(&said, "total time:")?;
    Ok(Run { tps, processor_us: used * 1e6 / queries })
}

fn called(arena: &Arena<MariaDb>, way: &Way, arguments: &[&str]) -> Outcome<String> {
    let mut command = arena.client(way, "sysbench")?;
    command.args(["oltp_read_only", "--db-driver=mysql", "--mysql-host=127.0.0.1"]);
    command.arg(format!("--mysql-port={}", way.port)).arg(format!("--mysql-user={USER}"));
    command.arg(format!("--mysql-db={DATABASE}")).args(arguments);
    let output = command.output().during("cannot run sysbench")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() && !said.contains("FATAL") {
        return Ok(said);
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Fault::because(format!("sysbench over {} failed: {error}{said}", way.name))
}

/// The number behind a word.
fn count(said: &str, word: &str) -> Outcome<f64> {
    let (_, rest) = said.split_once(word).during(format!("sysbench does not say {word:?}"))?;
    let digits = rest.trim_start().split(|c: char| !c.is_ascii_digit() && c != '.').next();
    digits.unwrap_or_default().parse().during(format!("sysbench says {word:?} without a number"))
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn the_numbers_of_sysbench_are_read() {
        let said = "    transactions:                        1234   (617.02 per sec.)\n    \
                    queries:                             19744  (9872.32 per sec.)\n\
                    General statistics:\n    total time:                          2.0003s\n";
        assert_eq!(count(said, "transactions:").unwrap(), 1234.0);
        assert_eq!(count(said, "queries:").unwrap(), 19744.0);
        assert_eq!(count(said, "total time:").unwrap(), 2.0003);
        assert!(count(said, "nothing:").is_err());
    }
}
