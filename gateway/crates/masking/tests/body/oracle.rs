//! Any document, any patterns, any chunks: against a reading of the definitions.

use masking::body::BodyKind;
use masking::{Masked, ScanSet, ValueKind};
use model::{FieldPart, FieldPattern, MaskProfile, Transform};
use proptest::prelude::*;
use proptest::sample::select;

use crate::fixture::{detectors, field, run, scanning, set_of, transforms};

/// Text as it is written, and what it says.
type Text = (String, String);

#[derive(Clone, Debug)]
enum Doc {
    Word(&'static str),
    Number(String),
    Text(Text),
    Array(Vec<Doc>),
    Object(Vec<(Text, Doc)>),
}

/// One character, written in one of its ways.
fn character() -> impl Strategy<Value = Text> {
    let any = prop_oneof![
        6 => select(vec!['a', 'b', 'e', '@', '.', '1', '0']),
        1 => any::<char>(),
        1 => select(vec!['"', '\\', '/', '\n', '\t', '\u{0}', '\u{8}', '\u{1f600}', '\u{e9}']),
    ];
    (any, 0..4_u8).prop_map(|(c, way)| {
        let short = match c {
            '"' | '\\' | '/' => Some(c),
            '\n' => Some('n'),
            '\t' => Some('t'),
            '\u{8}' => Some('b'),
            _ => None,
        };
        let must = c < ' ' || c == '"' || c == '\\';
        let written = match (way, short) {
            (0 | 1, Some(short)) if must || way == 1 => format!("\\{short}"),
            (3, _) => unicode(c),
            _ if must => unicode(c),
            _ => c.to_string(),
        };
        (written, c.to_string())
    })
}

fn unicode(c: char) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn text() -> impl Strategy<Value = Text> {
    prop::collection::vec(character(), 0..6).prop_map(|chars| chars.into_iter().unzip())
}

fn name() -> impl Strategy<Value = Text> {
    let plain = select(vec!["a", "b", "email", "ab", "0"]).prop_map(|n| (n.into(), n.into()));
    let escaped = Just(("\\u0065mail".to_owned(), "email".to_owned()));
    prop_oneof![6 => plain, 1 => escaped, 2 => text()]
}

fn doc() -> impl Strategy<Value = Doc> {
    let number = select(vec!["0", "-1", "12.50", "1e9", "-0.5E-3", "4111111111111111", "12345678"]);
    let leaf = prop_oneof![
        select(vec!["true", "false", "null"]).prop_map(Doc::Word),
        number.prop_map(|number| Doc::Number(number.into())),
        text().prop_map(Doc::Text),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Doc::Array),
            prop::collection::vec((name(), inner), 0..5).prop_map(Doc::Object),
        ]
    })
}

/// Writes a document twice: as it comes, and as it is to be shown.
struct Writer<'a> {
    masks: &'a [(String, Transform)],
    blanks: std::iter::Cycle<std::slice::Iter<'a, &'static str>>,
    path: Vec<String>,
    came: String,
    shown: String,
}

impl Writer<'_> {
    fn both(&mut self, text: &str) {
        self.came.push_str(text);
        self.shown.push_str(text);
        let blank = *self.blanks.next().unwrap();
        self.came.push_str(blank);
        self.shown.push_str(blank);
    }

    fn scalar(&mut self, came: &str, shown: &str) {
        self.came.push_str(came);
        self.shown.push_str(shown);
        self.both("");
    }

    fn write(&mut self, doc: &Doc, above: Option<usize>) {
        let own = self.masks.iter().position(|(pattern, _)| {
            matches(FieldPattern::parse(pattern).unwrap().parts(), &self.path)
        });
        let mask = above.into_iter().chain(own).min();
        let transform = mask.map(|mask| self.masks[mask].1);
        match doc {
            Doc::Word(word) => {
                let kind = ValueKind::Boolean;
                let transform = transform.filter(|_| *word != "null");
                let shown = transform.map(|transform| masked(transform, kind, word));
                self.scalar(word, shown.as_deref().unwrap_or(word));
            }
            Doc::Number(number) => {
                let kind = ValueKind::Integer { bits: 54 };
                let shown = transform.map(|transform| masked(transform, kind, number));
                self.scalar(number, shown.as_deref().unwrap_or(number));
            }
            Doc::Text((written, says)) => {
                let came = format!("\"{written}\"");
                let shown = transform.map(|transform| masked(transform, ValueKind::Text, says));
                self.scalar(&came, shown.as_deref().unwrap_or(&came));
            }
            Doc::Array(elements) => {
                self.both("[");
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        self.both(",");
                    }
                    self.path.push(index.to_string());
                    self.write(element, mask);
                    self.path.pop();
                }
                self.both("]");
            }
            Doc::Object(members) => {
                self.both("{");
                for (index, ((written, says), value)) in members.iter().enumerate() {
                    if index > 0 {
                        self.both(",");
                    }
                    self.both(&format!("\"{written}\""));
                    self.both(":");
                    self.path.push(says.clone());
                    self.write(value, mask);
                    self.path.pop();
                }
                self.both("}");
            }
        }
    }
}

fn matches(parts: &[FieldPart], path: &[String]) -> bool {
    match (parts.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((FieldPart::Deep, rest)), _) => {
            (0..=path.len()).any(|skipped| matches(rest, &path[skipped..]))
        }
        (Some((part, parts)), Some((name, path))) => {
            let fits = match part {
                FieldPart::Name(want) => want == name,
                FieldPart::Glob(glob) => glob.matches(name),
                FieldPart::Any | FieldPart::Deep => true,
            };
            fits && matches(parts, path)
        }
        _ => false,
    }
}

