//! What a client may ask for when it connects: the allow-list of startup parameters.
//!
//! Owns the names, the pins, and the reading of `options`. Must not know a socket. The packet for
//! the upstream is built from what passes here and from nothing else, so that a parameter nobody
//! thought of cannot change how statements are read (CVE-2025-12819 class).

use wire::postgres::startup::Parameters;

use super::words::{Complaint, state};

/// Settings that a client may choose: they change how values look or how long things take, never
/// what a statement means. Where names are looked for (`search_path`) may be chosen too, because
/// the server is asked for it, and statements read by it, before the first one.
const HARMLESS: &[&str] = &[
    "application_name",
    "bytea_output",
    "client_connection_check_interval",
    "client_min_messages",
    "datestyle",
    "default_transaction_deferrable",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "extra_float_digits",
    "geqo",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "intervalstyle",
    "jit",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "lock_timeout",
    "max_parallel_workers_per_gather",
    "plan_cache_mode",
    "random_page_cost",
    "search_path",
    "statement_timeout",
    "synchronous_commit",
    "tcp_keepalives_count",
    "tcp_keepalives_idle",
    "tcp_keepalives_interval",
    "tcp_user_timeout",
    "timezone",
    "transaction_timeout",
    "work_mem",
    "xmlbinary",
];

/// What every upstream session is started with, so that it reads statements as we do. Given in the
/// startup packet they beat what is set for the role or the database, and `RESET` comes back to
/// them.
pub(super) const PINS: &[(&str, &str)] = &[
    ("client_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    ("backslash_quote", "safe_encoding"),
];

/// What a client asked for, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The user name.
    pub(super) user: String,
    /// The database; the user name where none was given.
    pub(super) database: String,
    /// Settings for the upstream.
    pub(super) settings: Vec<(String, String)>,
    /// Protocol options (`_pq_.*`) that we do not know.
    pub(super) unknown_options: Vec<Vec<u8>>,
}

/// Reads the parameters of a `StartupMessage`.
///
/// # Errors
/// The complaint, where one is not accepted.
pub(super) fn read(parameters: &Parameters<'_>) -> Result<Wanted, Complaint> {
    let mut wanted = Wanted::default();
    let mut database = None;
    for (name, value) in parameters.iter() {
        if name.starts_with(b"_pq_.") {
            wanted.unknown_options.push(name.to_vec());
            continue;
        }
        let (name, value) = (text(name)?, text(value)?);
        match name {
            "user" => wanted.user = value.to_owned(),
            "database" => database = Some(value.to_owned()),
            "options" => {
                for (name, value) in read_options(value)? {
                    wanted.admit(&name, &value)?;
                }
            }
            "replication" => refuse_replication(value)?,
            _ => wanted.admit(name, value)?,
        }
    }
    if wanted.user.is_empty() {
        return Err(Complaint::new(
            state::INVALID_AUTHORIZATION,
            "no PostgreSQL user name specified in startup packet",
        ));
    }
    wanted.database =
        database.filter(|name| !name.is_empty()).unwrap_or_else(|| wanted.user.clone());
    Ok(wanted)
}

impl Wanted {
    fn admit(&mut self, name: &str, value: &str) -> Result<(), Complaint> {
        let folded = name.to_ascii_lowercase();
        match folded.as_str() {
            "client_encoding" => admit_encoding(value),
            "standard_conforming_strings" if is_true(value) => Ok(()),
            _ if HARMLESS.contains(&folded.as_str()) => {
                self.settings.push((folded, value.to_owned()));
                Ok(())
            }
            _ => Err(Complaint::new(
                state::FEATURE_NOT_SUPPORTED,
                format!("portcullis: the startup parameter \"{name}\" is not accepted"),
            )
            .with_hint(remedy(&folded))),
        }
    }
}

fn remedy(name: &str) -> String {
    match name {
        "standard_conforming_strings" | "backslash_quote" => {
            String::from("It is pinned, because the gateway reads statements by it. Leave it out.")
        }
        "role" | "session_authorization" => {
            String::from("The gateway chooses the database user. Leave it out.")
        }
        _ => format!(
            "Leave it out, or have it set for the target's database user: ALTER ROLE ... SET {name} = ..."
        ),
    }
}

fn text(bytes: &[u8]) -> Result<&str, Complaint> {
    str::from_utf8(bytes).map_err(|_| {
        Complaint::new(
            state::INVALID_PARAMETER_VALUE,
            "portcullis: a startup parameter is not valid UTF-8",
        )
    })
}

/// Only UTF-8 is spoken: in other encodings a backslash may be half of a character, and the
/// statement is another than the one we read. `SQL_ASCII` means "do not convert", which UTF-8 is
/// for a client that does not look.
fn admit_encoding(value: &str) -> Result<(), Complaint> {
    let folded: String = value
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    match folded.as_str() {
        "utf8" | "unicode" | "sqlascii" => Ok(()),
        _ => Err(Complaint::new(
            state::FEATURE_NOT_SUPPORTED,
            format!("portcullis: client_encoding \"{value}\" is not accepted, only UTF8"),
        )
        .with_hint("Set PGCLIENTENCODING=UTF8, or client_encoding=UTF8 in the connection string.")),
    }
}

