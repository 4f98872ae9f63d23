//! What reading of statements rests on: the character set and the SQL mode of the session.
//!
//! Owns the question about them, the statements that set them, and the check of what a server
//! reports later. Must not know when they are asked. What is pinned is what the gateway reads
//! statements by: UTF-8, backslash as escape, double quotes around text.

use wire::mysql::answer::StateChange;
use wire::mysql::status::{ANSI_QUOTES, NO_BACKSLASH_ESCAPES};

/// What the session is, asked of the server itself.
pub(super) const EFFECTIVE: &str = "SELECT @@session.character_set_client, \
     @@session.character_set_connection, @@session.character_set_results, \
     @@session.collation_connection, @@session.sql_mode, DATABASE(), CURRENT_USER(), \
     CONNECTION_ID()";

/// The character set of every session.
const CHARACTER_SET: &str = "utf8mb4";

/// The collation where the server names none of the character set.
const COLLATION: &str = "utf8mb4_general_ci";

/// Modes by which the server cuts a statement otherwise than the gateway does, and those that
/// stand for them.
const LEXICAL_MODES: &[&str] = &[
    "ANSI",
    "ANSI_QUOTES",
    "DB2",
    "IGNORE_SPACE",
    "MAXDB",
    "MSSQL",
    "NO_BACKSLASH_ESCAPES",
    "ORACLE",
    "POSTGRESQL",
];

/// Settings whose changes the server is asked to report.
const TRACKED: &str = "autocommit,character_set_client,character_set_connection,\
     character_set_results,sql_mode,time_zone";

/// Settings whose changes the client is told: their values are words of the server's.
const SHOWN: &[&[u8]] = &[
    b"autocommit",
    b"character_set_client",
    b"character_set_connection",
    b"character_set_results",
];

/// What a session is, by its server's own word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Effective {
    pub(super) character_sets: [String; 3],
    pub(super) collation: String,
    pub(super) sql_mode: String,
    pub(super) database: Option<String>,
    pub(super) user: String,
    pub(super) connection: u32,
}

impl Effective {
    /// Reads the row that [`EFFECTIVE`] asks for.
    pub(super) fn read(row: &[Option<&str>]) -> Option<Self> {
        let [client, connection, results, collation, mode, database, user, number] = row else {
            return None;
        };
        let text = |value: &Option<&str>| value.map(str::to_owned);
        Some(Self {
            character_sets: [text(client)?, text(connection)?, results.unwrap_or("NULL").into()],
            collation: text(collation)?,
            sql_mode: text(mode)?,
            database: text(database),
            user: text(user)?,
            connection: (*number)?.parse().ok()?,
        })
    }

    /// What is not as it is pinned: its name and its value.
    pub(super) fn broken(&self) -> Option<(&'static str, &str)> {
        let names = ["character_set_client", "character_set_connection", "character_set_results"];
        let set =
            names.into_iter().zip(&self.character_sets).find(|(_, one)| *one != CHARACTER_SET);
        if let Some((name, value)) = set {
            return Some((name, value));
        }
        has_lexical_mode(&self.sql_mode).then_some(("sql_mode", self.sql_mode.as_str()))
    }
}

/// The statements that pin a session: after login, and after everything was reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pins([String; 3]);

impl Pins {
    /// For a session that is so before it is pinned: of its SQL mode everything stays that does not
    /// change how a statement is read, and its collation where it is one of the character set.
    pub(super) fn for_session(effective: &Effective) -> Self {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let collation = Some(effective.collation.as_str())
            .filter(|name| name.starts_with("utf8mb4_") && name.bytes().all(is_word))
            .unwrap_or(COLLATION);
        let kept = effective
            .sql_mode
            .split(',')
            .filter(|mode| !is_lexical(mode) && mode.bytes().all(is_word));
        let modes = kept.collect::<Vec<_>>().join(",");
        Self([
            format!("SET NAMES {CHARACTER_SET} COLLATE {collation}"),
            format!("SET SESSION sql_mode = '{modes}'"),
            format!("SET SESSION session_track_system_variables = '{TRACKED}'"),
        ])
    }

    /// The statements, in order.
    pub(super) const fn statements(&self) -> &[String; 3] {
        &self.0
    }
}

fn is_lexical(mode: &str) -> bool {
    LEXICAL_MODES.iter().any(|known| mode.trim().eq_ignore_ascii_case(known))
}

/// Whether a SQL mode makes the server read statements otherwise than the gateway.
fn has_lexical_mode(modes: &str) -> bool {
    modes.split(',').any(is_lexical)
}

