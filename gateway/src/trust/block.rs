//! A marked block in a file of somebody else's.
//!
//! Owns the marks, and that everything outside of them stays as it was, byte for byte. Must not
//! know what the block is for. The first mark says what was added to fit the block in (a line end
//! before it, the file itself), so that taking it out leaves what was there.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::{Attributes, Files};

/// Says that the line before the block had no end.
const LINE_ENDED: &str = " (ended the line before)";
/// Says that there was no file.
const FILE_MADE: &str = " (made this file)";

/// The marks of one owner's block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    begin: String,
    end: String,
}

/// Where a block is, in bytes of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Block {
    start: usize,
    end: usize,
    ended_line: bool,
    made_file: bool,
    body: Vec<u8>,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Somebody has changed the marks.
    #[error("line {line} begins a block of the gateway's that does not end")]
    Open {
        /// The line of the first mark.
        line: usize,
    },
}

impl Marks {
    /// The marks of an instance's line for SSH.
    #[must_use]
    pub fn of_ssh(instance: &str) -> Self {
        Self::of("portcullis trust ssh", instance)
    }

    /// The marks of an instance's certificates in a bundle.
    #[must_use]
    pub(super) fn of_bundle(instance: &str) -> Self {
        Self::of("portcullis trust", instance)
    }

    fn of(what: &str, instance: &str) -> Self {
        Self {
            begin: format!("# >>> {what}, instance {instance}"),
            end: format!("# <<< {what}, instance {instance}"),
        }
    }

    /// The body of the block in a file; `None` where there is none.
    ///
    /// # Errors
    /// Where the file cannot be read, or the block has no end.
    pub fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, BlockError> {
        let (files, path) = host(path)?;
        files.read(&path)?.map_or(Ok(None), |found| self.body(&found.bytes))
    }

    /// Puts the body in, in the place of what is there. False where it is there already. (A step
    /// does it with a journal.)
    #[cfg(test)]
    fn put(&self, path: &Path, body: &[u8]) -> Result<bool, BlockError> {
        let (files, path) = host(path)?;
        let before = files.read(&path)?;
        let bytes = before.as_ref().map(|found| found.bytes.as_slice());
        if self.body(bytes.unwrap_or_default())?.as_deref() == Some(body) {
            return Ok(false);
        }
        let after = self.with(bytes, body)?;
        let like = before.map_or(Attributes::public(), |found| found.attributes);
        files.write(&path, &after, &Attributes { modified_ns: 0, ..like })?;
        Ok(true)
    }

    /// Takes the block out. False where there is none.
    ///
    /// # Errors
    /// Where the file cannot be read or written, or the block has no end.
    pub fn remove(&self, path: &Path) -> Result<bool, BlockError> {
        let (files, path) = host(path)?;
        let Some(found) = files.read(&path)? else { return Ok(false) };
        match self.without(&found.bytes)? {
            None => return Ok(false),
            Some(Rest::Nothing) => files.remove(&path)?,
            Some(Rest::Bytes(after)) => {
                let like = Attributes { modified_ns: 0, ..found.attributes };
                files.write(&path, &after, &like)?;
            }
        }
        Ok(true)
    }

    /// The body of the block in these bytes.
    pub(super) fn body(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, BlockError> {
        Ok(self.find(bytes)?.map(|block| block.body))
    }

    /// The bytes with the body in them; `None` where there was no file.
    pub(super) fn with(&self, before: Option<&[u8]>, body: &[u8]) -> Result<Vec<u8>, BlockError> {
        let bytes = before.unwrap_or_default();
        if let Some(block) = self.find(bytes)? {
            return Ok(splice(bytes, &block, &self.block(body, block.ended_line, block.made_file)));
        }
        let ends_line = !bytes.is_empty() && !bytes.ends_with(b"\n");
        let mut after = bytes.to_vec();
        after.extend_from_slice(if ends_line { b"\n" } else { b"" });
        after.extend(self.block(body, ends_line, before.is_none()));
        Ok(after)
    }

    /// The bytes without the block; `None` where there is none.
    pub(super) fn without(&self, bytes: &[u8]) -> Result<Option<Rest>, BlockError> {
        let Some(mut block) = self.find(bytes)? else { return Ok(None) };
        // What was written behind it since stands on lines of its own.
        if block.ended_line && block.end == bytes.len() {
            block.start = block.start.saturating_sub(1);
        }
        let after = splice(bytes, &block, b"");
        let nothing = after.is_empty() && block.made_file;
        Ok(Some(if nothing { Rest::Nothing } else { Rest::Bytes(after) }))
    }

    fn block(&self, body: &[u8], ended_line: bool, made_file: bool) -> Vec<u8> {
        let line = if ended_line { LINE_ENDED } else { "" };
        let file = if made_file { FILE_MADE } else { "" };
        let mut block = format!("{}{line}{file}\n", self.begin).into_bytes();
        block.extend_from_slice(body);
        block.extend_from_slice(self.end.as_bytes());
        block.push(b'\n');
        block
    }

    fn find(&self, bytes: &[u8]) -> Result<Option<Block>, BlockError> {
        let mut begun: Option<(usize, usize, &str)> = None;
        let mut at = 0;
        for (index, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
            let bare = std::str::from_utf8(line).unwrap_or("").trim_end_matches(['\n', '\r']);
            match &begun {
                None => {
                    if let Some(rest) = bare.strip_prefix(&self.begin)
                        && (rest.is_empty() || rest.starts_with(" ("))
                    {
                        begun = Some((at, index + 1, rest));
                    }
                }
                Some((start, _, flags)) if bare == self.end => {
                    let block = bytes.get(*start..at).unwrap_or_default();
                    let body = block.iter().position(|&byte| byte == b'\n').map(|at| at + 1);
                    return Ok(Some(Block {
                        start: *start,
                        end: at + line.len(),
                        ended_line: flags.contains(LINE_ENDED),
                        made_file: flags.contains(FILE_MADE),
                        body: body.and_then(|at| block.get(at..)).unwrap_or_default().to_vec(),
                    }));
                }
                Some(_) => {}
            }
            at += line.len();
        }
        match begun {
            Some((_, line, _)) => Err(BlockError::Open { line }),
            None => Ok(None),
        }
    }
}

/// What is left when a block is taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// The file was made for the block, and nothing else is in it.
    Nothing,
    /// These bytes.
    Bytes(Vec<u8>),
}

