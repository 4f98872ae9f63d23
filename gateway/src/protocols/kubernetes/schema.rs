//! The documents of an API server that say what it knows, and hold nothing of what is in it.
//!
//! Owns which paths these are. Their bodies are made from the types of the server and of the
//! definitions of others, names and descriptions of kinds and fields: no object is among them, and so
//! no value of anybody's. Clients read them in forms of their own (protobuf, `APIGroupDiscoveryList`)
//! and some in these alone; there is nothing to look for. Every other path may show anything.

/// Documents, and those below them.
const BELOW: &[&str] = &["/openapi/v2", "/openapi/v3"];
/// Documents by their whole path.
const WHOLE: &[&str] = &["/version", "/swagger.json", "/swagger-2.0.0.pb-v1"];

/// Whether a path that is no resource is one of these documents: the OpenAPI document, and discovery
/// (`/api`, `/api/v1`, `/apis`, `/apis/apps`, `/apis/apps/v1`).
pub(super) fn is_schema(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    if WHOLE.contains(&path) {
        return true;
    }
    let is_at = |document: &&str| {
        path.strip_prefix(*document).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if BELOW.iter().any(is_at) {
        return true;
    }
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts.as_slice() {
        ["api" | "apis"] => true,
        ["api", version] => !version.is_empty(),
        ["apis", rest @ ..] => rest.len() <= 2 && rest.iter().all(|part| !part.is_empty()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discovery_and_the_openapi_document_are_schema() {
        for path in [
            "/api",
            "/api/",
            "/api/v1",
            "/apis",
            "/apis/apps",
            "/apis/apps/v1",
            "/apis/apps/v1/",
            "/openapi/v2",
            "/openapi/v3",
            "/openapi/v3/apis/apps/v1",
            "/version",
            "/version/",
            "/swagger-2.0.0.pb-v1",
        ] {
            assert!(is_schema(path), "{path}");
        }
    }

    #[test]
    fn whatever_else_is_no_resource_may_show_anything() {
        for path in [
            "/",
            "/api/v1/secrets",
            "/apis/apps/v1/deployments",
            "/apis//v1",
            "/metrics",
            "/logs/",
            "/healthz",
            "/openapi",
            "/openapi/v2x",
            "/openapi/v4",
            "/version/x",
            "/debug/pprof",
            "/openid/v1/jwks",
            "/apix",
        ] {
            assert!(!is_schema(path), "{path}");
        }
    }
}
