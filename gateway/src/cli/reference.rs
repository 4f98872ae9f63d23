//! The reference of the command line, from the very definitions it is parsed by.
//!
//! Owns the page of `docs/reference/cli.md`. Must not know what a command does.

use std::fmt::Write as _;

use clap::{Command, CommandFactory};

use super::context::SHARED;

/// Every command with its help, as Markdown: `docs/reference/cli.md`.
#[must_use]
pub fn reference() -> String {
    let mut text = String::from(
        "# Command line\n\nGenerated from the program's own help by `cargo xtask gen`. \
         Every command takes `--help`, and the shared options of `portcullis` itself.\n",
    );
    let mut root = super::Arguments::command().term_width(100);
    root.build();
    add(&mut root, &mut text);
    text
}

fn add(command: &mut Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let is_root = !name.contains(' ');
    // Trailing blanks in help would be trailing blanks in the document.
    let help: Vec<&str> = sections(&help, is_root).map(str::trim_end).collect();
    _ = write!(text, "\n## `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim_end());
    for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
        add(sub, text);
    }
}

/// The lines of a help text, with the section of shared options only where it is wanted.
fn sections(help: &str, with_shared: bool) -> impl Iterator<Item = &str> {
    let mut in_shared = false;
    help.lines().filter(move |line| {
        if !line.is_empty() && !line.starts_with(' ') {
            in_shared = line.trim_end() == format!("{SHARED}:");
        }
        with_shared || !in_shared
    })
}
