//! Text that stands for bytes, in base64 (RFC 4648 section 4).
//!
//! Owns the way there and back: what the bytes say is changed like text, and written the same way, so
//! that whoever decodes it still can. What is no base64 is not believed to be anything.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::Transform;

use super::{Masked, STARS, Transforms};
use crate::kind::ValueKind;

/// The fixed value: [`STARS`].
pub(crate) const CODED_STARS: &[u8] = b"Kioq";

impl Transforms {
    /// Changes `value`, appending to `out`. Never answers [`Masked::Unchanged`].
    pub(crate) fn apply_coded(
        &self,
        transform: Transform,
        value: &[u8],
        out: &mut Vec<u8>,
    ) -> Masked {
        let mut changed = Vec::new();
        let masked = match STANDARD.decode(value) {
            Ok(plain) => self.apply(transform, ValueKind::Text, &plain, &mut changed),
            Err(_) if transform == Transform::Null => Masked::Null,
            Err(_) => {
                changed.extend_from_slice(STARS);
                Masked::Value
            }
        };
        if masked == Masked::Value {
            out.extend_from_slice(STANDARD.encode(changed).as_bytes());
        }
        masked
    }
}
