//! A request, read: what it asks for, and of whom.
//!
//! Owns the step from a request's head to the operation that is judged, and everything about a
//! head that could be understood differently by whoever serves it. Must not know whether it is
//! allowed. The head itself is forwarded as it came; nothing here is written back into it.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Version, header};
use model::request::RequestFacts;
use model::{Access, Action, Object, Operation, ResourceFacts};
use wire::http::{Authority, Slashes, Target};

use super::headers;
use super::meaning::{Meaning, Meant};
use crate::session::HttpTarget;

/// Bytes of a query's value that people are shown.
const SHOWN_VALUE_BYTES_MAX: usize = 64;
/// Names whose values are not shown to people: they are secrets more often than not.
const SECRET_NAMES: &[&str] = &[
    "key",
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "auth",
    "sig",
    "signature",
    "code",
    "credential",
    "session",
    "jwt",
    "assertion",
];

/// Where a connection's requests arrive.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The target's names and ways.
    pub(super) target: HttpTarget,
    /// The name the client asked for in TLS.
    pub(super) server_name: Option<Arc<str>>,
    /// The address it connected to, where it named nothing.
    pub(super) address: std::net::SocketAddr,
    /// Whether it speaks TLS.
    pub(super) is_encrypted: bool,
    /// What requests mean there.
    pub(super) meaning: &'static dyn Meaning,
}

/// A request that can be judged.
#[derive(Clone, Debug)]
pub(in crate::protocols) struct Asked {
    /// What is judged.
    pub(super) operation: Arc<Operation>,
    /// What it is about.
    pub(super) facts: Arc<RequestFacts>,
    /// The resource it is about, where requests are about resources.
    pub(super) resource: Option<Arc<ResourceFacts>>,
    /// Whether it asks to switch protocols.
    pub(super) upgrades: bool,
}

/// Why a request cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    /// What the client is told.
    pub(super) status: StatusCode,
    /// Why.
    pub(super) because: String,
}

fn unfit(because: impl Into<String>) -> Unfit {
    Unfit { status: StatusCode::BAD_REQUEST, because: because.into() }
}

fn misdirected(because: impl Into<String>) -> Unfit {
    Unfit { status: StatusCode::MISDIRECTED_REQUEST, because: because.into() }
}

impl Asked {
    /// Reads a head. `wanted` are the headers that conditions ask for, in lower case.
    pub(super) fn read(
        parts: &Parts,
        place: &Place,
        upgrades: bool,
        wanted: &[Arc<str>],
    ) -> Result<Self, Unfit> {
        if parts.method == Method::CONNECT {
            return Err(unfit("CONNECT is for proxies, and this is none"));
        }
        if let Some(name) = headers::disguise(&parts.headers) {
            return Err(unfit(format!(
                "the header {name} makes the request another one than it seems"
            )));
        }
        if let Some(name) = headers::look_alike(&parts.headers, wanted) {
            return Err(unfit(format!("the header {name} may be taken for another one")));
        }
        if parts.headers.get_all(header::EXPECT).iter().any(|value| !is_continue(value)) {
            return Err(unfit("expect is not 100-continue"));
        }
        let host = read_host(parts, place)?;
        let sent = match parts.uri.path_and_query() {
            Some(sent) => sent.as_str(),
            None => return Err(unfit("the request has no path")),
        };
        let slashes = if place.target.encoded_slashes { Slashes::Opaque } else { Slashes::Refuse };
        let target = Target::read(sent, slashes).map_err(|error| unfit(error.to_string()))?;
        let text = shown(parts, place, &host, &target);
        let facts = Arc::new(RequestFacts {
            method: parts.method.as_str().into(),
            host,
            path: target.path.as_ref().into(),
            query: target
                .query
                .iter()
                .map(|(name, value)| (name.as_ref().into(), value.as_ref().into()))
                .collect(),
            headers: chosen(&parts.headers, wanted),
            status: None,
        });
        let query = sent.split_once('?').map_or("", |(_, query)| query);
        let meant = place.meaning.means(&facts, query, upgrades).map_err(unfit)?;
        let Meant { accesses, kind, resource } = meant;
        Ok(Self {
            operation: Arc::new(Operation { kind: kind.into(), text: text.into(), accesses }),
            facts,
            resource,
            upgrades,
        })
    }

    /// The resource it is about.
    pub(in crate::protocols) fn resource(&self) -> Option<&ResourceFacts> {
        self.resource.as_deref()
    }

    /// What is judged.
    pub(in crate::protocols) fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Its path.
    pub(in crate::protocols) fn path(&self) -> &str {
        &self.facts.path
    }

    /// What it does.
    pub(in crate::protocols) fn actions(&self) -> impl Iterator<Item = Action> {
        self.operation.accesses.iter().map(|access| access.action)
    }

    /// The operation that an answer with this status is.
    pub(super) fn answered(&self, status: StatusCode) -> Arc<Operation> {
        let facts =
            RequestFacts { status: Some(status.as_u16()), ..RequestFacts::clone(&self.facts) };
        let object = Object::Request(Arc::new(facts));
        Arc::new(Operation {
            kind: "answer".into(),
            text: format!("{} to {}", status.as_u16(), self.operation.text).into(),
            accesses: [Access { action: Action::Answer, object }].into(),
        })
    }
}