fn masked(transform: Transform, kind: ValueKind, value: &str) -> String {
    let mut out = Vec::new();
    match transforms().apply(transform, kind, value.as_bytes(), &mut out) {
        Masked::Value if kind == ValueKind::Text => quoted(&String::from_utf8(out).unwrap()),
        Masked::Value => String::from_utf8(out).unwrap(),
        _ => "null".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if c < ' ' => out.push_str(&unicode(c)),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A body cut at these places.
pub(crate) fn cut_at<'a>(body: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
    cuts.sort_unstable();
    let (mut chunks, mut at) = (Vec::new(), 0);
    for cut in cuts {
        chunks.push(&body[at..cut]);
        at = cut;
    }
    chunks.push(&body[at..]);
    chunks
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn exactly_the_matched_fields_are_masked_and_all_else_is_byte_for_byte(
        doc in doc(),
        masks in prop::collection::vec((
            prop::collection::vec(select(vec!["a", "b", "email", "*", "**", "?b", "0"]), 1..4),
            select(Transform::ALL.to_vec()),
        ), 1..5),
        blanks in prop::collection::vec(select(vec!["", "", "", " ", "\n", "\t \r\n"]), 1..8),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let masks: Vec<(String, Transform)> =
            masks.into_iter().map(|(parts, transform)| (parts.join("."), transform)).collect();
        let mut writer = Writer {
            masks: &masks,
            blanks: blanks.iter().cycle(),
            path: Vec::new(),
            came: String::new(),
            shown: String::new(),
        };
        writer.write(&doc, None);
        let (came, want) = (writer.came, writer.shown);
        let fields = masks.iter().map(|(pattern, transform)| field(pattern, *transform)).collect();
        let set = set_of(fields, Vec::new());
        let shown = run(BodyKind::Json, &set, cut_at(came.as_bytes(), &cuts)).unwrap();
        // The oracle is JSON itself, so that it cannot be wrong with us.
        serde_json::from_str::<serde_json::Value>(&came).unwrap();
        serde_json::from_str::<serde_json::Value>(&want).unwrap();
        prop_assert_eq!(String::from_utf8(shown).unwrap(), want);
    }

    #[test]
    fn detectors_find_in_a_string_what_they_find_in_what_it_says(
        texts in prop::collection::vec(
            prop::collection::vec(prop_oneof![
                3 => character(),
                1 => Just(("bob@example.com".to_owned(), "bob@example.com".to_owned())),
                1 => Just(("bob\\u0040example.com".to_owned(), "bob@example.com".to_owned())),
                1 => Just(("4111\\n1111 1111\\t1111".to_owned(), "4111\n1111 1111\t1111".to_owned())),
            ], 0..8),
            1..4,
        ),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let texts: Vec<Text> = texts.into_iter().map(|units| units.into_iter().unzip()).collect();
        let came: Vec<String> = texts.iter().map(|(written, _)| format!("\"{written}\"")).collect();
        let came = format!("[{}]", came.join(","));
        let profile = MaskProfile { detectors: detectors(), ..MaskProfile::default() };
        let scan = ScanSet::new(&profile, transforms());
        let want: Vec<String> = texts.iter().map(|(_, says)| {
            let mut out = Vec::new();
            match scan.mask(says.as_bytes(), &mut out) {
                0 => says.clone(),
                _ => String::from_utf8(out).unwrap(),
            }
        }).collect();
        let shown = run(BodyKind::Json, &scanning(), cut_at(came.as_bytes(), &cuts)).unwrap();
        let read: Vec<String> = serde_json::from_slice(&shown).unwrap();
        prop_assert_eq!(&read, &want);
        if want.iter().zip(&texts).all(|(want, (_, says))| want == says) {
            prop_assert_eq!(String::from_utf8(shown).unwrap(), came);
        }
    }

    #[test]
    fn json_is_taken_exactly_where_a_strict_parser_takes_it(
        text in "[\\[\\]{}:, \"a0-9eE.+\\\\u-]{0,12}|(\\[|\\{\"a\":|-|1|\"|\\\\u00|,|\\]|\\}|true|nul|l| ){0,8}",
        cuts in prop::collection::vec(any::<usize>(), 0..4),
    ) {
        let want = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        let set = crate::fixture::redacting(&["none"]);
        let shown = run(BodyKind::Json, &set, cut_at(text.as_bytes(), &cuts));
        let is_empty = text.trim().is_empty();
        prop_assert_eq!(shown.is_ok(), want || is_empty, "{:?}", shown);
        if let Ok(shown) = shown {
            prop_assert_eq!(String::from_utf8(shown).unwrap(), text);
        }
    }

    #[test]
    fn any_bytes_of_any_kind_come_out_alike_in_any_chunks(
        pieces in prop::collection::vec(prop_oneof![
            2 => select(vec![
                "{\"email\":\"", "\",", "data: ", "\n", "\r\n", "\r", "&email=", ";", "=", "%40",
                "\"email\":", "[", "]", "}", "1", "bob@example.com", "4111111111111111", "\\u00",
                "\\ud800", "true", "nu", "ll", ":", " ", "\u{feff}", "\u{1e}",
            ]).prop_map(|text| text.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 0..4),
        ], 0..12),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let body = pieces.concat();
        let set = set_of(vec![field("**.email", Transform::Redact)], detectors());
        for kind in [BodyKind::Json, BodyKind::JsonLines, BodyKind::Form, BodyKind::EventStream] {
            let whole = run(kind, &set, [body.as_slice()]);
            let cut = run(kind, &set, cut_at(&body, &cuts));
            prop_assert_eq!(whole.is_ok(), cut.is_ok(), "{:?}", kind);
            if whole.is_ok() {
                prop_assert_eq!(whole, cut, "{:?}", kind);
            }
        }
    }
}
