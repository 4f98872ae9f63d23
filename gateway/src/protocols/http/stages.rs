//! What an answer's body goes through.
//!
//! Owns the order of the stages: decoded, scrubbed, masked. Must not know where chunks come from or
//! go to. Ends with [`Stages::finish`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::super::idle;
use super::coding::Decoder;
use super::scrub::{Needles, Scrubber};
use crate::session::BodyMasker;

/// Why a body ends before its end.
#[derive(Debug, thiserror::Error)]
pub(in crate::protocols) enum BodyError {
    /// The other side failed.
    #[error(transparent)]
    Peer(#[from] hyper::Error),
    /// What it sent cannot be shown.
    #[error("the answer cannot be shown: {0}")]
    Unshowable(String),
}

/// What is done to an answer's body.
#[derive(Debug, Default)]
pub(super) struct Stages {
    /// Undoes its compression.
    pub(super) decoder: Option<Decoder>,
    /// Takes out the gateway's own credential.
    pub(super) scrubber: Option<Scrubber>,
    /// Masks.
    pub(super) masker: Option<BodyMasker>,
    /// What must not stand in trailers.
    pub(super) needles: Arc<Needles>,
}

impl Stages {
    /// Whether what is shown can differ in more than what secrets are starred with.
    pub(super) const fn changes_bytes(&self) -> bool {
        self.decoder.is_some() || self.masker.is_some()
    }

    /// Whether every byte that came has been passed on, and the length stays as it was.
    pub(super) fn is_through(&self) -> bool {
        !self.changes_bytes() && self.scrubber.as_ref().is_none_or(Scrubber::is_through)
    }

    /// Takes a chunk as it came, and gives what may be shown of it.
    pub(super) fn push(&mut self, chunk: Bytes) -> Result<Bytes, BodyError> {
        let chunk = match &mut self.decoder {
            None => chunk,
            Some(decoder) => decoder.push(&chunk).map_err(unshowable)?.into(),
        };
        self.show(chunk)
    }

    fn show(&mut self, chunk: Bytes) -> Result<Bytes, BodyError> {
        let chunk = match &mut self.scrubber {
            None => chunk,
            Some(scrubber) => scrubber.push(chunk),
        };
        self.mask(chunk)
    }

    fn mask(&mut self, chunk: Bytes) -> Result<Bytes, BodyError> {
        let Some(masker) = &mut self.masker else { return Ok(chunk) };
        let mut out = Vec::with_capacity(chunk.len());
        masker.push(&chunk, &mut out).map_err(unshowable)?;
        Ok(out.into())
    }

    /// How long what is held back waits for what may follow; `None` where nothing is that a reader
    /// could be waiting for.
    pub(super) fn waits(&self) -> Option<Duration> {
        if self.masker.as_ref().is_some_and(|masker| masker.is_holding() && masker.is_likely()) {
            return Some(idle::held_for(false, true));
        }
        let holds = self.scrubber.as_ref().is_some_and(Scrubber::is_holding)
            || self.masker.as_ref().is_some_and(BodyMasker::is_holding);
        holds.then_some(idle::held_for(false, false))
    }

    /// Shows that, because nothing has come for a while.
    pub(super) fn let_go(&mut self) -> Result<Bytes, BodyError> {
        let held = self.scrubber.as_mut().map(Scrubber::let_go).unwrap_or_default();
        let mut out = self.mask(held)?.to_vec();
        if let Some(masker) = &mut self.masker {
            masker.flush(&mut out);
        }
        Ok(out.into())
    }

    /// The rest.
    pub(super) fn finish(&mut self) -> Result<Bytes, BodyError> {
        let mut out = Vec::new();
        if let Some(decoder) = self.decoder.take() {
            let rest = decoder.finish().map_err(unshowable)?;
            out.extend_from_slice(&self.show(rest.into())?);
        }
        if let Some(scrubber) = &mut self.scrubber {
            let rest = scrubber.finish();
            out.extend_from_slice(&self.mask(rest)?);
        }
        if let Some(masker) = &mut self.masker {
            masker.finish(&mut out).map_err(unshowable)?;
        }
        Ok(out.into())
    }

    /// How many values were masked.
    pub(super) fn masked(&self) -> u64 {
        self.masker.as_ref().map_or(0, BodyMasker::masked)
            + self.scrubber.as_ref().map_or(0, Scrubber::found)
    }
}

fn unshowable(error: impl std::fmt::Display) -> BodyError {
    BodyError::Unshowable(error.to_string())
}