fn refuse_replication(value: &str) -> Result<(), Complaint> {
    let off = ["", "off", "false", "no", "0", "f", "n"];
    if off.iter().any(|word| value.eq_ignore_ascii_case(word)) {
        return Ok(());
    }
    Err(Complaint::new(
        state::FEATURE_NOT_SUPPORTED,
        "portcullis: replication connections are not accepted",
    )
    .with_hint("A replication stream carries whole rows past every mask; connect for it from a process that is not governed."))
}

fn is_true(value: &str) -> bool {
    ["on", "true", "yes", "1", "t"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// Reads `options`: `-c name=value`, `-cname=value` and `--name=value`, divided by white space
/// which a backslash takes its meaning from.
fn read_options(text: &str) -> Result<Vec<(String, String)>, Complaint> {
    let mut settings = Vec::new();
    let mut words = split_words(text).into_iter();
    while let Some(word) = words.next() {
        let setting = if word == "-c" {
            words.next().unwrap_or_default()
        } else if let Some(rest) = word.strip_prefix("--").or_else(|| word.strip_prefix("-c")) {
            rest.to_owned()
        } else {
            return Err(not_a_setting(&word));
        };
        let Some((name, value)) = setting.split_once('=') else {
            return Err(not_a_setting(&setting));
        };
        // The server takes dashes for underscores here.
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

fn not_a_setting(word: &str) -> Complaint {
    Complaint::new(
        state::FEATURE_NOT_SUPPORTED,
        format!("portcullis: the startup option \"{word}\" is not accepted"),
    )
    .with_hint("Options may hold settings only: -c name=value.")
}

fn split_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        if letter.is_ascii_whitespace() {
            words.extend(word.take());
        } else {
            let letter = if letter == '\\' { rest.next() } else { Some(letter) };
            word.get_or_insert_default().extend(letter);
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::postgres::startup::{Packet, Version, parse, put_startup};

    fn ask(pairs: &[(&str, &str)]) -> Result<Wanted, Complaint> {
        let mut out = Vec::new();
        put_startup(
            &mut out,
            Version::V3_0,
            pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())),
        );
        let Ok(Packet::Startup { parameters, .. }) = parse(&out) else { panic!("startup") };
        read(&parameters)
    }

    fn settings(options: &str) -> Vec<(String, String)> {
        ask(&[("user", "amy"), ("options", options)]).unwrap().settings
    }

    #[test]
    fn what_common_clients_send_is_accepted() {
        let wanted = ask(&[
            ("user", "amy"),
            ("database", "shop"),
            ("application_name", "psql"),
            ("client_encoding", "utf-8"),
            ("DateStyle", "ISO"),
            ("TimeZone", "Europe/Zurich"),
            ("extra_float_digits", "2"),
            ("search_path", "app,public"),
            ("_pq_.report", "1"),
        ])
        .unwrap();
        assert_eq!((wanted.user.as_str(), wanted.database.as_str()), ("amy", "shop"));
        assert_eq!(wanted.settings.len(), 5);
        assert_eq!(wanted.unknown_options, [b"_pq_.report"]);
        assert_eq!(ask(&[("user", "amy")]).unwrap().database, "amy");
        assert!(ask(&[("user", "amy"), ("client_encoding", "SQL_ASCII")]).is_ok());
        assert!(ask(&[("user", "amy"), ("replication", "false")]).is_ok());
        assert!(ask(&[("user", "amy"), ("standard_conforming_strings", "on")]).is_ok());
    }

    #[test]
    fn options_are_read_as_the_server_reads_them() {
        let timeout = [(String::from("statement_timeout"), String::from("5s"))];
        assert_eq!(settings("-c statement_timeout=5s"), timeout);
        assert_eq!(settings(" -cstatement_timeout=5s "), timeout);
        assert_eq!(settings("--statement-timeout=5s"), timeout);
        assert_eq!(
            settings(r"-c DateStyle=ISO,\ DMY -c geqo=off"),
            [("datestyle".into(), "ISO, DMY".into()), ("geqo".into(), "off".into())]
        );
    }

    #[test]
    fn what_changes_the_meaning_of_statements_is_refused_with_a_remedy() {
        let mut told = String::new();
        for (name, value) in [
            ("options", "-c standard_conforming_strings=off"),
            ("standard_conforming_strings", "off"),
            ("client_encoding", "SJIS"),
            ("options", "-c client_encoding=GBK"),
            ("replication", "database"),
            ("role", "postgres"),
            ("session_replication_role", "replica"),
            ("options", "-W 5"),
            ("options", "-c nothing"),
            ("options", "-c"),
            ("local_preload_libraries", "x"),
        ] {
            let complaint = ask(&[("user", "amy"), (name, value)]).unwrap_err();
            told.push_str(&format!(
                "{name}={value}\n  {} {}\n  {}\n",
                complaint.sqlstate,
                complaint.message,
                complaint.hint.unwrap_or_default()
            ));
        }
        insta::assert_snapshot!(told);
    }

    #[test]
    fn a_packet_without_a_user_is_refused() {
        assert_eq!(ask(&[("database", "x")]).unwrap_err().sqlstate, "28000");
        assert!(ask(&[("user", "")]).is_err());
    }

    #[test]
    fn the_harmless_names_are_sorted_and_folded_and_none_is_pinned() {
        assert!(HARMLESS.is_sorted());
        assert!(HARMLESS.iter().all(|name| *name == name.to_ascii_lowercase()));
        assert!(PINS.iter().all(|(name, _)| !HARMLESS.contains(name)));
    }
}
