//! The second reading, by the grammar of bash.
//!
//! Owns the comparison of its tree with our words. Must not know why a text is asked for. Only
//! texts that the lexer took whole come here: they hold nothing that nests, so the grammar does
//! not recurse with the text.
//!
//! `brush_parser::word::parse` is not used: it keeps the last words of everybody in a cache of the
//! process, and a command line may hold a secret.

use brush_parser::ast::{AndOrList, Command, CommandPrefixOrSuffixItem, Program, SimpleCommand};
use brush_parser::{Parser, ParserOptions};

use crate::lexer::Lexeme;

/// Whether the grammar sees one simple command of exactly these words.
pub(crate) fn agrees(text: &str, lexemes: &[Lexeme<'_>]) -> bool {
    let options = ParserOptions { enable_extended_globbing: false, ..ParserOptions::default() };
    let Ok(program) = Parser::new(text.as_bytes(), &options).parse_program() else { return false };
    let Some(words) = only_command(&program).and_then(raw_words) else { return false };
    words.iter().copied().eq(lexemes.iter().map(|lexeme| lexeme.raw))
}

/// The one simple command that a program consists of.
fn only_command(program: &Program) -> Option<&SimpleCommand> {
    let [list] = program.complete_commands.as_slice() else { return None };
    let [item] = list.0.as_slice() else { return None };
    let AndOrList { first, additional } = &item.0;
    let [Command::Simple(command)] = first.seq.as_slice() else { return None };
    let plain = additional.is_empty() && !first.bang && first.timed.is_none();
    plain.then_some(command)
}

fn raw_words(command: &SimpleCommand) -> Option<Vec<&str>> {
    if command.prefix.is_some() {
        return None;
    }
    let mut words = vec![command.word_or_name.as_ref()?.value.as_str()];
    for item in command.suffix.iter().flat_map(|suffix| &suffix.0) {
        match item {
            CommandPrefixOrSuffixItem::Word(word)
            | CommandPrefixOrSuffixItem::AssignmentWord(_, word) => words.push(&word.value),
            CommandPrefixOrSuffixItem::IoRedirect(_)
            | CommandPrefixOrSuffixItem::ProcessSubstitution(..) => return None,
        }
    }
    Some(words)
}
