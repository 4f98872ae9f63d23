//! YAML as a tree whose every node knows where it was written.
//!
//! Owns parsing a file into nodes and the positions of all nodes. Must not know what a key means,
//! but for one thing: what stands below a key that holds secrets is never shown in an error.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Spanned, budget, options};

/// Bytes of one configuration file. Raised, reading a wrong file by mistake costs more.
pub(super) const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Nesting of lists and maps. Raised, reading one needs more stack.
const DEPTH_MAX: usize = 16;

/// Lists, maps and values of one file, those behind aliases counted each time. Raised, a small file
/// can make us hold more.
const NODES_MAX: usize = 250_000;

/// Keys below which no value is ever shown.
const SECRET_KEYS: &[&str] = &["credential", "password", "secret", "token"];

/// A node of the configuration, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Spot(pub(super) u32);

/// Where a node was written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) file: Arc<Path>,
    pub(super) line: u64,
    pub(super) column: u64,
    /// The way to it: `targets[0].addresses[1]`. Empty for a whole file.
    pub(super) key: String,
    /// Its value, where it is one and may be shown.
    pub(super) shown: Option<String>,
}

/// A node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) spot: Spot,
    pub(super) value: Value,
}

/// What stands at a node.
#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Where the key stands.
    pub(super) spot: Spot,
    pub(super) node: Node,
}

/// A file that is not YAML.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) reason: String,
}

/// Every node of every file.
#[derive(Debug, Default)]
pub(super) struct Places {
    written: Vec<Written>,
    /// Keys that stand in one map for a second time; what they hold is left out.
    pub(super) repeated: Vec<Spot>,
}

impl Places {
    /// Where a node was written.
    pub(super) fn written(&self, spot: Spot) -> Option<&Written> {
        usize::try_from(spot.0).ok().and_then(|index| self.written.get(index))
    }

    /// Takes in the text of a file.
    pub(super) fn parse(&mut self, file: &Path, text: &str) -> Result<Node, SyntaxError> {
        let options = options! {
            budget: budget! { max_depth: DEPTH_MAX, max_nodes: NODES_MAX },
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            merge_keys: MergeKeyPolicy::Error,
            strict_booleans: true,
            with_snippet: false,
        };
        let parsed: Spanned<Parsed> = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| syntax_error(&error))?;
        let file: Arc<Path> = PathBuf::from(file).into();
        Ok(self.place(&file, "", false, parsed))
    }

    /// A place that no node stands at: a whole file, before it could be parsed.
    pub(super) fn file(&mut self, file: &Path, line: u64, column: u64) -> Spot {
        let file = PathBuf::from(file).into();
        self.add(Written { file, line, column, key: String::new(), shown: None })
    }

    fn add(&mut self, written: Written) -> Spot {
        let spot = Spot(u32::try_from(self.written.len()).unwrap_or(u32::MAX));
        self.written.push(written);
        spot
    }

    fn place(
        &mut self,
        file: &Arc<Path>,
        key: &str,
        secret: bool,
        parsed: Spanned<Parsed>,
    ) -> Node {
        let location = parsed.referenced;
        let spot = self.add(Written {
            file: Arc::clone(file),
            line: location.line(),
            column: location.column(),
            key: key.to_owned(),
            shown: if secret { None } else { parsed.value.shown() },
        });
        let value = match parsed.value {
            Parsed::Null => Value::Null,
            Parsed::Bool(value) => Value::Bool(value),
            Parsed::Integer(value) => Value::Integer(value),
            Parsed::Float(value) => Value::Float(value),
            Parsed::Text(value) => Value::Text(value),
            Parsed::List(items) => {
                let items = items.into_iter().enumerate();
                Value::List(
                    items
                        .map(|(at, item)| self.place(file, &format!("{key}[{at}]"), secret, item))
                        .collect(),
                )
            }
            Parsed::Map(entries) => {
                let mut placed: Vec<Entry> = Vec::with_capacity(entries.len());
                for (name, value) in entries {
                    let entry = self.place_entry(file, key, secret, name, value);
                    if placed.iter().any(|earlier| earlier.key == entry.key) {
                        self.repeated.push(entry.spot);
                    } else {
                        placed.push(entry);
                    }
                }
                Value::Map(placed)
            }
        };
        Node { spot, value }
    }

    fn place_entry(
        &mut self,
        file: &Arc<Path>,
        above: &str,
        secret: bool,
        name: Spanned<String>,
        value: Spanned<Parsed>,
    ) -> Entry {
        let path =
            if above.is_empty() { name.value.clone() } else { format!("{above}.{}", name.value) };
        let spot = self.add(Written {
            file: Arc::clone(file),
            line: name.referenced.line(),
            column: name.referenced.column(),
            key: path.clone(),
            shown: None,
        });
        let secret = secret || SECRET_KEYS.contains(&name.value.as_str());
        Entry { node: self.place(file, &path, secret, value), spot, key: name.value }
    }
}

fn syntax_error(error: &serde_saphyr::Error) -> SyntaxError {
    let location = error.location();
    SyntaxError {
        line: location.map_or(1, |at| at.line()),
        column: location.map_or(1, |at| at.column()),
        reason: error.without_snippet().to_string(),
    }
}

/// A node as the parser hands it over.
#[derive(Debug)]
enum Parsed {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Parsed>>),
    Map(Vec<(Spanned<String>, Spanned<Parsed>)>),
}

impl Parsed {
    fn shown(&self) -> Option<String> {
        match self {
            Self::Null => Some("nothing".to_owned()),
            Self::Bool(value) => Some(value.to_string()),
            Self::Integer(value) => Some(value.to_string()),
            Self::Float(value) => Some(value.to_string()),
            Self::Text(value) => Some(value.clone()),
            Self::List(_) | Self::Map(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNode)
    }
}

struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
    type Value = Parsed;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Parsed, E> {
        Ok(Parsed::Null)
    }

    fn visit_none<E>(self) -> Result<Parsed, E> {
        Ok(Parsed::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Parsed, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Parsed, E> {
        Ok(Parsed::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Parsed, E> {
        Ok(Parsed::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Parsed, E> {
        Ok(Parsed::Integer(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Parsed, E> {
        Ok(Parsed::Integer(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Parsed, E> {
        Ok(Parsed::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Parsed, E> {
        Ok(Parsed::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Parsed, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Parsed::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Parsed, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Parsed::Map(map))
    }
}
