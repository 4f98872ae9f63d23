//! How an upstream is reached: from the workload's own network namespace, by a socket the kernel
//! programs let pass.
//!
//! Owns the seam. Must not know namespaces or maps; the daemon fits the kernel's dialer in, tests
//! fit in a plain one.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use model::Binding;
use tokio::net::TcpStream;

/// A future that can be named.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Dials upstreams.
pub trait Dial: Send + Sync + std::fmt::Debug {
    /// Connects to `address` from where the workload of `binding` stands.
    ///
    /// # Errors
    /// The connection's own errors, or that the namespace is gone.
    fn dial<'a>(
        &'a self,
        binding: &'a Binding,
        address: SocketAddr,
    ) -> BoxFuture<'a, io::Result<TcpStream>>;
}
