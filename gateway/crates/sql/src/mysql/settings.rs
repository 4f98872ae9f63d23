//! Session settings: which are harmless, which must never change, which need a rule.
//!
//! Owns the lists and which values of the pinned ones keep the text readable. Must not know in
//! which form a setting was changed.

use std::ops::Range;
use std::sync::LazyLock;

use model::Action;
use rustc_hash::FxHashSet;
use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Query, SelectItem, SetExpr,
    UnaryOperator, Value,
};
use sqlparser::tokenizer::Span;

use super::analyser::Analyser;
use super::words::listed;
use crate::statement::{SettingChange, SettingValue};

/// What a setting is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Anybody may change it.
    Harmless,
    /// Changing it needs a rule.
    Ruled,
    /// Reading the next statement, or what is answered, depends on it.
    Pinned,
}

static HARMLESS: LazyLock<FxHashSet<&'static str>> =
    LazyLock::new(|| listed(include_str!("settings/harmless.txt")));

/// Modes that change how a text is cut, alone or as one of several that they stand for. `ORACLE`
/// and its kin include `ANSI_QUOTES` or another grammar.
const CUTTING_MODES: [&str; 9] = [
    "ANSI_QUOTES",
    "NO_BACKSLASH_ESCAPES",
    "ANSI",
    "ORACLE",
    "MSSQL",
    "DB2",
    "POSTGRESQL",
    "MAXDB",
    "IGNORE_SPACE",
];

/// Modes that change nothing about the text.
const OTHER_MODES: [&str; 33] = [
    "STRICT_TRANS_TABLES",
    "STRICT_ALL_TABLES",
    "TRADITIONAL",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "NO_ZERO_DATE",
    "NO_ZERO_IN_DATE",
    "NO_AUTO_CREATE_USER",
    "NO_ENGINE_SUBSTITUTION",
    "NO_AUTO_VALUE_ON_ZERO",
    "ONLY_FULL_GROUP_BY",
    "ALLOW_INVALID_DATES",
    "NO_DIR_IN_CREATE",
    "NO_KEY_OPTIONS",
    "NO_TABLE_OPTIONS",
    "NO_FIELD_OPTIONS",
    "NO_UNSIGNED_SUBTRACTION",
    "PAD_CHAR_TO_FULL_LENGTH",
    "REAL_AS_FLOAT",
    "HIGH_NOT_PRECEDENCE",
    "PIPES_AS_CONCAT",
    "TIME_TRUNCATE_FRACTIONAL",
    "TIME_ROUND_FRACTIONAL",
    "EMPTY_STRING_IS_NULL",
    "SIMULTANEOUS_ASSIGNMENT",
    "NO_DEFAULT_VALUE_FOR_FIELD",
    "",
    "0",
    "MYSQL323",
    "MYSQL40",
    "DEFAULT",
    "NO_MIXED_MODES",
    "NONE",
    "NO_FIELD_DEFAULTS",
];

fn class(name: &str, value: &SettingValue) -> Class {
    let text = match value {
        SettingValue::Text(text) => Some(&**text),
        SettingValue::Default | SettingValue::Variable { .. } | SettingValue::Computed => None,
    };
    let harmless_if = |known: bool| if known { Class::Harmless } else { Class::Pinned };
    match name {
        "sql_mode" => harmless_if(text.is_some_and(keeps_the_grammar)),
        "names" | "character_set_client" | "character_set_connection" | "collation_connection" => {
            harmless_if(text.is_some_and(is_utf8))
        }
        // Without a conversion, texts come as they are stored.
        "character_set_results" => harmless_if(text.is_some_and(|text| {
            is_utf8(text)
                || text.eq_ignore_ascii_case("binary")
                || text.eq_ignore_ascii_case("null")
        })),
        "old_mode" | "character_set_filesystem" => Class::Ruled,
        // Back to what the server starts sessions with.
        _ if HARMLESS.contains(name) => Class::Harmless,
        _ => Class::Ruled,
    }
}

