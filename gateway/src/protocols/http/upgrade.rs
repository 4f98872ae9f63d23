//! What follows a switch of protocols.
//!
//! Owns asking for the switch, and the bytes after it: frames of WebSocket, read so that they can be
//! masked and recorded, or those of any other protocol as they are. Must not know what they mean.
//! Ends with either side, or when the connection is cut.

use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use super::answer::{self, Way};
use super::body::{AnswerBody, Ending};
use super::exchange::Open;
use super::streams::{Stage, Streams};
use super::websocket;
use crate::session::{OperationOutcome, Refusal, RefusalKind};

const EXTENSIONS: HeaderName = HeaderName::from_static("sec-websocket-extensions");

/// The switch that a request asks for.
#[derive(Clone, Debug)]
pub(super) struct Wanted(Option<HeaderValue>);

impl Wanted {
    /// What is asked for.
    pub(super) fn name(&self) -> &str {
        self.0.as_ref().and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// As it stands in a request.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self(headers.get(header::UPGRADE).cloned())
    }

    /// Asks the upstream for it.
    ///
    /// # Errors
    /// Where what follows could not be masked.
    pub(super) fn put(self, headers: &mut HeaderMap, masks: bool) -> Result<(), Refusal> {
        let Some(wanted) = self.0 else { return Ok(()) };
        let is_websocket = wanted.as_bytes().eq_ignore_ascii_case(b"websocket");
        if masks && !is_websocket {
            return Err(Refusal::new(
                RefusalKind::Masking,
                "portcullis: what follows this upgrade cannot be masked",
            ));
        }
        // What is compressed can be neither masked nor read in a recording.
        headers.remove(EXTENSIONS);
        headers.insert(header::UPGRADE, wanted);
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        Ok(())
    }
}

/// Passes the upstream's agreement on, and relays from then on.
pub(super) fn switch(
    open: &Arc<Open>,
    client: OnUpgrade,
    mut response: Response<Incoming>,
    mut ending: Ending,
    way: Way,
    streams: Option<Box<dyn Streams>>,
) -> Response<AnswerBody> {
    let upstream = hyper::upgrade::on(&mut response);
    let (parts, _) = response.into_parts();
    let is_websocket = parts
        .headers
        .get(header::UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let mut answer = Response::new(AnswerBody::empty());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *answer.headers_mut() = parts.headers;
    answer::scrub_headers(answer.headers_mut(), &way.needles, &mut ending);
    let (cut, bytes_max) = (open.cut.clone(), open.message_bytes_max);
    let shared = Arc::clone(open);
    open.upgraded.spawn(async move {
        let relayed = async {
            let (client, upstream) = tokio::try_join!(client, upstream)?;
            if let Some(streams) = streams {
                Ok(follow(&shared, streams, client, upstream, &mut ending).await)
            } else if is_websocket {
                let relay = websocket::Relay::new(&shared, way, bytes_max, &mut ending);
                Ok(relay.run(client, upstream).await.map(|()| OperationOutcome::Completed))
            } else {
                let copied = copy(client, upstream, &mut ending).await;
                Ok::<_, hyper::Error>(copied.map(|()| OperationOutcome::Completed))
            }
        };
        let relayed = tokio::select! {
            biased; // Once cut, nothing more passes.
            () = cut.cancelled() => return,
            relayed = relayed => relayed,
        };
        match relayed {
            Ok(Ok(outcome)) => ending.complete(outcome),
            Ok(Err(error)) => tracing::debug!(%error, "an upgraded connection failed"),
            Err(error) => tracing::debug!(%error, "an upgrade failed"),
        }
    });
    answer
}

/// Relays streams that somebody reads.
async fn follow(
    open: &Open,
    streams: Box<dyn Streams>,
    client: Upgraded,
    upstream: Upgraded,
    ending: &mut Ending,
) -> std::io::Result<OperationOutcome> {
    let recorded_bytes_max =
        if streams.are_in_terminal() { usize::MAX } else { open.recorded_bytes_max };
    let stage = Stage::new(&open.desk, ending, recorded_bytes_max).await;
    let Some(mut stage) = stage else { return Ok(OperationOutcome::Failed) };
    let relayed = streams.relay(TokioIo::new(client), TokioIo::new(upstream), &mut stage).await;
    let Stage { out, error, ended: said, others, .. } = stage;
    let ended = ending.ended();
    ended.bytes += out.bytes + error.bytes + others;
    ended.masked_values += out.masked_values + error.masked_values;
    let well = match said {
        Some((status, well)) => {
            ended.status = status;
            well
        }
        None => relayed.is_ok(),
    };
    match relayed {
        // Clients leave with the last word, some without a goodbye.
        Err(error) if !well || ended.status.is_empty() => Err(error),
        _ if well => Ok(OperationOutcome::Completed),
        _ => Ok(OperationOutcome::Failed),
    }
}

async fn copy(client: Upgraded, upstream: Upgraded, ending: &mut Ending) -> std::io::Result<()> {
    let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
    let (_, shown) = copy_bidirectional(&mut client, &mut upstream).await?;
    ending.ended().bytes += shown;
    Ok(())
}
