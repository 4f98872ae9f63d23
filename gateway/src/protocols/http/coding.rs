//! Bodies that were compressed, made readable again.
//!
//! Owns undoing the codings of RFC 9110 8.4 as the bytes come. Must not know what the bytes mean.
//! Bounded: what grows beyond any honest ratio, or ends in the middle, is an error.

use std::io::{self, Write};

use brotli_decompressor::DecompressorWriter;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// How much larger a body may become. Text compresses a few hundred times at most.
const RATIO_MAX: u64 = 400;
/// What may come out whatever went in.
const ALLOWANCE_BYTES: u64 = 4 * 1024 * 1024;
/// Bytes that one chunk may become: more is given out in several pieces by the library's reader.
const STEP_BYTES_MAX: usize = 64 * 1024 * 1024;
const BROTLI_BUFFER_BYTES: usize = 16 * 1024;

/// Why a body cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CodingError {
    /// A coding that is not known, or more than one.
    #[error("the body is in a coding that cannot be undone")]
    Unknown,
    /// It breaks its format, or ends too soon.
    #[error("the compressed body is malformed")]
    Malformed,
    /// It grows beyond any honest ratio.
    #[error("the compressed body grows beyond its bound")]
    TooLarge,
}

/// Where decoded bytes go, up to a bound.
#[derive(Debug, Default)]
struct Sink {
    bytes: Vec<u8>,
    room: usize,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.room = self.room.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Engine {
    Gzip(MultiGzDecoder<Sink>),
    Zlib(ZlibDecoder<Sink>),
    Deflate(DeflateDecoder<Sink>),
    /// `deflate` of which nothing has come yet: with or without zlib's frame, senders differ.
    Undecided(Sink),
    Brotli(Box<DecompressorWriter<Sink>>),
    Zstd(zstd::stream::write::Decoder<'static, Sink>),
}

/// Undoes one coding.
pub(super) struct Decoder {
    engine: Engine,
    taken: u64,
    given: u64,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("taken", &self.taken)
            .field("given", &self.given)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// For a `content-encoding`; `None` where there is nothing to undo.
    pub(super) fn of(coding: &str) -> Result<Option<Self>, CodingError> {
        let sink = Sink::default();
        let engine = match coding.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => return Ok(None),
            "gzip" | "x-gzip" => Engine::Gzip(MultiGzDecoder::new(sink)),
            "deflate" => Engine::Undecided(sink),
            "br" => Engine::Brotli(Box::new(DecompressorWriter::new(sink, BROTLI_BUFFER_BYTES))),
            "zstd" => Engine::Zstd(
                zstd::stream::write::Decoder::new(sink).map_err(|_| CodingError::Malformed)?,
            ),
            _ => return Err(CodingError::Unknown),
        };
        Ok(Some(Self { engine, taken: 0, given: 0 }))
    }

    /// What comes out by these bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>, CodingError> {
        self.taken += bytes.len() as u64;
        if let (Engine::Undecided(sink), Some(first)) = (&mut self.engine, bytes.first()) {
            let sink = std::mem::take(sink);
            // The method in zlib's frame is 8 (RFC 1950); no block of plain deflate begins so.
            self.engine = if first & 0x0f == 8 {
                Engine::Zlib(ZlibDecoder::new(sink))
            } else {
                Engine::Deflate(DeflateDecoder::new(sink))
            };
        }
        let most = self.taken.saturating_mul(RATIO_MAX).saturating_add(ALLOWANCE_BYTES);
        let room = usize::try_from(most.saturating_sub(self.given)).unwrap_or(usize::MAX);
        self.sink().room = room.min(STEP_BYTES_MAX);
        let written = self.writer().write_all(bytes).and_then(|()| self.writer().flush());
        written.map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => CodingError::TooLarge,
            _ => CodingError::Malformed,
        })?;
        let out = std::mem::take(&mut self.sink().bytes);
        self.given += out.len() as u64;
        Ok(out)
    }

    /// What was left, once everything has come.
    pub(super) fn finish(self) -> Result<Vec<u8>, CodingError> {
        let Self { engine, taken, .. } = self;
        if taken == 0 {
            return Ok(Vec::new());
        }
        let malformed = |_: io::Error| CodingError::Malformed;
        let sink = match engine {
            Engine::Gzip(decoder) => decoder.finish().map_err(malformed)?,
            Engine::Zlib(decoder) => decoder.finish().map_err(malformed)?,
            Engine::Deflate(decoder) => decoder.finish().map_err(malformed)?,
            Engine::Undecided(sink) => sink,
            Engine::Brotli(decoder) => decoder.into_inner().map_err(|_| CodingError::Malformed)?,
            Engine::Zstd(decoder) => decoder.into_inner(),
        };
        Ok(sink.bytes)
    }

    fn writer(&mut self) -> &mut dyn Write {
        match &mut self.engine {
            Engine::Gzip(decoder) => decoder,
            Engine::Zlib(decoder) => decoder,
            Engine::Deflate(decoder) => decoder,
            Engine::Undecided(sink) => sink,
            Engine::Brotli(decoder) => decoder.as_mut(),
            Engine::Zstd(decoder) => decoder,
        }
    }

    fn sink(&mut self) -> &mut Sink {
        match &mut self.engine {
            Engine::Gzip(decoder) => decoder.get_mut(),
            Engine::Zlib(decoder) => decoder.get_mut(),
            Engine::Deflate(decoder) => decoder.get_mut(),
            Engine::Undecided(sink) => sink,
            Engine::Brotli(decoder) => decoder.get_mut(),
            Engine::Zstd(decoder) => decoder.get_mut(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"the quick brown fox jumps over the lazy dog, the lazy dog, the lazy dog";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decode(coding: &str, bytes: &[u8], size: usize) -> Result<Vec<u8>, CodingError> {
        let mut decoder = Decoder::of(coding)?.unwrap();
        let mut out = Vec::new();
        for piece in bytes.chunks(size) {
            out.extend(decoder.push(piece)?);
        }
        out.extend(decoder.finish()?);
        Ok(out)
    }

    #[test]
    fn every_coding_is_undone_in_any_pieces() {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(TEXT).unwrap();
        let mut raw =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        raw.write_all(TEXT).unwrap();
        let zstd = zstd::encode_all(TEXT, 3).unwrap();
        for (coding, bytes) in [
            ("gzip", gzip(TEXT)),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
            ("zstd", zstd),
        ] {
            for size in 1..=bytes.len() {
                assert_eq!(decode(coding, &bytes, size).as_deref(), Ok(TEXT), "{coding} {size}");
            }
            let cut = &bytes[..bytes.len() - 9];
            assert_ne!(decode(coding, cut, 7).as_deref(), Ok(TEXT), "{coding} was cut");
        }
        assert!(matches!(Decoder::of("identity"), Ok(None)));
        assert!(matches!(Decoder::of("gzip, br"), Err(CodingError::Unknown)));
        assert!(matches!(Decoder::of("compress"), Err(CodingError::Unknown)));
    }

    #[test]
    fn a_bomb_is_too_large() {
        let bomb = zstd::encode_all(&vec![0_u8; 100 * 1024 * 1024][..], 3).unwrap();
        assert!(bomb.len() < 64 * 1024);
        assert_eq!(decode("zstd", &bomb, 4096), Err(CodingError::TooLarge));
        let bomb = gzip(&vec![0_u8; 64 * 1024 * 1024]);
        assert_eq!(decode("gzip", &bomb, bomb.len()), Err(CodingError::TooLarge));
    }

    #[test]
    fn garbage_is_malformed() {
        for coding in ["gzip", "br", "zstd", "deflate"] {
            assert!(
                decode(coding, b"\xff\xfe this is not compressed at all", 5).is_err(),
                "{coding}"
            );
        }
    }
}
