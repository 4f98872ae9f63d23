//! Requests and their answers.
//!
//! Owns the list. All is about the namespace `team-a`, which no other test changes.

use serde_json::{Value, json};
use tests::kube::client::{JSON, authorization, send};
use tests::kube::{ADMIN, Account, JOB, KubeCluster};
use tests::web::client::Answered;

use super::encoded;
use super::steady::steady;

const ACCEPT_JSON: &str = "application/json";
/// What kubectl asks for.
const ACCEPT_TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,\
     application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
/// What controllers ask for.
const ACCEPT_PROTOBUF: &str = "application/vnd.kubernetes.protobuf, */*";
const ACCEPT_METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const ACCEPT_METADATA_LIST: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

const SECRETS: &str = "/api/v1/namespaces/team-a/secrets";
const ONE_SECRET: &str = "/api/v1/namespaces/team-a/secrets/registry";
const MADE_SECRET: &str = "/api/v1/namespaces/team-a/secrets/made";
const PODS: &str = "/api/v1/namespaces/team-a/pods";

/// One request.
struct Asked {
    name: &'static str,
    method: &'static str,
    uri: &'static str,
    accept: &'static str,
    body: Option<&'static str>,
    account: Account,
}

const fn get(name: &'static str, uri: &'static str, accept: &'static str) -> Asked {
    Asked { name, method: "GET", uri, accept, body: None, account: ADMIN }
}

const fn change(
    name: &'static str,
    method: &'static str,
    uri: &'static str,
    body: &'static str,
) -> Asked {
    Asked { name, method, uri, accept: ACCEPT_JSON, body: Some(body), account: ADMIN }
}

/// A secret as `kubectl apply` makes it: what was applied is kept in an annotation.
const MADE: &str = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"made","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"made\"},\"stringData\":{\"password\":\"canary-secret-made-4a\"}}\n"}},"stringData":{"password":"canary-secret-made-4a"}}"#;
const PATCH: &str = r#"{"stringData":{"password":"canary-secret-made-4b"}}"#;

/// In order: what is made is changed and deleted.
const ALL: &[Asked] = &[
    get("version", "/version", ACCEPT_JSON),
    get("groups", "/apis", ACCEPT_JSON),
    get("resources of a group", "/apis/shop.example/v1", ACCEPT_JSON),
    get("pods", PODS, ACCEPT_JSON),
    get("pods as a table", PODS, ACCEPT_TABLE),
    get("a pod", "/api/v1/namespaces/team-a/pods/batch-1", ACCEPT_JSON),
    get(
        "a log",
        "/api/v1/namespaces/team-a/pods/batch-1/log?container=app",
        "application/json, */*",
    ),
    get("a widget", "/apis/shop.example/v1/namespaces/shop/widgets/gear", ACCEPT_JSON),
    get(
        "a widget as protobuf",
        "/apis/shop.example/v1/namespaces/shop/widgets/gear",
        "application/vnd.kubernetes.protobuf",
    ),
    get("secrets", SECRETS, ACCEPT_JSON),
    get("secrets as a table", SECRETS, ACCEPT_TABLE),
    get(
        "secrets as a table with objects",
        "/api/v1/namespaces/team-a/secrets?includeObject=Object",
        ACCEPT_TABLE,
    ),
    get(
        "secrets as a table without objects",
        "/api/v1/namespaces/team-a/secrets?includeObject=None",
        ACCEPT_TABLE,
    ),
    get("secrets as metadata", SECRETS, ACCEPT_METADATA_LIST),
    get("secrets as protobuf", SECRETS, ACCEPT_PROTOBUF),
    get("a secret", ONE_SECRET, ACCEPT_JSON),
    get("a secret as a table", ONE_SECRET, ACCEPT_TABLE),
    get("a secret as metadata", ONE_SECRET, ACCEPT_METADATA),
    get("a secret as protobuf", ONE_SECRET, ACCEPT_PROTOBUF),
    get("a secret as yaml", ONE_SECRET, "application/yaml"),
    get(
        "a watch of secrets",
        "/api/v1/namespaces/team-a/secrets?watch=true&timeoutSeconds=1",
        ACCEPT_JSON,
    ),
    get(
        "a watch of secrets as tables",
        "/api/v1/namespaces/team-a/secrets?watch=true&timeoutSeconds=1",
        ACCEPT_TABLE,
    ),
    get(
        "a watch of secrets as protobuf",
        "/api/v1/namespaces/team-a/secrets?watch=true&timeoutSeconds=1",
        "application/vnd.kubernetes.protobuf;type=watch",
    ),
    get(
        "a watch that cannot go on",
        "/api/v1/namespaces/team-a/secrets?watch=true&resourceVersion=1&timeoutSeconds=1",
        ACCEPT_JSON,
    ),
    change("a secret is made", "POST", SECRETS, MADE),
    change("a secret that is there is made", "POST", SECRETS, MADE),
    get("a secret that was applied", MADE_SECRET, ACCEPT_JSON),
    change("a secret is patched", "PATCH", MADE_SECRET, PATCH),
    change("a secret is put", "PUT", MADE_SECRET, MADE),
    change("a secret is deleted", "DELETE", MADE_SECRET, "{}"),
    change("a secret would be made", "POST", "/api/v1/namespaces/team-a/secrets?dryRun=All", MADE),
    change(
        "secrets of no label are deleted",
        "DELETE",
        "/api/v1/namespaces/team-a/secrets?labelSelector=no%3Dsuch",
        "{}",
    ),
    change(
        "a token is asked for",
        "POST",
        "/api/v1/namespaces/shop/serviceaccounts/deployer/token",
        "{}",
    ),
    get("nothing of this name", "/api/v1/namespaces/team-a/pods/nobody", ACCEPT_JSON),
    get("no such kind", "/apis/no.such.group/v1/things", ACCEPT_JSON),
    get("a form that is not known", ONE_SECRET, "text/html"),
    change(
        "not what it should be",
        "POST",
        PODS,
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"Not A Name"}}"#,
    ),
    change("a method that is not there", "PUT", PODS, "{}"),
    Asked {
        name: "forbidden",
        method: "GET",
        uri: SECRETS,
        accept: ACCEPT_JSON,
        body: None,
        account: JOB,
    },
    Asked {
        name: "nobody",
        method: "GET",
        uri: SECRETS,
        accept: ACCEPT_JSON,
        body: None,
        account: Account { name: "nobody", token: "wrong", ..JOB },
    },
];

