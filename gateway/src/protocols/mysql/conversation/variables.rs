//! Settings that are put back to what a variable has kept (`SET sql_mode = @OLD_SQL_MODE`), and
//! statements that a variable holds (`PREPARE s FROM @text`).
//!
//! Owns the question what the variable holds, and the text in which the value stands in its place.
//! Must not know how it is judged: the new text is read and judged like any, and is what the server
//! gets. So nothing depends on who gave the variable its value, nor on when.

use std::ops::Range;
use std::sync::Arc;

use model::Action;
use wire::mysql::command::code;

use super::Conversation;
use super::expected::About;
use crate::protocols::mysql::lines::Lines;
use crate::protocols::mysql::reply::values;
use crate::session::Statements;
use crate::session::sql::SettingValue;
use crate::session::sql::mysql::{ANY_VARIABLE, keeps_reading};

/// Longest value that is put in: all modes there are take less.
const VALUE_BYTES_MAX: usize = 1024;

/// Longest statement that is put in. Raised, more of them run, and each is read, judged and sent.
const STATEMENT_BYTES_MAX: usize = 1024 * 1024;

/// What is to be put in the place of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    /// The value of this setting.
    Setting(Arc<str>),
    /// A statement.
    Statement,
}

/// Variables that stand where a text has to be known.
#[derive(Debug)]
pub(super) struct Variables {
    /// What each is for, and where it stands in the text.
    places: Vec<(Wanted, Range<usize>)>,
    text: Box<str>,
    question: String,
    /// What they hold.
    held: Option<Vec<Option<String>>>,
}

impl Variables {
    /// The variables of a text of one statement that sets what is pinned, or that runs or prepares
    /// what a variable holds; nothing where there are none, or where they are not written plainly.
    fn of(statements: &Statements, text: &str) -> Option<Self> {
        let [statement] = statements.statements() else { return None };
        let unknown = statement.accesses.iter().any(|access| access.action == Action::Unknown);
        if unknown && let Some(range) = held_statement(text) {
            let question = format!("SELECT {}", text.get(range.clone())?);
            let places = vec![(Wanted::Statement, range)];
            return Some(Self { places, text: text.into(), question, held: None });
        }
        let mut variables = Vec::new();
        for change in statement.settings.iter().filter(|change| change.pinned) {
            if let (Some(setting), SettingValue::Variable { name, range }) =
                (&change.name, &change.value)
            {
                variables.push((Arc::clone(setting), &**name, range.clone()));
            }
        }
        variables.sort_by_key(|(_, _, range)| range.start);
        let written = |name: &'_ str, range: &Range<usize>| {
            let written = text.get(range.clone())?;
            // Where no variable stands, one is meant: what a default is taken from.
            let name = if written.eq_ignore_ascii_case("DEFAULT") { name } else { written };
            is_plain(name).then(|| name.to_owned())
        };
        let names: Vec<String> =
            variables.iter().map(|(_, name, range)| written(name, range)).collect::<Option<_>>()?;
        if names.is_empty() {
            return None;
        }
        let question = format!("SELECT {}", names.join(", "));
        let places = variables.into_iter();
        let places = places.map(|(setting, _, range)| (Wanted::Setting(setting), range)).collect();
        Some(Self { places, text: text.into(), question, held: None })
    }

    /// What is asked.
    pub(super) fn question(&self) -> &str {
        &self.question
    }

    /// The row of the answer.
    pub(super) fn row(&mut self, payload: &[u8]) {
        self.held = values(payload)
            .map(|row| row.into_iter().map(|value| value.map(str::to_owned)).collect());
    }

    /// The text with the values in the places of the variables. Nothing where one would make
    /// statements mean something else, or may not be seen: no setting that is not a word of the
    /// server's gets into a text that is judged and recorded, and no statement that
    /// `may_be_seen` does not let in.
    fn text(&self, may_be_seen: impl Fn(&str) -> bool) -> Option<String> {
        let held = self.held.as_ref().filter(|held| held.len() == self.places.len())?;
        let mut text = String::with_capacity(self.text.len() + 64);
        let mut done = 0;
        for ((wanted, range), value) in self.places.iter().zip(held) {
            let value = value.as_deref();
            let fits = match (wanted, value) {
                (Wanted::Setting(setting), value) => {
                    value.is_none_or(is_word) && keeps_reading(setting, value)
                }
                (Wanted::Statement, Some(statement)) => {
                    statement.len() <= STATEMENT_BYTES_MAX && may_be_seen(statement)
                }
                (Wanted::Statement, None) => false,
            };
            if !fits {
                return None;
            }
            text.push_str(self.text.get(done..range.start)?);
            match value {
                Some(value) => {
                    // A backslash is one, and no quote, in every session: its mode is pinned.
                    text.push('\'');
                    text.push_str(&value.replace('\\', "\\\\").replace('\'', "''"));
                    text.push('\'');
                }
                None => text.push_str("NULL"),
            }
            done = range.end;
        }
        text.push_str(self.text.get(done..)?);
        Some(text)
    }
}

/// Where the variable stands that holds the statement which a text prepares or runs
/// (`PREPARE s FROM @v`, `EXECUTE IMMEDIATE @v`), written plainly.
fn held_statement(text: &str) -> Option<Range<usize>> {
    let rest = match after(text, "PREPARE") {
        Some(rest) => {
            let (name, rest) =
                rest.trim_ascii_start().split_once(|at: char| at.is_ascii_whitespace())?;
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
            let quoted = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
            if !quoted.unwrap_or(name).bytes().all(plain) {
                return None;
            }
            after(rest, "FROM")?
        }
        None => after(after(text, "EXECUTE")?, "IMMEDIATE")?,
    };
    let variable = rest.trim_ascii_start();
    let end = variable.find(|at: char| at.is_ascii_whitespace() || at == ';');
    let (name, rest) = variable.split_at(end.unwrap_or(variable.len()));
    let ends = matches!(rest.trim_ascii(), "" | ";") || after(rest, "USING").is_some();
    let begin = text.len() - variable.len();
    (ends && !name.starts_with("@@") && is_plain(name)).then(|| begin..begin + name.len())
}

