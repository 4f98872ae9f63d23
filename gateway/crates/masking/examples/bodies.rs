//! Prints the speed of masking bodies in MB/s of body, beside a parser that builds a document.
//!
//! `cargo run --release -p portcullis-masking --example bodies`, with `-- --json` for one line of the
//! bodies that services answer with most, which `cargo xtask bench http` reads.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use masking::Transforms;
use masking::body::{BodyKind, BodyMasker, FieldSet, Place};
use model::{Detector, DetectorMask, FieldMask, FieldPattern, MaskProfile, Secret, Transform};

/// Bytes of a body, and of the chunks it comes in.
const BODY_BYTES: usize = 1024 * 1024;
const CHUNK_BYTES: usize = 16 * 1024;
/// The best of so many rounds counts.
const ROUNDS: u32 = 40;

fn set(fields: &[&str], detectors: &[Detector]) -> Arc<FieldSet> {
    let fields = fields.iter().filter_map(|text| FieldPattern::parse(text).ok());
    let profile = MaskProfile {
        fields: fields
            .map(|pattern| FieldMask {
                pattern,
                routes: Vec::new(),
                resources: Vec::new(),
                tag: "bench".into(),
                transform: Transform::Partial,
            })
            .collect(),
        detectors: detectors
            .iter()
            .map(|detector| DetectorMask {
                detector: *detector,
                tag: "bench".into(),
                transform: Transform::Last4,
            })
            .collect(),
        ..MaskProfile::default()
    };
    let transforms = Arc::new(Transforms::new(&Secret::new(vec![0; 32])));
    Arc::new(FieldSet::new(&profile, &Place::Path("/v1/users"), &transforms))
}

/// A list of users as services write it: numbers, truth values, times, short and longer texts.
fn users(end: &str) -> String {
    let mut text = String::new();
    let mut id = 0;
    while text.len() < BODY_BYTES {
        id += 1;
        let _ = write!(
            text,
            r#"{{"id":{id},"login":"user{id}","name":"Amy Archer {id}","email":"amy.archer.{id}@example.com","active":true,"score":{id}.25,"created_at":"2024-02-{:02}T10:11:12.123456Z","roles":["reader","writer"],"address":{{"street":"Avenida da Liberdade {id}","city":"Lisbon","zip":"1250-{:03}","geo":null}},"bio":"Likes long walks, short queries and everything that is written in between the two."}}{end}"#,
            id % 28 + 1,
            id % 1000,
        );
    }
    text
}

/// A list of orders: many short values, and an escape in each.
fn orders() -> String {
    let mut text = String::new();
    let mut id = 0;
    while text.len() < BODY_BYTES {
        id += 1;
        let _ = writeln!(
            text,
            r#"{{"id": {id}, "reference": "{id:012}", "customer": {{"name": "Customer {id}", "email": "customer{id}@mail.example", "tier": "gold"}}, "street": "Street {id}, House 7", "items": [{{"sku": "A-{id}", "count": 3, "price": 19.99}}, {{"sku": "B-2210", "count": 1, "price": 4.5}}], "note": "item {id} of the catalogue, sent with the \"first\" post", "paid": true}},"#,
        );
    }
    format!("[{}]", text.trim_end_matches(",\n"))
}

/// A list of users.
fn list() -> String {
    format!("[{}]", users(",").trim_end_matches(','))
}

/// A list, spread over lines.
fn pretty(list: &str) -> String {
    let list: serde_json::Value = serde_json::from_str(list).unwrap_or_default();
    serde_json::to_string_pretty(&list).unwrap_or_default()
}

/// The best of some rounds, in MB/s.
fn rate(body: &str, mut round: impl FnMut(&[u8])) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        round(body.as_bytes());
        best = best.min(begin.elapsed().as_secs_f64());
    }
    #[expect(clippy::cast_precision_loss, reason = "a byte count far below 2^52")]
    let bytes = body.len() as f64;
    bytes / best / 1e6
}

fn masked(kind: BodyKind, set: &Arc<FieldSet>, body: &[u8], out: &mut Vec<u8>) -> bool {
    let mut masker = BodyMasker::new(kind, Arc::clone(set));
    let pushed = body.chunks(CHUNK_BYTES).all(|chunk| {
        out.clear();
        masker.push(chunk, out).is_ok()
    });
    pushed && masker.finish(out).is_ok()
}

/// The speed of a parser that builds a document.
fn parsed(body: &str) -> f64 {
    rate(body, |body| {
        black_box(serde_json::from_slice::<serde_json::Value>(black_box(body)).is_ok());
    })
}

/// One line: a field masked, and all texts looked through.
fn line() -> Result<String, &'static str> {
    let set = set(&["**.email"], &[Detector::PaymentCard, Detector::Email]);
    let mut out = Vec::new();
    let mut speed = |body: &str| {
        let mut sound = true;
        let speed = rate(body, |body| sound &= masked(BodyKind::Json, &set, body, &mut out));
        if sound { Ok(speed) } else { Err("a body was not masked") }
    };
    let (list, orders) = (list(), orders());
    Ok(format!(
        r#"{{"users":{{"masked":{:.0},"parsed":{:.0}}},"orders":{{"masked":{:.0},"parsed":{:.0}}}}}"#,
        speed(&list)?,
        parsed(&list),
        speed(&orders)?,
        parsed(&orders),
    ))
}

#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
fn main() -> Result<(), &'static str> {
    if std::env::args().any(|argument| argument == "--json") {
        println!("{}", line()?);
        return Ok(());
    }
    let both = [Detector::PaymentCard, Detector::Email];
    let one = set(&["**.email"], &both);
    let many: Vec<String> = (0..40).map(|n| format!("**.secret_{n}.value")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).chain(["*.email"]).collect();
    let sets = [
        ("one field, detectors", Arc::clone(&one)),
        ("one field", set(&["**.email"], &[])),
        ("detectors", set(&[], &both)),
        ("41 fields, detectors", set(&many, &both)),
    ];
    let lines = users("\n");
    let list = list();
    let pretty = pretty(&list);
    let quoted = serde_json::to_string(&lines).unwrap_or_default();
    let quoted = quoted.trim_matches('"').replace(r"\n", r#"",""#);
    let quoted = format!(r#"["{}"]"#, quoted.trim_end_matches(r#"",""#));
    let orders = orders();
    let events: String = lines.lines().map(|line| format!("data: {line}\n\n")).collect();
    let bodies = [
        ("json", BodyKind::Json, &list),
        ("json, spread over lines", BodyKind::Json, &pretty),
        ("json, short values", BodyKind::Json, &orders),
        ("json in strings of json", BodyKind::Json, &quoted),
        ("json lines", BodyKind::JsonLines, &lines),
        ("events", BodyKind::EventStream, &events),
        ("text", BodyKind::Text, &list),
    ];
    println!("{:<26} {:<22} {:>8}", "body", "masks", "MB/s");
    let mut out = Vec::new();
    for (name, kind, body) in bodies {
        for (masks, set) in &sets {
            let mut sound = true;
            let speed = rate(body, |body| sound &= masked(kind, set, black_box(body), &mut out));
            println!("{name:<26} {masks:<22} {speed:>8.0}{}", if sound { "" } else { " FAULT" });
        }
    }
    println!("{:<26} {:<22} {:>8.0}", "json", "serde_json, parse only", parsed(&list));
    Ok(())
}
