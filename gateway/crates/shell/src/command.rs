//! One command of literal words.
//!
//! Owns what words a command can have. Must not know how it was written. A value of this type can
//! always be written so that every shell reads it back.

use std::sync::Arc;

use crate::quoting;
use crate::transfer::GIT_SERVICES;

/// One simple command of literal words, the program first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Command {
    words: Arc<[Arc<str>]>,
}

impl Command {
    /// A command of these words; `None` where no shell could be given them reliably (see
    /// [`crate::read`] for what that excludes).
    #[must_use]
    pub fn new(words: &[&str]) -> Option<Self> {
        check(words.iter().copied()).ok()?;
        Some(Self::checked(words.iter().map(|word| Arc::from(*word)).collect()))
    }

    pub(crate) const fn checked(words: Arc<[Arc<str>]>) -> Self {
        Self { words }
    }

    /// The words. Never empty.
    #[must_use]
    pub const fn words(&self) -> &Arc<[Arc<str>]> {
        &self.words
    }

    /// The command line to send: what sh, bash, dash, busybox, ksh, zsh, fish and csh read back
    /// as exactly these words. Words of harmless characters stand bare, as programs that read
    /// `SSH_ORIGINAL_COMMAND` expect; others in single quotes, outside of which `'`, `\` and `!`
    /// are put with a backslash. Not for shells with other rules (`cmd.exe`, PowerShell).
    ///
    /// What git's clients send keeps git's own form, which `git-shell` insists on.
    #[must_use]
    pub fn canonical(&self) -> String {
        let git = self.words.first().is_some_and(|word| GIT_SERVICES.contains(&&**word));
        let mut text = String::new();
        for (index, word) in self.words.iter().enumerate() {
            if index > 0 {
                text.push(' ');
            }
            if git && index > 0 {
                quoting::quote(&mut text, word);
            } else {
                quoting::write(&mut text, word);
            }
        }
        text
    }
}

/// Whether words make a command that can be written for every shell.
///
/// # Errors
/// The reason, where they do not.
pub(crate) fn check<'w>(
    words: impl IntoIterator<Item = &'w str> + Clone,
) -> Result<(), &'static str> {
    let program = words.clone().into_iter().next().unwrap_or_default();
    if program.is_empty() {
        return Err("it names no program");
    }
    if words.into_iter().flat_map(str::chars).any(|char| char.is_control() && char != '\t') {
        return Err("it holds a control character");
    }
    if program.contains('=') {
        return Err("it assigns a variable");
    }
    if program.starts_with(['%', '~', '!']) || program.ends_with(':') && program.len() > 1 {
        return Err("shells do not agree on what its first word means");
    }
    if RESERVED.contains(&program) {
        return Err("its first word is a keyword of a shell");
    }
    if REREAD.contains(&program) {
        return Err("its first word has the shell read a text again");
    }
    Ok(())
}

/// Keywords of sh, bash, ksh, zsh, fish and csh. Some shells know theirs in quotes too.
const RESERVED: &[&str] = &[
    "!",
    "@",
    "[[",
    "]]",
    "{",
    "}",
    "{}",
    "and",
    "always",
    "begin",
    "break",
    "breaksw",
    "case",
    "continue",
    "coproc",
    "declare",
    "default",
    "do",
    "done",
    "elif",
    "else",
    "end",
    "endif",
    "endsw",
    "esac",
    "fi",
    "float",
    "for",
    "foreach",
    "function",
    "goto",
    "if",
    "in",
    "integer",
    "let",
    "local",
    "nocorrect",
    "noglob",
    "not",
    "onintr",
    "or",
    "readonly",
    "repeat",
    "return",
    "select",
    "switch",
    "then",
    "time",
    "typeset",
    "until",
    "while",
];

/// Builtins that make a text of their arguments and read it as commands.
const REREAD: &[&str] = &[
    ".",
    "alias",
    "autoload",
    "bind",
    "bindkey",
    "complete",
    "compgen",
    "emulate",
    "enable",
    "eval",
    "fc",
    "functions",
    "history",
    "mapfile",
    "readarray",
    "sched",
    "source",
    "trap",
    "unalias",
    "zmodload",
    "zle",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_needs_words_that_every_shell_can_be_given() {
        assert!(Command::new(&["ls", "-l", ""]).is_some());
        for words in [&[][..], &[""], &["A=b"], &["if"], &["eval", "ls"], &["ls", "a\nb"], &["~"]] {
            assert_eq!(Command::new(words), None, "{words:?}");
        }
    }
}
