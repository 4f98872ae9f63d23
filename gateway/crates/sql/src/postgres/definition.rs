//! `CREATE`, `ALTER`, `DROP` and their kin, `GRANT` and roles.
//!
//! Owns what each needs, a theme a file: each file takes the statements it knows and hands the
//! rest on; the last says that it does not understand. A definition that holds code needs
//! `code`; one that reads relations needs what reading them needs. Must not know queries.

mod code;
mod generic;
mod grants;
mod needs;
mod relations;
mod server;
mod types;

use model::Action;
use pg_raw_parse::Node;

use super::analyser::Analyser;
use super::session::{Plain, plain};
use crate::Unreadable;
use crate::statement::StatementKind;

fn created(object: &'static str) -> Plain {
    plain(StatementKind::Create { object })
}

fn altered(object: &'static str) -> Plain {
    plain(StatementKind::Alter { object })
}

fn dropped(object: &'static str) -> Plain {
    plain(StatementKind::Drop { object })
}

impl<'a> Analyser<'a> {
    /// A statement that defines, changes or removes something.
    pub(super) fn define(&mut self, node: Node<'a>) -> Result<Plain, Unreadable> {
        self.define_relation(node)
    }

    /// The end of the chain of themes.
    fn define_nothing_known(&mut self, node: Node<'a>) -> Plain {
        self.not_understood(node);
        self.need_named(Action::Unknown, "statement", &[]);
        plain(StatementKind::Unknown)
    }
}
