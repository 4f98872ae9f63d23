//! Kubernetes' words for the conformance suite: those of HTTP, but for what requests mean.

use model::Protocol;
use serde_json::Value;
use tests::web::WebServer;
use tests::web::api::{RAW_VALUES, SECRET};
use tests::world::Upstream;

use super::http::Words;
use super::subject::{Deed, Kind};

pub(super) static KUBERNETES: Words = Words {
    protocol: Protocol::Kubernetes,
    server: || Upstream::Api(WebServer::shared()),
    block_of_allowed: "kubernetes: { verbs: [get] }",
    target,
    open: "/version",
    guarded: "/apis/guarded",
    document: SECRET,
    raw_values: RAW_VALUES,
    values,
    is_refusal: |answered| answered.text().contains("PortcullisSession"),
};

fn target(deed: &Deed) -> (&'static str, String) {
    let number = deed.marker();
    let shop = |rest: String| format!("/api/v1/namespaces/shop/{rest}");
    match deed.kind {
        Kind::Allowed => ("GET", shop(format!("configmaps/{number}"))),
        Kind::Denied => ("DELETE", shop(format!("pods/{number}"))),
        Kind::Held => ("PUT", shop(format!("configmaps/drop-{number}"))),
        Kind::Sensitive => ("GET", shop(format!("secrets/{number}"))),
        Kind::Failing => ("GET", shop(format!("pods/fail-{number}"))),
        Kind::Long => ("GET", shop(format!("pods/{number}/log"))),
    }
}

/// The texts under `data` of a secret.
fn values(document: &Value) -> Vec<String> {
    let data = document.get("data").and_then(Value::as_object);
    let texts = data.into_iter().flat_map(|data| data.values()).filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
