//! The options that rsync's clients send to a server.
//!
//! Owns the tables. Must not know how options are laid out in words. What is not in a table is not
//! known to be harmless, and the transfer is refused. The names are those of rsync 2.6 to 3.5
//! (`options.c`, `server_options`).

use model::Action;

use super::Odd;
use super::rsync::odd;

/// What an option changes about what must be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing.
    Harmless,
    /// Nothing, but takes a value.
    Value,
    /// What is added to the names of backups.
    Suffix,
    /// The server sends.
    Sender,
    /// Files of the target are removed.
    Deletes,
    /// Symbolic links are made.
    Links,
    /// Directories are gone through or made.
    Directories,
    /// Links, directories and more.
    Archive,
    /// Names keep their directories.
    Relative,
    /// A link to a directory is taken for the directory.
    KeepsDirectoryLinks,
    /// A path that is written to: backups, temporary and partial files.
    Writes,
    /// A path that is compared with, or copied from.
    Compares,
    /// A path whose files are linked to.
    LinksTo,
    /// A file of the target with the names of what to send.
    FilesFrom,
}

impl Meaning {
    pub(super) const fn takes_value(self) -> bool {
        matches!(
            self,
            Self::Value
                | Self::Suffix
                | Self::Writes
                | Self::Compares
                | Self::LinksTo
                | Self::FilesFrom
        )
    }

    /// What is done to the path that is the option's value.
    pub(super) const fn actions(self) -> &'static [Action] {
        match self {
            Self::Writes => &[Action::Write, Action::Mkdir],
            Self::Compares => &[Action::Read],
            Self::LinksTo => &[Action::Read, Action::Link],
            Self::FilesFrom => &[Action::Read],
            _ => &[],
        }
    }
}

/// Reads a word of short options.
pub(super) fn short(letters: &str) -> Result<Vec<Meaning>, Odd> {
    // The block size is a word of its own.
    if let Some(size) = letters.strip_prefix('B') {
        let is_size = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit());
        return if is_size { Ok(Vec::new()) } else { Err(odd("a block size that is none")) };
    }
    let mut meanings = Vec::new();
    for (at, letter) in letters.char_indices() {
        meanings.push(match letter {
            'l' => Meaning::Links,
            'r' | 'd' => Meaning::Directories,
            'a' => Meaning::Archive,
            'R' => Meaning::Relative,
            'K' => Meaning::KeepsDirectoryLinks,
            'e' => {
                // The rest says what the client can do: `e.iLsfxCIvu`, `e31.14iLsfxC`.
                let rest = letters.get(at + 1..).unwrap_or_default();
                let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
                return if !rest.is_empty() && rest.bytes().all(known) {
                    Ok(meanings)
                } else {
                    Err(odd("a remote shell"))
                };
            }
            's' => return Err(odd("the paths come by the channel (`-s`); use `--no-s`")),
            letter if HARMLESS_SHORT.contains(letter) => Meaning::Harmless,
            _ => return Err(odd("a short option that is not known to be harmless")),
        });
    }
    if meanings.is_empty() {
        return Err(odd("a lone `-`"));
    }
    Ok(meanings)
}

/// verbose, quiet, dry run, backup, update, follow links, whole files, hard links, times, owner,
/// group, modes, devices, ACLs, attributes, sparse, compress, checksum, and the like.
const HARMLESS_SHORT: &str = "vqnbuLkWHogDtpEOJAXxSzcmIyUNCiP";

/// What a long option means, by its name without dashes and value.
pub(super) fn long(name: &str) -> Option<Meaning> {
    let (_, meaning) = LONG.iter().find(|(names, _)| names.contains(&name))?;
    Some(*meaning)
}

const LONG: &[(&[&str], Meaning)] = &[
    (&["sender"], Meaning::Sender),
    (
        &[
            "del",
            "delete",
            "delete-after",
            "delete-before",
            "delete-delay",
            "delete-during",
            "delete-excluded",
            "delete-missing-args",
            "remove-sent-files",
            "remove-source-files",
        ],
        Meaning::Deletes,
    ),
    (&["dirs", "mkpath", "old-d", "old-dirs", "recursive"], Meaning::Directories),
    (&["links"], Meaning::Links),
    (&["archive"], Meaning::Archive),
    (&["relative"], Meaning::Relative),
    (&["keep-dirlinks"], Meaning::KeepsDirectoryLinks),
    (&["backup-dir", "partial-dir", "temp-dir"], Meaning::Writes),
    (&["compare-dest", "copy-dest"], Meaning::Compares),
    (&["link-dest"], Meaning::LinksTo),
    (&["files-from"], Meaning::FilesFrom),
    (&["suffix"], Meaning::Suffix),
    (
        &[
            "append",
            "append-verify",
            "backup",
            "checksum",
            "compress",
            "copy-devices",
            "copy-unsafe-links",
            "delay-updates",
            "devices",
            "existing",
            "fake-super",
            "force",
            "from0",
            "fsync",
            "fuzzy",
            "i-r",
            "ignore-errors",
            "ignore-existing",
            "ignore-missing-args",
            "ignore-non-existing",
            "ignore-times",
            "inc-recursive",
            "inplace",
            "itemize-changes",
            "list-only",
            "msgs2stderr",
            "munge-links",
            "new-compress",
            "no-W",
            "no-devices",
            "no-i-r",
            "no-implied-dirs",
            "no-inc-recursive",
            "no-msgs2stderr",
            "no-r",
            "no-relative",
            "no-specials",
            "no-super",
            "no-whole-file",
            "numeric-ids",
            "old-compress",
            "one-file-system",
            "open-noatime",
            "partial",
            "preallocate",
            "progress",
            "prune-empty-dirs",
            "safe-links",
            "size-only",
            "specials",
            "stats",
            "super",
            "update",
            "whole-file",
        ],
        Meaning::Harmless,
    ),
    (
        &[
            "bwlimit",
            "checksum-choice",
            "checksum-seed",
            "compress-choice",
            "compress-level",
            "compress-threads",
            "debug",
            "groupmap",
            "iconv",
            "info",
            "log-format",
            "max-alloc",
            "max-delete",
            "max-size",
            "min-size",
            "modify-window",
            "out-format",
            "outbuf",
            "protocol",
            "skip-compress",
            "stop-after",
            "stop-at",
            "timeout",
            "usermap",
        ],
        Meaning::Value,
    ),
];
