//! Telling the story on standard output.
//!
//! Owns how it looks. With `--json` it is silent: then only the last line is wanted.

/// Tells, or keeps silent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Narrator {
    /// Says nothing.
    pub(super) silent: bool,
}

impl Narrator {
    /// A new act begins.
    pub(super) fn act(self, text: &str) {
        if !self.silent {
            anstream::println!("\n\x1b[1;36m{text}\x1b[0m");
        }
    }

    /// Shows what a program said, under the name of the program.
    pub(super) fn show(self, what: &str, said: &str) {
        if self.silent {
            return;
        }
        anstream::println!("\n  \x1b[1m$ {what}\x1b[0m");
        for line in said.lines() {
            anstream::println!("  {line}");
        }
    }
}
