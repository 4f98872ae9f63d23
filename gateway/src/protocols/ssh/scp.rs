//! The files that go through a channel of scp's old protocol.
//!
//! Owns the log: which files, how long, with which hash. Must not judge, nor change a byte: the
//! command was judged before it began. What is sent up must name files below the path that was
//! judged; a name that leads elsewhere ends the channel. Ends with the channel.

use std::sync::Arc;

use wire::ssh::scp::{Event, Source};
use wire::ssh::sftp::Violation;

use super::desk::Desk;
use super::sftp::Content;
use crate::session::{Receipt, Refusal, RefusalKind};

/// One direction of a channel, and its log where it is the one that files go.
pub(super) struct Copy<'a> {
    log: Option<Log>,
    desk: &'a Desk,
    receipt: &'a Arc<Receipt>,
}

impl<'a> Copy<'a> {
    pub(super) const fn new(log: Option<Log>, desk: &'a Desk, receipt: &'a Arc<Receipt>) -> Self {
        Self { log, desk, receipt }
    }

    /// Takes what the workload sends, before it is sent.
    ///
    /// # Errors
    /// The refusal, where a name leads elsewhere, or it is not scp's protocol at all.
    pub(super) async fn sent(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let Some(log) = &mut self.log else { return Ok(()) };
        match log.take(bytes) {
            Ok(lines) => self.note(lines).await,
            Err(violation) => {
                let message = format!("portcullis: not sent on to scp: {violation}");
                return Err(Refusal::new(RefusalKind::Unreadable, message)
                    .because("What is copied must go where it was granted."));
            }
        }
        Ok(())
    }

    /// Takes what is shown to the workload. What is not scp's protocol is shown all the same; it
    /// was granted, and only the log ends.
    pub(super) async fn shown(&mut self, bytes: &[u8]) {
        let Some(log) = &mut self.log else { return };
        match log.take(bytes) {
            Ok(lines) => self.note(lines).await,
            Err(violation) => {
                self.log = None;
                self.note(vec![format!("scp: the rest is not logged: {violation}")]).await;
            }
        }
    }

    /// Records the file that came to no end.
    pub(super) async fn end(&mut self) {
        let line = self.log.take().and_then(Log::end);
        self.note(line.into_iter().collect()).await;
    }

    async fn note(&self, lines: Vec<String>) {
        for line in lines {
            self.desk.note(self.receipt, line).await;
        }
    }
}

/// Reads along with the sending end.
#[derive(Default)]
pub(super) struct Log {
    source: Source,
    directories: Vec<String>,
    /// The file that is under way.
    file: Option<(String, u64, Content)>,
    offset: u64,
}

impl Log {
    /// Takes what the sending end says, and gives a line for each file that is at its end.
    ///
    /// # Errors
    /// Where it is not scp's protocol, or a name leads elsewhere.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Vec<String>, Violation> {
        let mut lines = Vec::new();
        let mut rest = bytes;
        while let Some(event) = self.source.next(&mut rest)? {
            match event {
                Event::File { name, size } => {
                    self.offset = 0;
                    self.file = Some((self.path(&name), size, Content::default()));
                }
                Event::Content(piece) => {
                    if let Some((_, _, content)) = &mut self.file {
                        content.take(self.offset, [piece]);
                        self.offset += piece.len() as u64;
                    }
                }
                Event::FileEnd(whole) => lines.extend(self.file_end(whole)),
                Event::Directory { name } => self.directories.push(shown(&name)),
                Event::Leave => {
                    self.directories.pop();
                }
                Event::Times => {}
                Event::Error(message) => lines.push(format!("scp: {}", shown(&message))),
            }
        }
        Ok(lines)
    }

    /// The line of a file that came to no end.
    pub(super) fn end(mut self) -> Option<String> {
        let (path, size, content) = self.file.take()?;
        let told = content.told().unwrap_or_else(|| String::from("0 bytes"));
        Some(format!("scp: {path}: broken off, {size} bytes announced; {told}"))
    }

    fn file_end(&mut self, whole: bool) -> Option<String> {
        let (path, _, content) = self.file.take()?;
        let told = content.told().unwrap_or_else(|| String::from("0 bytes"));
        let failed = if whole { "" } else { "; the sender could not read all of it" };
        Some(format!("scp: {path}: {told}{failed}"))
    }

    fn path(&self, name: &[u8]) -> String {
        let mut path = self.directories.join("/");
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(&shown(name));
        path
    }
}

fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_copy_is_logged_with_its_hash() {
        let mut log = Log::default();
        let lines =
            log.take(b"D0755 0 d\nC0644 3 a\nabc\0C0644 0 e\n\0E\nC0644 9 \x1b[31m\nxy").unwrap();
        assert_eq!(
            lines,
            [
                "scp: d/a: 3 bytes, sha256 \
                 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "scp: d/e: 0 bytes",
            ]
        );
        let end = log.end().unwrap();
        assert!(
            end.starts_with("scp: \u{fffd}[31m: broken off, 9 bytes announced; 2 bytes"),
            "{end}"
        );
    }

    #[test]
    fn a_name_that_leads_elsewhere_ends_the_channel() {
        assert!(Log::default().take(b"C0644 3 ../../etc/cron.d/x\n").is_err());
    }
}
