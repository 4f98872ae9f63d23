//! Where a relative path begins: the home directory of the login.
//!
//! Owns the question, asked once a connection, of the target's sftp server on a channel of our own.
//! Must not know what for. Where the target does not answer, the place is unknown, and nothing that
//! a path grants covers it.

use std::sync::Arc;
use std::time::Duration;

use russh::{ChannelMsg, ChannelReadHalf};
use tokio::time::timeout;
use wire::ssh::sftp::request::write_init;
use wire::ssh::sftp::{Answer, Body, Framer, Request};

use super::open::Open;

/// What stands for a path that is not known.
pub(super) const UNKNOWN: &str = "*";
/// How long the target may take to answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// The home directory of the login, absolute; [`UNKNOWN`] where that cannot be found out.
pub(super) async fn of(open: &Open) -> Arc<str> {
    let home = open.home.get_or_init(|| async {
        let asked = timeout(ANSWERED_WITHIN, ask(open)).await;
        let home = asked.ok().flatten().filter(|home| home.starts_with('/'));
        home.map_or_else(|| UNKNOWN.into(), Into::into)
    });
    Arc::clone(home.await)
}

async fn ask(open: &Open) -> Option<String> {
    let channel = open.upstream.protocol().channel_open_session().await.ok()?;
    let (mut from, to) = channel.split();
    to.request_subsystem(false, "sftp").await.ok()?;
    to.data_bytes(write_init()).await.ok()?;
    let here = Request { id: 0, body: Body::RealPath { path: b"." } };
    to.data_bytes(here.write()).await.ok()?;
    let mut framer = Framer::default();
    let _version = packet(&mut framer, &mut from).await?;
    let answer = packet(&mut framer, &mut from).await?;
    drop(to.close().await);
    match Answer::read(&answer) {
        Ok((0, Answer::Names { first: Some(entry), .. })) => {
            String::from_utf8(entry.name.to_vec()).ok()
        }
        _ => None,
    }
}

async fn packet(framer: &mut Framer, from: &mut ChannelReadHalf) -> Option<bytes::Bytes> {
    loop {
        if let Some(packet) = framer.packet().ok()? {
            return Some(packet);
        }
        match from.wait().await? {
            ChannelMsg::Data { data } => framer.push(&data),
            ChannelMsg::Eof | ChannelMsg::Close | ChannelMsg::Failure => return None,
            _ => {}
        }
    }
}
