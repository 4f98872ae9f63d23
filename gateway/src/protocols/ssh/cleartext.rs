//! What a client says before anything is encrypted.
//!
//! Owns reading the identification line and the types of the packets after it (RFC 4253 4.2, 6),
//! until new keys are taken. Must not know a socket; decides nothing: it tells whether a client
//! that went away had been shown our host key. Ends at NEWKEYS, or at bytes that are no packets.

/// Bytes of an identification line.
const LINE_BYTES_MAX: usize = 255;
/// Bytes of a packet before it cannot be one (RFC 4253 6.1 asks for 35000).
const PACKET_BYTES_MAX: usize = 256 * 1024;
/// Length, padding length and type of a packet.
const HEAD_BYTES: usize = 6;

const NEWKEYS: u8 = 21;
/// The messages of key exchange methods.
const EXCHANGE: std::ops::RangeInclusive<u8> = 30..=49;

/// Follows a client's cleartext.
#[derive(Debug, Default)]
pub(super) struct Cleartext {
    place: Place,
    held: Vec<u8>,
    version: Option<String>,
    exchange_seen: bool,
}

#[derive(Debug, Default)]
enum Place {
    /// In the identification line.
    #[default]
    Line,
    /// In the head of a packet.
    Head,
    /// In the rest of a packet: bytes to go.
    Rest(usize),
    /// Past what can be read.
    Over,
}

impl Cleartext {
    /// Takes what has come. False once there is no more to learn.
    pub(super) fn observe(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.place {
                Place::Line => self.line(rest),
                Place::Head => self.head(rest),
                Place::Rest(to_go) => {
                    let count = to_go.min(rest.len());
                    self.place =
                        if count == to_go { Place::Head } else { Place::Rest(to_go - count) };
                    rest.get(count..).unwrap_or_default()
                }
                Place::Over => return false,
            };
        }
        !matches!(self.place, Place::Over)
    }

    /// The identification line, without its end.
    pub(super) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Whether a message of a key exchange method has come.
    pub(super) const fn exchange_seen(&self) -> bool {
        self.exchange_seen
    }

    fn line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        self.held.extend_from_slice(bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default());
        if self.held.len() > LINE_BYTES_MAX {
            self.place = Place::Over;
            return &[];
        }
        let Some(end) = end else { return &[] };
        let line = self.held.strip_suffix(b"\r").unwrap_or(&self.held);
        // It is shown to people: only what RFC 4253 lets it hold.
        if line.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            self.version = Some(String::from_utf8_lossy(line).into_owned());
        }
        self.held.clear();
        self.place = Place::Head;
        bytes.get(end + 1..).unwrap_or_default()
    }

    fn head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let count = (HEAD_BYTES - self.held.len()).min(bytes.len());
        self.held.extend_from_slice(bytes.get(..count).unwrap_or_default());
        if let [a, b, c, d, _padding, kind] = *self.held.as_slice() {
            self.held.clear();
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            self.exchange_seen |= EXCHANGE.contains(&kind);
            self.place = match length.checked_sub(2) {
                Some(to_go) if length <= PACKET_BYTES_MAX && kind != NEWKEYS => Place::Rest(to_go),
                _ => Place::Over,
            };
        }
        bytes.get(count..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len() + 2 + 4).unwrap();
        let mut packet = length.to_be_bytes().to_vec();
        packet.extend_from_slice(&[4, kind]);
        packet.extend_from_slice(payload);
        packet.extend_from_slice(&[0; 4]);
        packet
    }

    fn spoken(kinds: &[u8]) -> Vec<u8> {
        let mut spoken = b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n".to_vec();
        for kind in kinds {
            spoken.extend_from_slice(&packet(*kind, &[7; 40]));
        }
        spoken
    }

    #[test]
    fn a_client_that_has_been_shown_our_key_is_known_however_its_bytes_are_cut() {
        let whole = spoken(&[20, 30]);
        for piece in 1..whole.len() {
            let mut cleartext = Cleartext::default();
            assert!(whole.chunks(piece).all(|bytes| cleartext.observe(bytes)));
            assert_eq!(cleartext.version(), Some("SSH-2.0-OpenSSH_9.2p1 Debian"));
            assert!(cleartext.exchange_seen());
        }
    }

    #[test]
    fn a_client_that_only_offered_its_algorithms_has_not_seen_our_key() {
        let mut cleartext = Cleartext::default();
        assert!(cleartext.observe(&spoken(&[20])));
        assert!(!cleartext.exchange_seen());
    }

    #[test]
    fn nothing_is_read_beyond_new_keys_or_out_of_what_is_no_packet() {
        let mut cleartext = Cleartext::default();
        assert!(!cleartext.observe(&spoken(&[20, 30, NEWKEYS, 50])));
        for nonsense in [&b"\xff\xff\xff\xff\x04\x14"[..], b"\0\0\0\x01\x04\x14"] {
            let mut cleartext = Cleartext::default();
            cleartext.observe(b"SSH-2.0-x\r\n");
            assert!(!cleartext.observe(nonsense));
        }
        let mut endless = Cleartext::default();
        assert!(!endless.observe(&[b'x'; 300]));
    }

    #[test]
    fn a_line_that_would_play_tricks_on_a_terminal_is_not_kept() {
        let mut cleartext = Cleartext::default();
        cleartext.observe(b"SSH-2.0-\x1b[2J\r\n");
        assert_eq!(cleartext.version(), None);
    }
}
