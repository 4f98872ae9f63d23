//! A world before a real cluster.
//!
//! Owns how clients reach it. They know the API server by its name, and have a kubeconfig that trusts
//! the cluster's authority: the gateway shows certificates of an authority below that one.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use super::World;
use crate::kube::client::{self, KubeClient};
use crate::kube::kubectl::KubeStation;
use crate::kube::{JOB, KubeCluster};

/// How many worlds can share a cluster.
const WORLDS_MAX: u8 = 100;

/// Where the doors to a cluster can be: with its own port, on other addresses of this machine.
pub(super) fn doors(port: u16) -> impl Iterator<Item = SocketAddr> {
    (1..=WORLDS_MAX).map(move |last| (Ipv4Addr::new(127, 0, 6, last), port).into())
}

impl World {
    /// A machine whose programs reach the cluster through the gateway, with a token that is worth
    /// nothing there.
    #[must_use]
    pub fn kube_station(&self, cluster: &KubeCluster) -> KubeStation {
        KubeStation::new(cluster, self.door.address(), JOB)
    }

    /// A connection of the usual workload to the API server, on which nothing is sent yet.
    ///
    /// # Panics
    /// Where the gateway does not accept.
    #[must_use]
    pub fn kube_client(&self, cluster: &KubeCluster) -> KubeClient {
        let stream = TcpStream::connect(self.door.address()).expect("the gateway accepts");
        client::over(stream, cluster.authority().certificate_pem())
    }
}
