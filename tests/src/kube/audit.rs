//! The audit log of an API server: what it says it was asked.
//!
//! Owns the reading of its lines. Format: `audit.k8s.io/v1`.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// A request, as the server saw it before it knew what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number; a client may have given it.
    pub id: String,
    /// Who asked.
    pub user: String,
    /// The client's own name of itself.
    pub agent: String,
    /// The verb.
    pub verb: String,
    /// The target of the request.
    pub uri: String,
    /// What it is about; nothing where it is not about a resource.
    pub object: Option<Reference>,
}

/// The object of a request; what it does not have is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The group of its kind.
    pub group: String,
    /// The version of the group.
    pub version: String,
    /// The plural of its kind.
    pub resource: String,
    /// The part of it.
    pub subresource: String,
    /// Where it is.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// The requests of a log, each once, in the order in which they came.
///
/// # Panics
/// Where a line is not of the format.
#[must_use]
pub fn read(path: &Path) -> Vec<Event> {
    lines(path).iter().filter_map(event).collect()
}

/// All that stands in a log.
///
/// # Panics
/// Where a line is not JSON.
#[must_use]
pub fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    // The last line may be half written.
    let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
    let read =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    whole.lines().map(read).collect()
}

/// The attributes are decided on as they are received; later, the server adds what it has learned
/// of the object, such as the name that it gave it.
fn event(event: &Value) -> Option<Event> {
    if text(event, "/stage") != "RequestReceived" {
        return None;
    }
    let object = event.get("objectRef").map(|_| Reference {
        group: text(event, "/objectRef/apiGroup"),
        version: text(event, "/objectRef/apiVersion"),
        resource: text(event, "/objectRef/resource"),
        subresource: text(event, "/objectRef/subresource"),
        namespace: text(event, "/objectRef/namespace"),
        name: text(event, "/objectRef/name"),
    });
    Some(Event {
        id: text(event, "/auditID"),
        user: text(event, "/user/username"),
        agent: text(event, "/userAgent"),
        verb: text(event, "/verb"),
        uri: text(event, "/requestURI"),
        object,
    })
}

/// The text at a path of an object; empty where there is none.
pub(super) fn text(object: &Value, path: &str) -> String {
    object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
}
