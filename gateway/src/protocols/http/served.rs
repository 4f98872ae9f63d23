//! A connection that the library serves, of either version.
//!
//! Owns what the two have in common: that they can be wound down. Must not know a request.

use std::future::Future;
use std::pin::Pin;

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioIo;

use super::client_stream::ClientStream;
use super::upstream::Tasks;

/// What the library serves a connection with.
pub(super) trait Connection: Future<Output = Result<(), hyper::Error>> {
    /// Takes no more requests, and ends when those there are have been answered.
    fn wind_down(self: Pin<&mut Self>);
}

impl<S, B> Connection for http1::UpgradeableConnection<TokioIo<ClientStream>, S>
where
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    Self: Future<Output = Result<(), hyper::Error>>,
{
    fn wind_down(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<S, B> Connection for http2::Connection<TokioIo<ClientStream>, S, Tasks>
where
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    Tasks: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
    Self: Future<Output = Result<(), hyper::Error>>,
{
    fn wind_down(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}