/// Whether texts are read on as they are where a setting holds this; nothing stands for NULL.
#[must_use]
pub fn keeps_reading(setting: &str, value: Option<&str>) -> bool {
    class(setting, &SettingValue::Text(value.unwrap_or("null").into())) == Class::Harmless
}

fn is_utf8(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let charset = text.split('_').next().unwrap_or_default();
    matches!(charset, "utf8" | "utf8mb3" | "utf8mb4" | "uca1400")
}

fn keeps_the_grammar(text: &str) -> bool {
    text.split(',').all(|mode| {
        let mode = mode.trim();
        let among = |modes: &[&str]| modes.iter().any(|one| one.eq_ignore_ascii_case(mode));
        !among(&CUTTING_MODES) && among(&OTHER_MODES)
    })
}

impl Analyser<'_> {
    /// A setting changes; without a name it may be any.
    pub(super) fn change_setting(
        &mut self,
        name: &str,
        wide: bool,
        value: SettingValue,
        expression: Option<&Expr>,
    ) {
        let mut class = class(name, &value);
        if name == "sql_mode"
            && expression.and_then(changed_modes).is_some_and(|modes| keeps_the_grammar(&modes))
        {
            class = Class::Harmless;
        }
        if wide && class == Class::Harmless {
            class = Class::Ruled;
        }
        if class != Class::Harmless {
            self.need_global(Action::Set, "setting", name);
        }
        // What is set for the server reaches sessions that begin later.
        let pinned = class == Class::Pinned;
        let name = Some(name.into());
        self.settings.push(SettingChange { name, value, local: false, pinned });
    }
}

