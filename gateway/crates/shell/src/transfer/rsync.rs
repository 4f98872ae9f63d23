//! `rsync --server`: the remote end of rsync.
//!
//! Owns its command line. Must not know the protocol that follows on the channel, in which the
//! names and the content go: what is granted is granted for everything below the path.
//!
//! ```text
//! rsync --server [--sender] -vlogDtpre.iLsfxCIvu [--delete ...] . PATH...
//! ```
//!
//! From 3.2.4 on, clients escape what a remote shell would replace; what they leave bare (`*`, a
//! leading `~`) is meant for it. With `-s` the paths do not come by the command line at all: such
//! a transfer is [`Odd`].

use model::Action;

use super::rsync_options::{Meaning, long, short};
use super::{Direction, Need, Odd, Reach, TransferPath};

/// The remote end of a synchronisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rsync {
    /// `--sender` sends from the target.
    pub direction: Direction,
    /// The paths; exactly one for an upload.
    pub paths: Vec<TransferPath>,
    /// Whether files of the target are removed: `--delete*`, `--remove-source-files`.
    pub deletes: bool,
    /// Whether symbolic links are made (`-l`).
    pub links: bool,
    /// Whether directories are gone through or made (`-r`, `-d`, `-R`).
    pub directories: bool,
    /// Whether what is written stays below the paths, whatever the client says later.
    pub confined: bool,
    /// Other paths that are named: what is done, and where.
    pub others: Vec<(Action, TransferPath)>,
}

impl Rsync {
    pub(super) fn needs(&self) -> Vec<Need> {
        let mut actions = match self.direction {
            Direction::Download => vec![Action::Read],
            Direction::Upload => vec![Action::Write],
        };
        let also = match self.direction {
            Direction::Download => [(self.directories, Action::List), (false, Action::Link)],
            Direction::Upload => [(self.directories, Action::Mkdir), (self.links, Action::Link)],
        };
        actions.extend(also.iter().filter(|(needed, _)| *needed).map(|(_, action)| *action));
        if self.deletes {
            actions.push(Action::Remove);
        }
        let reach = match (self.confined, self.direction, self.directories) {
            (false, ..) => Reach::Anywhere,
            (true, Direction::Download, false) => Reach::Itself,
            // What is written to a directory gets the names that the client will say.
            (true, ..) => Reach::Tree,
        };
        let mut needs: Vec<Need> = Vec::new();
        for path in &self.paths {
            let one = |action: &Action| Need { action: *action, path: path.clone(), reach };
            needs.extend(actions.iter().map(one));
        }
        let other = |(action, path): &(Action, TransferPath)| Need {
            action: *action,
            path: path.clone(),
            reach: Reach::Tree,
        };
        needs.extend(self.others.iter().map(other));
        needs
    }
}

pub(super) const fn odd(because: &'static str) -> Odd {
    Odd { program: "rsync", because }
}

/// What the options said.
#[derive(Default)]
struct Options<'w> {
    sender: bool,
    deletes: bool,
    links: bool,
    directories: bool,
    unconfined: bool,
    others: Vec<(Meaning, &'w str)>,
}

/// Reads the arguments. `None` where it is not the remote end: rsync as a client of its own.
pub(super) fn read(arguments: &[&str]) -> Result<Option<Rsync>, Odd> {
    let is_server = |word: &&str| word.starts_with("--server") || word.starts_with("--daemon");
    if !arguments.iter().any(is_server) {
        return Ok(None);
    }
    let ["--server", rest @ ..] = arguments else {
        return Err(odd("`--server` is not the first option"));
    };
    let (options, paths) = options(rest)?;
    let direction = if options.sender { Direction::Download } else { Direction::Upload };
    // rsync takes options between and after paths too.
    if paths.is_empty() || paths.iter().any(|path| path.is_empty() || path.starts_with('-')) {
        return Err(odd("no path, or an option after one"));
    }
    if direction == Direction::Upload && paths.len() > 1 {
        return Err(odd("more than one place to write to"));
    }
    let paths: Vec<_> = paths.iter().map(|path| TransferPath::plain(path)).collect();
    let base = paths.first().ok_or(odd("no path"))?;
    let others = options.others.iter().flat_map(|(meaning, path)| {
        let path = match meaning {
            // Read before the change of directory; the others are taken from within it.
            Meaning::FilesFrom => TransferPath::plain(path),
            _ => base.join(path),
        };
        meaning.actions().iter().map(move |action| (*action, path.clone()))
    });
    Ok(Some(Rsync {
        direction,
        deletes: options.deletes,
        links: options.links,
        directories: options.directories,
        confined: !options.unconfined || direction == Direction::Download,
        others: others.collect(),
        paths,
    }))
}

/// Takes the options, and the `.` that ends them.
fn options<'s, 'w>(words: &'s [&'w str]) -> Result<(Options<'w>, &'s [&'w str]), Odd> {
    let mut options = Options::default();
    let mut rest = words;
    loop {
        let [word, tail @ ..] = rest else { return Err(odd("no path")) };
        rest = tail;
        if *word == "." {
            return Ok((options, rest));
        }
        if let Some(name) = word.strip_prefix("--") {
            rest = long_option(&mut options, name, rest)?;
        } else if let Some(letters) = word.strip_prefix('-') {
            for meaning in short(letters)? {
                options.take(meaning, "");
            }
        } else {
            return Err(odd("no `.` before the paths"));
        }
    }
}

fn long_option<'s, 'w>(
    options: &mut Options<'w>,
    option: &'w str,
    rest: &'s [&'w str],
) -> Result<&'s [&'w str], Odd> {
    let (name, value) = match option.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (option, None),
    };
    let meaning = long(name).ok_or(odd("an option that is not known to be harmless"))?;
    match (meaning.takes_value(), value, rest) {
        (false, None, _) => {
            options.take(meaning, "");
            Ok(rest)
        }
        (true, Some(value), _) => {
            options.value(meaning, value)?;
            Ok(rest)
        }
        (true, None, [value, rest @ ..]) => {
            options.value(meaning, value)?;
            Ok(rest)
        }
        _ => Err(odd("an option without its value, or with one too many")),
    }
}

impl<'w> Options<'w> {
    fn value(&mut self, meaning: Meaning, value: &'w str) -> Result<(), Odd> {
        match meaning {
            // `-`: the names come from the client; the server keeps them below the paths.
            Meaning::FilesFrom if value == "-" => {}
            Meaning::Suffix if value.contains('/') => {
                return Err(odd("a suffix that leads elsewhere"));
            }
            Meaning::Harmless | Meaning::Suffix | Meaning::Value => {}
            _ if value.is_empty() => return Err(odd("an empty path")),
            _ => self.others.push((meaning, value)),
        }
        Ok(())
    }

    const fn take(&mut self, meaning: Meaning, _value: &'w str) {
        match meaning {
            Meaning::Sender => self.sender = true,
            Meaning::Deletes => self.deletes = true,
            Meaning::Links => self.links = true,
            Meaning::Directories => self.directories = true,
            Meaning::Archive => {
                self.links = true;
                self.directories = true;
            }
            // Absolute names in the protocol (`-R`) and links among the directories (`-K`) lead
            // out of the place that is written to.
            Meaning::Relative => {
                self.directories = true;
                self.unconfined = true;
            }
            Meaning::KeepsDirectoryLinks => self.unconfined = true,
            _ => {}
        }
    }
}
