//! The life of one connection: register first, then check, then keep checking.
//!
//! Owns the accept loops, the table of connections and the order in which a connection is bound,
//! identified, given a target and handed to its driver. Must not know a protocol or who looks on.
//! A connection's task ends when its driver returns; every task is tracked, and the daemon waits
//! for the tracker. Exactly one `session_ended` follows each `session_started`, panics included.

mod accept;
mod connections;
mod targets;
mod workers;

pub use accept::{Accepted, ClientTlsOf, Identity, IdentityError, Proxy, ProxyParts};
pub use connections::{ConnectionGuard, Connections, LimitReached, Listed};
pub use targets::{Claim, TargetError, Targets};
pub use workers::Workers;
