//! Session settings: which are harmless, which must never change, which need a rule.
//!
//! Owns the lists. Must not know whether a setting is changed by `SET` or through a function.

use std::sync::LazyLock;

use model::Action;
use rustc_hash::FxHashSet;

use super::analyser::Analyser;
use crate::catalog::{BaseColumns, RelationKind};
use crate::statement::{SettingChange, SettingValue};
use crate::walk::names::Touched;

/// What a setting is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Anybody may change it: it changes how values look or how long things take.
    Harmless,
    /// Changing it needs a rule.
    Ruled,
    /// Reading the next statement depends on it.
    Pinned,
}

static HARMLESS: LazyLock<FxHashSet<&'static str>> = LazyLock::new(|| {
    include_str!("settings/harmless.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_ascii_whitespace)
        .collect()
});

/// What changing `name` (in lower case) to `value` means.
pub(super) fn class(name: &str, value: &SettingValue) -> Class {
    match name {
        "client_encoding" | "names" if is_utf8(value) => Class::Harmless,
        "standard_conforming_strings" if is_on(value) => Class::Harmless,
        // Back to what the session started with, which is what it was pinned at.
        _ if *value == SettingValue::Default => Class::Harmless,
        "client_encoding" | "names" | "standard_conforming_strings" | "backslash_quote" => {
            Class::Pinned
        }
        _ if HARMLESS.contains(name) || name.starts_with("enable_") => Class::Harmless,
        _ => Class::Ruled,
    }
}

fn is_utf8(value: &SettingValue) -> bool {
    matches!(value, SettingValue::Text(text)
        if text.eq_ignore_ascii_case("utf8") || text.eq_ignore_ascii_case("utf-8")
            || text.eq_ignore_ascii_case("unicode"))
}

fn is_on(value: &SettingValue) -> bool {
    matches!(value, SettingValue::Text(text)
        if ["on", "true", "yes", "1"].iter().any(|word| text.eq_ignore_ascii_case(word)))
}

impl Analyser<'_> {
    /// A setting changes; without a name it may be any.
    pub(super) fn change_setting(&mut self, name: Option<&str>, value: SettingValue, local: bool) {
        let Some(name) = name else {
            self.need_global(Action::Set, "setting", "*");
            self.settings.push(SettingChange { name: None, value, local, pinned: true });
            return;
        };
        let name = name.to_ascii_lowercase();
        let class = class(&name, &value);
        if class != Class::Harmless {
            self.need_global(Action::Set, "setting", &name);
        }
        let pinned = class == Class::Pinned;
        self.settings.push(SettingChange { name: Some(name.into()), value, local, pinned });
    }
}

impl Analyser<'_> {
    /// Whether the statement updates `pg_settings`, or a view over it: the server turns that
    /// into calls of `set_config`.
    pub(super) fn writes_settings(&self) -> bool {
        self.touched.iter().any(|touched| {
            touched.uses.iter().any(|one| matches!(one.action, Action::Update | Action::Merge))
                && (touched.name == "pg_settings" || self.shows_settings(touched))
        })
    }

    fn shows_settings(&self, touched: &Touched<'_>) -> bool {
        let catalog = self.scope().catalog;
        let Some(relation) = touched.relation else { return false };
        relation.kind == RelationKind::View
            && relation.columns.iter().any(|column| {
                match catalog.base_columns(relation.oid, column.attribute) {
                    BaseColumns::Known(bases) | BaseColumns::Unclear(bases) => {
                        bases.iter().any(|(oid, _)| {
                            let base = catalog.relation_by_oid(*oid);
                            base.is_some_and(|base| *base.name == *"pg_settings")
                        })
                    }
                    BaseColumns::Unknown => true,
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reading_depends_on_is_pinned_and_what_only_looks_different_is_free() {
        let text = |text: &str| SettingValue::Text(text.into());
        assert_eq!(class("client_encoding", &text("UTF8")), Class::Harmless);
        assert_eq!(class("client_encoding", &text("SJIS")), Class::Pinned);
        assert_eq!(class("client_encoding", &SettingValue::Default), Class::Harmless);
        assert_eq!(class("client_encoding", &SettingValue::Computed), Class::Pinned);
        assert_eq!(class("standard_conforming_strings", &text("on")), Class::Harmless);
        assert_eq!(class("standard_conforming_strings", &text("off")), Class::Pinned);
        assert_eq!(class("backslash_quote", &text("on")), Class::Pinned);
        assert_eq!(class("search_path", &text("a")), Class::Ruled);
        assert_eq!(class("role", &text("a")), Class::Ruled);
        assert_eq!(class("role", &SettingValue::Default), Class::Harmless);
        assert_eq!(class("enable_seqscan", &text("off")), Class::Harmless);
        assert_eq!(class("timezone", &text("UTC")), Class::Harmless);
        assert_eq!(class("app.tenant", &text("1")), Class::Ruled);
    }
}
