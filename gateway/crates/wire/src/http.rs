//! HTTP as bytes: what must be read more strictly than libraries read it, and WebSocket frames.
//!
//! Owns the reading that authorisation rests on. A library reads requests leniently, and the server
//! behind it perhaps otherwise; what two readers could understand differently is refused here,
//! before either has seen it. Must not know a socket, nor who may do what. Bytes in; verdicts out.
//!
//! | module | reads |
//! |---|---|
//! | `lexer` | HTTP/1 requests on the wire: where each begins and ends (RFC 9112) |
//! | `path` | the path and query of a request (RFC 3986) |
//! | `authority` | the host that a request is for (RFC 9110 7.2) |
//! | `websocket` | frames (RFC 6455) |

pub mod authority;
pub mod lexer;
pub mod path;
pub mod websocket;

pub use authority::{Authority, AuthorityError};
pub use lexer::{Expects, Fault, RequestLexer, encode_target};
pub use path::{PathError, Slashes, Target};
