//! Statements about the session itself: transactions, settings, prepared statements, cursors,
//! notifications.
//!
//! Owns their kinds. Must not know relations.

use model::Action;
use pg_raw_parse::{ConstValue, Node, nodes, raw};

use super::analyser::Analyser;
use crate::lineage::{Form, OutputLineage, Outputs};
use crate::statement::{DiscardWhat, Referral, SettingValue, StatementKind};

/// A kind that answers without rows.
pub(super) type Plain = (StatementKind, Outputs);

pub(super) fn plain(kind: StatementKind) -> Plain {
    (kind, Outputs::NoRows)
}

/// Columns that the server makes up.
pub(super) fn made_up(names: &[&str], opaque: bool) -> Outputs {
    let columns = names.iter().map(|name| OutputLineage {
        name: (*name).into(),
        sources: Vec::new(),
        form: Form::Derived,
        opaque,
    });
    Outputs::Columns(columns.collect())
}

impl<'a> Analyser<'a> {
    pub(super) fn transaction(&mut self, statement: &'a nodes::TransactionStmt) -> Plain {
        use raw::TransactionStmtKind as Kind;
        let name = || statement.savepoint_name().unwrap_or_default().into();
        let id = || statement.gid().unwrap_or_default().into();
        let chain = statement.chain;
        plain(match statement.kind {
            Kind::TRANS_STMT_BEGIN | Kind::TRANS_STMT_START => StatementKind::Begin,
            Kind::TRANS_STMT_COMMIT => StatementKind::Commit { chain },
            Kind::TRANS_STMT_ROLLBACK => StatementKind::Rollback { chain },
            Kind::TRANS_STMT_SAVEPOINT => StatementKind::Savepoint { name: name() },
            Kind::TRANS_STMT_RELEASE => StatementKind::Release { name: name() },
            Kind::TRANS_STMT_ROLLBACK_TO => StatementKind::RollbackTo { name: name() },
            Kind::TRANS_STMT_PREPARE => StatementKind::PrepareTransaction { id: id() },
            Kind::TRANS_STMT_COMMIT_PREPARED => StatementKind::CommitPrepared { id: id() },
            Kind::TRANS_STMT_ROLLBACK_PREPARED => StatementKind::RollbackPrepared { id: id() },
            _ => {
                self.unknown = true;
                StatementKind::Unknown
            }
        })
    }

    pub(super) fn set(&mut self, statement: &'a nodes::VariableSetStmt) -> Plain {
        use raw::VariableSetKind as Kind;
        let name = statement.name().unwrap_or_default();
        let local = statement.is_local;
        plain(match statement.kind {
            Kind::VAR_SET_VALUE | Kind::VAR_SET_DEFAULT | Kind::VAR_SET_CURRENT => {
                let value = set_value(statement);
                self.change_setting(Some(name), value.clone(), local);
                let pinned = self.settings.last().is_some_and(|change| change.pinned);
                StatementKind::Set { name: lower(name), value, local, pinned }
            }
            Kind::VAR_SET_MULTI => match name {
                "TRANSACTION" | "SESSION CHARACTERISTICS" | "TRANSACTION SNAPSHOT" => {
                    StatementKind::SetTransaction
                }
                _ => {
                    self.unknown = true;
                    StatementKind::Unknown
                }
            },
            Kind::VAR_RESET => {
                self.change_setting(Some(name), SettingValue::Default, false);
                StatementKind::Reset { name: Some(lower(name)) }
            }
            Kind::VAR_RESET_ALL => StatementKind::Reset { name: None },
            _ => {
                self.unknown = true;
                StatementKind::Unknown
            }
        })
    }

    pub(super) fn show(&mut self, statement: &'a nodes::VariableShowStmt) -> Plain {
        let name = lower(statement.name().unwrap_or_default());
        let outputs = if *name == *"all" {
            made_up(&["name", "setting", "description"], false)
        } else {
            made_up(&[&name], false)
        };
        (StatementKind::Show { name }, outputs)
    }

    pub(super) fn discard(&mut self, statement: &'a nodes::DiscardStmt) -> Plain {
        use raw::DiscardMode as Mode;
        let what = match statement.target {
            Mode::DISCARD_ALL => DiscardWhat::All,
            Mode::DISCARD_PLANS => DiscardWhat::Plans,
            Mode::DISCARD_SEQUENCES => DiscardWhat::Sequences,
            Mode::DISCARD_TEMP => DiscardWhat::Temporary,
            _ => {
                self.unknown = true;
                return plain(StatementKind::Unknown);
            }
        };
        plain(StatementKind::Discard { what })
    }

    pub(super) fn fetch(&mut self, statement: &'a nodes::FetchStmt) -> Plain {
        let name: std::sync::Arc<str> = statement.portalname().unwrap_or_default().into();
        self.refers_to = Some(Referral::Cursor(name.clone()));
        let is_move = statement.ismove;
        let outputs = if is_move { Outputs::NoRows } else { Outputs::Unknown };
        (StatementKind::Fetch { name, is_move }, outputs)
    }

    pub(super) fn listen(&mut self, channel: Option<&'a str>) -> Plain {
        let channel = channel.unwrap_or_default();
        self.need_named(Action::Notify, "channel", &[channel]);
        plain(StatementKind::Listen { channel: channel.into() })
    }

    pub(super) fn notify(&mut self, channel: Option<&'a str>) -> Plain {
        let channel = channel.unwrap_or_default();
        self.need_named(Action::Notify, "channel", &[channel]);
        plain(StatementKind::Notify { channel: channel.into() })
    }
}

pub(super) fn lower(name: &str) -> std::sync::Arc<str> {
    name.to_ascii_lowercase().into()
}

/// The value of `SET`, written as the server would keep it.
fn set_value(statement: &nodes::VariableSetStmt) -> SettingValue {
    if statement.kind != raw::VariableSetKind::VAR_SET_VALUE {
        return if statement.kind == raw::VariableSetKind::VAR_SET_DEFAULT {
            SettingValue::Default
        } else {
            SettingValue::Computed
        };
    }
    let mut text = String::new();
    for (index, argument) in statement.args().iter().enumerate() {
        let Some(value) = constant(argument) else { return SettingValue::Computed };
        if index > 0 {
            text.push_str(", ");
        }
        text.push_str(&value);
    }
    SettingValue::Text(text.into())
}

fn constant(node: Node<'_>) -> Option<String> {
    match node {
        Node::A_Const(constant) => match constant.val()? {
            ConstValue::Integer(number) => Some(number.to_string()),
            ConstValue::Float(text) | ConstValue::String(text) => Some(text.into()),
            ConstValue::Boolean(value) => Some(value.to_string()),
            _ => None,
        },
        // `SET TIME ZONE INTERVAL '1' HOUR`.
        Node::TypeCast(cast) => match cast.arg() {
            Node::A_Const(_) => constant(cast.arg()),
            _ => None,
        },
        _ => None,
    }
}
