//! A store of objects and one of items, as AWS answers for S3 and DynamoDB.
//!
//! Owns what the clients of the tests ask for, and no more. Must not know who signed: tests compute
//! the signatures of what was seen again.

use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::json;

use super::State;

const SPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Answers a request for an object, for a list of them, or for an item.
pub(super) async fn answer(state: &State, request: Request<Incoming>) -> Response<Vec<u8>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
    if parts.headers.contains_key("x-amz-target") {
        return item(&body);
    }
    let path = parts.uri.path().trim_start_matches("/store").trim_start_matches('/').to_owned();
    match (&parts.method, path.as_str()) {
        (&Method::GET, "") if parts.uri.path() == "/" => {
            let list = "<Owner><ID>o</ID></Owner><Buckets><Bucket><Name>store</Name>\
                        <CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket></Buckets>";
            xml(StatusCode::OK, "ListAllMyBucketsResult", list)
        }
        (&Method::GET, "") => xml(StatusCode::OK, "ListBucketResult", &list(state)),
        _ => object(state, &parts, path, body),
    }
}

fn list(state: &State) -> String {
    let objects = state.objects.lock().expect("nobody panicked");
    let one = |(name, bytes): (&String, &Vec<u8>)| {
        format!(
            "<Contents><Key>{name}</Key><Size>{}</Size>\
             <LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>",
            bytes.len()
        )
    };
    let contents: String = objects.iter().map(one).collect();
    format!(
        "<Name>store</Name><EncodingType>url</EncodingType><KeyCount>{}</KeyCount>\
         <MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>{contents}",
        objects.len()
    )
}

fn object(state: &State, parts: &Parts, name: String, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut objects = state.objects.lock().expect("nobody panicked");
    match (&parts.method, objects.get(&name)) {
        (&Method::PUT, _) => {
            let coding =
                parts.headers.get("content-encoding").and_then(|value| value.to_str().ok());
            let is_chunked = coding.is_some_and(|coding| coding.contains("aws-chunked"));
            objects.insert(name, if is_chunked { unchunked(&body) } else { body });
            with(StatusCode::OK, &[("etag", "\"e\"")], Vec::new())
        }
        (&Method::DELETE, _) => {
            objects.remove(&name);
            with(StatusCode::NO_CONTENT, &[], Vec::new())
        }
        (_, Some(bytes)) => {
            let fields = [("etag", "\"e\""), ("content-type", "binary/octet-stream")];
            with(StatusCode::OK, &fields, bytes.clone())
        }
        (_, None) => xml(StatusCode::NOT_FOUND, "Error", "<Code>NoSuchKey</Code>"),
    }
}

/// The chunks that a client of S3 wraps a body in, without their trailer.
fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let line = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        let size = line.split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).expect("the size of a chunk");
        if size == 0 {
            break;
        }
        out.extend_from_slice(rest.get(end + 2..end + 2 + size).expect("a whole chunk"));
        rest = rest.get(end + 4 + size..).unwrap_or_default();
    }
    out
}

/// An item that says which request asked for it.
fn item(body: &[u8]) -> Response<Vec<u8>> {
    let said = String::from_utf8_lossy(body);
    let item = json!({ "Item": { "id": { "S": "1" }, "said": { "S": said } } });
    let fields = [("content-type", "application/x-amz-json-1.0")];
    with(StatusCode::OK, &fields, item.to_string().into_bytes())
}

fn xml(status: StatusCode, name: &str, content: &str) -> Response<Vec<u8>> {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name} xmlns=\"{SPACE}\">{content}</{name}>"
    );
    with(status, &[("content-type", "application/xml")], text.into_bytes())
}

fn with(status: StatusCode, fields: &[(&str, &str)], body: Vec<u8>) -> Response<Vec<u8>> {
    let response = Response::builder().status(status);
    let response =
        fields.iter().fold(response, |response, (name, value)| response.header(*name, *value));
    response.body(body).expect("an answer")
}
