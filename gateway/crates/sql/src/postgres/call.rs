//! Function calls: which function a name may mean, and whether the call needs a rule.
//!
//! Owns the treatment of functions that stand for something else: sequences (`nextval`),
//! settings (`set_config`), counts. Must not know the list of harmless functions.

use model::{Action, Object, ObjectPath};
use pg_raw_parse::{ConstValue, Node, nodes, raw};

use super::analyser::Analyser;
use super::functions;
use super::object::name_parts;
use crate::Unreadable;
use crate::lineage::ColumnWrite;
use crate::walk::rows::Lineage;

/// What a call may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Callee {
    /// A function of `pg_catalog` and no other.
    Builtin,
    /// Known to be harmless.
    Harmless,
    /// Anything else; it has been asked for.
    Other,
}

impl<'a> Analyser<'a> {
    pub(super) fn call(&mut self, call: &'a nodes::FuncCall) -> Result<Lineage, Unreadable> {
        let parts = name_parts(call.funcname());
        let (schema, name) = match parts.as_slice() {
            [name] => (None, *name),
            [schema, name] => (Some(*schema), *name),
            [database, schema, name] if *database == self.scope().database => {
                (Some(*schema), *name)
            }
            _ => {
                self.unknown = true;
                (None, "")
            }
        };
        if let Some(lineage) = self.column_notation(call, schema, name)? {
            return Ok(lineage);
        }
        let mut lineage = Lineage::constant();
        for argument in call.args() {
            lineage.merge(self.argument(argument)?);
        }
        for sort in call.agg_order() {
            self.operator(sort.use_op());
            let order = self.expression(sort.node())?;
            if call.agg_within_group {
                lineage.merge(order);
            } else {
                self.note_sorted(order)?;
            }
        }
        self.predicate(call.agg_filter())?;
        if let Some(over) = call.over() {
            self.window(over)?;
        }
        let lineage = lineage.derived();
        self.note_call(call, name, &lineage)?;
        let value = match self.callee(schema, name) {
            Callee::Builtin => self.builtin(call, name, lineage),
            Callee::Harmless => lineage,
            Callee::Other => Lineage { opaque: true, ..lineage },
        };
        Ok(if functions::gives_rows(name) {
            self.rows_of(value)
        } else if call.over().is_some() {
            self.window_value(value)
        } else {
            value
        })
    }

    /// `f(t.*)` is `f(t)`.
    fn argument(&mut self, node: Node<'a>) -> Result<Lineage, Unreadable> {
        match self.star(node)? {
            Some((columns, open)) => {
                let mut all = open.unwrap_or_default();
                columns.into_iter().for_each(|column| all.merge(column.lineage));
                Ok(all.derived())
            }
            None => self.expression(node),
        }
    }

    /// A function of `pg_catalog`, with what its name means beyond a call.
    fn builtin(&mut self, call: &'a nodes::FuncCall, name: &'a str, lineage: Lineage) -> Lineage {
        match name {
            "count" | "regr_count" => {
                self.note_oracle(lineage);
                self.count_value()
            }
            "nextval" | "setval" => self.sequence(call, name, Action::Update, lineage),
            "currval" => self.sequence(call, name, Action::Select, lineage),
            "lastval" => Lineage::constant(),
            "set_config" => {
                self.note_given(name, &lineage);
                self.set_config(call, lineage)
            }
            // What follows from it is not its result: `random()` shows it.
            "setseed" => {
                self.note_given(name, &lineage);
                lineage
            }
            _ if functions::is_harmless(name) => lineage,
            _ => {
                self.note_given(name, &lineage);
                self.need_function("pg_catalog", name);
                Lineage { opaque: true, ..lineage }
            }
        }
    }

    /// A builtin function that is not harmless may keep what it is given where it is not
    /// classified (a setting, a large object, a lock, a notification): it is written.
    fn note_given(&mut self, function: &str, lineage: &Lineage) {
        if lineage.sources.is_empty() && !lineage.opaque {
            return;
        }
        let sources = lineage.sources.iter().map(|origin| self.source(*origin)).collect();
        let relation = ObjectPath::new([self.scope().database, "pg_catalog", function]);
        self.writes.push(ColumnWrite { relation, column: None, sources, opaque: lineage.opaque });
    }

