//! `when:` conditions: CEL expressions over an operation, compiled once.
//!
//! Owns reading them strictly (only known variables, fields and functions; bounded size) and
//! evaluating them. Must not know what follows from the answer. A condition sees
//! `operation.{kind, text, accesses}`, `principal.{workload, subject, issuer, groups}`, `target`,
//! `environment` and `time`; an access has `action`, `object` (as people read it), `name` (the
//! parts of a name or path; host and port), `columns` (a list), `every_column`, `words` (of a
//! command, the program first) and, of a request, `method`, `host`, `path`, `query` (a map of
//! names to lists of values), `headers` (the same, every header that some condition of the policy
//! names, with an empty list where there is none) and `status`. One to an API server of resources
//! has `group`, `version`, `resource`, `subresource` and `namespace` too; its `name` is namespace
//! and name, its `words` are those of a command. What is not there is an empty string, list or map,
//! or 0.
//!
//! Bounds: the text and its nesting at compile; the operation's text and number of accesses at
//! evaluation, and comprehensions are not nested deeper than two, so work is at most quadratic.

mod facts;
mod names;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use cel::objects::Value;
use cel::parser::PrattParser;
use cel::{Env, IdedExpr};
use model::{Environment, Operation, Principal, TargetName, Timestamp};

pub(crate) use self::facts::Facts;
use self::names::{COMPREHENSIONS_MAX, DEPTH_MAX, Names};

/// Bytes of one condition's text. Raised, compiling and evaluating one may take longer.
pub const CONDITION_BYTES_MAX: usize = 2_048;
/// Nesting of one condition. Raised, parsing and evaluating need more stack.
const NESTING_MAX: u16 = 32;
/// Nodes of one condition's syntax tree, macros expanded.
const NODES_MAX: usize = 4_096;
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
    /// The headers of a request, and not one of them.
    #[error("it asks for all headers at once")]
    AllHeaders,
    /// A header whose name is not as headers are compared.
    #[error("{0} is not the name of a header in lower case")]
    Header(String),
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
            Self::AllHeaders | Self::Header(_) => {
                "ask for headers by name: a.headers[\"x-team\"]".to_owned()
            }
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
    headers: BTreeSet<Arc<str>>,
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
        let headers = Names::read(&expression)?;
        Ok(Self { text: Arc::clone(text), expression, headers })
    }

    /// The text it was compiled from.
    pub(crate) const fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The headers of a request that it asks for, in lower case.
    pub(crate) const fn headers(&self) -> &BTreeSet<Arc<str>> {
        &self.headers
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

/// The functions that conditions can call and the headers that any of them asks for, set up once a
/// policy.
#[derive(Clone)]
pub(crate) struct Functions {
    environment: Arc<Env>,
    headers: Arc<[Arc<str>]>,
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Functions")
    }
}

impl Functions {
    /// The standard ones of CEL.
    pub(crate) fn standard(headers: &Arc<[Arc<str>]>) -> Self {
        Self { environment: Arc::new(Env::stdlib()), headers: Arc::clone(headers) }
    }
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
