//! A marked block in a file of somebody else's.
//!
//! Owns the marks, and that everything outside of them stays as it was, byte for byte. Must not
//! know what the block is for. The first mark says what was added to fit the block in (a line end
//! before it, the file itself), so that taking it out leaves what was there.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

/// Bytes of a file that is edited.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Says that the line before the block had no end.
const LINE_ENDED: &str = " (ended the line before)";
/// Says that there was no file.
const FILE_MADE: &str = " (made this file)";

/// The marks of one owner's block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    begin: String,
    end: String,
}

/// Where a block is, in bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    start: usize,
    end: usize,
    ended_line: bool,
    made_file: bool,
    body: String,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub(super) enum BlockError {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Somebody has changed the marks.
    #[error("line {line} begins a block of the gateway's that does not end")]
    Open {
        /// The line of the first mark.
        line: usize,
    },
    /// It is not text, or too large.
    #[error("it is no plain text file of at most {FILE_BYTES_MAX} bytes")]
    NotText,
}

impl Marks {
    /// The marks of an instance.
    pub(super) fn of(instance: &str) -> Self {
        Self {
            begin: format!("# >>> portcullis trust ssh, instance {instance}"),
            end: format!("# <<< portcullis trust ssh, instance {instance}"),
        }
    }

    /// The body of the block in a file; `None` where there is none.
    pub(super) fn read(&self, path: &Path) -> Result<Option<String>, BlockError> {
        let Some(text) = read(path)? else { return Ok(None) };
        Ok(self.find(&text)?.map(|found| found.body))
    }

    /// Puts the body in, in the place of what is there. False where it is there already.
    pub(super) fn put(&self, path: &Path, body: &str) -> Result<bool, BlockError> {
        let before = read(path)?;
        let text = before.clone().unwrap_or_default();
        let after = match self.find(&text)? {
            Some(found) if found.body == body => return Ok(false),
            Some(found) => {
                let block = self.block(body, found.ended_line, found.made_file);
                splice(&text, &found, &block)
            }
            None => {
                let ends_line = !text.is_empty() && !text.ends_with('\n');
                let line_end = if ends_line { "\n" } else { "" };
                let block = self.block(body, ends_line, before.is_none());
                format!("{text}{line_end}{block}")
            }
        };
        replace(path, &after)?;
        Ok(true)
    }

    /// Takes the block out. False where there is none.
    pub(super) fn remove(&self, path: &Path) -> Result<bool, BlockError> {
        let Some(text) = read(path)? else { return Ok(false) };
        let Some(mut found) = self.find(&text)? else { return Ok(false) };
        // What was written behind it since stands on lines of its own.
        if found.ended_line && found.end == text.len() {
            found.start = found.start.saturating_sub(1);
        }
        let after = splice(&text, &found, "");
        if after.is_empty() && found.made_file {
            fs::remove_file(path)?;
        } else {
            replace(path, &after)?;
        }
        Ok(true)
    }

    fn block(&self, body: &str, ended_line: bool, made_file: bool) -> String {
        let line = if ended_line { LINE_ENDED } else { "" };
        let file = if made_file { FILE_MADE } else { "" };
        format!("{}{line}{file}\n{body}{}\n", self.begin, self.end)
    }

    fn find(&self, text: &str) -> Result<Option<Found>, BlockError> {
        let mut begun: Option<(usize, usize, &str)> = None;
        let mut at = 0;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let bare = line.trim_end_matches(['\n', '\r']);
            match &begun {
                None => {
                    if let Some(rest) = bare.strip_prefix(&self.begin)
                        && (rest.is_empty() || rest.starts_with(" ("))
                    {
                        begun = Some((at, index + 1, rest));
                    }
                }
                Some((start, _, flags)) if bare == self.end => {
                    let block = text.get(*start..at).unwrap_or_default();
                    let body = block.split_once('\n').map_or("", |(_, body)| body).to_owned();
                    return Ok(Some(Found {
                        start: *start,
                        end: at + line.len(),
                        ended_line: flags.contains(LINE_ENDED),
                        made_file: flags.contains(FILE_MADE),
                        body,
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

fn splice(text: &str, found: &Found, block: &str) -> String {
    let before = text.get(..found.start).unwrap_or_default();
    let behind = text.get(found.end..).unwrap_or_default();
    format!("{before}{block}{behind}")
}

fn read(path: &Path) -> Result<Option<String>, BlockError> {
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if !about.is_file() || about.len() > FILE_BYTES_MAX {
        return Err(BlockError::NotText);
    }
    let bytes = fs::read(path)?;
    String::from_utf8(bytes).map(Some).map_err(|_| BlockError::NotText)
}

/// Writes beside the place, with the rights of what is there, and takes the place when all is on
/// disk. A link stays one: what it leads to is replaced.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        path => path?,
    };
    let mut beside = path.clone().into_os_string();
    beside.push(".portcullis-new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    match fs::metadata(&path) {
        Ok(about) => {
            fchown(&file, Some(about.uid()), Some(about.gid()))?;
            file.set_permissions(Permissions::from_mode(about.mode() & 0o7777))?;
        }
        Err(_) => file.set_permissions(Permissions::from_mode(0o644))?,
    }
    file.sync_all()?;
    fs::rename(&beside, &path)?;
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "@cert-authority a ssh-ed25519 AAAA\n";

    #[test]
    fn a_block_is_put_in_once_and_taken_out_without_a_trace() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known");
        let marks = Marks::of("main");
        for before in
            ["", "\n", "a line\n", "a line without an end", "crlf\r\n", "# >>> other\nx\n"]
        {
            fs::write(&path, before).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
            assert!(marks.put(&path, BODY).unwrap());
            let once = fs::read_to_string(&path).unwrap();
            assert!(!marks.put(&path, BODY).unwrap());
            assert_eq!(fs::read_to_string(&path).unwrap(), once);
            assert_eq!(marks.read(&path).unwrap().as_deref(), Some(BODY));
            assert!(marks.put(&path, "other\n").unwrap());
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
        let marks = Marks::of("main");
        marks.put(&path, BODY).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
        marks.remove(&path).unwrap();
        assert!(!path.exists());
        marks.put(&path, BODY).unwrap();
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
        let (one, two) = (Marks::of("one"), Marks::of("one-b"));
        one.put(&path, BODY).unwrap();
        two.put(&path, "two\n").unwrap();
        one.remove(&path).unwrap();
        assert_eq!(one.read(&path).unwrap(), None);
        assert_eq!(two.read(&path).unwrap().as_deref(), Some("two\n"));
        two.remove(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first\n");
    }

    #[test]
    fn a_block_without_its_end_and_a_file_that_is_no_text_are_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known");
        let marks = Marks::of("main");
        let text = "x\n# >>> portcullis trust ssh, instance main\n@cert-authority a b c\n";
        fs::write(&path, text).unwrap();
        assert!(matches!(marks.put(&path, BODY), Err(BlockError::Open { line: 2 })));
        assert!(marks.remove(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(matches!(marks.put(&path, BODY), Err(BlockError::NotText)));
        assert!(marks.put(directory.path(), BODY).is_err());
    }

    #[test]
    fn a_link_is_followed_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let (path, real) = (directory.path().join("known"), directory.path().join("real"));
        fs::write(&real, "x\n").unwrap();
        std::os::unix::fs::symlink(&real, &path).unwrap();
        Marks::of("main").put(&path, BODY).unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
        assert!(fs::read_to_string(&real).unwrap().contains(BODY));
    }
}
