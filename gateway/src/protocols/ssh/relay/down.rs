//! The way down: what the upstream shows of what runs, and how it says that it ended.
//!
//! Owns what is held back, the order of the ends, and winding up what runs without its client. Must
//! not know what runs. Ends with the upstream's channel.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use parking_lot::Mutex;
use russh::{ChannelMsg, ChannelWriteHalf, client, server};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::super::super::idle;
use super::super::fault::Fault;
use super::super::inflow::Inflow;
use super::super::output::{Counts, Output};
use super::super::scp::Copy;
use super::super::typed::Typed;
use super::super::words;
use super::{FAREWELL_WITHIN, Status, name};
use crate::session::Refusal;

/// How long what a client sent before it closed the channel may take to go upstream.
const SENT_WITHIN: Duration = Duration::from_secs(10);

/// The way down.
pub(super) struct Down<'a> {
    pub(super) out: Output<'a>,
    pub(super) error: Output<'a>,
    pub(super) to_client: &'a ChannelWriteHalf<server::Msg>,
    pub(super) client: &'a server::Handle,
    pub(super) fault: &'a Fault,
    /// What is typed, where there is a terminal.
    pub(super) typed: Option<&'a Mutex<Typed>>,
    pub(super) status: Option<Status>,
    /// The client knows the status.
    pub(super) told: bool,
    /// The upstream has ended its output.
    pub(super) ended: bool,
    pub(super) copy: Copy<'a>,
}

