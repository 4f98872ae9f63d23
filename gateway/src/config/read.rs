//! From the tree to raw serde structs, going on after an error.
//!
//! Serde stops at the first error. Here every value that can be wrong on its own is wrapped in
//! [`At`], which remembers where it stood and swallows the error of what it wraps, after the
//! reader has reported it. So one run finds every unknown key, every missing one and every value
//! of a wrong kind, and the checks after it still see all the rest.
//!
//! Owns the reader. Must not know any key. Unknown keys are reported and skipped; a missing key
//! is offered to its field as absent, so that an optional field is empty and a required one is
//! reported; values are never quoted in messages, because they may be secrets.

mod access;

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, SeqAccess, Visitor};

use self::access::{AtParts, Fields, Items, Pairs, Variant};
use super::report::{Report, suggestion};
use super::tree::{Node, Spot, Value};

/// The name by which [`At`] asks the reader for its two parts.
const AT: &str = "portcullis::At";

/// The name by which a value that is a word or more asks which of the two it is.
pub(super) const WORD_OR: &str = "portcullis::WordOr";

/// A value and where it stands; no value where what stands there was refused.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(super) spot: Spot,
    pub(super) value: Option<T>,
}

impl<T> At<T> {
    /// The value with its place, unless it was refused.
    pub(super) fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

/// Reads a raw struct, reporting what is wrong on the way.
pub(super) fn read<T: DeserializeOwned>(node: &Node, report: &Report) -> Option<T> {
    let at: Result<At<T>, Fault> = At::deserialize(Reader { place: Place::Node(node), report });
    at.ok().and_then(|at| at.value)
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Parts<T> {
            type Value = At<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value with its place")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<At<T>, A::Error> {
                let spot = parts.next_element()?.map(Spot);
                let spot = spot.ok_or_else(|| de::Error::custom("no place"))?;
                // The reader has reported the error where it arose.
                Ok(At { spot, value: parts.next_element().ok().flatten() })
            }
        }
        deserializer.deserialize_tuple_struct(AT, 2, Parts(std::marker::PhantomData))
    }
}

/// In the schema a value is what it is; its place is ours.
impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Why reading a value stopped.
#[derive(Debug)]
pub(super) enum Fault {
    /// It was reported.
    Reported,
    /// Nobody has reported it yet.
    New(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reported => f.write_str("reported"),
            Self::New(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::New(message.to_string())
    }
}

/// Where a reader stands.
#[derive(Clone, Copy)]
enum Place<'a> {
    Node(&'a Node),
    /// At a key that is not there; the spot is that of the map it is missing from.
    Missing(Spot, &'static str),
}

/// Reads one value.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    place: Place<'a>,
    report: &'a Report,
}

impl<'a> Reader<'a> {
    fn node(node: &'a Node, report: &'a Report) -> Self {
        Self { place: Place::Node(node), report }
    }

    fn spot(&self) -> Spot {
        match self.place {
            Place::Node(node) => node.spot,
            Place::Missing(spot, _) => spot,
        }
    }

    fn value(&self) -> Option<&'a Value> {
        match self.place {
            Place::Node(node) => Some(&node.value),
            Place::Missing(..) => None,
        }
    }

    /// Reports a fault here, unless it was reported deeper down.
    fn report<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        result.map_err(|fault| {
            if let Fault::New(reason) = fault {
                self.report.refuse(self.spot(), reason, None);
            }
            Fault::Reported
        })
    }

    /// Refuses what is here as not being what is wanted.
    fn unfit<T>(&self, wanted: &str) -> Result<T, Fault> {
        let found = match self.place {
            Place::Missing(spot, key) => {
                self.report.refuse(
                    spot,
                    format!("the key {key} is missing"),
                    Some(format!("add {key}: {wanted}")),
                );
                return Err(Fault::Reported);
            }
            Place::Node(node) => match &node.value {
                Value::Null => "nothing",
                Value::Bool(_) => "true or false",
                Value::Integer(_) | Value::Float(_) => "a number",
                Value::Text(_) => "text",
                Value::List(_) => "a list",
                Value::Map(_) => "keys and values",
            },
        };
        let remedy = match self.value() {
            Some(Value::Bool(_) | Value::Integer(_) | Value::Float(_)) if wanted == TEXT => {
                Some("put it in quotes".to_owned())
            }
            _ => None,
        };
        self.report.refuse(self.spot(), format!("expected {wanted}, found {found}"), remedy);
        Err(Fault::Reported)
    }

    fn integer<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Some(Value::Integer(value)) = self.value() else { return self.unfit("a whole number") };
        let Ok(value) = u64::try_from(*value) else {
            self.report.refuse(self.spot(), "expected a whole number that is not negative", None);
            return Err(Fault::Reported);
        };
        let read = visitor.visit_u64(value).map_err(|_: Fault| {
            self.report.refuse(self.spot(), "the number is too large", None);
            Fault::Reported
        });
        self.report(read)
    }
}

