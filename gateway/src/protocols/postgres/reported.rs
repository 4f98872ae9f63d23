//! Parameters that the server reports: which the client is told of, and which must not change.
//!
//! Owns the allow-list. Must not know where a report came from. A parameter nobody thought of is
//! not shown: a setting can carry any text (`set_config`), and a report is a way out.

/// What becomes of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// The client is told.
    Show,
    /// The client is told, after the text has been made safe: it is anybody's.
    FreeText,
    /// The client is not told.
    Hide,
    /// It contradicts what reading statements relies on: the session ends.
    Broken(&'static str),
}

/// Judges a report by its name and value.
pub(super) fn judge(name: &[u8], value: &[u8]) -> Report {
    match name {
        // The server keeps the word UNICODE as it was given; it means UTF8.
        b"client_encoding" if value != b"UTF8" && !value.eq_ignore_ascii_case(b"UNICODE") => {
            Report::Broken("client_encoding")
        }
        b"standard_conforming_strings" if value != b"on" => {
            Report::Broken("standard_conforming_strings")
        }
        b"client_encoding"
        | b"standard_conforming_strings"
        | b"DateStyle"
        | b"IntervalStyle"
        | b"TimeZone"
        | b"default_transaction_read_only"
        | b"in_hot_standby"
        | b"integer_datetimes"
        | b"is_superuser"
        | b"scram_iterations"
        | b"server_encoding"
        | b"server_version" => Report::Show,
        b"application_name" | b"search_path" | b"session_authorization" => Report::FreeText,
        _ => Report::Hide,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_setting_that_moved_ends_the_session() {
        assert_eq!(judge(b"client_encoding", b"UTF8"), Report::Show);
        assert_eq!(judge(b"client_encoding", b"SJIS"), Report::Broken("client_encoding"));
        assert_eq!(
            judge(b"standard_conforming_strings", b"off"),
            Report::Broken("standard_conforming_strings")
        );
    }

    #[test]
    fn what_nobody_thought_of_is_not_shown() {
        assert_eq!(judge(b"my.secret", b"amy@shop.example"), Report::Hide);
        assert_eq!(judge(b"application_name", b"x"), Report::FreeText);
        assert_eq!(judge(b"TimeZone", b"UTC"), Report::Show);
    }
}
