//! `when:` conditions: CEL expressions over an operation, compiled once.
//!
//! Owns reading them strictly (only known variables, fields and functions; bounded size) and
//! evaluating them. Must not know what follows from the answer. A condition sees
//! `operation.{kind, text, accesses}`, `principal.{workload, subject, issuer, groups}`, `target`,
//! `environment` and `time`; an access has `action`, `object` (as people read it), `name` (the
//! parts of a name or path; host and port), `columns` (a list), `every_column` and `words` (of a
//! command, the program first). What is not there is an empty string or list.
//!
//! Bounds: the text and its nesting at compile; the operation's text and number of accesses at
//! evaluation, and comprehensions are not nested deeper than two, so work is at most quadratic.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::objects::Value;
use cel::parser::PrattParser;
use cel::{Context, Env};
use model::{Access, Columns, Environment, Object, Operation, Principal, TargetName, Timestamp};

/// Bytes of one condition's text. Raised, compiling and evaluating one may take longer.
pub const CONDITION_BYTES_MAX: usize = 2_048;
/// Nesting of one condition. Raised, parsing and evaluating need more stack.
const NESTING_MAX: u16 = 32;
/// Nesting of the syntax tree, in which a chain of operators nests too. Raised, evaluating needs
/// more stack.
const DEPTH_MAX: usize = 48;
/// Nodes of one condition's syntax tree, macros expanded.
const NODES_MAX: usize = 4_096;
/// Comprehensions within comprehensions. Raised, work grows by a power.
const COMPREHENSIONS_MAX: usize = 2;
/// Bytes of an operation's text that a condition may be asked about.
const OPERATION_BYTES_MAX: usize = 256 * 1024;
/// Accesses of an operation that a condition may be asked about.
const ACCESSES_MAX: usize = 1_024;

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

/// Why a condition cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Too long.
    #[error("it is longer than {CONDITION_BYTES_MAX} bytes")]
    TooLong,
    /// Not CEL.
    #[error("{0}")]
    Syntax(String),
    /// Comprehensions nested too deeply.
    #[error("all, exists, map and filter are nested more than {COMPREHENSIONS_MAX} deep")]
    Nested,
    /// Anything else nested too deeply; a chain of operators nests to the left.
    #[error("it is nested more than {DEPTH_MAX} deep")]
    Deep,
    /// A name that means nothing here.
    #[error("{name} is not known here")]
    Unknown {
        /// The name, with what it was selected from.
        name: String,
        /// What could have been written.
        known: &'static [&'static str],
    },
    /// Not true or false.
    #[error("it gives {0}, not true or false")]
    NotBoolean(String),
}

impl ConditionError {
    pub(crate) fn remedy(&self) -> String {
        match self {
            Self::TooLong | Self::Nested | Self::Deep => {
                "say it with actions and patterns instead".to_owned()
            }
            Self::Syntax(_) => "write a CEL expression, such as \
                                time.getHours(\"Europe/Zurich\") < 6"
                .to_owned(),
            Self::Unknown { known, .. } => format!("use one of: {}", known.join(", ")),
            Self::NotBoolean(_) => "compare it with something".to_owned(),
        }
    }
}

/// What a condition is asked about.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) principal: &'a Principal,
    pub(crate) target: &'a TargetName,
    pub(crate) environment: Option<&'a Environment>,
    pub(crate) now: Timestamp,
}

/// A compiled condition.
pub(crate) struct Condition {
    text: Arc<str>,
    expression: IdedExpr,
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({:?})", self.text)
    }
}

impl Condition {
    /// Compiles the text.
    pub(crate) fn compile(text: &Arc<str>) -> Result<Self, ConditionError> {
        if text.len() > CONDITION_BYTES_MAX {
            return Err(ConditionError::TooLong);
        }
        let expression = PrattParser::new()
            .max_recursion_depth(NESTING_MAX)
            .max_expression_node_count(NODES_MAX)
            .parse(text)
            .map_err(|errors| {
                let first = errors.errors.first();
                ConditionError::Syntax(first.map_or_else(
                    || "it is not CEL".to_owned(),
                    |error| format!("{} (at column {})", first_line(&error.msg), error.pos.1),
                ))
            })?;
        Names::default().check(&expression)?;
        Ok(Self { text: Arc::clone(text), expression })
    }

    /// The text it was compiled from.
    pub(crate) const fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Whether it holds, or why that cannot be told.
    pub(crate) fn holds(&self, facts: &Facts) -> Result<bool, Arc<str>> {
        let context = facts.context.as_ref().map_err(Arc::clone)?;
        match context.resolve(&self.expression) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(format!("it gives {}, not true or false", other.type_of()).into()),
            // The error may quote values of the operation: only its kind is repeated.
            Err(error) => Err(first_line(&reason(&error)).into()),
        }
    }
}