/// What comes behind a word.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (found, rest) = text.trim_ascii_start().split_at_checked(word.len())?;
    let ends = rest.starts_with(|at: char| at.is_ascii_whitespace());
    (ends && found.eq_ignore_ascii_case(word)).then_some(rest)
}

/// Whether it is the name of a variable that needs no quotes.
fn is_plain(name: &str) -> bool {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.');
    let own = name.strip_prefix('@').map(|name| name.strip_prefix('@').unwrap_or(name));
    own.is_some_and(|own| !own.is_empty() && own.bytes().all(in_name))
}

/// Whether it is made of what modes and character sets are made of.
fn is_word(value: &str) -> bool {
    value.len() <= VALUE_BYTES_MAX
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b','))
}

impl Conversation {
    /// Asks what the variables hold that the statement at hand sets pinned settings to. Says
    /// whether it must wait for that.
    pub(super) fn ask_for_variables(
        &mut self,
        lines: &mut Lines,
        statements: &Statements,
        text: &str,
    ) -> bool {
        if std::mem::take(&mut self.variables_asked) {
            return false;
        }
        let Some(variables) = Variables::of(statements, text) else { return false };
        self.variables_asked = true;
        self.ask(lines, About::Variables(Box::new(variables)));
        true
    }

    /// The server has said what the variables hold: the request that waits is the new text from
    /// now on.
    pub(super) fn put_in(&mut self, variables: &Variables) {
        // What was kept in a variable was judged then, unless a routine did it; and detectors have
        // not seen it.
        let masks_columns = !self.session.masks().columns.is_empty();
        let anything = masks_columns && self.session.has_temporary(ANY_VARIABLE);
        let may_be_seen = |statement: &str| !anything && !self.session.would_mask(statement);
        let text = variables.text(may_be_seen);
        if let (Some(text), Some((payload, _))) = (text, &mut self.waiting) {
            payload.clear();
            payload.push(code::QUERY);
            payload.extend_from_slice(text.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put_in(setting: &str, value: Option<&str>) -> Option<String> {
        let text = "/*!40101 SET X=@OLD_X */";
        let variables = Variables {
            places: vec![(Wanted::Setting(setting.into()), 15..21)],
            text: text.into(),
            question: String::new(),
            held: Some(vec![value.map(str::to_owned)]),
        };
        variables.text(|_| true)
    }

    fn put_in_statement(text: &str, value: Option<&str>) -> Option<String> {
        let variables = Variables {
            places: vec![(Wanted::Statement, held_statement(text)?)],
            text: text.into(),
            question: String::new(),
            held: Some(vec![value.map(str::to_owned)]),
        };
        variables.text(|statement| !statement.contains("secret"))
    }

    #[test]
    fn a_statement_stands_in_the_place_of_the_variable_that_holds_it() {
        for (text, expected) in [
            ("PREPARE s FROM @text", r"PREPARE s FROM 'DO ''\\'''"),
            (" prepare `s`\n from\t@a.b$1 ;", " prepare `s`\n from\t'DO ''\\\\''' ;"),
            ("EXECUTE IMMEDIATE @q USING @a", r"EXECUTE IMMEDIATE 'DO ''\\''' USING @a"),
        ] {
            assert_eq!(put_in_statement(text, Some(r"DO '\'")).as_deref(), Some(expected));
            assert_eq!(put_in_statement(text, None), None);
            assert_eq!(put_in_statement(text, Some("DO 'secret'")), None);
        }
        for text in [
            "PREPARE s FROM @@sql_mode",
            "PREPARE s FROM @`a b`",
            "PREPARE s FROM @a, @b",
            "PREPARE s FROM CONCAT(@a)",
            "PREPARE `a b` FROM @a",
            "PREPARE s FROM @a; DROP TABLE t",
            "EXECUTE s USING @a",
            "PREPARES FROM @a",
            "EXECUTE IMMEDIATE",
        ] {
            assert_eq!(held_statement(text), None, "{text}");
        }
    }

    #[test]
    fn a_value_that_keeps_reading_as_it_is_stands_in_the_place_of_its_variable() {
        let text = |text: &str| Some(format!("/*!40101 SET X={text} */"));
        assert_eq!(put_in("sql_mode", Some("STRICT_TRANS_TABLES")), text("'STRICT_TRANS_TABLES'"));
        assert_eq!(put_in("sql_mode", Some("")), text("''"));
        assert_eq!(put_in("character_set_results", None), text("NULL"));
        assert_eq!(put_in("collation_connection", Some("utf8mb4_bin")), text("'utf8mb4_bin'"));
    }

    #[test]
    fn any_other_value_is_not_put_in() {
        for (setting, value) in [
            ("sql_mode", Some("ANSI_QUOTES")),
            ("sql_mode", Some("4111111111111111")),
            ("sql_mode", None),
            ("character_set_client", Some("gbk")),
            ("character_set_client", Some("utf8mb4'; DROP")),
            ("character_set_client", None),
        ] {
            assert_eq!(put_in(setting, value), None, "{setting} {value:?}");
        }
    }

    #[test]
    fn only_names_without_quotes_are_asked_for() {
        for name in ["@OLD_SQL_MODE", "@@sql_mode", "@@global.sql_mode", "@a$1"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["@", "@@", "@`a b`", "@'x'", "a", "@a, (SELECT 1)", "@@@a"] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
