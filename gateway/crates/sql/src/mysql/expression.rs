//! Expressions: what each reads, and what its value derives from.
//!
//! Owns every node that may stand in an expression. Whatever a value is computed from is among its
//! sources, conditions of `CASE` included; what a subquery merely filters by is not. Nodes of other
//! dialects make the statement unknown. Must not know which functions are harmless (`functions`).

use sqlparser::ast::{BinaryOperator, CaseWhen, Expr, Ident, Interval, Query, Value};

use super::analyser::Analyser;
use super::functions;
use crate::Unreadable;
use crate::comparison::Meeting;
use crate::walk::rows::Lineage;

impl<'a> Analyser<'a> {
    /// An expression whose value is not shown: what it derives from can be found out.
    pub(super) fn predicate(&mut self, expr: Option<&'a Expr>) -> Result<(), Unreadable> {
        if let Some(expr) = expr {
            let lineage = self.condition(expr)?;
            self.note_oracle(lineage);
        }
        Ok(())
    }

    /// A condition, of which `AND`, `OR` and `NOT` are no comparison: each of their sides is read
    /// as a condition of its own.
    pub(super) fn condition(&mut self, expr: &'a Expr) -> Result<Lineage, Unreadable> {
        let lineage = self.expression(expr)?;
        if !matches!(expr, Expr::BinaryOp { .. } | Expr::Nested(_)) {
            self.note_meeting(Meeting::Compared, &lineage)?;
        }
        Ok(lineage)
    }

    pub(super) fn expression(&mut self, expr: &'a Expr) -> Result<Lineage, Unreadable> {
        match expr {
            // Leaves first: they need no stack.
            Expr::Value(value) => {
                self.spend(1)?;
                Ok(self.value(&value.value))
            }
            Expr::Identifier(ident) => {
                self.spend(1)?;
                self.bare_name(ident)
            }
            Expr::CompoundIdentifier(parts) => {
                self.spend(1)?;
                self.dotted_name(parts)
            }
            other => self.descend(|this| this.inner_expression(other)),
        }
    }

