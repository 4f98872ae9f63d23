//! The address that a request asks for, where it is not sent on as it came.
//!
//! Owns writing it. Must not know what it means.

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Uri, Version};
use wire::http::encode_target;

/// Puts another path and query into a request.
///
/// # Errors
/// Where they are none. The request has no address then.
pub(super) fn replace(parts: &mut Parts, target: Vec<u8>) -> Result<(), http::Error> {
    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    uri.path_and_query = Some(PathAndQuery::try_from(target)?);
    parts.uri = Uri::from_parts(uri)?;
    Ok(())
}

/// Writes what clients send as it is, a percent sign without its digits in a query, as addresses
/// have it. Over HTTP/1 that is done before the head is read.
pub(super) fn encode(parts: &mut Parts) {
    let Some(sent) = parts.uri.path_and_query().map(PathAndQuery::as_str) else { return };
    let may_need_it = |byte: u8| byte == b'%' || !byte.is_ascii();
    if parts.version < Version::HTTP_2 || !sent.bytes().any(may_need_it) {
        return;
    }
    let encoded = encode_target(sent.as_bytes());
    if encoded != sent.as_bytes() {
        // A request without an address is refused.
        let _ = replace(parts, encoded);
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn what_is_not_encoded_is_and_the_rest_stays() {
        for (sent, version, meant) in [
            (
                "http://a.test/x?rate=100%&q=%41%4",
                Version::HTTP_2,
                "http://a.test/x?rate=100%25&q=%41%254",
            ),
            ("http://a.test/%zz?q=1", Version::HTTP_2, "http://a.test/%zz?q=1"),
            ("http://a.test/%zz?q=%", Version::HTTP_2, "http://a.test/%zz?q=%25"),
            ("/x?rate=100%", Version::HTTP_11, "/x?rate=100%"),
        ] {
            let request = Request::get(sent).version(version).body(()).unwrap();
            let mut parts = request.into_parts().0;
            encode(&mut parts);
            assert_eq!(parts.uri.to_string(), meant);
        }
    }
}
