//! Databases, tablespaces, foreign servers, publications and subscriptions.
//!
//! Owns their statements. Those that make the server reach out, or let others take its rows,
//! need what they would give away.

use model::{Action, Object, ObjectPath};
use pg_raw_parse::list::NodeList;
use pg_raw_parse::{Node, nodes};

use super::super::analyser::Analyser;
use super::super::session::Plain;
use super::{altered, created, dropped};
use crate::Unreadable;

impl<'a> Analyser<'a> {
    pub(super) fn define_server_object(&mut self, node: Node<'a>) -> Result<Plain, Unreadable> {
        use Action::{Alter, Create, Drop};
        Ok(match node {
            Node::CreatedbStmt(create) => {
                self.need_global(Create, "database", create.dbname().unwrap_or("*"));
                created("database")
            }
            Node::AlterDatabaseStmt(alter) => {
                self.need_global(Alter, "database", alter.dbname().unwrap_or("*"));
                altered("database")
            }
            Node::AlterDatabaseRefreshCollStmt(alter) => {
                self.need_global(Alter, "database", alter.dbname().unwrap_or("*"));
                altered("database")
            }
            Node::AlterDatabaseSetStmt(alter) => {
                self.need_global(Alter, "database", alter.dbname().unwrap_or("*"));
                self.kept_setting(alter.setstmt());
                altered("database")
            }
            Node::DropdbStmt(drop) => {
                self.need_global(Drop, "database", drop.dbname().unwrap_or("*"));
                dropped("database")
            }
            Node::AlterSystemStmt(alter) => {
                self.need_global(Alter, "system", "*");
                self.kept_setting(alter.setstmt());
                altered("system")
            }
            Node::CreateTableSpaceStmt(create) => {
                self.need_global(Create, "tablespace", create.tablespacename().unwrap_or("*"));
                let path = ObjectPath::new([create.location().unwrap_or("*")]);
                self.need(Action::ServerFile, Object::Named { kind: "file", path });
                created("tablespace")
            }
            Node::DropTableSpaceStmt(drop) => {
                self.need_global(Drop, "tablespace", drop.tablespacename().unwrap_or("*"));
                dropped("tablespace")
            }
            Node::AlterTableSpaceOptionsStmt(alter) => {
                self.need_global(Alter, "tablespace", alter.tablespacename().unwrap_or("*"));
                altered("tablespace")
            }
            other => self.define_foreign(other)?,
        })
    }

    fn define_foreign(&mut self, node: Node<'a>) -> Result<Plain, Unreadable> {
        use Action::{Alter, Create, Drop};
        Ok(match node {
            Node::CreateFdwStmt(create) => {
                self.code_of("foreign_data_wrapper", Create, create.fdwname());
                created("foreign_data_wrapper")
            }
            Node::AlterFdwStmt(alter) => {
                self.code_of("foreign_data_wrapper", Alter, alter.fdwname());
                altered("foreign_data_wrapper")
            }
            Node::CreateForeignServerStmt(create) => {
                let name = create.servername().unwrap_or("*");
                self.need_named(Create, "foreign_server", &[name]);
                created("foreign_server")
            }
            Node::AlterForeignServerStmt(alter) => {
                let name = alter.servername().unwrap_or("*");
                self.need_named(Alter, "foreign_server", &[name]);
                altered("foreign_server")
            }
            Node::CreateUserMappingStmt(create) => {
                let name = create.servername().unwrap_or("*");
                self.need_named(Create, "user_mapping", &[name]);
                created("user_mapping")
            }
            Node::AlterUserMappingStmt(alter) => {
                let name = alter.servername().unwrap_or("*");
                self.need_named(Alter, "user_mapping", &[name]);
                altered("user_mapping")
            }
            Node::DropUserMappingStmt(drop) => {
                self.need_named(Drop, "user_mapping", &[drop.servername().unwrap_or("*")]);
                dropped("user_mapping")
            }
            Node::ImportForeignSchemaStmt(import) => {
                let server = import.server_name().unwrap_or("*");
                let schema = import.local_schema().unwrap_or("*");
                self.need_named(Alter, "foreign_server", &[server]);
                self.need_named(Create, "schema", &[schema]);
                self.need_named(Create, "foreign_table", &[server]);
                created("foreign_table")
            }
            other => self.define_replication(other)?,
        })
    }

    fn define_replication(&mut self, node: Node<'a>) -> Result<Plain, Unreadable> {
        use Action::{Alter, Create, Drop};
        Ok(match node {
            Node::CreatePublicationStmt(create) => {
                let name = create.pubname().unwrap_or("*");
                self.need_named(Create, "publication", &[name]);
                self.published(create.for_all_tables, create.pubobjects())?;
                created("publication")
            }
            Node::AlterPublicationStmt(alter) => {
                let name = alter.pubname().unwrap_or("*");
                self.need_named(Alter, "publication", &[name]);
                self.published(alter.for_all_tables, alter.pubobjects())?;
                altered("publication")
            }
            Node::CreateSubscriptionStmt(create) => {
                self.code_of("subscription", Create, create.subname());
                created("subscription")
            }
            Node::AlterSubscriptionStmt(alter) => {
                self.code_of("subscription", Alter, alter.subname());
                altered("subscription")
            }
            Node::DropSubscriptionStmt(drop) => {
                self.need_named(Drop, "subscription", &[drop.subname().unwrap_or("*")]);
                dropped("subscription")
            }
            other => self.define_nothing_known(other),
        })
    }

    /// Published tables are read by whoever subscribes.
    fn published(&mut self, all: bool, objects: &'a NodeList) -> Result<(), Unreadable> {
        if all {
            self.need_named(Action::Select, "database", &[]);
        }
        for object in objects {
            let Node::PublicationObjSpec(object) = object else {
                self.not_understood(object);
                continue;
            };
            let table = object.pubtable();
            if let Some(named) = table.and_then(nodes::PublicationTable::relation) {
                let touched = self.resolve(named);
                for one in touched {
                    self.use_all(one, Action::Select);
                }
                self.on_columns_of(Some(named), table.map(nodes::PublicationTable::where_clause))?;
            } else {
                let schema = object.name().unwrap_or("*");
                self.need_named(Action::Select, "schema", &[schema]);
            }
        }
        Ok(())
    }
}
