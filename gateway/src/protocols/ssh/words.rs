//! What people read in their terminals when the gateway speaks.
//!
//! Owns the lines. Must not know why something is refused. Every text comes from the session's
//! refusals, which are safe for the peer; control characters that a workload put into a command
//! are not played back to its terminal.

use crate::session::Refusal;

/// Bytes of a description in a disconnect message. OpenSSH shows it in one line.
const DESCRIPTION_BYTES_MAX: usize = 1_000;

/// A refusal as lines of standard error.
pub(super) fn refusal_lines(refusal: &Refusal, in_terminal: bool) -> Vec<u8> {
    let mut lines = line(&refusal.message, in_terminal);
    for more in [&refusal.detail, &refusal.hint].into_iter().flatten() {
        lines.extend(line(&format!("portcullis: {more}"), in_terminal));
    }
    lines
}

/// One line of standard error.
pub(super) fn line(text: &str, in_terminal: bool) -> Vec<u8> {
    let mut line: Vec<u8> = visible(text).into_bytes();
    // A terminal in raw mode does not go back to the first column by itself.
    line.extend_from_slice(if in_terminal { b"\r\n" } else { b"\n" });
    line
}

/// A refusal as the one line of a disconnect message.
pub(super) fn description(refusal: &Refusal) -> String {
    let mut text = visible(&refusal.message);
    for more in [&refusal.detail, &refusal.hint].into_iter().flatten() {
        text.push_str(". ");
        text.push_str(&visible(more.trim_end_matches('.')));
    }
    text.truncate(text.floor_char_boundary(DESCRIPTION_BYTES_MAX));
    text
}

fn visible(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::RefusalKind;

    #[test]
    fn a_refusal_is_lines_that_all_name_the_gateway() {
        let refusal = Refusal::new(RefusalKind::Policy, "portcullis: exec on rm is not granted")
            .because("No rule allows it.")
            .with_hint("Operator: look.");
        let lines = String::from_utf8(refusal_lines(&refusal, false)).unwrap();
        assert_eq!(
            lines,
            "portcullis: exec on rm is not granted\nportcullis: No rule allows it.\n\
             portcullis: Operator: look.\n"
        );
        assert!(refusal_lines(&refusal, true).ends_with(b"look.\r\n"));
        assert_eq!(
            description(&refusal),
            "portcullis: exec on rm is not granted. No rule allows it. Operator: look"
        );
    }

    #[test]
    fn what_a_workload_wrote_cannot_play_with_its_terminal() {
        let refusal = Refusal::new(RefusalKind::Policy, "portcullis: exec on \x1b]0;x\x07\r\n no");
        let lines = refusal_lines(&refusal, false);
        assert_eq!(lines.iter().filter(|byte| byte.is_ascii_control()).count(), 1);
    }
}
