//! Function calls: whose function a name means, and whether the call needs a rule.
//!
//! Owns the treatment of functions that stand for something else: sequences, values that the
//! session keeps, counts. Must not know the list of harmless functions (`functions`).

use sqlparser::ast::{
    Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, Ident,
    WindowType,
};

use model::{Action, Object, ObjectPath};

use super::analyser::Analyser;
use super::functions;
use crate::Unreadable;
use crate::comparison::Meeting;
use crate::lineage::ColumnWrite;
use crate::walk::rows::{Lineage, Rows};

impl<'a> Analyser<'a> {
    pub(super) fn call(&mut self, function: &'a Function) -> Result<Lineage, Unreadable> {
        let Function {
            name,
            uses_odbc_syntax,
            parameters,
            args,
            within_group,
            filter,
            null_treatment: _,
            over,
        } = function;
        self.unknown |=
            *uses_odbc_syntax || !matches!(parameters, FunctionArguments::None) || filter.is_some();
        let parts = self.parts(name);
        if let [ident] = parts.as_slice()
            && functions::of_sequence(&ident.value)
        {
            return self.sequence(args);
        }
        if let [ident] = parts.as_slice()
            && ident.quote_style.is_none()
            && functions::names_column(&ident.value)
        {
            // The column's definition, or what is about to be put in it: it is not read.
            return Ok(Lineage::constant());
        }
        let (lineage, arguments) = self.arguments(args)?;
        for sort in within_group {
            self.order_by_one(sort, &Rows::default())?;
        }
        let lineage = lineage.derived();
        let own = match parts.as_slice() {
            [ident] if ident.quote_style.is_none() => functions::of_server(&ident.value),
            _ => None,
        };
        let value = match own {
            Some(known) => self.builtin(known, lineage, arguments)?,
            None => {
                self.note_meeting(Meeting::Compared, &lineage)?;
                self.stored_function(&parts);
                Lineage { opaque: true, ..lineage }
            }
        };
        match over {
            None => Ok(value),
            Some(WindowType::NamedWindow(name)) => {
                self.ident(name);
                Ok(self.window_value(value))
            }
            Some(WindowType::WindowSpec(window)) => {
                self.window(window)?;
                Ok(self.window_value(value))
            }
        }
    }

