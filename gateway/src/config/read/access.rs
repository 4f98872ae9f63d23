//! The parts of lists, maps, structs and enums, one after the other.
//!
//! Owns going on after an error within them. Ends with the last part.

use std::slice::Iter;

use serde::de::value::U32Deserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::{Fault, Place, Reader, word};
use crate::config::report::{Report, suggestion};
use crate::config::tree::{Entry, Node, Spot};

/// The two parts of an `At`: the place, then the value.
pub(super) struct AtParts<'a> {
    reader: Reader<'a>,
    told_place: bool,
}

impl<'a> AtParts<'a> {
    pub(super) const fn new(reader: Reader<'a>) -> Self {
        Self { reader, told_place: false }
    }
}

impl<'a> SeqAccess<'a> for AtParts<'a> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        if !self.told_place {
            self.told_place = true;
            let place: U32Deserializer<Fault> = self.reader.spot().0.into_deserializer();
            return seed.deserialize(place).map(Some);
        }
        if let Place::Missing(..) = self.reader.place {
            return self.reader.unfit("..");
        }
        let read = seed.deserialize(self.reader).map(Some);
        self.reader.report(read)
    }
}

/// The items of a list.
pub(super) struct Items<'a> {
    items: Iter<'a, Node>,
    report: &'a Report,
}

impl<'a> Items<'a> {
    pub(super) fn new(items: &'a [Node], report: &'a Report) -> Self {
        Self { items: items.iter(), report }
    }
}

impl<'a> SeqAccess<'a> for Items<'a> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let next = self.items.next();
        next.map(|node| seed.deserialize(Reader::node(node, self.report))).transpose()
    }
}

/// The entries of a map with keys of the user's.
pub(super) struct Pairs<'a> {
    entries: Iter<'a, Entry>,
    value: Option<&'a Node>,
    report: &'a Report,
}

impl<'a> Pairs<'a> {
    pub(super) fn new(entries: &'a [Entry], report: &'a Report) -> Self {
        Self { entries: entries.iter(), value: None, report }
    }
}

impl<'a> MapAccess<'a> for Pairs<'a> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.value = Some(&entry.node);
        seed.deserialize(word(&entry.key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let node = self.value.take().ok_or_else(|| Fault::New("a key has no value".to_owned()))?;
        seed.deserialize(Reader::node(node, self.report))
    }
}

/// The fields of a struct: those that are there, then those that are missing.
pub(super) struct Fields<'a> {
    spot: Spot,
    entries: Iter<'a, Entry>,
    fields: &'static [&'static str],
    missing: Vec<&'static str>,
    value: Option<Place<'a>>,
    report: &'a Report,
}

impl<'a> Fields<'a> {
    pub(super) fn new(
        spot: Spot,
        entries: &'a [Entry],
        fields: &'static [&'static str],
        report: &'a Report,
    ) -> Self {
        let there = |field: &&str| entries.iter().any(|entry| entry.key == **field);
        let missing = fields.iter().rev().copied().filter(|field| !there(field)).collect();
        Self { spot, entries: entries.iter(), fields, missing, value: None, report }
    }
}

impl<'a> MapAccess<'a> for Fields<'a> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        for entry in self.entries.by_ref() {
            if self.fields.contains(&entry.key.as_str()) {
                self.value = Some(Place::Node(&entry.node));
                return seed.deserialize(word(&entry.key)).map(Some);
            }
            let reason = format!("the key {} is not known here", entry.key);
            self.report.refuse(entry.spot, reason, suggestion(&entry.key, self.fields));
        }
        let Some(missing) = self.missing.pop() else { return Ok(None) };
        self.value = Some(Place::Missing(self.spot, missing));
        seed.deserialize(word(missing)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let place = self.value.take().ok_or_else(|| Fault::New("a key has no value".to_owned()))?;
        seed.deserialize(Reader { place, report: self.report })
    }
}

/// One of several words, with what it holds.
pub(super) struct Variant<'a> {
    pub(super) word: &'a str,
    pub(super) content: Option<Reader<'a>>,
    pub(super) reader: Reader<'a>,
}

impl<'a> EnumAccess<'a> for Variant<'a> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        Ok((seed.deserialize(word(self.word))?, self))
    }
}

impl<'a> VariantAccess<'a> for Variant<'a> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.content {
            None => Ok(()),
            Some(_) => self.reader.unfit("a word"),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Fault> {
        match self.content {
            Some(content) => seed.deserialize(content),
            None => self.reader.unfit(&format!("{{ {}: .. }}", self.word)),
        }
    }

    fn tuple_variant<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        match self.content {
            Some(content) => content.deserialize_seq(visitor),
            None => self.reader.unfit("a list"),
        }
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.content {
            Some(content) => content.deserialize_struct("", fields, visitor),
            None => self.reader.unfit("keys and values"),
        }
    }
}
