//! The reference of the configuration, made from its schema.
//!
//! Owns the layout: a table for the top level and one for each group of keys, in the order in
//! which they are first mentioned.

use std::fmt::Write as _;

use serde_json::{Map, Value};

const HEAD: &str = "\
# Configuration

<!-- Made from the code by `cargo xtask gen`; do not edit. -->

";

const FOOT: &str = "
## Values

- **duration**: a number and a unit, `ms`, `s`, `m`, `h` or `d`, or several: `30s`, `1h30m`.
- **size**: a number of bytes, or a number and a unit, `B`, `KiB`, `MiB` or `GiB`: `64KiB`.
- **pattern**: the parts of a name, outermost first, divided by dots. A part that is `*` alone stands
  for one or more parts; within a part `*` stands for any run of characters and `?` for one; a part in
  double quotes is taken literally. Case counts.
";

/// Writes the reference.
pub(super) fn write(schema: &Value) -> String {
    let mut text = HEAD.to_owned();
    let groups = schema.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut mentioned: Vec<String> = Vec::new();
    write_group(&mut text, schema, &mut mentioned);
    // Sections are found while sections are written.
    let mut next = 0;
    while let Some(name) = mentioned.get(next).cloned() {
        if let Some(group) = groups.get(&name) {
            let _ = write!(text, "\n## {name}\n\n");
            write_group(&mut text, group, &mut mentioned);
        }
        next += 1;
    }
    text.push_str(FOOT);
    text
}

fn write_group(text: &mut String, group: &Value, mentioned: &mut Vec<String>) {
    let _ = write!(text, "{}\n\n", description(group));
    let required: Vec<&str> = list(group, "required").iter().filter_map(Value::as_str).collect();
    if let Some(keys) = group.get("properties").and_then(Value::as_object) {
        write_head(text);
        write_keys(text, keys, &required, mentioned);
        return;
    }
    text.push_str("One of these keys:\n\n");
    write_head(text);
    for variant in list(group, "oneOf") {
        let Some(keys) = variant.get("properties").and_then(Value::as_object) else { continue };
        for (key, value) in keys {
            write_row(text, key, &kind(value, mentioned), &description(variant));
        }
    }
}

fn write_head(text: &mut String) {
    text.push_str("| key | value | meaning |\n|---|---|---|\n");
}

fn write_keys(
    text: &mut String,
    keys: &Map<String, Value>,
    required: &[&str],
    mentioned: &mut Vec<String>,
) {
    for (key, value) in keys {
        let mut meaning = String::new();
        if required.contains(&key.as_str()) {
            meaning.push_str("**Required.** ");
        }
        meaning.push_str(&description(value));
        for word in list(value, "oneOf") {
            if let Some(name) = word.get("const").and_then(Value::as_str)
                && word.get("description").is_some()
            {
                let _ = write!(meaning, " `{name}`: {}", lower(&description(word)));
            }
        }
        write_row(text, key, &kind(value, mentioned), &meaning);
    }
}

fn write_row(text: &mut String, key: &str, kind: &str, meaning: &str) {
    let meaning = meaning.replace('|', "\\|");
    let _ = writeln!(text, "| `{key}` | {kind} | {meaning} |");
}

/// What a value is, in words.
fn kind(schema: &Value, mentioned: &mut Vec<String>) -> String {
    if let Some(title) = schema.get("title").and_then(Value::as_str) {
        return title.to_owned();
    }
    if let Some(name) = reference(schema) {
        if !mentioned.iter().any(|one| one == name) {
            mentioned.push(name.to_owned());
        }
        return format!("[{name}](#{})", name.to_lowercase());
    }
    let words = words(schema);
    if !words.is_empty() {
        return words.join(" or ");
    }
    let choices = list(schema, "anyOf");
    if !choices.is_empty() {
        let choices: Vec<String> = choices.iter().map(|one| kind(one, mentioned)).collect();
        return choices.join(", or ");
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("array") => {
            format!(
                "list of {}",
                schema.get("items").map_or("anything".to_owned(), |of| kind(of, mentioned))
            )
        }
        Some("object") => {
            let of = schema.get("additionalProperties");
            format!("name: {}", of.map_or("anything".to_owned(), |of| kind(of, mentioned)))
        }
        Some("string") => "text".to_owned(),
        Some("integer") => "number".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        _ => "anything".to_owned(),
    }
}

/// The words that a value can be, where it is one of some.
fn words(schema: &Value) -> Vec<String> {
    let constants = list(schema, "oneOf").iter().filter_map(|one| one.get("const"));
    let listed = list(schema, "oneOf").iter().flat_map(|one| list(one, "enum"));
    let words = list(schema, "enum").iter().chain(constants).chain(listed);
    words.filter_map(Value::as_str).map(|word| format!("`{word}`")).collect()
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

fn list<'a>(schema: &'a Value, key: &str) -> &'a [Value] {
    schema.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn description(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A sentence within a sentence.
fn lower(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
