//! `bench mysql`: sysbench's read-only transactions and a long answer, over every way to one server.
//!
//! Owns the cases and their bars.

mod server;
mod sysbench;

use super::BenchArguments;
use super::arena::{Arena, Masking};
use super::cells::{self, Cell, Drained};
use super::peers::Way;
use super::report::Report;
use crate::fault::{During, Outcome};
use crate::stage::mariadb::MariaDb;

/// The peer that is a proxy.
const PROXIES: &[&str] = &["haproxy"];

/// A table whose rows are six texts.
const WIDE: &str = "CREATE TABLE wide ENGINE = MyISAM AS SELECT \
    lpad(seq, 12, '0') AS reference, \
    concat('customer', seq, '@mail.example') AS email, \
    md5(seq) AS digest, \
    concat('Street ', seq % 997, ', House ', seq % 83) AS street, \
    concat('item ', seq % 4999, ' of the catalogue') AS item, \
    repeat(char(97 + seq % 26), 20 + seq % 11) AS note \
    FROM seq_1_to_1000000";

/// Bytes of its rows on the wire: a header a row, a length a value.
const WIDE_BYTES: &str = "SELECT SUM(4 + 6 + LENGTH(reference) + LENGTH(email) + LENGTH(digest) \
    + LENGTH(street) + LENGTH(item) + LENGTH(note)) FROM wide";

/// Measures all of it.
pub(super) fn measure(arguments: &BenchArguments) -> Outcome<Report> {
    let arena = Arena::<MariaDb>::set_up()?;
    sysbench::fill(&arena)?;
    arena.query(WIDE)?;
    let mut report = Report::of("mysql", arguments);
    for mode in sysbench::MODES {
        for clients in sysbench::CLIENTS {
            let case = format!("{}, {clients} clients", mode.name);
            let cell = Cell { case: &case, unit: "query" };
            let run = |way: &Way| sysbench::run(&arena, way, mode, *clients, arguments.seconds);
            cells::throughput(&cell, &arena.ways, PROXIES, arguments.rounds, run, &mut report)?;
        }
    }
    let bytes = arena.query(WIDE_BYTES)?;
    let bytes: f64 = bytes.trim().parse().during("the size of the table")?;
    let drain = |way: &Way| Ok(Drained { bytes, seconds: arena.drain(way, "SELECT * FROM wide")? });
    arena.mask(Masking::OneColumn)?;
    let case = "SELECT, 1 M rows, one column masked";
    cells::long(case, &arena.ways, arguments.rounds, drain, &mut report)?;
    arena.mask(Masking::Detectors)?;
    let mut beside = Report::of("", arguments);
    let case = "SELECT, 1 M rows, detectors too";
    cells::long(case, &arena.ways, arguments.rounds, drain, &mut beside)?;
    // No bar is set for these; they are shown because they are what most will run.
    report.rows.append(&mut beside.rows);
    Ok(report)
}