    /// Decides what an unqualified or qualified name may call, and asks for what needs a rule.
    fn callee(&mut self, schema: Option<&'a str>, name: &'a str) -> Callee {
        match schema {
            Some("pg_catalog") => return Callee::Builtin,
            // Plain SQL functions beneath the standard's views, which drivers call.
            Some("information_schema") if name.starts_with("_pg_") => return Callee::Harmless,
            Some(schema) => {
                self.need_function(schema, name);
                return Callee::Other;
            }
            None => {}
        }
        let known = self.visible_functions(name);
        let builtin = functions::is_harmless(name) || is_special(name) || known.builtin;
        for schema in &known.schemas {
            self.need_function(schema, name);
        }
        match (builtin, known.schemas.is_empty()) {
            (true, true) => Callee::Builtin,
            (true, false) => {
                if !functions::is_harmless(name) {
                    self.need_function("pg_catalog", name);
                }
                Callee::Other
            }
            (false, false) => Callee::Other,
            (false, true) => {
                self.unknown |= !self.reading.names_certain;
                for schema in self.possible_schemas() {
                    self.need_function(schema, name);
                }
                if !self.functions_listed() {
                    self.need_function("pg_catalog", name);
                }
                Callee::Other
            }
        }
    }

    /// The schemas in sight that have a function of this name.
    fn visible_functions(&self, name: &str) -> Visible<'a> {
        let scope = self.scope();
        let mut visible = Visible::default();
        for function in scope.catalog.functions(name) {
            let schema: &'a str = &function.schema;
            if schema == "pg_catalog" {
                visible.builtin = true;
                continue;
            }
            let in_path = scope
                .search_path
                .iter()
                .any(|entry| **entry == *schema || (**entry == *"$user" && scope.user == schema));
            let in_sight = in_path || !self.reading.names_certain;
            if in_sight && !visible.schemas.contains(&schema) {
                visible.schemas.push(schema);
            }
        }
        visible
    }

    /// Whether the catalogue lists the server's own functions. If not, a name that it does not
    /// know may be any of them.
    fn functions_listed(&self) -> bool {
        let known = self.scope().catalog.functions("lower");
        known.iter().any(|function| *function.schema == *"pg_catalog")
    }

    fn need_function(&mut self, schema: &str, name: &str) {
        let path = ObjectPath::new([self.scope().database, schema, name]);
        self.need(Action::Execute, Object::Function { path });
    }

    /// `row.name` and `(value).name` where `name` is no known column: the server then looks for a
    /// function of one argument. A name that no function has is the field of a composite value.
    pub(super) fn attribute_function(&mut self, name: &'a str, value: Lineage) -> Lineage {
        let value = value.derived();
        if functions::is_harmless(name) {
            let user = self.visible_functions(name).schemas;
            for schema in &user {
                self.need_function(schema, name);
            }
            return Lineage { opaque: value.opaque || !user.is_empty(), ..value };
        }
        let known = self.visible_functions(name);
        if known.builtin || is_special(name) {
            self.note_given(name, &value);
            self.need_function("pg_catalog", name);
        }
        for schema in &known.schemas {
            self.need_function(schema, name);
        }
        let called = known.builtin || is_special(name) || !known.schemas.is_empty();
        if !called && !self.functions_listed() {
            self.need_function("pg_catalog", name);
            return Lineage { opaque: true, ..value };
        }
        Lineage { opaque: value.opaque || called, ..value }
    }

    /// `email(u)` for `u.email`, where there is no function of that name.
    fn column_notation(
        &mut self,
        call: &'a nodes::FuncCall,
        schema: Option<&str>,
        name: &'a str,
    ) -> Result<Option<Lineage>, Unreadable> {
        let (1, None, Some(argument)) = (call.args().len(), schema, call.args().first()) else {
            return Ok(None);
        };
        if functions::is_harmless(name)
            || is_special(name)
            || !self.scope().catalog.functions(name).is_empty()
        {
            return Ok(None);
        }
        let Some((level, entry)) = self.row_in_sight(argument) else { return Ok(None) };
        let listed = self.entry(level, entry).is_some_and(|entry| entry.may_have(name));
        if listed { self.column_of(level, entry, name) } else { Ok(None) }
    }

    /// A sequence by name; any sequence where the name is computed.
    fn sequence(
        &mut self,
        call: &'a nodes::FuncCall,
        name: &'a str,
        action: Action,
        lineage: Lineage,
    ) -> Lineage {
        let named = call.args().first().and_then(constant_text).and_then(parse_identifiers);
        match named.as_deref() {
            Some([sequence]) => self.use_sequence(None, sequence, action),
            Some([schema, sequence]) => self.use_sequence(Some(schema), sequence, action),
            Some([database, schema, sequence]) if *database == self.scope().database => {
                self.use_sequence(Some(schema), sequence, action);
            }
            _ => self.need_function("pg_catalog", name),
        }
        self.note_given(name, &lineage);
        lineage
    }

    /// Sequence names come out of a text, so they cannot be borrowed from the tree.
    fn use_sequence(&mut self, schema: Option<&str>, name: &str, action: Action) {
        self.unknown |= schema.is_none() && !self.reading.names_certain;
        let scope = self.scope();
        let known = scope.catalog.resolve(schema, name, scope.search_path, scope.user);
        if let Some(relation) = known {
            let touched = self.touch(&relation.schema, &relation.name, Some(relation));
            self.use_relation(touched, action);
            return;
        }
        let schemas = match schema {
            Some(schema) => vec![schema],
            None => self.possible_schemas(),
        };
        for schema in schemas {
            let path = ObjectPath::new([scope.database, schema, name]);
            let columns = model::Columns::None;
            self.need(action, Object::Relation { path, columns });
        }
    }

    /// `set_config(name, value, is_local)`.
    fn set_config(&mut self, call: &'a nodes::FuncCall, lineage: Lineage) -> Lineage {
        let mut arguments = call.args().iter();
        let name = arguments.next().and_then(|name| match constant_text(name) {
            Some(text) => Some(text),
            None => self.fixed_by_where(name),
        });
        let value = arguments.next().unwrap_or(Node::None);
        let local = arguments.next().and_then(constant_text);
        let plain = matches!(value, Node::ParamRef(_)) || constant_text(value).is_some();
        self.change_setting(
            name,
            match constant_text(value) {
                Some(text) => crate::SettingValue::Text(text.into()),
                None => crate::SettingValue::Computed,
            },
            matches!(local, Some("t" | "true")),
        );
        if !plain || name.is_none() {
            // A computed value could carry data out: settings are reported to the client.
            self.need_function("pg_catalog", "set_config");
        }
        lineage
    }
}