/// The modes that an expression puts in place of the present ones, which change nothing: text
/// added to `@@sql_mode`, or one of its modes taken away.
fn changed_modes(value: &Expr) -> Option<String> {
    match value {
        Expr::Nested(inner) => changed_modes(inner),
        Expr::Subquery(query) => changed_modes(only_value(query)?),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            Value::Placeholder(name) if name == "@@sql_mode" || name == "@@session.sql_mode" => {
                Some(String::new())
            }
            _ => None,
        },
        Expr::Function(function) => {
            let FunctionArguments::List(list) = &function.args else { return None };
            let argument = |argument: &FunctionArg| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => changed_modes(expr),
                _ => None,
            };
            let parts: Vec<String> = list.args.iter().map(argument).collect::<Option<_>>()?;
            let name = function.name.to_string().to_ascii_lowercase();
            match (name.as_str(), parts.as_slice()) {
                ("concat", _) => Some(parts.concat()),
                ("replace", [modes, taken, put]) if put.is_empty() => {
                    let known = OTHER_MODES.iter().any(|one| one.eq_ignore_ascii_case(taken));
                    (known && !taken.is_empty()).then(|| modes.clone())
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// What a query gives that has but one value and reads from nowhere. Without a row it gives NULL,
/// which no mode may be.
fn only_value(query: &Query) -> Option<&Expr> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    match select.projection.as_slice() {
        [SelectItem::UnnamedExpr(value)] if select.from.is_empty() => Some(value),
        _ => None,
    }
}

/// The value of an assignment, where it is a constant or a variable alone.
pub(super) fn constant(value: Option<&Expr>) -> SettingValue {
    let Some(value) = value else { return SettingValue::Default };
    if let Expr::Value(value) = value
        && let Value::Placeholder(name) = &value.value
        && name.starts_with('@')
    {
        return SettingValue::Variable { name: name.as_str().into(), range: bytes(value.span) };
    }
    constant_text(value).map_or(SettingValue::Computed, |text| SettingValue::Text(text.into()))
}

/// The bytes of the text that a place is.
fn bytes(span: Span) -> Range<usize> {
    let column = |column: u64| usize::try_from(column).unwrap_or_default();
    column(span.start.column)..column(span.end.column)
}

fn constant_text(value: &Expr) -> Option<String> {
    match value {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => Some(number.clone()),
            Value::SingleQuotedString(text) => Some(text.clone()),
            Value::Boolean(value) => Some(if *value { "1".into() } else { "0".into() }),
            Value::Null => Some("null".into()),
            _ => None,
        },
        // `SET character_set_results = utf8mb4`, `SET autocommit = OFF`.
        Expr::Identifier(ident) => Some(ident.value.clone()),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            constant_text(expr).map(|text| format!("-{text}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AnalysisLimits;
    use crate::mysql::lexer;
    use crate::server::Server;

    #[test]
    fn modes_may_be_added_and_taken_away_but_not_put_together_otherwise() {
        let modes = |text: &str| {
            let (tokens, _) =
                lexer::tokens(text, Server::default(), &AnalysisLimits::default()).unwrap();
            let dialect = sqlparser::dialect::MySqlDialect {};
            let mut parser =
                sqlparser::parser::Parser::new(&dialect).with_tokens_with_locations(tokens);
            let expr = parser.parse_expr().unwrap();
            changed_modes(&expr).is_some_and(|modes| keeps_the_grammar(&modes))
        };
        assert!(modes(
            "CONCAT(CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), ',NO_AUTO_VALUE_ON_ZERO')"
        ));
        assert!(modes("REPLACE(@@sql_mode, 'ONLY_FULL_GROUP_BY', '')"));
        assert!(modes("(SELECT CONCAT(@@sql_mode, ',PIPES_AS_CONCAT'))"));
        assert!(!modes("(SELECT CONCAT(@@sql_mode, ',ANSI_QUOTES'))"));
        assert!(!modes("(SELECT CONCAT(@@sql_mode, ',PIPES_AS_CONCAT') FROM t)"));
        assert!(!modes("(SELECT 'ANSI_QUOTES' UNION SELECT @@sql_mode)"));
        assert!(!modes("CONCAT(@@sql_mode, ',ANSI_QUOTES')"));
        assert!(!modes("CONCAT('NO_BACKSLASH', '_ESCAPES,', @@sql_mode)"));
        assert!(!modes("REPLACE(@@sql_mode, 'STRICT_ALL_TABLES', 'ANSI_QUOTES')"));
        assert!(!modes("REPLACE(@@sql_mode, ',', '')"));
        assert!(!modes("CONCAT(@@sql_mode, NOW())"));
    }

    #[test]
    fn what_reading_depends_on_is_pinned_and_what_only_looks_different_is_free() {
        let text = |text: &str| SettingValue::Text(text.into());
        for (name, value, wanted) in [
            ("sql_mode", text("NO_AUTO_VALUE_ON_ZERO"), Class::Harmless),
            ("sql_mode", text(""), Class::Harmless),
            ("sql_mode", text("STRICT_TRANS_TABLES, NO_ZERO_DATE"), Class::Harmless),
            ("sql_mode", text("ANSI_QUOTES"), Class::Pinned),
            ("sql_mode", text("STRICT_ALL_TABLES,ansi"), Class::Pinned),
            ("sql_mode", text("4"), Class::Pinned),
            ("sql_mode", SettingValue::Computed, Class::Pinned),
            ("sql_mode", SettingValue::Default, Class::Pinned),
            ("names", text("utf8mb4"), Class::Harmless),
            ("names", text("gbk"), Class::Pinned),
            ("names", SettingValue::Default, Class::Pinned),
            ("collation_connection", text("utf8mb4_general_ci"), Class::Harmless),
            ("character_set_results", text("NULL"), Class::Harmless),
            ("character_set_results", text("utf16"), Class::Pinned),
            ("autocommit", text("0"), Class::Harmless),
            ("sql_log_bin", text("0"), Class::Ruled),
            ("general_log", text("1"), Class::Ruled),
        ] {
            assert_eq!(class(name, &value), wanted, "{name} {value:?}");
        }
    }
}
