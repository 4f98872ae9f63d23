//! Names and values that a stream is opened with.
//!
//! Owns undoing their compression, which goes on from one frame to the next, and their form: a count,
//! then each name and value with its length. Must not know what a name means. Bounded: what does not
//! fit is an error, after which nothing more of the connection can be read.

use flate2::{Decompress, FlushDecompress};

/// Bytes of the names and values of one frame, once they are read. Kubernetes sends a hundred.
const NAMES_BYTES_MAX: usize = 16 * 1024;
/// What both sides begin to compress with (SPDY/3, section 2.6.10.1): words with their lengths
/// before them, then a text.
const WORDS: &[&str] = &[
    "options",
    "head",
    "post",
    "put",
    "delete",
    "trace",
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-base",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "retry-after",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "method",
    "get",
    "status",
    "200 OK",
    "version",
    "HTTP/1.1",
    "url",
    "public",
    "set-cookie",
    "keep-alive",
    "origin",
];
const TEXT: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417\
                    502504505203 Non-Authoritative Information204 No Content301 Moved Permanently400 \
                    Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 \
                    Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov \
                    Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,\
                    image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,\
                    text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=\
                    iso-8859-1,utf-,*,enq=0.";

/// Why names cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NamesError {
    /// They are not compressed as they should be.
    #[error("the names of a stream are not compressed as they should be")]
    Compression,
    /// They have another form, or are too long.
    #[error("the names of a stream are malformed or too long")]
    Form,
}

/// Reads the names of one side's frames, in their order.
#[derive(Debug)]
pub struct NameReader(Decompress);

impl Default for NameReader {
    fn default() -> Self {
        Self(Decompress::new(true))
    }
}

impl NameReader {
    /// Names, in lower case, and values of one frame.
    ///
    /// # Errors
    /// Where they cannot be read; later ones cannot either.
    pub fn read(&mut self, compressed: &[u8]) -> Result<Vec<(String, String)>, NamesError> {
        let plain = self.inflate(compressed)?;
        pairs(&plain).ok_or(NamesError::Form)
    }

    fn inflate(&mut self, compressed: &[u8]) -> Result<Vec<u8>, NamesError> {
        // One byte more than may be, to see that there are more.
        let mut plain = Vec::with_capacity(NAMES_BYTES_MAX + 1);
        let mut rest = compressed;
        loop {
            let before = self.0.total_in();
            let done = self.0.decompress_vec(rest, &mut plain, FlushDecompress::Sync);
            let taken = usize::try_from(self.0.total_in() - before).unwrap_or(rest.len());
            rest = rest.get(taken..).unwrap_or_default();
            match done {
                Err(error) if error.needs_dictionary().is_some() => {
                    let set = self.0.set_dictionary(&dictionary());
                    set.map_err(|_| NamesError::Compression)?;
                }
                Err(_) => return Err(NamesError::Compression),
                Ok(_) if plain.len() > NAMES_BYTES_MAX => return Err(NamesError::Form),
                Ok(_) if rest.is_empty() => return Ok(plain),
                Ok(_) if taken == 0 => return Err(NamesError::Compression),
                Ok(_) => {}
            }
        }
    }
}

/// What both sides begin to compress with.
#[must_use]
pub fn dictionary() -> Vec<u8> {
    let mut dictionary = Vec::with_capacity(1_423);
    for word in WORDS {
        let length = u32::try_from(word.len()).unwrap_or_default();
        dictionary.extend_from_slice(&length.to_be_bytes());
        dictionary.extend_from_slice(word.as_bytes());
    }
    dictionary.extend_from_slice(TEXT.as_bytes());
    dictionary
}

fn pairs(plain: &[u8]) -> Option<Vec<(String, String)>> {
    let mut rest = plain;
    let count = number(&mut rest)?;
    let mut pairs = Vec::new();
    for _ in 0..count {
        let name = text(&mut rest)?.to_ascii_lowercase();
        pairs.push((name, text(&mut rest)?));
    }
    rest.is_empty().then_some(pairs)
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(u32::from_be_bytes(*bytes))
}

fn text(rest: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    String::from_utf8(bytes.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};

    use super::*;

    fn block(pairs: &[(&str, &str)]) -> Vec<u8> {
        let mut block = u32::try_from(pairs.len()).unwrap().to_be_bytes().to_vec();
        for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
            block.extend_from_slice(&u32::try_from(text.len()).unwrap().to_be_bytes());
            block.extend_from_slice(text.as_bytes());
        }
        block
    }

    fn writer() -> Compress {
        let mut writer = Compress::new(Compression::best(), true);
        // Of the dictionary, known from the specification.
        assert_eq!(writer.set_dictionary(&dictionary()).unwrap(), 0xe3c6_a7c2);
        writer
    }

    fn compressed(writer: &mut Compress, plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 * 1024);
        writer.compress_vec(plain, &mut out, FlushCompress::Sync).unwrap();
        out
    }

    #[test]
    fn names_are_read_frame_by_frame() {
        let (mut writer, mut reader) = (writer(), NameReader::default());
        for kind in ["error", "stdout", "stderr", "stdin", "resize"] {
            let plain = block(&[("Streamtype", kind), ("port", "80")]);
            let read = reader.read(&compressed(&mut writer, &plain)).unwrap();
            let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
            assert_eq!(read, [pair("streamtype", kind), pair("port", "80")]);
        }
    }

    #[test]
    fn what_is_malformed_or_grows_is_an_error() {
        let read = |plain: &[u8]| NameReader::default().read(&compressed(&mut writer(), plain));
        assert_eq!(read(&[0; 20_000]), Err(NamesError::Form));
        assert_eq!(read(&vec![0; 50_000_000]), Err(NamesError::Form));
        assert_eq!(read(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]), Err(NamesError::Form));
        assert_eq!(read(&[0, 0, 0, 2, 0, 0, 0, 0]), Err(NamesError::Form));
        assert_eq!(read(&[0, 0, 0, 0]), Ok(Vec::new()));
        assert_eq!(NameReader::default().read(b"\x78\xbb garbage"), Err(NamesError::Compression));
        assert!(NameReader::default().read(b"").is_err());
    }
}
