//! The fields of a message that are not passed on.
//!
//! Owns the lists: what belongs to one connection only (RFC 9110 7.6.1), what says who somebody is,
//! and what makes a request another one than it seems. Must not know what is put in instead.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Fields of one connection. `transfer-encoding` and `content-length` are the library's to write.
static OF_CONNECTION: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("http2-settings"),
];

/// Fields by which a sender says who it is, or where it came from. Only the gateway says that.
static OF_IDENTITY: [HeaderName; 20] = [
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-user"),
    HeaderName::from_static("x-forwarded-email"),
    HeaderName::from_static("x-forwarded-groups"),
    HeaderName::from_static("x-forwarded-access-token"),
    HeaderName::from_static("x-forwarded-client-cert"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("x-cluster-client-ip"),
    HeaderName::from_static("true-client-ip"),
    HeaderName::from_static("x-remote-user"),
    HeaderName::from_static("x-remote-group"),
    HeaderName::from_static("remote-user"),
    HeaderName::from_static("x-ssl-client-cert"),
    HeaderName::from_static("x-ssl-client-dn"),
    HeaderName::from_static("ssl-client-cert"),
];

/// What a workload logs in with by itself; taken out where the gateway logs in for it.
static OF_LOGIN: [HeaderName; 4] = [
    header::AUTHORIZATION,
    header::COOKIE,
    HeaderName::from_static("x-amz-security-token"),
    HeaderName::from_static("x-api-key"),
];

/// Fields that make servers serve another method or path than the request line names.
static OF_DISGUISE: [HeaderName; 6] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-original-uri"),
    HeaderName::from_static("x-rewrite-url"),
];

/// Fields of an answer that stand for its bytes as they were before they were masked.
static OF_BYTES: [HeaderName; 12] = [
    header::CONTENT_LENGTH,
    header::ETAG,
    header::ACCEPT_RANGES,
    header::CONTENT_RANGE,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("want-digest"),
    HeaderName::from_static("x-amz-checksum-crc32"),
    HeaderName::from_static("x-amz-checksum-sha256"),
    HeaderName::from_static("x-goog-hash"),
];

/// Fields of a request that ask for a part of the bytes, or whether they changed.
static OF_PARTS: [HeaderName; 9] = [
    header::RANGE,
    header::IF_RANGE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    HeaderName::from_static("want-digest"),
    HeaderName::from_static("want-repr-digest"),
    HeaderName::from_static("want-content-digest"),
];

/// Takes out what belongs to one connection, also what `connection` nominates. `te: trailers`
/// stays: gRPC asks for it.
pub(super) fn take_connection(headers: &mut HeaderMap) {
    let nominated: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .collect();
    // Senders must nominate `te` itself, so it is read before that goes.
    let wants_trailers = headers
        .get_all(header::TE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .any(|coding| coding.trim().eq_ignore_ascii_case("trailers"));
    for name in OF_CONNECTION.iter().chain(&nominated) {
        headers.remove(name);
    }
    headers.remove(header::TE);
    if wants_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

/// Takes out what says who the sender is.
pub(super) fn take_identity(headers: &mut HeaderMap) {
    take(headers, &OF_IDENTITY);
}

/// Takes out what the workload would log in with.
pub(super) fn take_login(headers: &mut HeaderMap) {
    take(headers, &OF_LOGIN);
    let impersonating: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("impersonate-")).cloned().collect();
    take(headers, &impersonating);
}

/// Takes out what an answer says of bytes that it no longer has.
pub(super) fn take_bytes(headers: &mut HeaderMap) {
    take(headers, &OF_BYTES);
}

/// Takes out what asks for parts of the bytes, which are not the ones that will be shown.
pub(super) fn take_parts(headers: &mut HeaderMap) {
    take(headers, &OF_PARTS);
}

/// The field that makes the request another one than it seems, where there is one.
pub(super) fn disguise(headers: &HeaderMap) -> Option<&'static str> {
    OF_DISGUISE.iter().find(|name| headers.contains_key(*name)).map(|name| match name.as_str() {
        "x-http-method-override" => "x-http-method-override",
        "x-http-method" => "x-http-method",
        "x-method-override" => "x-method-override",
        "x-original-url" => "x-original-url",
        "x-original-uri" => "x-original-uri",
        _ => "x-rewrite-url",
    })
}

fn take(headers: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        headers.remove(name);
    }
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
        assert_eq!(disguise(&of(&[("x-original-url", "/admin")])), Some("x-original-url"));
    }
}
