//! The demo of PostgreSQL: a nightly report with psql and psycopg.
//!
//! Owns its words. Must not know how any part is staged.

mod scene;

use super::plot::{Direct, Plot};

pub(super) use scene::Scene;

/// Three psql and one psycopg.
pub(super) const PLOT: Plot = Plot {
    job: "nightly-report.sh",
    client: "psql",
    wants: "The job wants to drop a table: that waits for a human",
    comment: "last year's, not needed",
    telling: "DROP TABLE",
    explains: true,
    connections: 4,
    direct: Direct::Connections,
    denied: &["the DELETE"],
    held: "the DROP TABLE",
};
