//! The fields of a message that are not passed on.
//!
//! Owns the lists: what belongs to one connection only (RFC 9110 7.6.1), what says who somebody is,
//! and what makes a request another one than it seems. Must not know what is put in instead.

use std::borrow::Cow;
use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Fields of one connection. `transfer-encoding` and `content-length` are the library's to write.
fn is_of_connection(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings"
    )
}

/// Fields by which a sender says who it is, or where it came from. Only the gateway says that.
fn is_of_identity(name: &str) -> bool {
    matches!(
        name,
        "forwarded"
            | "x-real-ip"
            | "x-client-ip"
            | "x-cluster-client-ip"
            | "x-original-forwarded-for"
            | "true-client-ip"
            | "cf-connecting-ip"
            | "fastly-client-ip"
            | "x-remote-user"
            | "x-remote-group"
            | "remote-user"
            | "x-webauth-user"
            | "x-authenticated-user"
            | "x-ssl-client-cert"
            | "x-ssl-client-dn"
            | "ssl-client-cert"
    ) || ["x-forwarded-", "x-auth-request-"].iter().any(|some| name.starts_with(some))
}

/// What a workload logs in with by itself; taken out where the gateway logs in for it.
fn is_of_login(name: &str) -> bool {
    matches!(name, "authorization" | "cookie" | "x-amz-security-token" | "x-api-key")
        || name.starts_with("impersonate-")
}

/// Fields that make servers serve another method or path than the request line names.
static OF_DISGUISE: [HeaderName; 6] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-original-uri"),
    HeaderName::from_static("x-rewrite-url"),
];

/// A name as servers read it that hand fields on as variables (CGI, FastCGI, WSGI): there `x-api-key`,
/// `x_api_key` and, with some, `x.api.key` are one.
fn spelled(name: &str) -> Cow<'_, str> {
    if is_plain(name) {
        return Cow::Borrowed(name);
    }
    let dashed = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    Cow::Owned(name.chars().map(dashed).collect())
}

/// Whether a name can be read in one way only.
fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Fields of an answer that stand for its bytes as they were before they were masked.
fn is_of_bytes(name: &str) -> bool {
    matches!(
        name,
        "content-length"
            | "etag"
            | "accept-ranges"
            | "content-range"
            | "content-md5"
            | "digest"
            | "content-digest"
            | "repr-digest"
            | "want-digest"
            | "x-goog-hash"
    ) || name.starts_with("x-amz-checksum-")
}

/// Fields of a request that ask for a part of the bytes, or whether they changed.
fn is_of_parts(name: &str) -> bool {
    matches!(
        name,
        "range"
            | "if-range"
            | "if-match"
            | "if-none-match"
            | "if-modified-since"
            | "if-unmodified-since"
            | "want-digest"
            | "want-repr-digest"
            | "want-content-digest"
    )
}

/// Takes out what belongs to one connection, also what `connection` nominates. `te: trailers`
/// stays: gRPC asks for it.
pub(super) fn take_connection(headers: &mut HeaderMap) {
    let of_connection = OfConnection::of(headers);
    take(headers, |name| of_connection.has(name));
    if of_connection.wants_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

/// What belongs to one connection only, as a head says it.
struct OfConnection {
    nominated: Vec<HeaderName>,
    wants_trailers: bool,
}

impl OfConnection {
    fn of(headers: &HeaderMap) -> Self {
        let nominated = tokens(headers, &header::CONNECTION)
            // What belongs to it anyway, and is what is said nearly always.
            .filter(|name| !name.eq_ignore_ascii_case("keep-alive"))
            .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
            .filter(|name| *name != header::TE)
            .collect();
        let wants_trailers =
            tokens(headers, &header::TE).any(|coding| coding.eq_ignore_ascii_case("trailers"));
        Self { nominated, wants_trailers }
    }

    fn has(&self, name: &HeaderName) -> bool {
        is_of_connection(name.as_str())
            || self.nominated.contains(name)
            || name == header::TE && !self.wants_trailers
    }
}

/// The tokens of a field that is a list of them.
pub(super) fn tokens<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|list| list.split(',')).map(str::trim)
}

/// Takes out what says who the sender is.
pub(super) fn take_identity(headers: &mut HeaderMap) {
    take(headers, |name| is_of_identity(&spelled(name.as_str())));
}

/// Takes out what the workload would log in with.
pub(super) fn take_login(headers: &mut HeaderMap) {
    take(headers, |name| is_of_login(&spelled(name.as_str())));
}

/// Takes out of an answer's head what is not passed on: what belongs to its connection, where else the
/// server can be reached, and, where its bytes change, what it says of them.
pub(super) fn take_from_answer(headers: &mut HeaderMap, changes_bytes: bool) {
    let of_connection = OfConnection::of(headers);
    take(headers, |name| {
        of_connection.has(name)
            || name == header::ALT_SVC
            || changes_bytes && (name == header::CONTENT_ENCODING || is_of_bytes(name.as_str()))
    });
}

/// Takes out what asks for parts of the bytes, which are not the ones that will be shown.
pub(super) fn take_parts(headers: &mut HeaderMap) {
    take(headers, |name| is_of_parts(name.as_str()));
}

/// Takes out of trailers what belongs into a head (RFC 9110 6.5.1), or says who the sender is.
pub(super) fn take_from_trailers(headers: &mut HeaderMap) {
    take(headers, |name| {
        let name = &*spelled(name.as_str());
        let is_of_head = matches!(
            name,
            "content-length"
                | "content-encoding"
                | "content-type"
                | "content-range"
                | "host"
                | "te"
                | "trailer"
                | "expect"
                | "range"
                | "set-cookie"
        );
        is_of_head || is_of_connection(name) || is_of_identity(name) || is_of_login(name)
    });
}

