//! The demo of MySQL: a nightly export with MariaDB's client and PyMySQL.
//!
//! Owns its words. Must not know how any part is staged.

mod scene;

use super::plot::{Direct, Plot};

pub(super) use scene::Scene;

/// Three times the client, and one PyMySQL.
pub(super) const PLOT: Plot = Plot {
    job: "nightly-export.sh",
    client: "mariadb",
    wants: "The job wants to drop a table: that waits for a human",
    comment: "last year's, not needed",
    telling: "DROP TABLE",
    explains: true,
    connections: 4,
    direct: Direct::Connections,
    denied: &["the DELETE"],
    held: "the DROP TABLE",
};
