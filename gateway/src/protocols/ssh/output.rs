//! One stream of output on its way to the client.
//!
//! Owns what is held back of it by the mask, and the counts. Must not know what a mask looks for,
//! nor who sends. What is shown is recorded first. Ends with [`Output::let_go`].

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use russh::ChannelWriteHalf;
use russh::server::Msg;

use super::desk::Desk;
use super::typed::Typed;
use crate::session::{CarryOver, OutputStream, Receipt};

/// One stream of output.
pub(super) struct Output<'a> {
    desk: &'a Desk,
    receipt: &'a Arc<Receipt>,
    to_client: &'a ChannelWriteHalf<Msg>,
    stream: OutputStream,
    masker: Option<CarryOver>,
    /// Where lines that were typed are looked for, in a terminal's output.
    typed: Option<&'a Mutex<Typed>>,
    /// Bytes that are still recorded.
    recorded: usize,
    /// What was shown.
    pub(super) counts: Counts,
}

/// What was shown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Bytes shown.
    pub(super) bytes: u64,
    /// Bytes shown that the recording does not keep.
    pub(super) unrecorded: u64,
    /// Values masked.
    pub(super) masked_values: u64,
}

impl<'a> Output<'a> {
    pub(super) fn new(
        desk: &'a Desk,
        receipt: &'a Arc<Receipt>,
        to_client: &'a ChannelWriteHalf<Msg>,
        stream: OutputStream,
        masker: Option<CarryOver>,
        recorded: usize,
    ) -> Self {
        let counts = Counts::default();
        Self { desk, receipt, to_client, stream, masker, typed: None, recorded, counts }
    }

    /// With a look at what was typed.
    pub(super) const fn with_typed(mut self, typed: Option<&'a Mutex<Typed>>) -> Self {
        self.typed = typed;
        self
    }

    /// Whether something is held back until more comes.
    pub(super) fn is_holding(&self) -> bool {
        self.masker.as_ref().is_some_and(CarryOver::is_holding)
    }

    /// Whether what is held back looks like the beginning of what is masked.
    pub(super) fn is_likely(&self) -> bool {
        self.masker.as_ref().is_some_and(CarryOver::is_likely)
    }

    /// Takes what came.
    pub(super) async fn take(&mut self, data: Bytes) -> Result<(), russh::Error> {
        let Some(masker) = &mut self.masker else { return self.show(data).await };
        let mut settled = Vec::with_capacity(data.len());
        self.counts.masked_values += masker.push(&data, &mut settled) as u64;
        self.show(settled.into()).await
    }

    /// Shows what is held back, as far as it goes.
    pub(super) async fn let_go(&mut self) -> Result<(), russh::Error> {
        let Some(masker) = &mut self.masker else { return Ok(()) };
        let mut settled = Vec::new();
        self.counts.masked_values += masker.flush(&mut settled) as u64;
        self.show(settled.into()).await
    }

    async fn show(&mut self, data: Bytes) -> Result<(), russh::Error> {
        if data.is_empty() {
            return Ok(());
        }
        self.counts.bytes += data.len() as u64;
        if self.recorded > 0 {
            self.recorded = self.recorded.saturating_sub(data.len());
            self.desk.output(self.receipt, self.stream, data.clone()).await;
        } else {
            self.counts.unrecorded += data.len() as u64;
        }
        let mut lines = Vec::new();
        if let Some(typed) = self.typed {
            typed.lock().shown(&data, |line| lines.push(line));
        }
        for line in lines {
            self.desk.typed(self.receipt, line).await;
        }
        match self.stream {
            OutputStream::Error => self.to_client.extended_data_bytes(1, data).await,
            _ => self.to_client.data_bytes(data).await,
        }
    }
}
