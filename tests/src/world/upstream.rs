//! What stands behind the gateway.
//!
//! Owns the choice.

use std::net::{Ipv4Addr, SocketAddr};

use crate::cluster::Cluster;
use crate::kube::KubeCluster;
use crate::mariadb::MariaDb;
use crate::sshd::SshServer;
use crate::web::WebServer;

/// A real server.
#[derive(Clone, Copy, Debug)]
pub enum Upstream {
    /// PostgreSQL.
    Database(&'static Cluster),
    /// MariaDB.
    MariaDb(&'static MariaDb),
    /// OpenSSH.
    Host(&'static SshServer),
    /// A web server.
    Web(&'static WebServer),
    /// The API server of a cluster: the pages of a web server that are one's.
    Api(&'static WebServer),
    /// A real cluster.
    Cluster(&'static KubeCluster),
}

impl Upstream {
    /// Where it listens.
    #[must_use]
    pub fn address(self) -> SocketAddr {
        let port = match self {
            Self::Database(cluster) => cluster.port(),
            Self::MariaDb(server) => server.port(),
            Self::Host(server) => server.port(),
            Self::Web(server) | Self::Api(server) => server.port(),
            Self::Cluster(cluster) => cluster.port(),
        };
        (Ipv4Addr::LOCALHOST, port).into()
    }
}

impl From<&'static Cluster> for Upstream {
    fn from(cluster: &'static Cluster) -> Self {
        Self::Database(cluster)
    }
}

impl From<&'static KubeCluster> for Upstream {
    fn from(cluster: &'static KubeCluster) -> Self {
        Self::Cluster(cluster)
    }
}

impl From<&'static SshServer> for Upstream {
    fn from(server: &'static SshServer) -> Self {
        Self::Host(server)
    }
}

impl From<&'static MariaDb> for Upstream {
    fn from(server: &'static MariaDb) -> Self {
        Self::MariaDb(server)
    }
}

impl From<&'static WebServer> for Upstream {
    fn from(server: &'static WebServer) -> Self {
        Self::Web(server)
    }
}
