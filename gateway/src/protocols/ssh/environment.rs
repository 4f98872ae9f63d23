//! Names of environment variables.
//!
//! Owns what can be one. Must not know who may set it.

/// Bytes of a name.
const NAME_BYTES_MAX: usize = 128;

/// Whether a name is one that every shell can read: anything else is refused, whoever asks.
pub(super) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= NAME_BYTES_MAX
        && bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn only_what_every_shell_reads_as_a_name_is_one() {
        assert!(["LANG", "LC_ALL", "_x1"].into_iter().all(is_name));
        assert!(!["", "1A", "A=B", "A B", "BASH_FUNC_ls%%", "Ä", "A\n"].into_iter().any(is_name));
    }
}
