//! Writing a word so that every shell reads it back.
//!
//! Owns the quoting. Must not know what the words are for. Single quotes are the one quoting that
//! all shells share, except for three characters: `'` ends them, csh replaces `!` even inside, and
//! fish joins `\\` inside. All three stand outside, after a backslash, which all shells take away.

/// Writes a word: bare where that is safe, else quoted.
pub(crate) fn write(text: &mut String, word: &str) {
    if is_bare(word) {
        text.push_str(word);
    } else {
        quote(text, word);
    }
}

/// Writes a word in quotes. The form is the one of git's clients, which `git-shell` requires:
/// begun and ended by a quote, `'\''` and `'\!'` in between.
pub(crate) fn quote(text: &mut String, word: &str) {
    text.push('\'');
    for char in word.chars() {
        match char {
            '\'' | '!' | '\\' => text.extend(['\'', '\\', char, '\'']),
            _ => text.push(char),
        }
    }
    text.push('\'');
}

/// No shell gives a meaning to these characters, but for some at the beginning of a word: zsh
/// replaces `=ls`, fish `%self`.
fn is_bare(word: &str) -> bool {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&byte);
    !word.is_empty() && word.bytes().all(harmless) && !word.starts_with(['=', '%', '@', '+'])
}