/// The host's own files, and where a path leads among them.
fn host(path: &Path) -> io::Result<(Files, PathBuf)> {
    let files = Files::below("/");
    let path = files.resolve(&std::path::absolute(path)?)?;
    Ok((files, path))
}

fn splice(bytes: &[u8], block: &Block, new: &[u8]) -> Vec<u8> {
    let before = bytes.get(..block.start).unwrap_or_default();
    let behind = bytes.get(block.end..).unwrap_or_default();
    [before, new, behind].concat()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    const BODY: &str = "@cert-authority a ssh-ed25519 AAAA\n";

    #[test]
    fn a_block_is_put_in_once_and_taken_out_without_a_trace() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known");
        let marks = Marks::of_ssh("main");
        for before in
            ["", "\n", "a line\n", "a line without an end", "crlf\r\n", "# >>> other\nx\n"]
        {
            fs::write(&path, before).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
            assert!(marks.put(&path, BODY.as_bytes()).unwrap());
            let once = fs::read_to_string(&path).unwrap();
            assert!(!marks.put(&path, BODY.as_bytes()).unwrap());
            assert_eq!(fs::read_to_string(&path).unwrap(), once);
            assert_eq!(marks.read(&path).unwrap().as_deref(), Some(BODY.as_bytes()));
            assert!(marks.put(&path, b"other\n").unwrap());
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
            assert!(marks.remove(&path).unwrap());
            assert_eq!(fs::read_to_string(&path).unwrap(), before, "{before:?}");
            assert!(!marks.remove(&path).unwrap());
        }
    }

    #[test]
    fn a_file_that_was_made_for_it_goes_with_it_unless_somebody_has_written_more() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known");
        let marks = Marks::of_ssh("main");
        marks.put(&path, BODY.as_bytes()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
        marks.remove(&path).unwrap();
        assert!(!path.exists());
        marks.put(&path, BODY.as_bytes()).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}more\n")).unwrap();
        marks.remove(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "more\n");
    }

    #[test]
    fn blocks_of_other_instances_stay_and_what_is_written_around_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known");
        fs::write(&path, "first").unwrap();
        let (one, two) = (Marks::of_ssh("one"), Marks::of_ssh("one-b"));
        one.put(&path, BODY.as_bytes()).unwrap();
        two.put(&path, b"two\n").unwrap();
        one.remove(&path).unwrap();
        assert_eq!(one.read(&path).unwrap(), None);
        assert_eq!(two.read(&path).unwrap().as_deref(), Some(&b"two\n"[..]));
        two.remove(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first\n");
    }

    #[test]
    fn a_block_without_its_end_and_what_is_no_file_are_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known");
        let marks = Marks::of_ssh("main");
        let text = "x\n# >>> portcullis trust ssh, instance main\n@cert-authority a b c\n";
        fs::write(&path, text).unwrap();
        assert!(matches!(marks.put(&path, BODY.as_bytes()), Err(BlockError::Open { line: 2 })));
        assert!(marks.remove(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert!(marks.put(directory.path(), BODY.as_bytes()).is_err());
    }

    #[test]
    fn a_link_is_followed_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let (path, real) = (directory.path().join("known"), directory.path().join("real"));
        fs::write(&real, "x\n").unwrap();
        std::os::unix::fs::symlink(&real, &path).unwrap();
        Marks::of_ssh("main").put(&path, BODY.as_bytes()).unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
        assert!(fs::read_to_string(&real).unwrap().contains(BODY));
    }
}
