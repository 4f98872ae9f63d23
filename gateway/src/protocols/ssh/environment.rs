//! Names of environment variables.
//!
//! Owns what can be one, and which of them make programs run what they say. Must not know who may
//! set them.

/// Bytes of a name.
const NAME_BYTES_MAX: usize = 128;
/// Bytes of a value.
pub(super) const VALUE_BYTES_MAX: usize = 4_096;

/// Beginnings of names that loaders, shells and interpreters read code, or where it is, from.
const BEGINNINGS: [&str; 21] = [
    "BASH", "DYLD_", "GIT_", "GLIBC_", "JAVA_", "LD_", "LESS", "LUA_", "MALLOC_", "NODE_",
    "OPENSSL_", "PERL", "PHP", "PIP_", "PYTHON", "RSYNC_", "RUBY", "SSH_", "SYSTEMD_", "XDG_",
    "ZDOT",
];

/// Names of the same kind.
const NAMES: [&str; 34] = [
    "AWKPATH",
    "BROWSER",
    "CDPATH",
    "CLASSPATH",
    "CVS_RSH",
    "EDITOR",
    "ENV",
    "FCEDIT",
    "FPATH",
    "GCONV_PATH",
    "HISTFILE",
    "HOME",
    "HOSTALIASES",
    "IFS",
    "INPUTRC",
    "LOCPATH",
    "MAILCAPS",
    "MAKEFILES",
    "MAKEFLAGS",
    "MANPAGER",
    "NLSPATH",
    "PAGER",
    "PATH",
    "PROMPT_COMMAND",
    "PS4",
    "R_PROFILE",
    "RESOLV_HOST_CONF",
    "SHELL",
    "SHELLOPTS",
    "TCLLIBPATH",
    "TERMINFO",
    "TMPDIR",
    "VISUAL",
    "_JAVA_OPTIONS",
];

/// Whether a name is one that every shell can read: anything else is refused, whoever asks.
pub(super) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= NAME_BYTES_MAX
        && bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether it only says which language people read, as clients say by themselves on most hosts.
/// Such a variable needs no grant. A value that could be a path is not one.
pub(super) fn is_locale(name: &str, value: &str) -> bool {
    const CATEGORIES: [&str; 13] = [
        "ADDRESS",
        "ALL",
        "COLLATE",
        "CTYPE",
        "IDENTIFICATION",
        "MEASUREMENT",
        "MESSAGES",
        "MONETARY",
        "NAME",
        "NUMERIC",
        "PAPER",
        "TELEPHONE",
        "TIME",
    ];
    let is_name =
        name == "LANG" || name.strip_prefix("LC_").is_some_and(|rest| CATEGORIES.contains(&rest));
    let is_harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.@".contains(&byte);
    is_name && value.len() <= 64 && !value.contains("..") && value.bytes().all(is_harmless)
}

/// Whether setting it amounts to running something. Such a variable needs, beside its own grant,
/// that of running any text at all (`opaque`): no list of names can tell what its value would run.
pub(super) fn runs_something(name: &str) -> bool {
    BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) || NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_every_shell_reads_as_a_name_is_one() {
        assert!(["LANG", "LC_ALL", "_x1"].into_iter().all(is_name));
        assert!(!["", "1A", "A=B", "A B", "BASH_FUNC_ls%%", "Ä", "A\n"].into_iter().any(is_name));
    }

    #[test]
    fn a_language_is_no_path() {
        assert!(is_locale("LANG", "de_DE.UTF-8@euro") && is_locale("LC_ALL", "C"));
        for (name, value) in [("LANG", "../x"), ("LC_ALL", "/tmp/x"), ("LC_X", "C"), ("TZ", "C")] {
            assert!(!is_locale(name, value), "{name}={value}");
        }
    }

    #[test]
    fn what_loaders_and_shells_obey_is_known() {
        for name in ["LD_PRELOAD", "BASH_ENV", "PATH", "GIT_SSH_COMMAND", "PYTHONPATH", "LESSOPEN"]
        {
            assert!(runs_something(name), "{name}");
        }
        assert!(!["LANG", "LC_ALL", "TZ", "APP_ENV", "COLORTERM"].into_iter().any(runs_something));
    }
}
