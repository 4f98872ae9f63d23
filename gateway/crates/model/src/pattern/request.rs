//! Patterns over requests: what one rule says of method, host, path, query and status.
//!
//! Owns the matching of a whole request and of a query. Must not know what a rule does with the
//! answer. Each part that has patterns must fit; a part without any fits everything. What grants
//! must match for certain, what restricts needs only to be possible.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::{HostPattern, Piece, RoutePattern, glob_matches};
use crate::access::Action;
use crate::request::RequestFacts;

/// Patterns over requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestPattern {
    /// The methods; for what has an action of its own beside its method (an upgrade, an answer).
    pub methods: Vec<Action>,
    /// The hosts.
    pub hosts: Vec<HostPattern>,
    /// The paths.
    pub paths: Vec<RoutePattern>,
    /// What the query must have: all of these.
    pub query: Vec<QueryPattern>,
    /// The statuses, of answers.
    pub statuses: Vec<StatusPattern>,
}

/// A part of a request that patterns speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestPart {
    /// The method.
    Method,
    /// The host.
    Host,
    /// The path.
    Path,
    /// The query.
    Query,
    /// The status.
    Status,
    /// The verb.
    Verb,
    /// The resource.
    Resource,
    /// The namespace.
    Namespace,
    /// The name of the object.
    Name,
    /// The command.
    Command,
}

impl fmt::Display for RequestPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Method => "method",
            Self::Host => "host",
            Self::Path => "path",
            Self::Query => "query",
            Self::Status => "status",
            Self::Verb => "verb",
            Self::Resource => "resource",
            Self::Namespace => "namespace",
            Self::Name => "name",
            Self::Command => "command",
        })
    }
}

impl RequestPattern {
    /// Whether it fits every request.
    #[must_use]
    pub const fn is_about_everything(&self) -> bool {
        let Self { methods, hosts, paths, query, statuses } = self;
        methods.is_empty()
            && hosts.is_empty()
            && paths.is_empty()
            && query.is_empty()
            && statuses.is_empty()
    }

    /// Whether it fits the request for certain.
    #[must_use]
    pub fn matches(&self, request: &RequestFacts) -> bool {
        self.not_matching(request).is_none()
    }

    /// Whether it could fit the request.
    #[must_use]
    pub fn may_match(&self, request: &RequestFacts) -> bool {
        self.not_possible(request).is_none()
    }

    /// The first part by which it does not fit for certain.
    #[must_use]
    pub fn not_matching(&self, request: &RequestFacts) -> Option<RequestPart> {
        let fits = Fits {
            host: HostPattern::matches,
            path: RoutePattern::matches,
            query: QueryPattern::matches,
            without_status: false,
        };
        self.unfit(request, &fits)
    }

    /// The first part by which it cannot fit.
    #[must_use]
    pub fn not_possible(&self, request: &RequestFacts) -> Option<RequestPart> {
        let fits = Fits {
            host: HostPattern::may_match,
            path: RoutePattern::may_match,
            query: QueryPattern::may_match,
            without_status: true,
        };
        self.unfit(request, &fits)
    }

    fn unfit(&self, request: &RequestFacts, fits: &Fits) -> Option<RequestPart> {
        let Self { methods, hosts, paths, query, statuses } = self;
        if !methods.is_empty() && !methods.contains(&Action::of_method(&request.method)) {
            return Some(RequestPart::Method);
        }
        if !hosts.is_empty() && !hosts.iter().any(|one| (fits.host)(one, &request.host)) {
            return Some(RequestPart::Host);
        }
        if !paths.is_empty() && !paths.iter().any(|one| (fits.path)(one, &request.path)) {
            return Some(RequestPart::Path);
        }
        if !query.iter().all(|one| (fits.query)(one, &request.query)) {
            return Some(RequestPart::Query);
        }
        let status_fits = match request.status {
            Some(status) => statuses.iter().any(|one| one.matches(status)),
            None => fits.without_status,
        };
        (!statuses.is_empty() && !status_fits).then_some(RequestPart::Status)
    }

    /// Whether it fits whatever `inner` fits, as far as equal patterns show it.
    #[must_use]
    pub fn covers(&self, inner: &Self) -> bool {
        fn holds<T: PartialEq>(outer: &[T], inner: &[T]) -> bool {
            outer.is_empty() || (!inner.is_empty() && inner.iter().all(|one| outer.contains(one)))
        }
        holds(&self.methods, &inner.methods)
            && holds(&self.hosts, &inner.hosts)
            && holds(&self.paths, &inner.paths)
            && holds(&self.statuses, &inner.statuses)
            // A query must have all that is named: with more of it, less fits.
            && self.query.iter().all(|one| inner.query.contains(one))
    }
}