impl Down<'_> {
    /// Shows what comes until the upstream closes.
    pub(super) async fn relay(&mut self, from: &mut Inflow) -> Result<(), russh::Error> {
        let closed = loop {
            let holding = self.out.is_holding() || self.error.is_holding();
            let message = if holding {
                match timeout(self.idle(), from.next()).await {
                    Ok(message) => message,
                    Err(_quiet) => {
                        self.let_go().await?;
                        continue;
                    }
                }
            } else {
                from.next().await
            };
            match message {
                Some(ChannelMsg::Close) => break true,
                Some(message) if self.is_lie(&message) => return Err(russh::Error::Inconsistent),
                Some(message) => from.meanwhile(self.show(message)).await?,
                None => break false,
            }
        };
        self.let_go().await?;
        if !closed {
            let line = words::line("portcullis: the connection to the target is gone", false);
            self.to_client.extended_data_bytes(1, line).await?;
        }
        if self.ended { Ok(()) } else { self.to_client.eof().await }
    }

    /// Winds up what runs after its client has closed the channel, or is gone: what it sent before
    /// goes first, and it gets the status. What is shown meanwhile nobody reads.
    pub(super) async fn wind_down(
        &mut self,
        from: &mut Inflow,
        to: &ChannelWriteHalf<client::Msg>,
        mut upload: Option<Pin<&mut impl Future<Output = Option<Refusal>>>>,
        left: &CancellationToken,
    ) {
        let mut closes_by = Some(Instant::now() + SENT_WITHIN);
        let mut over_by = None;
        self.tell_status().await;
        loop {
            if upload.is_none() && closes_by.take().is_some() {
                // Where it cannot be told, it is as slow as its connection, which ends with ours.
                let closed = timeout(FAREWELL_WITHIN, from.meanwhile(to.close()));
                if !matches!(closed.await, Ok(Ok(()))) {
                    return;
                }
            }
            tokio::select! {
                biased; // The end of what runs ends all of it.
                message = from.next() => match message {
                    Some(ChannelMsg::Close) | None => return,
                    Some(message) if self.is_lie(&message) => return,
                    Some(message) => self.hear(message).await,
                },
                () = sent(&mut upload) => upload = None,
                () = at(closes_by) => upload = None,
                () = left.cancelled(), if over_by.is_none() => {
                    upload = None;
                    over_by = Some(Instant::now() + FAREWELL_WITHIN);
                }
                () = at(over_by) => {
                    tracing::debug!("what ran did not end with its client");
                    return;
                }
            }
        }
    }

    /// Takes what is not shown any more.
    async fn hear(&mut self, message: ChannelMsg) {
        match message {
            ChannelMsg::ExitStatus { .. } | ChannelMsg::ExitSignal { .. } => {
                if let Err(error) = self.show(message).await {
                    tracing::debug!(%error, "the client was not told how it ended");
                }
            }
            ChannelMsg::Eof => self.ended = true,
            _ => {}
        }
    }

    /// Tells the client how it ended, where it was not told yet.
    async fn tell_status(&mut self) {
        if let (Some(Status::Exited(status)), false) = (&self.status, self.told)
            && let Err(error) = self.to_client.exit_status(*status).await
        {
            tracing::debug!(%error, "the client was not told how it ended");
        }
        self.told |= self.status.is_some();
    }

    /// How long what is held back waits for what may follow.
    fn idle(&self) -> Duration {
        let typed = self.typed.is_some_and(|typed| typed.lock().is_fresh(idle::ECHOED_WITHIN));
        idle::held_for(typed, self.out.is_likely() || self.error.is_likely())
    }

    /// Whether this cannot come after what has come. Nothing of it is shown, nor of what follows.
    fn is_lie(&self, message: &ChannelMsg) -> bool {
        let because = match message {
            ChannelMsg::Data { .. } | ChannelMsg::ExtendedData { .. } if self.ended => {
                "the upstream sent output after the end of it"
            }
            ChannelMsg::ExitStatus { .. } | ChannelMsg::ExitSignal { .. }
                if self.status.is_some() =>
            {
                "the upstream said twice how a command ended"
            }
            _ => return false,
        };
        self.fault.note(because);
        true
    }

    async fn show(&mut self, message: ChannelMsg) -> Result<(), russh::Error> {
        match message {
            ChannelMsg::Data { data } => {
                self.copy.shown(&data).await;
                self.out.take(data).await
            }
            // There is no other kind than standard error (RFC 4254 5.2).
            ChannelMsg::ExtendedData { data, .. } => self.error.take(data).await,
            ChannelMsg::Eof => {
                self.ended = true;
                self.let_go().await?;
                self.to_client.eof().await
            }
            ChannelMsg::ExitStatus { exit_status } => {
                // Output may still come: what is held back of it waits for that.
                self.status = Some(Status::Exited(exit_status));
                self.to_client.exit_status(exit_status).await?;
                self.told = true;
                Ok(())
            }
            ChannelMsg::ExitSignal { signal_name, core_dumped, error_message, lang_tag } => {
                self.status = Some(Status::Killed(name(&signal_name).into()));
                let told = self.client.exit_signal_request(
                    self.to_client.id(),
                    signal_name,
                    core_dumped,
                    error_message,
                    lang_tag,
                );
                told.await.map_err(|()| russh::Error::SendError)?;
                self.told = true;
                Ok(())
            }
            ChannelMsg::XonXoff { client_can_do } => {
                let told = self.client.xon_xoff_request(self.to_client.id(), client_can_do);
                told.await.map_err(|()| russh::Error::SendError)
            }
            _ => Ok(()),
        }
    }

    async fn let_go(&mut self) -> Result<(), russh::Error> {
        self.out.let_go().await?;
        self.error.let_go().await
    }

    pub(super) const fn counts(&self) -> Counts {
        let (out, error) = (self.out.counts, self.error.counts);
        Counts {
            bytes: out.bytes + error.bytes,
            unrecorded: out.unrecorded + error.unrecorded,
            masked_values: out.masked_values + error.masked_values,
        }
    }
}

/// Resolves when an upload has ended; never without one.
async fn sent(upload: &mut Option<Pin<&mut impl Future<Output = Option<Refusal>>>>) {
    match upload {
        Some(upload) => drop(upload.as_mut().await),
        None => std::future::pending().await,
    }
}

async fn at(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}
