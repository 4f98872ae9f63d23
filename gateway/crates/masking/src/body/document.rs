//! Texts that come whole: the messages of a WebSocket, the data of an event.
//!
//! Owns what becomes of one that is not JSON. Where field masks are about it, nothing tells where
//! its fields are: it is redacted whole, but for the few words that protocols send as signs of
//! life or of the end. Elsewhere it is text for the detectors. A short number before an object or
//! array (`42["said",{..}]`, Socket.IO) is no part of it.

use std::sync::Arc;

use super::json::{Documents, JsonMasker};
use super::set::FieldSet;
use crate::transform::STARS;

/// Texts that are not JSON and carry no value: `[DONE]` ends the streams of language models.
const SIGNALS: &[&[u8]] = &[b"[DONE]", b"ping", b"pong", b"heartbeat", b"keepalive", b"keep-alive"];

/// Digits of a number that may stand before an object or array.
const NUMBER_DIGITS_MAX: usize = 4;

/// Masks one message: as JSON where it is JSON, else as text. Appends what may be shown, and
/// answers how many values were masked. With an empty set it is let through unread.
pub fn mask_message(set: &Arc<FieldSet>, text: &[u8], out: &mut Vec<u8>) -> u64 {
    if set.is_empty() {
        out.extend_from_slice(text);
        return 0;
    }
    DocumentMasker::new(Arc::clone(set)).mask(text, out)
}

/// Masks whole texts, one after the other.
#[derive(Debug)]
pub(super) struct DocumentMasker {
    set: Arc<FieldSet>,
    json: JsonMasker,
}

impl DocumentMasker {
    pub(super) fn new(set: Arc<FieldSet>) -> Self {
        Self { json: JsonMasker::new(Arc::clone(&set), Documents::One), set }
    }

    /// Appends what may be shown of a text, and answers how many values were masked.
    pub(super) fn mask(&mut self, text: &[u8], out: &mut Vec<u8>) -> u64 {
        let (begin, before) = (out.len(), self.json.masked());
        self.json.restart();
        let (number, json) = split_number(text);
        out.extend_from_slice(number);
        if self.json.push(json, out).and_then(|()| self.json.finish(out)).is_ok() {
            return self.json.masked() - before;
        }
        out.truncate(begin);
        if self.set.has_fields() && !SIGNALS.contains(&text.trim_ascii()) {
            out.extend_from_slice(STARS);
            return 1;
        }
        self.scan(text, out)
    }

    /// Appends a text with everything found in it changed, and answers how much was found.
    pub(super) fn scan(&self, text: &[u8], out: &mut Vec<u8>) -> u64 {
        let found = self.set.scan_set().mask(text, out);
        if found == 0 {
            out.extend_from_slice(text);
        }
        super::count(found)
    }
}

/// Takes off the number that stands before an object or array.
fn split_number(text: &[u8]) -> (&[u8], &[u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match text.split_at_checked(digits) {
        Some((number, json @ [b'{' | b'[', ..])) if digits <= NUMBER_DIGITS_MAX => (number, json),
        _ => (b"", text),
    }
}