    fn inner_expression(&mut self, expr: &'a Expr) -> Result<Lineage, Unreadable> {
        match expr {
            Expr::BinaryOp { .. } => self.chain(expr),
            Expr::Nested(inner) => {
                // What stands in parentheses is what it is without.
                let lineage = self.expression(inner)?;
                if !matches!(inner.as_ref(), Expr::BinaryOp { .. } | Expr::Nested(_))
                    && lineage.meets()
                {
                    self.note_meeting(Meeting::Compared, &lineage)?;
                }
                Ok(lineage)
            }
            Expr::UnaryOp { op: _, expr } => Ok(self.condition(expr)?.derived()),
            Expr::IsFalse(expr)
            | Expr::IsNotFalse(expr)
            | Expr::IsTrue(expr)
            | Expr::IsNotTrue(expr)
            | Expr::IsNull(expr)
            | Expr::IsNotNull(expr)
            | Expr::IsUnknown(expr)
            | Expr::IsNotUnknown(expr) => Ok(self.condition(expr)?.derived()),
            Expr::InList { expr, list, negated: _ } => {
                let mut lineage = self.expression(expr)?;
                for value in list {
                    lineage.merge(self.expression(value)?);
                }
                self.compared(lineage)
            }
            Expr::InSubquery { expr, subquery, negated: _ } => {
                let mut lineage = self.expression(expr)?;
                lineage.merge(self.subquery(subquery, false)?);
                self.compared(lineage)
            }
            Expr::Between { expr, negated: _, low, high } => self.compare_all([expr, low, high]),
            Expr::Like { negated: _, any, expr, pattern, escape_char } => {
                self.unknown |= *any;
                let mut lineage = self.compare_all([expr, pattern])?;
                if let Some(escape) = escape_char {
                    lineage.merge(self.expression(escape)?);
                }
                Ok(lineage)
            }
            Expr::RLike { negated: _, expr, pattern, regexp: _ } => {
                self.compare_all([expr, pattern])
            }
            Expr::MemberOf(member) => self.compare_all([&member.value, &member.array]),
            Expr::AnyOp { left, compare_op: _, right, is_some: _ }
            | Expr::AllOp { left, compare_op: _, right } => self.compare_all([left, right]),
            Expr::Collate { expr, collation: _ } => Ok(self.expression(expr)?.derived()),
            Expr::Cast { kind: _, expr, data_type: _, format } => {
                self.unknown |= format.is_some();
                Ok(self.expression(expr)?.derived())
            }
            Expr::Convert {
                is_try,
                expr,
                data_type: _,
                charset: _,
                target_before_value,
                styles,
            } => {
                self.unknown |= *is_try || *target_before_value || !styles.is_empty();
                Ok(self.expression(expr)?.derived())
            }
            Expr::Extract { field: _, syntax: _, expr } => Ok(self.expression(expr)?.derived()),
            Expr::Ceil { expr, field: _ } | Expr::Floor { expr, field: _ } => {
                Ok(self.expression(expr)?.derived())
            }
            Expr::Position { expr, r#in } => self.compare_all([expr, r#in]),
            Expr::Substring { expr, substring_from, substring_for, special: _, shorthand: _ } => {
                let mut lineage = self.expression(expr)?;
                for part in [substring_from, substring_for].into_iter().flatten() {
                    lineage.merge(self.expression(part)?);
                }
                self.compared(lineage)
            }
            Expr::Trim { trim_where: _, trim_what, expr, trim_characters } => {
                self.unknown |= trim_characters.is_some();
                let mut lineage = self.expression(expr)?;
                if let Some(what) = trim_what {
                    lineage.merge(self.expression(what)?);
                }
                self.compared(lineage)
            }
            Expr::Prefixed { prefix, value } => {
                // A character set that we do not know; as a column it asks for more.
                let mut lineage = self.bare_name(prefix)?;
                lineage.merge(self.expression(value)?);
                Ok(lineage)
            }
            Expr::TypedString(typed) => {
                self.unknown |= typed.uses_odbc_syntax;
                Ok(Lineage::constant())
            }
            Expr::Interval(interval) => self.interval(interval),
            Expr::Function(function) => self.call(function),
            Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            Expr::Exists { subquery, negated: _ } => self.subquery(subquery, true),
            Expr::Subquery(query) => self.subquery(query, false),
            Expr::Tuple(values) => {
                let mut lineage = Lineage::constant();
                for value in values {
                    lineage.merge(self.expression(value)?);
                }
                Ok(lineage.derived())
            }
            Expr::MatchAgainst { columns, match_value, opt_search_modifier: _ } => {
                let mut lineage = self.value(&match_value.value);
                for column in columns {
                    let parts = self.parts(column);
                    lineage.merge(self.name_of(&parts)?);
                }
                self.compared(lineage)
            }
            Expr::CompoundFieldAccess { .. }
            | Expr::JsonAccess { .. }
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::IsJson { .. }
            | Expr::IsNormalized { .. }
            | Expr::InUnnest { .. }
            | Expr::ILike { .. }
            | Expr::SimilarTo { .. }
            | Expr::AtTimeZone { .. }
            | Expr::Overlay { .. }
            | Expr::GroupingSets(_)
            | Expr::Cube(_)
            | Expr::Rollup(_)
            | Expr::Struct { .. }
            | Expr::Named { .. }
            | Expr::Dictionary(_)
            | Expr::Map(_)
            | Expr::Array(_)
            | Expr::Wildcard(_)
            | Expr::QualifiedWildcard(..)
            | Expr::OuterJoin(_)
            | Expr::Prior(_)
            | Expr::Lambda(_)
            | Expr::Value(_)
            | Expr::Identifier(_)
            | Expr::CompoundIdentifier(_) => Ok(self.not_understood()),
        }
    }

    fn compared(&mut self, lineage: Lineage) -> Result<Lineage, Unreadable> {
        self.note_meeting(Meeting::Compared, &lineage)?;
        Ok(lineage.derived())
    }

    fn compare_all<const N: usize>(&mut self, sides: [&'a Expr; N]) -> Result<Lineage, Unreadable> {
        let mut lineage = Lineage::constant();
        for side in sides {
            lineage.merge(self.expression(side)?);
        }
        self.compared(lineage)
    }

    fn value(&mut self, value: &'a Value) -> Lineage {
        match value {
            Value::Placeholder(name) if name.starts_with('@') && !name.starts_with("@@") => {
                self.variable(name)
            }
            Value::Number(..)
            | Value::SingleQuotedString(_)
            | Value::HexStringLiteral(_)
            | Value::Boolean(_)
            | Value::Null
            | Value::Placeholder(_) => Lineage::constant(),
            _ => self.not_understood(),
        }
    }

    /// Operators lean to the left by the thousand (`a + b + ..`): the left spine is walked in a
    /// loop. `AND` and `OR` set nothing against each other.
    fn chain(&mut self, top: &'a Expr) -> Result<Lineage, Unreadable> {
        let mut rest = Some(top);
        let mut lineage = Lineage::constant();
        let mut around = Lineage::constant();
        let mut meeting: Option<Meeting> = None;
        let mut logical = false;
        while let Some(Expr::BinaryOp { left, op, right }) = rest {
            self.spend(1)?;
            if *op == BinaryOperator::Assignment {
                let value = self.assignment(left, right)?;
                lineage.merge(value);
                rest = None;
                break;
            }
            logical = matches!(op, BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor);
            if logical {
                if let Some(meeting) = meeting.take() {
                    self.note_meeting(meeting, &lineage)?;
                    lineage.merge(std::mem::take(&mut around));
                }
                lineage.merge(self.condition(right)?);
            } else {
                let own = self.meeting_of(op);
                if meeting.is_none() && own.is_some() {
                    around = std::mem::take(&mut lineage);
                }
                meeting = meeting.max(own);
                lineage.merge(self.expression(right)?);
            }
            rest = Some(left);
        }
        if let Some(expr) = rest {
            let last = if logical { self.condition(expr)? } else { self.expression(expr)? };
            lineage.merge(last);
        }
        if let Some(meeting) = meeting {
            self.note_meeting(meeting, &lineage)?;
        }
        lineage.merge(around);
        Ok(lineage.derived())
    }

    /// How the sides of an operator meet; nothing where they are put side by side.
    fn meeting_of(&mut self, op: &BinaryOperator) -> Option<Meeting> {
        use BinaryOperator as Op;
        match op {
            Op::Plus | Op::Minus | Op::Multiply => Some(Meeting::Added),
            Op::Divide | Op::Modulo | Op::MyIntegerDivide => Some(Meeting::Divided),
            Op::Gt
            | Op::Lt
            | Op::GtEq
            | Op::LtEq
            | Op::Spaceship
            | Op::Eq
            | Op::NotEq
            | Op::BitwiseOr
            | Op::BitwiseAnd
            | Op::BitwiseXor
            | Op::PGBitwiseShiftLeft
            | Op::PGBitwiseShiftRight
            | Op::Regexp
            // OR, unless the session says otherwise.
            | Op::StringConcat
            | Op::Arrow
            | Op::LongArrow => Some(Meeting::Compared),
            _ => {
                self.unknown = true;
                Some(Meeting::Compared)
            }
        }
    }

    /// `@x := value`: the value is kept in the session.
    fn assignment(&mut self, to: &'a Expr, value: &'a Expr) -> Result<Lineage, Unreadable> {
        let lineage = self.expression(value)?;
        match to {
            Expr::Value(value) => match &value.value {
                Value::Placeholder(name) if name.starts_with('@') => {
                    self.note_variable(name, &lineage);
                }
                _ => self.unknown = true,
            },
            _ => self.unknown = true,
        }
        let row = self.fresh_row();
        let mut lineage = lineage.derived();
        lineage.varies.push(row);
        Ok(lineage)
    }

    fn interval(&mut self, interval: &'a Interval) -> Result<Lineage, Unreadable> {
        let Interval {
            value,
            leading_field: _,
            leading_precision: _,
            last_field: _,
            fractional_seconds_precision: _,
        } = interval;
        Ok(self.expression(value)?.derived())
    }

    fn case(
        &mut self,
        operand: Option<&'a Expr>,
        conditions: &'a [CaseWhen],
        otherwise: Option<&'a Expr>,
    ) -> Result<Lineage, Unreadable> {
        let mut lineage = match operand {
            Some(operand) => self.expression(operand)?,
            None => Lineage::constant(),
        };
        for CaseWhen { condition, result: _ } in conditions {
            if operand.is_some() {
                lineage.merge(self.expression(condition)?);
                self.note_meeting(Meeting::Compared, &lineage)?;
            } else {
                lineage.merge(self.condition(condition)?);
            }
        }
        for CaseWhen { condition: _, result } in conditions {
            lineage.merge(self.expression(result)?);
        }
        if let Some(otherwise) = otherwise {
            lineage.merge(self.expression(otherwise)?);
        }
        Ok(lineage.derived())
    }

    fn subquery(&mut self, query: &'a Query, exists: bool) -> Result<Lineage, Unreadable> {
        let outside = self.step_inside(exists);
        let rows = self.query(query);
        let correlation = self.step_outside(&outside);
        let rows = rows?;
        let value = match (exists, rows.columns.as_slice(), &rows.open) {
            (true, ..) => Lineage::constant(),
            (false, [only], None) => only.lineage.clone(),
            _ => rows.union(),
        };
        Ok(correlation.seen_from_outside(value))
    }

    /// A name without dots: a column, or one of the server's own values.
    fn bare_name(&mut self, ident: &'a Ident) -> Result<Lineage, Unreadable> {
        if ident.quote_style.is_none() && functions::is_value(&ident.value) {
            return Ok(Lineage::constant());
        }
        let name = self.column_name(ident);
        self.column(name)
    }

    fn dotted_name(&mut self, parts: &'a [Ident]) -> Result<Lineage, Unreadable> {
        let parts: Vec<&'a Ident> = parts.iter().collect();
        self.name_of(&parts)
    }

    /// `a`, `t.a`, `database.t.a`.
    pub(super) fn name_of(&mut self, parts: &[&'a Ident]) -> Result<Lineage, Unreadable> {
        let (database, table, column) = match parts {
            [column] => return self.bare_name(column),
            [table, column] => (None, *table, *column),
            [database, table, column] => (Some(self.table_name(database)), *table, *column),
            _ => return Ok(self.not_understood()),
        };
        let table = self.table_name(table);
        let name = self.column_name(column);
        let found = match self.relation_in_sight(database, table) {
            Some((level, entry)) => self.column_of(level, entry, name)?,
            None => None,
        };
        match found {
            Some(lineage) => Ok(lineage),
            // The server knows none such and refuses, or the snapshot is older than it.
            None => Ok(self.unresolved_column(name)),
        }
    }
}