const TEXT: &str = "text";
const NULL: &str = "null";

macro_rules! integers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.integer(visitor)
        })*
    };
}

impl<'a> Deserializer<'a> for Reader<'a> {
    type Error = Fault;

    integers!(deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_i64);

    /// For values that can be written in more than one way.
    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        let read = match self.value() {
            None => return self.unfit("a value"),
            Some(Value::Null) => visitor.visit_unit(),
            Some(Value::Bool(value)) => visitor.visit_bool(*value),
            Some(Value::Integer(_)) => return self.integer(visitor),
            Some(Value::Float(value)) => visitor.visit_f64(*value),
            Some(Value::Text(text)) => visitor.visit_borrowed_str(text),
            Some(Value::List(items)) => visitor.visit_seq(Items::new(items, self.report)),
            Some(Value::Map(entries)) => visitor.visit_map(Pairs::new(entries, self.report)),
        };
        self.report(read)
    }

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value() {
            Some(Value::Bool(value)) => self.report(visitor.visit_bool(*value)),
            _ => self.unfit("true or false"),
        }
    }

    fn deserialize_str<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value() {
            Some(Value::Text(text)) => self.report(visitor.visit_borrowed_str(text)),
            _ => self.unfit(TEXT),
        }
    }

    fn deserialize_string<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value() {
            None => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match (name, self.value()) {
            (AT, _) => visitor.visit_seq(AtParts::new(self)),
            (WORD_OR, Some(Value::Text(word))) => self.report(visitor.visit_borrowed_str(word)),
            (WORD_OR, _) => visitor.visit_newtype_struct(self),
            _ => self.unfit("a value"),
        }
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match (self.place, self.value()) {
            (_, Some(Value::List(items))) => {
                self.report(visitor.visit_seq(Items::new(items, self.report)))
            }
            (Place::Missing(..), _) => visitor.visit_seq(Items::new(&[], self.report)),
            _ => self.unfit("a list"),
        }
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match (self.place, self.value()) {
            (_, Some(Value::Map(entries))) => {
                self.report(visitor.visit_map(Pairs::new(entries, self.report)))
            }
            (Place::Missing(..), _) => visitor.visit_map(Pairs::new(&[], self.report)),
            _ => self.unfit("keys and values"),
        }
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let Some(Value::Map(entries)) = self.value() else {
            return self.unfit(&format!("{{ {}: .. }}", fields.join(": .., ")));
        };
        self.report(visitor.visit_map(Fields::new(self.spot(), entries, fields, self.report)))
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let (word, spot, content) = match self.value() {
            // To YAML this is nothing; where it is a word of ours, it is that word.
            Some(Value::Null) if variants.contains(&NULL) => (NULL, self.spot(), None),
            Some(Value::Text(word)) => (word.as_str(), self.spot(), None),
            Some(Value::Map(entries)) => match entries.as_slice() {
                [entry] => {
                    (entry.key.as_str(), entry.spot, Some(Self::node(&entry.node, self.report)))
                }
                _ => return self.unfit(&format!("exactly one of: {}", variants.join(", "))),
            },
            _ => return self.unfit(&format!("one of: {}", variants.join(", "))),
        };
        if !variants.contains(&word) {
            // A word in a place of secrets may be one.
            let said = match self.report.places.written(spot) {
                Some(written) if written.shown.is_none() && content.is_none() => "this",
                _ => word,
            };
            let reason = format!("{said} is not known here");
            self.report.refuse(spot, reason, suggestion(word, variants));
            return Err(Fault::Reported);
        }
        self.report(visitor.visit_enum(Variant { word, content, reader: self }))
    }

    fn deserialize_identifier<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        <W: Visitor<'a>>
        i8 i16 i32 i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple
    }
}

/// A word as a deserializer of itself.
fn word(text: &str) -> BorrowedStrDeserializer<'_, Fault> {
    BorrowedStrDeserializer::new(text)
}
