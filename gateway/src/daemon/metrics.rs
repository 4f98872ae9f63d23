//! Metrics over TCP, for Prometheus.
//!
//! Owns one listener that answers `GET /metrics` and nothing else. Must not know what is counted.
//! Ends with its token. There is no authentication: metrics name workloads and targets, no
//! statement and no value; the address is the operator's to choose.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::telemetry::Metrics;

/// The content type of Prometheus's text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves metrics until `stop` is cancelled; whoever spawns the future owns it.
///
/// # Errors
/// Where the address cannot be listened at.
pub(super) async fn serve(
    address: SocketAddr,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let listener = TcpListener::bind(address).await?;
    let answer = move || {
        let metrics = Arc::clone(&metrics);
        async move { ([(CONTENT_TYPE, TEXT_FORMAT)], metrics.render()) }
    };
    let router = Router::new().route("/metrics", get(answer));
    tracing::info!(%address, "metrics");
    Ok(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!(error = %error, "metrics are no longer served");
        }
    })
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn prometheus_is_answered_until_the_end() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let stop = CancellationToken::new();
        let serving = serve(address, Metrics::new(), stop.clone()).await.unwrap();
        let task = tokio::spawn(serving);
        let mut client = TcpStream::connect(address).await.unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        client.write_all(request).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("portcullis_"), "{answer}");
        stop.cancel();
        task.await.unwrap();
    }
}
