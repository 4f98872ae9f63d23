//! Values with a form of their own: durations, sizes, words, one or many.
//!
//! Owns how they are written. Parsing the text is for `check`, which can say what is wrong.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use model::{Action, Detector, Domain, Effect, Protocol, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, EnumAccess, VariantAccess, Visitor};

use crate::config::read::WORD_OR;

/// A duration as text. A number without a unit is taken in, so that it can be refused in words of
/// durations.
#[derive(Clone, Debug)]
pub(in crate::config) struct Span(pub(in crate::config) String);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration, such as 30s or 10m")
            }
            fn visit_u64<E>(self, number: u64) -> Result<Span, E> {
                Ok(Span(number.to_string()))
            }
            fn visit_str<E>(self, text: &str) -> Result<Span, E> {
                Ok(Span(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "title": "duration", "pattern": "^([0-9]+(ms|s|m|h|d))+$" })
    }
}

/// A number of bytes: a whole number, or text with a unit.
#[derive(Clone, Debug)]
pub(in crate::config) enum Size {
    Bytes(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Size;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, such as 65536 or 64KiB")
            }
            fn visit_u64<E>(self, bytes: u64) -> Result<Size, E> {
                Ok(Size::Bytes(bytes))
            }
            fn visit_str<E>(self, text: &str) -> Result<Size, E> {
                Ok(Size::Text(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "size",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB)$" },
            ],
        })
    }
}

/// A word, or something that says more. `W` lists the words for the schema; the check of the word
/// is for `check`.
#[derive(Clone, Debug)]
pub(in crate::config) enum WordOr<W, T> {
    Word(String, PhantomData<W>),
    More(T),
}

/// A name, or a list of names.
pub(in crate::config) type OneOrMany<T> = WordOr<AnyName, Vec<T>>;

/// Any word at all.
#[derive(Clone, Debug)]
pub(in crate::config) struct AnyName;

impl<'de, W, T: Deserialize<'de>> Deserialize<'de> for WordOr<W, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<W, T>(PhantomData<(W, T)>);
        impl<'de, W, T: Deserialize<'de>> Visitor<'de> for Either<W, T> {
            type Value = WordOr<W, T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word, or more")
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(WordOr::Word(text.to_owned(), PhantomData))
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Self::Value, D::Error> {
                T::deserialize(deserializer).map(WordOr::More)
            }
        }
        deserializer.deserialize_tuple_struct(WORD_OR, 2, Either(PhantomData))
    }
}

impl<W: Words, T: JsonSchema> JsonSchema for WordOr<W, T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "word_or".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let word = Word::<W>::json_schema(generator);
        let more = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [word, more] })
    }
}

/// The schema of one of the vocabulary's words.
pub(in crate::config) struct Word<T>(PhantomData<T>);

/// The words of an enumeration of the vocabulary.
pub(in crate::config) trait Words {
    fn words() -> Vec<String>;
}

macro_rules! words {
    ($($name:ty: $all:expr;)*) => {
        $(impl Words for $name {
            fn words() -> Vec<String> {
                $all.iter().map(ToString::to_string).collect()
            }
        })*
    };
}

impl Words for AnyName {
    fn words() -> Vec<String> {
        Vec::new()
    }
}

/// The words of actions that stand in a list of actions; those of Kubernetes stand in one of verbs.
const ACTION_WORDS: &[&str] = Action::WORDS.split_at(Action::KubeGet.index()).0;

/// Defines an action of a block for one domain, read by its word there.
macro_rules! block_actions {
    ($($(#[$doc:meta])* $name:ident = $domain:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub(in crate::config) struct $name(pub(in crate::config) Action);

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let words = ActionWord(Domain::$domain);
                    deserializer.deserialize_enum("Action", ACTION_WORDS, words).map(Self)
                }
            }

            impl From<$name> for Action {
                fn from(action: $name) -> Self {
                    action.0
                }
            }

            impl Words for $name {
                fn words() -> Vec<String> {
                    actions(Domain::$domain).map(|action| action.to_string()).collect()
                }
            }
        )*
    };
}

block_actions! {
    /// An action of a block for SQL.
    SqlAction = Sql;
    /// An action of a block for SSH.
    SshAction = Ssh;
}

/// Reads the word of an action where one domain is meant.
struct ActionWord(Domain);

impl<'de> Visitor<'de> for ActionWord {
    type Value = Action;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the word of an action")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, word: A) -> Result<Action, A::Error> {
        let (word, nothing): (String, A::Variant) = word.variant()?;
        nothing.unit_variant()?;
        let unknown = || serde::de::Error::unknown_variant(&word, ACTION_WORDS);
        Action::in_domain(self.0, &word).ok_or_else(unknown)
    }
}

/// The words of a block's actions: those of its domain, and `connect`.
fn actions(domain: Domain) -> impl Iterator<Item = Action> {
    let belongs = move |action: &Action| [domain, Domain::Session].contains(&action.domain());
    Action::ALL.iter().copied().filter(belongs)
}

words! {
    Detector: Detector::ALL;
    Effect: [Effect::Allow, Effect::Deny, Effect::Hold];
    Protocol: Protocol::ALL;
    Transform: Transform::ALL;
}

impl<T: Words> JsonSchema for Word<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "word".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words = T::words();
        if words.is_empty() {
            return json_schema!({ "type": "string" });
        }
        json_schema!({ "type": "string", "enum": words })
    }
}
