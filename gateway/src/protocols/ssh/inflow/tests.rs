use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::*;
use crate::protocols::ssh::pair::{Ends, Pair};

/// Far more than any window.
const MUCH: usize = 3 * WINDOW_MAX as usize;
const SOON: Duration = Duration::from_secs(20);

fn bytes(piece: &Piece) -> usize {
    match piece {
        Piece::Whole(message) => length(message) as usize,
        Piece::Joined(_, joined) => joined.len(),
    }
}

async fn received(from: &mut Inflow) -> usize {
    let mut bytes = 0;
    while let Some(ChannelMsg::Data { data }) = from.next().await {
        bytes += data.len();
    }
    bytes
}

#[tokio::test]
async fn a_reader_that_stalls_holds_up_its_own_channel_alone_in_both_directions() {
    let mut pair = Pair::new().await;
    let Ends { near: mut stalled, far: (_kept, stalled_far) } = pair.channel().await;
    let flood = tokio::spawn(async move {
        stalled_far.data_bytes(vec![1; MUCH]).await.unwrap();
        stalled_far.eof().await.unwrap();
    });
    let other = pair.channel().await;
    let ((mut near, to_far), (mut far, to_near)) = (other.near, other.far);
    let busy = async {
        let transfer = async {
            let down = async {
                to_near.data_bytes(vec![2; MUCH]).await.unwrap();
                to_near.eof().await.unwrap();
            };
            let up = async {
                to_far.data_bytes(vec![3; MUCH]).await.unwrap();
                to_far.eof().await.unwrap();
            };
            tokio::join!(down, up, received(&mut near), received(&mut far))
        };
        let ((), (), down, up) = transfer.await;
        assert_eq!((down, up), (MUCH, MUCH));
    };
    timeout(SOON, stalled.0.meanwhile(busy)).await.expect("the other channel goes on");
    assert!(!flood.is_finished(), "what nobody takes is not sent");
    let held: usize = stalled.0.queue.iter().map(bytes).sum();
    assert!(held <= WINDOW as usize, "{held} bytes are held");
    assert_eq!(timeout(SOON, received(&mut stalled.0)).await.unwrap(), MUCH);
    flood.await.unwrap();
}

#[tokio::test]
async fn packets_of_a_byte_are_put_together_while_they_wait() {
    const COUNT: u8 = 200;
    let mut pair = Pair::new().await;
    let Ends { near: (mut near, _to), far: (_from, far) } = pair.channel().await;
    let sent = async {
        for byte in 0..COUNT {
            far.data_bytes(vec![byte]).await.unwrap();
        }
        far.extended_data_bytes(1, vec![0]).await.unwrap();
        far.eof().await.unwrap();
        sleep(Duration::from_millis(300)).await;
    };
    near.meanwhile(sent).await;
    assert!(near.queue.len() < 20, "{} pieces wait", near.queue.len());
    let (mut bytes, mut error) = (Vec::new(), 0);
    loop {
        match near.next().await {
            Some(ChannelMsg::Data { data }) => bytes.extend_from_slice(&data),
            Some(ChannelMsg::ExtendedData { data, .. }) => error += data.len(),
            _ => break,
        }
    }
    assert_eq!(bytes, (0..COUNT).collect::<Vec<u8>>());
    assert_eq!(error, 1);
}

#[tokio::test]
async fn a_channel_that_its_peer_has_closed_can_still_be_told_how_it_ended() {
    let mut pair = Pair::new().await;
    let Ends { near: (mut near, to_far), far: (mut far, to_near) } = pair.channel().await;
    to_far.data_bytes(&b"last"[..]).await.unwrap();
    to_far.close().await.unwrap();
    assert!(matches!(far.next().await, Some(ChannelMsg::Data { .. })));
    assert!(matches!(far.next().await, Some(ChannelMsg::Close)));
    to_near.exit_status(7).await.unwrap();
    to_near.eof().await.unwrap();
    to_near.close().await.unwrap();
    let next = timeout(SOON, near.next()).await.unwrap();
    assert!(matches!(next, Some(ChannelMsg::ExitStatus { exit_status: 7 })), "{next:?}");
    assert!(matches!(near.next().await, Some(ChannelMsg::Eof)));
    assert!(matches!(near.next().await, Some(ChannelMsg::Close)));
    assert!(near.next().await.is_none() && far.next().await.is_none());
}

#[tokio::test]
async fn a_connection_has_so_much_to_grow_windows_by() {
    let budget = Budget::new();
    let mut grown = 0_u64;
    while budget.take(WINDOW_MAX) {
        grown += u64::from(WINDOW_MAX);
    }
    assert_eq!(grown, u64::from(GROWN_BYTES_MAX));
    budget.give_back(WINDOW_MAX);
    assert!(budget.take(WINDOW_MAX));
}