/// Takes out what servers may read as this field without its being it.
pub(super) fn take_others(headers: &mut HeaderMap, wanted: &HeaderName) {
    let meant = spelled(wanted.as_str());
    take(headers, |name| name != wanted && spelled(name.as_str()) == meant);
}

/// Takes out one field.
pub(super) fn take_one(headers: &mut HeaderMap, wanted: &HeaderName) {
    if headers.contains_key(wanted) {
        take(headers, |name| name == wanted);
    }
}

/// The field that makes the request another one than it seems, where there is one.
pub(super) fn disguise(headers: &HeaderMap) -> Option<&HeaderName> {
    let known = OF_DISGUISE.iter().find(|name| headers.contains_key(*name));
    known.or_else(|| headers.keys().filter(|name| !is_plain(name.as_str())).find(is_disguise))
}

/// Whether some servers would take a name for one that changes the request or says how long it is.
fn is_disguise(name: &&HeaderName) -> bool {
    let name = spelled(name.as_str());
    OF_DISGUISE.iter().any(|known| *known == *name)
        || matches!(&*name, "content-length" | "transfer-encoding")
}

/// The field that some servers would take for one of these, and others would not.
pub(super) fn look_alike<'a>(headers: &'a HeaderMap, of: &[Arc<str>]) -> Option<&'a HeaderName> {
    let is_taken_for = |name: &&HeaderName| {
        let meant = spelled(name.as_str());
        of.iter().any(|one| **one != *name.as_str() && spelled(one) == meant)
    };
    headers.keys().find(is_taken_for)
}

/// Takes fields out and leaves the others in their order: the map's own way to remove one puts the
/// last in its place.
pub(in crate::protocols) fn take(headers: &mut HeaderMap, is_taken: impl Fn(&HeaderName) -> bool) {
    if !headers.keys().any(&is_taken) {
        return;
    }
    let mut left = HeaderMap::with_capacity(headers.len());
    let mut is_left = true;
    let mut last = None;
    for (name, value) in std::mem::take(headers) {
        // Of a name that comes again only the first says it.
        if let Some(name) = name {
            is_left = !is_taken(&name);
            last = Some(name);
        }
        if is_left && let Some(name) = &last {
            left.append(name.clone(), value);
        }
    }
    *headers = left;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        pairs.collect()
    }

    #[test]
    fn what_connection_nominates_goes_with_it() {
        let mut headers = of(&[
            ("connection", "close, X-Secret, TE"),
            ("x-secret", "1"),
            ("keep-alive", "5"),
            ("te", "trailers, deflate"),
            ("upgrade", "websocket"),
            ("accept", "*/*"),
        ]);
        take_connection(&mut headers);
        assert_eq!(headers, of(&[("accept", "*/*"), ("te", "trailers")]));
    }

    #[test]
    fn what_is_left_keeps_its_order_and_its_number() {
        let mut headers = of(&[
            ("server", "x"),
            ("connection", "keep-alive"),
            ("set-cookie", "a=1"),
            ("etag", "1"),
            ("set-cookie", "b=2"),
            ("x-last", "1"),
        ]);
        take_connection(&mut headers);
        let left: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(
            left,
            [
                ("server", "x"),
                ("set-cookie", "a=1"),
                ("set-cookie", "b=2"),
                ("etag", "1"),
                ("x-last", "1")
            ]
        );
    }

    #[test]
    fn nobody_says_who_they_are() {
        let mut headers = of(&[
            ("x-forwarded-for", "10.0.0.1"),
            ("authorization", "Bearer x"),
            ("impersonate-user", "admin"),
            ("impersonate-extra-scopes", "all"),
            ("cookie", "session=1"),
            ("accept", "*/*"),
        ]);
        take_identity(&mut headers);
        take_login(&mut headers);
        assert_eq!(headers, of(&[("accept", "*/*")]));
    }

    #[test]
    fn a_disguise_is_found() {
        assert_eq!(disguise(&of(&[("accept", "*/*")])), None);
        for name in [
            "x-original-url",
            "x_original_url",
            "x-http_method.override",
            "content_length",
            "transfer_encoding",
        ] {
            assert_eq!(disguise(&of(&[(name, "1")])).map(HeaderName::as_str), Some(name));
        }
        assert_eq!(disguise(&of(&[("access_token", "1"), ("content-length", "1")])), None);
    }

    #[test]
    fn what_a_server_may_take_for_another_field_counts_as_it() {
        let mut headers = of(&[
            ("x_forwarded_for", "10.0.0.1"),
            ("remote_user", "admin"),
            ("x_api_key", "1"),
            ("impersonate_user", "admin"),
            ("x_team", "ops"),
        ]);
        let wanted = [Arc::from("accept"), Arc::from("x-team")];
        assert_eq!(look_alike(&headers, &wanted).map(HeaderName::as_str), Some("x_team"));
        assert_eq!(look_alike(&headers, &[Arc::from("x_team")]), None);
        take_identity(&mut headers);
        take_login(&mut headers);
        assert_eq!(headers, of(&[("x_team", "ops")]));
        take_others(&mut headers, &HeaderName::from_static("x-team"));
        assert_eq!(headers, of(&[]));
    }
}
