//! The JSON Schema of the configuration, and its reference for people.
//!
//! Owns turning the documentation of the raw structs into both. Must not know any key: what is
//! said here is said where the key is defined.

mod markdown;

use serde_json::{Map, Value};

use super::raw::RawConfig;

/// The JSON Schema (draft 2020-12) of one configuration file.
#[must_use]
pub fn schema() -> String {
    let mut text = serde_json::to_string_pretty(&schema_value()).unwrap_or_default();
    text.push('\n');
    text
}

/// The reference of all keys, in Markdown.
#[must_use]
pub fn reference() -> String {
    markdown::write(&schema_value())
}

fn schema_value() -> Value {
    let mut schema = schemars::schema_for!(RawConfig).to_value();
    without_null(&mut schema);
    schema
}

/// A key that is left out is not a key with nothing: the reader refuses the latter, so the schema
/// must too. Descriptions lose the line breaks of the source.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Object(object) => {
            take_null_out(object);
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            object.values_mut().for_each(without_null);
        }
        _ => {}
    }
}

fn take_null_out(object: &mut Map<String, Value>) {
    let is_null = |one: &Value| one.get("type").is_some_and(|of| of == "null");
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|one| !is_null(one));
        if choices.len() == 1
            && let Some(Value::Object(only)) = choices.pop()
        {
            object.shift_remove("anyOf");
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
    if let Some(Value::Array(kinds)) = object.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if kinds.len() == 1
            && let Some(only) = kinds.pop()
        {
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(words)) = object.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
}
