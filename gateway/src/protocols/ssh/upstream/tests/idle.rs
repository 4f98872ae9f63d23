//! Connections on which nobody says anything.

use std::time::Duration;

use russh::ChannelMsg;

use super::super::preferences;
use crate::protocols::ssh::pair::{Ends, Pair, key};
use crate::protocols::ssh::server;
use crate::session::{Expected, HostIdentity};

/// Longer than any timer of either end: asking whether the other is there, exchanging keys anew.
const LONG: Duration = Duration::from_secs(3 * 24 * 3_600);

/// The clock is the test's own: it goes on while everybody waits.
#[tokio::test(start_paused = true)]
async fn a_session_may_be_silent_for_days_on_both_legs() {
    let above = server::config(HostIdentity { keys: vec![key()], certificates: Vec::new() });
    let below = preferences::config(&Expected { certificates: false, known: Vec::new() });
    let mut pair = Pair::of(above, below).await;
    let Ends { near: (mut near, to_far), far: (mut far, to_near) } = pair.channel().await;
    tokio::time::sleep(LONG).await;
    to_far.data_bytes(&b"still"[..]).await.unwrap();
    to_near.data_bytes(&b"there"[..]).await.unwrap();
    for (from, expected) in [(&mut far, &b"still"[..]), (&mut near, &b"there"[..])] {
        let came = from.next().await;
        assert!(matches!(&came, Some(ChannelMsg::Data { data }) if data == expected), "{came:?}");
    }
}
