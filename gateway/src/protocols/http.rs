//! HTTP: the driver of versions 1.1 and 2, of what upgrades from them, and of gRPC.
//!
//! Owns the way of one connection through the protocol. Must not know policy, credentials'
//! sources, approvals, recording or masking: it asks the [`Session`]. One connection of a client is
//! one session and one connection to the upstream, so that nothing of one workload ever travels on
//! another's; what the upstream says about its connection the client is told about its own. A
//! connection ends when either side does, or when the session is ended.
//!
//! ```text
//!  first bytes ─▶ greeting ─ server name, ALPN ─▶ Pending::open ─▶ dial ─▶ TLS up ─▶ TLS down
//!     ─▶ each request: asked ─▶ desk (judge, hold) ─▶ headers, credential ─▶ upstream
//!     ─▶ each answer: headers ─▶ rules ─▶ decode, scrub, mask, record ─▶ client
//! ```
//!
//! HTTP/1 requests pass our own strict reading (`wire::http`) before the library sees them; the
//! library writes them anew, so what was authorised is what is sent.
//!
//! | file | what it holds |
//! |---|---|
//! | `greeting` | the first bytes, TLS with the client |
//! | `client_stream` | the client's bytes, before the library has them |
//! | `connection`, `served` | the life of one connection |
//! | `upstream` | the connection to the upstream |
//! | `desk` | the session, and what requests ask of it |
//! | `asked`, `again` | a request, read, and known again |
//! | `exchange` | one request and its answer |
//! | `held` | requests that wait for people |
//! | `meaning` | what requests mean, where HTTP carries another protocol |
//! | `headers`, `credential`, `signature` | what is taken out of a request, and put in |
//! | `interim` | answers before the answer (1xx) |
//! | `answer`, `body`, `stages`, `coding`, `scrub` | answers on their way to the client |
//! | `upgrade`, `websocket`, `streams`, `pieces` | what follows a switch of protocols |
//! | `splice`, `distrust` | clients that do not trust the gateway |
//! | `request_body` | requests' bodies on their way to the upstream |
//! | `blame` | whose fault an end is |
//! | `words` | what people are told |

mod address;
mod again;
mod answer;
mod asked;
mod attending;
mod blame;
mod body;
mod client_stream;
mod coding;
mod connection;
mod credential;
mod desk;
mod distrust;
mod exchange;
mod greeting;
mod headers;
mod held;
mod interim;
mod meaning;
mod pieces;
mod request_body;
mod scrub;
mod served;
mod signature;
mod splice;
mod stages;
mod streams;
mod upgrade;
mod upstream;
mod websocket;
mod words;

use std::sync::Arc;

use model::audit::SessionEnd;
use model::{Access, MaskProfile, Operation, Protocol, RequestFacts};
use tokio::net::TcpStream;

use super::Driver;
use crate::session::{BoxFuture, Pending, Refusal, Stream};
use distrust::Distrust;
use meaning::Plain;

// What protocols that HTTP carries are made of.
pub(in crate::protocols) use asked::Asked;
pub(in crate::protocols) use body::AnswerBody;
pub(in crate::protocols) use headers::take;
pub(in crate::protocols) use meaning::{Masks, Meaning, Meant, Recorded};
pub(in crate::protocols) use pieces::Pieces;
pub(in crate::protocols) use streams::{Output, Side, Stage, Streams, Terminal};
pub(in crate::protocols) use websocket::Frames;
pub(in crate::protocols) use words::{sentence, status_of};

/// What a client may ask for in TLS, the better first.
const ALPN: &[&[u8]] = &[b"h2", b"http/1.1"];

/// The driver: of HTTP itself, or of a protocol that it carries.
#[derive(Debug)]
pub struct Http {
    protocol: Protocol,
    meaning: &'static dyn Meaning,
    distrust: Arc<Distrust>,
}

impl Default for Http {
    fn default() -> Self {
        Self::carrying(Protocol::Http, &Plain)
    }
}

impl Http {
    /// Of a protocol whose requests mean more than their method and path.
    pub(in crate::protocols) fn carrying(
        protocol: Protocol,
        meaning: &'static dyn Meaning,
    ) -> Self {
        Self { protocol, meaning, distrust: Arc::default() }
    }
}

impl Driver for Http {
    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn client_alpn(&self) -> &'static [&'static [u8]] {
        ALPN
    }

    fn server_name<'a>(&'a self, client: &'a TcpStream) -> BoxFuture<'a, Option<Arc<str>>> {
        Box::pin(greeting::server_name(client))
    }

    fn accesses(
        &self,
        facts: &Arc<RequestFacts>,
        query: &str,
        upgrades: bool,
    ) -> Result<Arc<[Access]>, String> {
        self.meaning.means(facts, query, upgrades).map(|meant| meant.accesses)
    }

    fn refuses_masked(&self, operation: &Operation, masks: &MaskProfile) -> Option<Refusal> {
        self.meaning.refuses_masked(operation, masks)
    }

    fn serve<'a>(&'a self, client: Stream, pending: Pending) -> BoxFuture<'a, SessionEnd> {
        Box::pin(connection::serve(client, pending, &self.distrust, self.meaning))
    }
}
