//! Requests to the API server of a Kubernetes cluster, read as the server reads them.
//!
//! Owns what the server derives from method, path and query, and authorises by: verb, group,
//! resource, namespace, name. Must not know a socket, nor who may do what. Where the server is known
//! to read something otherwise in another version, the request is refused.
//!
//! | module | reads |
//! |---|---|
//! | `attributes` | what a request is about |
//! | `selector` | the name that a field selector asks for |

pub mod attributes;
mod selector;

pub use attributes::{Attributes, Pair, Unclear};
