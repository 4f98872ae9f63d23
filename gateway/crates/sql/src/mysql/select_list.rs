//! The select list: expressions, aliases and stars.
//!
//! Owns what an output is called, since outer queries use the name. An expression without an
//! alias is called by its own text, which we do not keep: any name may mean it.

use sqlparser::ast::{
    Expr, ObjectName, SelectItem, SelectItemQualifiedWildcardKind, WildcardAdditionalOptions,
};

use super::analyser::Analyser;
use super::functions::is_value;
use crate::Unreadable;
use crate::walk::namespace::{UNNAMED, both};
use crate::walk::rows::{Expansion, Lineage, OutColumn};

impl<'a> Analyser<'a> {
    pub(super) fn select_items(
        &mut self,
        items: &'a [SelectItem],
    ) -> Result<Expansion<'a>, Unreadable> {
        let mut columns = Vec::with_capacity(items.len());
        let mut open: Option<Lineage> = None;
        for item in items {
            let (more, maybe) = self.select_item(item)?;
            // Subqueries of later items may use these by their names.
            if let Some(level) = self.levels.last_mut() {
                level.results.extend(more.iter().cloned());
            }
            columns.extend(more);
            open = both(open, maybe);
        }
        Ok((columns, open))
    }

    fn select_item(&mut self, item: &'a SelectItem) -> Result<Expansion<'a>, Unreadable> {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                let name = own_name(expr).map_or(UNNAMED, |ident| self.ident(ident));
                self.shown(expr, name)
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                let name = self.ident(alias);
                self.shown(expr, name)
            }
            SelectItem::Wildcard(options) => {
                self.plain_star(options);
                self.everything()
            }
            SelectItem::QualifiedWildcard(kind, options) => {
                self.plain_star(options);
                match kind {
                    SelectItemQualifiedWildcardKind::ObjectName(name) => self.star_of(name),
                    SelectItemQualifiedWildcardKind::Expr(_) => {
                        Ok((Vec::new(), Some(self.not_understood())))
                    }
                }
            }
            SelectItem::ExprWithAliases { .. } => Ok((Vec::new(), Some(self.not_understood()))),
        }
    }

    fn shown(&mut self, expr: &'a Expr, name: &'a str) -> Result<Expansion<'a>, Unreadable> {
        let mut lineage = self.expression(expr)?;
        lineage.fixed |= matches!(expr, Expr::Value(_));
        Ok((vec![OutColumn { name, lineage }], None))
    }

    fn plain_star(&mut self, options: &'a WildcardAdditionalOptions) {
        let WildcardAdditionalOptions {
            wildcard_token: _,
            opt_ilike,
            opt_exclude,
            opt_except,
            opt_replace,
            opt_rename,
            opt_alias,
        } = options;
        self.unknown |= opt_ilike.is_some()
            || opt_exclude.is_some()
            || opt_except.is_some()
            || opt_replace.is_some()
            || opt_rename.is_some()
            || opt_alias.is_some();
    }

    /// `t.*`, `database.t.*`.
    fn star_of(&mut self, name: &'a ObjectName) -> Result<Expansion<'a>, Unreadable> {
        let found = match self.parts(name).as_slice() {
            [table] => {
                let table = self.table_name(table);
                self.relation_in_sight(None, table)
            }
            [database, table] => {
                let (database, table) = (self.table_name(database), self.table_name(table));
                self.relation_in_sight(Some(database), table)
            }
            _ => None,
        };
        match found {
            Some((level, entry)) => self.whole_entry(level, entry),
            // The server knows no such table and refuses; until then it may be any.
            None => {
                let (_, open) = self.everything()?;
                let mut all = open.unwrap_or_default();
                all.opaque = true;
                Ok((Vec::new(), Some(all)))
            }
        }
    }
}

/// The name of an output that is a column as it is.
fn own_name(expr: &Expr) -> Option<&sqlparser::ast::Ident> {
    match expr {
        // One of the server's own values has no column's name.
        Expr::Identifier(ident) if ident.quote_style.is_none() && is_value(&ident.value) => None,
        Expr::Identifier(ident) => Some(ident),
        Expr::CompoundIdentifier(parts) => parts.last(),
        Expr::Nested(inner) => match inner.as_ref() {
            Expr::Identifier(ident) => Some(ident),
            Expr::CompoundIdentifier(parts) => parts.last(),
            // Deeper ones are as good as unnamed.
            _ => None,
        },
        _ => None,
    }
}
