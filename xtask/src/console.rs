//! What a person sees while a chore runs.
//!
//! Owns the shape of progress lines. They go to standard error, so that standard output holds
//! only what the chore was asked for (a table, a story, one line of JSON).

const GREEN: &str = "\x1b[1;32m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// A step begins: a word that stands out, and what is done.
pub(crate) fn step(word: &str, text: &str) {
    anstream::eprintln!("{GREEN}{word:>12}{PLAIN} {text}");
}

/// A detail of the step.
pub(crate) fn note(text: &str) {
    anstream::eprintln!("{:>12} {DIM}{text}{PLAIN}", "");
}

/// Something a person should look at, although the chore goes on.
pub(crate) fn warned(text: &str) {
    anstream::eprintln!("{YELLOW}{:>12}{PLAIN} {text}", "warning");
}

/// The chore failed.
pub(crate) fn failed(text: &str) {
    anstream::eprintln!("{RED}{:>12}{PLAIN} {text}", "failed");
}
