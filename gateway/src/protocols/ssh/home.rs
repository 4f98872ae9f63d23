//! Where a relative path begins: the home directory of the login.
//!
//! Owns the question, asked once a connection, and the channel of our own to the target's sftp
//! server over which it and others are asked.
//! Must not know what for. Where the target does not answer, the place is unknown, and nothing that
//! a path grants covers it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelWriteHalf};
use tokio::time::timeout;
use wire::ssh::sftp::request::write_init;
use wire::ssh::sftp::{Answer, Body, Framer, Request};

use super::inflow::Inflow;
use super::open::Open;
use super::places::Ask;

/// What stands for a path that is not known.
pub(super) const UNKNOWN: &str = "*";
/// How long the target may take to answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// The home directory of the login, absolute; [`UNKNOWN`] where that cannot be found out.
pub(super) async fn of(open: &Open) -> Arc<str> {
    let home = open.home.get_or_init(|| async {
        let home = ask(open).await.filter(|home| home.starts_with('/'));
        home.map_or_else(|| UNKNOWN.into(), Into::into)
    });
    Arc::clone(home.await)
}

async fn ask(open: &Open) -> Option<String> {
    let mut target = Conversation::begin(open).await?;
    let answer = target.ask(Body::RealPath { path: b"." }).await;
    target.end().await;
    match Answer::read(&answer?) {
        Ok((_, Answer::Names { first: Some(entry), .. })) => {
            String::from_utf8(entry.name.to_vec()).ok()
        }
        _ => None,
    }
}

/// A channel of our own to the target's sftp server. Nothing but questions goes over it.
pub(super) struct Conversation {
    from: Inflow,
    to: ChannelWriteHalf<Msg>,
    framer: Framer,
    /// Cleared by the first answer that does not come in time: the next may be to that question.
    is_good: bool,
}

impl Conversation {
    /// Begins one; `None` where the target has no sftp server, or none that answers.
    pub(super) async fn begin(open: &Open) -> Option<Self> {
        let channel = timeout(ANSWERED_WITHIN, open.upstream.protocol().channel_open_session());
        let (from, to) = channel.await.ok()?.ok()?.split();
        let from = Inflow::new(from, &open.budget);
        let mut begun = Self { from, to, framer: Framer::default(), is_good: true };
        if timeout(ANSWERED_WITHIN, begun.greet()).await.ok().flatten().is_some() {
            Some(begun)
        } else {
            begun.end().await;
            None
        }
    }

    async fn greet(&mut self) -> Option<()> {
        self.to.request_subsystem(false, "sftp").await.ok()?;
        self.to.data_bytes(write_init()).await.ok()?;
        self.packet().await.map(drop)
    }

    /// Ends it.
    pub(super) async fn end(self) {
        if let Err(error) = self.to.close().await {
            tracing::debug!(%error, "a channel of our own was not closed");
        }
    }

    async fn packet(&mut self) -> Option<Bytes> {
        loop {
            if let Some(packet) = self.framer.packet().ok()? {
                return Some(packet);
            }
            match self.from.next().await? {
                ChannelMsg::Data { data } => self.framer.push(data),
                ChannelMsg::Eof | ChannelMsg::Close | ChannelMsg::Failure => return None,
                _ => {}
            }
        }
    }
}

impl Ask for Conversation {
    async fn ask(&mut self, body: Body<'_>) -> Option<Bytes> {
        if !self.is_good {
            return None;
        }
        let answered = timeout(ANSWERED_WITHIN, async {
            self.to.data_bytes(Request { id: 0, body }.write()).await.ok()?;
            self.packet().await
        });
        let answer = answered.await.ok().flatten();
        self.is_good = answer.is_some();
        answer
    }
}

/// Where no sftp server answers.
impl Ask for Option<Conversation> {
    async fn ask(&mut self, body: Body<'_>) -> Option<Bytes> {
        match self {
            Some(target) => target.ask(body).await,
            None => None,
        }
    }
}
