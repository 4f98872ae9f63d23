//! `scp -t` and `scp -f`: the remote end of scp's old protocol.
//!
//! Owns its command line. Must not know the protocol that follows on the channel.
//!
//! The client sends the path as it was typed (`scp -f *.log`), for the remote shell to expand. A
//! path with a pattern or a variable is therefore opaque before it comes here; a literal one is
//! re-emitted quoted and means itself.

use model::Action;

use super::{Direction, Need, Odd, Reach, TransferPath};

/// The remote end of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scp {
    /// `-f` sends from the target, `-t` writes to it.
    pub direction: Direction,
    /// `-r`: directories too.
    pub recursive: bool,
    /// `-d`: the path must be a directory.
    pub directory: bool,
    /// `-p`: times and modes too.
    pub preserve: bool,
    /// The paths; exactly one for an upload.
    pub paths: Vec<TransferPath>,
}

impl Scp {
    pub(super) fn needs(&self) -> Vec<Need> {
        let actions: &[Action] = match (self.direction, self.recursive) {
            (Direction::Download, false) => &[Action::Read],
            (Direction::Download, true) => &[Action::Read, Action::List],
            (Direction::Upload, false) => &[Action::Write],
            (Direction::Upload, true) => &[Action::Write, Action::Mkdir],
        };
        let reach = match (self.direction, self.recursive || self.directory) {
            (Direction::Upload, false) => Reach::Into,
            (Direction::Download, _) if !self.recursive => Reach::Itself,
            _ => Reach::Tree,
        };
        let needs = self.paths.iter().flat_map(|path| {
            actions.iter().map(|action| Need { action: *action, path: path.clone(), reach })
        });
        needs.collect()
    }
}

const fn odd(because: &'static str) -> Odd {
    Odd { program: "scp", because }
}

/// Reads the arguments. `None` where it is not the remote end: scp as a client of its own.
pub(super) fn read(arguments: &[&str]) -> Result<Option<Scp>, Odd> {
    let mut flags = String::new();
    let mut rest = arguments;
    while let [option, tail @ ..] = rest {
        let Some(letters) = option.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            break;
        };
        rest = tail;
        if *option == "--" {
            break;
        }
        flags.push_str(letters);
    }
    let is_option = |word: &&&str| word.starts_with('-') && **word != "-";
    let options = arguments.iter().take_while(|word| **word != "--").filter(is_option);
    if !options.copied().any(|option| option.contains(['t', 'f'])) {
        return Ok(None);
    }
    if !flags.contains(['t', 'f']) || !flags.chars().all(|letter| "tfrpdvq".contains(letter)) {
        return Err(odd("an option that no client sends"));
    }
    let direction = match (flags.contains('t'), flags.contains('f')) {
        (true, false) => Direction::Upload,
        (false, _) => Direction::Download,
        (true, true) => return Err(odd("both directions at once")),
    };
    let dashes = arguments.contains(&"--");
    if rest.is_empty() || rest.iter().any(|path| path.is_empty()) {
        return Err(odd("no path"));
    }
    if !dashes && rest.iter().any(|path| path.starts_with('-')) {
        return Err(odd("an option after a path"));
    }
    if direction == Direction::Upload && rest.len() > 1 {
        return Err(odd("more than one place to write to"));
    }
    Ok(Some(Scp {
        direction,
        recursive: flags.contains('r'),
        directory: flags.contains('d'),
        preserve: flags.contains('p'),
        paths: rest.iter().map(|path| TransferPath::plain(path)).collect(),
    }))
}
