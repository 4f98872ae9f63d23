//! The names in a condition: refuses those that mean nothing, and gathers the headers asked for.
//!
//! Owns the walk over an expression. Must not evaluate one.

use std::collections::BTreeSet;
use std::sync::Arc;

use cel::IdedExpr;
use cel::common::ast::{CallExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators};

use super::ConditionError;

/// Nesting of the syntax tree, in which a chain of operators nests too. Raised, evaluating needs
/// more stack.
pub(super) const DEPTH_MAX: usize = 48;
/// Comprehensions within comprehensions. Raised, work grows by a power.
pub(super) const COMPREHENSIONS_MAX: usize = 2;

/// The field of an access with its headers.
const HEADERS: &str = "headers";
const VARIABLES: &[&str] = &["environment", "operation", "principal", "target", "time"];
const OPERATION_FIELDS: &[&str] = &["accesses", "kind", "text"];
const PRINCIPAL_FIELDS: &[&str] = &["groups", "issuer", "subject", "workload"];
const FUNCTIONS: &[&str] = &[
    "bool",
    "bytes",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "int",
    "matches",
    "size",
    "startsWith",
    "string",
    "timestamp",
    "type",
    "uint",
];

/// Walks an expression and refuses names that mean nothing, so that a misspelling is an error of
/// the configuration and not a refusal at night.
#[derive(Default)]
pub(super) struct Names<'a> {
    /// The headers asked for so far.
    headers: BTreeSet<Arc<str>>,
    bound: Vec<&'a str>,
    comprehensions: usize,
    depth: usize,
}

impl<'a> Names<'a> {
    /// Walks an expression; gives the headers that it asks for, sorted.
    pub(super) fn read(expression: &'a IdedExpr) -> Result<BTreeSet<Arc<str>>, ConditionError> {
        let mut names = Self::default();
        names.check(expression)?;
        Ok(names.headers)
    }

    fn check(&mut self, node: &'a IdedExpr) -> Result<(), ConditionError> {
        if self.depth >= DEPTH_MAX {
            return Err(ConditionError::Deep);
        }
        self.depth += 1;
        let checked = self.check_node(node);
        self.depth -= 1;
        checked
    }

    fn check_node(&mut self, node: &'a IdedExpr) -> Result<(), ConditionError> {
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.check_variable(name),
            Expr::Select(select) => self.check_select(select),
            Expr::Call(call) => {
                if let Some((owner, name)) = header_by_index(call)? {
                    self.headers.insert(header(name)?);
                    return self.check(owner);
                }
                check_function(&call.func_name)?;
                call.target
                    .iter()
                    .map(AsRef::as_ref)
                    .chain(&call.args)
                    .try_for_each(|n| self.check(n))
            }
            Expr::List(list) => list.elements.iter().try_for_each(|n| self.check(n)),
            Expr::Map(map) => {
                map.entries.iter().try_for_each(|entry| self.check_entry(&entry.expr))
            }
            Expr::Struct(one) => Err(unknown(&one.type_name, VARIABLES)),
            Expr::Comprehension(inner) => {
                self.check(&inner.iter_range)?;
                self.comprehensions += 1;
                if self.comprehensions > COMPREHENSIONS_MAX {
                    return Err(ConditionError::Nested);
                }
                let outer = self.bound.len();
                self.bound.extend([inner.iter_var.as_str(), inner.accu_var.as_str()]);
                self.bound.extend(inner.iter_var2.as_deref());
                [&inner.accu_init, &inner.loop_cond, &inner.loop_step, &inner.result]
                    .into_iter()
                    .try_for_each(|n| self.check(n))?;
                self.bound.truncate(outer);
                self.comprehensions -= 1;
                Ok(())
            }
        }
    }

    fn check_select(&mut self, select: &'a SelectExpr) -> Result<(), ConditionError> {
        if let Some(owner) = owner_of_headers(&select.operand) {
            self.headers.insert(header(&select.field)?);
            return self.check(owner);
        }
        // All headers at once cannot be told beforehand, and only what is told is there.
        if select.field == HEADERS && !select.test {
            return Err(ConditionError::AllHeaders);
        }
        self.check_field(&select.operand, &select.field)?;
        self.check(&select.operand)
    }

    fn check_entry(&mut self, entry: &'a EntryExpr) -> Result<(), ConditionError> {
        match entry {
            EntryExpr::StructField(field) => self.check(&field.value),
            EntryExpr::MapEntry(entry) => {
                self.check(&entry.key)?;
                self.check(&entry.value)
            }
        }
    }

    fn check_variable(&self, name: &str) -> Result<(), ConditionError> {
        if self.bound.contains(&name) || VARIABLES.contains(&name) {
            return Ok(());
        }
        Err(unknown(name, VARIABLES))
    }

    fn check_field(&self, operand: &IdedExpr, field: &str) -> Result<(), ConditionError> {
        let Expr::Ident(owner) = &operand.expr else { return Ok(()) };
        let known = match owner.as_str() {
            _ if self.bound.contains(&owner.as_str()) => return Ok(()),
            "operation" => OPERATION_FIELDS,
            "principal" => PRINCIPAL_FIELDS,
            _ => return Ok(()),
        };
        if known.contains(&field) {
            return Ok(());
        }
        Err(unknown(&format!("{owner}.{field}"), known))
    }
}

/// The access whose headers these are, where they are somebody's.
fn owner_of_headers(node: &IdedExpr) -> Option<&IdedExpr> {
    match &node.expr {
        Expr::Select(select) if select.field == HEADERS && !select.test => Some(&select.operand),
        _ => None,
    }
}

/// The access and the header in `a.headers["x-team"]` and in `"x-team" in a.headers`.
fn header_by_index(call: &CallExpr) -> Result<Option<(&IdedExpr, &str)>, ConditionError> {
    let (held, name) = match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::INDEX | operators::OPT_INDEX, [held, name]) => (held, name),
        (operators::IN, [name, held]) => (held, name),
        _ => return Ok(None),
    };
    let literal = match &name.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    };
    match (owner_of_headers(held), literal) {
        (Some(owner), Some(name)) => Ok(Some((owner, name))),
        // `a["headers"]` too is all of them at once.
        (Some(_), None) | (None, Some(HEADERS)) => Err(ConditionError::AllHeaders),
        (None, _) => Ok(None),
    }
}

/// The name of a header, as headers are compared.
fn header(name: &str) -> Result<Arc<str>, ConditionError> {
    let fits = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase();
    if name.is_empty() || !name.bytes().all(fits) {
        return Err(ConditionError::Header(name.to_owned()));
    }
    Ok(name.into())
}

/// Operators have names that begin with no letter.
fn check_function(name: &str) -> Result<(), ConditionError> {
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || FUNCTIONS.contains(&name) {
        return Ok(());
    }
    Err(unknown(&format!("{name}()"), FUNCTIONS))
}

fn unknown(name: &str, known: &'static [&'static str]) -> ConditionError {
    ConditionError::Unknown { name: name.to_owned(), known }
}