/// How each part is compared.
struct Fits {
    host: fn(&HostPattern, &str) -> bool,
    path: fn(&RoutePattern, &str) -> bool,
    query: fn(&QueryPattern, &[Pair]) -> bool,
    /// What is said of a status where there is none.
    without_status: bool,
}

/// A name and a value.
type Pair = (Arc<str>, Arc<str>);

/// What one name of a query must have as its value. In the value `*` stands for any run of
/// characters, `?` for one, and a backslash takes the next character as it is.
///
/// A grant needs the name, and every occurrence of it to match, because servers differ in which of
/// several they take. A restriction needs one occurrence that matches. In neither does it help to
/// write the name in another case or behind a `;`, which some servers read as `&`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryPattern {
    name: String,
    value: String,
    pieces: Vec<Piece>,
    /// In lower case, for servers that ignore case.
    folded: Vec<Piece>,
}

/// Why a pattern over a query could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryPatternError {
    /// No name.
    #[error("the name of a query is empty")]
    Name,
    /// A backslash at the end.
    #[error("a backslash is followed by the character it is for")]
    Escape,
}

impl QueryPattern {
    /// Reads a pattern: a name as it is, and the glob of its values.
    ///
    /// # Errors
    /// Where the name is empty, or a backslash stands at the end.
    pub fn parse(name: &str, value: &str) -> Result<Self, QueryPatternError> {
        if name.is_empty() {
            return Err(QueryPatternError::Name);
        }
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
            pieces: pieces(value)?,
            folded: pieces(&value.to_lowercase())?,
        })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The glob of its values, as it was written.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether the query has the name, and every value of it matches.
    #[must_use]
    pub fn matches(&self, query: &[Pair]) -> bool {
        query.iter().any(|(name, _)| **name == *self.name)
            && self.values(query).all(|value| glob_matches(&self.pieces, value))
    }

    /// Whether the query has a value of the name that could match.
    #[must_use]
    pub fn may_match(&self, query: &[Pair]) -> bool {
        self.values(query).any(|value| glob_matches(&self.folded, &value.to_lowercase()))
    }

    /// All that some server could take as a value of the name.
    fn values<'a>(&'a self, query: &'a [Pair]) -> impl Iterator<Item = &'a str> {
        let is_it = |name: &str| name.to_lowercase() == self.name.to_lowercase();
        query.iter().flat_map(move |(name, value)| {
            let whole = is_it(name).then_some(&**value);
            // Behind a `;` in the name or in the value another name may begin.
            let own = name.rsplit(';').next().unwrap_or(name);
            let mut pieces = value.split(';');
            let first = pieces.next().filter(|_| is_it(own));
            let further = name.split(';').rev().skip(1).chain(pieces).filter_map(move |piece| {
                let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
                is_it(name).then_some(value)
            });
            whole.into_iter().chain(first).chain(further)
        })
    }
}

impl fmt::Display for QueryPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, QueryPatternError> {
    let mut pieces = Vec::new();
    let mut chars = text.chars();
    while let Some(next) = chars.next() {
        pieces.push(match next {
            '*' => Piece::Run,
            '?' => Piece::One,
            '\\' => Piece::Char(chars.next().ok_or(QueryPatternError::Escape)?),
            other => Piece::Char(other),
        });
    }
    Ok(pieces)
}

/// A status, or a class of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusPattern {
    /// `2xx`: by the first digit.
    Class(u16),
    /// `404`.
    One(u16),
}

/// Why a pattern over statuses could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is neither a status from 100 to 599 nor a class of them")]
pub struct StatusPatternError;

impl StatusPattern {
    /// Reads `404` or `4xx`.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn parse(text: &str) -> Result<Self, StatusPatternError> {
        let pattern = match text.strip_suffix("xx") {
            Some(class) => class.parse().map(Self::Class),
            None => text.parse().map(Self::One),
        };
        match pattern {
            Ok(Self::Class(1..=5) | Self::One(100..=599)) if text.len() == 3 => {
                pattern.map_err(|_| StatusPatternError)
            }
            _ => Err(StatusPatternError),
        }
    }

    /// Whether the status is meant.
    #[must_use]
    pub const fn matches(self, status: u16) -> bool {
        match self {
            Self::Class(class) => status / 100 == class,
            Self::One(one) => status == one,
        }
    }
}

impl fmt::Display for StatusPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class(class) => write!(f, "{class}xx"),
            Self::One(status) => write!(f, "{status}"),
        }
    }
}

#[cfg(test)]
mod tests;
