//! The pages of the API server of a cluster.
//!
//! Owns a few objects in the forms that a real one sends them in. Must not know verbs: what may be
//! asked for is somebody else's affair. The forms are those of version 1.20.

use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::Seen;
use super::pages::{Page, guarded, long, status, typed};

/// Values of the secret that nobody may be shown, in base64 and as they were applied.
pub const RAW_VALUES: &[&str] = &["Y2FuYXJ5LXNlY3JldC1vbmU=", "canary-secret-two", "Y2FuYXJ5LTM="];
/// The token that a service account is given.
pub const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.canary-account-token.c2lnbmF0dXJl";
/// The secret, as it is shown to whoever may see it.
pub const SECRET: &str = include_str!("api/secret.json");
/// A beginning of protobuf, which the API server marks so.
const PROTOBUF: &[u8] = b"k8s\0\n\x0c\n\x02v1\x12\x06SecretY2FuYXJ5LXNlY3JldC1vbmU=";

/// Answers a request.
pub(super) fn answer(seen: &Seen, path: &str, query: &str) -> Response<Page> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["version"] => object(&json!({ "major": "1", "minor": "20", "gitVersion": "v1.20.2" })),
        ["apis", "guarded"] => guarded(seen),
        ["api", "v1", "namespaces", _, resource, rest @ ..] => match (*resource, rest) {
            ("secrets", []) => secrets(seen, query),
            ("secrets", _) => one(seen),
            ("serviceaccounts", [_, "token"]) => token(),
            ("pods", [_, "log"]) => long(),
            ("pods", [name]) if name.starts_with("fail") => missing(name),
            (resource, rest) => object(&json!({
                "kind": "Something", "apiVersion": "v1",
                "metadata": { "name": rest.first(), "resource": resource },
                "asked": { "method": seen.method, "target": seen.target },
            })),
        },
        _ => missing(path),
    }
}

fn secret() -> Value {
    serde_json::from_str(SECRET).expect("a secret")
}

/// Whether a form is what the client likes best.
fn likes(seen: &Seen, form: &str) -> bool {
    let accept = seen.header("accept").unwrap_or_default();
    accept.split(',').next().is_some_and(|first| first.replace(' ', "").contains(form))
}

fn one(seen: &Seen) -> Response<Page> {
    if likes(seen, "protobuf") {
        return protobuf();
    }
    if likes(seen, "yaml") {
        let raw = RAW_VALUES.join("");
        return typed("application/yaml", &format!("data:\n  password: {raw}\n"));
    }
    typed("application/json", SECRET)
}

fn secrets(seen: &Seen, query: &str) -> Response<Page> {
    if likes(seen, "protobuf") {
        return protobuf();
    }
    let is_table = likes(seen, "as=Table");
    if query.contains("watch=1") || query.contains("watch=true") {
        let mut events = String::new();
        for kind in ["ADDED", "MODIFIED"] {
            let object = if is_table { table() } else { secret() };
            events.push_str(&json!({ "type": kind, "object": object }).to_string());
            events.push('\n');
        }
        return typed("application/json;stream=watch", &events);
    }
    if is_table {
        return object(&table());
    }
    object(&json!({
        "kind": "SecretList", "apiVersion": "v1",
        "metadata": { "resourceVersion": "7" }, "items": [secret(), secret()],
    }))
}

fn table() -> Value {
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {},
        "columnDefinitions": [{ "name": "Name", "type": "string" }, { "name": "Data", "type": "string" }],
        "rows": [{ "cells": ["db", 2], "object": secret() }],
    })
}

fn token() -> Response<Page> {
    object(&json!({
        "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
        "metadata": {}, "spec": { "audiences": ["api"] }, "status": { "token": TOKEN },
    }))
}

fn missing(name: &str) -> Response<Page> {
    let mut response = object(&json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": format!("\"{name}\" not found"), "reason": "NotFound", "code": 404,
    }));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn object(object: &Value) -> Response<Page> {
    typed("application/json", &format!("{object}\n"))
}

fn protobuf() -> Response<Page> {
    let mut response = status(StatusCode::OK, std::str::from_utf8(PROTOBUF).expect("ASCII"));
    let kind = HeaderValue::from_static("application/vnd.kubernetes.protobuf");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
