//! Requests that come again.
//!
//! Owns a small memory of one connection: jobs ask for the same over and over, and what a request is
//! read as depends on its method, its address and its host alone where no condition asks for headers.
//! Found again, its list of accesses is the very same, by which the policy knows its decision. Must
//! not be asked where conditions ask for headers, nor about a switch of protocols. What a head is
//! refused for is looked for each time.

use http::request::Parts;
use http::{HeaderValue, Method, Uri, Version, header};
use parking_lot::Mutex;

use super::asked::Asked;
use super::headers;

/// Requests kept. Raised, each connection holds more memory and each lookup takes longer.
const KEPT_MAX: usize = 8;
/// Bytes of an address that is kept; longer ones seldom come twice.
const ADDRESS_BYTES_MAX: usize = 512;

/// The requests that were read last.
#[derive(Debug, Default)]
pub(super) struct Again(Mutex<Ring>);

#[derive(Debug, Default)]
struct Ring {
    kept: Vec<Kept>,
    oldest: usize,
}

/// What a request was read from, copied: the library's own would hold on to its buffers.
#[derive(Debug)]
struct Kept {
    method: Method,
    version: Version,
    scheme: Option<Box<str>>,
    authority: Option<Box<str>>,
    target: Box<str>,
    host: Option<Box<[u8]>>,
    asked: Asked,
}

/// What a request is read from.
#[derive(Clone, Copy, Debug)]
struct Head<'a> {
    method: &'a Method,
    version: Version,
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    target: &'a str,
    host: Option<&'a [u8]>,
}

impl Again {
    /// What a request like this was read as.
    pub(super) fn find(&self, parts: &Parts) -> Option<Asked> {
        let head = Head::of(parts)?;
        let ring = self.0.lock();
        ring.kept.iter().find(|kept| kept.is(&head)).map(|kept| kept.asked.clone())
    }

    /// Keeps a request in place of the oldest.
    pub(super) fn keep(&self, parts: &Parts, asked: &Asked) {
        let Some(head) = Head::of(parts) else { return };
        let kept = Kept {
            method: head.method.clone(),
            version: head.version,
            scheme: head.scheme.map(Into::into),
            authority: head.authority.map(Into::into),
            target: head.target.into(),
            host: head.host.map(Into::into),
            asked: asked.clone(),
        };
        let mut ring = self.0.lock();
        let oldest = ring.oldest;
        match ring.kept.get_mut(oldest) {
            Some(place) => *place = kept,
            None => ring.kept.push(kept),
        }
        ring.oldest = (oldest + 1) % KEPT_MAX;
    }
}

impl<'a> Head<'a> {
    /// `None` where it must be read with care.
    fn of(parts: &'a Parts) -> Option<Self> {
        let mut hosts = parts.headers.get_all(header::HOST).iter();
        let host = hosts.next().map(HeaderValue::as_bytes);
        let is_plain = hosts.next().is_none()
            && headers::disguise(&parts.headers).is_none()
            && !parts.headers.contains_key(header::EXPECT);
        let Parts { method, uri, version, .. } = parts;
        let target = uri.path_and_query()?.as_str();
        let is_short = target.len() + host.map_or(0, <[u8]>::len) <= ADDRESS_BYTES_MAX;
        (is_plain && is_short).then_some(Self {
            method,
            version: *version,
            scheme: uri.scheme_str(),
            authority: Uri::authority(uri).map(http::uri::Authority::as_str),
            target,
            host,
        })
    }
}

impl Kept {
    fn is(&self, head: &Head<'_>) -> bool {
        *self.target == *head.target
            && self.method == *head.method
            && self.version == head.version
            && self.scheme.as_deref() == head.scheme
            && self.authority.as_deref() == head.authority
            && self.host.as_deref() == head.host
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::Request;
    use model::HostPattern;

    use super::super::asked::Place;
    use super::super::meaning::Plain;
    use super::*;
    use crate::session::{HttpTarget, UntrustingClients};

    fn parts(method: &str, target: &str, more: &[(&'static str, &str)]) -> Parts {
        let request = Request::builder().method(method).uri(target).header("host", "api.example");
        let request =
            more.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    fn read(parts: &Parts) -> Asked {
        let target = HttpTarget {
            hosts: vec![HostPattern::parse("api.example").unwrap()],
            untrusting_clients: UntrustingClients::Deny,
            encoded_slashes: false,
            names: Vec::new(),
        };
        let address = "192.0.2.1:80".parse().unwrap();
        let place =
            Place { target, server_name: None, address, is_encrypted: false, meaning: &Plain };
        Asked::read(parts, &place, false, &[]).unwrap()
    }

    #[test]
    fn the_same_request_has_the_very_same_accesses() {
        let again = Again::default();
        let first = parts("GET", "/v1/users?page=1", &[]);
        let asked = read(&first);
        again.keep(&first, &asked);
        let found = again.find(&parts("GET", "/v1/users?page=1", &[("accept", "*/*")])).unwrap();
        assert!(Arc::ptr_eq(&found.operation.accesses, &asked.operation.accesses));
    }

    #[test]
    fn another_request_is_not_taken_for_it() {
        let again = Again::default();
        let first = parts("GET", "/v1/users?page=1", &[]);
        again.keep(&first, &read(&first));
        let mut old = parts("GET", "/v1/users?page=1", &[]);
        old.version = Version::HTTP_10;
        for other in [
            parts("POST", "/v1/users?page=1", &[]),
            parts("GET", "/v1/users?page=2", &[]),
            parts("GET", "/v1/Users?page=1", &[]),
            parts("GET", "http://api.example/v1/users?page=1", &[]),
            parts("GET", "/v1/users?page=1", &[("host", "api.example")]),
            parts("GET", "/v1/users?page=1", &[("x-original-url", "/admin")]),
            old,
        ] {
            assert!(again.find(&other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let again = Again::default();
        let all: Vec<Parts> = (0..=KEPT_MAX)
            .map(|page| parts("GET", &format!("/v1/users?page={page}"), &[]))
            .collect();
        for one in &all {
            again.keep(one, &read(one));
        }
        assert!(again.find(&all[0]).is_none());
        assert!(all[1..].iter().all(|one| again.find(one).is_some()));
    }
}
