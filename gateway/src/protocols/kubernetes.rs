//! Kubernetes: what requests to the API server of a cluster mean.
//!
//! Owns the words of one protocol that HTTP carries; the connection, its TLS, the credential and the
//! way of every request are those of `http`. Must not know policy, credentials' sources, approvals,
//! recording or masking. Keeps nothing; a connection ends as one of HTTP does.
//!
//! ```text
//!  http: read ─▶ meaning: verb, resource, namespace, name, command ─▶ judge
//!     ─▶ accept: what can be masked ─▶ upstream ─▶ http: mask, record ─▶ client
//!     └─ refused: a Status, as the server would
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `meaning` | a request, read as the server reads it |
//! | `accept` | the forms of an answer that can be masked |
//! | `status` | what people are told |
//! | `streams` | what follows exec, attach and port-forward |
//! | `spdy`, `socket` | the two forms that streams come in |

mod accept;
mod meaning;
mod socket;
mod spdy;
mod status;
mod streams;

use std::sync::Arc;

use model::audit::SessionEnd;
use model::{Access, Protocol, RequestFacts};
use tokio::net::TcpStream;

use super::Driver;
use super::http::{ALPN, Distrust, Meaning as _, serve, server_name};
use crate::session::{BoxFuture, Pending, Stream};
use meaning::Cluster;

/// The driver.
#[derive(Debug, Default)]
pub struct Kubernetes {
    distrust: Arc<Distrust>,
}

impl Driver for Kubernetes {
    fn protocol(&self) -> Protocol {
        Protocol::Kubernetes
    }

    fn client_alpn(&self) -> &'static [&'static [u8]] {
        ALPN
    }

    fn server_name<'a>(&'a self, client: &'a TcpStream) -> BoxFuture<'a, Option<Arc<str>>> {
        Box::pin(server_name(client))
    }

    fn accesses(
        &self,
        facts: &Arc<RequestFacts>,
        query: &str,
        upgrades: bool,
    ) -> Result<Arc<[Access]>, String> {
        Cluster.means(facts, query, upgrades).map(|meant| meant.accesses)
    }

    fn serve<'a>(&'a self, client: Stream, pending: Pending) -> BoxFuture<'a, SessionEnd> {
        Box::pin(serve(client, pending, &self.distrust, &Cluster))
    }
}