/// Whether a request's target is one that is read at all.
pub(super) fn within(parts: &Parts, target_bytes_max: usize) -> Result<(), Unfit> {
    let length = parts.uri.path_and_query().map_or(0, |sent| sent.as_str().len());
    if length <= target_bytes_max {
        return Ok(());
    }
    let because = format!("the request target has more than {target_bytes_max} bytes");
    Err(Unfit { status: StatusCode::URI_TOO_LONG, because })
}

/// Whether a call is one of gRPC.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/grpc"))
}

fn is_continue(value: &http::HeaderValue) -> bool {
    value.as_bytes().eq_ignore_ascii_case(b"100-continue")
}

/// An operation for a request that could not be read, for the record.
pub(super) fn unread(parts: &Parts) -> Arc<Operation> {
    let path: String = parts.uri.path().chars().take(SHOWN_VALUE_BYTES_MAX * 4).collect();
    Arc::new(Operation {
        kind: "request".into(),
        text: format!("{} {path}", parts.method).into(),
        accesses: [].into(),
    })
}

/// The host that a request is for: exactly one, of this target, and the one that TLS was for.
fn read_host(parts: &Parts, place: &Place) -> Result<Arc<str>, Unfit> {
    let mut given = parts.headers.get_all(header::HOST).iter();
    let (first, second) = (given.next(), given.next());
    if second.is_some() {
        return Err(unfit("there is more than one host header"));
    }
    let header = first.map(|value| value.to_str().map_err(|_| unfit("the host is malformed")));
    let header = header.transpose()?;
    let named = parts.uri.authority().map(http::uri::Authority::as_str);
    let sent = match (named, header) {
        (Some(_), _) if parts.version < Version::HTTP_2 => {
            return Err(unfit("the request target is not a path"));
        }
        (Some(named), Some(header)) if !named.eq_ignore_ascii_case(header) => {
            return Err(unfit("the host header and :authority differ"));
        }
        (Some(named), _) => named,
        (None, Some(header)) => header,
        // HTTP/1.0 need not say.
        (None, None) if parts.version < Version::HTTP_11 => return place.unnamed(),
        (None, None) => return Err(unfit("the request names no host")),
    };
    let authority =
        Authority::read(sent).map_err(|error| unfit(format!("{error}: one host is needed")))?;
    match place.host(&authority) {
        // A proxy before the client has named itself, and the server would not mind.
        Err(misdirected) if !place.meaning.has_hosts() => place.unnamed().map_err(|_| misdirected),
        host => host,
    }
}

impl Place {
    /// How its addresses begin.
    pub(super) const fn scheme(&self) -> &'static str {
        if self.is_encrypted { "https" } else { "http" }
    }

    /// A host as it stands in an address: with the port where that is not the scheme's own.
    pub(super) fn authority(&self, host: &str) -> String {
        let bracketed = host.contains(':');
        let host = if bracketed { format!("[{host}]") } else { host.to_owned() };
        let default = if self.is_encrypted { 443 } else { 80 };
        match self.address.port() {
            port if port == default => host,
            port => format!("{host}:{port}"),
        }
    }

    /// The host of a request that is for one of this target, on the connection that was opened to it.
    fn host(&self, authority: &Authority<'_>) -> Result<Arc<str>, Unfit> {
        if authority.port.is_some_and(|port| port != self.address.port()) {
            return Err(misdirected("the host names a port that was not connected to"));
        }
        if !self.target.serves(&authority.host) {
            return Err(misdirected(format!(
                "the host {} does not belong to this target",
                authority.host
            )));
        }
        match &self.server_name {
            Some(name) if **name != *authority.host => {
                Err(misdirected("the host is not the one that the TLS connection was opened for"))
            }
            _ => Ok(authority.host.as_ref().into()),
        }
    }

    fn unnamed(&self) -> Result<Arc<str>, Unfit> {
        if let Some(name) = &self.server_name {
            return Ok(Arc::clone(name));
        }
        let address = self.address.ip().to_canonical().to_string();
        if self.target.serves(&address) {
            return Ok(address.into());
        }
        Err(unfit("the request names no host"))
    }
}

fn chosen(headers: &HeaderMap, wanted: &[Arc<str>]) -> Vec<(Arc<str>, Arc<str>)> {
    wanted
        .iter()
        .flat_map(|name| {
            headers.get_all(&**name).iter().map(|value| {
                (Arc::clone(name), String::from_utf8_lossy(value.as_bytes()).as_ref().into())
            })
        })
        .collect()
}

/// The request as people read it.
fn shown(parts: &Parts, place: &Place, host: &str, target: &Target<'_>) -> String {
    let mut text = format!("{} {}://{}", parts.method, place.scheme(), place.authority(host));
    text.push_str(&target.path);
    for (at, (name, value)) in target.query.iter().enumerate() {
        text.push(if at == 0 { '?' } else { '&' });
        text.push_str(name);
        if value.is_empty() {
            continue;
        }
        text.push('=');
        let lower = name.to_ascii_lowercase();
        if SECRET_NAMES.iter().any(|secret| lower.contains(secret)) {
            text.push_str("***");
        } else {
            let end = value.floor_char_boundary(SHOWN_VALUE_BYTES_MAX);
            text.push_str(value.get(..end).unwrap_or_default());
            text.push_str(if end < value.len() { "..." } else { "" });
        }
    }
    text
}