/// The functions that conditions can call, set up once a policy.
#[derive(Clone)]
pub(crate) struct Functions(Arc<Env>);

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Functions")
    }
}

impl Functions {
    /// The standard ones of CEL.
    pub(crate) fn standard() -> Self {
        Self(Arc::new(Env::stdlib()))
    }
}

/// The facts of one operation in the form that conditions are evaluated over.
pub(crate) struct Facts {
    context: Result<Context<'static, 'static>, Arc<str>>,
}

impl Facts {
    pub(crate) fn gather(functions: &Functions, asked: &Asked<'_>) -> Self {
        Self { context: gather(functions, asked) }
    }
}

fn gather(functions: &Functions, asked: &Asked<'_>) -> Result<Context<'static, 'static>, Arc<str>> {
    let operation = asked.operation;
    if operation.text.len() > OPERATION_BYTES_MAX {
        return Err("the operation's text is too long for a condition".into());
    }
    if operation.accesses.len() > ACCESSES_MAX {
        return Err("the operation has too many accesses for a condition".into());
    }
    let time = i64::try_from(asked.now.0)
        .ok()
        .and_then(chrono::DateTime::from_timestamp_micros)
        .ok_or_else(|| Arc::from("the time is out of range"))?;
    let accesses: Vec<Value> = operation.accesses.iter().map(access_value).collect();
    let token = asked.principal.token.as_ref();
    let groups = asked.principal.groups.iter().map(|group| group.as_str());
    let mut context = Context::with_env(Arc::clone(&functions.0));
    context.add_variable_from_value(
        "operation",
        record([
            ("kind", text(&operation.kind)),
            ("text", text(&operation.text)),
            ("accesses", Value::List(Arc::new(accesses))),
        ]),
    );
    context.add_variable_from_value(
        "principal",
        record([
            ("workload", text(asked.principal.workload.as_str())),
            ("subject", text(token.map_or("", |token| &token.subject))),
            ("issuer", text(token.map_or("", |token| &token.issuer))),
            ("groups", texts(groups)),
        ]),
    );
    context.add_variable_from_value("target", text(asked.target.as_str()));
    context.add_variable_from_value("environment", text(asked.environment.map_or("", |e| &e.0)));
    context.add_variable_from_value("time", Value::Timestamp(time.fixed_offset()));
    Ok(context)
}

fn access_value(access: &Access) -> Value {
    let columns = match &access.object {
        Object::Relation { columns, .. } => columns,
        _ => &Columns::None,
    };
    let named: &[Arc<str>] = match columns {
        Columns::Named(names) => names,
        Columns::None | Columns::All => &[],
    };
    let words: &[Arc<str>] = match &access.object {
        Object::Command { words } => words,
        _ => &[],
    };
    record([
        ("action", text(access.action.as_str())),
        ("object", text(&access.object.to_string())),
        ("name", name_value(&access.object)),
        ("columns", texts(named.iter().map(AsRef::as_ref))),
        ("every_column", Value::Bool(*columns == Columns::All)),
        ("words", texts(words.iter().map(AsRef::as_ref))),
    ])
}

/// The parts of what an object is called. A command has none: its words are its own.
fn name_value(object: &Object) -> Value {
    match object {
        Object::Relation { path, .. } | Object::Function { path } | Object::Named { path, .. } => {
            texts(path.0.iter().map(AsRef::as_ref))
        }
        Object::File { path } => texts(path.split('/').filter(|part| !part.is_empty())),
        Object::Endpoint { host, port } => texts([&**host, &port.to_string()].into_iter()),
        Object::Command { .. } => texts(std::iter::empty()),
    }
}

fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect::<HashMap<String, Value>>()
        .into()
}

fn text(text: &str) -> Value {
    Value::from(text)
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    Value::List(Arc::new(texts.map(Value::from).collect()))
}

/// What went wrong, without the values it went wrong with: they may be what masking hides.
fn reason(error: &cel::ExecutionError) -> String {
    use cel::ExecutionError as E;
    match error {
        E::NoSuchKey(_) | E::NoSuchOverload(_) | E::UndeclaredReference(_) => error.to_string(),
        E::DivisionByZero(_) | E::RemainderByZero(_) => "a division by zero".to_owned(),
        E::IndexOutOfBounds(_) => "an index is out of bounds".to_owned(),
        E::Overflow(..) => "a number overflows".to_owned(),
        _ => "it cannot be evaluated for this operation".to_owned(),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or("it cannot be read").trim().to_owned()
}

/// Walks an expression and refuses names that mean nothing, so that a misspelling is an error of
/// the configuration and not a refusal at night.
#[derive(Default)]
struct Names<'a> {
    bound: Vec<&'a str>,
    comprehensions: usize,
    depth: usize,
}

impl<'a> Names<'a> {
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
            Expr::Select(select) => {
                self.check_field(&select.operand, &select.field)?;
                self.check(&select.operand)
            }
            Expr::Call(call) => {
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