impl<'a> Analyser<'a> {
    /// The constant that `WHERE column = 'constant'` holds a column of the same query to. A dump
    /// names a setting like this, so that a server without it does nothing.
    fn fixed_by_where(&self, node: Node<'a>) -> Option<&'a str> {
        let Node::A_Expr(condition) = *self.conditions.last()? else { return None };
        let column = super::query::bare_name(node)?;
        let fixes = condition.kind == raw::A_Expr_Kind::AEXPR_OP
            && name_parts(condition.name()) == ["="]
            && self.scope().catalog.operator_schemas("=").is_empty()
            && super::query::bare_name(condition.lexpr()) == Some(column);
        if fixes { constant_text(condition.rexpr()) } else { None }
    }
}

/// The functions of a name.
#[derive(Default)]
struct Visible<'a> {
    builtin: bool,
    schemas: Vec<&'a str>,
}

/// Builtin functions that are looked at one by one.
fn is_special(name: &str) -> bool {
    matches!(name, "nextval" | "setval" | "currval" | "lastval" | "set_config")
}

/// A constant's text, through casts: `'public.s'::regclass`.
pub(super) fn constant_text(node: Node<'_>) -> Option<&str> {
    let mut node = node;
    loop {
        match node {
            Node::A_Const(constant) => {
                return match constant.val()? {
                    ConstValue::String(text) => Some(text),
                    ConstValue::Boolean(true) => Some("true"),
                    ConstValue::Boolean(false) => Some("false"),
                    _ => None,
                };
            }
            Node::TypeCast(cast) => node = cast.arg(),
            _ => return None,
        }
    }
}

/// Splits a text the way the server reads a qualified name: `s`, `public.s`, `"S"."t"`.
pub(super) fn parse_identifiers(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let part = if let Some(quoted) = rest.strip_prefix('"') {
            let (part, after) = quoted_part(quoted)?;
            rest = after;
            part
        } else {
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
                .unwrap_or(rest.len());
            let (part, after) = rest.split_at_checked(end)?;
            rest = after;
            part.to_ascii_lowercase()
        };
        // Longer names are cut by the server; nobody needs them here.
        if part.is_empty() || part.len() > 63 || parts.len() == 3 {
            return None;
        }
        parts.push(part);
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some(parts);
        }
        rest = rest.strip_prefix('.')?.trim_start();
    }
}

fn quoted_part(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        let (before, after) = rest.split_at_checked(end)?;
        part.push_str(before);
        rest = after.strip_prefix('"')?;
        match rest.strip_prefix('"') {
            Some(more) => {
                part.push('"');
                rest = more;
            }
            None => return Some((part, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_texts_are_read_like_the_server_does() {
        let read = |text| parse_identifiers(text).map(|parts| parts.join("|"));
        assert_eq!(read("S").as_deref(), Some("s"));
        assert_eq!(read(" public . \"Od\"\"d.Name\" ").as_deref(), Some("public|Od\"d.Name"));
        for bad in ["", "a..b", "a b", "\"a", "a.b.c.d", "1; drop", "a-b"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
