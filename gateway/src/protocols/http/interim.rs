//! Answers before the answer: 103 and the like (RFC 9110 15.2).
//!
//! Owns which of them a client is shown, and how they are written. 100 is not among them, which the
//! gateway says by itself, nor 101, which ends an exchange. Must not know when bytes may be written
//! between two answers (`client_stream` does). HTTP/1 only: of HTTP/2 the library tells of none, and
//! sends none.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http::header::{self, HeaderMap};
use http::{Request, StatusCode};
use parking_lot::Mutex;

use super::asked::Asked;
use super::client_stream::Line;
use super::exchange::Open;
use super::headers;
use super::scrub::Needles;
use crate::session::Receipt;

/// Interim answers of one request that wait for their client; more are left out.
const WAITING_MAX: usize = 8;

/// The interim answers of one request.
pub(super) struct Interim {
    line: Arc<Line>,
    heard: Arc<Heard>,
}

/// Those that wait. The library tells of one in the middle of its own work.
#[derive(Default)]
struct Heard {
    waiting: Mutex<VecDeque<(StatusCode, Bytes)>>,
    waker: AtomicWaker,
}

impl Heard {
    fn tell(&self, status: StatusCode, head: Bytes) {
        let mut waiting = self.waiting.lock();
        if waiting.len() >= WAITING_MAX {
            tracing::debug!(%status, "an interim answer is left out");
            return;
        }
        waiting.push_back((status, head));
        drop(waiting);
        self.waker.wake();
    }

    fn next(&self) -> Option<(StatusCode, Bytes)> {
        self.waiting.lock().pop_front()
    }
}

impl Interim {
    /// Listens for those of a request that will be sent. `None` where its client is shown none.
    pub(super) fn of<B>(
        open: &Open,
        request: &mut Request<B>,
        needles: &Arc<Needles>,
    ) -> Option<Self> {
        let line = Arc::clone(open.line.as_ref()?);
        let needles = Arc::clone(needles);
        let heard = Arc::<Heard>::default();
        let told = Arc::clone(&heard);
        hyper::ext::on_informational(request, move |answer| {
            let status = answer.status();
            if !matches!(status, StatusCode::CONTINUE | StatusCode::SWITCHING_PROTOCOLS) {
                let head = written(status, answer.headers().clone(), &needles);
                told.tell(status, head);
            }
        });
        Some(Self { line, heard })
    }

    /// Passes them on until the answer is there.
    pub(super) async fn until<T>(
        self,
        open: &Open,
        asked: &Asked,
        receipt: &Receipt,
        answer: impl Future<Output = T>,
    ) -> T {
        tokio::pin!(answer);
        loop {
            let next = std::future::poll_fn(|cx| {
                self.heard.waker.register(cx.waker());
                if let Some(interim) = self.heard.next() {
                    return Poll::Ready(Err(interim));
                }
                answer.as_mut().poll(cx).map(Ok)
            });
            match next.await {
                Ok(answer) => {
                    // What was sent before the answer is shown before it.
                    while let Some(interim) = self.heard.next() {
                        self.show(open, asked, receipt, interim).await;
                    }
                    return answer;
                }
                Err(interim) => self.show(open, asked, receipt, interim).await,
            }
        }
    }

    async fn show(
        &self,
        open: &Open,
        asked: &Asked,
        receipt: &Receipt,
        (status, head): (StatusCode, Bytes),
    ) {
        let judged = open.desk.judge_answer(receipt, || asked.answered(status)).await;
        if judged.is_ok() {
            self.line.between(head).await;
        }
    }
}

/// As it is written.
fn written(status: StatusCode, mut fields: HeaderMap, needles: &Needles) -> Bytes {
    headers::take_connection(&mut fields);
    for name in [header::ALT_SVC, header::CONTENT_LENGTH] {
        headers::take_one(&mut fields, &name);
    }
    let mut head = format!("HTTP/1.1 {} ", status.as_u16());
    // A reason may be empty; the blank before it may not.
    let _ = write!(head, "{}\r\n", status.canonical_reason().unwrap_or_default());
    let mut head = head.into_bytes();
    for (name, value) in &fields {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    needles.star(&mut head);
    head.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_without_what_is_not_passed_on() {
        let mut needles = Needles::default();
        needles.add(b"s3cr3t-t0ken");
        let mut fields = HeaderMap::new();
        for (name, value) in [
            ("link", "</a.css>; rel=preload"),
            ("link", "</s3cr3t-t0ken>; rel=preload"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("content-length", "5"),
            ("alt-svc", "h3=\":443\""),
        ] {
            fields.append(name, value.parse().unwrap());
        }
        let early = written(StatusCode::EARLY_HINTS, fields, &needles);
        assert_eq!(
            String::from_utf8(early.to_vec()).unwrap(),
            "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\
             link: </************>; rel=preload\r\n\r\n"
        );
        let unknown = written(StatusCode::from_u16(199).unwrap(), HeaderMap::new(), &needles);
        assert_eq!(&unknown[..], b"HTTP/1.1 199 \r\n\r\n");
    }
}
