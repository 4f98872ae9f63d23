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
//! | `schema` | the documents that hold no objects |
//! | `selector` | questions whose answer tells what is masked |
//! | `status` | what people are told |
//! | `streams` | what follows exec, attach and port-forward |
//! | `spdy`, `socket` | the two forms that streams come in |

mod accept;
mod meaning;
mod schema;
mod selector;
mod socket;
mod spdy;
mod status;
mod streams;

use model::Protocol;

use super::http::Http;
use meaning::Cluster;

/// The driver.
pub(super) fn driver() -> Http {
    Http::carrying(Protocol::Kubernetes, &Cluster)
}
