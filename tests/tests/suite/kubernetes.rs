//! What only Kubernetes can get wrong.
//!
//! Owns the list of modules, and the worlds they share. The API server here is a few pages of a web
//! server, in the forms of a real one.

mod explained;
mod masks;
mod recorded;
mod requests;
mod streams;

use tests::web::WebServer;
use tests::world::{Configuration, Upstream, World};

/// A world with the usual configuration in front of an API server of its own.
fn world() -> (World, &'static WebServer) {
    world_with(|usual| usual)
}

/// The same, with another configuration.
fn world_with(
    configure: impl FnOnce(Configuration) -> Configuration,
) -> (World, &'static WebServer) {
    let server = WebServer::plain();
    (World::with(Upstream::Api(server), configure), server)
}
