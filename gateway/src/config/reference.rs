//! The JSON Schema of the configuration.
//!
//! Owns turning the documentation of the raw structs into it. Must not know any key: what is
//! said here is said where the key is defined.

use super::raw::RawConfig;

/// The JSON Schema (draft 2020-12) of one configuration file.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(RawConfig);
    // Serialising a value that is JSON already cannot fail.
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}
