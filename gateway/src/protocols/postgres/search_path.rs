//! The text of `search_path`, read as the server reads it.
//!
//! Owns the splitting of an identifier list (`SplitIdentifierString` in the server). Must not know
//! which schemas exist.

use std::sync::Arc;

/// The schemas of a setting such as `"$user", public`; `None` where the server would not accept
/// the text either.
pub(super) fn read(setting: &str) -> Option<Vec<Arc<str>>> {
    let mut schemas = Vec::new();
    let mut rest = setting.trim();
    if rest.is_empty() {
        return Some(schemas);
    }
    loop {
        let (name, after) = next_name(rest)?;
        schemas.push(name.into());
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => return Some(schemas),
            None => return None,
        }
    }
}

fn next_name(text: &str) -> Option<(String, &str)> {
    if let Some(mut rest) = text.strip_prefix('"') {
        let mut name = String::new();
        loop {
            let (part, after) = rest.split_once('"')?;
            name.push_str(part);
            match after.strip_prefix('"') {
                Some(more) => {
                    name.push('"');
                    rest = more;
                }
                None if name.is_empty() => return None,
                None => return Some((name, after)),
            }
        }
    }
    let end = text.find(|c: char| c == ',' || c.is_ascii_whitespace()).unwrap_or(text.len());
    let (name, after) = text.split_at_checked(end)?;
    if name.is_empty() || name.contains('"') {
        return None;
    }
    Some((name.to_ascii_lowercase(), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schemas(setting: &str) -> Option<Vec<String>> {
        Some(read(setting)?.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_setting_is_read_as_the_server_reads_it() {
        for (setting, want) in [
            ("\"$user\", public", &["$user", "public"][..]),
            ("App , \"App\"", &["app", "App"]),
            ("\"a\"\"b\",c", &["a\"b", "c"]),
            ("", &[]),
            ("pg_catalog", &["pg_catalog"]),
        ] {
            assert_eq!(schemas(setting).unwrap(), want, "{setting}");
        }
    }

    #[test]
    fn what_the_server_refuses_is_refused() {
        for setting in ["a,", ",a", "\"a", "a b", "\"\"", "a\"b"] {
            assert_eq!(schemas(setting), None, "{setting}");
        }
    }
}
