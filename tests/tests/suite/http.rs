//! What only HTTP can get wrong, with a real server and the clients that jobs use.
//!
//! Owns the list of modules, and the worlds they share.

mod aws;
mod clients;
mod credentials;
mod frames;
mod framing;
mod grpc;
mod honest;
mod interim;
mod life;
mod masks;
mod multiplexed;
mod neighbours;
mod nginx;
mod old;
mod paths;
mod policy;
mod replayed;
mod repository;
mod sessions;
mod streams;
mod switched;
mod upstreams;

use std::net::TcpStream;
use std::time::Duration;

use tests::web::WebServer;
use tests::web::client::WebClient;
use tests::world::{Configuration, World};

/// Where programs reach the gateway, at the port of the server.
const DOOR: &str = "127.0.0.2";

/// The usual configuration without anything that changes a byte.
fn bare(usual: Configuration) -> Configuration {
    usual.host_credential("{ none: true }").classification("").everything_allowed()
}

/// The usual configuration with one role of these rules, each a line of YAML, and the way in.
fn role(usual: Configuration, rules: &[&str]) -> Configuration {
    let start = "\n  - name: caller\n    groups: [readers]\n    rules:\n      \
                 - { id: connect, effect: allow, target: shop }\n";
    rules.iter().fold(usual.roles(start), |usual, rule| usual.rule(rule))
}

/// A world with the usual configuration in front of a server of its own, in the clear.
fn world() -> (World, &'static WebServer) {
    let server = WebServer::plain();
    (World::with(server, |usual| usual), server)
}

/// A connection to the server itself.
fn direct(server: &WebServer) -> WebClient {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    WebClient::over(stream)
}
