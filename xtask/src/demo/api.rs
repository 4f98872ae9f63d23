//! The demo of HTTP: a sync with curl and python-requests over TLS.
//!
//! Owns its words. Must not know how any part is staged.

mod scene;

use super::plot::{Direct, Plot};

pub(super) use scene::Scene;

/// Four curl, and one Python that keeps its connection.
pub(super) const PLOT: Plot = Plot {
    job: "sync-orders.sh",
    client: "curl",
    wants: "The job wants to change the prices: that waits for a human",
    comment: "the list of the season",
    telling: "PUT",
    explains: false,
    connections: 5,
    direct: Direct::Connections,
    denied: &["the DELETE"],
    held: "the PUT",
};
