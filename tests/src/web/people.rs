//! The page that has to be masked, in every form that a server could send it in.
//!
//! Owns the forms. The values are the same in each.

use std::io::Write;

/// As JSON: two people with addresses and cards.
pub const JSON: &str = include_str!("people/people.json");
/// The same, as Brotli compresses it.
const BROTLI: &[u8] = include_bytes!("people/people.json.br");

/// Values that nobody may be shown.
pub const RAW_VALUES: &[&str] =
    &["customer1@mail.example", "private5@home.example", "5555555555554444"];

/// One document a line.
#[must_use]
pub fn lines() -> String {
    people().iter().map(|person| format!("{person}\n")).collect()
}

/// Events, one for each.
#[must_use]
pub fn events() -> String {
    people().iter().map(|person| format!("event: person\ndata: {person}\n\n")).collect()
}

/// A form.
#[must_use]
pub const fn form() -> &'static str {
    "name=Ann&email=customer1%40mail.example&note=private5@home.example&card=5555555555554444"
}

/// A text.
#[must_use]
pub const fn text() -> &'static str {
    "Ann writes from customer1@mail.example or private5@home.example and pays with 5555555555554444.\n"
}

/// In a coding: `gzip`, `deflate`, `zstd`, `br`.
///
/// # Panics
/// For any other.
#[must_use]
pub fn coded(coding: &str) -> Vec<u8> {
    let level = flate2::Compression::default();
    match coding {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(JSON.as_bytes()).expect("memory");
            encoder.finish().expect("memory")
        }
        "deflate" => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(JSON.as_bytes()).expect("memory");
            encoder.finish().expect("memory")
        }
        "zstd" => zstd::encode_all(JSON.as_bytes(), 3).expect("memory"),
        "br" => BROTLI.to_vec(),
        other => panic!("no coding {other}"),
    }
}

fn people() -> Vec<serde_json::Value> {
    let all: serde_json::Value = serde_json::from_str(JSON).expect("a fixture in JSON");
    all.get("people").and_then(|people| people.as_array()).expect("people").clone()
}