/// The bits of a status that say how statements are read.
pub(super) const LEXICAL_STATUS: u16 = ANSI_QUOTES | NO_BACKSLASH_ESCAPES;

/// Whether a status says that statements are read otherwise now.
pub(super) const fn breaks(status: u16) -> Option<&'static str> {
    if status & LEXICAL_STATUS != 0 { Some("sql_mode") } else { None }
}

/// What a change of the session's state means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report<'a> {
    /// The client may see it.
    Show,
    /// Another default database; the client may see it.
    Database(&'a [u8]),
    /// It is not for the client.
    Hide,
    /// Statements are no longer read as they are pinned to.
    Broken(&'static str),
}

/// Whether texts in this character set are UTF-8: a client may choose which of its names.
const fn is_utf8(character_set: &[u8]) -> bool {
    matches!(character_set, b"utf8" | b"utf8mb3" | b"utf8mb4")
}

/// Judges a change of the session's state.
pub(super) fn judge<'a>(change: &StateChange<'a>) -> Report<'a> {
    match *change {
        StateChange::Schema(name) => Report::Database(name),
        StateChange::Changed(_) => Report::Show,
        StateChange::Variable { name, value } => match name {
            b"character_set_client" if !is_utf8(value) => Report::Broken("character_set_client"),
            b"character_set_connection" if !is_utf8(value) => {
                Report::Broken("character_set_connection")
            }
            // Without a conversion, texts come as they are stored.
            b"character_set_results" if !(is_utf8(value) || matches!(value, b"" | b"binary")) => {
                Report::Broken("character_set_results")
            }
            b"sql_mode" if has_lexical_mode(&String::from_utf8_lossy(value)) => {
                Report::Broken("sql_mode")
            }
            _ if SHOWN.contains(&name) => Report::Show,
            _ => Report::Hide,
        },
        StateChange::Other(..) => Report::Hide,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effective(sql_mode: &str, collation: &str) -> Effective {
        let row = [
            Some("utf8mb4"),
            Some("utf8mb4"),
            Some("utf8mb4"),
            Some(collation),
            Some(sql_mode),
            None,
            Some("app@%"),
            Some("42"),
        ];
        Effective::read(&row).unwrap()
    }

    #[test]
    fn lexical_modes_go_and_all_others_stay() {
        let session = effective(
            "ANSI_QUOTES,STRICT_TRANS_TABLES,no_backslash_escapes,ONLY_FULL_GROUP_BY",
            "utf8mb4_unicode_ci",
        );
        assert_eq!(session.broken().map(|(name, _)| name), Some("sql_mode"));
        let pins = Pins::for_session(&session);
        let [names, mode, _] = pins.statements();
        assert_eq!(names, "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci");
        assert_eq!(mode, "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY'");
        assert_eq!(effective("STRICT_ALL_TABLES", "utf8mb4_bin").broken(), None);
    }

    #[test]
    fn what_a_server_says_of_itself_cannot_become_a_statement() {
        let pins = Pins::for_session(&effective("X';DROP TABLE t;--", "utf8mb4_x; DROP"));
        let [names, mode, _] = pins.statements();
        assert_eq!(names, "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci");
        assert_eq!(mode, "SET SESSION sql_mode = ''");
    }

    #[test]
    fn a_reported_change_of_what_is_pinned_is_told() {
        let variable = |name: &'static [u8], value: &'static [u8]| {
            judge(&StateChange::Variable { name, value })
        };
        assert_eq!(
            variable(b"character_set_client", b"gbk"),
            Report::Broken("character_set_client")
        );
        assert_eq!(variable(b"character_set_client", b"utf8mb3"), Report::Show);
        assert_eq!(variable(b"character_set_results", b""), Report::Show);
        assert_eq!(variable(b"sql_mode", b"STRICT_ALL_TABLES,ANSI"), Report::Broken("sql_mode"));
        assert_eq!(variable(b"sql_mode", b"STRICT_ALL_TABLES"), Report::Hide);
        assert_eq!(variable(b"autocommit", b"OFF"), Report::Show);
        assert_eq!(variable(b"anything", b"customer1@mail.example"), Report::Hide);
        assert_eq!(judge(&StateChange::Schema(b"shop")), Report::Database(b"shop"));
        assert_eq!(breaks(NO_BACKSLASH_ESCAPES), Some("sql_mode"));
        assert_eq!(breaks(2), None);
    }
}
