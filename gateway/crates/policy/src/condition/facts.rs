//! What a condition sees: the facts of one operation as values of CEL.
//!
//! Owns their names and shapes. Must not know an expression.

use std::collections::HashMap;
use std::sync::Arc;

use cel::Context;
use cel::objects::Value;
use model::{Access, Columns, Object, RequestFacts, ResourceFacts};
use rustc_hash::FxHashMap;

use super::{Asked, Functions};

/// Bytes of an operation's text, and of a request's query and headers, that a condition may be
/// asked about.
const OPERATION_BYTES_MAX: usize = 256 * 1024;
/// Accesses of an operation that a condition may be asked about.
const ACCESSES_MAX: usize = 1_024;

/// The facts of one operation in the form that conditions are evaluated over.
pub(crate) struct Facts {
    pub(super) context: Result<Context<'static, 'static>, Arc<str>>,
}

impl Facts {
    pub(crate) fn gather(functions: &Functions, asked: &Asked<'_>) -> Self {
        Self { context: gather(functions, asked) }
    }
}

fn gather(functions: &Functions, asked: &Asked<'_>) -> Result<Context<'static, 'static>, Arc<str>> {
    let operation = asked.operation;
    if operation.text.len() > OPERATION_BYTES_MAX {
        return Err("the operation's text is too long for a condition".into());
    }
    if operation.accesses.len() > ACCESSES_MAX {
        return Err("the operation has too many accesses for a condition".into());
    }
    if operation.accesses.iter().map(request_bytes).sum::<usize>() > OPERATION_BYTES_MAX {
        return Err("the request's query and headers are too long for a condition".into());
    }
    let time = i64::try_from(asked.now.0)
        .ok()
        .and_then(chrono::DateTime::from_timestamp_micros)
        .ok_or_else(|| Arc::from("the time is out of range"))?;
    let accesses: Vec<Value> =
        operation.accesses.iter().map(|access| access_value(access, &functions.headers)).collect();
    let token = asked.principal.token.as_ref();
    let groups = asked.principal.groups.iter().map(|group| group.as_str());
    let mut context = Context::with_env(Arc::clone(&functions.environment));
    context.add_variable_from_value(
        "operation",
        record([
            ("kind", text(&operation.kind)),
            ("text", text(&operation.text)),
            ("accesses", Value::List(Arc::new(accesses))),
        ]),
    );
    context.add_variable_from_value(
        "principal",
        record([
            ("workload", text(asked.principal.workload.as_str())),
            ("subject", text(token.map_or("", |token| &token.subject))),
            ("issuer", text(token.map_or("", |token| &token.issuer))),
            ("groups", texts(groups)),
        ]),
    );
    context.add_variable_from_value("target", text(asked.target.as_str()));
    context.add_variable_from_value("environment", text(asked.environment.map_or("", |e| &e.0)));
    context.add_variable_from_value("time", Value::Timestamp(time.fixed_offset()));
    Ok(context)
}

fn access_value(access: &Access, headers: &[Arc<str>]) -> Value {
    let columns = match &access.object {
        Object::Relation { columns, .. } => columns,
        _ => &Columns::None,
    };
    let named: &[Arc<str>] = match columns {
        Columns::Named(names) => names,
        Columns::None | Columns::All => &[],
    };
    let words: &[Arc<str>] = match &access.object {
        Object::Command { words } => words,
        Object::Resource(resource) => &resource.command,
        _ => &[],
    };
    let request = request_of(access);
    let of_request =
        |part: fn(&RequestFacts) -> &Arc<str>| text(request.map_or("", |request| &**part(request)));
    let resource = match &access.object {
        Object::Resource(resource) => Some(&**resource),
        _ => None,
    };
    let of_resource =
        |part: fn(&ResourceFacts) -> &Arc<str>| text(resource.map_or("", |one| &**part(one)));
    record([
        ("action", text(access.action.as_str())),
        ("object", text(&access.object.to_string())),
        ("name", name_value(&access.object)),
        ("columns", texts(named.iter().map(AsRef::as_ref))),
        ("every_column", Value::Bool(*columns == Columns::All)),
        ("words", texts(words.iter().map(AsRef::as_ref))),
        ("method", of_request(|one| &one.method)),
        ("host", of_request(|one| &one.host)),
        ("path", of_request(|one| &one.path)),
        ("query", multimap(&[], request.map_or(&[][..], |one| &one.query))),
        ("headers", multimap(headers, request.map_or(&[][..], |one| &one.headers))),
        ("status", Value::Int(request.and_then(|one| one.status).map_or(0, i64::from))),
        ("group", of_resource(|one| &one.group)),
        ("version", of_resource(|one| &one.version)),
        ("resource", of_resource(|one| &one.resource)),
        ("subresource", of_resource(|one| &one.subresource)),
        ("namespace", of_resource(|one| &one.namespace)),
    ])
}

/// The request over HTTP that an access is about.
fn request_of(access: &Access) -> Option<&RequestFacts> {
    match &access.object {
        Object::Request(request) => Some(request),
        Object::Resource(resource) => Some(&resource.request),
        _ => None,
    }
}

/// Bytes of what a request brings beside the operation's text.
fn request_bytes(access: &Access) -> usize {
    let Some(request) = request_of(access) else { return 0 };
    let pairs = request.query.iter().chain(&request.headers);
    pairs.map(|(name, value)| name.len() + value.len()).sum()
}

/// Each name with all its values; those of `always` also where they have none.
fn multimap(always: &[Arc<str>], pairs: &[(Arc<str>, Arc<str>)]) -> Value {
    let mut values: FxHashMap<&str, Vec<Value>> =
        always.iter().map(|name| (&**name, Vec::new())).collect();
    for (name, value) in pairs {
        values.entry(name).or_default().push(text(value));
    }
    let listed = |(name, list): (&str, Vec<Value>)| (name.to_owned(), Value::List(Arc::new(list)));
    values.into_iter().map(listed).collect::<HashMap<String, Value>>().into()
}

/// The parts of what an object is called. A command has none: its words are its own.
fn name_value(object: &Object) -> Value {
    match object {
        Object::Relation { path, .. } | Object::Function { path } | Object::Named { path, .. } => {
            texts(path.0.iter().map(AsRef::as_ref))
        }
        Object::File { path } => texts(path.split('/').filter(|part| !part.is_empty())),
        Object::Endpoint { host, port } => texts([&**host, &port.to_string()].into_iter()),
        Object::Request(request) => texts(request.path.split('/').filter(|part| !part.is_empty())),
        Object::Resource(resource) => {
            let parts = [&*resource.namespace, &*resource.name];
            texts(parts.into_iter().filter(|part| !part.is_empty()))
        }
        Object::Command { .. } => texts(std::iter::empty()),
    }
}

fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect::<HashMap<String, Value>>()
        .into()
}

fn text(text: &str) -> Value {
    Value::from(text)
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    Value::List(Arc::new(texts.map(Value::from).collect()))
}