/// Fields that say nothing of the answer, or that are never the same twice.
const LEFT_OUT: &[&str] = &[
    "transfer-encoding",
    "content-length",
    "date",
    "audit-id",
    "connection",
    "x-kubernetes-pf-flowschema-uid",
    "x-kubernetes-pf-prioritylevel-uid",
];

/// What the server says.
pub(super) fn all(cluster: &KubeCluster) -> Vec<Value> {
    ALL.iter().map(|asked| exchange(cluster, asked)).collect()
}

fn exchange(cluster: &KubeCluster, asked: &Asked) -> Value {
    let content = match asked.method {
        "PATCH" => tests::kube::client::MERGE_PATCH,
        _ => JSON,
    };
    let fields = [
        authorization(asked.account.token),
        format!("Accept: {}", asked.accept),
        content.to_owned(),
    ];
    let mut client = cluster.connect();
    send(&mut client, asked.method, asked.uri, &fields, asked.body);
    let answered = client.answer_to(asked.method).expect(asked.name);
    assert!(answered.is_whole, "{}", asked.name);
    let headers: Vec<_> = answered
        .headers
        .iter()
        .filter(|(name, _)| !LEFT_OUT.contains(&name.to_ascii_lowercase().as_str()))
        .collect();
    let mut line = json!({
        "name": asked.name, "method": asked.method, "uri": asked.uri,
        "accept": asked.accept, "request_body": asked.body,
        "status": answered.status, "headers": headers,
    });
    let (name, body) = body(&answered);
    line.as_object_mut().expect("an object").insert(name.to_owned(), body.into());
    line
}

/// JSON is made steady, document by document; other text is kept; anything else is base64, and so
/// is YAML, whose made-up values are not taken out.
fn body(answered: &Answered) -> (&'static str, String) {
    let is_yaml = answered.header("content-type") == Some("application/yaml");
    let text = std::str::from_utf8(&answered.body).ok().filter(|_| !is_yaml);
    let Some(text) = text else { return ("body_base64", encoded(&answered.body)) };
    let documents: Result<Vec<Value>, _> =
        serde_json::Deserializer::from_str(text).into_iter().collect();
    let Ok(mut documents) = documents else { return ("body", text.to_owned()) };
    documents.iter_mut().for_each(steady);
    ("body", documents.iter().map(|document| format!("{document}\n")).collect())
}
