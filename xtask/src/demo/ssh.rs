//! The demo of SSH: a deploy job with ssh, scp and rsync.
//!
//! Owns its words. Must not know how any part is staged.

mod scene;

use super::plot::{Direct, Plot};

pub(super) use scene::Scene;

/// Three ssh, one scp and one rsync.
pub(super) const PLOT: Plot = Plot {
    job: "deploy.sh",
    client: "ssh",
    wants: "The job wants to restart the application: that waits for a human",
    comment: "release 2, announced",
    telling: "systemctl",
    explains: false,
    connections: 5,
    direct: Direct::Connections,
    denied: &["the rm -rf"],
    held: "the systemctl restart",
};
