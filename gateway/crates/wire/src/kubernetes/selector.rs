//! The name that a field selector asks for.
//!
//! Owns the grammar of field selectors as far as `metadata.name` goes. Must not know other fields.
//! Terms are divided by commas, each a field, `=`, `==` or `!=` and a value; a backslash takes a
//! comma, an equals sign or a backslash as it is.

use std::borrow::Cow;

/// The field that names an object.
const NAME: &str = "metadata.name";

/// A selector that the server cannot read. It lists everything then, or refuses the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The one name that `selector` asks for, where it asks for one.
pub(super) fn name(selector: &str) -> Result<Option<Cow<'_, str>>, Malformed> {
    let mut terms = terms(selector);
    // The server sorts them, and takes the first.
    terms.sort_unstable();
    let mut found = None;
    for term in terms.into_iter().filter(|term| !term.is_empty()) {
        let (field, equals, value) = split(term).ok_or(Malformed)?;
        let value = unescape(value)?;
        if equals && field == NAME && found.is_none() {
            found = Some(value);
        }
    }
    Ok(found)
}

fn terms(selector: &str) -> Vec<&str> {
    let (mut terms, mut begin, mut escaped) = (Vec::new(), 0, false);
    for (at, c) in selector.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == ',' {
            terms.push(selector.get(begin..at).unwrap_or_default());
            begin = at + 1;
        }
    }
    terms.push(selector.get(begin..).unwrap_or_default());
    terms
}

/// The field, whether it must be equal, and the value.
fn split(term: &str) -> Option<(&str, bool, &str)> {
    let operators = [("!=", false), ("==", true), ("=", true)];
    term.char_indices().find_map(|(at, _)| {
        let (field, rest) = term.split_at_checked(at)?;
        operators.iter().find_map(|(operator, equals)| {
            rest.strip_prefix(operator).map(|value| (field, *equals, value))
        })
    })
}

fn unescape(value: &str) -> Result<Cow<'_, str>, Malformed> {
    if !value.contains(['\\', ',', '=']) {
        return Ok(Cow::Borrowed(value));
    }
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(escaped @ ('\\' | ',' | '=')) => out.push(escaped),
                _ => return Err(Malformed),
            },
            ',' | '=' => return Err(Malformed),
            other => out.push(other),
        }
    }
    Ok(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_found_among_other_terms() {
        for (selector, want) in [
            ("metadata.name=web", Some("web")),
            ("metadata.name==web", Some("web")),
            ("spec.nodeName=a,metadata.name=web", Some("web")),
            ("metadata.name=b,metadata.name=a", Some("a")),
            ("metadata.name=", Some("")),
            (r"metadata.name=a\,b", Some("a,b")),
            ("metadata.name!=web", None),
            ("metadata.names=web", None),
            (" metadata.name=web", None),
            ("", None),
            (",", None),
        ] {
            let found = name(selector).unwrap();
            assert_eq!(found.as_deref(), want, "{selector}");
        }
    }

    #[test]
    fn what_the_server_cannot_read_names_nothing() {
        for selector in ["metadata.name", "metadata.name=a=b", r"metadata.name=a\b", r"a=b\", "a,b"]
        {
            assert_eq!(name(selector), Err(Malformed), "{selector}");
        }
    }
}