    /// What the arguments derive from, and how many there are.
    fn arguments(
        &mut self,
        arguments: &'a FunctionArguments,
    ) -> Result<(Lineage, usize), Unreadable> {
        let list = match arguments {
            FunctionArguments::None => return Ok((Lineage::constant(), 0)),
            FunctionArguments::Subquery(_) => return Ok((self.not_understood(), 1)),
            FunctionArguments::List(list) => list,
        };
        let mut lineage = Lineage::constant();
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => {
                    lineage.merge(self.expression(expr)?);
                }
                // `count(*)`.
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => {}
                FunctionArg::Unnamed(
                    FunctionArgExpr::QualifiedWildcard(_) | FunctionArgExpr::WildcardWithOptions(_),
                )
                | FunctionArg::Named { .. }
                | FunctionArg::ExprNamed { .. } => lineage.merge(self.not_understood()),
            }
        }
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(sorts) => {
                    for sort in sorts {
                        self.order_by_one(sort, &Rows::default())?;
                    }
                }
                FunctionArgumentClause::Limit(limit) => self.count_of_rows(limit)?,
                FunctionArgumentClause::Separator(_) => {}
                FunctionArgumentClause::IgnoreOrRespectNulls(_)
                | FunctionArgumentClause::Where(_)
                | FunctionArgumentClause::OnOverflow(_)
                | FunctionArgumentClause::Having(_)
                | FunctionArgumentClause::JsonNullClause(_)
                | FunctionArgumentClause::JsonReturningClause(_) => self.unknown = true,
            }
        }
        Ok((lineage, list.args.len()))
    }

    /// A function of the server's own.
    fn builtin(
        &mut self,
        known: functions::Known,
        lineage: Lineage,
        arguments: usize,
    ) -> Result<Lineage, Unreadable> {
        if !known.puts_together() && !lineage.sources.is_empty() {
            let plain = arguments == 1 || known.changes_form();
            self.note_meeting(if plain { Meeting::Added } else { Meeting::Compared }, &lineage)?;
        }
        if known.counts() {
            self.note_oracle(lineage);
            return Ok(self.count_value());
        }
        if known.numbers_rows() {
            self.note_oracle(lineage);
            let row = self.fresh_row();
            return Ok(Lineage::varying(row));
        }
        if known.keeps_argument() && arguments > 0 {
            self.note_given(known.name(), &lineage);
            return Ok(lineage);
        }
        if known.is_harmless() {
            return Ok(lineage);
        }
        self.note_given(known.name(), &lineage);
        let path = ObjectPath::new([self.scope().database, SERVER, known.name()]);
        self.need(Action::Execute, Object::Function { path });
        Ok(Lineage { opaque: true, ..lineage })
    }

    /// The server keeps what it is given where it is not classified: it is written.
    fn note_given(&mut self, function: &str, lineage: &Lineage) {
        let path = ObjectPath::new([self.scope().database, SERVER, function]);
        self.note_kept(path, lineage);
    }

    /// A user variable keeps a value.
    pub(super) fn note_variable(&mut self, name: &str, lineage: &Lineage) {
        let path = ObjectPath::new([self.scope().database, VARIABLES, name]);
        self.note_kept(path, lineage);
    }

    pub(super) fn note_kept(&mut self, relation: ObjectPath, lineage: &Lineage) {
        // What comes from a variable and goes to a variable was judged when it came.
        let opaque = lineage.opaque && !self.touched.is_empty();
        if lineage.sources.is_empty() && !opaque {
            return;
        }
        let mut sources: Vec<_> =
            lineage.sources.iter().map(|origin| self.source(*origin)).collect();
        sources.sort_unstable();
        sources.dedup();
        self.writes.push(ColumnWrite { relation, column: None, sources, opaque });
    }

    /// A function of a database: nobody knows what it does.
    pub(super) fn stored_function(&mut self, parts: &[&'a Ident]) {
        let (database, name) = match parts {
            [name] => {
                self.unknown |= !self.reading.names_certain;
                (self.current_database(), *name)
            }
            [database, name] => (self.table_name(database), *name),
            _ => {
                self.unknown = true;
                return;
            }
        };
        // Names of routines are the same in every case.
        let name = name.value.to_lowercase();
        let path = ObjectPath::new([self.scope().database, database, name.as_str()]);
        self.need(Action::Execute, Object::Function { path });
    }

    /// `nextval(s)`, `lastval(s)`, `setval(s, n)`: the first argument is a name.
    fn sequence(&mut self, arguments: &'a FunctionArguments) -> Result<Lineage, Unreadable> {
        use sqlparser::ast::Expr;
        let FunctionArguments::List(list) = arguments else { return Ok(self.not_understood()) };
        let mut rest = list.args.iter();
        let (database, name) = match rest.next() {
            Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(name)))) => {
                self.unknown |= !self.reading.names_certain;
                (self.current_database(), self.table_name(name))
            }
            Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::CompoundIdentifier(parts)))) => {
                match parts.as_slice() {
                    [database, name] => (self.table_name(database), self.table_name(name)),
                    _ => return Ok(self.not_understood()),
                }
            }
            _ => return Ok(self.not_understood()),
        };
        for touched in self.resolve_parts(database, name) {
            self.use_relation(touched, Action::Update);
        }
        let mut lineage = Lineage::constant();
        for argument in rest {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => {
                    lineage.merge(self.expression(expr)?);
                }
                _ => lineage.merge(self.not_understood()),
            }
        }
        self.note_given("setval", &lineage);
        let row = self.fresh_row();
        lineage.varies.push(row);
        Ok(lineage)
    }
}

/// What stands for the server itself in the paths of its functions.
pub(super) const SERVER: &str = "mysql";
/// What stands for the session's variables in paths.
const VARIABLES: &str = "@";
