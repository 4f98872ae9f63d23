//! Which parts of the grammar set values of rows against each other.
//!
//! Owns the meaning of its nodes. Must not know how row sources are told apart (`walk`).

use pg_raw_parse::{Node, nodes, raw};

use super::analyser::Analyser;
use super::functions;
use super::object::name_parts;
use crate::Unreadable;
use crate::comparison::Meeting;
use crate::walk::rows::Lineage;

impl<'a> Analyser<'a> {
    /// An expression that decides how many rows there are.
    pub(super) fn count_of_rows(&mut self, node: Node<'a>) -> Result<(), Unreadable> {
        if matches!(node, Node::None | Node::A_Const(_) | Node::ParamRef(_)) {
            return Ok(());
        }
        let lineage = self.expression(node)?;
        self.note_meeting(Meeting::Counted, &lineage)?;
        self.note_oracle(lineage);
        Ok(())
    }

    /// An expression that rows are sorted or grouped by.
    pub(super) fn sorted(&mut self, node: Node<'a>) -> Result<(), Unreadable> {
        if matches!(node, Node::None) {
            return Ok(());
        }
        let lineage = self.expression(node)?;
        self.note_sorted(lineage)
    }

    /// A condition, of which `AND`, `OR` and `NOT` are no comparison: each of their sides is read
    /// as a condition of its own.
    pub(super) fn condition(&mut self, node: Node<'a>) -> Result<Lineage, Unreadable> {
        let lineage = self.expression(node)?;
        if !matches!(node, Node::BoolExpr(_) | Node::BooleanTest(_) | Node::A_Expr(_)) {
            self.note_meeting(Meeting::Compared, &lineage)?;
        }
        Ok(lineage)
    }

    /// A call of a function with these arguments.
    pub(super) fn note_call(
        &mut self,
        call: &'a nodes::FuncCall,
        name: &str,
        lineage: &Lineage,
    ) -> Result<(), Unreadable> {
        if lineage.sources.is_empty() {
            return Ok(());
        }
        if functions::gives_rows(name) || name == "ntile" {
            let only = call.args().first().filter(|_| call.args().len() == 1);
            let stored = matches!(only, Some(Node::ColumnRef(_)));
            if !(stored && functions::takes_apart(name)) {
                self.note_meeting(Meeting::Counted, lineage)?;
            }
        }
        if functions::puts_together(name) {
            return Ok(());
        }
        let plain = call.args().len() == 1 || functions::changes_form(name);
        self.note_meeting(if plain { Meeting::Added } else { Meeting::Compared }, lineage)
    }
}

/// How the sides of an operator meet; nothing where they are put side by side.
pub(super) fn meeting_of(expr: &nodes::A_Expr) -> Option<Meeting> {
    if expr.kind != raw::A_Expr_Kind::AEXPR_OP {
        return Some(Meeting::Compared);
    }
    match name_parts(expr.name()).last().copied() {
        Some("||") => None,
        Some("+" | "-" | "*") => Some(Meeting::Added),
        Some("/" | "%" | "^") => Some(Meeting::Divided),
        _ => Some(Meeting::Compared),
    }
}
