//! What a request to an API server is about.
//!
//! Owns the derivation: the parts of the path, the verb by the method, and what the query makes of
//! it (`watch`, `fieldSelector`). Must not know rules. The reading is that of `RequestInfo` in
//! `k8s.io/apiserver`, the same in all versions since 1.20 but where [`Unclear`] says otherwise.
//!
//! ```text
//!  /api/v1/namespaces/shop/pods/web/log
//!   │    │     │       │    │    │   └ subresource
//!   │    │     │       │    │    └ name
//!   │    │     │       │    └ resource
//!   │    │     │       └ namespace
//!   │    │     └ or `watch`, `proxy`: verbs of old, before the rest
//!   │    └ version
//!   └ or /apis/group
//! ```

use std::borrow::Cow;

use super::selector;

/// A name of the query and its value, both decoded.
pub type Pair<N> = (N, N);

/// Names of the query that decide what a request is. More than one of a name is read as the first,
/// and by whatever stands between perhaps as another.
const DECIDING: &[&str] = &["watch", "fieldSelector"];
/// Names of the query that are whole numbers: one that is none makes the server forget the rest.
const NUMBERS: &[&str] = &["limit", "timeoutSeconds"];
/// Resources below a namespace that belong to the namespace itself.
const OF_NAMESPACES: &[&str] = &["finalize", "status"];

/// What a request is about. What is not there is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes<'a> {
    /// Whether it is about a resource; else it is about the path, and has only a verb.
    pub is_resource: bool,
    /// The verb, as the server authorises by it; of a path the method in lower case.
    pub verb: Cow<'a, str>,
    /// The group; empty for the core group.
    pub group: &'a str,
    /// The version.
    pub version: &'a str,
    /// The resource.
    pub resource: &'a str,
    /// The subresource.
    pub subresource: &'a str,
    /// The namespace.
    pub namespace: &'a str,
    /// The name.
    pub name: Cow<'a, str>,
}

/// Why it cannot be told what a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unclear {
    /// A name of the query that decides is there more than once.
    #[error("the query has more than one {0}")]
    Twice(&'static str),
    /// Bytes in what decides that are not UTF-8.
    #[error("the query is not UTF-8")]
    NotText,
    /// A `;` in the query: some versions divide it there.
    #[error("the query has a ; that is not encoded")]
    Semicolon,
    /// A verb before a resource, and no resource.
    #[error("the path ends behind watch or proxy")]
    NoKind,
}

impl<'a> Attributes<'a> {
    /// Reads a request. `path` begins with a slash, is decoded, and has no empty part but the last;
    /// `sent` is the query as it was sent.
    ///
    /// # Errors
    /// Where servers could differ.
    pub fn read<N: AsRef<str>>(
        method: &'a str,
        path: &'a str,
        sent: &str,
        query: &'a [Pair<N>],
    ) -> Result<Self, Unclear> {
        if sent.contains(';') {
            return Err(Unclear::Semicolon);
        }
        let query = Query(query);
        query.check()?;
        let trimmed = path.trim_matches('/');
        let parts: Vec<&str> = trimmed.split('/').filter(|part| !part.is_empty()).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
            ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
            _ => return Ok(Self::of_path(method)),
        };
        let (verb, rest) = match rest {
            ["watch" | "proxy"] => return Err(Unclear::NoKind),
            [verb @ ("watch" | "proxy"), rest @ ..] => (*verb, rest),
            rest => (verb_of(method), rest),
        };
        let (namespace, rest) = in_namespace(rest);
        let part = |at: usize| rest.get(at).copied().unwrap_or_default();
        let subresource = if verb == "proxy" { "" } else { part(2) };
        let mut read = Self {
            is_resource: true,
            verb: Cow::Borrowed(verb),
            group,
            version,
            resource: part(0),
            subresource,
            namespace,
            name: Cow::Borrowed(part(1)),
        };
        if read.name.is_empty() {
            read.of_several(&query);
        }
        Ok(read)
    }

    fn of_path(method: &'a str) -> Self {
        let verb = match method {
            "GET" => Cow::Borrowed("get"),
            other => Cow::Owned(other.to_ascii_lowercase()),
        };
        let nothing = "";
        Self {
            is_resource: false,
            verb,
            group: nothing,
            version: nothing,
            resource: nothing,
            subresource: nothing,
            namespace: nothing,
            name: Cow::Borrowed(nothing),
        }
    }

    /// Without a name it is about the objects of a kind, or about one that the query asks for.
    fn of_several<N: AsRef<str>>(&mut self, query: &Query<'a, N>) {
        match &*self.verb {
            "get" => {
                self.verb = Cow::Borrowed(if query.watches() { "watch" } else { "list" });
                self.name = query.name();
            }
            "delete" => self.verb = Cow::Borrowed("deletecollection"),
            _ => {}
        }
    }
}

/// The query of a request.
struct Query<'a, N>(&'a [Pair<N>]);

impl<'a, N: AsRef<str>> Query<'a, N> {
    fn check(&self) -> Result<(), Unclear> {
        for name in DECIDING {
            let mut values = self.values(name);
            let first = values.next();
            if values.next().is_some() {
                return Err(Unclear::Twice(name));
            }
            if first.is_some_and(|value| value.contains(char::REPLACEMENT_CHARACTER)) {
                return Err(Unclear::NotText);
            }
        }
        Ok(())
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let (pairs, name) = (self.0, name.to_owned());
        pairs.iter().filter(move |(own, _)| own.as_ref() == name).map(|(_, value)| value.as_ref())
    }

    /// Anything but `0` and `false` is yes, nothing at all too.
    fn watches(&self) -> bool {
        let value = self.values("watch").next();
        value.is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    /// The name that is asked for, where it can be one.
    fn name(&self) -> Cow<'a, str> {
        let is_number = |value: &str| value.parse::<i64>().is_ok();
        let readable = NUMBERS.iter().all(|name| self.values(name).next().is_none_or(is_number));
        let asked = self.values("fieldSelector").next().filter(|_| readable);
        match asked.map(selector::name) {
            Some(Ok(Some(name))) if is_segment(&name) => name,
            _ => Cow::Borrowed(""),
        }
    }
}

/// Whether a text can be one part of a path.
fn is_segment(name: &str) -> bool {
    !matches!(name, "." | "..") && !name.contains(['/', '%'])
}

/// The namespace, and the parts from the resource on.
fn in_namespace<'a, 'p>(parts: &'p [&'a str]) -> (&'a str, &'p [&'a str]) {
    match parts {
        ["namespaces", namespace, rest @ ..] => match rest {
            [resource, ..] if !OF_NAMESPACES.contains(resource) => (namespace, rest),
            _ => (namespace, parts),
        },
        _ => ("", parts),
    }
}

fn verb_of(method: &str) -> &'static str {
    match method {
        "POST" => "create",
        "GET" | "HEAD" => "get",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
