//! The demo of Kubernetes: a release with kubectl and a kubeconfig.
//!
//! Owns its words. Must not know how any part is staged.

mod scene;

use super::plot::{Direct, Plot};

pub(super) use scene::Scene;

/// Seven kubectl, of which the two `exec` open a second connection for their streams.
pub(super) const PLOT: Plot = Plot {
    job: "release.sh",
    client: "kubectl",
    wants: "The job wants to change the deployment: that waits for a human",
    comment: "release 2, announced",
    telling: "no-removal",
    explains: false,
    connections: 9,
    direct: Direct::Requests,
    denied: &["the exec of a shell", "the DELETE of a deployment"],
    held: "the PATCH of a deployment",
};
