//! One recording's file, as the writer thread writes it.
//!
//! Owns the open file, its chain and what has not reached it yet. Must not know sessions or threads.
//! A block is encoded once, at a known place; when writing fails it is kept and written again at the
//! same place, so half a write is never followed by a second beginning. Ends with [`RecordingFile::seal`].

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

use model::{SessionId, Timestamp};

use super::header::{FileHeader, SealBody};
use super::key::{SIGNATURE_BYTES, SigningKey};
use super::layout::{self, BlockKind, HEAD_BYTES, Head, Link};
use super::library;
use super::packing::{Experience, Packer};

/// A block of records, as a session hands it over.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Encoded records.
    pub(super) plain: Vec<u8>,
    pub(super) records: u32,
    pub(super) first_at_us: u64,
    pub(super) last_at_us: u64,
}

/// The file.
#[derive(Debug)]
pub(super) struct RecordingFile {
    file: File,
    session: SessionId,
    /// Where `unwritten` begins.
    offset: u64,
    link: Link,
    next_record: u64,
    last_at_us: u64,
    /// Encoded blocks that did not reach the file yet.
    unwritten: Vec<u8>,
    signed_at: Timestamp,
    signed_records: u64,
    experience: Experience,
}

impl RecordingFile {
    /// Creates the file with its preamble, and its day's directory where it is the day's first.
    pub(super) fn create(directory: &Path, header: &FileHeader) -> io::Result<Self> {
        let session = &header.session;
        let day = directory.join(library::day_name(session.started_us));
        let path = day.join(library::file_name(session.session));
        let json = serde_json::to_vec(header)?;
        let preamble = layout::preamble(&json)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the header is too long"))?;
        let file = match create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DirBuilder::new().recursive(true).mode(0o700).create(&day)?;
                create_new(&path)?
            }
            other => other?,
        };
        if let Err(error) = file.write_all_at(&preamble, 0) {
            // A file without a header is nobody's recording.
            _ = std::fs::remove_file(&path);
            return Err(error);
        }
        Ok(Self {
            file,
            session: session.session,
            offset: preamble.len() as u64,
            link: layout::first_link(&preamble),
            next_record: 1,
            last_at_us: 0,
            unwritten: Vec::new(),
            signed_at: session.started_us,
            signed_records: 0,
            experience: Experience::default(),
        })
    }

    /// Encodes a block behind what is waiting. Call [`RecordingFile::write`] next.
    pub(super) fn append(&mut self, batch: &Batch, packer: &mut Packer) -> io::Result<()> {
        let payload = packer.pack(&batch.plain, &mut self.experience)?;
        let wrong = |_| io::Error::new(io::ErrorKind::InvalidInput, "the block is too long");
        let head = Head {
            kind: BlockKind::Records,
            payload_length: u32::try_from(payload.len()).map_err(wrong)?,
            plain_length: u32::try_from(batch.plain.len()).map_err(wrong)?,
            records: batch.records,
            first_record: self.next_record,
            first_at_us: batch.first_at_us,
            last_at_us: batch.last_at_us,
        };
        self.chain(&head, &[payload]);
        self.next_record += u64::from(batch.records);
        self.last_at_us = batch.last_at_us;
        Ok(())
    }

    /// Encodes a signature over everything so far, where there is something it does not cover yet
    /// and the last one is `older_than`.
    pub(super) fn checkpoint(&mut self, key: &SigningKey, older_than: Timestamp, now: Timestamp) {
        if self.signed_at > older_than || self.signed_records + 1 == self.next_record {
            return;
        }
        self.sign(key, BlockKind::Checkpoint, &[]);
        self.signed_at = now;
    }

    /// Encodes the seal and the footer; returns the chain's head. Nothing may follow.
    pub(super) fn seal(&mut self, key: &SigningKey, mut body: SealBody) -> io::Result<String> {
        body.records = self.next_record - 1;
        let json = serde_json::to_vec(&body)?;
        let length = self
            .sign(key, BlockKind::Seal, &json)
            .ok_or_else(|| io::Error::other("the signing key does not sign"))?;
        self.unwritten.extend_from_slice(&layout::footer(length));
        Ok(layout::hexadecimal(&self.link))
    }

    /// Writes what is waiting; returns how many bytes that were. On an error all of it is kept.
    pub(super) fn write(&mut self) -> io::Result<usize> {
        self.file.write_all_at(&self.unwritten, self.offset)?;
        let written = self.unwritten.len();
        self.offset += written as u64;
        self.unwritten.clear();
        Ok(written)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Puts another file in the place of this one, such as a full disk's.
    #[cfg(test)]
    pub(super) fn replace(&mut self, file: File) -> File {
        std::mem::replace(&mut self.file, file)
    }

    pub(super) const fn records(&self) -> u64 {
        self.next_record - 1
    }

    /// Returns the block's whole length, `None` where the key does not sign.
    fn sign(&mut self, key: &SigningKey, kind: BlockKind, body: &[u8]) -> Option<u32> {
        let records = self.records();
        let message = layout::signed_message(kind, self.session, &self.link, records, body);
        let signature = key.sign(&message)?;
        let length = u32::try_from(SIGNATURE_BYTES + body.len()).ok()?;
        let head = Head::of_signature(kind, length, self.next_record, self.last_at_us);
        self.chain(&head, &[&signature, body]);
        self.signed_records = records;
        length.checked_add(u32::try_from(HEAD_BYTES).ok()?)
    }

    fn chain(&mut self, head: &Head, payload: &[&[u8]]) {
        let chained = head.chained_bytes();
        self.unwritten.extend_from_slice(&chained);
        let link_at = self.unwritten.len();
        self.unwritten.extend_from_slice(&[0; 32]);
        let payload_at = self.unwritten.len();
        payload.iter().for_each(|part| self.unwritten.extend_from_slice(part));
        let payload = self.unwritten.get(payload_at..).unwrap_or_default();
        self.link = layout::next_link(&self.link, head, payload);
        let place = self.unwritten.iter_mut().skip(link_at).take(32);
        place.zip(self.link).for_each(|(to, from)| *to = from);
    }
}

fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
